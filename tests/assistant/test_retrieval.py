from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.across import Bridges
from assistant.embedding import HashEmbedder
from assistant.errors import ConfigurationError
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES, NO_SUPPORT
from assistant.reranking import Reranker
from assistant.retrieval import Calibration, LanguageCalibration, Retriever
from assistant.scope import Scope
from assistant.testing import CLERK, ROUTES, SECRET, VISITOR, passages_of
from assistant.types import LANGUAGES, Passage
from tests.worlds import ROOT

CALIBRATION = ROOT / "configs" / "calibration.toml"
BY_COVERAGE = Calibration(
    {
        language: LanguageCalibration(-2.0, tuple(4.0 * (name == "sentence") for name in FEATURES), 0.5)
        for language in LANGUAGES
    }
)


@pytest.fixture
def retriever(tmp_path: Path) -> Iterator[Retriever]:
    embedder = HashEmbedder()
    index = EdgePassageIndex.open(tmp_path, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension)
    documents = [
        passages_of("a", ["Le congé annuel dure trente jours.", "Le badge perdu est remplacé."]),
        passages_of("b", ["Le congé annuel dure trente jours."]),
        passages_of("ar", ["مدة الإجازة السنوية ثلاثون يوما."], language="ar"),
        passages_of("s", ["Le congé spécial dure quatre-vingt-dix jours."], label=SECRET),
    ]
    for passages in documents:
        vectors = embedder.embed_passages([passage.embedded_text() for passage in passages])
        index.replace(passages[0].document_id, "1", passages, vectors)
    yield Retriever(index, embedder, Lexicon(LANGUAGES), BY_COVERAGE)
    index.close()


def test_evidence_holds_the_passage_that_answers_first(retriever: Retriever) -> None:
    found = retriever.evidence("Combien de jours dure le congé annuel ?", None, CLERK, k=3)
    assert found.language == "fr"
    assert found.passages[0].passage.text == "Le congé annuel dure trente jours."
    assert set(found.term_weights)
    assert found.support > 0.5
    assert retriever.sufficient(found)


def test_text_that_is_stored_twice_is_evidence_once(retriever: Retriever) -> None:
    found = retriever.evidence("Combien de jours dure le congé annuel ?", "fr", CLERK, k=5)
    texts = [scored.passage.text for scored in found.passages]
    assert len(texts) == len(set(texts))
    assert [scored.rank for scored in found.passages] == list(range(1, len(texts) + 1))


def test_arabic_question_finds_the_arabic_passage(retriever: Retriever) -> None:
    found = retriever.evidence("ما هي مدة الإجازة السنوية؟", None, CLERK, k=2)
    assert found.language == "ar"
    assert found.passages[0].passage.document_id == "ar"


class Bridged(Bridges):
    """Bridges all languages."""

    def within_reach(self, language: str) -> tuple[str, ...]:
        return tuple(other for other in LANGUAGES if other != language)


@pytest.fixture
def bridged(retriever: Retriever) -> Retriever:
    """In Arabic and English the words of the French passages, which is all that this encoder understands."""
    for passages in (
        passages_of("en", ["The badge costs nine.", "Le badge perdu coûte neuf."], language="en"),
        passages_of("en-secret", ["Le badge perdu est remplacé lundi."], language="en", label=SECRET),
    ):
        vectors = retriever._embedder.embed_passages([passage.embedded_text() for passage in passages])
        retriever._index.replace(passages[0].document_id, "1", passages, vectors)
    retriever._bridges = Bridged(retriever._embedder, LANGUAGES)
    return retriever


def test_nearest_passage_of_another_language_that_comes_as_near_as_ones_own_is_found(bridged: Retriever) -> None:
    evidence = bridged.evidence("Le badge perdu coûte neuf", "fr", CLERK, k=3)
    found = bridged.in_other_languages(evidence, CLERK)
    assert [(each.passage.document_id, each.passage.text) for each in found] == [("en", "Le badge perdu coûte neuf.")]


def test_passage_of_another_language_far_behind_ones_own_is_not_worth_a_look(bridged: Retriever) -> None:
    evidence = bridged.evidence("Le congé annuel dure trente jours.", "fr", CLERK, k=3)
    assert bridged.in_other_languages(evidence, CLERK) == ()


def test_where_nothing_is_in_ones_own_language_every_other_one_is_worth_a_look(bridged: Retriever) -> None:
    for document_id in ("en", "en-secret"):
        bridged._index.remove(document_id)
    evidence = bridged.evidence("badge lost", "en", CLERK, k=3)
    assert {each.passage.language for each in bridged.in_other_languages(evidence, CLERK)} == {"fr", "ar"}


def test_other_languages_are_searched_within_the_clearance_and_the_scope(bridged: Retriever) -> None:
    evidence = bridged.evidence("Le badge perdu est remplacé lundi", "fr", CLERK, k=3)
    before = bridged.in_other_languages(evidence, VISITOR)
    bridged._index.remove("en-secret")
    assert bridged.in_other_languages(evidence, VISITOR) == before
    assert bridged.in_other_languages(evidence, CLERK, scope=Scope(documents=frozenset({"a"}))) == ()


def test_encoder_that_bridges_no_language_leads_to_none(retriever: Retriever) -> None:
    evidence = retriever.evidence("badge lost", "en", CLERK, k=3)
    assert retriever.in_other_languages(evidence, CLERK) == ()
    retriever._bridges = Bridges(retriever._embedder, LANGUAGES)
    assert retriever.in_other_languages(evidence, CLERK) == ()


def test_question_that_nothing_answers_is_not_sufficient(retriever: Retriever) -> None:
    assert not retriever.sufficient(retriever.evidence("Quel est le prix du pétrole ?", "fr", CLERK, k=5))


def test_evidence_is_the_same_with_or_without_what_may_not_be_read(retriever: Retriever) -> None:
    question = "Combien de jours dure le congé spécial ?"
    before = retriever.evidence(question, "fr", VISITOR, k=5)
    retriever._index.remove("s")
    assert retriever.evidence(question, "fr", VISITOR, k=5) == before


def test_reader_of_nothing_gets_no_evidence_and_no_support(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    index = EdgePassageIndex.open(tmp_path, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension)
    found = Retriever(index, embedder, Lexicon(LANGUAGES), BY_COVERAGE).evidence("Quoi ?", "fr", VISITOR, k=5)
    index.close()
    assert (found.passages, found.term_weights, found.support) == ((), {}, 0.0)


def test_every_route_can_be_searched_alone(retriever: Retriever) -> None:
    for route in ROUTES:
        found = retriever.search("Le badge perdu est remplacé", CLERK, 2, route)
        assert found[0].passage.text == "Le badge perdu est remplacé."


def test_calibration_in_the_repository_loads() -> None:
    calibration = Calibration.load(CALIBRATION)
    for language in LANGUAGES:
        assert 0.05 < calibration.threshold(language) < 0.95
        nothing = calibration.support(language, NO_SUPPORT)
        against = {name: 0.0 for name in FEATURES if name.endswith(("missing", "elsewhere", "otherwise"))}
        everything = calibration.support(language, dict.fromkeys(FEATURES, 1.0) | against)
        assert nothing < calibration.threshold(language) < everything


def test_features_without_the_answer_are_those_of_what_is_left(retriever: Retriever) -> None:
    question = "Combien de jours dure le congé annuel ?"
    whole, hidden = (
        retriever.features(question, "fr", VISITOR, k=2, without=without) for without in ("", "dure trente\nJOURS")
    )
    assert whole["sentence"] == 1 > hidden["sentence"]


@pytest.mark.parametrize("damage", ["", "[fr]\nthreshold = 1", "not toml", None])
def test_unusable_calibration_is_named(tmp_path: Path, damage: str | None) -> None:
    file = tmp_path / "calibration.toml"
    if damage is not None:
        file.write_text(damage, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"calibration\.toml"):
        Calibration.load(file)


def test_calibration_for_other_features_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "calibration.toml"
    file.write_text(CALIBRATION.read_text(encoding="utf-8").replace("word_margin", "other"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="other features"):
        Calibration.load(file)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgePassageIndex]:
    embedder = HashEmbedder()
    index = EdgePassageIndex.open(tmp_path, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension)
    yield index
    index.close()


def put(index: EdgePassageIndex, passages: Sequence[Passage]) -> None:
    vectors = HashEmbedder().embed_passages([passage.embedded_text() for passage in passages])
    index.replace(passages[0].document_id, "1", passages, vectors)


def of(index: EdgePassageIndex, reranker: Reranker | None = None, weight: float = 1.0) -> Retriever:
    return Retriever(
        index,
        HashEmbedder(),
        Lexicon(LANGUAGES),
        BY_COVERAGE,
        reranker=reranker,
        reranker_depth=2,
        reranker_weight=weight,
    )


def test_document_of_the_year_and_kind_asked_for_comes_first_and_the_other_stays(index: EdgePassageIndex) -> None:
    for year, kind in (("2021", "circular"), ("2024", "circular"), ("2023", "order")):
        passages = passages_of(year, [f"Le télétravail est permis deux jours par semaine, texte {year[-1]}."])
        put(index, [replace(passage, date=f"{year}-05-01", document_type=kind) for passage in passages])
    for question, first, followed in (
        ("Combien de jours de télétravail selon la circulaire de 2021 ?", "2021", ("type circular", "year 2021")),
        ("Combien de jours de télétravail selon la circulaire de 2024 ?", "2024", ("type circular", "year 2024")),
        ("Combien de jours de télétravail dans l'arrêté ?", "2023", ("type order",)),
        ("Combien de jours de télétravail en 1999 dans le décret ?", None, ()),
    ):
        found = of(index).evidence(question, "fr", CLERK, k=5)
        assert found.preferred == followed
        assert first in (None, found.passages[0].passage.document_id)
        assert len(found.passages) == 3


def test_a_crowded_section_leaves_room_for_another_document(index: EdgePassageIndex) -> None:
    put(index, passages_of("a", [f"Le congé annuel dure trente jours, cas {number}." for number in range(9)]))
    put(index, passages_of("b", ["Le congé est accordé par le chef de service et par lui seul, sur demande écrite."]))
    found = of(index).evidence("Combien de jours dure le congé annuel ?", "fr", CLERK, k=4)
    assert [scored.passage.document_id for scored in found.passages] == ["a", "a", "a", "b"]


def test_long_text_without_headings_and_pages_is_not_one_crowded_section(index: EdgePassageIndex) -> None:
    articles = [f"المادة {number}: {'مقتضيات متفرقة ' * 60}" for number in range(1, 12)]
    [*passages] = passages_of("a", articles, language="ar")
    put(index, passages)
    put(index, passages_of("b", [f"مقتضيات متفرقة في المادة {number}" for number in range(20, 30)], language="ar"))
    found = of(index).evidence("مقتضيات متفرقة", "ar", CLERK, k=12)
    assert sum(scored.passage.document_id == "a" for scored in found.passages) > 3


def test_best_passage_by_words_is_evidence_where_vectors_would_leave_it_out(index: EdgePassageIndex) -> None:
    table = passages_of("t", ["Level | Crisis unit | Staff on site\n3 | Permanent | 25 %"], language="en")
    index.replace("t", "1", table, HashEmbedder().embed_passages(["zzzz"]))
    prose = passages_of(
        "p", [f"Somebody somewhere said that level {n} matters to everybody." for n in range(8)], language="en"
    )
    index.replace(
        "p", "1", prose, HashEmbedder().embed_passages(["How much staff is on site at level 3?"] * len(prose))
    )
    trusting = Retriever(index, HashEmbedder(dense_weights={"en": 1.0}), Lexicon(LANGUAGES), BY_COVERAGE)
    found = trusting.evidence("How much staff is on site at level 3?", "en", CLERK, k=3)
    assert "t" in [scored.passage.document_id for scored in found.passages]


class ByLength:
    """The longest text first."""

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:
        return [float(len(passage.text)) for passage in passages]


def test_reranker_orders_the_best_and_leaves_the_rest_behind_them(index: EdgePassageIndex) -> None:
    texts = ["Le congé annuel.", "Le congé annuel est long.", "Autre chose, et rien du tout, mais en beaucoup de mots."]
    put(index, passages_of("a", texts))
    plain = of(index).search("congé annuel", CLERK, 3)
    assert [scored.passage.text for scored in plain] == texts
    found = of(index, ByLength()).search("congé annuel", CLERK, 3)
    assert [scored.passage.text for scored in found] == [texts[1], texts[0], texts[2]]
    assert [(scored.rank, scored.route) for scored in found] == [(1, "reranked"), (2, "reranked"), (3, "hybrid")]
    assert found == of(index, ByLength()).evidence("congé annuel", "fr", CLERK, k=3).passages


def test_reranker_and_search_share_the_order_by_their_weight(index: EdgePassageIndex) -> None:
    put(index, passages_of("a", ["Le congé annuel.", "Le congé annuel est long."]))
    for weight, first, scores in (
        (0.3, "Le congé annuel.", [0.7, 0.3]),
        (0.6, "Le congé annuel est long.", [0.6, 0.4]),
    ):
        found = of(index, ByLength(), weight).search("congé annuel", CLERK, 2)
        assert found[0].passage.text == first
        assert [scored.score for scored in found] == pytest.approx(scores)


def test_reranker_reads_as_many_as_it_is_set_to_when_fewer_are_asked_for(index: EdgePassageIndex) -> None:
    put(index, passages_of("a", ["Le congé annuel.", "Le congé annuel est long."]))
    found = of(index, ByLength()).search("congé annuel", CLERK, 1)
    assert [(scored.passage.text, scored.rank) for scored in found] == [("Le congé annuel est long.", 1)]
