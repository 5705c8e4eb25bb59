"""Legal texts that a document names: laws, decrees, orders, articles of codes, acts of the European Union."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.dates import DATE

MOST_REFERENCES = 300
_LOOK_AT = 2_000_000
_GROUPS = re.compile(r"\(\?P<\w+>")
_DATE = _GROUPS.sub("(?:", DATE).replace("(?<![0-9٠-٩])", "")
_NUMBER = r"(?:n[°ºo]\s?|no\.?\s|numéro\s)"
_CODES = (
    r"code\s+(?:général\s+des\s+collectivités\s+territoriales|général\s+de\s+la\s+fonction\s+publique|général\s+des\s+impôts"
    r"|général\s+de\s+la\s+propriété\s+des\s+personnes\s+publiques|des\s+relations\s+entre\s+le\s+public\s+et\s+l['’]administration"
    r"|de\s+la\s+commande\s+publique|de\s+la\s+santé\s+publique|de\s+la\s+sécurité\s+sociale|de\s+la\s+sécurité\s+intérieure"
    r"|de\s+la\s+construction\s+et\s+de\s+l['’]habitation|de\s+la\s+consommation|de\s+la\s+route|de\s+la\s+famille"
    r"|de\s+l['’]environnement|de\s+l['’]urbanisme|de\s+l['’]éducation|de\s+l['’]action\s+sociale\s+et\s+des\s+familles"
    r"|de\s+l['’]entrée\s+et\s+du\s+séjour\s+des\s+étrangers\s+et\s+du\s+droit\s+d['’]asile|de\s+justice\s+administrative"
    r"|de\s+procédure\s+(?:pénale|civile)|de\s+commerce|de\s+la\s+défense|du\s+travail|du\s+patrimoine|du\s+sport|civil|pénal"
    r"|électoral|forestier|rural(?:\s+et\s+de\s+la\s+pêche\s+maritime)?|monétaire\s+et\s+financier|des\s+transports)"
)
_ARABIC_TEXT = (
    r"(?:ال)?(?:قانون(?:\s+(?:ال)?تنظيمي)?|مرسوم(?:\s+بقانون)?|قرار(?:\s+(?:ال)?وزاري)?|ظهير(?:\s+(?:ال)?شريف)?"
    r"|منشور|أمر|تعميم)"
)
_ARABIC_NUMBER = r"رقم\s+[0-9٠-٩]+(?:[./-][0-9٠-٩]+)*"
_EUROPEAN = r"\((?:UE|CE|CEE|EU|EC|EEC|Euratom)(?:,\s?Euratom)?\)\s?(?:n[°ºo]\s?|No\.?\s)?\d{2,4}/\d{1,4}"
_ANY_CASE = re.compile(
    "|".join(
        (
            rf"\b(?:loi|ordonnance|décret|décret-loi|arrêté|circulaire|délibération|décision|instruction)"
            rf"(?:\s+(?:organique|constitutionnelle|de\s+finances|ministérielle?|interministérielle?|préfectorale?))?"
            rf"\s+{_NUMBER}(?:[\w./]|-\n?)*\d(?:\s+du\s+{_DATE})?",
            rf"\b(?:loi|arrêté|décret|ordonnance|circulaire)(?:\s+(?:ministérielle?|interministérielle?|préfectorale?))?\s+du\s+{_DATE}",
            rf"\b(?:articles?|art\.)\s+[LRDA]\*?\.?\s?\d+(?:-\d+)*(?:\s+(?:à|et|,)\s+[LRDA]\.?\s?\d+(?:-\d+)*)*(?:\s+du\s+{_CODES})?",
            rf"\b(?:articles?|art\.)\s+\d+(?:-\d+)*(?:\s+(?:bis|ter))?\s+du\s+{_CODES}",
            rf"\b(?:(?:articles?|art\.)\s+\d+(?:\(\d+\))?\s+(?:du|de\s+la|of)\s+)?"
            rf"(?:règlement|directive|décision|regulation|decision)(?:\s+d['’]exécution)?\s+{_EUROPEAN}",
            r"\b(?:directive|règlement)\s+\d{2,4}/\d{1,4}/(?:UE|CE|CEE|EU|EC|EEC)\b",
        )
    ),
    re.IGNORECASE,
)
_AS_WRITTEN = re.compile(
    "|".join(
        (
            r"\b3(?:19|20)\d{2}[RLDH]\d{4}\b",
            rf"(?:(?:المادة|الفصل|المادتين|المواد)\s+[0-9٠-٩]+(?:\s+و\s?[0-9٠-٩]+)*\s+من\s+)?{_ARABIC_TEXT}\s+{_ARABIC_NUMBER}",
            r"(?:المادة|الفصل)\s+[0-9٠-٩]+\s+من\s+(?:الدستور|(?:ال)?مدونة\s+[\u0621-\u064a]+(?:\s+[\u0621-\u064a]+)?)",
            r"\b(?:[Ss]ections?|[Aa]rticles?|[Ss]chedule|s\.)\s+\d+(?:\.\d+)*(?:\(\w+\))*\s+of\s+(?:the\s+)?"
            r"(?:[A-Z][\w'’-]+\s+(?:(?:of|and|to|for|the|in)\s+)*){1,8}?(?:Act|Ordinance|Code|Order|Regulations)\s+(?:18|19|20)\d{2}",
            r"\b(?!The\s)(?:[A-Z][\w'’-]+\s+(?:(?:of|and|to|for)\s+)*){1,7}?Act\s+(?:18|19|20)\d{2}",
            r"\bS\.?I\.?\s+(?:No\.?\s+)?(?:19|20)\d{2}/\d+",
        )
    ),
)
_OPENINGS = re.compile(
    r"l(?=oi)|o(?=rdonnance)|d(?=[ée]c|élib|irective)|a(?=rrêté|rticle|rt\.)|c(?=irculaire)|i(?=nstruction)|r(?=èglement|egulation)"
)
"""What every match of `_ANY_CASE` begins with, in lower case; a letter first, so that most places are passed over at once."""
_SPACE = re.compile(" ")
_OTHER_CASES = re.compile("[ıſ]")
"""Letters that `re.IGNORECASE` takes for another one though their lower case is their own."""
_ENGLISH_TEXT = re.compile(r"(?:Act|Ordinance|Code|Order|Regulations)\s+(?:18|19|20)\d{2}")
"""What every English reference ends with; without it, `_AS_WRITTEN` can only begin as `_WRITTEN_OPENINGS` does."""
_WRITTEN_OPENINGS = re.compile(
    r"3(?=19|20)|S(?=\.?I\.?\s)|ا(?=ل(?:ماد|موا|فصل|قانون|مرسوم|قرار|ظهير|منشور|أمر|تعميم))|ق(?=انون|رار)|م(?=رسوم|نشور)"
    r"|ظ(?=هير)|أ(?=مر)|ت(?=عميم)"
)


def legal_references(text: str, *, besides: str = "") -> tuple[str, ...]:
    """The legal texts that `text` names, each once, in the order of their first mention.

    `besides` is the document's own title: what it names is the document itself and is left out.

    >>> legal_references("Vu la loi n° 2016-1321 du 7 octobre 2016 et l'article L. 2121-29 du code civil")
    ('loi n° 2016-1321 du 7 octobre 2016', 'article L. 2121-29 du code civil')
    """
    text = text[:_LOOK_AT]
    found = sorted((match.start(), match[0]) for match in (*_in_any_case(text), *_as_written(text)))
    own = _key(besides)
    kept: dict[str, str] = {}
    for _, reference in found:
        plain = " ".join(reference.replace("-\n", "-").split()).rstrip(".,;-/")
        if not (own and _key(plain) in own):
            kept.setdefault(_key(plain), plain)
    shorter = {key[: space.start()] for key in kept for space in _SPACE.finditer(key)}
    return tuple(plain for key, plain in kept.items() if key not in shorter)[:MOST_REFERENCES]


def _in_any_case(text: str) -> Iterator[re.Match[str]]:
    """The matches of `_ANY_CASE`, tried only where a word begins that opens one: ten times as fast."""
    lowered = text.lower()
    if len(lowered) != len(text) or _OTHER_CASES.search(text):
        return _ANY_CASE.finditer(text)
    return _matches(_ANY_CASE, text, _OPENINGS.finditer(lowered))


def _as_written(text: str) -> Iterator[re.Match[str]]:
    if _ENGLISH_TEXT.search(text):
        return _AS_WRITTEN.finditer(text)
    return _matches(_AS_WRITTEN, text, _WRITTEN_OPENINGS.finditer(text))


def _matches(pattern: re.Pattern[str], text: str, openings: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """What `pattern.finditer(text)` gives, when every match begins at one of the openings."""
    end = 0
    for opening in openings:
        match = pattern.match(text, opening.start()) if opening.start() >= end else None
        if match:
            end = match.end()
            yield match


def _key(reference: str) -> str:
    return re.sub(r"\s+|n[°ºo]", " ", reference.lower()).replace("  ", " ").strip()
