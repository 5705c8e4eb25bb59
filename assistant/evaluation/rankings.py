"""Rankings of documents, one for each question of a set, and how good they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

DEPTH = 20
MEASURES = ("ndcg@10", "recall@5", "recall@20", "mrr@10")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Query id → document ids, best first, each once; and how long searches took, from question to documents."""

    documents: Mapping[str, tuple[str, ...]]
    milliseconds: tuple[float, ...]
    """Of every query, or of as many as were timed."""

    def cut(self, depth: int) -> Ranking:
        """The same with at most `depth` documents each."""
        return Ranking({query_id: found[:depth] for query_id, found in self.documents.items()}, self.milliseconds)

    def times(self) -> dict[str, float]:
        """p50_ms and p95_ms."""
        p50, p95 = np.percentile(self.milliseconds, [50, 95])
        return {"p50_ms": float(p50), "p95_ms": float(p95)}


def best_of_each(documents: Iterable[str]) -> tuple[str, ...]:
    """Each document once, where its best passage stands.

    >>> best_of_each(["a", "b", "a", "c"])
    ('a', 'b', 'c')
    """
    return tuple(dict.fromkeys(documents))


def ranking_scores(
    relevant: Mapping[str, Mapping[str, int]], documents: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, float]]:
    """Measure → query id → score from 0 to 1, by ir-measures, over the queries of `relevant` in their order.

    A query without results counts zero.

    >>> ranking_scores({"q": {"a": 1}, "r": {"b": 1}}, {"q": ("c", "a")})["mrr@10"]
    {'q': 0.5, 'r': 0.0}
    """
    from ir_measures import RR, R, iter_calc, nDCG

    names = {nDCG @ 10: "ndcg@10", R @ 5: "recall@5", R @ 20: "recall@20", RR @ 10: "mrr@10"}
    judged = {query_id: dict(grades) for query_id, grades in relevant.items()}
    # By rank and not by score: measures would order equal scores by an order of their own.
    run = {
        query_id: {document_id: 1 / rank for rank, document_id in enumerate(documents.get(query_id, ()), start=1)}
        for query_id in judged
    }
    scores = {name: dict.fromkeys(judged, 0.0) for name in MEASURES}
    for found in iter_calc(list(names), judged, run):
        scores[names[found.measure]][found.query_id] = float(found.value)
    return scores


def means(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each measure's mean over its queries."""
    return {name: sum(by_query.values()) / len(by_query) for name, by_query in scores.items()}
