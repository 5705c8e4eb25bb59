"""Dates as documents write them in French, Arabic and English, with the month names of each region.

Only Gregorian dates are read. Beside a Hijri date the Gregorian one is found; a Hijri date alone stays text.
"""

from __future__ import annotations

import re
from datetime import date

_FRENCH = (
    "janvier", "février|fevrier", "mars", "avril", "mai", "juin", "juillet", "août|aout", "septembre", "octobre", "novembre",
    "décembre|decembre",
)  # fmt: skip
_ENGLISH = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_ARABIC = (
    "يناير|جانفي|كانون الثاني", "فبراير|فيفري|شباط", "مارس|آذار|اذار", "أبريل|ابريل|إبريل|أفريل|افريل|نيسان",
    "ماي|مايو|أيار|ايار", "يونيو|يونيه|جوان|حزيران", "يوليوز|يوليو|يوليه|جويلية|تموز", "غشت|أغسطس|اغسطس|أوت|اوت|آب",
    "شتنبر|سبتمبر|أيلول|ايلول", "أكتوبر|اكتوبر|تشرين الأول|تشرين الاول", "نونبر|نوفمبر|تشرين الثاني",
    "دجنبر|ديسمبر|كانون الأول|كانون الاول",
)  # fmt: skip
"""Of the Maghreb (يوليوز, غشت), Algeria and Tunisia (جويلية, أوت), Egypt and the Gulf (يوليو), and the Levant (تموز)."""
_STANDARD_ARABIC = (
    "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
)  # fmt: skip
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def _months(*languages: tuple[str, ...]) -> dict[str, int]:
    return {
        name: number for names in languages for number, group in enumerate(names, start=1) for name in group.split("|")
    }


MONTHS = _months(_FRENCH, _ENGLISH, _ARABIC)
"""Every name of a month in lower case, with its number from 1 to 12."""


def _names(names: tuple[str, ...]) -> str:
    every = "|".join(names).split("|")
    return "|".join(name.replace(" ", r"\s+") for name in sorted(every, key=len, reverse=True))


_DAY = r"[0-3٠-٣]?[0-9٠-٩]"
_YEAR = r"[12٠-٩][0-9٠-٩]{3}(?![0-9٠-٩])"
DATE = (
    rf"(?=[0-9٠-٩فاjfmasond])(?<![0-9٠-٩])(?:(?:(?P<d1>{_DAY})(?:er|st|nd|rd|th)?(?:\s+day)?(?:\s+of)?|فاتح|الفاتح)(?:\s+من)?\s+(?:شهر\s+)?"
    rf"(?P<m1>{_names(_FRENCH)}|{_names(_ENGLISH)}|{_names(_ARABIC)})[,،]?\s+(?:سنة\s+|عام\s+)?(?P<y1>{_YEAR})"
    rf"|(?P<m2>{_names(_ENGLISH)})\s+(?P<d2>{_DAY})(?:st|nd|rd|th)?,?\s+(?P<y2>{_YEAR})"
    rf"|(?P<y3>{_YEAR})[-/](?P<n3>[01٠١]?[0-9٠-٩])[-/](?P<d3>{_DAY})(?![0-9٠-٩])"
    rf"|(?P<d4>{_DAY})\s?[./-]\s?(?P<n4>[01٠١]?[0-9٠-٩])\s?[./-]\s?(?P<y4>{_YEAR}))"
)
"""A regular expression for one date; read its match with `iso_date`. Numbers alone are day, month, year.

It begins with the characters that a date can begin with: most places in a text are left behind at once."""
_PATTERN = re.compile(DATE, re.IGNORECASE)
_ANY_MONTH = "|".join(map(_names, (_FRENCH, _ENGLISH, _ARABIC)))
MONTH_AND_YEAR = (
    rf"(?=[jfmasond\u0600-\u06ff])(?<!\w)(?P<month>{_ANY_MONTH})[,،]?\s+(?:de\s+)?(?:سنة\s+|عام\s+)?(?P<year>{_YEAR})"
)
"""A regular expression for a month of a year; read its match with `iso_month`."""


def iso_date(match: re.Match[str]) -> str | None:
    """The date of a match of `DATE` as ISO 8601; None when there is no such day."""
    given = {key: value.translate(_DIGITS) for key, value in match.groupdict().items() if value and len(key) == 2}
    day = int(given.get("d1") or given.get("d2") or given.get("d3") or given.get("d4") or 1)
    month = given.get("m1") or given.get("m2")
    number = MONTHS.get(" ".join(month.lower().split()), 0) if month else int(given.get("n3") or given.get("n4") or 0)
    year = int(given.get("y1") or given.get("y2") or given.get("y3") or given.get("y4") or 0)
    try:
        return date(year, number, day).isoformat() if year >= 1500 else None
    except ValueError:
        return None


def iso_month(match: re.Match[str]) -> str:
    """The month of a match of `MONTH_AND_YEAR` as `2019-12`."""
    # Without case, an i is also what the Turkish dotless and dotted ones are: İ in small letters is an i and a dot above.
    name = " ".join(match["month"].lower().replace("ı", "i").replace("\u0307", "").split())
    return f"{match['year'].translate(_DIGITS)}-{MONTHS[name]:02}"


def written_date(iso: str, language: str) -> str:
    """An ISO 8601 date as a person writes it in French, Arabic or English; anything else as it is.

    >>> written_date("2024-05-01", "fr"), written_date("2024-05-01", "en"), written_date("2024", "en")
    ('1er mai 2024', '1 May 2024', '2024')
    """
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    months = {"fr": _FRENCH, "en": _ENGLISH, "ar": _STANDARD_ARABIC}[language]
    month = months[day.month - 1].split("|")[0]
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {month.capitalize() if language == 'en' else month} {day.year}"


def first_date(text: str) -> str | None:
    """The first date written in `text`, as ISO 8601.

    >>> first_date("le 1er août 2024"), first_date("في ٣ تموز ٢٠٢٤"), first_date("May 3rd, 2024")
    ('2024-08-01', '2024-07-03', '2024-05-03')
    """
    return next((found for found in map(iso_date, _PATTERN.finditer(text)) if found), None)
