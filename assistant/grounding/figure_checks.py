"""Whether every figure of a claim stands in the sentences that support it: value, unit, bound and reference."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from fractions import Fraction

from assistant.grounding import cues
from assistant.grounding.figures import Figure, same_figure
from assistant.grounding.matching import Comparison, Fit
from assistant.grounding.measures import UNITS_OF_TIME
from assistant.grounding.reading import Reading

_REASONS = {
    "amount": "amount", "date": "date", "time": "date", "weekday": "date", "duration": "duration", "percentage": "percentage",
    "reference": "reference", "number": "number", "ordinal": "number", "quantity": "number",
}  # fmt: skip
_WITH_UNIT = frozenset({"duration", "quantity", "amount", "percentage"})
_RANGED = _WITH_UNIT | {"number"}
_TO = re.compile(r"\s*(?:(?P<to>a|to|-|الي)|et|and|و)\s*(?:ال)?")
_BETWEEN = re.compile(r"(?:\bentre|\bbetween|بين)\s*$")
"""What stands before a range whose ends are joined by "and"."""
_HALF = Fraction(1, 2)
_HALVES = frozenset(("demi", "demie", "half", "moitie", "نصف", "النصف"))
_NEXT_NUMBER = 8
"""How many characters stand at most between two numbers that share a unit: "16 to 26 weeks"."""


def own_figures(comparison: Comparison, fit: Fit) -> list[Figure]:
    """The figures of a piece of a claim."""
    tokens = comparison.claim.tokens[fit.first : fit.last]
    numbers = sorted({token.figure for token in tokens if token.figure >= 0})
    return [comparison.claim.figures[number] for number in numbers]


def disagreements(comparison: Comparison, fit: Fit, passage: Reading) -> list[str]:
    """A reason for each figure of a piece that its sentences do not state with the same unit and bound."""
    reasons = []
    core = [other for other in passage.figures if passage.sentence_of(other.start) in fit.sentences]
    own = own_figures(comparison, fit)
    for figure in own:
        near = [
            other
            for other in core
            if _same(figure, other, own, core) or _unit_understood(figure, other, comparison.claim)
        ]
        if not near and _half(figure, fit, passage):
            continue
        if figure.kind == "ordinal" and figure.value[0] == 1:
            continue  # "first" is "before" as often as a number
        if not near and figure.kind == "ordinal" and any(same_figure(figure, other) for other in passage.figures):
            continue
        if not near and figure.kind == "reference" and _referred(figure, fit, passage):
            continue
        if not near and _article_one(figure, comparison.claim, passage, fit):
            continue
        if not near and _mere_count(figure, core):
            continue
        if not near:
            reasons.append(_REASONS[figure.kind])
        elif not any(_bounds_agree(comparison.claim, figure, passage, other) for other in near):
            reasons.append("number")
    return reasons + _glued(comparison, fit, passage)


def cuts_a_range(claim: Reading, passage: Reading, sentences: Collection[int]) -> bool:
    """True when one of these sentences says "10 to 15 %" and the claim names one of the two ends as if it were all."""
    for low, high in itertools.pairwise(passage.figures):
        ends = (low.value[0], high.value[0])
        if passage.sentence_of(low.start) in sentences and _is_range(passage.folded.text, low, high):
            named = [figure for figure in claim.figures if figure.kind in _RANGED and figure.value[0] in ends]
            if len({figure.value[0] for figure in named}) == 1 and not any(_bound(claim, each) for each in named):
                return True
    return False


def _is_range(text: str, low: Figure, high: Figure) -> bool:
    between = _TO.fullmatch(text[low.end : high.start])
    if between is None or low.kind not in _RANGED or high.kind not in _RANGED:
        return False
    return between["to"] is not None or _BETWEEN.search(text[: low.start]) is not None


def _glued(comparison: Comparison, fit: Fit, passage: Reading) -> list[str]:
    """A reason when a digit that is part of a word, as in "m³" or "5e", stands in no word of the sentences."""
    stated = {token.word for token in passage.tokens if token.sentence in fit.sentences}
    words = [token.word for token in comparison.claim.tokens[fit.first : fit.last] if token.figure < 0]
    return ["number"] if any(any(map(str.isdigit, word)) and word not in stated for word in words) else []


def _referred(figure: Figure, fit: Fit, passage: Reading) -> bool:
    """True when the reference is that of the heading under which the sentences stand, or listed at the passage's end."""
    start = passage.sentences[fit.sentences[0]][0]
    before = [
        other
        for other in passage.figures
        if other.kind == "reference" and other.start < start and other.value[0] == figure.value[0]
    ]
    if before and same_figure(figure, before[-1]):
        return True
    for other in passage.figures:
        if same_figure(figure, other):
            left, right = passage.sentences[passage.sentence_of(other.start)]
            if passage.folded.text[left:right].startswith(("reference", "مراجع", "المراجع")):
                return True
    return False


def _same(figure: Figure, other: Figure, own: Sequence[Figure], core: Sequence[Figure]) -> bool:
    """Also true for "seize à vingt-six semaines" and "seize semaines": the unit may stand with the neighbouring number."""
    if same_figure(figure, other):
        return True
    if figure.value[0] != other.value[0] or (figure.kind == "number") == (other.kind == "number"):
        return False
    if figure.kind == "number":
        return other.value[-1] in _neighbouring_units(figure, own)
    return figure.value[-1] in _neighbouring_units(other, core)


def _unit_understood(figure: Figure, other: Figure, claim: Reading) -> bool:
    """True where the claim names the unit elsewhere, "days of rest … up to ninety", or has "ten days" for "ten clear days"."""
    if other.kind not in ("duration", "quantity") or figure.value[0] != other.value[0]:
        return False
    if figure.kind == "duration":
        return f"clear-{figure.value[1]}" == other.value[1]
    units = {UNITS_OF_TIME.get(token.word, "") for token in claim.tokens if token.figure < 0}
    return figure.kind == "number" and other.value[1] in units


def _half(figure: Figure, fit: Fit, passage: Reading) -> bool:
    """True for a half where the passage has "demi-traitement" or "half-day"."""
    words = {token.word for token in passage.tokens if token.sentence in fit.sentences}
    return figure.kind == "number" and figure.value[0] == _HALF and bool(words & _HALVES)


def _neighbouring_units(number: Figure, figures: Sequence[Figure]) -> set[object]:
    """Units of the figures right before and right after a number without one."""
    counted = [figure for figure in figures if figure.kind in _WITH_UNIT]
    before = [figure for figure in counted if figure.end <= number.start]
    after = [figure for figure in counted if 0 <= figure.start - number.end <= _NEXT_NUMBER]
    return {figure.value[-1] for figure in (*before[-1:], *after[:1])}


def _mere_count(figure: Figure, core: Sequence[Figure]) -> bool:
    """True for "twice" or "two of them" where the passage counts nothing at all: it may list what the claim counts."""
    return (
        figure.kind == "number" and figure.value[0] in (1, 2, 3) and not any(other.kind == "number" for other in core)
    )


def _article_one(figure: Figure, claim: Reading, passage: Reading, fit: Fit) -> bool:
    """True for "une heure" and "a month" where the passage has the unit without a number: it is the article, no number."""
    words = claim.folded.text[figure.start : figure.end].split()
    if figure.kind != "duration" or figure.value[0] != 1 or words[0] not in ("un", "une", "a", "an", "one"):
        return False
    return any(
        token.word.rstrip("s") == words[-1] and token.figure < 0
        for token in passage.tokens
        if token.sentence in fit.sentences
    )


def _bounds_agree(claim: Reading, figure: Figure, passage: Reading, other: Figure) -> bool:
    return _bound(claim, figure) * _bound(passage, other) >= 0


def _bound(reading: Reading, figure: Figure) -> int:
    text = reading.folded.text
    start, end = reading.sentences[reading.sentence_of(figure.start)]
    before = text[max(start, figure.start - 45) : figure.start]
    for mark in ",;،؛:":
        before = before.rpartition(mark)[2]
    after = re.split(r"[,;،؛:.]", text[figure.end : min(end, figure.end + 35)])[0]
    return cues.bound(before, after)
