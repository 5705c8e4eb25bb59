"""Dates, months, days of the week and times of day in folded text, with the month names of each region, Hijri ones too.

A date is (year, month, day) with None for what is not said; Hijri months are numbered from 101. A time is (minutes, whether it is
known which half of the day is meant).
"""

from __future__ import annotations

import re

from assistant.dates import MONTHS
from assistant.grounding.folding import folded
from assistant.grounding.numerals import numerals

Moment = tuple[str, tuple[object, ...]]

_HIJRI = (
    "محرم|mouharram|muharram", "صفر|safar", "ربيع الاول|rabi al-awwal", "ربيع الثاني|ربيع الاخر", "جمادي الاولي",
    "جمادي الثانيه|جمادي الاخره", "رجب|rajab", "شعبان|chaabane|shaban", "رمضان|ramadan|ramadhan", "شوال|chaoual|shawwal",
    "ذو القعده|ذي القعده", "ذو الحجه|ذي الحجه",
)  # fmt: skip
_MONTHS = {folded(name).text: number for name, number in MONTHS.items()}
_MONTHS |= {name: number for number, names in enumerate(_HIJRI, start=101) for name in names.split("|")}
_SHORT = frozenset({"mai", "may", "ماي"})
_NAME = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(_MONTHS, key=len, reverse=True))
_LONG_NAME = "|".join(name for name in _NAME.split("|") if len(name) > 3 or name in _SHORT)
_ARABIC_NAME = "|".join(name for name in _LONG_NAME.split("|") if name[0] > "z")
_YEAR = r"(?P<year>1[3-9]\d\d|20\d\d)(?!\d)"
_OF_YEAR = rf"(?:,?\s+(?:de\s+)?(?:(?:سنه|عام)\s+)?{_YEAR})"
_FULL = (
    rf"(?<![\d/])(?:(?P<day>[0-3]?\d)(?:er|st|nd|rd|th)?|(?P<first>premier|first|فاتح|"
    rf"الفاتح))(?:\s+day)?(?:\s+(?:of|من))?"
    rf"(?:\s+شهر)?\s+(?P<month>{_NAME})(?!\w){_OF_YEAR}?",
    rf"(?<!\w)(?P<month>{_NAME})\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\d:.]\d)(?!\d)(?:,?\s+{_YEAR})?",
    rf"(?<![\d/.-]){_YEAR}[-/](?P<month>[01]?\d)[-/](?P<day>[0-3]?\d)(?![\d/-])",
    rf"(?<![\d/.-])(?P<day>[0-3]?\d)\s?[./-]\s?(?P<month>[01]?\d)\s?[./-]\s?{_YEAR}(?![/-]\d)",
    rf"(?<!\w)(?P<month>{_NAME})(?!\w){_OF_YEAR}",
)
DATES = tuple(map(re.compile, _FULL))
"""Dates with two parts or three."""
MONTHS_ALONE = (
    re.compile(
        r"(?:\b(?:en|de|du mois de|d'|mi-|fin|debut|in|of|by|until|since|mois de|every|each|and|et|a)\s?|"
        r"(?<!\w)(?:شهر|شهري|منتصف|بدايه|نهايه|اواخر|اوائل|من|في|الي|حتي|و|ب|ل)\s?)"
        rf"(?P<month>{_LONG_NAME})(?!\w)"
    ),
    re.compile(rf"(?<!\w)(?P<month>{_ARABIC_NAME})(?!\w)"),
)
"""A month without day and year; "may" and "mars" need a word before them that belongs to a date."""
LONE_YEAR = re.compile(r"(?<![\w/.,-])(?:1[5-9]\d\d|20\d\d)(?![\w%/]|-\d|[.,]\d)")
DAY_IN_WORDS = re.compile(
    r"(?<!\w)(?:(?<=من )|(?<=قبل )|(?<=بعد )|(?<=في )|(?<=الي )|(?<=يوم )|(?<=حتي )|(?<=منذ )|(?<=غايه ))"
    r"(?P<day>ال[ء-ي]+(?:\s+و?ال[ء-ي]+|\s+عشره?)?)"
    rf"\s+(?:من\s+)?(?:شهر\s+)?(?P<month>{_NAME})(?!\w){_OF_YEAR}?"
)
"""من الأول من مارس إلى الثلاثين من أبريل"""

_HALF = r"(?P<half>[ap]\.?\s?m\b\.?|صباحا|مساء|زوالا|ظهرا|ليلا|بعد الزوال|du (?:matin|soir)|de l'apres-midi)"
CLOCKS = tuple(
    map(
        re.compile,
        (
            rf"(?<![\d.,:])(?P<hour>[0-2]?\d)\s?(?:(?P<whole>h|heures? )|:)\s?(?P<minute>[0-5]\d)(?!\d)(?:\s?{_HALF})?",
            rf"(?<![\d.,:])(?P<hour>[0-2]?\d)(?:[.:](?P<minute>[0-5]\d))?\s?{_HALF}",
            rf"(?<![\d.,:])(?P<hour>[0-2]?\d)\s?(?P<whole>h)(?![\w])(?:\s?{_HALF})?",
            r"(?:الساعه|الساعات)\s+(?P<hour>[0-2]?\d)(?!\d)",
            r"(?<!de )(?<!du )\b(?P<noon>midi|noon|midday|minuit|midnight)\b|(?P<arabic>منتصف\s+(?:النهار|الليل))",
        ),
    )
)
HOUR_IN_WORDS = re.compile(
    r"(?:\s+و(?P<part>النصف|الربع|نصف|ربع))?\s+"
    r"(?P<half>صباحا|مساء|زوالا|ظهرا|ليلا|بعد الزوال|بعد الظهر|in the (?:morning|afternoon|evening)|"
    r"du (?:matin|soir)|de l'apres-midi)(?!\w)"
)
"""What follows the number in "الثانية والنصف زوالا"."""
PART_OF_HOUR = re.compile(r"\s+و(?P<part>النصف|الربع|نصف|ربع)")
HOUR_BEFORE = re.compile(r"الساعه\s+$")

_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "lundi lundis monday mondays الاثنين", "mardi mardis tuesday tuesdays ثلاثاء الثلاثاء",
            "mercredi mercredis wednesday wednesdays اربعاء الاربعاء", "jeudi jeudis thursday thursdays خميس الخميس",
            "vendredi vendredis friday fridays الجمعه", "samedi samedis saturday saturdays سبت السبت",
            "dimanche dimanches sunday sundays الاحد",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAY = re.compile(
    r"(?<!\w)[وبف]?(?P<day>"
    + "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
    + r")(?!\w)|(?:(?<=كل )|(?<=يوم ))(?P<bare>اثنين)(?!\w)"
)


def date_found(match: re.Match[str]) -> Moment | None:
    """What a match of `DATES` or `MONTHS_ALONE` says; None when there is no such day."""
    parts = match.groupdict()
    name = parts["month"]
    month = int(name) if name.isdigit() else _MONTHS.get(" ".join(name.split()), 0)
    day = 1 if parts.get("first") else int(parts["day"]) if parts.get("day") else None
    year = int(parts["year"]) if parts.get("year") else None
    if not 1 <= month % 100 <= 12 or (day is not None and not 1 <= day <= 31):
        return None
    return "date", (year, month, day)


def worded_date(match: re.Match[str]) -> Moment | None:
    """What a match of `DAY_IN_WORDS` says."""
    found = numerals(match["day"])
    if len(found) != 1 or found[0].end != len(match["day"]) or not 1 <= found[0].value <= 31:
        return None
    month = _MONTHS.get(" ".join(match["month"].split()), 0)
    return "date", (int(match["year"]) if match["year"] else None, month, int(found[0].value))


def clock_time(match: re.Match[str]) -> Moment | None:
    """What a match of `CLOCKS` says."""
    parts = match.groupdict()
    if parts.get("noon") or parts.get("arabic"):
        noon = parts.get("noon") in {"midi", "noon", "midday"} or "النهار" in (parts.get("arabic") or "")
        return "time", (12 * 60 if noon else 0, True)
    time = time_of_day(int(parts["hour"]), int(parts.get("minute") or 0), parts.get("half") or "")
    if time and parts.get("whole"):
        return "time", (time[1][0], True)  # "4 h 30" is no afternoon: French counts the whole day where it writes h
    return time


def time_of_day(hour: int, minute: int, half: str) -> Moment | None:
    """A time by its hour and minute and the words for the half of the day; None when there is no such hour."""
    if hour > 24:
        return None
    afternoon = half.endswith(("soir", "apres-midi", "noon", "evening")) or half.startswith(
        ("p", "مساء", "زوالا", "ظهرا", "ليلا", "بعد")
    )
    morning = half.endswith(("matin", "morning")) or half.startswith(("a", "صباحا"))
    if afternoon and 1 <= hour < 12 and (hour, half) != (11, "ظهرا"):
        hour += 12
    if morning and hour == 12:
        hour = 0
    return "time", (hour * 60 + minute, afternoon or morning or hour > 12 or hour == 0)


def weekday(match: re.Match[str]) -> Moment:
    """What a match of `WEEKDAY` says: 1 for Monday."""
    return "weekday", (_WEEKDAYS[match["day"]] if match["day"] else 1,)
