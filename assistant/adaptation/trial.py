"""Whether an adapted encoder finds more than its base, on documents that its training has not seen.

Own questions are words of a sentence, and their passage is searched without that sentence; several of one passage count as
one, by their mean. Gold questions are asked of the passages as they are. Documents of the share CHOOSING choose how much vectors
count in each language, for both encoders alike; those of JUDGING decide. Rankings are those of the index: the same terms,
weights and fusion, over all passages of the trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from assistant.adaptation.pairs import CorpusPassage, GoldPair, Share, by_id, division, own_questions
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
MOST_CHANGE = 0.2
"""By which own questions may change a weight."""
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
    remaining: str | None = None
    """What the encoder reads of the one relevant passage instead of it; None: the passage as it is."""

    @property
    def unit(self) -> str:
        """Questions of one unit count as one, by their mean: they are not independent of each other."""
        return self.text if self.remaining is None else next(iter(self.relevant))


@dataclass(frozen=True, slots=True)
class _Collection:
    """Questions of one kind, and what is searched: passage id → (language, embedded text)."""

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
    shares = division((p.document_id for p in passages), seed=seed)
    passages = _tried(passages, shares)
    kinds = {"own": _own(passages, shares, seed), "gold": _gold(passages, gold, shares)}
    rankings = {
        kind: _Rankings(collection, lexicon, base, adapted)
        for kind, collection in kinds.items()
        if collection.questions
    }
    now = {language: base.dense_weight(language) for language in sorted({p.language for p in passages})}
    before, after = _weights(rankings, now)
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
        theirs, ours = (
            self._by_unit(places, self.scores(encoder, weights, places))
            for encoder, weights in (("base", before), ("adapted", after))
        )
        gain = differences(ours[:, None], theirs[:, None])[0]
        return Comparison(len(places), float(theirs.mean()), float(ours.mean()), gain)

    def _by_unit(self, places: Sequence[int], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        groups: dict[str, list[float]] = {}
        for place, score in zip(places, scores, strict=True):
            groups.setdefault(self.questions[place].unit, []).append(float(score))
        return np.array([sum(group) / len(group) for group in groups.values()])


def _decision(comparisons: Mapping[str, Mapping[str, Comparison]]) -> tuple[bool, str]:
    """Better when vectors alone find significantly more, for every kind of question that can tell, and both together no less."""
    telling = {kind: found for kind, found in comparisons.items() if found["dense"].queries >= FEWEST}
    if "own" not in telling:  # gold questions alone are not tested for significance
        return False, f"there are fewer than {FEWEST} own held-out questions; hand in more documents first"
    for kind, found in telling.items():
        dense, hybrid = found["dense"].gain, found["hybrid"].gain
        if kind == "own" and not (dense.significant and dense.difference > 0):
            return False, f"vectors alone gain {dense.difference:+.3f} nDCG@10 (p = {dense.p:.3f}): not significant"
        if dense.difference < 0:
            return False, f"on gold questions vectors alone lose {-dense.difference:.3f} nDCG@10"
        if hybrid.difference < 0:
            return False, f"on {kind} questions vectors and words together lose {-hybrid.difference:.3f} nDCG@10"
    return True, "it finds significantly more in documents that it was not trained on"


def _weights(rankings: Mapping[str, _Rankings], now: Weights) -> tuple[dict[str, float], dict[str, float]]:
    """Each language's weight for the base and for the adapted encoder, chosen on the share CHOOSING.

    Gold questions choose where there are enough, for both. Own questions cannot: they share fewer words with their passage than
    a person's do and so call for another weight (one for each passage chose 0.5 on fr-piaf, where 0.2 to 0.3 is best;
    2026-11-23). But they tell by how much more the adapted encoder's should be than the base's. A language with neither keeps
    its weight.
    """
    before, after = dict(now), dict(now)
    for language, present in now.items():
        chosen = {kind: _chosen(found, language, present) for kind, found in rankings.items()}
        if found := chosen.get("gold"):
            before[language], after[language] = found
        elif found := chosen.get("own"):
            further = min(MOST_CHANGE, max(-MOST_CHANGE, found[1] - found[0]))
            after[language] = round(min(1.0, max(0.0, present + further)), 3)
    return before, after


def _chosen(rankings: _Rankings, language: str, present: float) -> tuple[float, float] | None:
    """The best weight for the base and for the adapted encoder, the one nearest to `present` of equal ones; None: too few ask."""
    places = rankings.places(Share.CHOOSING, language)
    if len(places) < FEWEST:
        return None
    best = []
    for encoder in ("base", "adapted"):
        means = {w: round(float(rankings.scores(encoder, {language: w}, places).mean()), 4) for w in WEIGHTS}
        best.append(max(WEIGHTS, key=lambda w: (means[w], -abs(w - present))))
    return best[0], best[1]


def _tried(passages: Sequence[CorpusPassage], shares: Mapping[str, Share]) -> list[CorpusPassage]:
    """At most `MOST_PASSAGES`: three quarters of documents that are held out, where there are so many."""
    held_out = [p for p in passages if shares[p.document_id] is not Share.TRAINING][: MOST_PASSAGES * 3 // 4]
    others = [p for p in passages if shares[p.document_id] is Share.TRAINING]
    return held_out + others[: MOST_PASSAGES - len(held_out)]


def _own(passages: Sequence[CorpusPassage], shares: Mapping[str, Share], seed: int) -> _Collection:
    questions: list[_Question] = []
    for share in (Share.CHOOSING, Share.JUDGING):
        theirs = (p for p in passages if shares[p.document_id] is share)
        for asked in own_questions(theirs, seed=seed)[:MOST_QUESTIONS]:
            of, remaining = asked.passage, asked.passage.embedded(asked.remaining)
            questions.append(_Question(asked.question, of.language, share, frozenset({of.id}), remaining))
    return _Collection({p.id: (p.language, p.embedded(p.text)) for p in passages}, tuple(questions))


def _gold(passages: Sequence[CorpusPassage], gold: Iterable[GoldPair], shares: Mapping[str, Share]) -> _Collection:
    known = by_id(passages)
    questions = []
    for asked in gold:
        relevant = frozenset(key for key in asked.passages if key in known)
        of_these = {shares[known[key].document_id] for key in relevant}
        if relevant and Share.TRAINING not in of_these:
            share = Share.CHOOSING if Share.CHOOSING in of_these else Share.JUDGING
            questions.append(_Question(asked.question, asked.language, share, relevant))
    return _Collection({p.id: (p.language, p.embedded(p.text)) for p in passages}, tuple(questions))


def _dense_rankings(collection: _Collection, embedder: Embedder) -> list[Ranking]:
    ids = list(collection.texts)
    rows = embedder.embed_passages([text for _, text in collection.texts.values()])
    changed = [question.remaining for question in collection.questions if question.remaining is not None]
    remaining = dict(zip(changed, embedder.embed_passages(changed), strict=True))
    places = {passage_id: place for place, passage_id in enumerate(ids)}
    found = []
    for question in collection.questions:
        asked = embedder.embed_query(question.text)
        scores = rows @ asked
        if question.remaining is not None:
            scores[places[next(iter(question.relevant))]] = remaining[question.remaining] @ asked
        found.append(_best(ids, scores))
    return found


def _word_rankings(collection: _Collection, lexicon: Lexicon) -> list[Ranking]:
    """BM25 with idf over all passages of the trial, as the index computes it."""
    ids = list(collection.texts)
    postings: dict[int, list[tuple[int, float]]] = {}
    for place, (language, text) in enumerate(collection.texts.values()):
        held = lexicon.document_vector(text, language)
        for term, weight in zip(held.indices, held.values, strict=True):
            postings.setdefault(term, []).append((place, weight))
    idf = {term: log((len(ids) + 1) / (len(holding) + 0.5)) for term, holding in postings.items()}
    found = []
    for question in collection.questions:
        asked = lexicon.search_terms(subject(question.text, question.language), question.language) & postings.keys()
        scores = np.zeros(len(ids))
        for term in sorted(asked):
            for place, weight in postings[term]:
                scores[place] += weight * idf[term]
        if question.remaining is not None:
            (relevant,) = question.relevant
            held = lexicon.document_vector(question.remaining, collection.texts[relevant][0])
            weights = dict(zip(held.indices, held.values, strict=True))
            scores[ids.index(relevant)] = sum(weights.get(term, 0.0) * idf[term] for term in sorted(asked))
        found.append([entry for entry in _best(ids, scores) if entry[1] > 0])
    return found


def _best(ids: Sequence[str], scores: NDArray[np.floating]) -> Ranking:
    """The `DEPTH` best, best first; ties by id."""
    top = np.argpartition(-scores, min(DEPTH, len(ids)) - 1)[:DEPTH]
    return sorted(((ids[place], float(scores[place])) for place in top), key=lambda entry: (-entry[1], entry[0]))
