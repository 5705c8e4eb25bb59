"""Scans inside office files and e-books: pictures of pages become documents of their own, read by OCR like any other.

A decision that somebody scanned and pasted into a letter is on the page, so it must be found. A picture counts as a page when it
is as large as one and has words; logos, photographs and ornaments do not. In a file that has no text at all each large picture
counts.
"""

from __future__ import annotations

import io
import posixpath
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from assistant.rendering import PICTURE_FORMATS, as_shown
from ingest import ocr
from ingest.markup import safe_parser
from ingest.packages import UNREADABLE
from ingest.parsing import (
    DOCX,
    EPUB,
    ODG,
    ODP,
    ODS,
    ODT,
    PICTURES_ONLY,
    PPTX,
    RTF,
    XLSX,
    Attachment,
    Parsed,
    ParsingSettings,
    Rejected,
    RejectionCategory,
)
from ingest.tesseract import OcrFailed
from ingest.transfer import carried

if TYPE_CHECKING:
    from PIL import Image

_PARTS = {
    DOCX: re.compile(r"word/(?:document|footnotes|endnotes)\.xml"),
    PPTX: re.compile(r"ppt/slides/slide\d+\.xml"),
    XLSX: re.compile(r"xl/drawings/drawing\d+\.xml"),
}
"""Where Office says which pictures are shown."""
_SHOWN = re.compile(rb"""(?:\br:embed|<v:imagedata\b[^>]*?\br:id)\s*=\s*["']([^"']+)["']""")
_OPEN_DOCUMENTS = (ODT, ODP, ODS, ODG)
_LINK = re.compile(rb"""<draw:image\b[^>]*?\bxlink:href\s*=\s*["'](?:\./)?([^"']+)["']""")
_PICTURE = re.compile(r"\.(?:png|jpe?g|jp2|tiff?|bmp|gif|webp)$", re.IGNORECASE)
_LEAST_PIXELS, _LEAST_SIDE, _MOST_PIXELS = 500_000, 400, 80_000_000
"""An A4 page at 72 dpi has 500,000; larger than the last no page is."""
_LOOK_AT = 1400
"""Pixels of the longer side of the copy in which words are looked for."""
_LEAST_WORDS, _LEAST_CONFIDENCE = 12, 0.5
_RTF_PICTURE = re.compile(
    rb"\\(?P<form>png|jpeg)blip(?:\\[a-z]+-?\d*|\s|\{[^{}]{0,200}\}){0,60}?(?P<digits>[0-9a-fA-F][0-9a-fA-F\s]{4000,})"
)
"""Pictures that RTF has as digits; the same one may follow in an older form."""
_MOST = 2000
"""Pictures of one file."""
_LOOK_FOR_S = 60.0
"""Processor time of this process and clock time are alike here, since each look waits for tesseract."""


def with_scans(result: Parsed | Rejected, path: Path, media_type: str, settings: ParsingSettings) -> Parsed | Rejected:
    """What was read of the file at `path`, and the scans in it as its attachments; a file of nothing else only carries them."""
    if isinstance(result, Rejected) and result.category != RejectionCategory.NO_TEXT:
        return result
    scans = _scans(path, media_type, settings, has_text=isinstance(result, Parsed))
    if not scans:
        return result
    if isinstance(result, Parsed):
        return replace(result, attachments=(*result.attachments, *scans))
    return Parsed(
        title=None, language="", date=None, media_type=media_type, text="", pages=(), blocks=(), parser=PICTURES_ONLY,
        attachments=scans, container=True,
    )  # fmt: skip


def _scans(path: Path, media_type: str, settings: ParsingSettings, *, has_text: bool) -> tuple[Attachment, ...]:
    """The pictures of pages that the file shows, each once, in its order; nothing from a damaged one."""
    pictures = _pictures_in_rtf(path) if media_type == RTF else _pictures_in_package(path, media_type, settings)
    try:
        called = PurePosixPath(settings.handed_in_as or path.name).stem
        return tuple(_carried(pictures, called, settings, has_text=has_text))
    except UNREADABLE:
        return ()


def _carried(
    pictures: Iterator[tuple[str, bytes]], called: str, settings: ParsingSettings, *, has_text: bool
) -> Iterator[Attachment]:
    until = time.monotonic() + _LOOK_FOR_S
    seen: set[bytes] = set()
    number = 0
    for name, content in islice(pictures, _MOST):
        digest = sha256(content).digest()
        picture = _page_sized(content) if digest not in seen else None
        seen.add(digest)
        if picture is not None and (not has_text or time.monotonic() > until or _has_words(picture, settings)):
            number += 1
            yield carried(f"{called} ({number}){PurePosixPath(name).suffix}", content)


def _page_sized(content: bytes) -> Image.Image | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as image:
            width, height = image.size
            if min(width, height) < _LEAST_SIDE or not _LEAST_PIXELS <= width * height <= _MOST_PIXELS:
                return None
            image.draft("L", (_LOOK_AT, _LOOK_AT))
            picture = as_shown(image).convert("L")
            picture.thumbnail((_LOOK_AT, _LOOK_AT))
            return picture
    except (*UNREADABLE, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _has_words(picture: Image.Image, settings: ParsingSettings) -> bool:
    """True when a hasty look finds words, or when nobody can look: then the page waits for OCR and says so."""
    if ocr.refusal(settings) is not None:
        return True
    try:
        reading = ocr.read_page(picture, settings.languages)
    except OcrFailed:
        return True
    words = sum(len(line.text.split()) for line in reading.lines)
    return words >= _LEAST_WORDS and reading.confidence >= _LEAST_CONFIDENCE


# --- which pictures are shown ------------------------------------------------------------------------------------


def _pictures_in_rtf(path: Path) -> Iterator[tuple[str, bytes]]:
    for number, match in enumerate(_RTF_PICTURE.finditer(path.read_bytes()), start=1):
        digits = match["digits"].translate(None, b"\r\n\t ")
        yield f"picture{number}.{match['form'].decode()}", bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _pictures_in_package(path: Path, media_type: str, settings: ParsingSettings) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as package:
        for name in _shown(package, media_type):
            if package.getinfo(name).file_size <= settings.max_unpacked_bytes:
                yield PurePosixPath(name).name, package.read(name)


def _shown(package: zipfile.ZipFile, media_type: str) -> list[str]:
    names = set(package.namelist())
    if media_type in _PARTS:
        parts = sorted((name for name in names if _PARTS[media_type].fullmatch(name)), key=_in_order)
        found = [name for part in parts for name in _of_part(package, part, names)]
    elif media_type in _OPEN_DOCUMENTS:
        content = package.read("content.xml") if "content.xml" in names else b""
        found = [link.decode("utf-8", "replace") for link in _LINK.findall(content)]
    else:
        found = sorted(names, key=_in_order) if media_type == EPUB else []
    return [name for name in dict.fromkeys(found) if name in names and _PICTURE.search(name)]


def _of_part(package: zipfile.ZipFile, part: str, names: set[str]) -> Iterator[str]:
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in names:
        return
    from lxml import etree

    root = etree.fromstring(package.read(relations), safe_parser())
    targets = {one.get("Id"): one.get("Target", "") for one in root if one.get("TargetMode") != "External"}
    for match in _SHOWN.finditer(package.read(part)):
        target = targets.get(match[1].decode("utf-8", "replace"), "")
        yield target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _in_order(name: str) -> list[tuple[bool, int, str]]:
    """Sorts "slide10.xml" behind "slide9.xml"."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]
