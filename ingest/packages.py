"""Zip packages that carry a document: office files and e-books. What may be unpacked, and what they say of themselves."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

from ingest.parsing import ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import plain

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # what lxml and ElementTree raise for markup that is not well formed
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the readers of office files raise when a file is not what it should be; they promise nothing narrower."""
_MOST_RATIO = 200
"""Unpacked to packed size of an XML member; documents stay far below it, bombs far above."""
_RATIO_COUNTS_FROM = 10_000_000
_TEXT_MEMBERS = (".xml", ".rels", ".vml", ".html", ".htm", ".xhtml", ".opf", ".ncx")
_MOST_MEMBERS = 50_000
_MACROS = ("Basic/", "Dialogs/")
"""Where LibreOffice keeps macros, with document types of their own; they are never read."""
_STRICT = b"http://purl.oclc.org/ooxml/"
_MANIFEST = "META-INF/manifest.xml"


def unsafe_package(path: Path, settings: ParsingSettings) -> Rejected | None:
    """Why this zip must not be unpacked: too large once unpacked, or locked; None when it may be."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > settings.max_unpacked_bytes * 10 or len(members) > _MOST_MEMBERS:
                return Rejected(RejectionCategory.TOO_LARGE, "the file unpacks to more than the limit allows")
            if any(member.flag_bits & 1 for member in members):
                return locked()
            if any(_is_bomb(member, settings) for member in members if member.filename.endswith(_TEXT_MEMBERS)):
                return Rejected(RejectionCategory.TOO_LARGE, "a part of the file unpacks to far more than text takes")
            if _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST):
                return locked()
    except UNREADABLE as error:
        return Rejected(RejectionCategory.DAMAGED, f"the file cannot be unpacked ({type(error).__name__})")
    return None


def unsafe_parts(path: Path) -> Rejected | None:
    """The rejection of an office file one of whose parts declares a document type, which none needs; else None.

    Entities, and with them bombs and the reading of other files, can only come in that way. Files in the strict variant of
    Open XML, whose parts have names that the readers do not know, are refused as such and not called damaged.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")) and not name.startswith(_MACROS):
                with archive.open(name) as part:
                    head = part.read(4096).replace(b"\x00", b"")
                if b"<!DOCTYPE" in head:
                    reason = "a part of the file declares XML entities, which office files never do; save it anew"
                    return Rejected(RejectionCategory.DAMAGED, reason)
                if _STRICT in head:
                    reason = "the strict variant of Open XML is not read yet; save the file as an ordinary XLSX or PPTX"
                    return Rejected(RejectionCategory.UNSUPPORTED_TYPE, reason)
    return None


def locked() -> Rejected:
    """The rejection of a file that only opens with a password."""
    return Rejected(RejectionCategory.PASSWORD_NEEDED, "the file needs a password; give it with `retry`")


def damaged(kind: str, error: Exception) -> Rejected:
    """The rejection of a file of `kind`, such as "the Excel workbook", that its reader gave up on."""
    return Rejected(RejectionCategory.DAMAGED, f"{kind} is damaged and cannot be read ({type(error).__name__})")


def metadata_title(path: Path) -> str | None:
    """The title that an office file gives itself; None when it gives none."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        member = next((name for name in ("docProps/core.xml", "meta.xml") if name in names), None)
        if member is None:
            return None
        try:
            with io.TextIOWrapper(archive.open(member), "utf-8", "replace") as file:
                match = re.search(r"<dc:title[^>]*>([^<]*)</dc:title>", file.read(100_000))
        except UNREADABLE:
            return None
    return (plain(match[1]) if match else "") or None


def _is_bomb(member: zipfile.ZipInfo, settings: ParsingSettings) -> bool:
    if member.file_size > settings.max_unpacked_bytes:
        return True
    return member.file_size > _RATIO_COUNTS_FROM and member.file_size > _MOST_RATIO * max(1, member.compress_size)
