"""Whether a difference between two systems is more than luck of the questions: paired bootstrap over questions.

Resampling is seeded, so the same scores always give the same figures. The same resamples of the questions are taken for
both systems, since a question that is hard for one is mostly hard for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 2026
_RESAMPLES_AT_ONCE = 250
_INTERVAL = (2.5, 97.5)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one system is than another on the same questions; negative when it is worse."""

    queries: int
    difference: float
    """Of the means."""
    low: float
    high: float
    """95 % interval of the difference."""
    p: float
    """Two-sided: how often a difference at least this large comes about between systems of equal worth."""

    @property
    def significant(self) -> bool:
        """True when p is below 0.05."""
        return self.p < 0.05


def resampled_means(scores: Scores) -> Scores:
    """Means of `RESAMPLES` resamples, with replacement, of the rows of `scores` (n, m): (RESAMPLES, m) float64.

    Every column is resampled alike. Raises ValueError for no rows.
    """
    rows = len(scores)
    if rows == 0:
        raise ValueError("there is nothing to resample")
    generator = np.random.default_rng(SEED)
    means = np.empty((RESAMPLES, scores.shape[1]))
    for start in range(0, RESAMPLES, _RESAMPLES_AT_ONCE):
        size = min(_RESAMPLES_AT_ONCE, RESAMPLES - start)
        drawn = generator.integers(0, rows, size=(size, rows)) + rows * np.arange(size)[:, None]
        often = np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows)
        means[start : start + size] = often @ scores / rows
    return means


def intervals(scores: Scores) -> list[tuple[float, float]]:
    """95 % interval of the mean of each column of `scores` (n, m), by the percentiles of its resamples.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    low, high = np.percentile(resampled_means(scores), _INTERVAL, axis=0)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def differences(ours: Scores, theirs: Scores) -> list[Difference]:
    """For each column of two (n, m) arrays over the same questions, ours less theirs.

    p is that of the shift method (Smucker, Allan and Carterette, CIKM 2007, section 2.3): the share of resamples whose
    difference, less the one observed, is at least as large as the one observed; with one added above and below the line, since
    10,000 resamples cannot show a chance of zero (Davison and Hinkley 1997, section 4.2). Systems that agree on every question
    have p = 1. No correction is made for many comparisons.

    >>> [found.p for found in differences(np.ones((5, 1)), np.ones((5, 1)))]
    [1.0]
    """
    apart = ours - theirs
    observed = apart.mean(axis=0)
    means = resampled_means(apart)
    low, high = np.percentile(means, _INTERVAL, axis=0)
    # The slack keeps sums of the same scores in another order from counting as smaller.
    as_large = np.abs(means - observed) >= np.abs(observed) - 1e-12
    p = (1 + as_large.sum(axis=0)) / (1 + RESAMPLES)
    rows = zip(observed, low, high, p, strict=True)
    return [Difference(len(apart), float(d), float(a), float(b), float(chance)) for d, a, b, chance in rows]
