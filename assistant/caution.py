"""A second look at sentences that were found supported: one word of a copy changed, a condition left out, hearsay quoted as fact.

The check weighs words against each other, so that a paraphrase passes; one word alone weighs little. But "the request is
cancelled by the head of service" is not "the request is sent to the head of service": a sentence that follows its source word
by word, save one that the source does not know, is shown as partly supported at most, and a short statement without figures
that brings a word of its own is not shown. Nor is what a source only reports ("they claim that …"), and what it says on a
condition is partly supported where the sentence names none; so is one end of a range that is given for all of it. Quotations
stand in for what is held back, so caution costs a reader little.

On the supported sentences of configs/demo/grounding/tuning.jsonl (166): 11 become partly supported, one is withheld
(2026-11-23). What it is for is in tests/assistant/test_caution.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Protocol

from assistant.grounding import Support
from assistant.grounding.figure_checks import cuts_a_range
from assistant.grounding.reading import Reading, Token, read
from assistant.language import sentence_spans
from assistant.types import Span, Verdict

_FEW_WORDS = 4
"""A statement of so few words that say something, without a figure, is lost with one that is invented."""
_COPIED = 0.6
"""The share of a sentence's words that stand in its source in the same order, from which on it is a copy."""


_REPORTS = re.compile(
    r"(?:\b(?:que|that|whether|if|si|lorsque|quand|unless)|\b(?:qu|s|lorsqu)['’]|(?:^|\s)[وف]?(?:أن|إن|بأن|إذا|لو|ما لم|كون))"
    r"\s*[«\"“]?\s*$",
    re.IGNORECASE,
)
"""What stands right before words that a sentence reports or supposes, and does not state."""
_SUPPOSES = re.compile(r"(?:si\b|s['’]ils?\b|que\b|qu['’]|that\b|whether\b|if\b|[وف]?إذا|[وف]?أن)", re.IGNORECASE)
"""What such words begin with, in the middle of a sentence."""
_CONDITION = re.compile(
    r"(?:^|[,;:(،؛–—-]|\bet|\band)\s*(?:si\b|s['’]ils?\b|sauf\b|à (?:la )?condition|sous réserve|à moins|if\b|unless\b|except\b|"
    r"provided\b|subject to|only\b|[وف]?إذا|شريطة|بشرط|ما لم|إلا|باستثناء)",
    re.IGNORECASE,
)
_ANY_LIMIT = re.compile(
    r"\b(?:si|s['’]ils?|sauf|condition|réserve|à moins|hormis|excepté|hors|lorsqu|quand|en cas|seulement|uniquement|if|unless|"
    r"except|provided|subject|only|when|where|without|but|not)\b|"
    r"إذا|شريطة|بشرط|ما لم|إلا|باستثناء|عند|دون|حين|متى|غير|لا |بعد|كان",
    re.IGNORECASE,
)


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
        if found.verdict is Verdict.UNSUPPORTED:
            return found
        sentences = list(_whole_sentences(found.places, language, passages))
        if any(_REPORTS.search(before) or (before and _SUPPOSES.match(words)) for before, words, _ in sentences):
            return Support(Verdict.UNSUPPORTED, found.places, "condition")
        if not _ANY_LIMIT.search(claim) and any(_CONDITION.search(sentence) for *_, sentence in sentences):
            return replace(found, verdict=Verdict.PARTLY_SUPPORTED, reason="condition")
        if found.verdict is Verdict.QUOTED:
            return found
        mine, theirs = read(claim, language), [read(passage, language) for passage in passages]
        if _cuts_a_range(found, mine, theirs):
            return replace(found, verdict=Verdict.PARTLY_SUPPORTED, reason="number")
        return _without_own_words(found, mine, theirs)


def brings_own_words(claim: str, language: str, passages: Sequence[str]) -> bool:
    """True when a word of the claim that says something is known to none of the passages, in no form."""
    return bool(_own_words(_telling(read(claim, language)), [read(passage, language) for passage in passages]))


def _cuts_a_range(found: Support, claim: Reading, passages: Sequence[Reading]) -> bool:
    return any(
        cuts_a_range(claim, passages[index], _sentence_numbers(passages[index], span)) for index, span in found.places
    )


def _without_own_words(found: Support, mine: Reading, theirs: Sequence[Reading]) -> Support:
    """What was found, less where the claim brings a word that its sources do not know."""
    words = _telling(mine)
    own = _own_words(words, theirs)
    if not own:
        return found
    if len(words) <= _FEW_WORDS and not mine.figures:
        return Support(Verdict.UNSUPPORTED, found.places, "uncovered")
    if any(_swapped(words, source, own) for source in _sentences_at(found.places, theirs)):
        return replace(found, verdict=Verdict.PARTLY_SUPPORTED, reason="uncovered")
    return found


def _whole_sentences(
    places: Sequence[tuple[int, Span]], language: str, passages: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Of each sentence that a place touches: what stands in it before the place, from there on, and the whole of it."""
    for index, place in places:
        text = passages[index]
        for span in sentence_spans(text, language):
            if span.overlaps(place):
                begin = max(span.start, place.start)
                yield text[span.start : begin], text[begin : span.end], text[span.start : span.end]


def _own_words(words: Sequence[Token], passages: Sequence[Reading]) -> list[Token]:
    known = {key for reading in passages for token in reading.tokens for key in token.keys}
    return [token for token in words if token.keys.isdisjoint(known)]


def _telling(reading: Reading) -> list[Token]:
    """The words of a text that say something, figures aside."""
    return [token for token in reading.tokens if token.weight > 0 and token.figure < 0]


def _sentences_at(places: Sequence[tuple[int, Span]], passages: Sequence[Reading]) -> Iterator[list[Token]]:
    """The telling words of each sentence that a place touches."""
    for index, span in places:
        reading = passages[index]
        for sentence in sorted(_sentence_numbers(reading, span)):
            yield [token for token in _telling(reading) if token.sentence == sentence]


def _sentence_numbers(reading: Reading, span: Span) -> set[int]:
    """The numbers of the sentences that have a word in this span of the text."""
    origins = reading.folded.origins
    return {token.sentence for token in reading.tokens if span.start <= origins[token.start] < span.end}


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
