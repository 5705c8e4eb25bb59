"""Checking ledger, index and archive against each other, every original against its name and every text against its checksum.

    every document the ledger knows      is in one state, has its original, and is in the index as its state says
    everything in the index              is of a document that the ledger knows, in the number it says, and can be read
    every text in the archive            is of a document that the ledger knows, and is what was put there
    every original in the archive        has the SHA-256 that is its name, and is a version of such a document
    every file beside their folders      is none of them: it is reported and set aside

What can be mended is: published again from the archive, without parsing; read again from the original; taken out of the index;
moved to `found/` with what is known of it. Nothing that was handed in is ever deleted here. Documents that change while
they are looked at are left for the next time. Memory does not grow with the documents, beside one number for each.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from assistant.archive import Archive
from assistant.durable import flush_folder, write_durably
from assistant.errors import AssistantError, ServiceUnavailable
from assistant.index import PassageIndex
from assistant.ingestion import Inconsistency, VerificationReport
from assistant.types import DocumentState, DocumentStatus
from ingest.erasure import FOUND, Eraser
from ingest.ledger import Ledger
from ingest.ledger_rows import BEING_ERASED
from ingest.publishing import Publisher
from ingest.receipts import now

_LOG = logging.getLogger(__name__)
_DONE = (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
_FAILED = (DocumentState.QUARANTINED, DocumentState.REJECTED)
_SETTLED_S = 60.0
"""A file younger than this may belong to a document that is just being handed in."""
_LISTED = 10_000
"""Problems listed one by one; all are counted."""


class Interrupted(ServiceUnavailable):
    """The check was told to end before it was done."""


class Verifier:
    """Checks one instance, and mends it. `queued` is called with the id of a document that was put back in the queue."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        index: PassageIndex,
        publisher: Publisher,
        eraser: Eraser,
        *,
        home: Path,
        queued: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._index = index
        self._publisher = publisher
        self._eraser = eraser
        self._home = home
        self._queued = queued

    def verify(self, *, mend: bool, until: Callable[[], bool] = lambda: False) -> VerificationReport:
        """Check everything once, and mend it when asked to.

        Raises Interrupted once `until` says so, between two documents.
        """
        return _Run(
            self._ledger, self._archive, self._index, self._publisher, self._home, self._queued, mend=mend, until=until
        ).report(self._eraser)


class _Run:
    """One pass over the stores."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        index: PassageIndex,
        publisher: Publisher,
        home: Path,
        queued: Callable[[str], None],
        *,
        mend: bool,
        until: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._archive = archive
        self._index = index
        self._publisher = publisher
        self._home = home
        self._queued = queued
        self._mend = mend
        self._until = until
        self._states: Counter[DocumentState] = Counter()
        self._found: list[Inconsistency] = []
        self._total = self._unmended = self._expected = self._texts = self._originals = 0

    def report(self, eraser: Eraser) -> VerificationReport:
        began, at = time.monotonic(), now()
        self._check_erasures(eraser)
        held = self._index.held()
        for status in self._ledger.each_status():
            self._go_on()
            self._states[status.state] += 1
            self._check_document(status, held.pop(status.document_id, 0))
        for document_id in held.keys() & self._index.held().keys():
            self._go_on()
            self._check_orphan_in_index(document_id)
        self._check_texts()
        self._check_originals()
        self._check_strays()
        indexed = self._index.held()
        return VerificationReport(
            at=at,
            seconds=round(time.monotonic() - began, 3),
            received=self._states.total(),
            states={state.value: self._states[state] for state in DocumentState},
            adds_up=self._ledger.adds_up(),
            passages_expected=self._expected,
            passages_indexed=sum(indexed.values()),
            documents_indexed=len(indexed),
            texts_archived=self._texts,
            originals_archived=self._originals,
            problems=self._total,
            unmended=self._unmended,
            found=tuple(self._found),
        )

    def _go_on(self) -> None:
        if self._until():
            raise Interrupted("the check was told to end before it was done")

    def _check_erasures(self, eraser: Eraser) -> None:
        for document_id in eraser.pending():
            finish = eraser.finish_pending
            self._problem("erasure not finished", document_id, "it was begun and stopped half way", finish, "finished")

    def _check_document(self, status: DocumentStatus, held: int) -> None:
        if status.category == BEING_ERASED:
            return
        original = self._archive.original_path(status.version).is_file()
        if not original:
            self._problem("original missing", status.document_id, "its original is not in the archive", status=status)
        if status.state in _DONE:
            self._expected += status.passages
            self._check_done(status, held, original=original)
        elif status.state in _FAILED and held:
            said = f"the index holds {held} passages of a document that is {status.state.value}"
            take_out = lambda: self._index.remove(status.document_id)  # noqa: E731
            self._problem(
                "searchable though not done", status.document_id, said, take_out, "taken out of the index", status
            )

    def _check_done(self, status: DocumentStatus, held: int, *, original: bool) -> None:
        def read_again() -> None:
            self._ledger.requeue(status.document_id, "verification found it damaged; it is read again")
            self._queued(status.document_id)

        def publish_again() -> None:
            document = self._archive.stored_document(status.document_id, status.version)
            if document is None:  # nothing was read from it: a container
                self._index.remove(status.document_id)
            elif self._publisher.publish(document) != status.passages:
                read_again()

        whole = self._archive.intact(status.document_id, status.version)
        if not whole and (status.passages or self._archive.has(status.document_id, status.version)):
            # Bytes that are not those that were handed in must not be read as if they were.
            sound = original and _sha256(self._archive.original_path(status.version)) == status.version
            mend = read_again if sound else None
            said = "its archived text is missing or was changed"
            self._problem("text damaged", status.document_id, said, mend, "to be read again from the original", status)
            return
        here = self._index.count(status.document_id, status.version)
        readable = not status.passages or self._index.readable(status.document_id)
        if (here, held, readable) != (status.passages, status.passages, True):
            said = f"the index holds {held} passages, {here} of this version, and should hold {status.passages}"
            said += "" if readable else "; their key is lost"
            self._problem(
                "index differs", status.document_id, said, publish_again, "published again from the archive", status
            )

    def _check_orphan_in_index(self, document_id: str) -> None:
        if not self._ledger.knows(document_id):
            take_out = lambda: self._index.remove(document_id)  # noqa: E731
            said = "the index holds passages of a document that the ledger does not know"
            self._problem("orphan in the index", document_id, said, take_out, "taken out of the index")

    def _check_texts(self) -> None:
        for document_id, version in self._archive.versions():
            self._go_on()
            self._texts += 1
            if self._ledger.knows(document_id):
                self._check_kept(document_id, version)
                continue
            aside = (lambda d=document_id, v=version: self._set_text_aside(d, v)) if self._kept(version) else None
            said = "the archive holds the text of a document that the ledger does not know"
            self._problem("orphan in the archive", document_id, said, aside, f"its original is in {FOUND}/{version}")

    def _check_kept(self, document_id: str, version: str) -> None:
        """An older version that is kept, which nothing else of the check looks at."""
        if self._ledger.owns(document_id, version) or not self._archive.has(document_id, version):
            return
        if not self._archive.original_path(version).is_file():
            said = f"the original {version} of an older version is not in the archive; put it back from a backup"
            self._problem("original missing", document_id, said)
        if not self._archive.intact(document_id, version):
            said = f"the archived text of the older version {version} was changed; put it back from a backup"
            self._problem("text damaged", document_id, said)

    def _check_originals(self) -> None:
        for file in self._archive.originals():
            self._go_on()
            self._originals += 1
            good = _sha256(file) == file.name
            if time.time() - file.stat().st_mtime < _SETTLED_S and good:
                continue
            owner = self._ledger.owner_of(file.name) or self._archive.owner_of(file.name)
            if not good:
                said = f"the original {file.name} has other bytes than those that were handed in; put it back from a backup"
                self._problem("original damaged", owner or "", said)
            if owner is None:
                said = f"the original {file.name} belongs to no document that the ledger knows"
                aside = lambda f=file: self._set_original_aside(f)  # noqa: E731
                self._problem("unknown original", "", said, aside, f"moved to {FOUND}/{file.name}")

    def _check_strays(self) -> None:
        for file in self._archive.strays():
            self._go_on()
            version = _sha256(file)
            said = f"the file {file.name} lies in the folder of the originals and is none of them"
            aside = lambda f=file, v=version: self._set_stray_aside(f, v)  # noqa: E731
            self._problem("stray file", "", said, aside, f"moved to {FOUND}/{version}")

    def _set_stray_aside(self, file: Path, version: str) -> None:
        aside = self._home / FOUND / version
        aside.parent.mkdir(exist_ok=True)
        write_durably(aside.with_name(f"{version}.json"), json.dumps({"file_name": file.name}, indent=1).encode())
        _move(file, aside)

    def _kept(self, version: str) -> bool:
        return self._archive.original_path(version).is_file() or (self._home / FOUND / version).is_file()

    def _set_text_aside(self, document_id: str, version: str) -> None:
        """Move the original to `found/`, with what is known of it beside it; its text can be read from it again."""
        document = self._archive.stored_document(document_id, version)
        aside = self._home / FOUND / version
        aside.parent.mkdir(exist_ok=True)
        if document is not None:
            known = {name: getattr(document, name) for name in ("file_name", "source", "title", "date", "language")}
            known["label"] = str(document.label)
            write_durably(aside.with_name(f"{version}.json"), json.dumps(known, ensure_ascii=False, indent=1).encode())
        original = self._archive.original_path(version)
        with self._ledger.sparing(document_id) as needed:
            if original.is_file() and not needed(version):
                _move(original, aside)
            self._archive.remove(document_id, version=version, spare=needed)

    def _set_original_aside(self, original: Path) -> None:
        with self._ledger.sparing() as needed:
            if not needed(original.name):  # else it was handed in just now
                _move(original, self._home / FOUND / original.name)

    def _problem(
        self,
        kind: str,
        document_id: str,
        said: str,
        mend: Callable[[], object] | None = None,
        mended: str = "",
        status: DocumentStatus | None = None,
    ) -> None:
        """Count what was found, and mend it; nothing when the document has changed since it was looked at."""
        if status is not None and not self._ledger.unchanged(status):
            return
        done = ""
        if self._mend and mend is not None:
            try:
                mend()
                done = mended
            except (AssistantError, OSError) as error:
                _LOG.warning("document %s: %s could not be mended: %s", document_id, kind, error)
                said = f"{said}; mending failed: {error}"
        self._total += 1
        self._unmended += not done
        if len(self._found) < _LISTED:
            self._found.append(Inconsistency(kind, document_id, said, done))


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _move(file: Path, to: Path) -> None:
    """Move a file within the data folder; on disk under its new name when this returns."""
    to.parent.mkdir(exist_ok=True)
    file.replace(to)
    for folder in (to.parent, to.parent.parent, file.parent):
        flush_folder(folder)
