"""Words that exclude each other in one place: "après le 15 mars" for "avant le 15 mars", "at most" for "at least"."""

from __future__ import annotations

from itertools import combinations

from assistant.grounding.alignment import Alignment, Item
from assistant.grounding.folding import words
from assistant.grounding.matching import Comparison, Fit
from assistant.grounding.reading import Reading
from assistant.grounding.stems import stem

_ARTICLES = words("le la les l un une the a an its their his her son sa ses leur")
_REACH = 3
"""How many words lie at most between a word and the one that tells its place."""


def contrasts(comparison: Comparison, fit: Fit, alignment: Alignment) -> int:
    """How many words of a piece have their opposite where they should stand, beside the same word or figure."""
    claim, passage = comparison.claim, comparison.passages[fit.passage]
    ends = [(_bounds(claim, item), alignment.places[at]) for at, item in enumerate(alignment.mine)]
    count = 0
    for word in range(fit.first, fit.last):
        sides = claim.tokens[word].sides
        if not sides or word in fit.pairs or claim.tokens[word].figure >= 0:
            continue
        after = next(((bounds[0], place) for bounds, place in ends if bounds[0] > word), None)
        before = next(((bounds[1], place) for bounds, place in reversed(ends) if bounds[1] < word), None)
        windows = []
        if after and after[1] >= 0 and after[0] - word <= _REACH:
            start = _bounds(passage, alignment.theirs[after[1]])[0]
            windows.append(range(max(0, start - _REACH), start))
        if before and before[1] >= 0 and word - before[0] <= _REACH:
            end = _bounds(passage, alignment.theirs[before[1]])[1]
            windows.append(range(end + 1, min(len(passage.tokens), end + 1 + _REACH)))
        count += any(_opposite(passage, window, sides) for window in windows)
    return count


def swapped_roles(comparison: Comparison, fit: Fit) -> bool:
    """True when two persons or bodies have changed places: "par le bailleur au locataire" for "par le locataire au bailleur"."""
    claim, passage = comparison.claim, comparison.passages[fit.passage]
    who = [word for word in fit.pairs if claim.tokens[word].role]
    for one, other in combinations(who, 2):
        mine = (_introduced(claim, one), _introduced(claim, other))
        if mine[0] == mine[1] or claim.tokens[one].role == claim.tokens[other].role:
            continue
        its = {
            (_introduced(passage, first), _introduced(passage, second))
            for first in fit.pairs[one]
            for second in fit.pairs[other]
            if passage.tokens[first].sentence == passage.tokens[second].sentence
        }
        if its and mine not in its and (mine[1], mine[0]) in its:
            return True
    return False


def _introduced(reading: Reading, word: int) -> str:
    """What stands before a person or body: the verb or the preposition, or nothing at the beginning of a clause."""
    tokens = reading.tokens
    for place in range(word - 1, -1, -1):
        if tokens[place].clause != tokens[word].clause:
            break
        if tokens[place].word not in _ARTICLES:
            return stem(tokens[place].word, reading.language)
    return ""


def _bounds(reading: Reading, item: Item) -> tuple[int, int]:
    """The first and the last word of an item."""
    if item.token >= 0:
        return item.token, item.token
    words = [word for word, token in enumerate(reading.tokens) if token.figure == item.figure]
    return words[0], words[-1]


def _opposite(passage: Reading, window: range, sides: frozenset[tuple[int, bool]]) -> bool:
    """True when the window holds an opposite and nothing that means the same."""
    there = {side for word in window for side in passage.tokens[word].sides}
    return any((number, not left) in there for number, left in sides) and not there & sides
