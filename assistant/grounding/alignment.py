"""Which word and figure of a claim stands for which of the passage, and what that tells.

Words put in the place of others, words put in between, figures that belong to something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.grounding.figures import Figure, same_figure
from assistant.grounding.matching import Comparison, Fit
from assistant.grounding.reading import Reading

_NEAR = 4
"""How many items on each side of a figure say what it is a figure of."""


@dataclass(frozen=True, slots=True)
class Item:
    """A word that says something, or a figure. `token` or `figure` is -1."""

    token: int
    figure: int
    start: int
    weight: float
    clause: int


@dataclass(slots=True)
class Alignment:
    """`places[i]` is the position among `theirs` of what stands for `mine[i]`; -1 for nothing."""

    mine: list[Item]
    theirs: list[Item]
    places: list[int]


def aligned(comparison: Comparison, fit: Fit) -> Alignment:
    """The pairing of a piece with its sentences in which neighbours stay neighbours."""
    claim, passage = comparison.claim, comparison.passages[fit.passage]
    mine = _items(claim, range(fit.first, fit.last))
    words = [place for place, token in enumerate(passage.tokens) if token.sentence in fit.sentences]
    theirs = _items(passage, words)
    options = [_options(claim, passage, fit, item, theirs) for item in mine]
    return Alignment(mine, theirs, _best_path(options))


def _items(reading: Reading, words: Sequence[int]) -> list[Item]:
    items: list[Item] = []
    for place in words:
        token = reading.tokens[place]
        if token.figure >= 0:
            if not items or items[-1].figure != token.figure:
                items.append(Item(-1, token.figure, token.start, 1.0, token.clause))
        elif token.weight > 0:
            items.append(Item(place, -1, token.start, token.weight, token.clause))
    return items


def _options(claim: Reading, passage: Reading, fit: Fit, item: Item, theirs: Sequence[Item]) -> list[int]:
    if item.figure >= 0:
        figure = claim.figures[item.figure]
        return [
            at
            for at, other in enumerate(theirs)
            if other.figure >= 0 and same_figure(figure, passage.figures[other.figure])
        ]
    found = set(fit.pairs.get(item.token, ()))
    return [at for at, other in enumerate(theirs) if other.token in found]


def _best_path(options: Sequence[Sequence[int]]) -> list[int]:
    """One option for each item: the choice whose steps from one to the next are smallest."""
    states: dict[int, tuple[float, list[int]]] = {-1: (0.0, [])}
    for choices in options:
        if not choices:
            states = {last: (cost, [*path, -1]) for last, (cost, path) in states.items()}
            continue
        following: dict[int, tuple[float, list[int]]] = {}
        for choice in choices:
            cost, path = min(
                ((cost + _step(last, choice), path) for last, (cost, path) in states.items()),
                key=lambda found: found[0],
            )
            following[choice] = (cost, [*path, choice])
        states = following
    return min(states.values(), key=lambda found: found[0])[1]


def _step(last: int, choice: int) -> float:
    if last < 0:
        return 0.0
    distance = choice - last
    if distance > 0:
        return min(1.0, 0.1 * (distance - 1))
    return min(1.5, 0.3 - 0.1 * distance) if distance < 0 else 0.6


def copied(alignment: Alignment) -> float:
    """The share of neighbours in the claim that are neighbours in the passage too."""
    pairs = list(zip(alignment.places, alignment.places[1:], strict=False))
    return sum(1 for one, other in pairs if one >= 0 and other == one + 1) / len(pairs) if pairs else 0.0


def replaced(alignment: Alignment) -> tuple[float, float]:
    """The weight of words of the claim that stand where the passage has other words, and of those put between neighbours."""
    places, taken = alignment.places, set(alignment.places)
    instead = between = 0.0
    at = 0
    while at < len(places):
        if places[at] >= 0:
            at += 1
            continue
        end = at
        while end < len(places) and places[end] < 0:
            end += 1
        weight = sum(item.weight for item in alignment.mine[at:end])
        gap = _gap(alignment, at, end)
        if gap == 0:
            between += weight
        elif 0 < gap <= 3 and end - at <= 3 and not taken.intersection(_hole(alignment, at, end)):
            instead += weight
        at = end
    return instead, between


def _hole(alignment: Alignment, at: int, end: int) -> range:
    left = alignment.places[at - 1] if at else -1
    right = alignment.places[end] if end < len(alignment.places) else len(alignment.theirs)
    return range(left + 1, right)


def _gap(alignment: Alignment, at: int, end: int) -> int:
    """How many words of the passage stand between what is left and right of an unmatched run; -1 when it cannot be said."""
    if at == 0 and end == len(alignment.places):
        return -1
    hole = _hole(alignment, at, end)
    if at == 0 or end == len(alignment.places):
        edge = alignment.theirs[hole.stop - 1 if at == 0 else hole.start - 1]
        same = [place for place in hole if alignment.theirs[place].clause == edge.clause]
        return len(same) if same else -1
    return len(hole) if hole.stop >= hole.start else -1


def misplaced(comparison: Comparison, fit: Fit, alignment: Alignment) -> float:
    """How much better another figure of the same kind fits what stands around a figure of the claim; 0 when none does."""
    passage, claim = comparison.passages[fit.passage], comparison.claim
    worst = 0.0
    own = [claim.figures[item.figure] for item in alignment.mine if item.figure >= 0]
    for at, item in enumerate(alignment.mine):
        if item.figure < 0 or alignment.places[at] < 0:
            continue
        figure = claim.figures[item.figure]
        best = other = 0.0
        for place, candidate in enumerate(alignment.theirs):
            if candidate.figure < 0:
                continue
            stated = passage.figures[candidate.figure]
            if same_figure(figure, stated):
                best = max(best, _surroundings(alignment, at, place))
            elif _rivals(figure, stated) and not any(same_figure(mine, stated) for mine in own):
                other = max(other, _surroundings(alignment, at, place))
        worst = max(worst, other - best)
    return worst


def _rivals(figure: Figure, stated: Figure) -> bool:
    return figure.kind == stated.kind or {figure.kind, stated.kind} <= {"number", "quantity", "duration"}


def _surroundings(alignment: Alignment, at: int, place: int) -> float:
    """How alike the neighbourhoods of a figure here and there are: each word counts by its distance, on its own side more."""
    total = 0.0
    for offset in range(-_NEAR, _NEAR + 1):
        mine = at + offset
        if offset == 0 or not 0 <= mine < len(alignment.places):
            continue
        theirs = alignment.places[mine]
        if theirs < 0 or theirs == place:
            continue
        there = theirs - place
        near = alignment.mine[mine].weight / (abs(offset) * (1 + abs(abs(there) - abs(offset))))
        total += near if (there > 0) == (offset > 0) else 0.4 * near
    return total
