from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import HashEmbedder
from assistant.index.edge import EdgePassageIndex
from assistant.index.frequencies import TermFrequencies
from assistant.lexical import Lexicon
from assistant.testing import CLERK, passages_of

EMBEDDER = HashEmbedder()
LEXICON = Lexicon(("fr",))
WORDS = ("prime", "agents", "congé", "budget", "salle", "marché", "eau")
READERS = [Principal(level.name, frozenset({Role.READER}), Label(level)) for level in Level]

labels = st.builds(Label, st.sampled_from(Level))
texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=3)
writes = st.lists(st.tuples(st.sampled_from(("a", "b", "c")), st.sampled_from(("1", "2")), labels, texts), max_size=8)


def opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension)


def put(index: EdgePassageIndex, document_id: str, version: str, label: Label, texts: list[str]) -> None:
    passages = passages_of(document_id, texts, version=version, label=label)
    index.replace(document_id, version, passages, EMBEDDER.embed_passages(texts))


def weights(index: EdgePassageIndex) -> list[dict[int, float]]:
    asked = LEXICON.search_terms(" ".join(WORDS), "fr")
    return [index.term_weights(asked, reader) for reader in READERS]


@settings(max_examples=30, deadline=None)
@given(writes=writes, removed=st.sampled_from(("a", "b", "none")))
def test_remembered_weights_are_those_the_engine_counts_after_every_write(
    writes: list[tuple[str, str, Label, list[str]]], removed: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = opened(Path(folder))
        for document_id, version, label, texts in writes:
            put(index, document_id, version, label, texts)
            weights(index)
        index.remove(removed)
        remembered = weights(index)
        index.close()
        index = opened(Path(folder))
        assert remembered == weights(index)
        index.close()


def test_a_term_is_counted_once_for_a_set_of_labels() -> None:
    asked: list[int] = []

    def count(terms: list[int]) -> list[int]:
        asked.extend(terms)
        return [7 for _ in terms]

    frequencies = TermFrequencies()
    assert frequencies.of(("public",), [2, 1], count) == {1: 7, 2: 7}
    assert frequencies.of(("public",), [2, 3], count) == {2: 7, 3: 7}
    assert frequencies.of(("internal", "public"), [2], count) == {2: 7}
    assert asked == [1, 2, 3, 2]


def test_a_write_changes_only_the_sets_that_hold_its_label() -> None:
    frequencies = TermFrequencies()
    for labels in (("public",), ("public", "secret")):
        frequencies.of(labels, [1], lambda terms: [5])
    frequencies.apply({"secret": {1: 2, 9: 1}})

    def unexpected(terms: list[int]) -> list[int]:
        raise AssertionError(terms)

    assert frequencies.of(("public",), [1], unexpected) == {1: 5}
    assert frequencies.of(("public", "secret"), [1], unexpected) == {1: 7}


def test_the_set_asked_least_recently_makes_room() -> None:
    frequencies = TermFrequencies(remembered=2)
    for labels in (("a",), ("b",), ("c",)):
        frequencies.of(labels, [1], lambda terms: [1])
    assert frequencies.of(("c",), [1], lambda terms: [2]) == {1: 1}
    assert frequencies.of(("a",), [1], lambda terms: [2]) == {1: 2}


def test_nothing_is_remembered_of_a_write_that_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path)
    put(index, "a", "1", Label(Level.PUBLIC), ["prime"])
    before = index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK)

    def broken() -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(index, "_count_labels", broken)
        with pytest.raises(OSError, match="full"):
            put(index, "b", "1", Label(Level.PUBLIC), ["prime"])
    put(index, "c", "1", Label(Level.PUBLIC), ["prime"])
    after = index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK)
    index.close()
    index = opened(tmp_path)
    assert after == index.term_weights(LEXICON.query_terms("prime", "fr"), CLERK) != before
    index.close()
