"""PDF: the text layer with a box for every word; pages without one go to OCR.

Beside `assistant.rendering`, only this module imports pypdfium2. Text is put together from pdfium's characters, each with its own
box, so that a word's span and its place on the page cannot disagree. Boxes go through pdfium's own page-to-device
mapping, the one rendering uses: rotation and crop box are taken into account by construction.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from assistant.language import detect_language
from assistant.types import TextOrigin
from ingest.glyphs import Character, CharacterStyle, lines_of
from ingest.layout import Line, PageLines, compose
from ingest.parsing import PDF, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.scans import DamagedPage, read_pages

_ENOUGH_CHARACTERS = 25
"""A page with fewer letters than this and a picture on it is taken for a scan."""
_PICTURE_SHARE = 0.25
_UNREADABLE_SHARE = 0.3
_RENDER_DPI = 300
_LARGEST_SIDE = 5000
"""Pixels; a poster is rendered coarser instead."""
_DEVICE = 1_000_000
_NO_TITLE = re.compile(
    r"untitled|sans titre|document\d*|microsoft word|.*\.(docx?|odt|png|jpe?g|pdf|indd|tiff?|xlsx?|qxd|rtf)", re.I
)


class PdfParser:
    """Reads PDF files."""

    name = "pdfium"
    media_types = frozenset({PDF})

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """Text, pages with word boxes, and structure; Rejected when the file cannot be opened or holds no text."""
        try:
            document = pdfium.PdfDocument(path)
        except pdfium.PdfiumError as error:
            return _cannot_open(error)
        try:
            if len(document) == 0:
                return Rejected(RejectionCategory.DAMAGED, "the PDF has no pages")
            if len(document) > settings.max_pages:
                return Rejected(
                    RejectionCategory.TOO_LARGE, f"{len(document)} pages; the limit is {settings.max_pages}"
                )
            return _parsed(document, settings)
        finally:
            document.close()


def _cannot_open(error: pdfium.PdfiumError) -> Rejected:
    if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return Rejected(RejectionCategory.PASSWORD_NEEDED, "the PDF needs a password; hand in a copy without one")
    return Rejected(RejectionCategory.DAMAGED, "the file is not a PDF that can be opened; it is damaged or cut off")


def _parsed(document: pdfium.PdfDocument, settings: ParsingSettings) -> Parsed | Rejected:
    pages, warnings = read_pages(_PdfPages(document), settings)
    composition = compose(pages)
    if not composition.text.strip():
        return _without_text(pages, warnings)
    metadata = document.get_metadata_dict(skip_empty=True)
    return Parsed(
        title=_title(metadata.get("Title", "")) or composition.title,
        language=detect_language(composition.text, among=settings.languages, default=settings.languages[0]),
        date=None,  # a PDF's creation date is the day it was exported, not the document's own
        media_type=PDF,
        text=composition.text,
        pages=composition.pages,
        blocks=composition.blocks,
        parser=_parser_name(pages),
        warnings=tuple(warnings),
    )


def _without_text(pages: Sequence[PageLines], warnings: Sequence[str]) -> Rejected:
    if warnings:
        return Rejected(RejectionCategory.NEEDS_OCR, warnings[0].partition(": ")[2], pages[0].number)
    return Rejected(RejectionCategory.NO_TEXT, "no text was found on any page")


def _parser_name(pages: Sequence[PageLines]) -> str:
    return "pdfium+tesseract" if any(page.origin is TextOrigin.OCR for page in pages) else "pdfium"


def _title(metadata_title: str) -> str | None:
    title = " ".join(metadata_title.replace("\x00", "").split())
    return title if len(title) > 3 and not _NO_TITLE.fullmatch(title) and title.isprintable() else None


# --- pages -------------------------------------------------------------------------------------------------------


class _PdfPages:
    """The pages of an open PDF, as `ingest.scans` asks for them."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        self._document = document

    def __len__(self) -> int:
        return len(self._document)

    def read(self, index: int) -> tuple[PageLines, bool]:
        """See `scans.PageSource.read`."""
        try:
            return _read_page(self._document, index)
        except pdfium.PdfiumError as error:
            raise DamagedPage("the page is damaged and could not be read") from error

    def picture(self, index: int) -> Image.Image:
        """The page as it is shown, in grey, at 300 dpi; a poster is rendered coarser instead."""
        page = self._document[index]
        try:
            scale = min(_RENDER_DPI / 72, _LARGEST_SIDE / max(*page.get_size(), 1.0))
            image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
            return image
        except pdfium.PdfiumError as error:
            raise DamagedPage("the page is damaged and could not be drawn") from error
        finally:
            page.close()


def _read_page(document: pdfium.PdfDocument, index: int) -> tuple[PageLines, bool]:
    """The page's text layer, and whether the page must be read by OCR instead."""
    page = document[index]
    try:
        width, height = page.get_size()
        text_page = page.get_textpage()
        try:
            affine = _mapping(page, width, height)
            characters = list(_characters(text_page, affine))
            style = _Style(text_page, affine)
            lines = lines_of(characters, width=width, height=height, style=style.of)
        finally:
            text_page.close()
        needs_ocr = _needs_ocr(page, characters, width * height)
        kept: tuple[Line, ...] = () if needs_ocr else lines
        origin = TextOrigin.TEXT_LAYER if kept else TextOrigin.NONE
        return PageLines(index + 1, width, height, kept, origin, 1.0 if kept else 0.0), needs_ocr
    finally:
        page.close()


def _needs_ocr(page: pdfium.PdfPage, characters: Sequence[Character], area: float) -> bool:
    visible = [c.text for c in characters if not c.text.isspace()]
    unreadable = sum(text == "\ufffd" or unicodedata.category(text[0]) in ("Co", "Cn", "Cc") for text in visible)
    if visible and unreadable > _UNREADABLE_SHARE * len(visible):
        return True
    if len(visible) >= _ENOUGH_CHARACTERS:
        return False
    covered = 0.0
    for picture in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_IMAGE,), max_depth=3):
        left, bottom, right, top = picture.get_bounds()
        covered += max(0.0, right - left) * max(0.0, top - bottom)
    return covered > _PICTURE_SHARE * area


# --- characters --------------------------------------------------------------------------------------------------


_Affine = tuple[float, float, float, float, float, float]


def _mapping(page: pdfium.PdfPage, width: float, height: float) -> _Affine:
    """(a, b, c, d, e, f): page coordinates x, y are shown at a·x + b·y + c from the left and d·x + e·y + f from the top."""
    far = 1000.0

    def shown(x: float, y: float) -> tuple[float, float]:
        left, top = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(page, 0, 0, _DEVICE, _DEVICE, 0, x, y, left, top)
        return left.value * width / _DEVICE, top.value * height / _DEVICE

    (c, f), (right, right_y), (up_x, up) = shown(0, 0), shown(far, 0), shown(0, far)
    return (right - c) / far, (up_x - c) / far, c, (right_y - f) / far, (up - f) / far, f


def _characters(text_page: pdfium.PdfTextPage, affine: _Affine) -> Iterator[Character]:
    """The page's characters in pdfium's order; boxes in points from the top left corner of the page as shown."""
    a, b, c, d, e, f = affine
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    unicode_of, box_of, raw = pdfium_c.FPDFText_GetUnicode, pdfium_c.FPDFText_GetCharBox, text_page.raw
    refs = ctypes.byref(left), ctypes.byref(right), ctypes.byref(bottom), ctypes.byref(top)
    high = 0
    for index in range(pdfium_c.FPDFText_CountChars(raw)):
        code = unicode_of(raw, index)
        if 0xD800 <= code < 0xE000:
            if code < 0xDC00:
                high = code
                continue
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        text = _readable(code)
        if not text:
            continue
        if text == "\n" or not box_of(raw, index, *refs):
            yield Character(text, index)
            continue
        x1, x2, y1, y2 = left.value, right.value, bottom.value, top.value
        u1, u2 = a * x1 + b * y1 + c, a * x2 + b * y2 + c
        v1, v2 = d * x1 + e * y1 + f, d * x2 + e * y2 + f
        if u1 > u2:
            u1, u2 = u2, u1
        if v1 > v2:
            v1, v2 = v2, v1
        yield Character(text, index, u1, v1, u2, v2, u2 > u1 and not text.isspace())


@lru_cache(maxsize=4096)
def _readable(code: int) -> str:
    """The character as text: presentation forms and ligatures as letters, end-of-line hyphens as hyphens."""
    if code in (0x02, 0xFFFE, 0xAD):
        return "-"
    if code in (9, 10):
        return " " if code == 9 else "\n"
    if code < 32 or 0x7F <= code < 0xA0 or code in (0xFEFF, 0xFFFF, 0x200B) or code > 0x10FFFF:
        return ""
    text = chr(code)
    if 0xFB00 <= code <= 0xFB06 or 0xFB50 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFE:
        return unicodedata.normalize("NFKC", text).strip() or text
    return text


class _Style:
    """Size, weight and baseline of characters; asked for a few of each line only, since each question costs."""

    def __init__(self, text_page: pdfium.PdfTextPage, affine: _Affine) -> None:
        self._raw = text_page.raw
        self._affine = affine
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._matrix = pdfium_c.FS_MATRIX()

    def of(self, indexes: Sequence[int]) -> CharacterStyle:
        """How a line is set: size and baseline of its first character; bold when all that are asked for are."""
        first = indexes[0]
        return CharacterStyle(self._size(first), all(self._bold(index) for index in indexes), self._baseline(first))

    def _size(self, index: int) -> float:
        size = float(pdfium_c.FPDFText_GetFontSize(self._raw, index))
        if pdfium_c.FPDFText_GetMatrix(self._raw, index, self._matrix):
            size *= float((self._matrix.c**2 + self._matrix.d**2) ** 0.5)
        return size if 1.0 <= size <= 400.0 else 10.0

    def _baseline(self, index: int) -> float | None:
        x, y = ctypes.c_double(), ctypes.c_double()
        if not pdfium_c.FPDFText_GetCharOrigin(self._raw, index, x, y):
            return None
        return self._affine[3] * x.value + self._affine[4] * y.value + self._affine[5]

    def _bold(self, index: int) -> bool:
        if pdfium_c.FPDFText_GetFontWeight(self._raw, index) >= 600:
            return True
        pdfium_c.FPDFText_GetFontInfo(self._raw, index, self._name, 128, self._flags)
        name = self._name.value.lower()
        return b"bold" in name or b"black" in name or b"heavy" in name
