"""Which word and figure of a claim stands for which of the passage, and what that tells.

Words put in the place of others, words put in between, figures that belong to something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

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


@dataclass(slots=True)
class Exchanges:
    """Weights of words of a claim that do not stand in the passage as they stand in the claim."""

    replaced: list[Item]
    """The passage has other words in their place."""
    inserted: list[Item]
    """They stand between neighbours of the passage."""
    displaced: list[Item]
    """They stand in the passage, and where they should stand it has others."""


def exchanges(alignment: Alignment) -> Exchanges:
    """Runs of words that are unmatched or matched elsewhere, between words that are neighbours or nearly so in the passage."""
    found = Exchanges([], [], [])
    places, taken = alignment.places, set(alignment.places)
    at = 0
    while at < len(places):
        if places[at] >= 0:
            if _displaced(alignment, at, taken):
                found.displaced.append(alignment.mine[at])
            at += 1
            continue
        end = at
        while end < len(places) and places[end] < 0:
            end += 1
        gap = _gap(alignment, at, end, taken)
        if gap == 0 and at > 0 and end < len(places):
            found.inserted += alignment.mine[at:end]
        elif 0 < gap <= 5 and end - at <= 6:
            found.replaced += alignment.mine[at:end]
        at = end
    return found


def _displaced(alignment: Alignment, at: int, taken: set[int]) -> bool:
    """True when both neighbours stand in the passage around one or two words that the claim lacks, and this one does not."""
    places = alignment.places
    if not 0 < at < len(places) - 1 or alignment.mine[at].figure >= 0:
        return False
    left, right = places[at - 1], places[at + 1]
    if left < 0 or right < 0 or not 2 <= right - left <= 3 or left < places[at] < right:
        return False
    return not taken.intersection(range(left + 1, right))


def _gap(alignment: Alignment, at: int, end: int, taken: set[int]) -> int:
    """How many unmatched words of the passage stand where an unmatched run of the claim stands; -1 when it cannot be said."""
    places, theirs = alignment.places, alignment.theirs
    if at == 0 and end == len(places):
        return -1
    if at == 0:
        hole = [place for place in range(places[end] - 1, -1, -1) if theirs[place].clause == theirs[places[end]].clause]
        return _free(hole[: end - at], taken)
    if end == len(places):
        left = places[at - 1]
        hole = [place for place in range(left + 1, len(theirs)) if theirs[place].clause == theirs[left].clause]
        return _free(hole[: end - at], taken)
    left, right = places[at - 1], places[end]
    return _free(list(range(left + 1, right)), taken) if right > left else -1


def _free(hole: Sequence[int], taken: set[int]) -> int:
    return -1 if taken.intersection(hole) else len(hole)


def attached(comparison: Comparison, fit: Fit, alignment: Alignment) -> float:
    """How many words of the claim stand beside another figure than its own, which has words of its own beside it."""
    passage, claim = comparison.passages[fit.passage], comparison.claim
    taken = {place for place in alignment.places if place >= 0}
    worst = 0
    for at, item in enumerate(alignment.mine):
        home = alignment.places[at]
        if item.figure < 0 or home < 0:
            continue
        figure = claim.figures[item.figure]
        rivals = [
            place
            for place, other in enumerate(alignment.theirs)
            if other.figure >= 0
            and place not in taken
            and passage.figures[other.figure].kind == figure.kind
            and not same_figure(figure, passage.figures[other.figure])
        ]
        lacking = [place for place in (home + 1, home + 2) if place < len(alignment.theirs) and place not in taken]
        strayed = [
            place
            for place in taken
            if alignment.theirs[place].figure < 0
            and any(0 < place - rival <= 2 and abs(place - home) > place - rival for rival in rivals)
        ]
        worst = max(worst, min(len(lacking), len(strayed)))
    return float(worst)


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
    return max(worst, _swapped(claim, alignment))


def _swapped(claim: Reading, alignment: Alignment) -> float:
    """How much better two figures of the claim would fit if they changed places; 0 when they stand as they should."""
    worst = 0.0
    numbered = [at for at, item in enumerate(alignment.mine) if item.figure >= 0 and alignment.places[at] >= 0]
    for one, other in combinations(numbered, 2):
        first, second = (claim.figures[alignment.mine[at].figure] for at in (one, other))
        if first.kind != second.kind or first.value == second.value:
            continue
        here, there = alignment.places[one], alignment.places[other]
        straight = _surroundings(alignment, one, here) + _surroundings(alignment, other, there)
        crossed = _surroundings(alignment, one, there) + _surroundings(alignment, other, here)
        worst = max(worst, crossed - straight)
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
