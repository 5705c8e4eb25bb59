"""The language of a text, its sentences, and the form in which it is searched.

French, Arabic and English are equal here. Nothing in this module changes a text that is stored or shown:
`sentence_spans` gives offsets into the text as it is, and `search_form` is for the search side only.

The sentence rules are our own: the splitters one can install break on French legal text ("L'art. L. 2123-1 …").
`py3langid` is imported by the first call that needs it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from assistant.types import LANGUAGES, Span

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_ENOUGH_CHARS = 4000
"""More than this changes no decision."""

_ARABIC_LETTERS = re.compile(r"[\u0620-\u064a\u066e-\u06d3\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+")
_LATIN_LETTERS = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_WORD = re.compile(r"[^\W\d_]+")

_ARABIC_SHARE = 0.25
"""From this share of letters on, a text is Arabic: names and acronyms in Latin letters are common in it."""


def detect_language(text: str, *, among: Sequence[str] = LANGUAGES, default: str = "fr") -> str:
    """The language of `text`, always one of `among`; `default` (or the first of `among`) when there are no letters.

    Script decides for Arabic, `py3langid` for the rest. On the questions of the development sets (2026-11) it errs on
    none of 1,500 French, 1,000 English and 1,186 Arabic ones; a name or a single word can go either way.
    """
    fallback = default if default in among else among[0]
    sample = text[:_ENOUGH_CHARS]
    arabic, latin = (sum(map(len, letters.findall(sample))) for letters in (_ARABIC_LETTERS, _LATIN_LETTERS))
    if arabic + latin == 0:
        return fallback
    if "ar" in among and arabic >= _ARABIC_SHARE * (arabic + latin):
        return "ar"
    rest = tuple(language for language in among if language != "ar") or tuple(among)
    return rest[0] if len(rest) == 1 else _identified(sample, rest, fallback)


def direction(language: str) -> Literal["rtl", "ltr"]:
    """How a text in `language` runs on the page."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _identified(text: str, among: tuple[str, ...], fallback: str) -> str:
    language, score = _identifier(among).classify(text)
    # Without any known n-gram every language gets the lowest number there is.
    return fallback if score < -1e30 else str(language)


@lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(among))
    # Without the other 140 languages, which it would keep for a change of mind: 28 MB.
    identifier._full_model = identifier.nb_ptc, identifier.nb_pc, identifier.nb_classes
    return identifier


# --- sentences ---------------------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER_FINAL = {
    "fr": _words(
        "M MM Mme Mmes Mlle Mlles Dr Pr Mgr St Ste Sté cf ex p.ex éd env tél fax réf dép adj resp rés bât "
        "apt circ cass civ crim soc ord décis délib rect suppl bd boul min max num fig"
    ),
    "en": _words(
        "Mr Mrs Ms Dr Prof Rev Hon St Mt Gen Col Capt Lt Sgt Sen Rep Gov cf e.g i.e eg ie vs viz approx dept tel ext"
    ),
    "ar": _words("د أ ا م ص ج ت ه هـ ق ط"),
}
"""After these, a full stop never ends a sentence. Those in lower case stand for the capitalised form as well."""

_BEFORE_NUMBER = _words(
    "art arts al alin p pp par chap sect tit ann tab vol t n no nos janv févr fév avr juil sept oct nov déc lun mar "
    "mer jeu ven sam dim arr décr dél av jo bo rte sec secs s ss para paras cl cls reg regs sch sched ch pt figs eq ed "
    "jan feb mar apr jun jul aug sep dec coll op loc"
)
"""After these (lower case), a full stop does not end a sentence when a number or a single capital letter follows."""

_MAYBE_FINAL = _words("etc inc ltd co corp u.s u.k u.n e.u a.m p.m j.-c ph.d bros jr sr s.a s.a.r.l h.t t.t.c ibid id")
"""After these, a full stop ends a sentence only when a word follows that likes to begin one."""

_STARTERS = _words(
    "le la les l un une des du ce cet cette ces il elle ils elles on nous vous je en au aux à dans par pour sur si "
    "toute tout tous toutes chaque aucun aucune lorsque quand toutefois cependant ainsi de "
    "the a an this that these those it he she they we you in on at for if when where each all no any however"
)

_TERMINATOR = re.compile(
    r"(?P<mark>\.{2,}|[.!?…؟۔‼⁇⁈⁉]+)"
    r"(?P<closers>[\"”’'»)\]›]*(?:[ \t\n\u00a0\u202f]{0,2}[»›][.)]*)?)"
    r"(?=\s|$)"
)
_LAST_TOKEN = re.compile(r"[^\s(\[«“\"'’/]*$")
_FIRST_WORD = re.compile(r"[\s\"“«»‹(\[\-–—\u00a0\u202f]*([^\W_]+)")
_ALWAYS_BULLET = re.compile(r"[ \t]*(?:[•▪◦‣●○■□➢✓✔*·]|-)[ \t]+\S|[ \t]*[•▪◦‣●■➢✓✔]\S")
_DASH_BULLET = re.compile(r"[ \t]*[–—][ \t]+\S")
_NUMBERED = re.compile(
    r"[ \t]*(?:\(?(?:(?:\d{1,2}|[ivxIVX]{1,5}|[a-zA-Z])[.)]|\d{1,2}°)|\d{1,2}-|"
    r"\d{1,2}(?:\.\d{1,2})+\.?|[\u0660-\u0669]{1,2}[.)\-])[ \t]+\S"
)
_HEADING_LINE = re.compile(
    r"[ \t]*(?:(?:Article|ARTICLE|Art\.|Chapitre|CHAPITRE|Titre|TITRE|Section|SECTION|Annexe|ANNEXE|Chapter|CHAPTER|"
    r"Part|PART|Schedule|SCHEDULE|Annex|ANNEX|Appendix|Point)[ \t\u00a0]+"
    r"(?:[LRDA]\.?[ \t\u00a0]*\*?)?(?:\d[\d.\-]*(?:er|re|e|ème)?|[IVXLC]+|[A-Z]|premier|unique)"
    r"(?:[ \t](?:bis|ter|quater))?"
    r"|(?:المادة|مادة|الفصل|الباب|القسم|الملحق|الفرع|الجزء)[ \t\u00a0]+(?:[\d\u0660-\u0669]+|[\u0621-\u064a]+))"
    r"[ \t\u00a0]*(?:[.:–—\-][^\n]{0,110})?$"
)
_ARTICLE_NAME = re.compile(
    r"\W*(?:Article|ARTICLE|Art|Section|SECTION)\.?[ \t\u00a0]+(?:[LRDA]\.?[ \t\u00a0]*\*?)?\d[\d.\-]*(?:er|re|e|ème)?"
)
"""What stands before the text of an article on the same line: "Article 5. – Le maire …"."""
_MAY_OPEN_ITEM = re.compile(r"[ \t]*(?:[^\w\s]|\d|[a-zA-Z]{1,5}[.)])")
"""What every list item begins with, and hardly any other line."""
_ENDED = re.compile(r"[.!?…؟۔:;؛,،»”)]\s*$")


TABLE_CELL = " | "
"""What parsers put between the cells of a table row, which has a line of its own."""


def sentence_spans(text: str, language: str) -> tuple[Span, ...]:
    """Sentences of `text` in order: not overlapping, without surrounding white space, none empty.

    A line break inside a paragraph ends nothing; a blank line does, and so does a list item, a heading or a table row
    (cells between ` | `) on a line of its own. Together the spans cover every character that is not white space.

    >>> [len(s) for s in sentence_spans("L'art. L. 2123-1 s'applique. M. Dupont signe.", "fr")]
    [28, 16]
    """
    never_final = _NEVER_FINAL.get(language, frozenset())
    spans = []
    for start, end in _segments(text):
        for left, right in _sentences(text, start, end, never_final):
            trimmed = _trimmed(text, left, right)
            if trimmed is not None:
                spans.append(trimmed)
    return tuple(spans)


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Stretches in which line breaks mean nothing: paragraphs, list items, headings, table rows."""
    start = position = 0
    previous, previous_stands_alone, in_dashes = "", False, False
    for line in text.splitlines(keepends=True):
        bare = line.rstrip()
        alone = TABLE_CELL in bare or bool(_HEADING_LINE.match(bare))
        dash = listed = False
        if _MAY_OPEN_ITEM.match(bare):
            dash = bool(_DASH_BULLET.match(bare))
            listed = _begins_item(bare, previous, dash_allowed=in_dashes)
        if position > start and (not bare or not previous or alone or previous_stands_alone or listed):
            yield start, position
            start = position
        in_dashes = bool(bare) and ((dash and listed) or (in_dashes and not listed))
        previous, previous_stands_alone = bare, alone
        position += len(line)
    if position > start:
        yield start, position


def _begins_item(line: str, previous: str, *, dash_allowed: bool) -> bool:
    """True when a line opens a list item rather than going on with the prose of the line before."""
    if _ALWAYS_BULLET.match(line):
        return True
    if _DASH_BULLET.match(line) or _NUMBERED.match(line):
        return dash_allowed or not previous or bool(_ENDED.search(previous)) or bool(_NUMBERED.match(previous))
    return False


def _sentences(text: str, start: int, end: int, never_final: frozenset[str]) -> Iterator[tuple[int, int]]:
    left = start
    for match in _TERMINATOR.finditer(text, start, end):
        if _ends_sentence(text, match, left, end, never_final):
            yield left, match.end()
            left = match.end()
    yield left, end


def _ends_sentence(text: str, match: re.Match[str], start: int, end: int, never_final: frozenset[str]) -> bool:
    rest = text[match.end() : min(end, match.end() + 60)]
    following = _FIRST_WORD.match(rest)
    word = following.group(1) if following else ""
    if word and word[0].islower():
        return False
    if match["mark"] != "." or match["closers"]:
        return True
    last = _LAST_TOKEN.search(text[max(start, match.start() - 40) : match.start()])
    token = last.group() if last else ""
    if not text[start : match.start()].strip().rstrip("0123456789.)(°IVXivx"):
        return False  # the number of a list item or heading
    if match["mark"] == "." and _ARTICLE_NAME.fullmatch(text, start, match.start()):
        return False
    return _stop_ends_sentence(token, word, never_final)


def _stop_ends_sentence(token: str, word: str, never_final: frozenset[str]) -> bool:
    """True when a full stop after `token` and before `word` ends a sentence rather than an abbreviation."""
    if not word:
        return True
    lowered = token.lower()
    if lowered in _MAYBE_FINAL or (len(token) == 1 and token.isupper() and token.isascii()):
        return word.lower() in _STARTERS
    if token in never_final or (lowered in never_final and token.istitle()):
        return False
    if lowered in _BEFORE_NUMBER:
        return not (word[0].isdigit() or len(word) == 1 or re.fullmatch(r"[IVXLC]+", word))
    return not re.fullmatch(r"(?:[A-Z]\.-?)+[A-Z]", token) or word.lower() in _STARTERS


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    left, right = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
    return Span(left, right) if left < right else None


# --- search form -------------------------------------------------------------------------------------------------

_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_BROKEN_WORD = re.compile(r"[-‐\u00ad](?<=[^\W\d_].)[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_APOSTROPHES = re.compile("[’ʼ‘‛′＇`´]")
_ELISION = re.compile(r"\b(?:[ldjmtsnc]|qu)'(?=\w)", re.IGNORECASE)
_LONG_ELISION = re.compile(r"\b(jusqu|lorsqu|puisqu|quoiqu|presqu|quelqu)'(?=\w)", re.IGNORECASE)
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]")
# "األ" for "الأ": a lam-alef that some program turned round. Two alefs never meet in Arabic, so nothing else can be meant.
_TURNED_LAM_ALEF = re.compile("ا([أإآ])ل")
# Letter folding as in Lucene's ArabicNormalizer, plus the Persian yeh and kaf that some fonts use for Arabic.
_FOLDABLE = re.compile("[أإآٱىیةک٠-٩۰-۹٫٬]")
_FOLDED = str.maketrans("أإآٱىیةک٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "اااايي" + "هك" + "01234567890123456789" + ".,")


def search_form(text: str, language: str) -> str:
    """`text` as the word index and its queries see it; never shown, never stored as a document's text.

    Unicode NFKC; invisible characters gone; words hyphenated at a line end rejoined; typographic apostrophes plain;
    French elisions (l', d', qu', …) dropped; Arabic marks and tatweel gone, alef, yeh and teh marbuta folded, a lam-alef
    that came out turned round put right; Arabic-Indic digits as ASCII. Case and accents stay: they are the analyser's business.

    >>> search_form("L’usager qu’on aide", "fr"), search_form("المُؤسَّسة ١٢", "ar")
    ('usager on aide', 'المؤسسه 12')
    """
    text = _INVISIBLE.sub("", _BROKEN_WORD.sub("", text))
    text = _APOSTROPHES.sub("'", unicodedata.normalize("NFKC", text))
    if language == "fr" and "'" in text:
        text = _LONG_ELISION.sub(r"\1e ", _ELISION.sub("", text))
    text = _TURNED_LAM_ALEF.sub(r"ال\1", _ARABIC_MARKS.sub("", text))
    return text.translate(_FOLDED) if _FOLDABLE.search(text) else text


# --- readable form -----------------------------------------------------------------------------------------------

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Joiners (U+200C, U+200D) stay: Arabic script and pictures made of several need them."""
_LINE_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\s*\n\s*(?=[a-zà-ÿ])")
_SPACE = re.compile(r"\s+")


_ARABIC_WORD = re.compile(r"[ء-ي]+")
_PROCLITIC = re.compile(r"^(?:و|ف)?(?:بال|كال|لل|ال|ب|ل|ك)?(?=[ء-ي]{3})")
_ENDING = re.compile(r"(?:(?:ي|و)?(?:ون|ين|ان|ات|ه|هم|ها|نا|كم|تم)|يه|ا|ي)$")
_VERBAL = re.compile(r"^(?:است|[يتناس])(?=[ء-ي]{3})")
_LONG_VOWEL = re.compile(r"[اويى]")
_LEAST_CONSONANTS = 3


@lru_cache(maxsize=50_000)
def skeleton(word: str) -> str:
    """The consonants that an Arabic word shares with its broken plural, its verb and its noun; empty where too few are left.

    Clitics, endings and long vowels go; what is left of fewer than three letters says too little.

    >>> skeleton("الحراس") == skeleton("حارسا"), skeleton("تصلح") == skeleton("صلاحية"), skeleton("في")
    (True, True, '')
    """
    bare = search_form(word, "ar")
    if not _ARABIC_WORD.fullmatch(bare):
        return ""
    for affix in (_PROCLITIC, _ENDING, _VERBAL):
        shorter = affix.sub("", bare)
        bare = shorter if len(_LONG_VOWEL.sub("", shorter)) >= _LEAST_CONSONANTS else bare
    found = bare[:1] + _LONG_VOWEL.sub("", bare[1:]) if bare[:1] not in "اي" else _LONG_VOWEL.sub("", bare)
    return found if len(found) >= _LEAST_CONSONANTS else ""


def readable_form(quote: str) -> str:
    """A quote as a reader sees it: line ends become spaces, words broken at a line end are rejoined.

    >>> readable_form("Le délai est de trente\\njours à comp-\\nter de la récep-\\ntion.")
    'Le délai est de trente jours à compter de la réception.'
    """
    return _SPACE.sub(" ", _LINE_HYPHEN.sub("", quote)).strip()


def readable_line(text: str) -> str:
    r"""`text` on one line, without control characters, bidi controls and whatever else is not seen: for titles and names.

    >>> readable_line("Cong\u202eés\x1b[2J\r\n 2024")
    'Congés[2J 2024'
    """
    return " ".join(_UNSEEN.sub("", " ".join(text.split())).split())


def readable_offsets(quote: str) -> tuple[str, list[int]]:
    """The readable form of a quote, and for each of its characters where it stands in the quote, 0-based.

    >>> readable_offsets(" a  b\\nc")
    ('a b c', [1, 2, 4, 5, 6])
    """
    dropped = {at for match in _LINE_HYPHEN.finditer(quote) for at in range(*match.span())}
    kept: list[str] = []
    offsets: list[int] = []
    for at, character in enumerate(quote):
        if at in dropped:
            continue
        if not character.isspace():
            kept.append(character)
            offsets.append(at)
        elif kept and kept[-1] != " ":
            kept.append(" ")
            offsets.append(at)
    if kept and kept[-1] == " ":
        del kept[-1], offsets[-1]
    return "".join(kept), offsets
