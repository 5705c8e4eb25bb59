"""Rows of a table as answers: which row heads the others, and which one a figure of the question falls into."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.language import TABLE_CELL
from assistant.units import plain_form

_VALUE_CELL = re.compile(r"(?:[€$£]\s?)?\d[\d\s.,/:h-]*\s*(?:\W|€|\w{1,8})?(?:\s\w{1,8})?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONGEST_COLUMN_NAME = 80
_NUMBER = r"\d+(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d+)?"
_UNIT = r"(?:[€$£%]|[^\W\d_]+)"
_FIGURE = re.compile(rf"(?P<before>[€$£])?(?P<number>{_NUMBER})\s?(?P<unit>[€$£%]|[^\W\d_]+\.?)?")
_BETWEEN = re.compile(
    rf"(?:\b(?:de|d'|from|between|entre|من)\s+)?(?P<low>[€$£]?{_NUMBER})\s*(?P<unit>{_UNIT})?\s*(?:\b(?:à|to|and|et|إلى)\b|–|—|-)\s*"
    rf"(?P<high>[€$£]?{_NUMBER})\s*(?P<unit2>{_UNIT})?",
    re.IGNORECASE,
)
_FEWER = "moins de|jusqu'à|au plus|up to|under|less than|below|not more than|أقل من|إلى غاية|حتى"
_MORE = "plus de|au-delà de|au-dessus de|à partir de|over|more than|above|from|أكثر من|ابتداء من|فوق"
_BELOW = re.compile(rf"\b(?:{_FEWER})\s+(?P<high>[€$£]?{_NUMBER})\s*(?P<unit>{_UNIT})?", re.IGNORECASE)
_ABOVE = re.compile(
    rf"\b(?:{_MORE})\s+(?P<low>[€$£]?{_NUMBER})\s*(?P<unit>{_UNIT})?|"
    rf"(?:^|\s)(?P<low2>[€$£]?{_NUMBER})\s*(?P<unit2>{_UNIT})?\s+(?:et plus|and (?:more|over|above)|or more|فأكثر|فما فوق)",
    re.IGNORECASE,
)
_UNITS = {
    "m": "m mètre mètres metre metres meter meters متر أمتار مترا",
    "km": "km kilomètre kilomètres kilometre kilometres kilometers كيلومتر كيلومترا",
    "eur": "€ euro euros يورو أورو",
    "gbp": "£ pound pounds",
    "usd": "$ dollar dollars دولار",
    "mad": "dirham dirhams dh درهم دراهم درهما",
    "year": "an ans année années year years سنة سنوات عام أعوام",
    "day": "jour jours day days يوم أيام يوما",
    "month": "mois month months شهر أشهر",
    "hour": "h heure heures hour hours ساعة ساعات",
    "kg": "kg kilo kilos kilogramme kilogrammes kilograms كيلوغرام",
    "pct": "% ٪",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}


def heads_table(row: str, following: str, above: Sequence[str]) -> bool:
    """True for a row that says what the columns of the rows below it are: words, and no figures.

    `above`: the headings of its passage; a later part of a long table has the header as the last of them.

    >>> heads_table("Zone | Prix", "Gare | 1,80 €", ()), heads_table("Gare | 1,80 €", "Quais | 1 €", ())
    (True, False)
    """
    if TABLE_CELL not in following or (above and TABLE_CELL in above[-1]):
        return False
    return not any(_is_filled_in(cell) for cell in map(str.strip, row.split(TABLE_CELL)))


def _is_filled_in(cell: str) -> bool:
    """True for what stands in the rows of a table or in a form, and not over a column."""
    is_value = _VALUE_CELL.fullmatch(cell) and not _YEAR.fullmatch(cell)
    return bool(is_value) or ": " in cell or len(cell) > _LONGEST_COLUMN_NAME


def in_range(question: str, row: str) -> bool | None:
    """Whether a figure of the question falls into the range that a cell of the row gives; None where it gives none of that unit.

    >>> [in_range("un bateau de 7 mètres", row) for row in ("Moins de 6 m | 62 €", "De 6 à 8,99 m | 98 €", "Barnum | 70 €")]
    [False, True, None]
    """
    first = plain_form(row).split(TABLE_CELL, 1)[0].strip()
    found = _range(first)
    if found is None:
        return None
    low, high, unit = found
    asked = [
        value
        for value, of in _figures(plain_form(question))
        if of == unit
        or (unit is None and of not in _UNITS)
        or (of is None and unit is not None and not 1900 <= value < 2100)
    ]
    return any(low <= value <= high for value in asked) if asked else None


def _figures(text: str) -> list[tuple[float, str | None]]:
    return [(_value(match["number"]), _unit(match["unit"] or match["before"])) for match in _FIGURE.finditer(text)]


def _range(cell: str) -> tuple[float, float, str | None] | None:
    """(least, most, unit) of a cell such as "De 6 à 8,99 m", "Moins de 400 €", "12 m et plus"; None for any other cell."""
    if match := _BETWEEN.search(cell):
        unit = _unit(match["unit2"]) or _unit(match["unit"]) or _unit(match["low"][0])
        return _value(match["low"]), _value(match["high"]), unit
    if match := _BELOW.search(cell):
        return 0.0, _value(match["high"]) * (1 - 1e-9), _unit(match["unit"]) or _unit(match["high"][0])
    if match := _ABOVE.search(cell):
        low = match["low"] or match["low2"]
        return _value(low), float("inf"), _unit(match["unit"] or match["unit2"]) or _unit(low[0])
    return None


def _unit(word: str | None) -> str | None:
    return _UNIT_OF.get((word or "").strip(".").lower())


def _value(number: str) -> float:
    return float(re.sub(r"[^\d.,]", "", number).replace(",", "."))
