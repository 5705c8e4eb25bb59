"""From evidence to the sentences of an answer.

`QuoteGenerator` needs no language model: it picks sentences of the passages and quotes them word for word. It is the floor
under everything; generators that compose in their own words come beside it, behind the same protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.addressed import addressed
from assistant.agreement import asks_for_version, disagree, version_date, versions_of_one
from assistant.answer_kinds import VALUED, answer_kind, shows_kind, values
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
    """With the prior of its passage's rank, and less for a version that a later one replaces."""


_ANAPHORA = re.compile(
    r"^(?:il|elle|ils|elles|celui-ci|celle-ci|ceux-ci|ce dernier|cette dernière|cela|toutefois|cependant|néanmoins|en outre|"
    r"dans ce cas|à défaut|par dérogation|ce délai|cette (?:période|durée|limite|somme|indemnité)|au-delà|passé ce délai|"
    r"however|it|they|this|these|in that case|otherwise|such|"
    r"غير أن|إلا أن|وفي هذه الحالة|وفي حالة|كما|ويجب|ويمكن|وتكون|ويكون)\b",
    re.IGNORECASE,
)
_QUALIFIES = re.compile(
    r"^(?:toutefois|cependant|néanmoins|sauf|par (?:dérogation|exception)|à défaut|à l'exception|passé ce délai|au-delà|"
    r"il en va autrement|le silence|l'absence de réponse|silence|no answer|ويعد السكوت|وإذا لم|"
    r"ne sont pas concerné|cette (?:règle|limite|disposition) ne|ce (?:délai|plafond|montant) (?:est|peut|ne)|"
    r"however|unless|except|exceptions?|otherwise|notwithstanding|"
    r"this (?:rule|limit|period|amount) (?:is|may|does)|in other cases|"
    r"غير أن|إلا|بيد أن|ما عدا|باستثناء|ولا يسري|ويستثنى|وإلا|وإذا انقضى|ويرفع الأجل|ويرفع هذا)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^(?:[-–—•▪*·◦]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)°])\s|.*[;؛]$", re.DOTALL)
_BULLETED = re.compile(r"[-–—•▪*·◦]\s|.*[;؛]$", re.DOTALL)
_ASKS_FOR_LIST = re.compile(
    r"\b(?:quels|quelles)\b|\bwhat are\b|\b(?:which|what) \w+s\b|ما هي|ما ال|^\W*(?:quand|when|pour qui|qui)\b|يستفيد|شروط|وثائق",
    re.IGNORECASE,
)
_ENDED = re.compile(r"[.!?…؟۔:;؛»”\")\]]$")
_OPENS = re.compile(r"المادة|الباب|الفصل|[-–—•▪*·]")
_RUNNING_CHARS = 60
"""A piece this long without a stop at its end is prose that a page break cut, not a heading."""
_WORD = re.compile(r"\w+")
_SUPERSEDED_SHARE = 0.8
_SHARE_WITHOUT_VALUE = 0.7
"""Of the best score, what a sentence needs that lacks the figure which is asked for and which the best one has."""
_LIST_ITEMS = 8
_TOUCHING_CHARS = 4
_PAGE_BREAK_CHARS = 300
"""Foot of a page and head of the next, which no passage has."""


class QuoteGenerator:
    """Answers with sentences quoted word for word.

    `max_sentences` bounds the answer, the rest of a list aside; a sentence is added only while it scores at least
    `share_of_best` of the best one. What belongs to a chosen sentence comes with it: the one it leans on ("Ce délai …"), the
    exception or consequence right after it ("Toutefois, …", "Le silence vaut refus"), the header of a table row, the
    sentence that opens a list and, where the question asks for the list, its items. Of two versions of one text the later is
    preferred, unless the question names the earlier; where two documents give different values both are quoted, the later
    first.

    0.6 of the best instead of 0.55: on the tuning questions 2 points more of the citations are right and half a point fewer
    answers hold the words looked for; 0.7 costs 4 points of these (2026-11-23).
    """

    name = "quotes"
    prompt_version = "quotes-2"

    def __init__(self, scores: SentenceScores, *, max_sentences: int = 5, share_of_best: float = 0.6) -> None:
        self._scores = scores
        self._max_sentences = max_sentences
        self._share_of_best = share_of_best

    def drafts(self, evidence: Evidence) -> Iterator[Draft]:
        """The best sentences: grouped by document, in the order of the text inside each.

        Best document first; of two versions, and of two that disagree, the later one first, or the one that the question names.
        """
        candidates = self._candidates(evidence)
        chosen = self._chosen(candidates, evidence.question)
        for candidate in _in_reading_order(chosen, evidence.question):
            yield Draft(candidate.text, candidate.passage, candidate.span)

    def _candidates(self, evidence: Evidence) -> list[_Candidate]:
        found: list[tuple[str, Passage, Span, int]] = []
        for scored in evidence.passages:
            passage = scored.passage
            commands = addressed(passage.text)
            for local in _whole_sentences(passage):
                text = readable_form(passage.text[local.start : local.end])
                if _is_quotable(text, passage) and not any(local.overlaps(span) for span in commands):
                    start = passage.span.start
                    found.append((text, passage, Span(start + local.start, start + local.end), scored.rank))
        scores = self._scores(evidence, [text for text, *_ in found], evidence.language)
        shares = _version_shares(evidence)
        return [
            _Candidate(text, passage, span, rank, score * shares[passage.document_id] / (1 + 0.04 * (rank - 1)))
            for (text, passage, span, rank), score in zip(found, scores, strict=True)
        ]

    def _chosen(self, candidates: list[_Candidate], question: str) -> list[_Candidate]:
        ranked = sorted(candidates, key=lambda c: (-c.score, c.rank, c.span.start))
        if not ranked or ranked[0].score <= 0:
            return []
        floor = self._share_of_best * ranked[0].score
        wants_list = bool(_ASKS_FOR_LIST.search(question))
        chosen: list[_Candidate] = []
        for candidate in ranked:
            if len(chosen) >= self._max_sentences or candidate.score < floor:
                break
            if candidate in chosen or any(_says_the_same(candidate, other) for other in chosen):
                continue
            if candidate.score < _SHARE_WITHOUT_VALUE * ranked[0].score and _is_beside(candidate, ranked[0], question):
                continue
            around = [other for other in _belonging(candidate, candidates) if other not in chosen]
            chosen += around[: max(0, self._max_sentences - len(chosen) - 1)]
            chosen.append(candidate)
            if wants_list:
                chosen += [item for item in _items(candidate, candidates) if item not in chosen]
            if candidate.text.endswith(":"):
                chosen += [after for after in _announced(candidate, candidates) if after not in chosen]
        return chosen


def _is_beside(candidate: _Candidate, best: _Candidate, question: str) -> bool:
    """True when the question asks for a figure or a date, the best sentence has one and this one has none."""
    kind = answer_kind(question)
    return kind in VALUED and shows_kind(best.text, kind, question) and not shows_kind(candidate.text, kind, question)


def _whole_sentences(passage: Passage) -> list[Span]:
    """The sentences of a passage; one that a page break cut in two is whole again."""
    whole: list[Span] = []
    for span in sentence_spans(passage.text, passage.language):
        if whole and _goes_on(passage.text, whole[-1], span):
            whole[-1] = Span(whole[-1].start, span.end)
        else:
            whole.append(span)
    return whole


def _goes_on(text: str, before: Span, after: Span) -> bool:
    """True when the second piece continues the sentence of the first."""
    first, second = text[before.start : before.end], text[after.start : after.end]
    if (
        _ENDED.search(first)
        or TABLE_CELL in first
        or TABLE_CELL in second
        or "\n\n" not in text[before.end : after.start]
    ):
        return False
    last_line = first.rsplit("\n", 1)[-1]
    if len(last_line) < _RUNNING_CHARS or _OPENS.match(second):
        return False
    return second[0].islower() or second[0].isdigit() or "ء" <= second[0] <= "ي"


def _is_quotable(text: str, passage: Passage) -> bool:
    """True for something that can stand alone: neither a stray number nor a heading nor a page of text."""
    words = _WORD.findall(text)
    if TABLE_CELL in text or _BULLETED.match(text):  # these may be short: "Gare | 1,80 | 60", "- deux devis ;"
        return any(word.isalpha() for word in words) and len(words) >= 2 and len(text) <= 900
    is_heading = text in passage.title or any(text == readable_form(heading) for heading in passage.headings)
    return not is_heading and len(words) >= 3 and len(text) <= 900 and sum(len(word) for word in words) >= 10


def _version_shares(evidence: Evidence) -> dict[str, float]:
    """Document id → what its sentences count: less for the earlier of two versions, unless the question names it."""
    documents = {scored.passage.document_id: scored.passage for scored in evidence.passages}
    return {
        own: _SUPERSEDED_SHARE
        if not asks_for_version(evidence.question, passage.title, passage.date)
        and any(
            _dated(passage) < _dated(other) and versions_of_one(passage.title, other.title)
            for other in documents.values()
        )
        else 1.0
        for own, passage in documents.items()
    }


def _says_the_same(one: _Candidate, other: _Candidate) -> bool:
    """True for a repetition. Two sentences that differ in a number are two rules, however alike they look."""
    first, second = (set(_WORD.findall(c.text.casefold())) for c in (one, other))
    differs_in_number = set(values(one.text)) != set(values(other.text))
    return not differs_in_number and len(first & second) / max(1, min(len(first), len(second))) > 0.85


def _belonging(candidate: _Candidate, candidates: list[_Candidate]) -> list[_Candidate]:
    """What a sentence must not be quoted without, inside the same section."""
    own = _run(candidate, candidates)
    position = own.index(candidate)
    before, after = own[:position], own[position + 1 :]
    if TABLE_CELL in candidate.text:
        return [header] if (header := _table_header(before)) else []
    belonging = []
    if before and _ANAPHORA.match(candidate.text):
        belonging.append(before[-1])
    elif _ITEM.match(candidate.text) and (opening := _list_opening(before)):
        belonging.append(opening)
    if after and TABLE_CELL not in after[0].text and _QUALIFIES.match(after[0].text):
        belonging.append(after[0])
    return belonging


def _run(candidate: _Candidate, candidates: list[_Candidate]) -> list[_Candidate]:
    """The sentences of its passage, and of the passages of the same section that touch it, in the order of the text.

    Passages on two pages that follow each other touch as well: what stands between them is a page's foot and the next one's head.
    """
    here = candidate.passage

    def touches(other: Passage) -> bool:
        same_section = (other.document_id, other.version, other.headings) == (
            here.document_id,
            here.version,
            here.headings,
        )
        gap = max(other.span.start - here.span.end, here.span.start - other.span.end)
        return same_section and gap <= (_PAGE_BREAK_CHARS if _on_following_pages(here, other) else _TOUCHING_CHARS)

    return sorted((c for c in candidates if touches(c.passage)), key=lambda c: c.span.start)


def _on_following_pages(one: Passage, other: Passage) -> bool:
    first, second = sorted((one, other), key=lambda passage: passage.span.start)
    return bool(first.page_numbers and second.page_numbers and second.headings) and (
        second.page_numbers[0] == first.page_numbers[-1] + 1
    )


def _table_header(before: list[_Candidate]) -> _Candidate | None:
    """The first of the table rows that end `before`; None when the last thing in it is no table row."""
    header = None
    for candidate in reversed(before):
        if TABLE_CELL not in candidate.text:
            break
        header = candidate
    return header


def _list_opening(before: list[_Candidate]) -> _Candidate | None:
    """The sentence ending in a colon that opens the list whose items end `before`."""
    for candidate in reversed(before):
        if candidate.text.endswith(":"):
            return candidate
        if not _ITEM.match(candidate.text):
            return None
    return None


def _items(candidate: _Candidate, candidates: list[_Candidate]) -> list[_Candidate]:
    """The items of the list that a sentence opens or is part of, at most `_LIST_ITEMS`; none for any other sentence."""
    own = _run(candidate, candidates)
    start = own.index(candidate) + 1
    if not candidate.text.endswith(":"):
        if not _ITEM.match(candidate.text):
            return []
        while start > 1 and _ITEM.match(own[start - 2].text):
            start -= 1
        start -= 1
    items: list[_Candidate] = []
    for following in own[start:]:
        is_last = bool(items) and items[-1].text.endswith((";", "؛"))
        if not (_ITEM.match(following.text) or is_last) or len(items) == _LIST_ITEMS:
            break
        items.append(following)
    return items


def _announced(candidate: _Candidate, candidates: list[_Candidate]) -> list[_Candidate]:
    """The first thing that a sentence ending in a colon announces: without it, the sentence says nothing."""
    own = _run(candidate, candidates)
    after = own.index(candidate) + 1
    return [c for c in own[after : after + 1] if TABLE_CELL not in c.text]


def _in_reading_order(chosen: list[_Candidate], question: str) -> list[_Candidate]:
    """By document, in the order of the text: best document first, but of two versions or opinions the one that counts."""
    best: dict[str, float] = {}
    for candidate in chosen:
        document_id = candidate.passage.document_id
        best[document_id] = max(best.get(document_id, 0.0), candidate.score)
    for one in chosen:
        for other in chosen:
            if _overrides(one, other, question):
                first, second = one.passage.document_id, other.passage.document_id
                best[first] = max(best[first], best[second] + 1e-6)
    return sorted(chosen, key=lambda c: (-best[c.passage.document_id], c.passage.document_id, c.span.start))


def _overrides(one: _Candidate, other: _Candidate, question: str) -> bool:
    """True when, of two versions or opinions, the first is the one that the question names, or else the later one."""
    first, second = one.passage, other.passage
    if first.document_id == second.document_id:
        return False
    if not versions_of_one(first.title, second.title) and not disagree(question, one.text, other.text):
        return False
    named, other_named = (asks_for_version(question, p.title, p.date) for p in (first, second))
    return named if named != other_named else _dated(first) > _dated(second)


def _dated(passage: Passage) -> str:
    return version_date(passage.title, passage.date)
