"""What a reader may not see changes nothing in what the reader sees: not a hit, not its place, not a digit of its score.

Every world plants a hidden neighbour that would rank first: it says the question word for word.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import qdrant_edge as edge
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import HashEmbedder
from assistant.errors import AccessViolation, NotFound
from assistant.index import Query
from assistant.index import edge as engine
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.testing import ROUTES, passages_of
from assistant.types import LANGUAGES, Passage

QUESTION = "prime exceptionnelle des agents"
EMBEDDER = HashEmbedder()
LEXICON = Lexicon(LANGUAGES)
WORDS = ("prime", "agents", "congé", "budget", "salle", "exceptionnelle", "marché", "eau")

labels = st.builds(
    Label, st.sampled_from(Level), st.frozensets(st.sampled_from(("tax", "health", "police")), max_size=2)
)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
worlds = st.lists(st.tuples(labels, texts), min_size=1, max_size=8)
few = settings(max_examples=40, deadline=None)


def _documents(world: Sequence[tuple[Label, str]]) -> list[Passage]:
    return [passages_of(f"document-{n}", [text], label=label)[0] for n, (label, text) in enumerate(world)]


def _planted(clearance: Label) -> list[Passage]:
    """What this clearance does not dominate, saying exactly what is asked: higher, beside, and both."""
    beside = Label(clearance.level, clearance.compartments | {"planted"})
    hidden = [beside, Label(Level.SECRET, frozenset({"planted"}))]
    if clearance.level < Level.SECRET:
        hidden.append(Label(Level(clearance.level + 1)))
    return [passages_of(f"planted-{n}", [QUESTION], label=label)[0] for n, label in enumerate(hidden)]


@contextmanager
def _index(passages: Sequence[Passage]) -> Iterator[EdgePassageIndex]:
    with tempfile.TemporaryDirectory() as folder:
        index = _opened(Path(folder))
        try:
            for passage in passages:
                vectors = EMBEDDER.embed_passages([passage.embedded_text()])
                index.replace(passage.document_id, passage.version, [passage], vectors)
            yield index
        finally:
            index.close()


def _opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=EMBEDDER.fingerprint, dimension=EMBEDDER.dimension)


def _reader(clearance: Label) -> Principal:
    return Principal("reader", frozenset({Role.READER}), clearance)


def _query() -> Query:
    return Query(QUESTION, "fr", EMBEDDER.embed_query(QUESTION), LEXICON.search_terms(QUESTION, "fr"), 0.5)


def _error(call: object, *arguments: object) -> str:
    with pytest.raises(NotFound) as caught:
        call(*arguments)  # type: ignore[operator]  # any method of the index
    return str(caught.value)


def _all_a_reader_gets(index: EdgePassageIndex, principal: Principal) -> dict[str, object]:
    seen: dict[str, object] = {
        route: [(s.passage, s.score, s.rank) for s in index.search(_query(), principal, 50, route=route)]
        for route in ROUTES
    }
    seen["weights"] = index.term_weights(LEXICON.search_terms(QUESTION + " budget", "fr"), principal)
    seen["counts"] = (index.passage_count(principal), index.document_count(principal))
    return seen


@few
@given(world=worlds, clearance=labels)
def test_hidden_passages_change_nothing_a_reader_gets(world: list[tuple[Label, str]], clearance: Label) -> None:
    principal = _reader(clearance)
    everything = _documents(world) + _planted(clearance)
    readable = [passage for passage in everything if principal.may_read(passage.label)]
    with _index(everything) as full, _index(readable) as only_readable:
        assert _all_a_reader_gets(full, principal) == _all_a_reader_gets(only_readable, principal), "leaked"


@few
@given(world=worlds, clearance=labels)
def test_no_route_returns_what_the_clearance_does_not_dominate(
    world: list[tuple[Label, str]], clearance: Label
) -> None:
    principal = _reader(clearance)
    documents = _documents(world)
    with _index(documents + _planted(clearance)) as index:
        for route in ROUTES:
            for scored in index.search(_query(), principal, 50, route=route):
                assert clearance.dominates(scored.passage.label), f"{route} leaked {scored.passage.label}"
        readable = sum(clearance.dominates(passage.label) for passage in documents)
        assert index.passage_count(principal) == index.document_count(principal) == readable


@few
@given(clearance=labels)
def test_hidden_and_absent_are_told_in_the_same_words(clearance: Label) -> None:
    principal = _reader(clearance)
    hidden = _planted(clearance)
    absent = passages_of("absent", [QUESTION])[0]
    with _index(hidden) as index:
        for passage in hidden:
            assert _error(index.passage, passage.id, principal) == _error(index.passage, absent.id, principal)
            in_document = _error(index.document_passages, passage.document_id, principal)
            assert in_document == _error(index.document_passages, absent.document_id, principal)


@few
@given(clearance=labels)
def test_reader_of_nothing_gets_nothing(clearance: Label) -> None:
    with _index(_planted(clearance)) as index:
        nothing: dict[str, object] = {route: [] for route in ROUTES} | {"weights": {}, "counts": (0, 0)}
        assert _all_a_reader_gets(index, _reader(clearance)) == nothing


@pytest.mark.parametrize("stored", [None, "", "secret ", "SECRET", "public/", "public,tax", "superseded", "*", "top"])
def test_passage_without_a_proper_label_is_readable_by_nobody(tmp_path: Path, stored: str | None) -> None:
    good, bad = passages_of("good", ["prime"])[0], passages_of("bad", [QUESTION])[0]
    index = _opened(tmp_path)
    for passage in (good, bad):
        index.replace(passage.document_id, "1", [passage], EMBEDDER.embed_passages([passage.text]))
    if stored is None:
        index._shard.update(edge.UpdateOperation.delete_payload([bad.id], ["label"]))
    else:
        index._shard.update(edge.UpdateOperation.set_payload([bad.id], {"label": stored}))
    index.close()
    index = _opened(tmp_path)
    everyone = _reader(Label(Level.SECRET, frozenset({"tax", "health"})))
    for route in ROUTES:
        assert [s.passage.id for s in index.search(_query(), everyone, 9, route=route)] == [good.id], f"{route} leaked"
    assert index.passage_count(everyone) == 1
    assert _error(index.passage, bad.id, everyone) == "there is no such passage"
    index.close()


def test_a_hit_that_escaped_the_filter_stops_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = passages_of("open", ["prime"])[0]
    hidden = passages_of("hidden", [QUESTION], label=Label(Level.SECRET))[0]
    index = _opened(tmp_path)
    for passage in (public, hidden):
        index.replace(passage.document_id, "1", [passage], EMBEDDER.embed_passages([passage.text]))
    monkeypatch.setattr(engine, "access_filter", lambda *_: edge.Filter(must_not=[]))
    for route in ROUTES:
        with pytest.raises(AccessViolation):
            index.search(_query(), _reader(Label(Level.PUBLIC)), 9, route=route)
    index.close()


def test_raised_label_hides_the_document_and_lowered_label_shows_it(tmp_path: Path) -> None:
    visitor = _reader(Label(Level.PUBLIC))
    index = _opened(tmp_path)
    for version, label, seen in (("1", "public", 1), ("2", "internal", 0), ("3", "public/tax", 0), ("4", "public", 1)):
        passage = passages_of("a", [QUESTION], version=version, label=Label.parse(label))[0]
        index.replace("a", version, [passage], EMBEDDER.embed_passages([passage.text]))
        for route in ROUTES:
            assert len(index.search(_query(), visitor, 9, route=route)) == seen, f"{route}, version {version}"
        assert index.passage_count(visitor) == index.document_count(visitor) == seen
    index.close()


def test_labels_are_known_again_after_reopening(tmp_path: Path) -> None:
    index = _opened(tmp_path)
    for name, label in (("a", "public"), ("b", "internal/tax")):
        passage = passages_of(name, [QUESTION], label=Label.parse(label))[0]
        index.replace(name, "1", [passage], EMBEDDER.embed_passages([passage.text]))
    index.close()
    index = _opened(tmp_path)
    assert index.passage_count(_reader(Label.parse("secret/tax"))) == 2
    assert index.passage_count(_reader(Label.parse("secret"))) == 1
    index.close()
