"""Page images, drawn in a process of their own, so that a hostile file can crash nothing but its own picture.

Only this module and `ingest.pdf` import pypdfium2.
"""

from __future__ import annotations

import io
import multiprocessing
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ServiceUnavailable
from assistant.types import Box

if TYPE_CHECKING:
    from PIL import Image

_HIGHLIGHT_RGB = (255, 213, 79)
_TIMEOUT_S = 30.0


class PageRenderer:
    """Draws pages of PDF and image files. One at a time: pdfium is not safe to use from several threads."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def png(self, file: Path, media_type: str, page_number: int, *, width: int, boxes: Sequence[Box] = ()) -> bytes:
        """PNG of a page, `width` pixels wide, `boxes` marked.

        Raises ServiceUnavailable when the drawing process died or took too long; the next call starts a new one.
        """
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            pool = self._pool
        try:
            task: Future[bytes] = pool.submit(_draw, file, media_type, page_number, width, tuple(boxes))
            return task.result(_TIMEOUT_S)
        except (BrokenProcessPool, FutureTimeoutError, OSError, ValueError) as error:
            self.close()
            raise ServiceUnavailable(f"page {page_number} could not be drawn ({type(error).__name__})") from error

    def close(self) -> None:
        """End the drawing process; safe to repeat."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


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

    with Image.open(file) as image:
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
