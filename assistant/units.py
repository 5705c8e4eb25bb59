"""What in a text is matched as a whole or not at all: references, dates, compound numbers, amounts.

A unit is a short string in one normal form, whatever the language and the typography: `L. 2123-1` and `L2123-1` are one,
`24/12/2019`, `24 décembre 2019` and `٢٤ ديسمبر ٢٠١٩` are one, `1 500 €` and `1500 euros` are one, `article 5` and `المادة ٥`
are one. Words and 4-grams find such things too, but `L. 2123-1` as words is nearly `L. 2123-10`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from assistant.dates import DATE, MONTH_AND_YEAR, iso_date, iso_month

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_VARIANT = re.compile("[٠-٩۰-۹٫٬یک]")
_ARABIC_VARIANTS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬یک", "01234567890123456789.,يك")

_NUMBERED = r"\d+(?:\s?[-/.]\s?\d+)*"
_ORDINALS = {
    "premier": 1, "première": 1, "first": 1, "الأولى": 1, "الاولى": 1, "الأول": 1, "الاول": 1, "الثانية": 2, "الثاني": 2,
    "الثالثة": 3, "الثالث": 3, "الرابعة": 4, "الرابع": 4, "الخامسة": 5, "الخامس": 5, "السادسة": 6, "السادس": 6, "السابعة": 7,
    "السابع": 7, "الثامنة": 8, "الثامن": 8, "التاسعة": 9, "التاسع": 9, "العاشرة": 10, "العاشر": 10,
}  # fmt: skip
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_DIVISIONS = {
    "art": r"\b(?:articles?|arts?\.?)|\b[وفبكل]?(?:ال|لل)?ماد[ةه]|\b[وفبكل]?(?:ال|لل)?فصل",
    "sec": r"\b(?:sections?|secs?\.)|§|\b[وفبكل]?(?:ال|لل)?قسم",
    "chap": r"\b(?:chapitre|chap\.|chapter)|\b[وفبكل]?(?:ال|لل)?باب",
    "annex": r"\b(?:annexe|annex|appendix|schedule)|\b[وفبكل]?(?:ال|لل)?ملحق",
}
_DIVISION = (
    re.compile(  # begins with what a match can begin with, as the others do: most of a text is left behind at once
        "(?=[asc§وفبكلامق])(?:"
        + "|".join(rf"(?P<{name}>{words})" for name, words in _DIVISIONS.items())
        + rf")\s*(?:n°\s?)?(?P<number>\d+(?:[-.]\d+)*|(?:{_ORDINAL})(?!\w))",
        re.IGNORECASE,
    )
)
_CODE_ARTICLE = re.compile(
    r"(?<![\w'])(?P<letter>[LRDlrd]\*?\.?\s?|[Aa]\*?\.\s?|A\*?)(?P<number>\d{1,5}(?:-\d+)*)(?![\w/])"
)
_SPACED_LOWER = re.compile(r"[a-z]\*?\s")
_IDENTIFIER = re.compile(r"(?<![\w-])(?P<letters>[A-Za-z]{2,6})-(?P<number>\d+[a-z]?)(?![\w-])")
_NUMBER_SIGN = re.compile(
    rf"(?=[nر])(?:\bn[°o]\.?|\bn[°o]?s\.?|\bnuméro|\bnumber|\bرقم)\s?(?P<number>{_NUMBERED})", re.IGNORECASE
)
_COMPOUND = re.compile(r"(?=\d)(?<![\w/.,-])(?P<number>\d{1,5}(?:[-/]\d{1,5})+|\d{1,3}(?:\.\d{1,3}){2,})(?![\w/-])")
_QUANTITY = re.compile(
    r"(?=\d)(?<![\w.,/-])(?P<number>\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?)(?![\w/-])"
    r"(?:\s{0,2}(?P<of>%|€|\$|£|(?:pour\s?cent|per\s?cent|euros?|eur|dollars?|pounds?|dirhams?|dinars?|dh|mad)\b"
    r"|(?:[بف]ي?\s?المائة|في المئة|بالمئة|دراهم|درهم\w*|يورو|أورو|دولار\w*|دينار\w*|دنانير)))?",
    re.IGNORECASE,
)
_MONEY = (
    ("pct", ("%", "pour", "per", "بال", "في")), ("eur", ("€", "eur", "يورو", "أورو")), ("usd", ("$", "dollar", "دولار")),
    ("gbp", ("£", "pound")), ("mad", ("dirham", "dh", "mad", "درهم", "دراهم")), ("dinar", ("dinar", "دينار", "دنانير")),
)  # fmt: skip
_DATE = re.compile(DATE, re.IGNORECASE)
_MONTH_AND_YEAR = re.compile(MONTH_AND_YEAR, re.IGNORECASE)
_YEAR = re.compile(r"\d{4}")
_CAN_HOLD_ANY = re.compile(rf"\d|(?:{_ORDINAL})(?!\w)", re.IGNORECASE)
_LOOKS_LIKE_A_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}|2100")


def plain_form(text: str) -> str:
    """NFKC without invisible characters and Arabic marks, with ASCII digits; letters as they are."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return plain.translate(_ARABIC_VARIANTS) if _VARIANT.search(plain) else plain


def units(text: str) -> frozenset[str]:
    """The units that `text` holds, in their normal form.

    >>> sorted(units("L'article L. 2123-1 et la loi n° 2019-1479 du 24 décembre 2019"))
    ['date:2019-12-24', 'month:2019-12', 'no:2019-1479', 'no:2123-1', 'ref:l2123-1']
    >>> units("المادة ٥") == units("Article 5"), units("1 500 €") == units("1500 euros") == {"eur:1500"}
    (True, True)
    """
    plain = plain_form(text).replace("‐", "-").replace("–", "-").replace("−", "-").replace("’", "'")
    if not _CAN_HOLD_ANY.search(plain):
        return frozenset()
    days: list[str | None] = []

    def set_apart(match: re.Match[str]) -> str:
        days.append(iso_date(match))
        return " "

    dated = bool(_YEAR.search(plain))
    undated = _DATE.sub(set_apart, plain) if dated else plain
    months = [iso_month(match) for match in _MONTH_AND_YEAR.finditer(plain)] if dated else []
    months += [day[:7] for day in days if day]
    found = {f"date:{day}" for day in days if day} | {f"month:{month}" for month in months}
    return frozenset(found.union(_references(undated), _quantities(undated)))


def references(text: str) -> frozenset[str]:
    """The units among those of `text` that name a legal text, a part of one, or a file."""
    return frozenset(unit for unit in units(text) if unit.partition(":")[0] in {"ref", "no", *_DIVISIONS})


def _references(undated: str) -> Iterator[str]:
    for match in _DIVISION.finditer(undated):
        number = match["number"]
        yield f"{_division(match)}:{_ORDINALS.get(number.lower(), number)}"
    for match in _CODE_ARTICLE.finditer(undated):
        if not _SPACED_LOWER.match(match["letter"]):
            yield f"ref:{match['letter'][0].lower()}{match['number']}"
    for match in _IDENTIFIER.finditer(undated):
        yield f"ref:{match['letters'].lower()}-{match['number'].lower()}"
    for match in (*_NUMBER_SIGN.finditer(undated), *_COMPOUND.finditer(undated)):
        yield "no:" + "-".join(re.findall(r"\d+", match["number"]))


def _division(match: re.Match[str]) -> str:
    return next(name for name in _DIVISIONS if match[name])


def _quantities(undated: str) -> Iterator[str]:
    for match in _QUANTITY.finditer(undated):
        number, of = match["number"], (match["of"] or "").lower()
        if of:
            kind = next(kind for kind, starts in _MONEY if of.startswith(starts))
            yield f"{kind}:{_value(number)}"
        elif (len(number) > 3 and not _LOOKS_LIKE_A_YEAR.fullmatch(number)) or not number.isdigit():
            yield f"num:{_value(number)}"


def _value(number: str) -> str:
    """A number as it is read: groups of three digits joined, a decimal comma as a point, no zeros at its end.

    >>> _value("1 500,50"), _value("1.500"), _value("14,2")
    ('1500.5', '1500', '14.2')
    """
    whole, mark, decimals = re.fullmatch(r"(\d{1,3}(?:[ .,']\d{3})+|\d+)(?:([.,])(\d+))?", number).groups()  # type: ignore[union-attr]  # of `_QUANTITY`
    decimals = (decimals or "").rstrip("0") if mark else ""
    return re.sub(r"\D", "", whole) + (f".{decimals}" if decimals else "")
