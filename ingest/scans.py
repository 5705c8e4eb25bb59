"""Which pages need OCR, and their reading: several pages at once, one tesseract each.

Nothing here knows what kind of file the pages come from: a source says what its text layer holds and draws its pages.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol

from assistant.types import TextOrigin
from ingest import ocr
from ingest.layout import PageLines
from ingest.parsing import ParsingSettings

if TYPE_CHECKING:
    from PIL import Image


class DamagedPage(Exception):
    """A page that its source cannot read or draw; the message is for the archivist."""


class PageSource(Protocol):
    """A file as a sequence of pages, counted from 0. Used from one thread only."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[PageLines, bool]:
        """The page's text layer, and whether the page must be read by OCR instead. Raises DamagedPage."""
        ...

    def picture(self, index: int) -> Image.Image:
        """The page as it is shown, in grey. Raises DamagedPage."""
        ...


def read_pages(source: PageSource, settings: ParsingSettings) -> tuple[list[PageLines], list[str]]:
    """All pages, scans included, and warnings. Drawing is serial; tesseract runs on several pages at once."""
    refusal = ocr.refusal(settings)
    pages: list[PageLines | Future[PageLines]] = []
    warnings: list[str] = []
    with ThreadPoolExecutor(ocr.workers()) as pool:
        for index in range(len(source)):
            try:
                page, needs_ocr = source.read(index)
                image = _png(source.picture(index)) if needs_ocr and refusal is None else None
            except DamagedPage as error:
                warnings.append(f"page {index + 1}: {error}")
                pages.append(PageLines(index + 1, 595.0, 842.0, (), TextOrigin.NONE, 0.0))
                continue
            if image is not None:
                pages.append(pool.submit(partial(_recognised, page, image, settings.languages)))
            else:
                pages.append(page)
            if needs_ocr and refusal is not None:
                warnings.append(f"page {index + 1}: {refusal}")
        finished = [page.result() if isinstance(page, Future) else page for page in pages]
    warnings += [
        f"page {page.number}: OCR found no words"
        for page, planned in zip(finished, pages, strict=True)
        if isinstance(planned, Future) and not page.lines
    ]
    return finished, warnings


def _recognised(page: PageLines, image: bytes, languages: Sequence[str]) -> PageLines:
    lines, confidence = ocr.read_image(image, languages)
    origin = TextOrigin.OCR if lines else TextOrigin.NONE
    return PageLines(page.number, page.width, page.height, lines, origin, confidence)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
