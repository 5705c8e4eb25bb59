"""Which sentences of a document say most of what it says, section by section: found by their words, no model needed.

A sentence is central when its words are those of its section and of the document, rarer ones counting more: the cosine with both
centroids, as in Radev, Jing, Styś and Tam, "Centroid-based summarization of multiple documents", IPM 40(6), 2004, section 3. What
rules (must, may, amounts, delays) counts more, what leans on another sentence or is the frame of a letter counts less or nothing.
Among the central ones, each next is the least like those that were taken: maximal marginal relevance, Carbonell and Goldstein,
SIGIR 1998.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

from assistant.language import TABLE_CELL, readable_form, sentence_spans
from assistant.types import Draft, Passage, Span

Terms = Callable[[str, str], frozenset[int]]
"""(text, language) → the terms that it is found by."""

_OWN_SECTION = 0.65
"""What the section's words count; the document's count the rest."""
_RULES = 0.12
_NUMBERS = 0.06
_OPENS = 0.2
"""For the first sentence under a heading, which mostly says what the others detail. Of 0.05 to 0.3, chosen on every other line of
configs/demo/summaries.jsonl: 0.46 of the facts were found in twelve sentences with 0.05, 0.80 with this (2026-11-23)."""
_LEANS = 0.15
_LIKENESS = 0.5
"""What it counts against a sentence that it is like one that was taken."""
_FEWEST_WORDS, _MOST_WORDS = 6, 70
_LEAST_WORDS = 3
_CHARS_A_SECTION = 6000
"""Of a document without headings."""
_MOST_OF_SECTION = 4

_RULE = re.compile(
    r"\b(?:doi(?:t|vent)|peu(?:t|vent)|tenue?s? de|fixée?s?|interdite?s?|autorisée?s?|obligatoires?|soumise?s?|réservée?s?"
    r"|au (?:plus|moins)|s'applique(?:nt)?|entre(?:nt)? en vigueur|abrogée?s?|délai|must|shall|may|cannot|required|forbidden"
    r"|allowed|prohibited|appl(?:y|ies)|at (?:least|most)|within|free of charge|no later than)\b"
    r"|(?<![ء-ي])[وفل]?(?:يجب|يجوز|يمنع|يتعين|يلتزم|يحدد|تحدد|يسري|يستفيد|يعفى|تعفى|يلغى|يخضع|تخضع|أجل|على الأقل)(?![ء-ي])",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"^(?:il|elle|ils|elles|celui-ci|celle-ci|ceux-ci|ce dernier|cette dernière|cela|toutefois|cependant|néanmoins|en outre"
    r"|dans ce cas|à défaut|ce délai|cette (?:période|durée|limite|somme|indemnité)|passé ce délai|however|it|they"
    r"|(?:this|these)(?! (?:plan|regulation|handbook|guide|sheet|note|notice|circular|decree|order|policy|document|report)s?\b)"
    r"|she|he|in that case|otherwise|such|غير أن|إلا أن|وفي هذه الحالة|وإذا|ولا|كما|وهي|وهو)\b",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"^(?:vu |considérant|mention de diffusion|destinataires|fait à|le présent \w+ sera publié|marking|done at|having regard|to:"
    r"|from:|subject:|objet :|درجة التداول|حرر ب|إلى:|بناء على|وبناء على|الموضوع)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:[-–—•▪*·◦]|\(?(?:\d{1,2}|[a-z])[.)°])\s|.*[;؛]$", re.DOTALL)
_ENDED = re.compile(r"[.!?…؟۔;؛][\"”’'»)\]]*$")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Section:
    """Passages that stand under one heading, or next to each other where there are none."""

    heading: str
    """Empty for none."""
    passages: tuple[Passage, ...]

    @property
    def characters(self) -> int:
        """How long it is."""
        return sum(len(passage.text) for passage in self.passages)


def sections(passages: Sequence[Passage], most: int) -> tuple[Section, ...]:
    """The document in at most `most` sections: as deep down the headings as that goes, then neighbours joined."""
    if not passages or most < 1:
        return ()
    depth = max((len(passage.headings) for passage in passages), default=0)
    best = _runs(passages, 0)
    for level in range(1, depth + 1):
        runs = _runs(passages, level)
        if len(runs) > most:
            return best if 2 * len(best) > most else _joined(runs, most)
        best = runs
    if len(best) > 1:
        return best
    parts = min(most, 1 + sum(len(passage.text) for passage in passages) // _CHARS_A_SECTION)
    return _joined([Section("", (passage,)) for passage in passages], parts)


def _runs(passages: Sequence[Passage], level: int) -> tuple[Section, ...]:
    """Neighbours with the same first `level` headings."""
    runs: list[tuple[tuple[str, ...], list[Passage]]] = []
    for passage in passages:
        path = passage.headings[:level]
        if not runs or runs[-1][0] != path:
            runs.append((path, []))
        runs[-1][1].append(passage)
    return tuple(Section(path[-1] if path else "", tuple(found)) for path, found in runs)


def _joined(found: Sequence[Section], most: int) -> tuple[Section, ...]:
    """At most `most` sections of about the same length, each of whole neighbours, under the heading of the first."""
    whole = sum(section.characters for section in found) or 1
    groups: list[list[Section]] = [[] for _ in range(min(most, len(found)))]
    before = 0
    for section in found:
        groups[min(len(groups) - 1, before * len(groups) // whole)].append(section)
        before += section.characters
    return tuple(
        Section(group[0].heading, tuple(passage for section in group for passage in section.passages))
        for group in groups
        if group
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    draft: Draft
    terms: frozenset[int]
    bonus: float


class CentralSentences:
    """The central sentences of one document."""

    def __init__(self, found: Sequence[Section], terms: Terms) -> None:
        self._candidates = [_candidates(section, terms) for section in found]
        if not any(self._candidates):
            self._candidates = [_candidates(section, terms, least=_LEAST_WORDS) for section in found]
        every = [candidate for section in self._candidates for candidate in section]
        standing = Counter(term for candidate in every for term in candidate.terms)
        self._weights = {term: log(1 + len(every) / count) for term, count in standing.items()}
        self._whole = self._centroid(every)
        self._lengths = [section.characters for section in found]

    def shares(self, sentences: int) -> tuple[int, ...]:
        """How many of so many sentences each section gets: one where there are enough, more for a longer section."""
        longest_first = sorted(range(len(self._lengths)), key=lambda n: (-self._lengths[n], n))
        given = [0] * len(self._lengths)
        for number in [n for n in longest_first if self._candidates[n]][:sentences]:
            given[number] = 1
        while sum(given) < sentences:
            wanting = [
                n for n, share in enumerate(given) if 0 < share < min(_MOST_OF_SECTION, len(self._candidates[n]))
            ]
            if not wanting:
                break
            given[max(wanting, key=lambda n: (sqrt(self._lengths[n]) / (given[n] + 1), -n))] += 1
        return tuple(given)

    def of(self, section: int, sentences: int) -> tuple[Draft, ...]:
        """At most so many sentences of a section (0-based), in the order of the text."""
        candidates = self._candidates[section]
        own = self._centroid(candidates)
        scores = [
            _OWN_SECTION * self._cosine(candidate.terms, own)
            + (1 - _OWN_SECTION) * self._cosine(candidate.terms, self._whole)
            + candidate.bonus
            for candidate in candidates
        ]
        taken: list[int] = []
        nearest = [0.0] * len(candidates)
        while len(taken) < min(sentences, len(candidates)):
            left = [n for n in range(len(candidates)) if n not in taken]
            best = max(left, key=lambda n: (scores[n] - _LIKENESS * nearest[n], -n))
            taken.append(best)
            for n in left:
                nearest[n] = max(nearest[n], self._likeness(candidates[n].terms, candidates[best].terms))
        return tuple(candidates[n].draft for n in sorted(taken))

    def passages_of(self, section: Section, number: int, most: int) -> tuple[Passage, ...]:
        """The passages of the `number`th section (0-based) that hold its central sentences, in order; at most `most`."""
        if len(section.passages) <= most:
            return section.passages
        wanted = dict.fromkeys(draft.passage.id for draft in self.of(number, most))
        return tuple(passage for passage in section.passages if passage.id in wanted)

    def _centroid(self, candidates: Iterable[_Candidate]) -> dict[int, float]:
        counts = Counter(term for candidate in candidates for term in candidate.terms)
        return {term: count * self._weights[term] for term, count in counts.items()}

    def _cosine(self, terms: frozenset[int], centroid: dict[int, float]) -> float:
        both = sum(self._weights[term] * centroid[term] for term in terms if term in centroid)
        length = sqrt(sum(self._weights[term] ** 2 for term in terms))
        other = sqrt(sum(value * value for value in centroid.values()))
        return both / (length * other) if length and other else 0.0

    def _likeness(self, one: frozenset[int], other: frozenset[int]) -> float:
        both = sum(self._weights[term] ** 2 for term in one & other)
        each = sqrt(sum(self._weights[t] ** 2 for t in one) * sum(self._weights[t] ** 2 for t in other))
        return both / each if each else 0.0


def _candidates(section: Section, terms: Terms, least: int = _FEWEST_WORDS) -> list[_Candidate]:
    found: list[_Candidate] = []
    opened: tuple[str, ...] | None = None
    for passage in section.passages:
        for span in sentence_spans(passage.text, passage.language):
            text = readable_form(passage.text[span.start : span.end])
            if _stands_alone(text, least):
                draft = Draft(text, passage, Span(passage.span.start + span.start, passage.span.start + span.end))
                found.append(
                    _Candidate(draft, terms(text, passage.language), _bonus(text, first=opened != passage.headings))
                )
                opened = passage.headings
    return found


def _stands_alone(text: str, least: int) -> bool:
    words = len(_WORD.findall(text))
    if least < _FEWEST_WORDS:
        return least <= words <= _MOST_WORDS
    whole = _ENDED.search(text) is not None and TABLE_CELL not in text
    return whole and least <= words <= _MOST_WORDS and _FRAME.match(text) is None


def _bonus(text: str, *, first: bool) -> float:
    bonus = _OPENS if first else 0.0
    bonus += _RULES if _RULE.search(text.replace("’", "'")) else 0.0
    bonus += _NUMBERS if any(character.isdigit() for character in text) else 0.0
    return bonus - (_LEANS if _LEANING.match(text) or _ITEM.match(text) else 0.0)
