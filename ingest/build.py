"""Composition root of ingestion: settings → a worker that takes documents in. Found through an entry point."""

from __future__ import annotations

import ctypes
import logging
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from assistant.access import Label, Principal
from assistant.archive import Archive
from assistant.config import Settings
from assistant.embedding import Embedder
from assistant.errors import Conflict, Forbidden, InvalidRequest
from assistant.index import PassageIndex
from assistant.ingestion import (
    DocumentEvent,
    DocumentFilter,
    DocumentVersion,
    Found,
    MetadataEdit,
    Progress,
    RetentionReport,
)
from assistant.types import DocumentState, DocumentStatus
from ingest import isolation
from ingest.labelling import Markings
from ingest.ledger import Ledger, Task
from ingest.lifecycle import Lifecycle, bare_name
from ingest.listing import Listing, require_archivist
from ingest.parsing import Attachment, ParsingSettings
from ingest.publishing import Publisher
from ingest.retention import Retention
from ingest.workflow import DocumentWorkflow, remove_document

_LOG = logging.getLogger(__name__)
_IDLE_S = 0.2
_RELEASE_MEMORY_EVERY_S = 5.0
_IDLE_BEFORE_LETTING_GO_S = 30.0
"""How long the preloaded parser process, some 450 MB, is kept when there is nothing to do."""


def open_ingestion(
    settings: Settings, archive: Archive, index: PassageIndex, embedder: Callable[[], Embedder]
) -> EmbeddedIngestion:
    """Ingestion in the service's own process, with its worker threads not yet started."""
    return EmbeddedIngestion(settings, archive, index, embedder)


class EmbeddedIngestion:
    """Implements `assistant.ingestion.Ingestion` with a ledger in SQLite and worker threads."""

    def __init__(
        self, settings: Settings, archive: Archive, index: PassageIndex, embedder: Callable[[], Embedder]
    ) -> None:
        self._archive = archive
        self._index = index
        self._ledger = Ledger(settings.home / "ledger.db")
        self._stop = threading.Event()
        self._work = threading.Event()
        self._threads = [
            threading.Thread(target=self._work_until_stopped, name=f"ingest-{number}", daemon=True)
            for number in range(settings.ingest.workers)
        ]
        self._listing = Listing(self._ledger.database)
        markings = Markings.load(settings.labelling.markings)
        self._life = Lifecycle(self._ledger, archive, index, markings=markings, queued=self._work.set)
        self._retention = Retention(self._listing, settings.ingest.retention)
        keeps_all = settings.ingest.keep_versions == "all"
        self._workflow = DocumentWorkflow(
            self._ledger,
            archive,
            Publisher(
                archive,
                index,
                embedder,
                passage_chars=settings.ingest.passage_chars,
                keeps_older=lambda document_id: keeps_all or self._ledger.is_held(document_id),
            ),
            markings=markings,
            unmarked=settings.labelling.label_for_unmarked(),
            parsing=_parsing_settings(settings),
            ocr_confidence=settings.ingest.ocr_confidence,
            accept_attachment=self._accept_attachment,
        )

    def accept(
        self, file: Path, *, source: str, principal: Principal, label: Label | None = None, sidecar: bytes | None = None
    ) -> DocumentStatus:
        """See `Ingestion.accept`."""
        require_archivist(principal)
        if label is not None and not principal.may_read(label):
            raise Forbidden(f"you cannot hand in documents labelled {label}: it is above your own clearance")
        if not file.is_file():
            raise InvalidRequest(f"{source}: not a regular file")
        version = self._archive.keep_original(file)
        if not self._listing.may_change(source, version, principal):
            raise Conflict(f"{source}: this file or this source belongs to a document that you may not change")
        status = self._ledger.receive(
            source=source,
            version=version,
            file_name=bare_name(source),
            given_label=str(label) if label else "",
            sidecar=sidecar.decode("utf-8", "replace") if sidecar else "",
            received_by=principal.id,
        )
        self._work.set()
        return status

    def documents(self, principal: Principal) -> tuple[DocumentStatus, ...]:
        """See `Ingestion.documents`."""
        return self._listing.find(DocumentFilter(), principal).documents

    def find(self, wanted: DocumentFilter, principal: Principal, *, limit: int | None = None, offset: int = 0) -> Found:
        """See `Ingestion.find`."""
        return self._listing.find(wanted, principal, limit=limit, offset=offset)

    def document(self, document_id: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.document`."""
        return self._listing.one(document_id, principal)

    def counts(self, principal: Principal) -> dict[DocumentState, int]:
        """See `Ingestion.counts`."""
        return self._listing.counts(principal)

    def remove(self, document_id: str, principal: Principal) -> None:
        """See `Ingestion.remove`."""
        status = self._listing.for_archivist(document_id, principal)
        remove_document(status, ledger=self._ledger, archive=self._archive, index=self._index)

    def retry(self, document_id: str, principal: Principal, *, password: str | None = None) -> DocumentStatus:
        """See `Ingestion.retry`."""
        return self._life.retry(document_id, principal, password=password)

    def edit(self, document_id: str, principal: Principal, edit: MetadataEdit) -> DocumentStatus:
        """See `Ingestion.edit`."""
        return self._life.edit(document_id, principal, edit)

    def correct_page(self, document_id: str, page_number: int, text: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.correct_page`."""
        return self._life.correct_page(document_id, page_number, text, principal)

    def history(self, document_id: str, principal: Principal) -> tuple[DocumentEvent, ...]:
        """See `Ingestion.history`."""
        return self._life.history(document_id, principal)

    def versions(self, document_id: str, principal: Principal) -> tuple[DocumentVersion, ...]:
        """See `Ingestion.versions`."""
        return self._life.versions(document_id, principal)

    def hold(self, document_id: str, principal: Principal, reason: str) -> DocumentStatus:
        """See `Ingestion.hold`."""
        return self._life.hold(document_id, principal, reason)

    def release(self, document_id: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.release`."""
        return self._life.release(document_id, principal)

    def retention(self, principal: Principal, *, apply: bool = False) -> RetentionReport:
        """See `Ingestion.retention`."""
        return self._retention.report(principal, erase=self.remove if apply else None)

    def progress(self, principal: Principal) -> Progress:
        """See `Ingestion.progress`."""
        return self._listing.progress(principal)

    def wait_idle(self, timeout_s: float) -> bool:
        """See `Ingestion.wait_idle`."""
        deadline = time.monotonic() + timeout_s
        while self._ledger.waiting():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        return True

    def start(self) -> None:
        """See `Ingestion.start`."""
        unfinished = self._ledger.take_up_unfinished()
        if unfinished:
            _LOG.info("%d unfinished documents are taken up again", unfinished)
        self._requeue_what_the_index_lacks()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """See `Ingestion.stop`."""
        self._stop.set()
        self._work.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=30)
        isolation.close()
        self._ledger.close()

    def _requeue_what_the_index_lacks(self) -> None:
        """A document that the ledger calls done and the index does not hold in full is indexed anew from its original."""
        for status in self._ledger.statuses():
            searchable = status.state in (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
            if searchable and self._index.count(status.document_id, status.version) != status.passages:
                self._ledger.requeue(status.document_id, "the index did not hold it in full; it is indexed anew")

    def _work_until_stopped(self) -> None:
        worked_at = released_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            if now - released_at > _RELEASE_MEMORY_EVERY_S:
                _release_memory()
                released_at = now
            task = self._ledger.take()
            if task is None:
                if now - worked_at > _IDLE_BEFORE_LETTING_GO_S:
                    isolation.close()
                self._work.wait(_IDLE_S)
                self._work.clear()
                continue
            if task.attempts > 1:
                self._stop.wait(min(2.0 ** (task.attempts - 2), 30.0))
            self._workflow.run(task)
            worked_at = time.monotonic()

    def _accept_attachment(self, task: Task, attachment: Attachment, label: Label) -> None:
        """Take in a file carried by another one, under its carrier's label, as a document of its own."""
        with tempfile.TemporaryDirectory(prefix="assistant-") as folder:
            file = Path(folder) / "attachment"
            file.write_bytes(attachment.content)
            version = self._archive.keep_original(file)
        self._ledger.receive(
            source=f"{task.source}!/{attachment.file_name}",
            version=version,
            file_name=bare_name(attachment.file_name),
            given_label=str(label),
            sidecar="",
            received_by=task.received_by,
        )


def _release_memory() -> None:
    """Give freed memory back to the system: glibc keeps what texts of all lengths leave in the encoder, some 400 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _parsing_settings(settings: Settings) -> ParsingSettings:
    limits = settings.ingest
    return ParsingSettings(
        languages=settings.instance.languages,
        ocr=limits.ocr,
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        memory_bytes=limits.memory_mb * 1024 * 1024,
    )
