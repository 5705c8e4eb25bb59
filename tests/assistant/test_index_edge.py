from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding import HashEmbedder
from assistant.errors import ConfigurationError, IndexMismatch, InstanceBusy
from assistant.index import Query
from assistant.index.edge import EdgePassageIndex
from assistant.index.fusion import fused_ranking
from assistant.index.locking import SharedLock
from assistant.index.schema import payload, stored_passage
from assistant.lexical import Lexicon
from assistant.sealing import Keyring
from assistant.testing import CLERK, passages_of

EMBEDDER = HashEmbedder()
LEXICON = Lexicon(("fr",))


def opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension)


def put(index: EdgePassageIndex, document_id: str, texts: list[str], *, version: str = "1") -> int:
    passages = passages_of(document_id, texts, version=version)
    return index.replace(document_id, version, passages, EMBEDDER.embed_passages(texts))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgePassageIndex]:
    made = opened(tmp_path / "index")
    yield made
    made.close()


def test_passage_survives_being_stored(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.db")
    passage = passages_of("a", ["Texte « exact »\u00a0: 12 €"])[0]
    assert stored_passage(passage.id, json.loads(json.dumps(payload(passage, keyring))), keyring) == passage
    keyring.close()


def test_index_opens_again_with_what_was_in_it(tmp_path: Path) -> None:
    index = opened(tmp_path)
    put(index, "a", ["Un.", "Deux."])
    index.close()
    index.close()
    index = opened(tmp_path)
    assert index.passage_count(CLERK) == 2
    index.close()


def test_index_of_another_encoder_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(IndexMismatch, match="embedder"):
        EdgePassageIndex.open(tmp_path, embedder_fingerprint="another", dimension=EMBEDDER.dimension)
    with pytest.raises(IndexMismatch, match="dimension"):
        EdgePassageIndex.open(tmp_path, embedder_fingerprint=EMBEDDER.fingerprint, dimension=12)


def test_index_in_use_by_another_process_is_refused_in_clear_words(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from assistant.index.edge import EdgePassageIndex\n"
        f"index = EdgePassageIndex.open(Path({str(tmp_path)!r}), embedder_fingerprint={EMBEDDER.fingerprint!r}, dimension=64)\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(InstanceBusy, match="another process"):
            opened(tmp_path)
        other.communicate("")
    opened(tmp_path).close()


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("index.json", b"{"),
        ("points/0/edge_config.json", b"{"),
        ("points/0/segments/*/segment.json", b"\0" * 50),
        ("points/0/segments/*/vector_storage-dense/vectors/status.dat", b""),
    ],
)
def test_damaged_index_is_reported_without_a_native_trace(
    tmp_path: Path, pattern: str, damage: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    index = opened(tmp_path)
    put(index, "a", ["Un."])
    index.close()
    files = list(tmp_path.glob(pattern))
    assert files
    for file in files:
        file.write_bytes(damage)
    with pytest.raises(ConfigurationError, match="damaged"):
        opened(tmp_path)
    assert "panicked" not in capfd.readouterr().err


def test_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        opened(tmp_path / "file" / "index")


def test_reader_sees_the_old_or_the_new_version_and_never_a_mix_or_neither(index: EdgePassageIndex) -> None:
    texts = [f"Le congé numéro {number} est accordé." for number in range(20)]
    put(index, "a", texts, version="0")
    query = Query(
        "congé accordé", "fr", EMBEDDER.embed_query("congé accordé"), LEXICON.search_terms("congé accordé", "fr")
    )
    stop, seen, failures = threading.Event(), set[str](), list[str]()

    def read() -> None:
        while not stop.is_set():
            found = index.search(query, CLERK, 50)
            versions = {scored.passage.version for scored in found}
            seen.update(versions)
            if len(versions) != 1 or len(found) != 20:
                failures.append(f"{len(found)} passages of versions {versions}")
            if index.passage_count(CLERK) != 20 or len(index.document_passages("a", CLERK)) != 20:
                failures.append("a count or a document in between")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for version in range(1, 60):
        put(index, "a", texts, version=str(version))
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(seen) > 3


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.assistant.test_index_edge import opened, put
index = opened(Path(sys.argv[1]))
version = int(sys.argv[3])
while True:
    version += 1
    for name in "abc":
        put(index, name, [f"Le congé {number} de {version}." for number in range(10 + version % 3)], version=str(version))
        print(name, version, flush=True)
"""


def test_killed_in_the_middle_every_document_is_there_in_one_version(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    version = 0
    for attempt in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(root), str(version)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(6):
                writer.stdout.readline()
            time.sleep(0.013 * (attempt + 1))
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged = dict(line.split() for line in writer.stdout.read().splitlines() if len(line.split()) == 2)
        index = opened(tmp_path)
        for name in "abc":
            stored = index.document_passages(name, CLERK)
            versions = {int(passage.version) for passage in stored}
            assert len(versions) == 1
            (found,) = versions
            assert len(stored) == 10 + found % 3 == index.count(name, str(found))
            assert found >= int(acknowledged.get(name, 0))
            version = max(version, found)
        assert index.document_count(CLERK) == 3
        index.close()


def test_what_an_interrupted_switch_left_is_cleared_at_the_next_start(tmp_path: Path) -> None:
    import qdrant_edge as edge

    index = opened(tmp_path)
    put(index, "a", ["Un.", "Deux."])
    left = index.document_passages("a", CLERK)[0]
    index._shard.update(edge.UpdateOperation.upsert_points([edge.Point(left.id, {}, {"label": "superseded"})]))
    index.close()
    index = opened(tmp_path)
    assert index._shard.count(edge.CountRequest()) == 1
    assert index.passage_count(CLERK) == 1
    index.close()


def test_searching_goes_on_while_the_store_is_optimized(index: EdgePassageIndex) -> None:
    for number in range(30):
        put(index, f"d{number}", [f"Le congé {number}."] * 1)
    worker = threading.Thread(target=index.optimize)
    worker.start()
    query = Query("congé", "fr", EMBEDDER.embed_query("congé"), LEXICON.search_terms("congé", "fr"))
    assert len(index.search(query, CLERK, 10)) == 10
    put(index, "late", ["Le congé tardif."])
    worker.join()
    assert index.document_count(CLERK) == 31


def test_vector_that_is_not_a_number_is_refused(index: EdgePassageIndex) -> None:
    vectors = np.full((1, EMBEDDER.dimension), np.nan, dtype=np.float32)
    with pytest.raises(ValueError, match="not a number"):
        index.replace("a", "1", passages_of("a", ["Un."]), vectors)


def test_weight_of_nothing_leaves_the_other_ranking_as_it_is() -> None:
    words = [("b", 4.0), ("a", 2.0)]
    assert [found for found, _ in fused_ranking([("c", 0.9), ("a", 0.1)], words, 0.0, depth=100)][:2] == ["b", "a"]
    assert fused_ranking([], [], 0.5, depth=100) == []


def test_fusion_does_not_depend_on_the_scale_of_a_route() -> None:
    one = fused_ranking([("a", 0.75), ("b", 0.5), ("c", 0.25)], [("b", 32.0), ("a", 16.0)], 0.5, depth=100)
    other = fused_ranking([("a", 96.0), ("b", 64.0), ("c", 32.0)], [("b", 2.0), ("a", 1.0)], 0.5, depth=100)
    assert one == other == [("a", 0.75), ("b", 0.75), ("c", 0.0)]


def test_words_that_found_all_they_may_are_scaled_from_their_last() -> None:
    words = [("a", 3.0), ("b", 2.0), ("c", 1.0)]
    assert fused_ranking([], words, 0.0, depth=3) == [("a", 1.0), ("b", 0.5), ("c", 0.0)]
    assert fused_ranking([], words, 0.0, depth=4)[2] == ("c", 1 / 3)


def test_waiting_writer_goes_before_later_readers() -> None:
    lock, order = SharedLock(), list[str]()

    def write() -> None:
        with lock.exclusive():
            order.append("writer")

    def read() -> None:
        with lock.shared():
            order.append("reader")

    with lock.shared():
        writer = threading.Thread(target=write)
        writer.start()
        while not lock._writers_waiting:
            time.sleep(0.001)
        late = threading.Thread(target=read)
        late.start()
        time.sleep(0.02)
        assert order == []
    writer.join()
    late.join()
    assert order == ["writer", "reader"]


WORDS = ("zyzomys", "جربوعنادر", "pedunculatus")


def files_with(folder: Path, needle: bytes) -> list[str]:
    return [
        str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() and needle in file.read_bytes()
    ]


def test_no_word_of_a_passage_lies_in_clear_in_any_file(tmp_path: Path) -> None:
    index = opened(tmp_path)
    put(index, "a", [" ".join(WORDS)])
    assert index.document_passages("a", CLERK)[0].text == " ".join(WORDS)
    index.close()
    assert {word: files_with(tmp_path, word.encode()) for word in (*WORDS, "Partie", "Document a")} == {
        word: [] for word in (*WORDS, "Partie", "Document a")
    }


def test_purge_takes_erased_vectors_and_ids_out_of_segments_and_log(tmp_path: Path) -> None:
    index = opened(tmp_path)
    gone = "11111111-2222-3333-4444-555555555555"
    put(index, "before", [f"Un texte {n}." for n in range(40)])
    put(index, gone, ["zyzomys pedunculatus"])
    put(index, "after", ["Un autre."])
    vector = EMBEDDER.embed_passages(["zyzomys pedunculatus"])[0].tobytes()
    index.flush()
    assert index.erase(gone) == 1
    assert files_with(tmp_path, vector), "this test would prove nothing"
    assert files_with(tmp_path, gone.encode())
    index.purge()
    assert files_with(tmp_path, vector) == files_with(tmp_path, gone.encode()) == []
    assert index.held() == {"before": 40, "after": 1}
    put(index, "later", ["Encore un."])
    index.close()
    index = opened(tmp_path)
    assert index.held() == {"before": 40, "after": 1, "later": 1}
    index.close()


def test_what_is_written_after_a_purge_survives_sigkill(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from tests.assistant.test_index_edge import opened, put\n"
        f"index = opened(Path({str(tmp_path)!r})); put(index, 'a', ['Un.', 'Deux.']); put(index, 'b', ['Trois.'])\n"
        "index.erase('b'); index.purge(); put(index, 'c', ['Quatre.']); index.erase('a'); os.kill(os.getpid(), 9)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    assert finished.returncode == -signal.SIGKILL
    index = opened(tmp_path)
    assert index.held() == {"c": 1}
    assert index.document_passages("c", CLERK)[0].text == "Quatre."
    index.close()


def test_passages_whose_key_is_gone_are_left_out_and_nothing_else_is(index: EdgePassageIndex) -> None:
    put(index, "a", ["Le même texte."])
    put(index, "b", ["Le même texte."])
    index._keyring.destroy("a")
    query = Query("texte", "fr", EMBEDDER.embed_query("texte"), LEXICON.search_terms("texte", "fr"))
    found = index.search(query, CLERK, 5)
    assert [(s.passage.document_id, s.rank) for s in found] == [("b", 1)]
    assert (index.readable("a"), index.readable("b")) == (False, True)
