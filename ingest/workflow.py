"""One document, end to end: parse → label → publish (split, embed, archive, index) → settle.

Every step can be repeated: ids are deterministic, writing the same thing twice changes nothing. A process that dies anywhere
leaves a document "in progress"; `ingest.queue` takes it up again, at the step that was in hand, and it ends in the same state.

What can pass later (a service away, a disk full, a database locked) sends the document back to the queue, a bounded number of
times; everything else ends in a state that a person sees.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from assistant.access import Label, Principal, Role
from assistant.archive import Archive
from assistant.errors import ConfigurationError, DocumentRejected, NotFound, ServiceUnavailable, Unlabelled
from assistant.index import PassageIndex
from assistant.types import Document, DocumentState, TextOrigin
from ingest.isolation import parse_isolated
from ingest.labelling import Markings, decide_label
from ingest.ledger import RETRY, Ledger, Task, Ticket
from ingest.parsing import Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.publishing import Publisher
from ingest.room import Room
from ingest.side_effects import side_effect
from ingest.sources import Sidecar, sidecar_from
from ingest.transfer import read_result, write_result

_LOG = logging.getLogger(__name__)
_LOW_CONFIDENCE = 0.7
"""Mean word confidence of tesseract under which a page is worth a second look. An estimate, to be measured with issue 3."""
_INTERRUPTED = "the service stopped {times} times while it worked on this document; look at its log, then try it again"

_QUARANTINED = {
    RejectionCategory.NEEDS_OCR,
    RejectionCategory.PASSWORD_NEEDED,
    RejectionCategory.TIMED_OUT,
    RejectionCategory.OUT_OF_MEMORY,
    RejectionCategory.CRASHED,
    RejectionCategory.UNLABELLED,
    RejectionCategory.CONFLICTING_LABELS,
}
"""What a person can mend without a new file; everything else is the file's own fault and rejected."""

AcceptAttachment = Callable[[Task, Attachment, Label], None]


class Step(Protocol):
    """Runs `work` once and remembers the short text it gives back: a path, a hash, a count, never what a document says."""

    def __call__(self, name: str, work: Callable[[], str]) -> str:
        """What `work` gives, or gave when it ran before the process died."""
        ...


Parse = Callable[..., Parsed | Rejected]
"""`ingest.isolation.parse_isolated`, or in tests something with its parameters."""


class DocumentWorkflow:
    """Does the work on one document at a time."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        publisher: Publisher,
        *,
        work_folder: Path,
        room: Room,
        markings: Markings,
        unmarked: Label | None,
        parsing: ParsingSettings,
        accept_attachment: AcceptAttachment,
        attempts: int = 8,
        parse: Parse = parse_isolated,
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._publisher = publisher
        self._work_folder = work_folder
        self._room = room
        self._markings = markings
        self._unmarked = unmarked
        self._parsing = parsing
        self._accept_attachment = accept_attachment
        self._attempts = attempts
        self._parse_file = parse

    def run(self, task: Task, step: Step) -> None:
        """Bring `task` to its final state, or back to the queue when something is away that can come back.

        Raises ServiceUnavailable only when the ledger itself cannot be written.
        """
        try:
            if task.attempts > self._attempts:
                raise DocumentRejected("interrupted", _INTERRUPTED.format(times=task.attempts - 1))
            self._run(task, step)
        except Unlabelled as error:
            category = (
                RejectionCategory.CONFLICTING_LABELS if "disagree" in str(error) else RejectionCategory.UNLABELLED
            )
            self._keep_out(task, step, category, str(error))
        except DocumentRejected as error:
            self._keep_out(task, step, error.category, str(error))
        except (ServiceUnavailable, OSError) as error:
            self._try_later(task, error)
        except (
            Exception
        ) as error:  # the outermost loop of the worker: whatever happens, the document gets a visible state
            _LOG.exception("document %s: unexpected %s", task.document_id, type(error).__name__)
            reason = f"an unexpected {type(error).__name__} stopped the work; the service's log has the details"
            self._settle(task, DocumentState.QUARANTINED, category="unexpected", reason=reason)

    def remove_leftovers(self) -> None:
        """Remove what a process that died left in the work folder for runs that nobody will resume."""
        needed = {_folder_name(ticket) for ticket in self._ledger.tickets()}
        for folder in self._work_folder.glob("*"):
            if folder.name not in needed:
                shutil.rmtree(folder, ignore_errors=True)

    def _run(self, task: Task, step: Step) -> None:
        sidecar = _sidecar_of(task)
        parsed = self._parsed(task, step)
        if isinstance(parsed, Rejected):
            self._refuse(task, step, parsed)
            return
        label = Label.parse(step("label", lambda: str(self._label(task, parsed, sidecar))))
        document = _document(task, parsed, sidecar, label)
        passages = int(step("publish", lambda: str(self._publish(task, parsed, document))))
        warnings = (*parsed.warnings, *_doubtful_pages(document))
        facts: dict[str, str | int | None] = {
            "title": document.title,
            "pages": len(document.pages),
            "passages": passages,
            "label": str(label),
            "language": document.language,
            "media_type": document.media_type,
            "date": document.date,
        }
        state = DocumentState.DONE_WITH_WARNINGS if warnings else DocumentState.DONE
        step("settle", lambda: self._settle(task, state, facts=facts, warnings=warnings))

    def _parsed(self, task: Task, step: Step) -> Parsed | Rejected:
        """What the parser read. It is kept as a file until the document is settled, so that a restart need not read again."""
        fresh: list[Parsed | Rejected] = []
        kept = self._folder(task) / "parsed.json"

        def work() -> str:
            side_effect("parse")
            fresh.append(
                self._parse_file(
                    self._archive.original_path(task.version), file_name=task.file_name, settings=self._parsing
                )
            )
            side_effect("work.keep")
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_result(fresh[0], kept)
            return f"{kept.relative_to(self._work_folder)} {_digest(kept)}"

        _, digest = step("parse", work).rsplit(" ", 1)
        if fresh:
            return fresh[0]
        try:
            if _digest(kept) == digest:
                return read_result(kept)
        except (OSError, ValueError):
            pass  # cut short or removed with the power cut: read the original again
        work()
        return fresh[0]

    def _label(self, task: Task, parsed: Parsed, sidecar: Sidecar) -> Label:
        return decide_label(
            parsed.text,
            sidecar_label=sidecar.label,
            given_label=Label.parse(task.given_label) if task.given_label else None,
            markings=self._markings,
            unmarked=self._unmarked,
        )

    def _publish(self, task: Task, parsed: Parsed, document: Document) -> int:
        for attachment in parsed.attachments:
            self._accept_attachment(task, attachment, document.label)
        self._room.require()
        return self._publisher.publish(document)

    def _refuse(self, task: Task, step: Step, rejected: Rejected) -> None:
        state = DocumentState.QUARANTINED if rejected.category in _QUARANTINED else DocumentState.REJECTED
        where = f"page {rejected.page_number}: " if rejected.page_number else ""
        self._keep_out(task, step, rejected.category, where + rejected.message, state=state)

    def _keep_out(
        self,
        task: Task,
        step: Step,
        category: str,
        reason: str,
        *,
        state: DocumentState = DocumentState.QUARANTINED,
    ) -> None:
        """Settle without a text, and take an earlier version out of the answers: it is no longer known to hold.

        The earlier text stays out until a person decides; the original bytes of the new version are kept.
        """
        try:
            step("withdraw", lambda: str(self._withdraw(task)))
            step("settle", lambda: self._settle(task, state, category=category, reason=reason))
        except (ServiceUnavailable, OSError) as error:
            self._try_later(task, error)

    def _withdraw(self, task: Task) -> int:
        self._room.require()
        return self._publisher.withdraw(task.document_id, keep_version=task.version)

    def _try_later(self, task: Task, error: Exception) -> None:
        if task.attempts < self._attempts:
            reason = f"waiting to be tried again: {error}"
            self._settle(task, DocumentState.RECEIVED, category=RETRY, reason=reason)
        else:
            reason = f"tried {task.attempts} times: {error}; mend that, then try this document again"
            self._settle(task, DocumentState.QUARANTINED, category="service_unavailable", reason=reason)

    def _settle(
        self,
        task: Task,
        state: DocumentState,
        *,
        category: str = "",
        reason: str = "",
        facts: dict[str, str | int | None] | None = None,
        warnings: Iterable[str] = (),
    ) -> str:
        side_effect("ledger.settle")
        self._ledger.settle(task, state, category=category, reason=reason, facts=facts, warnings=warnings)
        side_effect("work.remove")
        shutil.rmtree(self._folder(task), ignore_errors=True)
        return state.value

    def _folder(self, task: Task) -> Path:
        """Where results of the steps are kept while the document is worked on."""
        return self._work_folder / _folder_name(task)


def _folder_name(work: Task | Ticket) -> str:
    return f"{work.document_id}.{work.version[:16]}.{work.run}"


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove_document(
    document_id: str, principal: Principal, *, ledger: Ledger, archive: Archive, index: PassageIndex
) -> None:
    """Remove a document everywhere: first from the answers, then its text and original, then its name.

    Raises NotFound when there is none that this principal may know of.
    """
    try:
        status = ledger.status(document_id)
    except KeyError:
        raise NotFound("there is no such document, or none that you may read") from None
    if not may_know(principal, status.label):
        raise NotFound("there is no such document, or none that you may read")
    index.remove(document_id)
    archive.remove(document_id, version=status.version)
    ledger.forget(document_id)


def may_know(principal: Principal, label: str) -> bool:
    """True when `principal` may know that a document with this canonical label exists.

    A document without a label is known to archivists only.
    """
    if not label:
        return Role.ARCHIVIST in principal.roles
    try:
        return principal.may_read(Label.parse(label))
    except ConfigurationError:
        return False


def _sidecar_of(task: Task) -> Sidecar:
    try:
        return sidecar_from(task.sidecar, name=f"{task.file_name}.toml") if task.sidecar else Sidecar()
    except ConfigurationError as error:
        raise DocumentRejected("sidecar", str(error)) from error


def _document(task: Task, parsed: Parsed, sidecar: Sidecar, label: Label) -> Document:
    title = sidecar.title or parsed.title or Path(task.file_name).stem
    return Document(
        id=task.document_id,
        version=task.version,
        title=title,
        file_name=task.file_name,
        source=task.source,
        media_type=parsed.media_type,
        language=sidecar.language or parsed.language,
        date=sidecar.date or parsed.date,
        text=parsed.text,
        pages=parsed.pages,
        blocks=parsed.blocks,
        label=label,
        parser=parsed.parser,
    )


def _doubtful_pages(document: Document) -> tuple[str, ...]:
    return tuple(
        f"page {page.number}: read by OCR with {page.confidence:.0%} confidence; please check it"
        for page in document.pages
        if page.origin is TextOrigin.OCR and page.confidence < _LOW_CONFIDENCE
    )
