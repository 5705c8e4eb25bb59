"""What in a text must agree to the letter: numbers, amounts, dates, durations, times, references, with their unit and place.

Works on folded text (`assistant.grounding.folding`), in French, Arabic and English at once. "30 jours" and "30 €" are two
figures, "30 jours", "trente jours" and "٣٠ يوما" are one; "30 jours" and "un mois" are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from assistant.grounding import moments
from assistant.grounding.measures import MEASURES, UNITS_OF_TIME
from assistant.grounding.numerals import Numeral, numerals

Value = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure at `start:end` of the folded text.

    `kind` is one of date, time, weekday, reference, amount, percentage, duration, quantity, number, ordinal. `value` holds
    (year, month, day) of a date, (minutes, whether the half of the day is known) of a time, (number, unit) of the others.
    """

    kind: str
    value: Value
    start: int
    end: int


# --- words -------------------------------------------------------------------------------------------------------------------

_DUALS = re.compile(
    r"(?<![ء-ي])(?:[وفبلك]?(?:ال)?|لل)(?P<unit>يومين|يومان|اسبوعين|اسبوعان|شهرين|شهران|سنتين|سنتان|عامين|"
    r"عامان|ساعتين|ساعتان|دقيقتين|"
    r"دقيقتان|مترين|متران|درجتين|درجتان)(?![ء-ي])"
)
_SINGLE = re.compile(
    r"(?<![ء-ي])(?:خلال|في|اجل|مده|لمده|منذ|بعد|قبل|حدود|غضون|قدره|قدرها|مدتها|مدته|اقصاه|عن)\s+(?P<unit>يوم|"
    r"اسبوع|شهر|سنه|عام|ساعه|متر|"
    r"شهرا|اسبوعا|عاما|يوما)(?![ء-ي])(?:\s+واحده?)?|\b(?:within|for|after|of|lasts?|exceeds?|than|over|least|"
    r"most) (?:an?|one) (?P<en>day|week|month|year|hour|minute)\b"
)
_UNIT_BEFORE = re.compile(r"(?<![ء-ي])[وفبلك]?ال(?P<unit>ايام|اشهر|شهور|سنوات|اسابيع|ساعات|دقائق|اعوام)\s+$")
_WORKING = re.compile(r"\s+(?:ouvres?\b|working\b|business\b|عمل(?![ء-ي]))")
_WORKABLE = re.compile(r"\s+ouvrables?\b")
_CLEAR = re.compile(r"\s+(?:francs?\b|clear\b|كامله(?![ء-ي]))")
_BEFORE_UNIT = re.compile(r"(?P<kind>working|business|clear|full)\s+")
_ONE_THING = re.compile(
    r"one (?!of\b|or\b|and\b|in\b|that\b|who\b|which\b|another\b|may\b|must\b|can\b|is\b|has\b)[a-z]{3,}"
)
_UNIT_WORD = re.compile(r"(?:demi-|half-)?[^\W\d_]+[23]?|°c?")
_SQUARED = re.compile(r"(?:square|cubic)\s+")
_SQUARE = re.compile(r"\s+(?:carres?|squared?|cubes?|cubic|مربعه?|مربعا|مكعبه?|مكعبا)(?!\w)")
_CURRENCIES = (
    ("eur", r"€|euros?\b|eur\b|يورو|اورو"), ("usd", r"\$|dollars?\b|usd\b|دولارا?ت?"), ("gbp", r"£|pounds?\b|gbp\b|جنيها?ت?"),
    ("mad", r"dirhams?\b|dh\b|mad\b|درهما?|دراهم"), ("dinar", r"dinars?\b|da\b|دينارا?|دنانير"),
    ("cent", r"centimes?\b|cents\b|سنتيما?ت?"),
    ("franc", r"francs? cfa\b|fcfa\b|f\s?cfa\b"),
)  # fmt: skip
_CURRENCY = re.compile(
    r"\s{0,2}(?:d'|de |of )?(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _CURRENCIES) + r")(?![^\W\d_])"
)
_CURRENCY_BEFORE = {"€": "eur", "$": "usd", "£": "gbp"}
_PERCENT = re.compile(r"\s{0,2}(?:%|pour\s?cents?\b|per\s?cent\b|percent\b|(?:[بف]ي?\s?)?ال(?:مائه|مئه|مايه)|بالمائه)")
_MAGNITUDE = re.compile(
    r"\s{0,2}(?:de )?(?P<word>mille|millions?|milliards?|thousand|billion|الف|الاف|مليون|ملايين|مليار)\b"
)
_MAGNITUDES = {
    "mill": 10**6,
    "thou": 1000,
    "bill": 10**9,
    "الف": 1000,
    "الاف": 1000,
    "مليو": 10**6,
    "ملاي": 10**6,
    "مليا": 10**9,
}

_NUMBERED = r"\d+(?:\s?[-/.]\s?\d+)*"
_DIVISION = re.compile(
    r"(?:(?P<art>\barticles?|\barts?\.?|\b[وفبكل]?(?:ال|لل)?ماده|\b[وفبكل]?(?:ال|لل)?مادتين|\b[وفبكل]?(?:ال|"
    r"لل)?مواد|\b[وفبكل]?(?:ال|لل)?فصل)"
    r"|(?P<sec>\bsections?|§|\bparagraphes?|\bparagraphs?|\bpoints?|\b[وفبكل]?(?:ال|لل)?(?:قسم|فقره|بند|نقطه))"
    r"|(?P<chap>\bchapitres?|\bchapters?|\btitres?|\b[وفبكل]?(?:ال|لل)?باب)"
    r"|(?P<annex>\bannexes?|\bannex|\bappendix|\bschedule|\b[وفبكل]?(?:ال|لل)?ملحق)"
    r"|(?P<form>\bformulaires?|\bforms?|\blot|\b[وفبكل]?(?:ال|لل)?استماره|\bpage|\broom|\bsalle|\blevel|"
    r"\bniveau|\bzone|\bphase|\bband|\btranche))\s*(?:n[°o.]*\s?|رقم\s+)?$"
)
_CODE_ARTICLE = re.compile(
    r"(?<![\w'])(?P<letter>[lrd]|a(?=\.|\d))\s?\*?\.?\s?(?P<number>\d{1,5}(?:-\d+)+)(?![\w/])|"
    r"(?<![\w'])(?P<lone>[lrda])\.\s?(?P<only>\d{2,5})(?![\w/])"
)
_IDENTIFIER = re.compile(r"(?<![\w-])(?P<letters>[a-z]{1,6})[- ]?(?P<number>\d+[a-z]?)(?:[-/]\d+)*(?![\w-])")
_NUMBER_SIGN = re.compile(rf"(?:\bn[°o]s?\.?|\bnumero|\bnumber|\bno\.|(?<!\w)رقم)\s?(?P<number>{_NUMBERED})")
_COMPOUND = re.compile(r"(?<![\w/.,-])(?P<number>\d{1,5}(?:[-/]\d{1,5})+|\d{1,3}(?:\.\d{1,3}){2,})(?![\w/-])")
_FRACTION = re.compile(
    r"(?<![\w/.,-])(?P<number>[1-9]/(?:[2-9]|[12]\d))(?=\s?(?:e|eme|th|rd)?\s(?:de|du|des|of|من)\b)(?:\s?(?:e|"
    r"eme|th|rd)\b)?"
)
_PHONE = re.compile(r"(?<![\w/.,-])0\d(?:[ .]?\d){4,10}(?![\w/-])")
_ORDINAL_DIGITS = re.compile(r"(?<![\w.,-])(?P<number>\d{1,3})\s?(?:er|ere|re|e|eme|st|nd|nde|rd|th)\b")
_LIST_JOIN = re.compile(r"\s*(?:,|et|ou|and|or|to|a|و|او|الي|-)\s*(?:ال|و)?$")


# --- finding -----------------------------------------------------------------------------------------------------------------


def figures(text: str) -> tuple[Figure, ...]:
    """The figures of the folded `text` in order, none inside another.

    >>> [(f.kind, *map(str, f.value)) for f in figures("article 9 : trente jours, 17,50 €, 75 %, 16 h 30, le 1er mai 2024")]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('reference', 'art', '9'), ('duration', '30', 'day'), ('amount', '35/2', 'eur'), ('percentage', '75', '%'),
     ('time', '990', 'True'), ('date', '2024', '5', '1')]
    """
    sheet = _Sheet(text)
    for pattern in moments.DATES:
        sheet.take(pattern, moments.date_found)
    sheet.take(_PHONE, lambda match: ("reference", ("no", re.sub(r"\D", "", match.group()))))
    sheet.take(_CODE_ARTICLE, lambda m: ("reference", ("code", m["letter"] or m["lone"], m["number"] or m["only"])))
    sheet.take(_NUMBER_SIGN, lambda match: ("reference", ("no", _compound(match["number"]))))
    sheet.take(_FRACTION, lambda match: ("number", (Fraction(match["number"]), "")))
    sheet.take(_COMPOUND, lambda match: ("reference", ("no", _compound(match["number"]))))
    for pattern in moments.CLOCKS:
        sheet.take(pattern, moments.clock_time)
    sheet.take(_ORDINAL_DIGITS, lambda match: ("ordinal", (Fraction(match["number"]), "")))
    sheet.take(_IDENTIFIER, _identifier)
    sheet.take(moments.DAY_IN_WORDS, moments.worded_date)
    for pattern in moments.MONTHS_ALONE:
        sheet.take(pattern, moments.date_found)
    sheet.take(moments.WEEKDAY, moments.weekday)
    sheet.take(_DUALS, _dual)
    sheet.found += _numbers(sheet.rest)
    sheet.take(
        _SINGLE,
        lambda match: (
            ("duration", (Fraction(1), UNITS_OF_TIME[match["unit"] or match["en"]]))
            if (match["unit"] or match["en"]) in UNITS_OF_TIME
            else None
        ),
    )
    return tuple(sorted(_outermost(sheet.found), key=lambda figure: figure.start))


class _Sheet:
    """The text while figures are taken off it: what is taken is blanked, so that nothing is found twice."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self.found: list[Figure] = []

    def take(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], moments.Moment | None]) -> None:
        """What `read` makes of each match of the pattern; None leaves the match in the text."""
        for match in list(pattern.finditer(self.rest)):
            figure = read(match)
            if figure is not None:
                self.found.append(Figure(figure[0], figure[1], match.start(), match.end()))
                self.rest = self.rest[: match.start()] + "\n" * (match.end() - match.start()) + self.rest[match.end() :]


def _outermost(found: list[Figure]) -> list[Figure]:
    """Without figures that overlap one that was found before them."""
    kept: list[Figure] = []
    for figure in found:
        if not any(figure.start < other.end and other.start < figure.end for other in kept):
            kept.append(figure)
    return kept


def _compound(number: str) -> str:
    return (
        "-".join(part.lstrip("0") or "0" for part in re.findall(r"\d+", number))
        if not number.startswith("0")
        else re.sub(r"\D", "", number)
    )


def _identifier(match: re.Match[str]) -> tuple[str, Value] | None:
    glued = "-" not in match.group() and (match["letters"] in UNITS_OF_TIME or match["letters"] in MEASURES)
    if glued or " " in match.group():
        return None
    return "reference", ("id", match["letters"], match.group()[len(match["letters"]) :].lstrip("-"))


def _dual(match: re.Match[str]) -> tuple[str, Value]:
    word = match["unit"]
    return (
        ("duration", (Fraction(2), UNITS_OF_TIME[word]))
        if word in UNITS_OF_TIME
        else ("quantity", (Fraction(2), MEASURES[word]))
    )


def _numbers(text: str) -> Iterator[Figure]:
    found = numerals(text)
    skip = -1
    division, previous = "", -1
    for numeral in found:
        if numeral.start < skip:
            continue
        listed = division and _LIST_JOIN.fullmatch(text[previous : numeral.start])
        before = _DIVISION.search(text[max(0, numeral.start - 30) : numeral.start])
        name = (before.lastgroup or "") if before else division if listed else ""
        figure = _read_number(text, numeral, name)
        division, previous = (name, figure.end if figure else numeral.end)
        if figure is not None:
            skip = figure.end
            yield figure


def _read_number(text: str, numeral: Numeral, division: str) -> Figure | None:
    """What the number at hand is a number of, by what stands around it; None for an indefinite article."""
    start, end, value = numeral.start, numeral.end, numeral.value
    if division:
        return Figure("reference", (division, str(value)), start, end)
    clock = _worded_hour(text, numeral)
    if clock:
        return clock
    magnitude = _MAGNITUDE.match(text, end) if numeral.in_digits else None
    if magnitude:
        value, end = value * _magnitude(magnitude["word"]), magnitude.end()
    return _with_unit(text, Numeral(start, end, value, numeral.in_digits, numeral.ordinal))


def _worded_hour(text: str, numeral: Numeral) -> Figure | None:
    """A time of day in words, as in "الثانية والنصف زوالا" or "الساعة الثامنة"; None when it is none."""
    end = numeral.end
    half = moments.HOUR_IN_WORDS.match(text, end)
    announced = moments.HOUR_BEFORE.search(text[max(0, numeral.start - 8) : numeral.start])
    if not (half or announced) or numeral.value > 24:
        return None
    part = half if half and half["part"] else moments.PART_OF_HOUR.match(text, end)
    minute = 0 if part is None or not part["part"] else 15 if "ربع" in part["part"] else 30
    time = moments.time_of_day(int(numeral.value), minute, half["half"] if half else "")
    end = max(end, half.end() if half else 0, part.end() if part else 0)
    return Figure(time[0], time[1], numeral.start, end) if time else None


def _magnitude(word: str) -> int:
    if word.startswith("milliard"):
        return 10**9
    return 1000 if word == "mille" else next(value for start, value in _MAGNITUDES.items() if word.startswith(start))


def _with_unit(text: str, numeral: Numeral) -> Figure | None:
    start, end, value = numeral.start, numeral.end, numeral.value
    measured = _share_or_sum(text, numeral) or _duration_or_quantity(text, numeral)
    if measured:
        return measured
    if value == 1 and not numeral.in_digits and not numeral.ordinal:
        return Figure("number", (value, ""), start, end) if _ONE_THING.match(text, start) else None
    if numeral.ordinal:
        return Figure("ordinal", (value, ""), start, end)
    if numeral.in_digits and moments.LONE_YEAR.fullmatch(text[start:end]):
        return Figure("date", (int(value), None, None), start, end)
    return Figure("number", (value, ""), start, end)


def _share_or_sum(text: str, numeral: Numeral) -> Figure | None:
    start, end, value = numeral.start, numeral.end, numeral.value
    if percent := _PERCENT.match(text, end):
        return Figure("percentage", (value, "%"), start, percent.end())
    if currency := _CURRENCY.match(text, end):
        return Figure("amount", (value, currency.lastgroup), start, currency.end())
    if start and text[start - 1] in _CURRENCY_BEFORE:
        return Figure("amount", (value, _CURRENCY_BEFORE[text[start - 1]]), start - 1, end)
    return None


def _duration_or_quantity(text: str, numeral: Numeral) -> Figure | None:
    start, end, value = numeral.start, numeral.end, numeral.value
    if named := _UNIT_BEFORE.search(text[max(0, start - 12) : start]):
        return Figure("duration", (value, UNITS_OF_TIME[named["unit"]]), start, end)
    place = end + len(text[end:]) - len(text[end:].lstrip(" -\n"))
    before = _BEFORE_UNIT.match(text, place)
    squared = _SQUARED.match(text, place)
    word = _UNIT_WORD.match(text, max(place, before.end() if before else 0, squared.end() if squared else 0))
    if word and word.group().startswith(("demi-", "half-")) and not numeral.in_digits and value == 1:
        return None  # "une demi-journée" is a thing, no count
    if word and word.group() in UNITS_OF_TIME:
        qualifier, stop = _qualified(text, word.end(), before["kind"] if before else "")
        return Figure("duration", (value, qualifier + UNITS_OF_TIME[word.group()]), start, stop)
    if word and not before and word.group() in MEASURES:
        square = _SQUARE.match(text, word.end()) or squared
        stop = max(word.end(), square.end() if square else 0)
        return Figure("quantity", (value, MEASURES[word.group()] + ("2" if square else "")), start, stop)
    return None


def _qualified(text: str, end: int, before: str) -> tuple[str, int]:
    """What kind of days: worked, workable, clear; and where the words for it end."""
    if before:
        return ("work-" if before in ("working", "business") else "clear-" if before == "clear" else ""), end
    for qualifier, pattern in (("work-", _WORKING), ("workable-", _WORKABLE), ("clear-", _CLEAR)):
        if match := pattern.match(text, end):
            return qualifier, match.end()
    return "", end


# --- comparing ---------------------------------------------------------------------------------------------------------------


def same_figure(claimed: Figure, stated: Figure) -> bool:
    """True when the passage's figure says what the claim's figure says; a claim may leave out a date's year or day."""
    if claimed.kind == stated.kind == "date":
        return all(mine is None or mine == its for mine, its in zip(claimed.value, stated.value, strict=True))
    if claimed.kind == stated.kind == "time":
        (mine, sure), (its, certain) = claimed.value, stated.value
        return mine == its or (not (sure and certain) and int(str(mine)) % 720 == int(str(its)) % 720)
    if {claimed.kind, stated.kind} == {"time", "duration"}:
        time, duration = (claimed, stated) if claimed.kind == "time" else (stated, claimed)
        return duration.value[1] == "hour" and time.value[0] == duration.value[0] * 60  # type: ignore[operator]
    if claimed.kind == stated.kind:
        return claimed.value == stated.value
    return _across_kinds(claimed, stated)


def _across_kinds(claimed: Figure, stated: Figure) -> bool:
    """A plain number beside an ordinal or a reference: "article 9" in a list of numbers, "2024" as a date and as a number."""
    kinds = {claimed.kind, stated.kind}
    if kinds == {"date", "number"}:
        date, number = (claimed, stated) if claimed.kind == "date" else (stated, claimed)
        return date.value[1] is None and date.value[0] == number.value[0]
    if kinds == {"reference", "number"}:
        reference, number = (claimed, stated) if claimed.kind == "reference" else (stated, claimed)
        return reference.value[0] == "no" and str(reference.value[1]) == str(number.value[0])
    if kinds == {"ordinal", "number"} and claimed.value[0] * stated.value[0] == 1:  # type: ignore[operator]  # both Fractions
        return True  # "a thirtieth" and "one thirtieth"
    if kinds in ({"ordinal", "number"}, {"ordinal", "reference"}):
        return str(claimed.value[0 if claimed.kind != "reference" else 1]) == str(
            stated.value[0 if stated.kind != "reference" else 1]
        )
    return False
