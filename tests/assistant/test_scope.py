"""A scope is read as it was written, narrows retrieval, and never widens what a reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.embedding import HashEmbedder
from assistant.errors import InvalidRequest
from assistant.index.edge import EdgePassageIndex
from assistant.index.requests import access_filter
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES
from assistant.retrieval import Calibration, LanguageCalibration, Retriever
from assistant.scope import MOST_NAMES, Scope
from assistant.testing import SECRET, VISITOR, passages_of
from assistant.types import LANGUAGES

CALIBRATION = Calibration({name: LanguageCalibration(0, (0.0,) * len(FEATURES), 0.5) for name in LANGUAGES})
WRONG = (
    {"collection": ["RH"]},
    {"collections": "RH"},
    {"collections": [1]},
    {"documents": {"a": 1}},
    {"date_from": "2024"},
    {"date_to": "2024-02-30"},
    {"date_from": 20240101},
    {"date_from": "2024-02-01", "date_to": "2024-01-31"},
    {"documents": [str(n) for n in range(MOST_NAMES + 1)]},
    {"collections": ["x" * 501]},
    [],
    "",
    0,
    False,
)


def test_what_was_written_is_read_again() -> None:
    given = {
        "collections": ["RH", "Budget", "RH", " "],
        "date_from": "2024-01-01",
        "date_to": None,
        "document_types": [],
        "documents": ["b", "a"],
    }
    scope = Scope.from_json(given)
    assert scope == Scope(("Budget", "RH"), "2024-01-01", None, (), ("a", "b"))
    assert Scope.from_json(scope.to_json()) == scope


def test_empty_fields_limit_nothing() -> None:
    for given in (None, {}, {"collections": [], "date_from": "", "documents": [""]}):
        assert Scope.from_json(given) == Scope.everything
        assert not Scope.from_json(given)


@pytest.mark.parametrize(
    "given",
    [
        {"collections": ["RH"]},
        {"date_from": "2024-01-01"},
        {"date_to": "2024-01-01"},
        {"document_types": ["arrêté"]},
        {"documents": ["a"]},
    ],
)
def test_each_field_alone_is_a_limit(given: dict[str, object]) -> None:
    assert Scope.from_json(given)


@pytest.mark.parametrize("given", WRONG)
def test_what_cannot_be_meant_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^scope"):
        Scope.from_json(given)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgePassageIndex]:
    embedder = HashEmbedder()
    opened = EdgePassageIndex.open(tmp_path, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension)
    for passages in (
        passages_of("a", ["Le congé annuel dure trente jours.", "Le badge perdu est remplacé."]),
        passages_of("b", ["Le congé annuel dure vingt jours.", "Le parking ferme à vingt heures."]),
        passages_of("hidden", ["Le congé annuel dure quarante jours."], label=SECRET),
    ):
        vectors = embedder.embed_passages([passage.embedded_text() for passage in passages])
        opened.replace(passages[0].document_id, passages[0].version, passages, vectors)
    yield opened
    opened.close()


def _retriever(index: EdgePassageIndex) -> Retriever:
    return Retriever(
        index, HashEmbedder(), Lexicon(LANGUAGES), CALIBRATION, documents_within=lambda scope, _: scope.documents
    )


def test_evidence_comes_from_the_scope_alone(index: EdgePassageIndex) -> None:
    for question in ("Combien de jours dure le congé annuel ?", "Que dit la circulaire de 2024 du congé ?"):
        found = _retriever(index).evidence(question, "fr", VISITOR, k=5, scope=Scope(documents=("b", "hidden")))
        assert {scored.passage.document_id for scored in found.passages} == {"b"}


def test_words_weigh_the_same_within_a_scope(index: EdgePassageIndex) -> None:
    question = "Combien de jours dure le congé annuel ?"
    whole = _retriever(index).evidence(question, "fr", VISITOR, k=5)
    narrowed = _retriever(index).evidence(question, "fr", VISITOR, k=5, scope=Scope(documents=("b",)))
    assert narrowed.term_weights == whole.term_weights != {}


def test_scope_without_documents_gives_no_evidence(index: EdgePassageIndex) -> None:
    for name in ("nowhere", "hidden"):
        found = _retriever(index).evidence("congé annuel", "fr", VISITOR, k=5, scope=Scope(documents=(name,)))
        assert (found.passages, found.support) == ((), 0.0)


def test_wide_scope_that_leaves_out_nothing_is_no_filter_and_one_that_leaves_out_a_document_is(
    index: EdgePassageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.retrieval._WIDE", 2)
    asked: list[object] = []
    search = index.search

    def watched(*arguments: Any, within: Any = None, **more: Any) -> Any:
        asked.append(within)
        return search(*arguments, within=within, **more)

    monkeypatch.setattr(index, "search", watched)
    wide = Scope(date_from="1900-01-01")
    for there, expected in (({"a", "b"}, None), ({"a", "b", "c"}, {"a", "b"})):
        asked.clear()
        retriever = Retriever(
            index,
            HashEmbedder(),
            Lexicon(LANGUAGES),
            CALIBRATION,
            documents_within=lambda scope, _, there=there: {"a", "b"} if scope else there,
        )
        found = retriever.evidence("Combien de jours dure le congé annuel ?", "fr", VISITOR, k=5, scope=wide)
        assert {scored.passage.document_id for scored in found.passages} == {"a", "b"}
        assert asked == [expected] * len(asked)
        assert asked


def test_without_a_register_no_document_is_in_a_scope(index: EdgePassageIndex) -> None:
    bare = Retriever(index, HashEmbedder(), Lexicon(LANGUAGES), CALIBRATION)
    assert bare.search("congé annuel", VISITOR, 5)
    assert bare.search("congé annuel", VISITOR, 5, scope=Scope(documents=("a",))) == ()


def test_small_scope_is_searched_exactly_in_a_large_index(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    index = EdgePassageIndex.open(
        tmp_path, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension, exact_below=3
    )
    for name in "abc":
        passages = passages_of(name, [f"Le texte {name} parle de {n}." for n in range(3)])
        index.replace(name, "1", passages, embedder.embed_passages([p.embedded_text() for p in passages]))
    vector = embedder.embed_query("texte")
    requests = [
        index._dense_request(vector, ("public",), access_filter(("public",), within), 10)
        for within in (("a",), ("a", "b"), None)
    ]
    assert [request.params is not None and request.params.exact for request in requests] == [True, False, False]
    index.close()
