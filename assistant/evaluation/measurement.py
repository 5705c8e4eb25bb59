"""What an evaluation measured: scores of each system on each question, their means with intervals, and who is better.

Retrieval and answers are measured on different things and reported alike, so both come out as a `Measurement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np

from assistant.evaluation.significance import Difference, differences, intervals

AGAINST = "against"
"""What a comparison was asked for with, among the systems."""
Kind = Literal["retrieval", "answers", "grounding"]
Scores = Mapping[str, Mapping[str, float]]
"""Question id → measure → score from 0 to 1; a measure that does not apply to a question is left out."""


@dataclass(frozen=True, slots=True)
class System:
    """One system's scores, and how long it took (p50_ms, p95_ms)."""

    scores: Scores
    times: Mapping[str, float] = field(default_factory=dict)

    def mean(self, measure: str, questions: Iterable[str] | None = None) -> float | None:
        """Over those of `questions` (default: all) to which the measure applies; None when there are none."""
        asked = self.scores if questions is None else questions
        found = [self.scores[key][measure] for key in asked if measure in self.scores.get(key, {})]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class Measurement:
    """Systems measured on the same questions."""

    kind: Kind
    name: str
    """Of the set or file."""
    languages: Mapping[str, str]
    """Of each question."""
    questions: Mapping[str, str]
    """Id → text, in their order."""
    measures: tuple[str, ...]
    """The first one is what systems are judged by."""
    systems: Mapping[str, System]
    ours: str
    rivals: tuple[str, ...] = ()
    """The systems that `ours` is compared with."""

    def figures(self, system: str) -> dict[str, float | None]:
        """Means of every measure, and times."""
        found = self.systems[system]
        return {measure: found.mean(measure) for measure in self.measures} | dict(found.times)

    def intervals(self, system: str) -> dict[str, tuple[float, float]]:
        """95 % interval of each mean; measures that apply to no question are left out."""
        scores = self.systems[system].scores
        found: dict[str, tuple[float, float]] = {}
        for measures, questions in _together(self.measures, [scores]):
            rows = _matrix(scores, questions, measures)
            found.update(zip(measures, intervals(rows), strict=True))
        return found

    def comparisons(self) -> dict[str, dict[str, Difference]]:
        """Rival → measure → how much better ours is."""
        ours = self.systems[self.ours].scores
        return {rival: compared(ours, self.systems[rival].scores, self.measures) for rival in self.rivals}

    def differences_json(self) -> dict[str, dict[str, dict[str, float]]]:
        """Rival → measure → queries, difference, low, high and p."""
        return {
            rival: {measure: asdict(found) for measure, found in by_measure.items()}
            for rival, by_measure in self.comparisons().items()
        }

    def beside(self, other: Measurement) -> Measurement:
        """The same, compared with what another instance made of the same questions too."""
        return self.against(other.systems[other.ours])

    def against(self, system: System) -> Measurement:
        """The same with `system` as one more rival, called `against`."""
        return replace(self, systems={**self.systems, AGAINST: system}, rivals=(*self.rivals, AGAINST))


def compared(ours: Scores, theirs: Scores, measures: Iterable[str]) -> dict[str, Difference]:
    """Measure → how much better ours is, over the questions that both have it for; none shared, no entry."""
    found: dict[str, Difference] = {}
    for together, questions in _together(tuple(measures), [ours, theirs]):
        rows = differences(_matrix(ours, questions, together), _matrix(theirs, questions, together))
        found.update(zip(together, rows, strict=True))
    return found


def _together(measures: tuple[str, ...], scores: list[Scores]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Measures that apply to the same questions, with these questions: they are resampled at once."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for measure in measures:
        questions = tuple(key for key in scores[0] if all(measure in part.get(key, {}) for part in scores))
        if questions:
            groups.setdefault(questions, []).append(measure)
    return [(names, questions) for questions, names in groups.items()]


def _matrix(
    scores: Scores, questions: Iterable[str], measures: Iterable[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[scores[key][measure] for measure in measures] for key in questions], dtype=np.float64)
