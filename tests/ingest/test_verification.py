"""Real damage to real stores, and what verification makes of it."""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import qdrant_edge as edge

from assistant.archive import Archive
from assistant.embedding import HashEmbedder
from assistant.index.edge import EdgePassageIndex
from assistant.ingestion import VerificationReport
from assistant.types import DocumentState
from ingest.erasure import FOUND, Eraser
from ingest.ledger import Ledger
from ingest.publishing import Publisher
from ingest.receipts import Receipts
from ingest.verification import Verifier
from tests.instances import run_assistant
from tests.worlds import ARCHIVIST, PUBLIC, document, instance_file

EMBEDDER = HashEmbedder()
TEXT = "Le délai de la demande est de trente jours. " * 60


@dataclass(frozen=True)
class Stores:
    home: Path
    ledger: Ledger
    archive: Archive
    index: EdgePassageIndex
    publisher: Publisher
    receipts: Receipts
    eraser: Eraser
    verifier: Verifier

    def add(self, name: str, *, state: DocumentState = DocumentState.DONE) -> str:
        """A document taken all the way in, as the workflow does it."""
        file = self.home / "file"
        file.write_text(f"{name} {TEXT}", encoding="utf-8")
        version = self.archive.keep_original(file)
        file.unlink()
        os.utime(self.archive.original_path(version), (1_700_000_000, 1_700_000_000))
        status = self.ledger.receive(
            source=f"/in/{name}", version=version, file_name=name, given_label="", sidecar="", received_by="a"
        )
        task = self.ledger.take()
        assert task is not None
        read = replace(document(f"{name} {TEXT}", name=name, version=version, pages=2), id=status.document_id)
        passages = self.publisher.publish(read) if state is DocumentState.DONE else 0
        self.ledger.settle(task, state, facts={"passages": passages, "pages": 2, "label": str(PUBLIC)})
        return status.document_id

    def original(self, document_id: str) -> Path:
        return self.archive.original_path(self.ledger.status(document_id).version)

    def verify(self, *, mend: bool = True) -> VerificationReport:
        return self.verifier.verify(mend=mend)

    def sql(self, store: Ledger | Archive, statement: str, *values: object) -> None:
        with store._database.writing() as connection:
            connection.execute(statement, values)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    ledger, archive, receipts = Ledger(tmp_path / "ledger.db"), Archive(tmp_path / "archive"), Receipts(tmp_path)
    index = EdgePassageIndex.open(
        tmp_path / "index", embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension
    )
    publisher = Publisher(archive, index, lambda: EMBEDDER, passage_chars=400)
    eraser = Eraser(ledger, archive, index, receipts, home=tmp_path)
    verifier = Verifier(ledger, archive, index, publisher, eraser, home=tmp_path, queued=lambda _: None)
    yield Stores(tmp_path, ledger, archive, index, publisher, receipts, eraser, verifier)
    eraser.stop()
    index.close()
    archive.close()
    receipts.close()
    ledger.close()


def kinds(report: VerificationReport) -> list[tuple[str, bool]]:
    return [(each.kind, bool(each.mended)) for each in report.found]


def assert_sound(report: VerificationReport) -> None:
    assert (report.problems, report.unmended, report.adds_up, report.found) == (0, 0, True, ())
    assert report.passages_indexed == report.passages_expected


def test_whole_stores_have_no_problem_and_three_counts_that_agree(stores: Stores) -> None:
    stores.add("a")
    stores.add("b")
    stores.add("c", state=DocumentState.QUARANTINED)
    report = stores.verify()
    assert_sound(report)
    assert (report.received, report.states["done"], report.states["quarantined"]) == (3, 2, 1)
    assert (report.documents_indexed, report.texts_archived, report.originals_archived) == (2, 2, 3)
    assert report.passages_indexed > 4


def test_points_deleted_from_the_index_are_published_again_without_parsing(stores: Stores) -> None:
    whole, damaged = stores.add("a"), stores.add("b")
    before = stores.index.document_passages(damaged, ARCHIVIST)
    stores.index._shard.update(edge.UpdateOperation.delete_points([before[0].id, before[2].id]))
    assert kinds(stores.verify(mend=False)) == [("index differs", False)]
    assert len(stores.index.document_passages(damaged, ARCHIVIST)) == len(before) - 2, "looking changes nothing"
    report = stores.verify()
    assert kinds(report) == [("index differs", True)]
    assert report.found[0].document_id == damaged
    assert stores.index.document_passages(damaged, ARCHIVIST) == before
    assert stores.ledger.status(damaged).state is DocumentState.DONE, "nothing was read again"
    assert stores.archive.page(damaged, 1, ARCHIVIST).number == 1
    assert stores.index.held()[whole]
    assert_sound(stores.verify())


def test_lost_index_key_is_mended_from_the_archive(stores: Stores) -> None:
    document_id = stores.add("a")
    stores.index._keyring.destroy(document_id)
    assert kinds(stores.verify()) == [("index differs", True)]
    assert stores.index.document_passages(document_id, ARCHIVIST)
    assert_sound(stores.verify())


def test_flipped_byte_in_an_original_is_found_and_never_mended_away(stores: Stores) -> None:
    document_id = stores.add("a")
    file = stores.original(document_id)
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    for _ in range(2):
        report = stores.verify()
        assert kinds(report) == [("original damaged", False)]
        assert report.found[0].document_id == document_id
    assert file.read_bytes() == content


def test_truncated_and_missing_originals_are_found(stores: Stores) -> None:
    truncated, missing = stores.add("a"), stores.add("b")
    os.truncate(stores.original(truncated), 10)
    stores.original(missing).unlink()
    found = {each.document_id: each.kind for each in stores.verify().found}
    assert found == {truncated: "original damaged", missing: "original missing"}


def test_damaged_text_is_read_again_from_a_sound_original_only(stores: Stores) -> None:
    sound, broken = stores.add("a"), stores.add("b")
    stores.sql(stores.archive, "UPDATE documents SET text = CAST('x' AS BLOB)")
    stores.original(broken).write_bytes(b"something else")
    report = stores.verify()
    found = {(each.document_id, each.kind): bool(each.mended) for each in report.found}
    assert found == {
        (sound, "text damaged"): True,
        (broken, "text damaged"): False,
        (broken, "original damaged"): False,
    }
    assert stores.ledger.status(sound).state is DocumentState.RECEIVED
    assert stores.ledger.status(broken).state is DocumentState.DONE


def test_lost_page_row_is_found(stores: Stores) -> None:
    document_id = stores.add("a")
    stores.sql(stores.archive, "DELETE FROM pages WHERE number = 2")
    assert kinds(stores.verify()) == [("text damaged", True)]
    assert stores.ledger.status(document_id).state is DocumentState.RECEIVED


def test_lost_ledger_row_takes_text_out_and_sets_the_original_aside(stores: Stores) -> None:
    kept, lost = stores.add("a"), stores.add("b")
    original = stores.original(lost)
    content = original.read_bytes()
    stores.sql(stores.ledger, "DELETE FROM documents WHERE document_id = ?", lost)
    report = stores.verify()
    assert kinds(report) == [("orphan in the index", True), ("orphan in the archive", True)]
    aside = stores.home / FOUND / original.name
    assert aside.read_bytes() == content
    assert json.loads(aside.with_name(f"{aside.name}.json").read_text())["source"] == "/inbox/b"
    assert list(stores.index.held()) == [kept]
    assert_sound(stores.verify())


def test_unknown_original_is_moved_aside_never_deleted(stores: Stores) -> None:
    stores.add("a")
    stray = stores.home / "archive/originals/ab/abcdef"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    os.utime(stray, (1_700_000_000, 1_700_000_000))
    assert kinds(stores.verify(mend=False)) == [("original damaged", False), ("unknown original", False)]
    assert kinds(stores.verify()) == [("original damaged", False), ("unknown original", True)]
    assert (stores.home / FOUND / "abcdef").read_bytes() == b"stray"
    assert_sound(stores.verify())


def test_original_that_is_just_coming_in_is_left_alone(stores: Stores) -> None:
    (stores.home / "file").write_bytes(b"on its way")
    version = stores.archive.keep_original(stores.home / "file")
    assert_sound(stores.verify())
    assert stores.archive.original_path(version).is_file()


def test_rejected_document_in_the_index_is_taken_out(stores: Stores) -> None:
    document_id = stores.add("a")
    stores.sql(stores.ledger, "UPDATE documents SET state = 'rejected'")
    assert kinds(stores.verify()) == [("searchable though not done", True)]
    assert document_id not in stores.index.held()


def test_row_in_no_state_does_not_add_up(stores: Stores) -> None:
    stores.add("a")
    assert stores.ledger.adds_up()
    stores.sql(stores.ledger, "UPDATE documents SET state = 'lost'")
    assert not stores.ledger.adds_up()


def test_erased_original_in_found_goes_as_well(stores: Stores) -> None:
    document_id = stores.add("a")
    version = stores.ledger.status(document_id).version
    (stores.home / FOUND).mkdir()
    (stores.home / FOUND / version).write_bytes(b"copy")
    stores.eraser.erase(document_id, ARCHIVIST)
    assert list((stores.home / FOUND).iterdir()) == []


def test_memory_stays_flat_with_many_documents(stores: Stores) -> None:
    """A row beside every document that was really taken in; they have no original, so the report lists each."""
    stores.add("a", state=DocumentState.QUARANTINED)

    def peak_with(count: int) -> int:
        stores.sql(
            stores.ledger,
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT OR IGNORE INTO documents"
            " (document_id, source, version, file_name, state, received_by, received_at, changed_at, reason)"
            " SELECT 'd' || i, 's' || i, (SELECT version FROM documents LIMIT 1), 'f', 'rejected', 'x', 'x', 'x',"
            " printf('%.*c', 2000, 'r') FROM n",
            count,
        )
        tracemalloc.start()
        report = stores.verify()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.received == count + 1
        return peak

    few, many = peak_with(1000), peak_with(10_000)
    assert many < few + 1_000_000, (few, many)


def test_command_says_what_is_wrong_and_ends_with_one(tmp_path: Path) -> None:
    file = instance_file(tmp_path)
    (tmp_path / "note.txt").write_text("Note sur les congés annuels du personnel.", encoding="utf-8")
    run_assistant(file, "ingest", "add", str(tmp_path / "note.txt"), "--wait")
    good = run_assistant(file, "ingest", "verify", "--json")
    assert (good.returncode, json.loads(good.stdout)["problems"]) == (0, 0), good.stderr
    original = next(path for path in (tmp_path / "data/archive/originals").rglob("*") if path.is_file())
    original.write_bytes(b"changed")
    bad = run_assistant(file, "ingest", "verify")
    assert bad.returncode == 1
    assert "original damaged" in bad.stdout
    assert "Traceback" not in bad.stderr


def test_stray_file_beside_the_folders_of_originals_is_set_aside_under_its_checksum(stores: Stores) -> None:
    stores.add("a")
    stray = stores.home / "archive/originals/copie.pdf"
    stray.write_bytes(b"stray")
    assert kinds(stores.verify(mend=False)) == [("stray file", False)]
    assert kinds(stores.verify()) == [("stray file", True)]
    aside = stores.home / FOUND / hashlib.sha256(b"stray").hexdigest()
    assert aside.read_bytes() == b"stray"
    assert json.loads(aside.with_name(f"{aside.name}.json").read_text()) == {"file_name": "copie.pdf"}
    assert_sound(stores.verify())
