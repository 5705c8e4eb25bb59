"""One document, end to end: parse → publish (label, split, embed, archive, index) → settle.

The first two are steps that the queue remembers, at the price of a transaction each. Settling is none: the ledger itself knows
a document that is settled.

Every step can be repeated: ids are deterministic, writing the same thing twice changes nothing. A process that dies anywhere
leaves a document "in progress"; `ingest.queue` takes it up again, at the step that was in hand, and it ends in the same state.

What can pass later sends the document back to the queue: as long as it takes while the instance's own stores are away (a disk
full, a database locked), a bounded number of times otherwise. Everything else ends in a state that a person sees.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from assistant.access import Label, Level
from assistant.archive import Archive
from assistant.errors import (
    AssistantError,
    ConfigurationError,
    Conflict,
    DocumentRejected,
    ServiceUnavailable,
    Unlabelled,
)
from assistant.sealing import SealBroken
from assistant.types import Document, DocumentState, TextOrigin
from ingest.isolation import DISK_ERRORS, RESULT, parse_into, remove_folder
from ingest.labelling import Markings, labels_in
from ingest.ledger import Ledger
from ingest.ledger_rows import RETRY, Task, Ticket
from ingest.lifecycle import amended, label_of
from ingest.parsing import PICTURES_ONLY, Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.publishing import Publisher
from ingest.room import Room
from ingest.side_effects import side_effect
from ingest.sources import Sidecar, sidecar_from
from ingest.transfer import read_result

_LOG = logging.getLogger(__name__)
_MOST_NAMED = 50
"""How many files are named one by one in warnings."""
_ARCHIVED = "archived"
"""What the step of reading says when there is nothing to read."""
_LOST_CORRECTIONS = "what was corrected on its pages can no longer be read; please correct them again"
_INTERRUPTED = "the service stopped {times} times while it worked on this document; look at its log, then try it again"

_QUARANTINED = {
    RejectionCategory.NEEDS_OCR,
    RejectionCategory.PASSWORD_NEEDED,
    RejectionCategory.WRONG_PASSWORD,
    RejectionCategory.TIMED_OUT,
    RejectionCategory.OUT_OF_MEMORY,
    RejectionCategory.CRASHED,
    RejectionCategory.UNLABELLED,
    RejectionCategory.CONFLICTING_LABELS,
}
"""What a person can mend without a new file; everything else is the file's own fault and rejected."""

AcceptAttachment = Callable[[Task, Attachment, Label | None], None]


class Step(Protocol):
    """Runs `work` once and remembers the short text it gives back: a path, a hash, a count, never what a document says."""

    def __call__(self, name: str, work: Callable[[], str]) -> str:
        """What `work` gives, or gave when it ran before the process died."""
        ...


Parse = Callable[..., Parsed | Rejected]
"""`ingest.isolation.parse_into`, or in tests something with its parameters."""


class Overtaken(AssistantError):
    """Another run of the same document does the work."""


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
        ocr_confidence: float,
        accept_attachment: AcceptAttachment,
        hide_if_risen: Callable[[str, Label], None],
        attempts: int = 8,
        parse: Parse = parse_into,
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._publisher = publisher
        self._work_folder = work_folder
        self._room = room
        self._markings = markings
        self._unmarked = unmarked
        self._parsing = parsing
        self._ocr_confidence = ocr_confidence
        self._accept_attachment = accept_attachment
        self._hide_if_risen = hide_if_risen
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
        except Overtaken:
            remove_folder(self._folder(task))
        except Unlabelled as error:
            category = (
                RejectionCategory.CONFLICTING_LABELS if "disagree" in str(error) else RejectionCategory.UNLABELLED
            )
            self._keep_out(task, step, category, str(error), facts={"least_label": error.at_least})
        except DocumentRejected as error:
            self._keep_out(task, step, error.category, str(error))
        except (ServiceUnavailable, OSError) as error:
            self._try_later(task, error)
        except (
            Exception
        ) as error:  # the outermost loop of the worker: whatever happens, the document gets a visible state
            _LOG.exception("document %s: unexpected %s", task.document_id, type(error).__name__)
            reason = f"an unexpected {type(error).__name__} stopped the work; the service's log has the details"
            try:
                self._keep_out(task, step, "unexpected", reason)
            except Exception:
                _LOG.exception("document %s: could not be taken out of the answers", task.document_id)
                self._settle(task, DocumentState.QUARANTINED, category="unexpected", reason=reason)

    def remove_leftovers(self) -> None:
        """Remove what a process that died left in the work folder for runs that nobody will resume."""
        tickets = self._ledger.tickets()
        needed = {name(ticket) for ticket in tickets for name in (_folder_name, _page_folder_name)}
        for folder in self._work_folder.glob("*"):
            if folder.name not in needed:
                remove_folder(folder)

    def _run(self, task: Task, step: Step) -> None:
        sidecar = _sidecar_of(task)
        read = self._read(task, step)
        if isinstance(read, Rejected):
            self._refuse(task, step, read)
        elif isinstance(read, Parsed) and read.container:
            self._open_container(task, step, read, sidecar)
        elif isinstance(read, Parsed):
            self._take_in(task, step, _document(task, read), sidecar, read.attachments)
        else:
            self._take_in(task, step, read, sidecar)

    def _read(self, task: Task, step: Step) -> Document | Parsed | Rejected:
        """The document as the archive holds it, else what the parser reads.

        A version whose text is in the archive is not read again: corrections of its pages are in there. What the parser read
        is kept as a file until the document is settled, so that a restart need not read again.
        """
        kept = self._folder(task) / RESULT

        def work() -> str:
            if self._archive.stored_document(task.document_id, task.version) is not None:
                return _ARCHIVED
            self._room.require()
            side_effect("parse")
            self._parse(task, kept.parent)
            side_effect("work.keep")
            return _digest(kept)

        found = step("parse", work)
        if found == _ARCHIVED:
            document = self._archive.stored_document(task.document_id, task.version)
            if document is not None:
                return document
        try:
            if found == _digest(kept):
                return read_result(kept)
        except (OSError, ValueError):
            pass  # cut short or removed with the power cut: read the original again
        work()
        return read_result(kept)

    def _parse(self, task: Task, folder: Path) -> None:
        """Have the parser read the original into `folder`; pages that OCR read before it was interrupted are not read again."""
        self._parse_file(
            self._archive.original_path(task.version),
            folder,
            file_name=task.file_name,
            settings=replace(
                self._parsing,
                password=self._ledger.password(task.document_id),
                page_folder=self._page_folder(task),
            ),
            on_progress=lambda pages, of: self._ledger.progress(task.document_id, pages, of),
        )

    def _open_container(self, task: Task, step: Step, parsed: Parsed, sidecar: Sidecar) -> None:
        """Hand in the files of an archive: under its label when it was given one, else each decides for itself."""
        label: Label | None = None
        if task.given_label or sidecar.label is not None:
            label = label_of(task, "", sidecar, markings=self._markings, unmarked=None)

        def work() -> str:
            self._publisher.withdraw(task.document_id, keep_version=task.version)
            return f"{len(parsed.attachments)}{self._accept_all(task, parsed.attachments, label)}"

        count, refused = _counted(step("unpack", work))
        warnings = (
            *parsed.warnings,
            *_refusals(parsed.attachments, refused),
            *self._left_over(task, parsed.attachments, label),
        )
        what = "an archive of {} file" if parsed.parser != PICTURES_ONLY else "nothing but {} picture"
        reason = f"{what.format(count)}{'s; each' if count != 1 else '; it'} is listed as a document of its own"
        facts: dict[str, str | int | None] = {
            "title": sidecar.title or task.file_name,
            "pages": 0,
            "passages": 0,
            "label": str(label) if label is not None else "",
            "least_label": "",
            "media_type": parsed.media_type,
        }
        state = DocumentState.DONE_WITH_WARNINGS if warnings else DocumentState.DONE
        self._settle(task, state, category="container", reason=reason, facts=facts, warnings=warnings)

    def _left_over(self, task: Task, attachments: tuple[Attachment, ...], label: Label | None) -> list[str]:
        """What to say of documents that came in an earlier version of an archive and are not in this one: they stay.

        Those alone are named that everybody may read who may read the archive's label.
        """
        told = label or Label(min(Level))
        prefix, names = f"{task.source}!/", {attachment.file_name for attachment in attachments}
        children = self._ledger.attached(task.document_id)
        inside = [c.source.removeprefix(prefix) for c in children if any(map(told.dominates, labels_in(c.label)))]
        left = [
            name for name in inside if not names.intersection(itertools.accumulate(name.split("!/"), "{}!/{}".format))
        ]
        said = [f"no longer in this archive, and kept: {name}" for name in left[:_MOST_NAMED]]
        return said + (
            [f"no longer in this archive, and kept: {len(left) - _MOST_NAMED} more"] * (len(left) > _MOST_NAMED)
        )

    def _take_in(
        self,
        task: Task,
        step: Step,
        document: Document,
        sidecar: Sidecar,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        try:
            corrections = self._archive.corrections(task.document_id, task.version)
        except SealBroken:  # the key is lost: what was read anew must still be searchable
            corrections = {}
            document = replace(document, warnings=(*document.warnings, _LOST_CORRECTIONS))

        def work() -> str:
            label = self._label(task, document, sidecar)
            published = self._publish(task, amended(document, task, sidecar, label, corrections), attachments)
            return f"{published} {label}"

        said, label = step("publish", work).rsplit(" ", 1)
        passages, refused = _counted(said)
        taken_in = amended(document, task, sidecar, Label.parse(label), corrections)
        doubtful = doubtful_pages(taken_in, self._ocr_confidence)
        warnings = (*taken_in.warnings, *_doubts(taken_in, doubtful), *_refusals(attachments, refused))
        state = DocumentState.DONE_WITH_WARNINGS if warnings else DocumentState.DONE
        facts = _facts(taken_in, passages, doubtful)
        self._settle(task, state, facts=facts, warnings=warnings)

    def _label(self, task: Task, document: Document, sidecar: Sidecar) -> Label:
        return label_of(task, document.text, sidecar, markings=self._markings, unmarked=self._unmarked)

    def _publish(self, task: Task, document: Document, attachments: tuple[Attachment, ...]) -> str:
        refused = self._accept_all(task, attachments, document.label)
        self._room.require()
        count = self._publisher.publish(document, before=lambda: self._require_not_overtaken(task))
        try:
            self._require_not_overtaken(task)
        except Overtaken:  # who hands in writes the ledger first and looks here then; we do it the other way round
            self._hide_if_risen(task.document_id, document.label)
            raise
        return f"{count}{refused}"

    def _accept_all(self, task: Task, attachments: tuple[Attachment, ...], label: Label | None) -> str:
        """Hand in what the document carries; the numbers of what may not be taken in (from 0), each after a space.

        When this version's files were handed in before, only those that are still here take its label: what was erased since, or
        has other bytes, stays as it is.
        """
        again = self._ledger.last_done(task.document_id) == task.version
        refused = ""
        for number, attachment in enumerate(attachments):
            source = f"{task.source}!/{attachment.file_name}"
            if again and self._ledger.version_at(source) != _digest(attachment.path):
                continue
            try:
                self._accept_attachment(task, attachment, label)
            except Conflict:
                refused += f" {number}"
        return refused

    def _require_not_overtaken(self, task: Task) -> None:
        """Raises Overtaken when the document was handed in anew: what is said of it now may hide what this run would show."""
        ticket = self._ledger.ticket(task.document_id)
        if ticket is None or ticket.run != task.run:
            raise Overtaken("the document was handed in again")

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
        facts: dict[str, str | int | None] | None = None,
    ) -> None:
        """Settle without a text, and take an earlier version out of the answers: it is no longer known to hold.

        The earlier text stays out until a person decides; the original bytes of the new version are kept.
        """
        try:
            step("withdraw", lambda: str(self._withdraw(task)))
            self._settle(task, state, category=category, reason=reason, facts=facts)
        except (ServiceUnavailable, OSError) as error:
            self._try_later(task, error)

    def _withdraw(self, task: Task) -> int:
        self._room.require()
        return self._publisher.withdraw(task.document_id, keep_version=task.version)

    def _try_later(self, task: Task, error: Exception) -> None:
        if task.attempts < self._attempts or _stores_are_away(error):
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
    ) -> None:
        side_effect("ledger.settle")
        # One that waits for a disk keeps a last attempt, however long that takes.
        attempts = min(task.attempts, self._attempts - 1) if state is DocumentState.RECEIVED else None
        self._ledger.settle(
            task, state, category=category, reason=reason, facts=facts, warnings=warnings, attempts=attempts
        )
        side_effect("work.remove")
        remove_folder(self._folder(task))
        if state.final:
            remove_folder(self._page_folder(task))

    def _page_folder(self, task: Task) -> Path:
        """Where pages that OCR has read are kept until the document is settled."""
        return self._work_folder / _page_folder_name(task)

    def _folder(self, task: Task) -> Path:
        """Where results of the steps are kept while the document is worked on."""
        return self._work_folder / _folder_name(task)


def _folder_name(work: Task | Ticket) -> str:
    return f"{work.document_id}.{work.version[:16]}.{work.run}"


def _page_folder_name(work: Task | Ticket) -> str:
    return f"pages-{work.document_id}.{work.version[:16]}"


def _counted(said: str) -> tuple[int, tuple[int, ...]]:
    """How many there are, and which of what was carried was refused.

    >>> _counted("12"), _counted("3 0 2")
    ((12, ()), (3, (0, 2)))
    """
    count, *refused = map(int, said.split())
    return count, tuple(refused)


def _refusals(attachments: tuple[Attachment, ...], refused: tuple[int, ...]) -> tuple[str, ...]:
    names = [attachments[number].file_name for number in refused if number < len(attachments)]
    return tuple(f"not taken: {name} belongs to a document that who handed this in may not change" for name in names)


def _stores_are_away(error: Exception) -> bool:
    """True when the trouble is the instance's and passes for every document at once, when an operator mends it."""
    return isinstance(error, ServiceUnavailable) or (isinstance(error, OSError) and error.errno in DISK_ERRORS)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _facts(document: Document, passages: int, doubtful: tuple[int, ...]) -> dict[str, str | int | None]:
    """What the ledger says of a document that was taken in, by column."""
    return {
        "title": document.title,
        "pages": len(document.pages),
        "passages": passages,
        "label": str(document.label),
        "least_label": "",
        "language": document.language,
        "media_type": document.media_type,
        "date": document.date,
        "author": document.author,
        "document_type": document.document_type,
        "collection": document.collection,
        "legal_references": json.dumps(document.references, ensure_ascii=False),
        "doubtful_pages": json.dumps(doubtful),
    }


def _sidecar_of(task: Task) -> Sidecar:
    try:
        return sidecar_from(task.sidecar, name=f"{task.file_name}.toml") if task.sidecar else Sidecar()
    except ConfigurationError as error:
        raise DocumentRejected("sidecar", str(error)) from error


def _document(task: Task, parsed: Parsed) -> Document:
    """What was read, under the highest label there is until its own is decided."""
    return Document(
        id=task.document_id,
        version=task.version,
        title=parsed.title or Path(task.file_name).stem,
        file_name=task.file_name,
        source=task.source,
        media_type=parsed.media_type,
        language=parsed.language,
        date=parsed.date,
        text=parsed.text,
        pages=parsed.pages,
        blocks=parsed.blocks,
        label=Label(max(Level)),
        parser=parsed.parser,
        author=parsed.author,
        document_type=parsed.document_type,
        references=parsed.references,
        warnings=parsed.warnings,
    )


def doubtful_pages(document: Document, limit: float) -> tuple[int, ...]:
    """1-based numbers of the pages that OCR read with a mean word confidence under `limit`."""
    return tuple(p.number for p in document.pages if p.origin is TextOrigin.OCR and p.confidence < limit)


def _doubts(document: Document, doubtful: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(
        f"page {page.number}: read by OCR with {page.confidence:.0%} confidence; please check it"
        for page in document.pages
        if page.number in doubtful
    )
