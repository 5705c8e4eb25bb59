"""The index is packed beside the service: readers are answered, nothing written is lost, whatever cuts it off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import qdrant_edge as edge

from assistant.embedding import HashEmbedder
from assistant.errors import ServiceUnavailable
from assistant.index import Query, packing, storage
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.testing import CLERK, passages_of

EMBEDDER = HashEmbedder()
LEXICON = Lexicon(("fr",))
_WRITER = """
import sys, time
from pathlib import Path
from tests.assistant.test_packing import opened, put
index = opened(Path(sys.argv[1]))
index.optimize()
put(index, "d3", "Un arrêté tardif.")
put(index, "new", "Un arrêté nouveau.")
index.remove("d4")
print("written", flush=True)
time.sleep(60)
"""


def opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension)


def put(index: EdgePassageIndex, document_id: str, *texts: str) -> None:
    index.replace(document_id, "1", passages_of(document_id, list(texts)), EMBEDDER.embed_passages(list(texts)))


def found(index: EdgePassageIndex, words: str) -> set[str]:
    query = Query(words, "fr", None, LEXICON.search_terms(words, "fr"))
    return {scored.passage.document_id for scored in index.search(query, CLERK, 5, route="bm25")}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EdgePassageIndex]:
    """Twenty documents; more than 1 KB is a packed segment, where it is 10 MB otherwise."""
    usual = storage._configuration(EMBEDDER.dimension)
    small = edge.EdgeConfig(
        vectors=usual.vectors,
        sparse_vectors=usual.sparse_vectors,
        optimizers=edge.EdgeOptimizersConfig(deleted_threshold=1e-9, vacuum_min_vector_number=1, indexing_threshold=1),
    )
    monkeypatch.setattr(storage, "_configuration", lambda _: small)
    index = opened(tmp_path)
    for number in range(20):
        put(index, f"d{number}", f"Le congé numéro {number} est accordé.", "La demande est écrite.")
    yield index
    index.close()


@contextmanager
def packing_halted(work: Callable[[], object]) -> Iterator[psutil.Process]:
    """Inside, `work` is under way and the process that packs for it stands still."""
    packing_thread = threading.Thread(target=work)
    packing_thread.start()
    process = _packing_process()
    try:
        yield process
    finally:
        if process.is_running():
            process.send_signal(signal.SIGCONT)
        packing_thread.join(60)
        assert not packing_thread.is_alive()


def _packing_process() -> psutil.Process:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process().children():
            if packing.__name__ in child.cmdline():
                child.send_signal(signal.SIGSTOP)
                return child
        time.sleep(0.005)
    raise AssertionError("no process packs the index")


def folders(home: Path) -> list[str]:
    return sorted(entry.name for entry in (home / "points").iterdir() if entry.is_dir())


def test_readers_are_answered_while_the_index_is_packed(index: EdgePassageIndex) -> None:
    with packing_halted(index.optimize):
        assert found(index, "congé 7") >= {"d7"}
        assert index.document_count(CLERK) == 20
        assert len(index.vectors("d3")) == 2
    assert found(index, "congé 7") >= {"d7"}


def test_what_is_written_meanwhile_waits_and_is_kept(index: EdgePassageIndex, tmp_path: Path) -> None:
    with packing_halted(index.optimize):
        writing = threading.Thread(target=put, args=(index, "late", "Un arrêté tardif."))
        writing.start()
        writing.join(0.5)
        assert writing.is_alive(), "it was written into the folder that is about to go"
    writing.join(60)
    assert found(index, "arrêté tardif") == {"late"}
    index.close()
    again = opened(tmp_path)
    assert again.document_count(CLERK) == 21
    again.close()


def test_a_removal_does_not_wait_for_packing(index: EdgePassageIndex, tmp_path: Path) -> None:
    with packing_halted(index.optimize):
        assert index.remove("d5") == 2
        assert index.document_count(CLERK) == 19
    assert index.optimize()
    assert index.document_count(CLERK) == 19
    assert len(folders(tmp_path)) == 1


def test_a_purge_gives_way_to_a_removal_and_is_done_afterwards(index: EdgePassageIndex, tmp_path: Path) -> None:
    with packing_halted(index.purge) as first:
        assert index.remove("d5") == 2
        assert not first.is_running() or first.status() == psutil.STATUS_ZOMBIE
    assert index.document_count(CLERK) == 19
    assert folders(tmp_path) != ["0"], "it was not packed again"


def test_a_killed_packing_leaves_the_index_as_it_was(index: EdgePassageIndex, tmp_path: Path) -> None:
    before, problems = folders(tmp_path), list[Exception]()

    def pack() -> None:
        try:
            index.optimize()
        except ServiceUnavailable as error:
            problems.append(error)

    thread = threading.Thread(target=pack)
    thread.start()
    _packing_process().kill()
    thread.join(60)
    assert len(problems) == 1
    assert folders(tmp_path) == before
    assert found(index, "congé 7") >= {"d7"}
    assert index.optimize()


def test_writes_after_packing_survive_the_loss_of_the_process(index: EdgePassageIndex, tmp_path: Path) -> None:
    """Operations are numbered through the log: with a new log they would be passed over at the next start."""
    index.close()
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    again = opened(tmp_path)
    assert found(again, "arrêté") == {"d3", "new"}
    assert [passage.text for passage in again.document_passages("d3", CLERK)] == ["Un arrêté tardif."]
    assert "d4" not in again.held()
    assert again.document_count(CLERK) == 20
    again.close()


def test_what_an_interrupted_packing_left_is_removed_at_the_next_start(index: EdgePassageIndex, tmp_path: Path) -> None:
    index.close()
    (tmp_path / "points" / "1" / "segments").mkdir(parents=True)
    again = opened(tmp_path)
    assert folders(tmp_path) == ["0"]
    assert again.document_count(CLERK) == 20
    again.close()


def test_the_folder_that_was_named_last_is_in_use(index: EdgePassageIndex, tmp_path: Path) -> None:
    assert index.optimize()
    assert folders(tmp_path) == ["1"]
    index.close()
    (tmp_path / "points" / "0").mkdir()
    again = opened(tmp_path)
    assert (again.document_count(CLERK), folders(tmp_path)) == (20, ["1"])
    again.close()


def test_an_index_of_the_earlier_layout_is_found(index: EdgePassageIndex, tmp_path: Path) -> None:
    index.close()
    points = tmp_path / "points"
    (points / "0").rename(tmp_path / "segments-of-old")
    points.rmdir()
    (tmp_path / "segments-of-old").rename(points)
    again = opened(tmp_path)
    assert (again.document_count(CLERK), folders(tmp_path)) == (20, ["0"])
    again.close()


def test_where_links_are_not_to_be_had_it_packs_itself(
    index: EdgePassageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.optimize()  # from now on there is a packed segment to link

    def refused(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    index.remove("d1")
    assert index.optimize()
    assert (index.document_count(CLERK), folders(tmp_path)) == (19, ["1"])
