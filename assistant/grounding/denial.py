"""Whether what one text denies the other denies too: denial by denial, each with the word that it governs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from assistant.grounding import cues
from assistant.grounding.reading import Reading

_REACH = 7
"""How many words after a denial what it governs may stand."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denial in a clause, and the words that it governs, nearest first, by position."""

    clause: int
    governed: tuple[int, ...]


def denied(
    reading: Reading, clauses: Collection[int], *, first: int = 0, last: int = 1 << 30, priced: bool = True
) -> list[Denial]:
    """The denials in some clauses of a reading, between two words; without those of a price when `priced` is False."""
    found = []
    tokens = reading.tokens
    starts = [token.start for token in tokens]
    for clause in clauses:
        start, end = reading.clauses[clause]
        for at in _places(reading, reading.sentence_of(start), priced):
            if not start <= at < end:
                continue
            following = [word for word, begin in enumerate(starts) if begin > at and tokens[word].clause == clause]
            governed = [word for word in following[:_REACH] if tokens[word].weight > 0 or tokens[word].figure >= 0]
            if (following and first <= following[0] < last) or not following:
                found.append(Denial(clause, tuple(governed[:2])))
    return found


def _places(reading: Reading, sentence: int, priced: bool) -> list[int]:
    """Where a sentence denies: looked for in the whole of it, since "لا … الا" goes on where a clause ends."""
    start, end = reading.sentences[sentence]
    text = reading.folded.text[start:end]
    return [start + place for place in cues.denial_places(text if priced else cues.without_price(text))]
