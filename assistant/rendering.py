"""Page images and the places of words, from a process of its own, so that a hostile file can crash nothing but its own picture.

The process is kept between calls: starting it takes longer than what it is asked for.
"""

from __future__ import annotations

import io
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from assistant.errors import ServiceUnavailable
from assistant.placing import place_words
from assistant.types import Box, Page, Word

if TYPE_CHECKING:
    from PIL import Image

PICTURE_FORMATS = ("PNG", "JPEG", "JPEG2000", "TIFF", "BMP", "GIF", "WEBP")
"""What Pillow may take a file for: its readers of other formats are never run on a file that somebody handed in."""
_HIGHLIGHT_RGB = (255, 213, 79)
_TIMEOUT_S = 30.0
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class PageRenderer:
    """Draws pages of PDF and image files. One at a time: pdfium is not safe to use from several threads."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def png(self, file: Path, media_type: str, page_number: int, *, width: int, boxes: Sequence[Box] = ()) -> bytes:
        """PNG of a page, `width` pixels wide, `boxes` marked.

        Raises ServiceUnavailable when the drawing process died or took too long; the next call starts a new one.
        """
        return self._done(page_number, _draw, file, media_type, page_number, width, tuple(boxes))

    def words(self, file: Path, page: Page, text: str) -> tuple[Word, ...]:
        """The words of a PDF page that has runs; `text` is the page's own. Raises ServiceUnavailable like `png`."""
        return self._done(page.number, place_words, file, page.number, text, page.span.start, page.runs)

    def _done(
        self,
        page_number: int,
        work: Callable[_Arguments, _Result],
        /,
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Result:
        pool = self._running()
        try:
            task: Future[_Result] = pool.submit(work, *arguments, **named)
            return task.result(_TIMEOUT_S)
        except (BrokenProcessPool, FutureTimeoutError, OSError, ValueError, RuntimeError) as error:
            self.close()
            raise ServiceUnavailable(f"page {page_number} could not be drawn ({type(error).__name__})") from error

    def start(self) -> None:
        """Start the process, if it does not run yet, and let it import what it needs; does not wait for it."""
        self._running().submit(_import_libraries)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            return self._pool

    def close(self) -> None:
        """End the drawing process; safe to repeat."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _import_libraries() -> None:
    import_module("assistant.pdfium")


def _draw(file: Path, media_type: str, page_number: int, width: int, boxes: tuple[Box, ...]) -> bytes:
    image = _pdf_page(file, page_number, width) if media_type == "application/pdf" else _frame(file, page_number, width)
    if boxes:
        image = _with_highlights(image, boxes)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def _pdf_page(file: Path, page_number: int, width: int) -> Image.Image:
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    try:
        page = document[page_number - 1]
        bitmap = page.render(scale=width / page.get_width())
        image: Image.Image = bitmap.to_pil().convert("RGB")
        return image
    finally:
        document.close()


def _frame(file: Path, page_number: int, width: int) -> Image.Image:
    from PIL import Image

    with Image.open(file, formats=PICTURE_FORMATS) as image:
        image.seek(page_number - 1)
        frame = as_shown(image).convert("RGB")
    return frame.resize((width, max(1, round(frame.height * width / frame.width))))


def as_shown(image: Image.Image) -> Image.Image:
    """The picture as a reader sees it, grey or RGB: turned as its camera says, on white paper where it is transparent.

    OCR reads this very picture, so that its boxes lie on the words that are shown.
    """
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        brightest = float(upright.getextrema()[1])  # type: ignore[arg-type] # one band
        factor = 255 / max(brightest, 255.0)
        return upright.convert("F").point(lambda value: value * factor).convert("L")
    if upright.has_transparency_data:
        paper = Image.new("RGBA", upright.size, "white")
        paper.alpha_composite(upright.convert("RGBA"))
        return paper.convert("RGB")
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB")


def _with_highlights(image: Image.Image, boxes: tuple[Box, ...]) -> Image.Image:
    from PIL import Image, ImageChops, ImageDraw

    marks = Image.new("RGB", image.size, (255, 255, 255))
    draw = ImageDraw.Draw(marks)
    for box in boxes:
        corners = (box.left * image.width, box.top * image.height, box.right * image.width, box.bottom * image.height)
        draw.rectangle(corners, fill=_HIGHLIGHT_RGB)
    return ImageChops.multiply(image, marks)
