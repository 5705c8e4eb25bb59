"""Figures of the bootstrap that can be checked by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from assistant.evaluation.significance import RESAMPLES, differences, intervals, resampled_means


def column(*scores: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(scores, dtype=np.float64)[:, None]


def test_resampled_means_are_those_of_every_way_to_draw() -> None:
    scores = (0.0, 0.5, 1.0)
    by_hand = {round(sum(drawn) / 3, 6) for drawn in product(scores, repeat=3)}
    means = resampled_means(column(*scores))[:, 0]
    assert set(np.round(means, 6)) == by_hand
    # Drawing the same question three times has a chance of 1/27 for each of them.
    assert (means == 1.0).mean() == pytest.approx(1 / 27, abs=0.008)
    assert means.mean() == pytest.approx(0.5, abs=0.01)


def test_a_difference_that_every_question_shows_is_significant() -> None:
    (found,) = differences(column(*[0.8] * 20), column(*[0.6] * 20))
    assert (found.queries, round(found.difference, 9)) == (20, 0.2)
    assert (round(found.low, 9), round(found.high, 9)) == (0.2, 0.2)
    assert found.p == 1 / (1 + RESAMPLES)
    assert found.significant


def test_one_question_of_many_makes_no_significant_difference() -> None:
    (found,) = differences(column(1, *[0.5] * 19), column(0, *[0.5] * 19))
    assert found.difference == pytest.approx(0.05)
    assert not found.significant
    # The share of resamples that leave the one question out, or draw it twice or more: |k/20 − 1/20| ≥ 1/20 unless k = 1.
    assert found.p == pytest.approx(1 - 20 * (1 / 20) * (19 / 20) ** 19, abs=0.02)


def test_swapping_the_systems_turns_the_sign_and_keeps_p() -> None:
    scores = np.random.default_rng(1).random((40, 2))
    (there,), (back,) = differences(scores[:, :1], scores[:, 1:]), differences(scores[:, 1:], scores[:, :1])
    assert there.difference == -back.difference
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == back.p


def test_systems_of_equal_worth_are_rarely_called_different() -> None:
    generator = np.random.default_rng(2)
    found = differences(generator.random((60, 200)), generator.random((60, 200)))
    assert 0.01 < sum(difference.significant for difference in found) / len(found) < 0.12


def test_interval_of_a_share_is_near_the_binomial_one() -> None:
    ((low, high),) = intervals(column(*[1.0] * 50, *[0.0] * 50))
    assert (low, high) == pytest.approx((0.402, 0.598), abs=0.011)


def test_nothing_to_resample_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to resample"):
        intervals(np.zeros((0, 1)))
