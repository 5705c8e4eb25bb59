"""Things that a question names by number: "dossier 1067", "zone 3", "level 2", "الخط 4".

Such a number says which one is meant. What is said of dossier 1071 is no answer about dossier 1067, however alike the words are;
a quantity ("3 enfants", "70 ans") need not stand in the answer at all. Articles and sections are left to `units.references`,
years to `answer_kinds.years`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer_kinds import values, years
from assistant.dates import MONTHS
from assistant.language import search_form
from assistant.units import plain_form, references

_NAMED = re.compile(
    r"(?<![\w-])(?P<the>(?:l['’]|(?:la|le|du|au|ce|cet|cette|the|this|that)\s))?(?P<thing>[^\W\d_]{3,})\s+"
    r"(?:n[°o]\.?\s?|no\.?\s|num[ée]ros?\s|number\s|رقم\s)?"
    r"(?P<number>\d{1,9})(?![\w/'’:–-]|[.,]\d)"
    r"(?=\s*(?P<next>[^\W\d_]+|%|€|\$|£|°|\W|$))",
    re.IGNORECASE,
)
_GOES_ON, _UNITS, _NO_THING = (
    frozenset(words.split())
    for words in (
        "à au aux avec dans de des du d en est et l la le les lors ou par pendant pour qui que s se selon sera sont "
        "sous sur a and are at by does for from has have in is of on or that the to was were when which who will with "
        "في من إلى على عن هو هي أو هل التي الذي ب ل و",
        "an ans jour jours mois semaine semaines heure heures h minute minutes mn euro euros km m cm kg g l litres "
        "personnes enfants agents day days week weeks month months year years hour hours pounds people persons "
        "children يوما أيام يوم شهرا أشهر سنة سنوات ساعة ساعات دقيقة درهم درهما دراهم يورو أشخاص أطفال",
        "age aged agee agees ages avant apres après about above below beyond cent dans dela delà depuis donc entre "
        "environ hors jour jours jusqu mars moins mois more most over par partir pendant plus pour que quelque "
        "quelques sans seuil sont sous sur than their these those toutes tous under until vers voici with within avec "
        "cette leur leurs nos vos mes tes ses les des aux une and are for from the that heures heure minutes minute "
        "euros euro days hours years year annee année ans an semaine semaines années week weeks month months "
        "kilometre kilometres km price cost cout coût بعد قبل منذ حوالي نحو أكثر أقل من إلى على في عن سنة عام شهر يوم "
        "ساعة أيام سنوات عمره عمرها لمدة خلال حتى بين كل كم",
    )
)
"""Words before which a number names a thing, where before others it counts what they name; words that it counts always; and words
behind which it is no name."""
_RANGE = re.compile(r"(\d{1,9})\s*(?:à|a|au|to|-|–|إلى|الى)\s*(\d{1,9})")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")


@dataclass(frozen=True, slots=True)
class Designation:
    """A thing and the number that says which one."""

    thing: str
    number: str

    def is_in(self, text: str) -> bool:
        """True when `text` has the number, in digits, in words, in Roman numerals, or within a range."""
        plain = plain_form(text)
        if self.number in values(plain) or re.search(rf"(?<!\d){self.number}(?!\d)", plain):
            return True
        roman = _ROMAN[int(self.number) - 1] if 1 <= int(self.number) <= len(_ROMAN) else ""
        if roman and re.search(rf"\b{roman}\b", plain, re.IGNORECASE if len(roman) > 1 else 0):
            return True
        return any(int(low) <= int(self.number) <= int(high) for low, high in _RANGE.findall(plain))


def speaks_of_another(text: str, wanted: Sequence[Designation]) -> bool:
    """True when `text` names one of the things `wanted` by another number, and none of the numbers wanted."""
    things = {one.thing for one in wanted}
    return any(found.thing in things for found in _named(text)) and not any(one.is_in(text) for one in wanted)


def designations(question: str) -> tuple[Designation, ...]:
    """What the question names by number, in order.

    >>> [(one.thing, one.number) for one in designations("Quel est le code du dossier 1067 du service Parc ?")]
    [('dossier', '1067')]
    >>> designations("Combien paie un couple avec 3 enfants de plus de 70 ans en 2024 ?")
    ()
    """
    return tuple(_named(question))


def _named(text: str) -> list[Designation]:
    plain = plain_form(text)
    return [
        Designation(_singular(match["thing"]), match["number"])
        for match in _NAMED.finditer(plain)
        if _is_name(match) and all(unit.startswith("no:") for unit in references(match[0]))
    ]


def _is_name(match: re.Match[str]) -> bool:
    thing, following = match["thing"].casefold(), match["next"].casefold()
    if {thing, search_form(thing, "fr")} & _NO_THING or thing in MONTHS or years(match["number"]):
        return False
    if following[:1].isalpha():
        definite = bool(match["the"]) or thing.startswith("ال")
        return following in _GOES_ON or (definite and following not in _UNITS)
    return following[:1] not in ("%", "€", "$", "£", "°")


def _singular(thing: str) -> str:
    word = search_form(thing.casefold(), "fr")
    return word.removeprefix("ال") if not word.isascii() else word.rstrip("s")
