"""A second look at sentences that were found supported in other words: one word of a copy that was put in place of another.

The check weighs words against each other, so that a paraphrase passes; one word alone weighs little. But "the request is
cancelled by the head of service" is not "the request is sent to the head of service": a sentence that follows its source word
by word, save one that the source does not know, is shown as partly supported at most, and a short statement without figures
that brings a word of its own is not shown. Quotations stand in for what is held back, so caution costs a reader little.

Measured on configs/demo/grounding/tuning.jsonl and on invented one-word changes in tests/assistant/test_caution.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Protocol

from assistant.grounding import Support
from assistant.grounding.reading import Reading, Token, read
from assistant.types import Span, Verdict

_FEW_WORDS = 4
"""A statement of so few words that say something, without a figure, is lost with one that is invented."""
_COPIED = 0.6
"""The share of a sentence's words that stand in its source in the same order, from which on it is a copy."""


class Verifying(Protocol):
    """What is needed of `grounding.Verifier`."""

    def check(self, claim: str, language: str, passages: Sequence[str]) -> Support:
        """Whether the passages support the claim, and with which words."""
        ...


class Cautious:
    """A check that takes back what its `verifier` found supported by too little."""

    def __init__(self, verifier: Verifying) -> None:
        self._verifier = verifier

    def check(self, claim: str, language: str, passages: Sequence[str]) -> Support:
        """See `grounding.Verifier`."""
        found = self._verifier.check(claim, language, passages)
        if found.verdict is not Verdict.SUPPORTED:
            return found
        mine = read(claim, language)
        theirs = [read(passage, language) for passage in passages]
        words = _telling(mine)
        known = {key for reading in theirs for token in reading.tokens for key in token.keys}
        own = [token for token in words if token.keys.isdisjoint(known)]
        if not own:
            return found
        if len(words) <= _FEW_WORDS and not mine.figures:
            return Support(Verdict.UNSUPPORTED, found.places, "uncovered")
        sources = _sentences_at(found.places, theirs)
        if any(_swapped(words, source, own) for source in sources):
            return replace(found, verdict=Verdict.PARTLY_SUPPORTED, reason="uncovered")
        return found


def _telling(reading: Reading) -> list[Token]:
    """The words of a text that say something, figures aside."""
    return [token for token in reading.tokens if token.weight > 0 and token.figure < 0]


def _sentences_at(places: Sequence[tuple[int, Span]], passages: Sequence[Reading]) -> Iterator[list[Token]]:
    """The telling words of each sentence that a place touches."""
    for index, span in places:
        reading = passages[index]
        origins = reading.folded.origins
        inside = {token.sentence for token in reading.tokens if span.start <= origins[token.start] < span.end}
        for sentence in sorted(inside):
            yield [token for token in _telling(reading) if token.sentence == sentence]


def _swapped(mine: Sequence[Token], theirs: Sequence[Token], own: Sequence[Token]) -> bool:
    """True when the claim follows the source, but for one of its `own` words in the place of another."""
    meanings = [token.keys for token in theirs]
    numbered = [
        next((str(at) for at, keys in enumerate(meanings) if not keys.isdisjoint(token.keys)), token.word)
        for token in mine
    ]
    source = [next(str(at) for at, earlier in enumerate(meanings) if not earlier.isdisjoint(keys)) for keys in meanings]
    matcher = SequenceMatcher(None, numbered, source, autojunk=False)
    copied = sum(block.size for block in matcher.get_matching_blocks())
    if copied < _COPIED * len(mine):
        return False
    return any(
        operation == "replace" and end - start == 1 and mine[start] in own
        for operation, start, end, *_ in matcher.get_opcodes()
    )
