"""Whether two sources say the same, and which of two versions of a rule is the later one.

Two quotes disagree when they speak of the same thing, in different documents, and give different values for what was asked:
"dans un délai de trente jours" and "dans un délai de quinze jours". Two documents are versions of one when their titles differ
in numbers and dates only. Both are judged by words alone: where it is not plain, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

from assistant.answer_kinds import AnswerKind, answer_kind, numbers, values, years
from assistant.language import search_form

_VALUED = frozenset(
    {AnswerKind.DURATION, AnswerKind.AMOUNT, AnswerKind.NUMBER, AnswerKind.TIME, AnswerKind.DATE, AnswerKind.YES_NO}
)
"""Kinds whose answers have values that can differ. "Is it allowed after two days?" is answered by a value as well."""
_SAME_THING = 0.55
"""The share of the shorter quote's words that the other has, from which on both speak of the same thing."""
_SAME_TITLE = 0.8
_STEM = 5
_LONG_WORD = 3
_WORD = re.compile(r"[^\W\d_]+")
_SUM = re.compile(
    r"[€$£] ?[\d.,٠-٩]+|[\d٠-٩][\d٠-٩.,\u00a0\u202f ]*(?:€|\$|£|%|٪|(?:euros?|dollars?|dirhams?|dinars?|يورو|أورو|درهم|دينار)\b)",
    re.IGNORECASE,
)
_MONTHS = re.compile(
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|january|february|march|april|may|june|july|"
    r"august|september|october|november|december|édition|edition|version|طبعة|سنة",
    re.IGNORECASE,
)


class Quoted(Protocol):
    """What is judged of a citation."""

    @property
    def document_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def quote(self) -> str: ...
    @property
    def date(self) -> str | None: ...


def disagreements(question: str, quotes: Sequence[Quoted]) -> list[tuple[int, int]]:
    """Pairs of positions in `quotes` that answer the question with different values; the first pair of two documents only."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for first, second in combinations(range(len(quotes)), 2):
        one, other = quotes[first], quotes[second]
        documents = (min(one.document_id, other.document_id), max(one.document_id, other.document_id))
        if (
            documents not in found
            and one.document_id != other.document_id
            and disagree(question, one.quote, other.quote)
        ):
            found[documents] = (first, second)
    return sorted(found.values())


def disagree(question: str, one: str, other: str) -> bool:
    """True when two quotes speak of the same thing and have no value in common.

    >>> disagree("Dans quel délai déposer l'état de frais ?", "L'état de frais est déposé dans un délai de trente jours.",
    ...          "L'état de frais est à déposer dans un délai de 15 jours.")
    True
    """
    if answer_kind(question) not in _VALUED:
        return False
    first, second = _values(question, one), _values(question, other)
    if not (first and second) or first & second or _likeness(one, other) < _SAME_THING:
        return False
    sums, counts = (
        [_values(question, part) for part in parts] for parts in zip(*map(_parted, (one, other)), strict=True)
    )
    return all(sums) or all(counts)


def versions_of_one(title: str, other: str) -> bool:
    """True when two titles differ in their numbers and dates only: "Tarifs 2023" and "Tarifs 2024"."""
    first, second = (_stems(_MONTHS.sub(" ", text)) for text in (title, other))
    differ_in_number = set(numbers(title)) != set(numbers(other))
    return bool(first and second) and differ_in_number and len(first & second) / len(first | second) >= _SAME_TITLE


def version_date(title: str, date: str | None) -> str:
    """The date of a version, as far as it is known: its own, else the last year that its title names; else empty.

    >>> version_date("Règlement de la cantine 2025", None) > version_date("Règlement de la cantine 2022", None)
    True
    """
    return date or max(years(title), default="")


def asks_for_version(question: str, title: str, date: str | None) -> bool:
    """True when the question names this version by its number or year."""
    own = set(numbers(title)) | set(years(date or ""))
    return any(number in own for number in numbers(question))


def _parted(quote: str) -> tuple[str, str]:
    """Its sums of money and shares, and what is left of it: a price and a telephone number do not contradict each other."""
    return " ".join(_SUM.findall(quote)), _SUM.sub(" ", quote)


def _values(question: str, quote: str) -> set[str]:
    """Numbers of the quote, whether in digits or words, that neither the question says nor are years."""
    return set(values(quote)) - set(values(question)) - set(years(quote))


def _likeness(one: str, other: str) -> float:
    first, second = _stems(one), _stems(other)
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _stems(text: str) -> set[str]:
    words = _WORD.findall(search_form(text, "fr").casefold())
    return {_bare(word)[:_STEM] for word in words if len(word) > _LONG_WORD}


def _bare(word: str) -> str:
    """An Arabic word without the article and the particles that are written as part of it."""
    return re.sub(r"^(?:و|ف)?(?:بال|كال|لل|ال|ب|ل)?(?=[ء-ي]{3})", "", word)
