"""What every implementation of a protocol must do, written once and run by each.

A suite is a class without `Test` in its name; a test module derives from it and says how to make the implementation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from assistant.access import Label, Principal, Role
from assistant.embedding import Embedder
from assistant.errors import NotFound
from assistant.index import PassageIndex, Query, Route
from assistant.lexical import Lexicon
from assistant.types import LANGUAGES, Passage, ScoredPassage, Span, passage_id

ROUTES: tuple[Route, ...] = ("dense", "bm25", "hybrid")
PUBLIC, INTERNAL, SECRET = (Label.parse(text) for text in ("public", "internal", "secret"))
CLERK = Principal("clerk", frozenset({Role.READER}), INTERNAL)
VISITOR = Principal("visitor", frozenset({Role.READER}), PUBLIC)


def passages_of(
    document_id: str, texts: Sequence[str], *, version: str = "1", label: Label = PUBLIC, language: str = "fr"
) -> list[Passage]:
    """One passage for each text, as if they stood one after the other in a document."""
    passages, start = [], 0
    for text in texts:
        span = Span(start, start + len(text))
        start = span.end + 1
        passages.append(
            Passage(
                id=passage_id(document_id, version, span),
                document_id=document_id,
                version=version,
                title=f"Document {document_id}",
                file_name=f"{document_id}.txt",
                span=span,
                text=text,
                page_numbers=(1,),
                headings=("Partie",),
                label=label,
                language=language,
            )
        )
    return passages


class EmbedderContract:
    """Any `Embedder`."""

    texts = (
        "Le congé annuel est de trente jours.",
        "The council meets on Monday.",
        "مدة الإجازة السنوية ثلاثون يوما",
        "7",
    )

    @abstractmethod
    def make(self) -> Embedder:
        """The embedder under test; the same one at every call is fine."""

    def test_rows_are_float32_of_unit_length_in_the_order_given(self) -> None:
        embedder = self.make()
        rows = embedder.embed_passages(self.texts)
        assert rows.shape == (len(self.texts), embedder.dimension)
        assert rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        backwards = embedder.embed_passages(self.texts[::-1])
        assert np.allclose(rows, backwards[::-1], atol=1e-2)

    def test_no_texts_give_no_rows(self) -> None:
        embedder = self.make()
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)

    def test_query_lies_nearest_to_the_same_text(self) -> None:
        embedder = self.make()
        rows = embedder.embed_passages(self.texts)
        for position, text in enumerate(self.texts):
            assert int(np.argmax(rows @ embedder.embed_query(text))) == position

    def test_same_text_twice_gives_the_same_vector(self) -> None:
        embedder = self.make()
        assert np.array_equal(embedder.embed_query("bonjour"), embedder.embed_query("bonjour"))

    def test_empty_text_has_a_finite_vector(self) -> None:
        assert np.isfinite(self.make().embed_query("")).all()

    def test_text_fits_exactly_as_long_as_its_tokens_do(self) -> None:
        embedder = self.make()
        assert embedder.fits("court")
        long = "mot " * (embedder.max_tokens + 1)
        assert embedder.count_tokens(long) > embedder.max_tokens
        assert not embedder.fits(long)

    def test_dense_weight_is_a_share_in_every_language(self) -> None:
        embedder = self.make()
        assert all(0 <= embedder.dense_weight(language) <= 1 for language in (*LANGUAGES, "de"))

    def test_fingerprint_is_stable(self) -> None:
        assert self.make().fingerprint == self.make().fingerprint != ""


class IndexContract:
    """Any `PassageIndex`, empty when made. Access has a suite of its own in `tests/security`."""

    lexicon = Lexicon(LANGUAGES)

    @abstractmethod
    def index(self) -> PassageIndex:
        """The index of this test."""

    @abstractmethod
    def embedder(self) -> Embedder:
        """What its vectors come from."""

    def put(self, index: PassageIndex, passages: Sequence[Passage]) -> int:
        """Replace the document of these passages by them."""
        vectors = self.embedder().embed_passages([passage.embedded_text() for passage in passages])
        return index.replace(passages[0].document_id, passages[0].version, passages, vectors)

    def ask(
        self,
        index: PassageIndex,
        text: str,
        principal: Principal = CLERK,
        *,
        k: int = 5,
        route: Route = "hybrid",
        within: Collection[str] | None = None,
    ) -> tuple[ScoredPassage, ...]:
        """A search in French."""
        query = Query(text, "fr", self.embedder().embed_query(text), self.lexicon.search_terms(text, "fr"), 0.5)
        return index.search(query, principal, k, route=route, within=within)

    def test_what_is_stored_comes_back_whole(self) -> None:
        index, passages = (
            self.index(),
            passages_of("a", ["Les congés annuels durent trente jours.", "Le télétravail est permis."]),
        )
        assert self.put(index, passages) == 2
        assert index.document_passages("a", CLERK) == tuple(passages)
        assert index.passage(passages[1].id, CLERK) == passages[1]

    def test_every_route_finds_the_passage_that_says_it(self) -> None:
        index, passages = (
            self.index(),
            passages_of("a", ["Les congés annuels durent trente jours.", "Le télétravail est permis."]),
        )
        self.put(index, passages)
        for route in ROUTES:
            found = self.ask(index, "télétravail permis", route=route)
            assert found[0].passage == passages[1], route
            assert [scored.rank for scored in found] == list(range(1, len(found) + 1))
            assert {scored.route for scored in found} == {route}

    def test_at_most_k_come_back_best_first(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", [f"Le congé numéro {number} est accordé." for number in range(9)]))
        for route in ROUTES:
            found = self.ask(index, "congé accordé", k=4, route=route)
            assert len(found) == 4
            assert [scored.score for scored in found] == sorted((scored.score for scored in found), reverse=True)

    def test_search_within_documents_is_the_whole_ranking_without_the_others(self) -> None:
        index = self.index()
        for name in "abcdef":
            label = SECRET if name == "f" else PUBLIC
            self.put(index, passages_of(name, [f"Le congé {name} est accordé.", f"Le budget {name}."], label=label))
        for route in ("dense", "bm25"):
            whole = self.ask(index, "congé accordé", k=20, route=route)
            within = self.ask(index, "congé accordé", k=20, route=route, within={"b", "d", "f", "nowhere"})
            assert within, route
            assert [(found.passage.id, found.score) for found in within] == [
                (found.passage.id, found.score) for found in whole if found.passage.document_id in ("b", "d")
            ], route
        found = self.ask(index, "congé accordé", k=20, within={"b", "d", "f"})
        assert {scored.passage.document_id for scored in found} == {"b", "d"}

    def test_search_within_no_document_finds_nothing(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", ["Le congé est accordé."]))
        assert all(self.ask(index, "congé accordé", route=route, within=()) == () for route in ROUTES)

    def test_search_in_one_language_is_the_whole_ranking_without_the_others(self) -> None:
        index = self.index()
        for name, language in (("a", "fr"), ("b", "ar"), ("c", "en"), ("d", "fr")):
            self.put(index, passages_of(name, [f"Le congé {name} est accordé.", f"Le {name}."], language=language))
        self.put(index, passages_of("e", ["Le congé secret est accordé."], label=SECRET))
        query = Query("congé accordé", "ar", self.embedder().embed_query("congé accordé"), frozenset(), 1.0)
        whole = index.search(query, CLERK, 20, route="dense")
        for language, own in (("fr", {"a", "d"}), ("ar", {"b"}), ("en", {"c"})):
            found = index.search(replace(query, written_in=language), CLERK, 20, route="dense")
            assert {scored.passage.document_id for scored in found} == own
            assert [(each.passage.id, each.score) for each in found] == [
                (each.passage.id, each.score) for each in whole if each.passage.document_id in own
            ]
        assert index.search(replace(query, written_in="de"), CLERK, 20, route="dense") == ()

    def test_equal_scores_come_in_the_order_of_their_ids(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", ["Le même texte partout."] * 6))
        found = [scored.passage.id for scored in self.ask(index, "même texte partout", k=6, route="bm25")]
        assert found == sorted(found)

    def test_replacing_twice_changes_nothing(self) -> None:
        index, passages = self.index(), passages_of("a", ["Un.", "Deux."])
        assert self.put(index, passages) == self.put(index, passages) == 2
        assert index.passage_count(CLERK) == 2

    def test_new_version_takes_the_place_of_the_old(self) -> None:
        index = self.index()
        old = passages_of("a", ["Le délai est de dix jours.", "Ancien."], version="1")
        new = passages_of("a", ["Le délai est de vingt jours."], version="2")
        self.put(index, old)
        assert self.put(index, new) == 1
        assert index.document_passages("a", CLERK) == tuple(new)
        assert (index.count("a", "1"), index.count("a", "2")) == (0, 1)
        assert [scored.passage for scored in self.ask(index, "délai ancien")] == new

    def test_vectors_come_back_as_they_were_given(self) -> None:
        index, passages = self.index(), passages_of("a", ["congé annuel", "prime de fin d'année"])
        self.put(index, passages)
        self.put(index, passages_of("b", ["autre chose"]))
        texts = [passage.embedded_text() for passage in passages]
        stored = index.vectors("a")
        assert sorted(stored) == sorted(texts)
        rows = self.embedder().embed_passages(texts)
        assert all(np.array_equal(stored[text], row) for text, row in zip(texts, rows, strict=True))
        assert index.vectors("nowhere") == {}

    def test_replacing_by_nothing_removes(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", ["Un."]))
        nothing = np.zeros((0, self.embedder().dimension), dtype=np.float32)
        assert index.replace("a", "2", [], nothing) == 0
        assert index.passage_count(CLERK) == 0

    def test_removing_tells_how_many_there_were(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", ["Un.", "Deux."]))
        self.put(index, passages_of("b", ["Trois."]))
        assert (index.remove("a"), index.remove("a"), index.remove("c")) == (2, 0, 0)
        assert index.document_count(CLERK) == 1
        assert self.ask(index, "un deux") == () or all(s.passage.document_id == "b" for s in self.ask(index, "un deux"))

    def test_what_is_not_there_is_not_found(self) -> None:
        index = self.index()
        for call in (lambda: index.passage("nothing", CLERK), lambda: index.document_passages("nothing", CLERK)):
            try:
                call()
            except NotFound:
                continue
            raise AssertionError("NotFound was expected")

    def test_empty_index_answers_everything_with_nothing(self) -> None:
        index = self.index()
        assert all(self.ask(index, "congé", route=route) == () for route in ROUTES)
        assert index.term_weights({1, 2}, CLERK) == {}
        assert (index.passage_count(CLERK), index.document_count(CLERK)) == (0, 0)

    def test_question_without_words_finds_nothing_by_words(self) -> None:
        index = self.index()
        self.put(index, passages_of("a", ["Un texte."]))
        assert index.search(Query("", "fr", None, frozenset()), CLERK, 5) == ()

    def test_term_weight_is_the_inverse_document_frequency(self) -> None:
        index = self.index()
        for name in ("a", "b", "c"):
            self.put(index, passages_of(name, ["Le congé est accordé." if name == "a" else "Le congé est refusé."]))
        terms = {word: next(iter(self.lexicon.query_terms(word, "fr"))) for word in ("congé", "accordé", "budget")}
        weights = index.term_weights(terms.values(), CLERK)
        expected = {"congé": np.log(4 / 3.5), "accordé": np.log(4 / 1.5), "budget": np.log(4 / 0.5)}
        assert {word: round(weights[terms[word]], 9) for word in terms} == {w: round(x, 9) for w, x in expected.items()}

    def test_passages_and_vectors_that_do_not_belong_together_are_refused(self) -> None:
        index, passages = self.index(), passages_of("a", ["Un.", "Deux."])
        vectors = self.embedder().embed_passages(["Un."])
        for document_id, rows in (("a", vectors), ("b", np.vstack([vectors, vectors]))):
            try:
                index.replace(document_id, "1", passages, rows)
            except ValueError:
                continue
            raise AssertionError("ValueError was expected")
        assert index.passage_count(CLERK) == 0

    def test_optimizing_changes_no_ranking(self) -> None:
        index = self.index()
        self.put(
            index,
            passages_of("a", [f"Le congé numéro {number} est accordé à {number} agents." for number in range(30)]),
        )
        before = {
            route: [(s.passage.id, s.score) for s in self.ask(index, "congé 7 agents", route=route)] for route in ROUTES
        }
        index.optimize()
        after = {
            route: [(s.passage.id, s.score) for s in self.ask(index, "congé 7 agents", route=route)] for route in ROUTES
        }
        assert before == after
