"""Numbers written out in French, English and Arabic, and numbers in digits, as values with their places.

Works on folded text (`assistant.grounding.folding`): no accents, plain digits, alef and teh marbuta folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number at `start:end` of the folded text; "2.50" and "2,5" have one value."""

    start: int
    end: int
    value: Fraction
    in_digits: bool
    ordinal: bool = False


def _table(lines: str) -> dict[str, int]:
    return {word: int(number) for line in lines.split(";") for number, *words in (line.split(),) for word in words}


_LATIN = _table(
    "0 zero;1 un une one;2 deux two;3 trois three;4 quatre four;5 cinq five;6 six;7 sept seven;8 huit eight;9 neuf nine;"
    "10 dix ten;11 onze eleven;12 douze twelve dozen douzaine;13 treize thirteen;14 quatorze fourteen;15 quinze fifteen;"
    "16 seize sixteen;17 seventeen;18 eighteen;19 nineteen;20 vingt vingts twenty;30 trente thirty;40 quarante forty;"
    "50 cinquante fifty;60 soixante sixty;70 septante seventy;80 octante huitante eighty;90 nonante ninety;"
    "100 cent cents hundred;1000 mille thousand;1000000 million millions;1000000000 milliard milliards billion"
)
_ARABIC = _table(
    "1 واحد واحده احدي احد;2 اثنان اثنين اثنتان اثنتين اثنا اثني اثنتا اثنتي;3 ثلاث ثلاثه;4 اربع اربعه;5 خمس خمسه;6 ست سته;"
    "7 سبع سبعه;8 ثمان ثماني ثمانيه;9 تسع تسعه;10 عشر عشره;20 عشرون عشرين;30 ثلاثون ثلاثين;40 اربعون اربعين;50 خمسون خمسين;"
    "60 ستون ستين;70 سبعون سبعين;80 ثمانون ثمانين;90 تسعون تسعين;100 مايه مائه مئه;200 مايتان مائتان مئتان مائتين مئتين مائتا;"
    "300 ثلاثمائه ثلاثمئه;400 اربعمائه اربعمئه;500 خمسمائه خمسمئه;600 ستمائه ستمئه;700 سبعمائه سبعمئه;800 ثمانمائه ثمانمئه "
    "ثمانيمائه;900 تسعمائه تسعمئه;1000 الف الاف;2000 الفان الفين;1000000 مليون ملايين;2000000 مليونان مليونين;"
    "1000000000 مليار مليارات"
)
_ORDINALS = _table(
    "1 premier premiere premiers premieres first الاول الاولي;2 deuxieme seconde الثاني الثانيه;"
    "3 troisieme third الثالث الثالثه;"
    "4 quatrieme fourth الرابع الرابعه;5 cinquieme fifth الخامس الخامسه;6 sixieme sixth السادس السادسه;"
    "7 septieme seventh السابع السابعه;8 huitieme eighth الثامن الثامنه;9 neuvieme ninth التاسع التاسعه;"
    "10 dixieme tenth العاشر العاشره;11 onzieme eleventh;12 douzieme twelfth;15 quinzieme fifteenth;"
    "16 seizieme sixteenth;20 vingtieme twentieth;30 thirtieth"
)
_TEEN_ORDINALS = {"الحاديه": 11, "الحادي": 11}
_FRACTIONS = {
    word: Fraction(number)
    for number, words in {
        "1/2": "moitie half demi demie نصف", "1/3": "tiers thirds ثلث", "2/3": "ثلثا ثلثي",
        "1/4": "quart quarts quarter quarters ربع",
        "1/5": "خمس", "2": "double twice ضعف", "3": "triple",
    }.items()
    for word in words.split()
}  # fmt: skip
_DIGITS = re.compile(r"(?<![\w.,])\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?")
_WORD = re.compile(r"quatre[- ]vingts?|[^\W\d_]+")
_ARABIC_JOINED = re.compile(r"^[وفبلك]{1,2}(?=.{2})|^(?:[وفبك]|ل)?ال(?=.{2})|^لل")
_TEEN = re.compile(r"\s+عشره?(?![ء-ي])")
_JOINING = frozenset({"et", "and"})


def numerals(text: str) -> list[Numeral]:
    """Every number of the folded `text` in order; not overlapping. "un", "une" and "one" count: the caller looks at what follows.

    >>> [str(found.value) for found in numerals("deux cent cinquante-trois, 1 500,50 et خمسه وعشرون, soixante-dix")]
    ['253', '3001/2', '25', '70']
    """
    found = [
        Numeral(match.start(), match.end(), _digits_value(match.group()), True) for match in _DIGITS.finditer(text)
    ]
    found += _written(text)
    return _fractions(text, sorted(found, key=lambda numeral: numeral.start))


def _fractions(text: str, found: list[Numeral]) -> list[Numeral]:
    """With "deux tiers", "three quarters" and "un dixième" as one number each."""
    joined: list[Numeral] = []
    for numeral in found:
        last = joined[-1] if joined else None
        part = 1 / numeral.value if numeral.ordinal and numeral.value > 2 else numeral.value
        follows = last is not None and re.fullmatch(r"[\s-]", text[last.end : numeral.start])
        if (
            last is not None
            and follows
            and 0 < part < 1
            and not numeral.in_digits
            and 0 < last.value < 10
            and not last.ordinal
        ):
            joined[-1] = Numeral(last.start, numeral.end, last.value * part, False)
        else:
            joined.append(numeral)
    return joined


def _digits_value(number: str) -> Fraction:
    """Groups of three digits are joined; what follows a last mark with one, two or more than three digits is a decimal part."""
    match = re.fullmatch(r"(\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+|\d+)(?:[.,](\d+))?", number)
    if match is None:  # no number of `_DIGITS` comes here
        return Fraction(0)
    whole, decimals = re.sub(r"\D", "", match[1]), match[2] or "0"
    return Fraction(f"{whole}.{decimals}")


@dataclass(slots=True)
class _Run:
    """Number words that follow each other, added up as they come."""

    start: int
    end: int
    total: int = 0
    group: int = 0
    last: int = 0
    ordinal: bool = False

    def takes(self, value: int, *, joined: bool) -> bool:
        """True when `value` goes on with this number: "vingt" + "et un", "خمسة" + "وعشرون", "three" + "hundred"."""
        last = self.last
        if value >= 1000:
            return self.group > 0
        if value == 100:
            return 0 < self.group % 1000 < 10 or last >= 1000
        teen = value == 10 and (0 < last < 10 or (last in (60, 80) and not joined))  # "ثلاثة عشر", "soixante-dix"
        after_ten = last == 10 and value < 10 and not joined  # "dix-sept"
        turned = joined and 0 < last < 10 and 20 <= value < 100 and value % 10 == 0  # "خمسة وعشرون"
        sixties = last in (60, 80) and 10 < value < 20
        smaller = last >= 1000 or last >= 100 > value or (20 <= last < 100 and value < 10)
        return teen or after_ten or turned or sixties or smaller

    def take(self, value: int) -> None:
        """Adds a word that `takes` agreed to."""
        if value >= 1000:
            self.total += self.group * value
            self.group = 0
        elif value == 100:
            self.group = self.group - self.group % 10 + (self.group % 10 or 1) * 100
        else:
            self.group += value
        self.last = value

    def numeral(self) -> Numeral:
        """The number so far."""
        return Numeral(self.start, self.end, Fraction(self.total + self.group), False, self.ordinal)


def _written(text: str) -> Iterator[Numeral]:
    run: _Run | None = None
    joining, done = False, 0
    for match in _WORD.finditer(text):
        if match.start() < done:
            continue
        word = match.group()
        value, joined = _value(word, in_run=run is not None)
        gap_fits = run is not None and bool(
            re.fullmatch(r"[\s-]{1,3}(?:(?:et|and)[\s-]{1,3})?", text[run.end : match.start()])
        )
        if run is not None and word in _JOINING and re.fullmatch(r"[\s-]{1,3}", text[run.end : match.start()]):
            joining = True
            continue
        if value is not None and run is not None and gap_fits and run.takes(value, joined=joined or joining):
            run.take(value)
            run.end = match.end()
        else:
            if run is not None:
                yield run.numeral()
            run = None
            if value is not None:
                run = (
                    _Run(match.start(), match.end(), group=value, last=value)
                    if value < 1000
                    else _Run(match.start(), match.end(), total=value, last=value)
                )
            else:
                for numeral in _single(text, match):
                    done = numeral.end
                    yield numeral
        joining = False
    if run is not None:
        yield run.numeral()


def _single(text: str, match: re.Match[str]) -> Iterator[Numeral]:
    """An ordinal or a fraction that stands alone."""
    word = match.group()
    bare = _ARABIC_JOINED.sub("", word)
    forms = (word, word[1:] if word[0] in "وفبلك" else word, "ال" + bare)
    ordinal = next((_ORDINALS[form] for form in forms if form in _ORDINALS), None)
    teen = _TEEN.match(text, match.end())
    if ordinal is not None:
        end = teen.end() if teen else match.end()
        yield Numeral(match.start(), end, Fraction(ordinal + 10 * bool(teen)), False, ordinal=True)
    elif "ال" + bare in _TEEN_ORDINALS:
        yield Numeral(match.start(), teen.end() if teen else match.end(), Fraction(11), False, ordinal=True)
    elif bare in _FRACTIONS and bare not in _ARABIC and not text.startswith(("-", " journee"), match.end()):
        yield Numeral(match.start(), match.end(), _FRACTIONS[bare], False)


def _value(word: str, *, in_run: bool) -> tuple[int | None, bool]:
    """What a word counts, and whether it is joined on by a written-on "and"."""
    if word.startswith("quatre") and "vingt" in word:
        return 80, False
    if word in _LATIN:
        return (None if word == "dozen" else _LATIN[word]), False
    if word in _ARABIC:
        return _ARABIC[word], False
    if "\u0600" <= word[0] <= "\u06ff":
        joined = word[0] == "و" and in_run
        bare = _ARABIC_JOINED.sub("", word)
        if bare in _ARABIC and len(bare) > 2:
            return _ARABIC[bare], joined
    return None, False
