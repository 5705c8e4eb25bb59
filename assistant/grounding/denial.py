"""Whether what one text denies the other denies too: denial by denial, each with the word that it governs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.grounding import cues
from assistant.grounding.folding import words
from assistant.grounding.reading import Reading

_REACH = 7
"""How many words after a denial what it governs may stand."""


_SECOND_HALVES = words("pas point jamais guere nullement aucunement")
"""Between its two halves a French denial has the verb, and words that only pass by: "n'est juridiquement pas due"."""
_PRONOUNS = words("se s lui leur y en le la les l me m te t nous vous")
_PASSED_OVER = _SECOND_HALVES | words(
    "plus toutefois cependant neanmoins pourtant effet principe outre revanche general desormais dorenavant toujours encore jour "
    "actuellement hui normalement aucun cas longer however case event means account circumstances circumstance yet always "
    "currently today normally therefore moreover generally peine "
    "يعد تعد يكاد تكاد يعودوا نعد اعد بتاتا ابدا اطلاقا مطلقا حاليا مبدئيا عموما غالبا"
)
"""What stands between a denial and the word that it governs: "n'est plus due", "is no longer due", "لم يعد مستحقا"."""


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
            governed = _governed(reading, following)
            if (
                following and not governed
            ):  # "n'est toutefois pas due": a clause seems to begin in the middle of the denial
                governed = _governed(reading, [word for word in _rest_of_sentence(reading, start) if starts[word] > at])
            if not following:  # "is accepted nowhere": it governs what stands before it
                governed = [word for word in _before(reading, clause, at) if tokens[word].weight > 0][:1]
            if (following and first <= following[0] < last) or not following:
                found.append(Denial(clause, tuple(governed[:2])))
    return found


def _before(reading: Reading, clause: int, at: int) -> list[int]:
    """The words of a clause before a place in it, nearest first."""
    words = [word for word, token in enumerate(reading.tokens) if token.clause == clause and token.start < at]
    return words[::-1]


def _rest_of_sentence(reading: Reading, start: int) -> list[int]:
    sentence = reading.sentence_of(start)
    return [word for word, token in enumerate(reading.tokens) if token.sentence == sentence and token.start >= start]


def _governed(reading: Reading, following: Sequence[int]) -> list[int]:
    """Those of the words after a denial that it may govern, nearest first."""
    names = [reading.tokens[word].word for word in following]
    ends = next((place for place, name in enumerate(names[:_REACH]) if name in _SECOND_HALVES), 0)
    verb = next((place for place, name in enumerate(names[:ends]) if name not in _PRONOUNS), ends)
    kept = [word for place, word in enumerate(following) if place <= verb or place > ends]
    near = [word for word in kept if reading.tokens[word].word not in _PASSED_OVER][:_REACH]
    return [word for word in near if reading.tokens[word].weight > 0 or reading.tokens[word].figure >= 0]


def _places(reading: Reading, sentence: int, priced: bool) -> list[int]:
    """Where a sentence denies: looked for in the whole of it, since "لا … الا" goes on where a clause ends."""
    start, end = reading.sentences[sentence]
    text = reading.folded.text[start:end]
    return [start + place for place in cues.denial_places(text if priced else cues.without_price(text))]
