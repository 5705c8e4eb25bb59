"""What a document says of itself: title, date, author and kind, and the legal texts that it names.

Everything is read where documents put it: the head, the line of signature, the mail's header. A date or a name that is merely
mentioned is never taken. An archivist's sidecar or manifest wins over what is found here.
"""

from __future__ import annotations

import html
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.dates import DATE, first_date, iso_date
from ingest.compound import DOC, MSG, PPT, XLS
from ingest.packages import UNREADABLE
from ingest.parsing import DOCX, EMAIL, ODP, ODS, ODT, PPTX, RTF, TNEF, XLSX, Parsed
from ingest.pieces import plain
from ingest.references import legal_references
from ingest.richtext import read_rtf

_HEAD_CHARS = 4000
_HEAD_LINES = 45
_LONGEST_TITLE = 300
_CORE = (DOCX, XLSX, PPTX, ODT, ODS, ODP)
_COMPOUND = (DOC, XLS, PPT)
_UTF_8 = 65001
_RICH_HEAD_BYTES = 500_000
_RICH_AUTHOR = re.compile(rb"\{\\author ?((?:[^{}\\]|\\'[0-9a-fA-F]{2}|\\[a-z]+-?\d* ?|\\[^a-z'])+)\}")
_RICH_PAGE = re.compile(rb"\\ansicpg(\d{3,5})")


@dataclass(frozen=True, slots=True)
class FoundMetadata:
    """What was found; None where nothing was. `document_type` is one of the words of `DOCUMENT_TYPES`."""

    title: str | None = None
    date: str | None = None
    """ISO 8601."""
    author: str | None = None
    document_type: str | None = None
    references: tuple[str, ...] = ()


DOCUMENT_TYPES: dict[str, tuple[str, ...]] = {
    "law": ("loi", "loi organique", "loi de finances", "act", "قانون", "القانون", "مشروع قانون"),
    "decree": ("décret", "décret-loi", "ordonnance", "decree", "ordinance", "مرسوم", "المرسوم", "ظهير", "ظهير شريف", "الظهير"),
    "order": ("arrêté", "arrêté préfectoral", "arrêté municipal", "arrêté ministériel", "order", "قرار", "القرار", "قرار وزاري"),
    "circular": ("circulaire", "instruction", "circular", "منشور", "المنشور", "تعميم", "التعميم", "دورية", "الدورية"),
    "minutes": ("procès-verbal", "compte rendu", "compte-rendu", "relevé de décisions", "minutes", "محضر", "المحضر"),
    "deliberation": ("délibération", "extrait du registre des délibérations", "resolution", "مداولة", "مقرر", "المقرر"),
    "regulation": ("règlement", "règlement intérieur", "regulation", "regulations", "نظام داخلي", "النظام الداخلي", "نظام"),
    "note": ("note", "note de service", "note d'information", "memorandum", "مذكرة", "المذكرة", "مذكرة مصلحية"),
    "notice": ("avis", "notice", "public notice", "إعلان", "بلاغ"),
    "guide": ("guide", "manuel", "mode d'emploi", "handbook", "manual", "دليل", "الدليل"),
    "form": ("formulaire", "bordereau", "form", "application form", "استمارة", "مطبوع", "نموذج"),
    "tariff": ("tarif", "tarifs", "tarification", "fees", "tariff", "تعريفة"),
    "report": ("rapport", "report", "تقرير", "التقرير"),
}  # fmt: skip
"""The kinds of document, each with the words that head documents of it."""
_KINDS = {word: kind for kind, words in DOCUMENT_TYPES.items() for word in words}
_ENGLISH_LAST = "|".join(
    (
        "guide",
        "handbook",
        "manual",
        "regulations?",
        "order",
        "circular",
        "minutes",
        "form",
        "report",
        "notice",
        "decree",
        "act",
    )
)
_WORDS = "|".join(
    re.escape(word).replace(r"\ ", r"\s+").replace("'", "['’]") for word in sorted(_KINDS, key=len, reverse=True)
)
_HEADED = re.compile(rf"(?:projet\s+d['’e]\s?)?(?P<kind>{_WORDS})(?![\w-])(?P<rest>.*)", re.IGNORECASE)
_ENGLISH_TITLE = re.compile(rf"(?:[A-Z][\w'’-]*\s+){{1,4}}?(?P<kind>{_ENGLISH_LAST})\b(?P<rest>.*)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\s*(?:[\w'’().-]+\s+){0,4}?(?:n[°ºo]|no\.|رقم|du\s|de\s|d['’]|des\s|de\s+la\s|relati|portant|fixant|modifi|on\s|of\s|[–—:-]|\d|$)",
    re.IGNORECASE,
)
"""What follows a word that heads a document, and not one that begins a sentence."""
_SIGNED = re.compile(
    r"^[ \t]*(?:(?:fait|donné|établi|signé|délibéré)\s+(?:à|en|au|aux|le)\b[^\n]{0,80}?"
    r"|(?:done|given|signed|dated|made)\s+(?:at|in|on|this|the)\b[^\n]{0,60}?"
    r"|و?(?:ح[\u064b-\u0652]*ر[\u064b-\u0652]*ر|صدر|كتب|أبرم)\s+(?:ب|في)[^\n]{0,60}?)"
    rf"(?:\(\s*)?(?:{DATE})[^\n]{{0,20}}$",
    re.IGNORECASE | re.MULTILINE,
)
_DATE_LINE = re.compile(
    r"[ \t]*(?:[A-ZÀ-Ý][\w'’ -]{1,40},\s*(?:le\s+)?|le\s+"
    r"|date\s*:?\s*(?:du\s+document\s*:?\s*)?|التاريخ\s*:?\s*|بتاريخ\s*:?\s*|في\s+"
    rf"|[\u0621-\u064a ]{{2,30}}[،,]\s*(?:في\s+)?)?(?:{DATE})\s*\.?[ \t]*",
    re.IGNORECASE,
)
_OWN_DATE = re.compile(
    rf"(?:[^\n,;.]{{0,60}}?\b(?:du|of|of\s+the|dated)\s+|[^\n,;]{{0,60}}?(?:في|بتاريخ|بتاريخ\s+يوم)\s+)(?:{DATE})",
    re.IGNORECASE,
)
_VERSION = re.compile(
    rf"(?:version|édition|release|النسخة|الطبعة)\s[^\n,;]{{0,20}}?(?:du|of|في)\s+(?:{DATE})", re.IGNORECASE
)
_BODY = re.compile(
    r"(?:direction|sous-direction|secrétariat|ministère|préfecture|mairie|commune|service\s+(?:des|de|du)|cabinet|agence|conseil)\b"
    r"|(?:[A-Z][\w'-]+\s+){0,6}(?:directorate|ministry|department|office|agency|council|secretariat)\b"
    r"|(?:ال)?(?:مديرية|وزارة|رئاسة|مصلحة|كتابة|المجلس|ولاية|عمالة|أمانة|هيئة|وكالة)\s?",
    re.IGNORECASE,
)
_FURNITURE = re.compile(r"(?:page|صفحة|الصفحة)\s*\d", re.IGNORECASE)
_JUNK_TITLE = re.compile(
    r"(?:microsoft\s+(?:word|excel|powerpoint)\b.*|(?:untitled|sans\s+titre|document|présentation|presentation|classeur|book)\s*\d*"
    r"|.*\.(?:docx?|xlsx?|pptx?|odt|ods|rtf|pdf|indd|qxd|wpd|tiff?))",
    re.IGNORECASE,
)
_JUNK_AUTHOR = re.compile(
    r"(?:python-docx|microsoft.*|admin\w*|user|utilisateur|unknown|inconnu|owner|author|auteur|pc|hp|root|openpyxl|steve canny)",
    re.IGNORECASE,
)  # fmt: skip
_CREATOR = re.compile(r"<(dc:creator|meta:initial-creator)[^>]*>([^<]*)</")
_FROM = re.compile(r"^From:\s*(.+)$", re.MULTILINE)


def described(parsed: Parsed, path: Path) -> Parsed:
    """`parsed` with what is found in its text and in the file's properties, where its reader found nothing."""
    found = found_metadata(parsed.text, parsed.language, parsed.media_type, title=parsed.title)
    junk = parsed.title is not None and _JUNK_TITLE.fullmatch(parsed.title.strip())
    return replace(
        parsed,
        title=found.title or parsed.title if junk else parsed.title or found.title,
        date=parsed.date or found.date,
        author=parsed.author or found.author or _core_author(path, parsed.media_type),
        document_type=parsed.document_type or found.document_type,
        references=parsed.references or found.references,
    )


def found_metadata(text: str, language: str, media_type: str, *, title: str | None = None) -> FoundMetadata:
    """What the text says of its document; `title` is what its reader took for one."""
    if media_type in (EMAIL, MSG, TNEF):
        sender = _FROM.search(text[:_HEAD_CHARS])
        author = plain_author(sender[1]) if sender else None
        return FoundMetadata(
            author=author, document_type="mail", references=legal_references(text, besides=title or "")
        )
    lines = [line.strip(" \t\f#*|_") for line in text[:_HEAD_CHARS].splitlines()][:_HEAD_LINES]
    heading = _heading(lines, language)
    found_title = heading[1] if heading else None
    kind = heading[0] if heading else None
    if kind is None and title:
        kind = _kind_of(title, language)
    signature = next(((match, day) for match in _SIGNED.finditer(text) if (day := iso_date(match))), None)
    return FoundMetadata(
        title=found_title,
        date=signature[1] if signature else _head_date(lines, found_title, title),
        author=(_signer(text, signature[0].end()) if signature else None) or _issuer(lines),
        document_type=kind,
        references=legal_references(text, besides=found_title or title or ""),
    )


def plain_author(text: str) -> str | None:
    """An author on one line, at most 200 characters; None when nothing is left or a program signed."""
    name = plain(text)[:200].strip(" ,;")
    return name if name and not _JUNK_AUTHOR.fullmatch(name) else None


# --- head --------------------------------------------------------------------------------------------------------


def _heading(lines: list[str], language: str) -> tuple[str, str] | None:
    """(kind, title) of the first line that heads a document; a running header yields to the whole title further down."""
    found: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        kind = _kind_of(line, language)
        if kind is not None:
            found.append((kind, _whole(lines, number)))
    if not found:
        return None
    first = found[0]
    digits = re.search(r"\d[\d/.-]*\d", first[1])
    same = [entry for entry in found if entry[0] == first[0] and (digits is None or digits[0] in entry[1])]
    return max(same[:3], key=lambda entry: len(entry[1]))


def _kind_of(line: str, language: str) -> str | None:
    """The kind of document that `line` heads; None for a line of running text."""
    if line.endswith((";", ":")) or len(line) > _LONGEST_TITLE:
        return None
    match = _HEADED.match(line)
    if match and _NUMBERED.match(match["rest"]):
        return _KINDS[" ".join(match["kind"].lower().replace("’", "'").split())]
    if language == "en" and len(line) <= 100 and not line.endswith("."):
        match = _ENGLISH_TITLE.match(line)
        if (
            match
            and line[:4].lower() not in ("this", "the ")
            and match["kind"][0].isupper() | match["rest"].startswith(":")
        ):
            kind = match["kind"].lower()
            return _KINDS.get(kind) or _KINDS.get(kind.rstrip("s"))
    return None


def _whole(lines: list[str], number: int) -> str:
    """The line, with those that go on with it: they begin in lower case, or in Arabic follow a full line."""
    title = lines[number]
    for following in lines[number + 1 : number + 4]:
        goes_on = following[:1].islower() or (
            len(title) > 50 and "\u0621" <= following[:1] <= "\u064a" and len(following) < 40
        )
        if (
            not goes_on
            or _FURNITURE.match(following)
            or title.endswith((".", ":", ";"))
            or len(title) + len(following) > _LONGEST_TITLE
        ):
            break
        title = f"{title} {following}"
    return title


def _head_date(lines: list[str], *titles: str | None) -> str | None:
    """The date in the title, after the version's name, or alone on a line."""
    for title in filter(None, titles):
        match = _HEADED.match(title)
        own = _OWN_DATE.match(match["rest"]) if match else None
        if own and (found := iso_date(own)):
            return found
    for line in lines:
        match = _DATE_LINE.fullmatch(line) or _VERSION.match(line)
        if match and (found := iso_date(match)):
            return found
    return None


def _issuer(lines: list[str]) -> str | None:
    """The office in the letterhead: the first line of the head that is nothing but the name of one."""
    for line in list(filter(None, lines))[:10]:
        if _BODY.match(line) and len(line) <= 100 and not re.search(r"[.;:|]|\d", line):
            return plain_author(line)
    return None


# --- signature ---------------------------------------------------------------------------------------------------


def _signer(text: str, end: int) -> str | None:
    """Who signs under the line of place and date: office and name, on up to three short lines."""
    block: list[str] = []
    for raw in text[end : end + 600].lstrip("\n").splitlines()[:6]:
        line = raw.strip(" \t\f|,;.")
        if not line and block:
            break
        if line and (len(line) > 90 or re.search(r"\d{3}|page\s+\d|صفحة", line, re.IGNORECASE) or first_date(line)):
            break
        if line:
            block.append(line)
    comma = "، " if block and "\u0621" <= block[0][:1] <= "\u064a" else ", "
    return plain_author(comma.join(block[:3])) if block else None


# --- properties of office files ------------------------------------------------------------------------------------


def _core_author(path: Path, media_type: str) -> str | None:
    """The author in an office file's own properties, where a person and not a program stands there."""
    if media_type in _COMPOUND:
        return _compound_author(path)
    if media_type == RTF:
        return _rich_author(path)
    if media_type not in _CORE:
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            member = next((name for name in ("docProps/core.xml", "meta.xml") if name in archive.namelist()), None)
            if member is None:
                return None
            with archive.open(member) as file:
                match = _CREATOR.search(file.read(100_000).decode("utf-8", "replace"))
    except UNREADABLE:
        return None
    return plain_author(html.unescape(match[2])) if match else None


def _compound_author(path: Path) -> str | None:
    """The author in the summary of an old binary office file."""
    import olefile

    try:
        with olefile.OleFileIO(path) as compound:
            said = compound.get_metadata()
        page = (said.codepage or 1252) % 65536
        author = said.author or b""
        return plain_author(author.decode("utf-8" if page == _UTF_8 else f"cp{page}", "replace").strip("\0"))
    except Exception:  # the reader promises nothing narrower for a broken file
        return None


def _rich_author(path: Path) -> str | None:
    """The author in the head of an RTF file; of one that is written twice the second, in Unicode."""
    with path.open("rb") as file:
        head = file.read(_RICH_HEAD_BYTES)
    said, page = _RICH_AUTHOR.findall(head), _RICH_PAGE.search(head)
    if not said:
        return None
    pieces = read_rtf(b"{\\rtf1\\ansi\\ansicpg" + (page[1] if page else b"1252") + b" " + said[-1] + b"}").pieces
    return plain_author(pieces[0].text) if pieces else None
