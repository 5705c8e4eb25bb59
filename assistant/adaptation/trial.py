"""Whether an adapted encoder finds more than its base, on documents that its training has not seen.

Own questions are words of a sentence, and their passage is searched without that sentence; gold questions are asked of the
passages as they are. Documents of the share CHOOSING choose how much vectors count in each language, for both encoders alike;
those of JUDGING decide. Rankings are those of the index: the same terms, weights and fusion, over all passages of the trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from assistant.adaptation.pairs import CorpusPassage, GoldPair, OwnQuestion, Share, by_id, own_questions, share_of
from assistant.embedding import Embedder
from assistant.evaluation.rankings import ranking_scores
from assistant.evaluation.significance import Difference, differences
from assistant.index.fusion import fused_ranking
from assistant.lexical import Lexicon
from assistant.questions import subject

DEPTH = 100
"""Passages taken from each ranking before they are fused, as in the index."""
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FEWEST = 20
"""Questions of a language from which on they choose its weight, and of a kind from which on they have a say in the verdict."""
MOST_PASSAGES = 4_000
MOST_QUESTIONS = 1_000
"""Of each share: more make the trial long, and the verdict no different."""

Ranking = list[tuple[str, float]]
Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """nDCG@10 before and after on the same questions."""

    queries: int
    before: float
    after: float
    gain: Difference


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trial found."""

    better: bool
    why: str
    """One sentence for the operator."""
    dense_weights: dict[str, float]
    """Of the adapted encoder, by language of the question."""
    comparisons: dict[str, dict[str, Comparison]]
    """Kind of question (`own`, `gold`) → route (`dense`, `hybrid`) → figures on the documents that judge."""


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    language: str
    share: Share
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Collection:
    """Questions of one kind, and what each passage says while they are asked: id → (language, embedded text)."""

    texts: Mapping[str, tuple[str, str]]
    questions: tuple[_Question, ...]


def judge(
    passages: Sequence[CorpusPassage],
    gold: Iterable[GoldPair],
    base: Embedder,
    adapted: Embedder,
    lexicon: Lexicon,
    *,
    seed: int,
) -> Verdict:
    """Compare both encoders; `seed` is that of the training, which divided the documents."""
    passages = _tried(passages, seed)
    kinds = {"own": _own(passages, seed), "gold": _gold(passages, gold, seed)}
    rankings = {
        kind: _Rankings(collection, lexicon, base, adapted)
        for kind, collection in kinds.items()
        if collection.questions
    }
    now = {language: base.dense_weight(language) for language in sorted({p.language for p in passages})}
    before = _chosen_weights(rankings, "base", now)
    after = _chosen_weights(rankings, "adapted", now)
    comparisons = {kind: found.comparisons(before, after) for kind, found in rankings.items()}
    comparisons = {kind: found for kind, found in comparisons.items() if found}
    better, why = _decision(comparisons)
    return Verdict(better, why, after, comparisons)


class _Rankings:
    """Both encoders' and the words' rankings of one collection."""

    def __init__(self, collection: _Collection, lexicon: Lexicon, base: Embedder, adapted: Embedder) -> None:
        self._collection = collection
        self.questions = collection.questions
        self._words = _word_rankings(collection, lexicon)
        self._dense = {"base": _dense_rankings(collection, base), "adapted": _dense_rankings(collection, adapted)}

    def scores(self, encoder: str, weights: Weights | None, places: Sequence[int]) -> NDArray[np.float64]:
        """(n,) nDCG@10 of these questions; by vectors alone when there are no weights."""
        documents = {}
        for place in places:
            dense = self._dense[encoder][place]
            weight = 1.0 if weights is None else weights[self.questions[place].language]
            words = self._words[place] if weight < 1 else []
            fused = fused_ranking(dense if weight > 0 else [], words, weight, depth=DEPTH)
            documents[str(place)] = tuple(found for found, _ in fused[:10])
        relevant = {str(place): dict.fromkeys(self.questions[place].relevant, 1) for place in places}
        found = ranking_scores(relevant, documents)["ndcg@10"]
        return np.array([found[str(place)] for place in places])

    def places(self, share: Share, language: str | None = None) -> list[int]:
        """The questions of a share, and of a language when it is given."""
        return [
            place
            for place, asked in enumerate(self.questions)
            if asked.share is share and language in (None, asked.language)
        ]

    def comparisons(self, before: Weights, after: Weights) -> dict[str, Comparison]:
        """Route → figures over the questions that judge; none when there are no such questions."""
        places = self.places(Share.JUDGING)
        if not places:
            return {}
        routes = {"dense": (None, None), "hybrid": (before, after)}
        return {route: self._comparison(places, *weights) for route, weights in routes.items()}

    def _comparison(self, places: Sequence[int], before: Weights | None, after: Weights | None) -> Comparison:
        theirs, ours = self.scores("base", before, places), self.scores("adapted", after, places)
        gain = differences(ours[:, None], theirs[:, None])[0]
        return Comparison(len(places), float(theirs.mean()), float(ours.mean()), gain)


def _decision(comparisons: Mapping[str, Mapping[str, Comparison]]) -> tuple[bool, str]:
    """Better when vectors alone find significantly more, for every kind of question that can tell, and both together no less."""
    telling = {kind: found for kind, found in comparisons.items() if found["dense"].queries >= FEWEST}
    if not telling:
        return False, f"there are fewer than {FEWEST} held-out questions; hand in more documents first"
    for kind, found in telling.items():
        dense, hybrid = found["dense"].gain, found["hybrid"].gain
        if kind == "own" and not (dense.significant and dense.difference > 0):
            return False, f"vectors alone gain {dense.difference:+.3f} nDCG@10 (p = {dense.p:.3f}): not significant"
        if dense.difference < 0:
            return False, f"on gold questions vectors alone lose {-dense.difference:.3f} nDCG@10"
        if hybrid.difference < 0:
            return False, f"on {kind} questions vectors and words together lose {-hybrid.difference:.3f} nDCG@10"
    return True, "it finds significantly more in documents that it was not trained on"


def _chosen_weights(rankings: Mapping[str, _Rankings], encoder: str, now: Weights) -> dict[str, float]:
    """The best weight of each language on the share CHOOSING; of equal ones the nearest to the present one.

    Gold questions choose where there are enough, own ones otherwise; a language with neither keeps its weight.
    """
    chosen = dict(now)
    for language in now:
        for kind in ("gold", "own"):
            places = rankings[kind].places(Share.CHOOSING, language) if kind in rankings else []
            if len(places) >= FEWEST:
                means = {w: rankings[kind].scores(encoder, {language: w}, places).mean() for w in WEIGHTS}
                chosen[language] = max(WEIGHTS, key=lambda w: (round(means[w], 6), -abs(w - now[language])))
                break
    return chosen


def _tried(passages: Sequence[CorpusPassage], seed: int) -> list[CorpusPassage]:
    """At most `MOST_PASSAGES`: three quarters of documents that are held out, where there are so many."""
    held_out = [p for p in passages if share_of(p.document_id, seed=seed) is not Share.TRAINING][
        : MOST_PASSAGES * 3 // 4
    ]
    others = [p for p in passages if share_of(p.document_id, seed=seed) is Share.TRAINING]
    return held_out + others[: MOST_PASSAGES - len(held_out)]


def _own(passages: Sequence[CorpusPassage], seed: int) -> _Collection:
    shares = {passage.id: share_of(passage.document_id, seed=seed) for passage in passages}
    asked: list[OwnQuestion] = []
    for share in (Share.CHOOSING, Share.JUDGING):
        asked += own_questions((p for p in passages if shares[p.id] is share), seed=seed)[:MOST_QUESTIONS]
    remaining = {question.passage.id: question.remaining for question in asked}
    texts = {p.id: (p.language, p.embedded(remaining.get(p.id, p.text))) for p in passages}
    questions = (
        _Question(a.question, a.passage.language, shares[a.passage.id], frozenset({a.passage.id})) for a in asked
    )
    return _Collection(texts, tuple(questions))


def _gold(passages: Sequence[CorpusPassage], gold: Iterable[GoldPair], seed: int) -> _Collection:
    known = by_id(passages)
    questions = []
    for asked in gold:
        relevant = frozenset(key for key in asked.passages if key in known)
        shares = {share_of(known[key].document_id, seed=seed) for key in relevant}
        if relevant and Share.TRAINING not in shares:
            share = Share.CHOOSING if Share.CHOOSING in shares else Share.JUDGING
            questions.append(_Question(asked.question, asked.language, share, relevant))
    return _Collection({p.id: (p.language, p.embedded(p.text)) for p in passages}, tuple(questions))


def _dense_rankings(collection: _Collection, embedder: Embedder) -> list[Ranking]:
    ids = list(collection.texts)
    rows = embedder.embed_passages([text for _, text in collection.texts.values()])
    asked = np.stack([embedder.embed_query(question.text) for question in collection.questions])
    return [_best(ids, scores) for scores in asked @ rows.T]


def _word_rankings(collection: _Collection, lexicon: Lexicon) -> list[Ranking]:
    """BM25 with idf over all passages of the trial, as the index computes it."""
    ids = list(collection.texts)
    postings: dict[int, list[tuple[int, float]]] = {}
    for place, (language, text) in enumerate(collection.texts.values()):
        held = lexicon.document_vector(text, language)
        for term, weight in zip(held.indices, held.values, strict=True):
            postings.setdefault(term, []).append((place, weight))
    found = []
    for question in collection.questions:
        scores = np.zeros(len(ids))
        for term in lexicon.search_terms(subject(question.text, question.language), question.language):
            for place, weight in postings.get(term, ()):
                scores[place] += weight * log((len(ids) + 1) / (len(postings[term]) + 0.5))
        found.append([entry for entry in _best(ids, scores) if entry[1] > 0])
    return found


def _best(ids: Sequence[str], scores: NDArray[np.floating]) -> Ranking:
    """The `DEPTH` best, best first; ties by id."""
    top = np.argpartition(-scores, min(DEPTH, len(ids)) - 1)[:DEPTH]
    return sorted(((ids[place], float(scores[place])) for place in top), key=lambda entry: (-entry[1], entry[0]))
