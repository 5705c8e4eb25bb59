"""Composition root of ingestion: settings → a worker that takes documents in. Found through an entry point."""

from __future__ import annotations

import ctypes
import logging
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from assistant.access import Label, Principal, Role
from assistant.archive import Archive
from assistant.config import Settings
from assistant.egress import is_loopback
from assistant.embedding import Embedder
from assistant.errors import (
    ConfigurationError,
    EgressBlocked,
    Forbidden,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
)
from assistant.index import PassageIndex
from assistant.precedence import QUESTIONS
from assistant.types import DocumentState, DocumentStatus
from ingest import isolation
from ingest.labelling import Markings
from ingest.ledger import RETRY, Ledger, Task
from ingest.parsing import Attachment, ParsingSettings
from ingest.patience import PatientEmbedder
from ingest.publishing import Publisher
from ingest.queue import DocumentQueue, QueueSettings
from ingest.room import Room
from ingest.side_effects import side_effect
from ingest.workflow import DocumentWorkflow, Parse, may_know, remove_document

_LOG = logging.getLogger(__name__)
_RELEASE_MEMORY_EVERY_S = 5.0
_IDLE_BEFORE_LETTING_GO_S = 30.0
"""How long the preloaded parser process, some 450 MB, is kept when there is nothing to do."""


def open_ingestion(
    settings: Settings, archive: Archive, index: PassageIndex, embedder: Callable[[], Embedder]
) -> EmbeddedIngestion:
    """Ingestion in the service's own process, with its queue not yet open."""
    return EmbeddedIngestion(settings, archive, index, embedder)


class EmbeddedIngestion:
    """Implements `assistant.ingestion.Ingestion` with a ledger, a durable queue and worker threads."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        index: PassageIndex,
        embedder: Callable[[], Embedder],
        *,
        parse: Parse = isolation.parse_isolated,
    ) -> None:
        self._archive = archive
        self._index = index
        self._ledger = Ledger(settings.home / "ledger.db", url=_database_url(settings))
        self._room = Room(
            (settings.home, settings.home / "index"), least_bytes=settings.ingest.least_free_mb * 1024 * 1024
        )
        self._stop = threading.Event()
        self._memory = threading.Thread(target=self._release_memory_until_stopped, name="ingest-memory", daemon=True)
        self._workflow = DocumentWorkflow(
            self._ledger,
            archive,
            Publisher(
                archive,
                index,
                lambda: PatientEmbedder(embedder(), QUESTIONS),
                passage_chars=settings.ingest.passage_chars,
            ),
            work_folder=settings.home / "work",
            room=self._room,
            markings=Markings.load(settings.labelling.markings),
            unmarked=settings.labelling.label_for_unmarked(),
            parsing=_parsing_settings(settings),
            accept_attachment=self._accept_attachment,
            attempts=settings.ingest.attempts,
            parse=parse,
        )
        self._queue = DocumentQueue(self._ledger, self._workflow.run, _queue_settings(settings))

    def accept(
        self, file: Path, *, source: str, principal: Principal, label: Label | None = None, sidecar: bytes | None = None
    ) -> DocumentStatus:
        """See `Ingestion.accept`."""
        _require_archivist(principal)
        if label is not None and not principal.may_read(label):
            raise Forbidden(f"you cannot hand in documents labelled {label}: it is above your own clearance")
        if not file.is_file():
            raise InvalidRequest(f"{source}: not a regular file")
        return self._receive(
            file,
            source=source,
            given_label=str(label) if label else "",
            sidecar=sidecar.decode("utf-8", "replace") if sidecar else "",
            received_by=principal.id,
        )

    def documents(self, principal: Principal) -> tuple[DocumentStatus, ...]:
        """See `Ingestion.documents`."""
        return tuple(self._explained(status) for status in self._ledger.statuses() if may_know(principal, status.label))

    def document(self, document_id: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.document`."""
        try:
            status = self._ledger.status(document_id)
        except KeyError:
            raise NotFound("there is no such document, or none that you may read") from None
        if not may_know(principal, status.label):
            raise NotFound("there is no such document, or none that you may read")
        return self._explained(status)

    def counts(self, principal: Principal) -> dict[DocumentState, int]:
        """See `Ingestion.counts`."""
        counts = dict.fromkeys(DocumentState, 0)
        for status in self.documents(principal):
            counts[status.state] += 1
        return counts

    def remove(self, document_id: str, principal: Principal) -> None:
        """See `Ingestion.remove`."""
        _require_archivist(principal)
        remove_document(document_id, principal, ledger=self._ledger, archive=self._archive, index=self._index)

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
        self._requeue_what_the_index_lacks()
        self._workflow.remove_leftovers()
        self._queue.open()
        self._memory.start()

    def stop(self) -> None:
        """See `Ingestion.stop`."""
        self._stop.set()
        self._queue.close()
        isolation.close()
        self._ledger.close()

    def _requeue_what_the_index_lacks(self) -> None:
        """A document that the ledger calls done and the index does not hold in full is indexed anew from its original."""
        for status in self._ledger.statuses():
            searchable = status.state in (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
            if searchable and self._index.count(status.document_id, status.version) != status.passages:
                self._ledger.requeue(status.document_id, "the index did not hold it in full; it is indexed anew")

    def _release_memory_until_stopped(self) -> None:
        while not self._stop.wait(_RELEASE_MEMORY_EVERY_S):
            if self._queue.idle_s < 2 * _RELEASE_MEMORY_EVERY_S:
                _release_memory()
            if self._queue.idle_s > _IDLE_BEFORE_LETTING_GO_S:
                isolation.close()

    def _accept_attachment(self, task: Task, attachment: Attachment, label: Label) -> None:
        """Take in a file carried by another one, under its carrier's label, as a document of its own."""
        with tempfile.TemporaryDirectory(prefix="assistant-") as folder:
            file = Path(folder) / "attachment"
            file.write_bytes(attachment.content)
            self._receive(
                file,
                source=f"{task.source}!/{attachment.file_name}",
                given_label=str(label),
                sidecar="",
                received_by=task.received_by,
            )

    def _receive(self, file: Path, *, source: str, given_label: str, sidecar: str, received_by: str) -> DocumentStatus:
        """Keep the bytes, write the row, and only then queue the work: what a crash leaves between, the queue finds."""
        with _saying_what_to_mend("the document was not accepted"):
            self._room.require()
            side_effect("archive.keep_original")
            version = self._archive.keep_original(file)
            side_effect("ledger.receive")
            status = self._ledger.receive(
                source=source,
                version=version,
                file_name=_bare_name(source),
                given_label=given_label,
                sidecar=sidecar,
                received_by=received_by,
            )
        self._queue.submit(status.document_id)
        return status

    def _explained(self, status: DocumentStatus) -> DocumentStatus:
        """With the reason why it stands still, when the ledger itself could not be told."""
        trouble = "" if status.state.final else self._queue.trouble(status.document_id)
        return replace(status, category=RETRY, reason=trouble) if trouble else status


@contextmanager
def _saying_what_to_mend(what: str) -> Iterator[None]:
    """A full or read-only disk is for the operator to mend, and for the archivist to wait for."""
    try:
        yield
    except OSError as error:
        raise ServiceUnavailable(
            f"{what}: the archive cannot be written ({error.strerror}); check its disk, then hand it in again"
        ) from error


def _release_memory() -> None:
    """Give freed memory back to the system: glibc keeps what texts of all lengths leave in the encoder, some 400 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _require_archivist(principal: Principal) -> None:
    if Role.ARCHIVIST not in principal.roles:
        raise Forbidden("only archivists may add or remove documents")


def _bare_name(source: str) -> str:
    return source.replace("\\", "/").rsplit("/", 1)[-1] or source


def _parsing_settings(settings: Settings) -> ParsingSettings:
    limits = settings.ingest
    return ParsingSettings(
        languages=settings.instance.languages,
        ocr=limits.ocr,
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        memory_bytes=limits.memory_mb * 1024 * 1024,
    )


def _queue_settings(settings: Settings) -> QueueSettings:
    limits = settings.ingest
    return QueueSettings(
        database=settings.home / "queue.db",
        url=_database_url(settings),
        worker=limits.worker or _own_name(settings.home / "worker"),
        workers=limits.workers,
        retry_s=limits.retry_s,
        heartbeat_s=limits.heartbeat_s,
        dead_after_s=limits.dead_after_s,
    )


def _own_name(file: Path) -> str:
    """The name of this data folder's worker, the same at every start."""
    if not file.exists():
        partial = file.with_suffix(".partial")
        partial.write_text(f"worker-{uuid.uuid4()}", encoding="ascii")
        partial.replace(file)
    return file.read_text(encoding="ascii")


def _database_url(settings: Settings) -> str:
    """The address of PostgreSQL, which must be local or listed; empty for SQLite."""
    url, host = settings.database.url, settings.database.host
    if url and not url.startswith("postgresql://"):
        raise ConfigurationError(
            f"{settings.file}: database.url must be empty or begin with postgresql://; correct it or leave it out"
        )
    if host and not host.startswith("/") and not is_loopback(host) and host not in settings.egress.allow:
        raise EgressBlocked(
            f"{settings.file}: database.url names {host!r}, which is not on this machine; if it is one of your own servers,"
            " add it to egress.allow"
        )
    return url
