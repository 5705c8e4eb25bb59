"""The check of one sentence against the passages that it cites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.grounding import cues
from assistant.grounding.findings import Findings, findings
from assistant.grounding.matching import Comparison
from assistant.grounding.quotation import place_span, quoted_place
from assistant.grounding.reading import Reading, read
from assistant.grounding.weighing import weighed
from assistant.types import Span, Verdict

Similarity = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors: (n_texts, dim) float32, rows of unit length."""


class Entailment(Protocol):
    """A model that says whether a text follows from another."""

    def entails(self, premise: str, claim: str) -> float:
        """The probability, from 0 to 1, that `claim` follows from `premise`."""
        ...


@dataclass(frozen=True, slots=True)
class Support:
    """What the check found. `places` are (position among the passages, span in that passage's text), best first.

    `reason` is empty for what may be shown as it is; else one of number, amount, date, duration, percentage, reference, name,
    negation, modality, condition, subject, uncovered, nothing_said.
    """

    verdict: Verdict
    places: tuple[tuple[int, Span], ...]
    reason: str


class Verifier:
    """Checks sentences; made once. Without a similarity and an entailment model it works on words alone.

    >>> Verifier().check("Le délai est de 30 jours.", "fr", ["Le délai est de trente jours."]).verdict
    <Verdict.SUPPORTED: 'supported'>
    """

    def __init__(self, similarity: Similarity | None = None, entailment: Entailment | None = None) -> None:
        self._similarity = similarity
        self._entailment = entailment

    def check(self, claim: str, language: str, passages: Sequence[str]) -> Support:
        """Whether `passages` say what `claim` says, and where. No passages: UNSUPPORTED."""
        mine = read(claim, language)
        readings = [read(passage, language) for passage in passages]
        if not any(token.weight or token.figure >= 0 for token in mine.tokens):
            return Support(Verdict.UNSUPPORTED, (), "nothing_said")
        quoted = _quoted(mine, readings)
        if quoted:
            return Support(Verdict.QUOTED, quoted, "")
        comparison = Comparison(mine, readings)
        pieces = [findings(comparison, fit) for fit in comparison.pieces()]
        return _judged(comparison, pieces)


def _quoted(claim: Reading, passages: Sequence[Reading]) -> tuple[tuple[int, Span], ...]:
    for number, passage in enumerate(passages):
        place = quoted_place(claim, passage)
        if place and not _limited_outside(passage, *place):
            return ((number, place_span(passage, *place)),)
    return ()


def _limited_outside(passage: Reading, start: int, end: int) -> bool:
    """True when what is left out of the quoted sentences denies or limits what is quoted."""
    first, last = passage.sentence_of(start), passage.sentence_of(end - 1)
    text = passage.folded.text
    rests = (text[passage.sentences[first][0] : start], text[end : passage.sentences[last][1]])
    return any(
        cues.denial_places(rest) or cues.lexical_denials(rest) or cues.conditions(rest) or cues.restricts(rest)
        for rest in rests
    )


def _judged(comparison: Comparison, pieces: Sequence[Findings]) -> Support:
    if not pieces:
        return Support(Verdict.UNSUPPORTED, (), "uncovered")
    vetoes = [veto for piece in pieces for veto in piece.vetoes]
    places = tuple(_place(comparison, piece) for piece in pieces if piece.fit.pairs)
    if vetoes:
        return Support(Verdict.UNSUPPORTED, places, vetoes[0])
    odds, reason = weighed(pieces)
    if odds >= 0:
        return Support(Verdict.SUPPORTED, places, "")
    return Support(
        Verdict.PARTLY_SUPPORTED if reason == "uncovered" and odds > -1 else Verdict.UNSUPPORTED, places, reason
    )


def _place(comparison: Comparison, piece: Findings) -> tuple[int, Span]:
    """From the first to the last clause that holds what the piece says."""
    passage = comparison.passages[piece.fit.passage]
    clauses = piece.clauses or tuple(
        {passage.tokens[place].clause for places in piece.fit.pairs.values() for place in places}
    )
    start, end = passage.clauses[min(clauses)][0], passage.clauses[max(clauses)][1]
    return piece.fit.passage, place_span(passage, start, end)
