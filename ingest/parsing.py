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
from ingest.compound import OLE, compound_type
from ingest.encoding import wide_encoding


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
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    UNSAFE_ARCHIVE = "unsafe_archive"
    UNLABELLED = "unlabelled"
    CONFLICTING_LABELS = "conflicting_labels"


@dataclass(frozen=True, slots=True)
class ParsingSettings:
    """What a parser may use, and the limits its process lives under."""

    languages: tuple[str, ...] = LANGUAGES
    ocr: bool = True
    wall_s: float = 300.0
    """Longest time without another page read, in seconds."""
    cpu_s: int = 600
    """Processor time of the child, and of each process that it starts."""
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
    """What the archivist gave to open a locked file; never written to logs, ledgers or results."""
    handed_in_as: str = ""
    """The name that the file was handed in under."""
    max_archive_depth: int = 3
    """How deep archives may lie in archives; 1: only in none."""
    max_archive_entries: int = 10_000
    """Files and folders of an archive, those of the archives inside it included."""
    max_archive_bytes: int = 2 * 1024**3
    """An archive's files together, unpacked."""
    max_archive_ratio: int = 200
    """Unpacked to packed size, where it is unpacked to more than 10 MB; documents stay below it, bombs far above."""
    max_processes: int = 64
    """Processes that may run at once below the one that reads the document."""
    page_folder: Path | None = None
    """Where pages that OCR has read are kept between runs of the same version; None keeps them for one run only."""
    work_folder: Path | None = None
    """Where the temporary folder of each run is made; None takes the system's."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried by another one, such as an e-mail's or an archive's.

    `file_name` may have folder parts ("dossier/lettre.odt"), always with forward slashes, never absolute, never with "..".
    `path` lies in the folder of the process that parsed the carrier, so it must be taken over before that folder goes.
    """

    file_name: str
    path: Path
    sidecar: str = ""
    """TOML text of the sidecar that lay beside it, or of its line in a manifest; empty when there is none."""
    own_label: bool = False
    """True when nothing is known of its label beyond its own marking and sidecar, unless its carrier was given one."""


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
    author: str | None = None
    document_type: str | None = None
    references: tuple[str, ...] = ()
    """Legal texts that it names, in the order in which it names them first."""
    container: bool = False
    """True for an archive of files, and for a file of scans, which have no text of their own."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot become a document, and why. `page_number` is 1-based; None when the whole file is meant."""

    category: str
    message: str
    page_number: int | None = None


PICTURES_ONLY = "pictures"
"""The parser of a file that had nothing to read but the scans in it."""


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
TNEF = "application/ms-tnef"
"""A `winmail.dat` of Outlook."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
EPUB = "application/epub+zip"
RTF = "application/rtf"
CSV = "text/csv"
PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
GIF = "image/gif"
WEBP = "image/webp"
BMP = "image/bmp"
JPEG_2000 = "image/jp2"
HEIF = "image/heif"
XML = "application/xml"
ODP = "application/vnd.oasis.opendocument.presentation"
ODG = "application/vnd.oasis.opendocument.graphics"
XLSB = "application/vnd.ms-excel.sheet.binary"
SXW = "application/vnd.sun.xml.writer"
SXC = "application/vnd.sun.xml.calc"
SXI = "application/vnd.sun.xml.impress"
MBOX = "application/mbox"
MHTML = "application/x-mimearchive"
ZIP = "application/zip"
TAR = "application/x-tar"
SEVEN_ZIP = "application/x-7z-compressed"
GZIP = "application/gzip"
BZIP2 = "application/x-bzip2"
XZ = "application/x-xz"
OTHER_PACKAGE = "application/vnd.openxmlformats-package"
"""An office file in Open XML that is no text, sheet or presentation, such as a drawing."""
UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"{\\rtf", RTF),
    (b"\x78\x9f\x3e\x22", TNEF),
    (b"II+\x00", TIFF),  # BigTIFF, for files over 4 GB
    (b"MM\x00+", TIFF),
    (b"GIF8", GIF),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\x1f\x8b\x08", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
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
    ("xl/workbook.bin", XLSB),
)
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_TEXT_SUFFIXES = {
    ".md": MARKDOWN, ".markdown": MARKDOWN, ".eml": EMAIL, ".html": HTML, ".htm": HTML, ".xhtml": HTML, ".csv": CSV, ".tsv": CSV,
}  # fmt: skip
_MAIL_HEADER = re.compile(
    r"(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Content-Type|"
    r"Snapshot-Content-Location|X-[\w-]+):[ \t]",
    re.IGNORECASE,
)
_WEB_ARCHIVE = re.compile(r"^(?:Content-Type:[ \t]*multipart/related|Snapshot-Content-Location:)", re.I | re.M)
_SENT = re.compile(r"^(?:To|Received|Delivered-To):", re.I | re.M)
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|div|p|table|h1)\b", re.I | re.S
)
_XML_START = re.compile(r"\s*<\?xml\b|\s*<!DOCTYPE\b|\s*<[A-Za-z_][\w.:-]*[\s>/]")
_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_HEAD_BYTES = 8192
_BMP_HEADS = (b"\x0c", b"\x28", b"\x34", b"\x38", b"\x40", b"\x6c", b"\x7c")
"""Lengths that the second header of a BMP can have."""
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PDF_MARK = re.compile(rb"(?:\A|[\r\n])[ \t]*%PDF-\d")
_PDF_WITHIN = 1024
"""Bytes in which a PDF's mark stands (ISO 32000-1, annex H.3.4.1)."""


def detect_media_type(path: Path) -> str:
    """The media type of the file at `path`, from its content; `application/octet-stream` when nothing fits.

    The suffix decides only between kinds of text that look alike: `.md`, `.html`, `.eml`, `.csv`, everything else is plain.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return EMPTY
    if head.startswith(b"%PDF-"):
        return PDF
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_type(path)
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return compound_type(path) if media_type == OLE else media_type
    suffix = path.suffix.lower()
    return _placed_type(head, suffix) or (PDF if _is_pdf(head) else _text_type(head, suffix))


def _is_pdf(head: bytes) -> bool:
    """A PDF with something before its mark. An archive that carries one, and a text that speaks of one, are none."""
    first = head[:_PDF_WITHIN]
    return b"%PDF-" in first and (_PDF_MARK.search(first) is not None or _as_text(head) is None)


def _placed_type(head: bytes, suffix: str) -> str | None:
    """The type of a file whose mark does not stand at its beginning."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:2] == b"BM" and not any(head[6:10]) and head[14:15] in _BMP_HEADS and not any(head[15:18]):
        return BMP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return HEIF
    return TAR if head[257:262] == b"ustar" or (suffix == ".tar" and not any(head[500:512])) else None


def _zip_type(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                named = archive.read("mimetype").decode("ascii", "replace").strip()
                return named.removesuffix("-template") if named.startswith(_OPEN_DOCUMENT) else named
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, EOFError):
        return ZIP
    for member, media_type in _ZIP_MEMBERS:
        if member in names:
            return media_type
    return OTHER_PACKAGE if "[Content_Types].xml" in names else ZIP


def _text_type(head: bytes, suffix: str) -> str:
    text = _as_text(head)
    if text is None:
        return UNKNOWN
    text = text.lstrip("\ufeff")
    named = _TEXT_SUFFIXES.get(suffix, TEXT)
    if named in (EMAIL, MARKDOWN):
        return named
    mail = _mail_type(text)
    if mail is not None:
        return mail
    if _HTML_START.match(text) or (named == HTML and _TAG.search(text)):
        return HTML
    if _XML_START.match(text) and suffix != ".txt":
        return XML
    return CSV if named == CSV else TEXT


def _mail_type(text: str) -> str | None:
    headers = _headers(text)
    if len(headers) >= 3:
        return MHTML if _WEB_ARCHIVE.search("\n".join(headers)) and not _SENT.search(text) else EMAIL
    in_mailbox = text.startswith("From ") and len(_headers(text.partition("\n")[2])) >= 2
    return MBOX if in_mailbox else None


def _headers(text: str) -> list[str]:
    """Header lines of a mail, when the text begins with one; prose that begins with "To: " has no second one."""
    block = re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0].splitlines()
    if not block or not _MAIL_HEADER.match(block[0]):
        return []
    return [line for line in block if _MAIL_HEADER.match(line)]


def _as_text(head: bytes) -> str | None:
    """`head` decoded well enough to look at; None when it is binary."""
    wide = wide_encoding(head)
    if wide is None and 0 in head:
        return None
    text = head.decode(wide or "utf-8", "replace")
    control = sum(character < " " and character not in "\t\n\f\r\x1b" for character in text)
    return text if control <= max(2, len(text) // 100) else None


_AS_DOCUMENT = "save it as PDF, DOCX or ODT"
_UNPACK = "unpack it and hand in its files"
_NOT_READ: dict[str, tuple[str, str]] = {
    OTHER_PACKAGE: ("an office file of a kind that is not known here", "save it as PDF"),
    "application/vnd.rar": ("a RAR archive", _UNPACK),
    "application/postscript": ("a PostScript file", "save it as PDF"),
    "application/vnd.sqlite3": ("a database", "export its tables as CSV"),
    "application/x-executable": ("a program", "hand in documents only"),
    HEIF: ("a photograph in HEIC or HEIF", "save it as JPEG"),
    "audio/ogg": ("a sound recording", "hand in a transcript"),
    "audio/mpeg": ("a sound recording", "hand in a transcript"),
}
"""For kinds that are known and not read: what a person calls them, and what to do instead."""


def unsupported(media_type: str) -> Rejected:
    """The rejection for a file of a media type that no parser reads, in words without a media type."""
    if media_type == OLE:
        kind = "an Office file that is damaged, cut off, or of a kind that is not known here"
        return Rejected(RejectionCategory.DAMAGED, f"{kind}; {_AS_DOCUMENT}")
    kind, advice = _NOT_READ.get(media_type, ("a file of a kind that is not known here", _AS_DOCUMENT))
    return Rejected(RejectionCategory.UNSUPPORTED_TYPE, f"{kind} is not read yet; {advice}")


def parser_for(media_type: str) -> Parser | None:
    """The parser that reads `media_type`; None when there is none. Imports the parser's libraries only on parsing."""
    opener = _parsers().get(media_type)
    return opener() if opener else None


def _parsers() -> dict[str, Callable[[], Parser]]:
    from ingest.containers import ContainerParser
    from ingest.images import IMAGE_TYPES, ImageParser
    from ingest.office import OFFICE_TYPES, OfficeParser
    from ingest.pdf import PdfParser

    choices: dict[str, Callable[[], Parser]] = {PDF: PdfParser}
    choices |= dict.fromkeys(ContainerParser.media_types, ContainerParser)
    choices |= dict.fromkeys(IMAGE_TYPES, ImageParser)
    choices |= dict.fromkeys(OFFICE_TYPES, OfficeParser)
    return choices
