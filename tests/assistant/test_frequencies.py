from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import HashEmbedder
from assistant.errors import ServiceUnavailable
from assistant.index.edge import EdgePassageIndex
from assistant.index.frequencies import TermFrequencies, held_by_label
from assistant.index.journal import Held, HeldByLabel, Journal
from assistant.index.runs import EMPTY, Run, merged, merged_parts, negative, run_of, totals, with_run
from assistant.lexical import Lexicon
from assistant.testing import CLERK, passages_of

EMBEDDER = HashEmbedder()
LEXICON = Lexicon(("fr",))
WORDS = ("prime", "agents", "congé", "budget", "salle", "marché", "eau")
READERS = [Principal(level.name, frozenset({Role.READER}), Label(level)) for level in Level]

labels = st.builds(Label, st.sampled_from(Level))
texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=3)
steps = st.tuples(
    st.sampled_from(("a", "b", "c")),
    st.sampled_from(("1", "2")),
    labels,
    texts,
    st.sampled_from(("go on", "optimize", "close", "drop")),
)


def opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension)


def put(index: EdgePassageIndex, document_id: str, version: str, label: Label, texts: list[str]) -> None:
    passages = passages_of(document_id, texts, version=version, label=label)
    index.replace(document_id, version, passages, EMBEDDER.embed_passages(texts))


def frequencies_in(index: EdgePassageIndex) -> dict[str, dict[int, int]]:
    """Label → term → passages, as the index says."""
    asked = LEXICON.search_terms(" ".join(WORDS), "fr")
    return {str(label): index._frequencies.of([str(label)], asked) for label in map(Label, Level)}


def counted(index: EdgePassageIndex) -> dict[str, dict[int, int]]:
    """Label → term → passages, counted from the texts that readers get."""
    asked = LEXICON.search_terms(" ".join(WORDS), "fr")
    found = {str(label): dict.fromkeys(sorted(asked), 0) for label in map(Label, Level)}
    for document_id in index.held():
        for passage in index.stored_passages(document_id):
            for term in asked & set(LEXICON.document_vector(passage.embedded_text(), passage.language).indices):
                found[str(passage.label)][term] += 1
    return found


@settings(max_examples=25, deadline=None)
@given(writes=st.lists(steps, max_size=7), removed=st.sampled_from(("a", "b", "none")))
def test_frequencies_are_those_of_the_stored_texts_after_every_write_and_opening(
    writes: list[tuple[str, str, Label, list[str], str]], removed: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = opened(Path(folder))
        for document_id, version, label, texts, then in writes:
            put(index, document_id, version, label, texts)
            assert frequencies_in(index) == counted(index)
            if then == "optimize":
                index.optimize()
            elif then == "close":
                index.close()
                index = opened(Path(folder))
            elif then == "drop":  # as after a kill: nothing is known but what is on disk
                assert index._frequencies.recover(index._held_now)
            assert frequencies_in(index) == counted(index)
        index.remove(removed)
        assert frequencies_in(index) == counted(index)
        index.close()


def test_only_the_given_labels_are_counted(tmp_path: Path) -> None:
    frequencies = TermFrequencies(tmp_path)
    frequencies.rebuild([held({"public": [[1, 2], [1]], "secret": [[1], [3], [4]]})])
    assert frequencies.of(["public"], [1, 2, 3]) == {1: 2, 2: 1, 3: 0}
    assert frequencies.of(["secret"], [1, 2, 3]) == {1: 1, 2: 0, 3: 1}
    assert frequencies.of(["public", "secret"], [1, 2, 3]) == {1: 3, 2: 1, 3: 1}
    assert frequencies.of(["unknown"], [1]) == frequencies.of([], [1]) == {1: 0}
    assert frequencies.passages() == {"public": 2, "secret": 3}
    frequencies.close()


def test_the_largest_and_the_smallest_term_have_their_own_counts(tmp_path: Path) -> None:
    frequencies = TermFrequencies(tmp_path)
    frequencies.rebuild([held({"public": [[0, 2**32 - 1], [2**32 - 1]]})])
    assert frequencies.of(["public"], [0, 1, 2**32 - 2, 2**32 - 1]) == {0: 1, 1: 0, 2**32 - 2: 0, 2**32 - 1: 2}
    frequencies.close()


runs = st.dictionaries(st.integers(0, 40), st.integers(-3, 3).filter(bool), max_size=20)


@settings(deadline=None)
@given(one=runs, other=runs, third=runs)
def test_merged_runs_hold_the_sums(one: dict[int, int], other: dict[int, int], third: dict[int, int]) -> None:
    sums = Counter(one)
    sums.update(other)
    sums.update(third)
    expected = {key: count for key, count in sorted(sums.items()) if count}
    whole = merged(merged(as_run(one), as_run(other)), as_run(third))
    assert as_dict([whole]) == expected
    assert as_dict(merged_parts(as_run(one), merged(as_run(other), as_run(third)))) == expected
    kept: tuple[Run, ...] = ()
    for run in (one, other, third):
        kept = with_run(kept, as_run(run))
    terms = np.arange(41, dtype=np.uint64)
    assert totals(kept, terms, np.array([True])).tolist() == [expected.get(n, 0) for n in range(41)]


def test_long_runs_are_merged_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.index.runs._PART", 3)
    base, come = run_of(np.arange(0, 40, 2, dtype=np.uint32), 0), run_of(np.arange(0, 50, 3, dtype=np.uint32), 0)
    assert as_dict(merged_parts(base, come)) == as_dict([merged(base, come)])
    assert as_dict(merged_parts(base, negative(base))) == as_dict(merged_parts(EMPTY, EMPTY)) == {}


def test_journal_keeps_what_was_held_first_and_cuts_a_torn_record(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    journal.note("a", held({"public": [[1, 2], [1]]}))
    journal.note("b", {})
    whole = file.stat().st_size
    journal.note("a", {})
    assert file.stat().st_size == whole
    journal.note("c", held({"secret": [[9]]}))
    journal.close()
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size - 1)
    journal = Journal(file)
    assert {name: lists(found) for name, found in journal.found.items()} == {"a": {"public": (2, [1, 2, 1])}, "b": {}}
    journal.note("d", {})
    journal.close()
    journal = Journal(file)
    assert list(journal.found) == ["a", "b", "d"]
    journal.close()


def test_counts_that_are_missing_or_of_another_index_are_made_anew(tmp_path: Path) -> None:
    index = opened(tmp_path)
    put(index, "a", "1", Label(Level.PUBLIC), ["prime agents", "prime"])
    expected = frequencies_in(index)
    index.close()
    for damage in (_without_state, _with_other_passages):
        damage(tmp_path / "terms")
        index = opened(tmp_path)
        assert frequencies_in(index) == expected
        index.close()


def test_what_was_erased_leaves_no_term_after_a_purge(tmp_path: Path) -> None:
    index = opened(tmp_path)
    put(index, "a", "1", Label(Level.PUBLIC), ["prime agents"])
    put(index, "b", "1", Label(Level.PUBLIC), ["pedunculatus"])
    (term,) = LEXICON.query_terms("pedunculatus", "fr")
    index.optimize()
    assert term.to_bytes(4, "little") in _files_of(tmp_path / "terms"), "this test would prove nothing"
    index.erase("b")
    index.purge()
    assert term.to_bytes(4, "little") not in _files_of(tmp_path / "terms")
    index.close()


def test_a_write_that_broke_off_leaves_the_counts_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path)
    put(index, "a", "1", Label(Level.PUBLIC), ["prime"])
    before = index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK)

    def broken() -> dict[str, int]:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(index._frequencies, "passages", broken)
        with pytest.raises(OSError, match="full"):
            put(index, "b", "1", Label(Level.PUBLIC), ["prime"])
    put(index, "c", "1", Label(Level.PUBLIC), ["prime"])
    after = index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK)
    assert frequencies_in(index) == counted(index)
    index.close()
    index = opened(tmp_path)
    assert after == index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK) != before
    index.close()


def test_counts_that_cannot_be_read_again_answer_nothing(tmp_path: Path) -> None:
    frequencies = TermFrequencies(tmp_path)
    frequencies.rebuild([])
    frequencies.note("a", {})

    def broken(_: str) -> HeldByLabel:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        frequencies.recover(broken)
    with pytest.raises(ServiceUnavailable):
        frequencies.of(["public"], [1])
    frequencies.close()


_WRITER = """
import sys
from pathlib import Path
from tests.assistant.test_frequencies import WORDS, opened, put
from assistant.access import Label, Level
index = opened(Path(sys.argv[1]))
print("open", flush=True)
for turn in range(int(sys.argv[2]), 10**6):
    name, level = "abcd"[turn % 4], Level(turn // 4 % 4)
    put(index, name, str(turn), Label(level), [WORDS[(turn + n) % 7] + " " + WORDS[turn % 5] for n in range(1 + turn % 3)])
    if turn % 5 == 4:
        index.remove("abcd"[turn // 5 % 4])
    if turn % 7 == 6:
        index.optimize()
"""


def test_killed_at_any_moment_the_counts_are_those_of_what_is_stored(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    for attempt in range(5):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(attempt * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            time.sleep(0.21 * (attempt + 1))
            os.kill(writer.pid, signal.SIGKILL)
        index = opened(tmp_path)
        assert index.held()
        assert frequencies_in(index) == counted(index)
        index.close()


def held(passages: dict[str, list[list[int]]]) -> dict[str, Held]:
    return held_by_label((label, terms) for label, parts in passages.items() for terms in parts)


def lists(found: HeldByLabel) -> dict[str, tuple[int, list[int]]]:
    return {label: (part.passages, part.terms.tolist()) for label, part in found.items()}


def as_run(counts: dict[int, int]) -> Run:
    keys = sorted(counts)
    return Run(np.array(keys, np.uint64) << np.uint64(32), np.array([counts[key] for key in keys], np.int32))


def as_dict(parts: Iterable[Run]) -> dict[int, int]:
    return {key >> 32: n for run in parts for key, n in zip(run.keys.tolist(), run.counts.tolist(), strict=True)}


def _files_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def _without_state(folder: Path) -> None:
    (folder / "state.json").unlink()


def _with_other_passages(folder: Path) -> None:
    other = TermFrequencies(folder)
    other.rebuild([held({"public": [[1]]})])
    other.close()
