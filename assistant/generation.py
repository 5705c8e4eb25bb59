"""From evidence to the sentences of an answer.

`QuoteGenerator` needs no language model: it picks sentences of the passages and quotes them word for word. It is the floor
under everything; generators that compose in their own words come beside it, behind the same protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.language import TABLE_CELL, readable_form, sentence_spans
from assistant.types import Draft, Evidence, Passage, Span

SentenceScores = Callable[[Evidence, Sequence[str], str], Sequence[float]]
"""(evidence, sentences, their language) → how well each answers the question; higher is better, 0 is not at all."""


class Generator(Protocol):
    """Proposes the sentences of an answer; what is shown is decided by `grounding`."""

    name: str
    prompt_version: str

    def drafts(self, evidence: Evidence) -> Iterator[Draft]:
        """Sentences in reading order. Empty when the evidence holds nothing to say."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    passage: Passage
    span: Span
    rank: int
    """1-based rank of its passage."""
    score: float


_ANAPHORA = re.compile(
    r"^(?:il|elle|ils|elles|celui-ci|celle-ci|ceux-ci|ce dernier|cette dernière|cela|toutefois|cependant|néanmoins|en outre|"
    r"dans ce cas|à défaut|par dérogation|however|it|they|this|these|in that case|otherwise|such|"
    r"غير أن|إلا أن|وفي هذه الحالة|وفي حالة|كما|ويجب|ويمكن|وتكون|ويكون)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


class QuoteGenerator:
    """Answers with sentences quoted word for word.

    `max_sentences` bounds the answer; a sentence is added only while it scores at least `share_of_best` of the best one, and
    a sentence that leans on the one before it ("Toutefois, …") brings that one along.
    """

    name = "quotes"
    prompt_version = "quotes-1"

    def __init__(self, scores: SentenceScores, *, max_sentences: int = 5, share_of_best: float = 0.55) -> None:
        self._scores = scores
        self._max_sentences = max_sentences
        self._share_of_best = share_of_best

    def drafts(self, evidence: Evidence) -> Iterator[Draft]:
        """The best sentences: grouped by document, best document first, in the order of the text inside each."""
        candidates = self._candidates(evidence)
        chosen = self._chosen(candidates)
        for candidate in _in_reading_order(chosen):
            yield Draft(candidate.text, candidate.passage, candidate.span)

    def _candidates(self, evidence: Evidence) -> list[_Candidate]:
        found: list[tuple[str, Passage, Span, int]] = []
        for scored in evidence.passages:
            passage = scored.passage
            for local in sentence_spans(passage.text, passage.language):
                text = readable_form(passage.text[local.start : local.end])
                if _is_quotable(text, passage):
                    start = passage.span.start
                    found.append((text, passage, Span(start + local.start, start + local.end), scored.rank))
        scores = self._scores(evidence, [text for text, *_ in found], evidence.language)
        return [
            _Candidate(text, passage, span, rank, score)
            for (text, passage, span, rank), score in zip(found, scores, strict=True)
        ]

    def _chosen(self, candidates: list[_Candidate]) -> list[_Candidate]:
        ranked = sorted(candidates, key=lambda c: (-_with_rank_prior(c), c.rank, c.span.start))
        if not ranked or ranked[0].score <= 0:
            return []
        floor = self._share_of_best * _with_rank_prior(ranked[0])
        chosen: list[_Candidate] = []
        for candidate in ranked:
            if len(chosen) >= self._max_sentences or _with_rank_prior(candidate) < floor:
                break
            if any(_says_the_same(candidate, other) for other in chosen):
                continue
            antecedent = _antecedent(candidate, candidates)
            if antecedent and antecedent not in chosen and len(chosen) + 2 <= self._max_sentences:
                chosen.append(antecedent)
            chosen.append(candidate)
        return chosen


def _is_quotable(text: str, passage: Passage) -> bool:
    """True for something that can stand alone: neither a stray number nor a heading nor a page of text."""
    words = _WORD.findall(text)
    is_heading = any(text == readable_form(heading) for heading in passage.headings)
    return not is_heading and len(words) >= 3 and len(text) <= 900 and sum(len(word) for word in words) >= 10


def _with_rank_prior(candidate: _Candidate) -> float:
    """The sentence's score, tempered by where its passage stands: a good passage is a reason to believe its sentences."""
    return candidate.score / (1 + 0.04 * (candidate.rank - 1))


def _says_the_same(one: _Candidate, other: _Candidate) -> bool:
    """True for a repetition. Two sentences that differ in a number are two rules, however alike they look."""
    first, second = (set(_WORD.findall(c.text.casefold())) for c in (one, other))
    differs_in_number = any(any(c.isdigit() for c in word) for word in first ^ second)
    return not differs_in_number and len(first & second) / max(1, min(len(first), len(second))) > 0.85


def _antecedent(candidate: _Candidate, candidates: list[_Candidate]) -> _Candidate | None:
    """What a sentence cannot be understood without, inside the same passage: the one before it, or its table's header."""
    before = [c for c in candidates if c.passage.id == candidate.passage.id and c.span.end <= candidate.span.start]
    if TABLE_CELL in candidate.text:
        return _table_header(before)
    return max(before, key=lambda c: c.span.end, default=None) if _ANAPHORA.match(candidate.text) else None


def _table_header(before: list[_Candidate]) -> _Candidate | None:
    """The first of the table rows that end `before`; None when the last thing in it is no table row."""
    header = None
    for candidate in sorted(before, key=lambda c: -c.span.start):
        if TABLE_CELL not in candidate.text:
            break
        header = candidate
    return header


def _in_reading_order(chosen: list[_Candidate]) -> list[_Candidate]:
    best: dict[str, float] = {}
    for candidate in chosen:
        document_id = candidate.passage.document_id
        best[document_id] = max(best.get(document_id, 0.0), _with_rank_prior(candidate))
    return sorted(chosen, key=lambda c: (-best[c.passage.document_id], c.passage.document_id, c.span.start))
