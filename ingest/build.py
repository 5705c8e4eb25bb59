"""Composition root of ingestion: settings → a worker that takes documents in. Found through an entry point."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from assistant.access import Label, Level, Principal, Role
from assistant.archive import Archive
from assistant.config import Settings
from assistant.database import allowed_url
from assistant.embedding import Embedder
from assistant.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    Unlabelled,
)
from assistant.index import PassageIndex
from assistant.ingestion import (
    DocumentEvent,
    DocumentFilter,
    DocumentVersion,
    Forget,
    Found,
    LegalHold,
    MetadataEdit,
    Progress,
    RetentionReport,
    Verification,
    WatchedFolder,
)
from assistant.precedence import QUESTIONS
from assistant.receipts import ErasureReceipt, PurgeRecord
from assistant.scope import Scope, ScopeChoices
from assistant.types import DocumentState, DocumentStatus
from ingest import isolation
from ingest.encoding import decoded
from ingest.erasure import Eraser
from ingest.labelling import Markings, above_all, labels_in
from ingest.ledger import Ledger
from ingest.ledger_rows import RETRY, Task
from ingest.lifecycle import Lifecycle, bare_name
from ingest.listing import UNSEEN, Listing, may_know, require_archivist
from ingest.manifests import remark_on_table
from ingest.names import readable_source
from ingest.parsing import Attachment, ParsingSettings
from ingest.patience import PatientEmbedder
from ingest.publishing import Publisher
from ingest.queue import DocumentQueue, QueueSettings
from ingest.receipts import Receipts
from ingest.retention import Retention
from ingest.room import Room
from ingest.side_effects import side_effect
from ingest.sources import label_in_sidecar
from ingest.upkeep import Upkeep
from ingest.uploads import described
from ingest.verification import Verifier
from ingest.verification_job import VerificationJob
from ingest.watch_service import FolderWatch
from ingest.workflow import DocumentWorkflow, Parse

_LOG = logging.getLogger(__name__)
_LONGEST_SOURCE = 4096
"""Characters; as long as a path can be here (PATH_MAX of Linux)."""


def open_ingestion(
    settings: Settings,
    archive: Archive,
    index: PassageIndex,
    embedder: Callable[[], Embedder],
    *,
    others: Mapping[str, Forget],
) -> EmbeddedIngestion:
    """Ingestion in the service's own process, with its queue not yet open."""
    return EmbeddedIngestion(settings, archive, index, embedder, others=others)


class EmbeddedIngestion:
    """Implements `assistant.ingestion.Ingestion` with a ledger, a durable queue and worker threads."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        index: PassageIndex,
        embedder: Callable[[], Embedder],
        *,
        others: Mapping[str, Forget] | None = None,
        parse: Parse = isolation.parse_into,
    ) -> None:
        self._archive = archive
        self._index = index
        self._ledger = Ledger(settings.home / "ledger.db", url=allowed_url(settings))
        self._work_folder = settings.home / "work"
        self._listing = Listing(self._ledger.database)
        markings = Markings.load(settings.labelling.markings)
        self._retention = Retention(self._listing, settings.ingest.retention)
        self._upkeep = Upkeep(index, idle_s=lambda: self._queue.idle_s)
        self._receipts = Receipts(settings.home)
        self._eraser = Eraser(self._ledger, archive, index, self._receipts, home=settings.home, others=others)
        keeps_all = settings.ingest.keep_versions == "all"
        self._room = Room(
            (settings.home, settings.home / "index"), least_bytes=settings.ingest.least_free_mb * 1024 * 1024
        )
        publisher = Publisher(
            archive,
            index,
            lambda: PatientEmbedder(embedder(), QUESTIONS),
            passage_chars=settings.ingest.passage_chars,
            keeps_older=lambda document_id: keeps_all or self._ledger.is_held(document_id),
            past_versions=self._ledger.past_versions,
            retiring=self._part_with_copies,
            sparing=self._ledger.sparing,
            changed=self._upkeep.changed,
        )
        self._workflow = DocumentWorkflow(
            self._ledger,
            archive,
            publisher,
            work_folder=self._work_folder,
            room=self._room,
            markings=markings,
            unmarked=settings.labelling.label_for_unmarked(),
            parsing=_parsing_settings(settings),
            ocr_confidence=settings.ingest.ocr_confidence,
            accept_attachment=self._accept_attachment,
            hide_if_risen=self._hide_if_risen,
            attempts=settings.ingest.attempts,
            parse=parse,
        )
        self._queue = DocumentQueue(
            self._ledger, self._workflow.run, _queue_settings(settings), break_off=isolation.break_off
        )
        self._watch = FolderWatch(settings, self.accept)
        verifier = Verifier(
            self._ledger, archive, index, publisher, self._eraser, home=settings.home, queued=self._queue.submit
        )
        self._verification = VerificationJob(verifier, settings.home / "verification.json")
        self._life = Lifecycle(self._ledger, archive, index, markings=markings, queued=self._queue.submit)

    def accept(
        self, file: Path, *, source: str, principal: Principal, label: Label | None = None, sidecar: bytes | None = None
    ) -> DocumentStatus:
        """See `Ingestion.accept`."""
        require_archivist(principal)
        if label is not None and not principal.may_read(label):
            raise Forbidden(f"you cannot hand in documents labelled {label}: it is above your own clearance")
        if not file.is_file():
            raise InvalidRequest(f"{source}: not a regular file")
        source = readable_source(source)
        if not source.strip() or len(source) > _LONGEST_SOURCE:
            raise InvalidRequest(f"say where the file comes from, in at most {_LONGEST_SOURCE} characters")
        said, given = decoded(sidecar) if sidecar else "", str(label) if label else ""
        status = self._receive(file, source=source, given_label=given, sidecar=said, by=principal)
        remark = remark_on_table(file, name=source)  # said at once, whatever becomes of the document
        return replace(status, warnings=tuple(dict.fromkeys((*status.warnings, *filter(None, [remark])))))

    def described(
        self, manifest: bytes, principal: Principal, *, name: str, sidecars: Mapping[str, bytes]
    ) -> dict[str, str] | None:
        """See `Ingestion.described`."""
        require_archivist(principal)
        try:
            return described(manifest, sidecars, name=name)
        except ConfigurationError as error:
            raise InvalidRequest(str(error)) from error

    def documents(self, principal: Principal) -> tuple[DocumentStatus, ...]:
        """See `Ingestion.documents`."""
        return self.find(DocumentFilter(), principal).documents

    def find(self, wanted: DocumentFilter, principal: Principal, *, limit: int | None = None, offset: int = 0) -> Found:
        """See `Ingestion.find`."""
        found = self._listing.find(wanted, principal, limit=limit, offset=offset)
        return replace(found, documents=tuple(map(self._explained, found.documents)))

    def document(self, document_id: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.document`."""
        return self._explained(self._listing.one(document_id, principal))

    def undecided_original(self, document_id: str, principal: Principal, *, version: str | None) -> tuple[Path, str]:
        """See `Ingestion.undecided_original`."""
        status = self._listing.undecided(document_id, principal)
        path = self._archive.original_path(status.version)
        if version not in (None, status.version) or not path.is_file():
            raise NotFound(UNSEEN)
        return path, status.file_name

    def received(self, document_id: str, principal: Principal) -> dict[str, str]:
        """See `Ingestion.received`."""
        self._listing.one(document_id, principal)
        return self._listing.received(document_id)

    def documents_within(self, scope: Scope, principal: Principal) -> frozenset[str]:
        """See `Ingestion.documents_within`."""
        return self._listing.within(scope, principal)

    def scope_choices(self, principal: Principal) -> ScopeChoices:
        """See `Ingestion.scope_choices`."""
        return self._listing.choices(principal)

    def counts(self, principal: Principal) -> dict[DocumentState, int]:
        """See `Ingestion.counts`."""
        return self._listing.counts(principal)

    def remove(self, document_id: str, principal: Principal, *, with_attachments: bool = False) -> ErasureReceipt:
        """See `Ingestion.remove`."""
        require_archivist(principal)
        if document_id not in self._eraser.pending():
            self._listing.one(document_id, principal)
        return self._eraser.erase(document_id, principal, with_attachments=with_attachments)

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

    def holds(self, principal: Principal) -> tuple[LegalHold, ...]:
        """See `Ingestion.holds`."""
        return self._listing.holds(principal)

    def retention(
        self, principal: Principal, *, apply: bool = False, only: Collection[str] | None = None
    ) -> RetentionReport:
        """See `Ingestion.retention`."""
        return self._retention.report(principal, erase=self.remove if apply else None, only=only)

    def watched(self, principal: Principal) -> tuple[WatchedFolder, ...]:
        """See `Ingestion.watched`."""
        require_archivist(principal)
        return self._watch.folders(principal, lambda documents: self._listing.known(documents, principal))

    def progress(self, principal: Principal) -> Progress:
        """See `Ingestion.progress`."""
        return self._listing.progress(principal)

    def receipts(self, principal: Principal) -> tuple[ErasureReceipt, ...]:
        """See `Ingestion.receipts`."""
        require_archivist(principal)
        return tuple(receipt for receipt, label in self._receipts.all() if may_know(principal, label))

    def purges(self, principal: Principal) -> tuple[PurgeRecord, ...]:
        """See `Ingestion.purges`."""
        known = {receipt.receipt_id for receipt in self.receipts(principal)}
        return tuple(record for record in self._receipts.purges() if known.issuperset(record.covers))

    def start_verification(self, principal: Principal, *, mend: bool = True) -> Verification:
        """See `Ingestion.start_verification`."""
        labels = self._ledger.labels()
        _require_knowing(principal, labels)
        return self._verification.start(principal.id, labels, mend=mend)

    def verification(self, principal: Principal) -> Verification | None:
        """See `Ingestion.verification`."""
        _require_knowing(principal, {*self._ledger.labels(), *self._verification.labels()})
        return self._verification.present()

    def receipt_key(self) -> bytes:
        """See `Ingestion.receipt_key`."""
        return self._receipts.key.public_pem

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
        self._eraser.finish_pending_erasures()
        self._life.hide_what_rose()
        self._requeue_what_the_index_lacks()
        self._workflow.remove_leftovers()
        self._queue.open()
        self._upkeep.start()
        self._watch.start()

    def stop(self) -> None:
        """See `Ingestion.stop`."""
        self._watch.stop()
        self._verification.stop()
        self._queue.close()
        self._upkeep.stop()
        isolation.close()
        self._eraser.stop()
        self._receipts.close()
        self._ledger.close()

    def _requeue_what_the_index_lacks(self) -> None:
        """A document that the ledger calls done and the index does not hold in full is indexed anew from its original."""
        for status in self._ledger.statuses():
            searchable = status.state in (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
            if searchable and self._index.count(status.document_id, status.version) != status.passages:
                self._ledger.requeue(status.document_id, "the index did not hold it in full; it is indexed anew")

    def _hide_if_risen(self, document_id: str, indexed_as: Label) -> None:
        self._life.hide_if_risen(document_id, indexed_as)

    def _part_with_copies(self, document_id: str) -> None:
        for new in self._ledger.part_with_copies(document_id):
            self._queue.submit(new)

    def _accept_attachment(self, task: Task, attachment: Attachment, label: Label | None) -> None:
        """Take in a file carried by another one, under its carrier's label if there is one, as a document of its own."""
        if label is None and not attachment.own_label:
            raise Unlabelled("a carried file came without its carrier's label")
        # Where nobody wrote down what the archivist may read, a file in the carrier changes only what everybody may.
        clearance = Label.parse(task.clearance) if task.clearance else Label(min(Level))
        self._receive(
            attachment.path,
            source=f"{task.source}!/{attachment.file_name}",
            given_label=str(label) if label is not None else "",
            sidecar=attachment.sidecar,
            by=Principal(task.received_by, frozenset({Role.ARCHIVIST}), clearance),
            carried=True,
        )

    def _receive(
        self,
        file: Path,
        *,
        source: str,
        given_label: str,
        sidecar: str,
        by: Principal,
        carried: bool = False,
    ) -> DocumentStatus:
        """Keep the bytes, write the row, and only then queue the work: what a crash leaves between, the queue finds."""
        said = [label for text in (given_label, label_in_sidecar(sidecar)) for label in labels_in(text)]
        with _saying_what_to_mend("the document was not accepted"):
            self._room.require()
            side_effect("archive.keep_original")
            version = self._archive.keep_original(file)
            if not self._listing.may_change(source, version, by):
                raise Conflict(f"{source}: this file or this source belongs to a document that you may not change")
            side_effect("ledger.receive")
            status = self._ledger.receive(
                source=source,
                version=version,
                file_name=bare_name(source),
                given_label=given_label,
                sidecar=sidecar,
                received_by=by.id,
                clearance=str(by.clearance),
                least_label=above_all(said),
                carried=carried,
            )
            if not self._archive.original_path(version).is_file():  # removed with a document that had it until now
                self._archive.keep_original(file)
        try:
            if not status.state.final:
                self._life.hide_if_risen(status.document_id)
        finally:
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


def _require_knowing(principal: Principal, labels: Collection[str]) -> None:
    """Raises Forbidden unless this is an archivist who may know of every document with one of these labels."""
    require_archivist(principal)
    if not all(may_know(principal, label) for label in labels):
        raise Forbidden("verification reports on every document; there are some above your clearance")


def _parsing_settings(settings: Settings) -> ParsingSettings:
    limits = settings.ingest
    return ParsingSettings(
        languages=settings.instance.languages,
        ocr=limits.ocr,
        wall_s=limits.wall_s,
        cpu_s=limits.cpu_s,
        memory_bytes=limits.memory_mb * 1024 * 1024,
        work_folder=settings.home / "work",
    )


def _queue_settings(settings: Settings) -> QueueSettings:
    limits = settings.ingest
    return QueueSettings(
        database=settings.home / "queue.db",
        url=allowed_url(settings),
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
