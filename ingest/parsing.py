"""What a parser gives back, and which parser reads which file.

The type of a file is decided by its content; its name only breaks ties between kinds of text. A file without text is
never a success: it is `Rejected`. Every parser runs in a child process (`ingest.isolation`), never in the service.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from assistant.types import LANGUAGES, Block, Page
from ingest.encoding import utf16_without_mark


class RejectionCategory(StrEnum):
    """Why a file does not become a document. Stable: ledgers, reports and other programs store these words."""

    EMPTY_FILE = "empty_file"
    UNSUPPORTED_TYPE = "unsupported_type"
    DAMAGED = "damaged"
    PASSWORD_NEEDED = "password_needed"  # noqa: S105 - a reason, not a password
    NO_TEXT = "no_text"
    NEEDS_OCR = "needs_ocr"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    UNLABELLED = "unlabelled"
    CONFLICTING_LABELS = "conflicting_labels"


@dataclass(frozen=True, slots=True)
class ParsingSettings:
    """What a parser may use, and the limits its process lives under."""

    languages: tuple[str, ...] = LANGUAGES
    ocr: bool = True
    wall_s: float = 300.0
    cpu_s: int = 600
    memory_bytes: int = 2048 * 1024 * 1024
    """Address space of the child, in bytes."""
    output_bytes: int = 256 * 1024 * 1024
    """Largest file the child may write, its result included."""
    open_files: int = 256
    max_file_bytes: int = 512 * 1024 * 1024
    max_unpacked_bytes: int = 50 * 1024 * 1024
    """Largest text member of an office file, and a tenth of the largest total, after unpacking."""
    max_pages: int = 20_000
    max_cells: int = 2_000_000
    """Most filled cells of a spreadsheet, and rows of a presentation's tables."""
    password: str | None = field(default=None, repr=False)
    """Opens this one file; given by an archivist. Never in logs, ledgers or results."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried by another one, such as an e-mail's. `file_name` has no folder part."""

    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as its parser read it. Pages tile `text`; blocks are in reading order and lie inside it."""

    title: str | None
    language: str
    date: str | None
    """ISO 8601 date of the document itself, when the file says so."""
    media_type: str
    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    parser: str
    warnings: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot become a document, and why. `page_number` is 1-based; None when the whole file is meant."""

    category: str
    message: str
    page_number: int | None = None


class Parser(Protocol):
    """Reads the files of some media types."""

    name: str
    media_types: frozenset[str]

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """The file's text and structure, or why there is none. `path` keeps the suffix of the original name."""
        ...


PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
HTML = "text/html"
TEXT = "text/plain"
MARKDOWN = "text/markdown"
EMAIL = "message/rfc822"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
EPUB = "application/epub+zip"
RTF = "application/rtf"
CSV = "text/csv"
PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
XML = "application/xml"
OLE = "application/x-ole-storage"
ZIP = "application/zip"
UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"{\\rtf", RTF),
    (b"GIF8", "image/gif"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!", "application/vnd.rar"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-executable"),
    (b"%!PS", "application/postscript"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_ZIP_MEMBERS: tuple[tuple[str, str], ...] = (
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", XLSX),
    ("ppt/presentation.xml", PPTX),
    ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary"),
)
_TEXT_SUFFIXES = {
    ".md": MARKDOWN, ".markdown": MARKDOWN, ".eml": EMAIL, ".html": HTML, ".htm": HTML, ".xhtml": HTML, ".csv": CSV, ".tsv": CSV,
}  # fmt: skip
_MAIL_HEADER = re.compile(
    r"(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Content-Type|X-[\w-]+):[ \t]",
    re.IGNORECASE,
)
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|div|p|table|h1)\b", re.I | re.S
)
_XML_START = re.compile(r"\s*<\?xml\b|\s*<!DOCTYPE\b|\s*<[A-Za-z_][\w.:-]*[\s>/]")
_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_HEAD_BYTES = 8192


def detect_media_type(path: Path) -> str:
    """The media type of the file at `path`, from its content; `application/octet-stream` when nothing fits.

    The suffix decides only between kinds of text that look alike: `.md`, `.html`, `.eml`, `.csv`, everything else is plain.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return EMPTY
    if b"%PDF-" in head[:1024]:
        return PDF
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_type(path)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    return _text_type(head, path.suffix.lower())


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return archive.read("mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, EOFError):
        return ZIP
    for member, media_type in _ZIP_MEMBERS:
        if member in names:
            return media_type
    return ZIP


def _text_type(head: bytes, suffix: str) -> str:
    text = _as_text(head)
    if text is None:
        return UNKNOWN
    text = text.lstrip("\ufeff")
    named = _TEXT_SUFFIXES.get(suffix, TEXT)
    if named in (EMAIL, MARKDOWN):
        return named
    if len(_headers(text)) >= 3:
        return EMAIL
    if _HTML_START.match(text) or (named == HTML and _TAG.search(text)):
        return HTML
    if _XML_START.match(text) and suffix != ".txt":
        return XML
    return CSV if named == CSV else TEXT


def _headers(text: str) -> list[str]:
    """Header lines of a mail, when the text begins with one; prose that begins with "To: " has no second one."""
    block = re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0].splitlines()
    if not block or not _MAIL_HEADER.match(block[0]):
        return []
    return [line for line in block if _MAIL_HEADER.match(line)]


def _as_text(head: bytes) -> str | None:
    """`head` decoded well enough to look at; None when it is binary."""
    wide = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else utf16_without_mark(head)
    if wide is None and 0 in head:
        return None
    text = head.decode(wide or "utf-8", "replace")
    control = sum(character < " " and character not in "\t\n\f\r\x1b" for character in text)
    return text if control <= max(2, len(text) // 100) else None


_LOCKED_OFFICE_FILE = "EncryptedPackage".encode("utf-16-le")
"""How Office wraps a DOCX, XLSX or PPTX that is locked with a password."""
_OLD_OFFICE = (
    ("WordDocument", "an old Word file (DOC)", "DOCX"),
    ("Workbook", "an old Excel workbook (XLS)", "XLSX"),
    ("Book", "an old Excel workbook (XLS)", "XLSX"),
    ("PowerPoint Document", "an old PowerPoint presentation (PPT)", "PPTX"),
    ("__properties_version1.0", "an Outlook message (MSG)", "EML"),
)
"""Streams that tell the kinds of OLE file apart, what to call the kind, and what to save it as."""
_AS_DOCUMENT = "save it as PDF, DOCX or ODT"
_UNPACK = "unpack it and hand in its files"
_NOT_READ: dict[str, tuple[str, str]] = {
    ZIP: ("an archive", _UNPACK),
    "application/gzip": ("a compressed archive (GZ)", _UNPACK),
    "application/x-bzip2": ("a compressed archive (BZ2)", _UNPACK),
    "application/x-7z-compressed": ("a 7-Zip archive", _UNPACK),
    "application/vnd.rar": ("a RAR archive", _UNPACK),
    "application/vnd.ms-excel.sheet.binary": ("a binary Excel workbook (XLSB)", "save it as XLSX"),
    "application/vnd.oasis.opendocument.presentation": ("an OpenDocument presentation (ODP)", "save it as PPTX or PDF"),
    "application/vnd.oasis.opendocument.graphics": ("an OpenDocument drawing (ODG)", "save it as PDF"),
    "application/vnd.oasis.opendocument.text-template": ("an OpenDocument text template", "save it as ODT"),
    "application/vnd.oasis.opendocument.spreadsheet-template": ("an OpenDocument sheet template", "save it as ODS"),
    "application/vnd.oasis.opendocument.presentation-template": ("an OpenDocument slide template", "save it as PPTX"),
    "application/vnd.sun.xml.writer": ("an old StarOffice text (SXW)", "save it as ODT"),
    "application/vnd.sun.xml.calc": ("an old StarOffice spreadsheet (SXC)", "save it as ODS"),
    "application/postscript": ("a PostScript file", "save it as PDF"),
    "application/vnd.sqlite3": ("a database", "export its tables as CSV"),
    "application/x-executable": ("a program", "hand in documents only"),
    "image/gif": ("a GIF image", "save it as PNG"),
    "image/webp": ("a WebP image", "save it as PNG"),
    "audio/ogg": ("a sound recording", "hand in a transcript"),
    "audio/mpeg": ("a sound recording", "hand in a transcript"),
}
"""For kinds that are known and not read: what a person calls them, and what to do instead."""


def unsupported(media_type: str, path: Path) -> Rejected:
    """The rejection for a file of a media type that no parser reads, in words without a media type."""
    if media_type == OLE:
        return _old_office(path.read_bytes())
    kind, advice = _NOT_READ.get(media_type, ("a file of a kind that is not known here", _AS_DOCUMENT))
    return Rejected(RejectionCategory.UNSUPPORTED_TYPE, f"{kind} is not read yet; {advice}")


def _old_office(content: bytes) -> Rejected:
    if _LOCKED_OFFICE_FILE in content:
        return Rejected(RejectionCategory.PASSWORD_NEEDED, "the file needs a password; hand in a copy without one")
    for stream, kind, target in _OLD_OFFICE:
        if f"{stream}\0".encode("utf-16-le") in content:
            return Rejected(RejectionCategory.UNSUPPORTED_TYPE, f"{kind} is not read yet; save it as {target}")
    kind = "an old Office file (DOC, XLS, PPT, MSG)"
    return Rejected(RejectionCategory.UNSUPPORTED_TYPE, f"{kind} is not read yet; {_AS_DOCUMENT}")


def parser_for(media_type: str) -> Parser | None:
    """The parser that reads `media_type`; None when there is none. Imports the parser's libraries only on parsing."""
    opener = _parsers().get(media_type)
    return opener() if opener else None


def _parsers() -> dict[str, Callable[[], Parser]]:
    from ingest.ocr import IMAGE_TYPES, ImageParser
    from ingest.office import OFFICE_TYPES, OfficeParser
    from ingest.pdf import PdfParser

    choices: dict[str, Callable[[], Parser]] = {PDF: PdfParser}
    choices |= dict.fromkeys(IMAGE_TYPES, ImageParser)
    choices |= dict.fromkeys(OFFICE_TYPES, OfficeParser)
    return choices
