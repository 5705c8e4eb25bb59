"""A reader's rankings, scores, evidence, support, weights and counts are bit for bit the same, whatever else is in the index.

Random corpora, labels, clearances and questions; two indexes hold what the reader may see, and one of them everything else too.
The order in which documents came in differs as well, and so does what was added and taken away in between.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.access import Label, Level, Principal, Role
from assistant.across import Bridges
from assistant.embedding import HashEmbedder
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES
from assistant.reranking import KeepOrder, Reranker
from assistant.retrieval import Calibration, LanguageCalibration, Retriever
from assistant.scope import Scope
from assistant.testing import ROUTES, passages_of
from assistant.types import LANGUAGES, Passage

EMBEDDER = HashEmbedder(dense_weights={"fr": 0.4, "ar": 0.0, "en": 0.8})
LEXICON = Lexicon(LANGUAGES)
CALIBRATION = Calibration(
    {language: LanguageCalibration(-1.0, tuple(0.5 for _ in FEATURES), 0.5) for language in LANGUAGES}
)
WORDS = (
    "prime", "agents", "congé", "budget", "salle", "exceptionnelle", "marché", "eau", "council", "leave", "الإجازة", "الموظف",
    "L. 2123-1", "n° 2019-1479", "24 décembre 2019", "1 500 €", "article 5",
)  # fmt: skip
QUESTIONS = (
    "Quel est le montant de la prime exceptionnelle des agents ?",
    "Que prévoit la circulaire de 2021 sur le congé ?",
    "Que dit l'article L2123-1 ?",
    "How long is the leave of the council?",
    "ما هي مدة الإجازة؟",
)

labels = st.builds(
    Label, st.sampled_from(Level), st.frozensets(st.sampled_from(("tax", "health", "police")), max_size=2)
)
texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join), min_size=1, max_size=3)
facts = st.tuples(
    labels, texts, st.sampled_from((None, "2021-03-01", "2024-05-01")), st.sampled_from((None, "circular", "order"))
)
worlds = st.lists(facts, min_size=1, max_size=12)


class Everywhere(Bridges):
    """Bridges all languages."""

    def within_reach(self, language: str) -> tuple[str, ...]:
        return tuple(other for other in LANGUAGES if other != language)


class ByWords(KeepOrder):
    """The more of its words are the question's, the better."""

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:
        asked = LEXICON.query_terms(question, language)
        found = [LEXICON.query_terms(passage.text, language) for passage in passages]
        return [len(asked & terms) / max(1, len(terms)) for terms in found]


def _documents(world: Sequence[tuple[Label, list[str], str | None, str | None]]) -> list[list[Passage]]:
    return [
        [
            replace(p, date=date, document_type=kind)
            for p in passages_of(f"document-{n}", texts, label=label, language=LANGUAGES[n % 3])
        ]
        for n, (label, texts, date, kind) in enumerate(world)
    ]


def _put(index: EdgePassageIndex, passages: Sequence[Passage]) -> None:
    vectors = EMBEDDER.embed_passages([passage.embedded_text() for passage in passages])
    index.replace(passages[0].document_id, passages[0].version, passages, vectors)


def _seen(
    index: EdgePassageIndex, principal: Principal, reranker: Reranker, scope: Scope = Scope.everything
) -> dict[str, object]:
    retriever = Retriever(
        index,
        EMBEDDER,
        LEXICON,
        CALIBRATION,
        reranker=reranker,
        reranker_depth=4,
        bridges=Everywhere(EMBEDDER, LANGUAGES),
        documents_within=lambda scope, _: scope.documents,  # hidden ones too: the index alone must keep them back
    )
    seen: dict[str, object] = {"counts": (index.passage_count(principal), index.document_count(principal))}
    for question in QUESTIONS:
        for route in ROUTES:
            found = retriever.search(question, principal, 30, route, scope=scope)
            seen[f"{question} {route}"] = [(s.passage, s.score.hex(), s.rank, s.route) for s in found]
        evidence = retriever.evidence(question, None, principal, k=5, scope=scope)
        seen[f"{question} evidence"] = evidence
        abroad = retriever.in_other_languages(evidence, principal, scope=scope)
        seen[f"{question} abroad"] = [(s.passage, s.score.hex()) for s in abroad]
        seen[f"{question} support"] = (evidence.support.hex(), {t: w.hex() for t, w in evidence.term_weights.items()})
        seen[f"{question} features"] = retriever.features(question, None, principal, k=5)
    return seen


@settings(max_examples=30, deadline=None)
@given(
    world=worlds,
    clearance=labels,
    exact_below=st.sampled_from((0, 200_000)),
    reranker=st.sampled_from((KeepOrder(), ByWords())),
    optimized=st.booleans(),
    limited_to=st.frozensets(st.integers(0, 11)),
)
def test_hidden_passages_change_no_bit_of_what_a_reader_gets(
    world: list[tuple[Label, list[str], str | None, str | None]],
    clearance: Label,
    exact_below: int,
    reranker: Reranker,
    optimized: bool,
    limited_to: frozenset[int],
) -> None:
    principal = Principal("reader", frozenset({Role.READER}), clearance)
    documents = _documents(world)
    readable = [passages for passages in documents if principal.may_read(passages[0].label)]
    with tempfile.TemporaryDirectory() as folder:
        both = [
            EdgePassageIndex.open(
                Path(folder) / name,
                embedder_fingerprint=EMBEDDER.fingerprint,
                dimension=EMBEDDER.dimension,
                exact_below=exact_below,
            )
            for name in ("everything", "readable")
        ]
        for index, given_ in zip(both, (documents[::-1], readable), strict=True):
            for passages in given_:
                _put(index, passages)
        _put(both[0], passages_of("gone", list(QUESTIONS), label=Label(Level.SECRET)))
        both[0].remove("gone")
        if optimized:
            both[0].optimize()
        scope = Scope(documents=tuple(f"document-{n}" for n in limited_to))
        whole, limited = ([_seen(index, principal, reranker, to) for index in both] for to in (Scope.everything, scope))
        for index in both:
            index.close()
    for full, only_readable in (whole, limited):
        for what, seen in only_readable.items():
            assert full[what] == seen, f"leaked in: {what}"
