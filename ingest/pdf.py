"""PDF: the text layer (`ingest.textlayer`), without what is hidden (`ingest.hidden`); pages without one go to OCR.

Text is put together from pdfium's characters, and which letter is which character is kept (`Page.runs`): a word's span and its
place on the page, computed when somebody looks (`assistant.placing`), cannot disagree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from assistant.language import detect_language
from assistant.pdfium import open_page
from assistant.types import TextOrigin
from ingest import passwords
from ingest.arabic import Order
from ingest.hidden import Hidden, hidden_text
from ingest.hyphens import with_compounds
from ingest.ink import with_colour_where_inked
from ingest.layout import Line, PageLines, compose
from ingest.parsing import PDF, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.scans import DamagedPage, read_pages
from ingest.textlayer import TextLayer, read_layer

_ENOUGH_CHARACTERS = 25
"""A page with fewer letters than this and a picture on it is taken for a scan."""
_PICTURE_SHARE = 0.25
_ENOUGH_FOR_LANGUAGE = 1000
"""Characters: half a page. On the demo's and the shared documents 300 decide as 4,000 do (2026-11-23)."""
_UNREADABLE_SHARE = 0.3
_UNUSUAL = re.compile("[^\x20-\u052f\u0600-\u06ff\u1e00-\u1fff\u2010-\u22ff]")
"""What may be no letter that a person can read; which of these is one, its category says."""
_RENDER_DPI = 300
_LARGEST_SIDE = 5000
"""Pixels; a poster is rendered coarser instead."""
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
            document = pdfium.PdfDocument(path, password=settings.password)
        except pdfium.PdfiumError as error:
            return _cannot_open(error, settings)
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


def _cannot_open(error: pdfium.PdfiumError, settings: ParsingSettings) -> Rejected:
    if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return passwords.refused(settings)
    return Rejected(RejectionCategory.DAMAGED, "the file is not a PDF that can be opened; it is damaged or cut off")


def _parsed(document: pdfium.PdfDocument, settings: ParsingSettings) -> Parsed | Rejected:
    pages, warnings = read_pages(_PdfPages(document), settings)
    composition = compose(pages)
    if not composition.text.strip():
        return _without_text(pages, warnings)
    metadata = document.get_metadata_dict(skip_empty=True)
    return Parsed(
        title=_title(metadata.get("Title", "")) or composition.title,
        language=detect_language(
            composition.text[:_ENOUGH_FOR_LANGUAGE], among=settings.languages, default=settings.languages[0]
        ),
        date=None,  # a PDF's creation date is the day it was exported, not the document's own
        media_type=PDF,
        text=with_compounds(composition.text),
        pages=composition.pages,
        blocks=composition.blocks,
        parser=_parser_name(pages),
        warnings=(*warnings, *(f"page {page.number}: {note}" for page in pages for note in page.notes)),
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
        """See `scans.PageSource.picture`; at 300 dpi, a poster is rendered coarser instead."""
        page = self._document[index]
        try:
            scale = min(_RENDER_DPI / 72, _LARGEST_SIDE / max(*page.get_size(), 1.0))
            return with_colour_where_inked(page.render(scale=scale).to_pil())
        except pdfium.PdfiumError as error:
            raise DamagedPage("the page is damaged and could not be drawn") from error
        finally:
            page.close()


def _read_page(document: pdfium.PdfDocument, index: int) -> tuple[PageLines, bool]:
    """The page's text layer, and whether the page must be read by OCR instead."""
    with open_page(document, index) as page:
        hidden = hidden_text(page)
        layer = read_layer(page, hidden=hidden.objects)
        width, height = page.width, page.height
    needs_ocr = _needs_ocr(layer, hidden)
    kept: tuple[Line, ...] = () if needs_ocr else layer.lines
    origin = TextOrigin.TEXT_LAYER if kept else TextOrigin.NONE
    notes = () if needs_ocr else _notes(layer)
    return PageLines(index + 1, width, height, kept, origin, 1.0 if kept else 0.0, notes), needs_ocr


def _notes(layer: TextLayer) -> tuple[str, ...]:
    turned = ("its Arabic was stored back to front and has been put right; please check it",)
    return (turned if layer.order is Order.MENDED else ()) + tuple(
        f"{number} {what} left out"
        for number, what in (
            (layer.hidden, "characters of hidden text were"),
            (layer.invisible, "invisible characters (zero-width, bidi controls or tags) were"),
        )
        if number
    )


def _needs_ocr(layer: TextLayer, hidden: Hidden) -> bool:
    """True for a page that is a picture, and for one whose letters cannot be told.

    A text layer under a picture is somebody else's OCR and may say anything: such a page is read by our own.
    """
    if layer.order is Order.UNCLEAR:
        return True
    texts = [line.text for line in layer.lines]
    visible = sum(map(len, texts)) - sum(text.count(" ") for text in texts)
    unusual = [c for text in texts if not text.isascii() for c in _UNUSUAL.findall(text)]
    if visible and len(unusual) > _UNREADABLE_SHARE * visible:
        unreadable = sum(c == "\ufffd" or unicodedata.category(c) in ("Co", "Cn", "Cc") for c in unusual)
        if unreadable > _UNREADABLE_SHARE * visible:
            return True
    pictured = hidden.picture_share > _PICTURE_SHARE
    return pictured and (visible < _ENOUGH_CHARACTERS or layer.hidden >= _ENOUGH_CHARACTERS)
