"""From two rankings to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

Ranking = Sequence[tuple[str, float]]
"""(passage id, score) best first."""


def fused_ranking(dense: Ranking, words: Ranking, dense_weight: float) -> list[tuple[str, float]]:
    """(passage id, score) by a convex combination of normalised scores: w · dense′ + (1 − w) · words′. Best first; ties by id.

    dense′ is the similarity scaled to 0..1 between the worst and the best of its ranking, words′ the BM25 score over the
    best one (its least possible value is 0); a passage that a ranking does not hold has 0 there. Bruch, Gai and Ingber, "An
    Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023, sections 3 and 4.

    Chosen over weighted reciprocal rank fusion with constant 60 (Cormack, Clarke and Büttcher, SIGIR 2009). With the best weight
    for each, nDCG@10 on fr-piaf, ar-xquad and en-medquad is 0.836, 0.961, 0.644 here and 0.831, 0.960, 0.641 there, and ranks
    fall steeply beside that weight: they hide by how much an encoder prefers one passage to the next (2026-11-22). The weight
    that ships for English is not the best one on that set: 0.639.

    >>> fused_ranking([("a", 0.9), ("b", 0.5)], [("b", 12.0), ("c", 6.0)], 0.25)
    [('b', 0.75), ('c', 0.375), ('a', 0.25)]
    """
    scores: dict[str, float] = defaultdict(float)
    for weight, ranking, floor in ((dense_weight, dense, _worst(dense)), (1 - dense_weight, words, 0.0)):
        width = ranking[0][1] - floor if ranking else 0.0
        for found, score in ranking:
            scores[found] += weight * ((score - floor) / width if width > 0 else 1.0)
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))


def _worst(ranking: Ranking) -> float:
    return ranking[-1][1] if ranking else 0.0
