"""Erasing a document: from index, archive and ledger, with a signed receipt, whatever dies in between.

The intent is written first, with everything the receipt will say, and holds no name. Each step after it can be repeated; the
receipt takes the intent's place in one transaction. So an erasure that was begun is finished at the next start, once.

    intent → marked in the ledger → index → archive → other places → ledger → receipt → (background) purge → purge record

What each step leaves on disk: the index and the archive hold words under a key of the document, which their step destroys; the
ledger is compacted. Vectors and hashed terms stay in the index's storage until it is purged, which can take minutes and so
is done in the background; a signed purge record says when it was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from assistant.access import Principal
from assistant.archive import Archive
from assistant.errors import AssistantError, Conflict, NotFound
from assistant.index import PassageIndex
from assistant.ingestion import Forget
from assistant.receipts import ErasureReceipt
from assistant.types import DocumentState, DocumentStatus
from ingest.isolation import remove_folder
from ingest.labelling import above_all, labels_in
from ingest.ledger import Ledger
from ingest.listing import may_know
from ingest.receipts import Intent, Receipts, now

_LOG = logging.getLogger(__name__)
_GATHER_S = 2.0
"""How long the purge waits for further erasures, so that one run serves a whole folder of them."""
_AGAIN_S = 300.0
FOUND = "found"
"""The folder below the data folder into which verification moves originals that the ledger does not know."""


class Eraser:
    """Erases documents of one instance. `others` are further places that hold something of a document, by name."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        index: PassageIndex,
        receipts: Receipts,
        *,
        home: Path,
        others: Mapping[str, Forget] | None = None,
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._index = index
        self._receipts = receipts
        self._home = home
        self._others = dict(others or {})
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._purger: threading.Thread | None = None

    def erase(self, document_id: str, principal: Principal, *, with_attachments: bool = False) -> ErasureReceipt:
        """Erase a document. Raises NotFound and Conflict like `Ingestion.remove`; then nothing has happened."""
        with self._one_at_a_time:
            intents = self._begun(document_id, principal) or self._intended(
                document_id, principal, with_attachments=with_attachments
            )
            receipt = [self._finish(intent) for intent in intents][-1]
        self.purge_in_background()
        return receipt

    def _intended(self, document_id: str, principal: Principal, *, with_attachments: bool) -> list[Intent]:
        """What is to be erased, written down and kept from the workers; the document itself comes last."""
        status = self._known(document_id, principal)
        children = [child for child in self._ledger.attached(document_id) if self._may_know(principal, child)]
        own = {child.document_id for child in children if self._ledger.copy_outside(child.document_id, status.source)}
        left = [child for child in children if not with_attachments or child.document_id in own]
        doomed = [*(child for child in children if child not in left), status]
        _refuse_busy(doomed)
        intents = self._intents(doomed, left, principal)
        self._receipts.intend(intents)
        try:
            self._ledger.mark_for_erasure(each.document_id for each in doomed)
        except Conflict:
            self._receipts.give_up(intents)
            raise
        return intents

    def finish_pending_erasures(self) -> int:
        """Finish what a process that died, or ran out of space, had begun; how many. Before anything is taken in."""
        for file in self._home.glob(".incoming-*"):
            file.unlink(missing_ok=True)
        self._archive.sweep()
        return self.finish_pending()

    def pending(self) -> tuple[str, ...]:
        """Ids of the documents whose erasure was begun and is not finished."""
        with self._one_at_a_time:
            return tuple(intent.document_id for intent in self._receipts.intents())

    def finish_pending(self) -> int:
        """Finish the erasures that were begun and stopped; how many."""
        with self._one_at_a_time:
            self._receipts.write_missing_files()
            pending = self._receipts.intents()
            for intent in pending:
                try:
                    self._ledger.mark_for_erasure([intent.document_id])
                except Conflict:
                    self._receipts.give_up([intent])
                    continue
                self._finish(intent)
        if self._receipts.unpurged():
            self.purge_in_background()
        return len(pending)

    def purge(self) -> None:
        """Take what erased documents left in the index's storage out of it, and sign that it was done. Can take minutes."""
        covered = self._receipts.unpurged()
        if covered:
            self._index.purge()
            self._receipts.record_purge(covered)

    def purge_in_background(self) -> None:
        """Have `purge` run soon. Several calls in a row are one run."""
        if self._purger is None or not self._purger.is_alive():
            self._purger = threading.Thread(target=self._purge_until_done, name="purge", daemon=True)
            self._purger.start()

    def stop(self) -> None:
        """Return when no purge runs any more."""
        self._stop.set()
        if self._purger is not None:
            self._purger.join()

    def _purge_until_done(self) -> None:
        pause = _GATHER_S
        while self._receipts.unpurged() and not self._stop.wait(pause):
            try:
                self.purge()
            except (AssistantError, OSError) as error:
                _LOG.warning("the index was not purged: %s", error)
                pause = _AGAIN_S

    def _begun(self, document_id: str, principal: Principal) -> list[Intent]:
        """What is left of an erasure of this document that could not be finished, its attachments first."""
        pending = self._receipts.intents()
        mine = [i for i in pending if i.document_id == document_id and may_know(principal, i.label)]
        with_it = {name for intent in mine for name in intent.attachments_erased}
        return [i for i in pending if i.document_id in with_it] + mine

    def _known(self, document_id: str, principal: Principal) -> DocumentStatus:
        try:
            status = self._ledger.status(document_id)
        except KeyError:
            status = None
        if status is None or not self._may_know(principal, status):
            raise NotFound("there is no such document, or none that you may read")
        return status

    def _may_know(self, principal: Principal, status: DocumentStatus) -> bool:
        least = self._ledger.least_label(status.document_id)
        return may_know(principal, status.label) and may_know(principal, least)

    def _intents(self, doomed: list[DocumentStatus], left: list[DocumentStatus], principal: Principal) -> list[Intent]:
        """One for each, the carrier's last; a carrier names its attachments."""
        going = {each.document_id for each in doomed}
        intents = [self._intent(each, going, principal) for each in doomed]
        names = tuple(intent.document_id for intent in intents[:-1])
        kept = tuple(child.document_id for child in left)
        intents[-1] = replace(intents[-1], attachments_erased=names, attachments_left=kept)
        return intents

    def _intent(self, status: DocumentStatus, going: set[str], principal: Principal) -> Intent:
        document_id = status.document_id
        versions = self._ledger.versions(document_id)
        spare = {version for version in versions if self._ledger.used_elsewhere(version, going)}
        held = self._archive.holdings(document_id, versions, spare=spare)
        said = labels_in(status.label) + labels_in(self._ledger.least_label(document_id))
        return Intent(
            receipt_id=str(uuid4()),
            document_id=document_id,
            requested_at=now(),
            requested_by=principal.id,
            label=above_all(said) or status.label,
            versions=tuple(sorted(versions)),
            passages=self._index.held().get(document_id, 0),
            pages=held.pages,
            texts=held.texts,
            originals=held.originals,
            originals_kept=held.shared_originals,
            keys=held.keys + self._index.readable(document_id),
            stores=("index", "archive", "ledger", *sorted(self._others)),
            attachments_erased=(),
            attachments_left=(),
            carriers=tuple(carrier for carrier in self._ledger.carriers(status.source) if carrier not in going),
        )

    def _finish(self, intent: Intent) -> ErasureReceipt:
        """Every step, in order, whether or not it was done before."""
        if not self._handed_in_anew(intent):
            self._index.erase(intent.document_id)
            with self._ledger.sparing(intent.document_id) as needed:
                intent = _sparing(intent, filter(needed, intent.versions))
                self._archive.erase(intent.document_id, intent.versions, spare=intent.originals_kept)
            for version in set(intent.versions) - set(intent.originals_kept):
                for name in (version, f"{version}.json"):
                    (self._home / FOUND / name).unlink(missing_ok=True)
            for folder in (self._home / "work").glob(f"*{intent.document_id}.*"):  # pages and texts of work cut short
                remove_folder(folder)
            for forget in self._others.values():
                forget(intent.document_id, frozenset(intent.versions))
            self._detach(self._ledger.attached(intent.document_id), intent.document_id)
            self._ledger.forget(intent.document_id)
            self._ledger.scrub()
        return self._receipts.conclude(intent)

    def _handed_in_anew(self, intent: Intent) -> bool:
        """True when the document was forgotten, and then handed in again before its receipt could be written."""
        try:
            return self._ledger.status(intent.document_id).received_at > intent.requested_at
        except KeyError:
            return False

    def _detach(self, children: Iterable[DocumentStatus], document_id: str) -> None:
        """Take the carrier's name out of the sources of the documents that stay; those handed in elsewhere too lie there."""
        carrier = self._source_of(document_id)
        for child in children:
            elsewhere = self._ledger.copy_outside(child.document_id, carrier)
            source = elsewhere or f"erased:{document_id}{child.source[len(carrier) :]}"
            self._archive.rename_source(child.document_id, source)
            self._ledger.rename_source(child.document_id, source)
            if child.state is DocumentState.IN_PROGRESS:  # whoever reads it now would publish it under the old name
                self._ledger.requeue(child.document_id, "what it came in was erased; it is indexed anew")

    def _source_of(self, document_id: str) -> str:
        try:
            return self._ledger.status(document_id).source
        except KeyError:
            return ""


def _sparing(intent: Intent, needed: Iterable[str]) -> Intent:
    """The intent, with these versions' originals kept: they were handed in as another document since it was written."""
    kept = {*intent.originals_kept, *needed}
    left = tuple(version for version in intent.originals if version not in kept)
    return replace(intent, originals=left, originals_kept=tuple(sorted(kept)))


def _refuse_busy(doomed: Iterable[DocumentStatus]) -> None:
    for status in doomed:
        if status.hold:
            raise Conflict(
                f"document {status.document_id} is on legal hold and cannot be erased; release the hold first"
            )
        if status.state is DocumentState.IN_PROGRESS:
            raise Conflict(f"document {status.document_id} is being worked on; erase it when that has ended")
