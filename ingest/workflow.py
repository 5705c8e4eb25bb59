"""One document, end to end: parse → label → split → embed → archive → index → done.

Every step can be repeated: ids are deterministic, writing the same thing twice changes nothing. A process that dies anywhere
leaves a document "in progress"; the next start takes it up again and ends in the same state.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assistant.access import Label, Level
from assistant.archive import Archive
from assistant.errors import ConfigurationError, Conflict, DocumentRejected, ServiceUnavailable, Unlabelled
from assistant.index import PassageIndex
from assistant.types import Document, DocumentState, DocumentStatus, TextOrigin
from ingest.isolation import parse_isolated
from ingest.labelling import Markings
from ingest.ledger import Ledger, Task
from ingest.lifecycle import amended, label_of
from ingest.parsing import Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.publishing import Publisher
from ingest.sources import Sidecar, sidecar_from

_LOG = logging.getLogger(__name__)
_MAX_ATTEMPTS = 4

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


class DocumentWorkflow:
    """Does the work on one document at a time."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        publisher: Publisher,
        *,
        markings: Markings,
        unmarked: Label | None,
        parsing: ParsingSettings,
        ocr_confidence: float,
        accept_attachment: AcceptAttachment,
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._publisher = publisher
        self._markings = markings
        self._unmarked = unmarked
        self._parsing = parsing
        self._ocr_confidence = ocr_confidence
        self._accept_attachment = accept_attachment

    def run(self, task: Task) -> None:
        """Bring `task` to its final state, or back to the queue when a service is away. Never raises."""
        try:
            self._run(task)
        except Unlabelled as error:
            self._withdraw(task)
            category = (
                RejectionCategory.CONFLICTING_LABELS if "disagree" in str(error) else RejectionCategory.UNLABELLED
            )
            self._ledger.settle(task, DocumentState.QUARANTINED, category=category, reason=str(error))
        except DocumentRejected as error:
            self._withdraw(task)
            self._ledger.settle(task, DocumentState.QUARANTINED, category=error.category, reason=str(error))
        except (ServiceUnavailable, OSError) as error:
            self._try_later(task, error)
        except (
            Exception
        ) as error:  # the outermost loop of the worker: whatever happens, the document gets a visible state
            _LOG.exception("document %s: unexpected %s", task.document_id, type(error).__name__)
            reason = f"an unexpected {type(error).__name__} stopped the work; the service's log has the details"
            self._ledger.settle(task, DocumentState.QUARANTINED, category="unexpected", reason=reason)

    def _run(self, task: Task) -> None:
        sidecar = _sidecar_of(task)
        # A version whose text is in the archive is not read again: corrections of its pages are in there.
        document = self._archive.stored_document(task.document_id, task.version)
        attachments: tuple[Attachment, ...] = ()
        if document is None:
            parsed = self._parse(task)
            if isinstance(parsed, Rejected):
                self._refuse(task, parsed)
                return
            document, attachments = _document(task, parsed), parsed.attachments
        label = label_of(task, document.text, sidecar, markings=self._markings, unmarked=self._unmarked)
        corrections = self._archive.corrections(task.document_id, task.version)
        document = amended(document, task, sidecar, label, corrections)
        for attachment in attachments:
            self._accept_attachment(task, attachment, label)
        passages = self._publisher.publish(document)
        doubtful = doubtful_pages(document, self._ocr_confidence)
        warnings = (*document.warnings, *_doubts(document, doubtful))
        facts: dict[str, str | int | None] = {
            "title": document.title,
            "pages": len(document.pages),
            "passages": passages,
            "label": str(label),
            "language": document.language,
            "media_type": document.media_type,
            "date": document.date,
            "author": document.author,
            "document_type": document.document_type,
            "collection": document.collection,
            "legal_references": json.dumps(document.references, ensure_ascii=False),
            "doubtful_pages": json.dumps(doubtful),
        }
        state = DocumentState.DONE_WITH_WARNINGS if warnings else DocumentState.DONE
        self._ledger.settle(task, state, facts=facts, warnings=warnings)

    def _parse(self, task: Task) -> Parsed | Rejected:
        original = self._archive.original_path(task.version)
        settings = replace(self._parsing, password=self._ledger.password(task.document_id))
        return parse_isolated(original, file_name=task.file_name, settings=settings)

    def _refuse(self, task: Task, rejected: Rejected) -> None:
        self._withdraw(task)
        state = DocumentState.QUARANTINED if rejected.category in _QUARANTINED else DocumentState.REJECTED
        where = f"page {rejected.page_number}: " if rejected.page_number else ""
        self._ledger.settle(task, state, category=rejected.category, reason=where + rejected.message)

    def _withdraw(self, task: Task) -> None:
        """Take an earlier version out of the answers: its successor could not be read, so it is no longer known to hold.

        The earlier text stays out until a person decides; the original bytes of the new version are kept.
        """
        self._publisher.withdraw(task.document_id, keep_version=task.version)

    def _try_later(self, task: Task, error: Exception) -> None:
        if task.attempts < _MAX_ATTEMPTS:
            reason = f"waiting to be tried again: {error}"
            self._ledger.settle(task, DocumentState.RECEIVED, category="retry", reason=reason)
        else:
            reason = f"tried {task.attempts} times: {error}"
            self._ledger.settle(task, DocumentState.QUARANTINED, category="service_unavailable", reason=reason)


def remove_document(status: DocumentStatus, *, ledger: Ledger, archive: Archive, index: PassageIndex) -> None:
    """Remove a document everywhere: first from the answers, then its text and original, then its name.

    Raises Conflict when it is on legal hold.
    """
    if status.hold:
        raise Conflict("the document is on legal hold and cannot be erased; release it first")
    index.remove(status.document_id)
    archive.remove(status.document_id, version=status.version)
    ledger.forget(status.document_id)


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
