"""Scans: tesseract as a child process, one page at a time, with words, boxes and confidence.

tesseract is an optional system part. Without it a page that is only a picture is reported as needing OCR; nothing is
passed over in silence.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from assistant.language import detect_language
from assistant.types import Box, TextOrigin
from ingest.layout import Line, PageLines, compose
from ingest.parsing import JPEG, PNG, TIFF, Parsed, ParsingSettings, Rejected, RejectionCategory

IMAGE_TYPES = frozenset({PNG, JPEG, TIFF})
NOT_INSTALLED = "tesseract is not installed; install the package tesseract-ocr with fra and ara"
SWITCHED_OFF = "the page is a picture and OCR is switched off; set ingest.ocr = true"

_TESSERACT_NAMES = {"fr": "fra", "ar": "ara", "en": "eng"}
_ONE_THREAD = ("env", "OMP_THREAD_LIMIT=1")
"""One process per page is four times faster than several threads on one (11.7 s down to 2.8 s, measured 2026-11)."""
_PAGE_TIMEOUT_S = 120
_LEAST_CONFIDENCE = 20.0
"""Of 100. Below this tesseract reads specks and lines of drawings as letters."""
_LARGER_SIZE = 1.3
_USUAL_DPI = 150.0
_MOST_PIXELS = 80_000_000


def refusal(settings: ParsingSettings) -> str | None:
    """Why a page that is only a picture cannot be read here; None when it can."""
    if not settings.ocr:
        return SWITCHED_OFF
    if not _models(tuple(settings.languages)):
        return NOT_INSTALLED
    return None


def workers() -> int:
    """How many pages are recognised at once: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_image(image: bytes, languages: Sequence[str]) -> tuple[tuple[Line, ...], float]:
    """Lines of a page image (PNG) and the mean confidence of its words, from 0 to 1; no lines when nothing is legible."""
    rows = _tesseract(image, "+".join(_models(tuple(languages))))
    page = next((row for row in rows if row["level"] == "1"), None)
    if page is None:
        return (), 0.0
    width, height = float(page["width"]), float(page["height"])
    words = [row for row in rows if _is_word(row)]
    if not words:
        return (), 0.0
    confidence = sum(float(row["conf"]) for row in words) / len(words) / 100
    return tuple(_lines(words, width, height)), round(confidence, 3)


class ImageParser:
    """Reads PNG, JPEG and TIFF by OCR; each frame of a TIFF is a page."""

    name = "tesseract"
    media_types = IMAGE_TYPES

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """Text and word boxes; Rejected when OCR is not to be had or finds nothing."""
        reason = refusal(settings)
        if reason is not None:
            return Rejected(RejectionCategory.NEEDS_OCR, reason, 1)
        pages = _frames(path, settings)
        if isinstance(pages, Rejected):
            return pages
        composition = compose(pages)
        if not composition.text.strip():
            return Rejected(RejectionCategory.NO_TEXT, "OCR found no words in the picture")
        return Parsed(
            title=composition.title,
            language=detect_language(composition.text, among=settings.languages, default=settings.languages[0]),
            date=None,
            media_type=_media_type(path),
            text=composition.text,
            pages=composition.pages,
            blocks=composition.blocks,
            parser=self.name,
        )


def _media_type(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    return PNG if start == b"\x89PNG" else JPEG if start[:2] == b"\xff\xd8" else TIFF


def _frames(path: Path, settings: ParsingSettings) -> list[PageLines] | Rejected:
    from PIL import Image, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS * 2
    pages = []
    try:
        with Image.open(path) as image:
            for number, frame in enumerate(ImageSequence.Iterator(image), start=1):
                if frame.width * frame.height > _MOST_PIXELS or number > settings.max_pages:
                    return Rejected(RejectionCategory.TOO_LARGE, "the picture has too many pixels or pages", number)
                buffer = io.BytesIO()
                frame.convert("L").save(buffer, "PNG", compress_level=1)
                lines, confidence = read_image(buffer.getvalue(), settings.languages)
                dpi = _dpi(frame.info.get("dpi"))
                origin = TextOrigin.OCR if lines else TextOrigin.NONE
                pages.append(
                    PageLines(number, frame.width * 72 / dpi, frame.height * 72 / dpi, lines, origin, confidence)
                )
    except Image.DecompressionBombError:
        return Rejected(RejectionCategory.TOO_LARGE, "the picture has too many pixels")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        return Rejected(RejectionCategory.DAMAGED, f"the picture cannot be opened ({type(error).__name__})")
    return pages


def _dpi(given: object) -> float:
    value = given[0] if isinstance(given, tuple) and given else None
    return float(value) if isinstance(value, (int, float)) and 50 <= float(value) <= 1200 else _USUAL_DPI


# --- tesseract ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _models(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the installed tesseract models for `languages`, in that order; empty without tesseract."""
    if shutil.which("tesseract") is None:
        return ()
    listed = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=False, timeout=30
    ).stdout
    installed = set(listed.split())
    return tuple(_TESSERACT_NAMES[name] for name in languages if _TESSERACT_NAMES.get(name) in installed)


def _tesseract(image: bytes, models: str) -> list[dict[str, str]]:
    """Tesseract's table; empty when it fails on this image, which then counts as a page without legible words."""
    try:
        run = subprocess.run(
            [*_ONE_THREAD, "tesseract", "stdin", "stdout", "-l", models, "--psm", "3", "tsv"],
            input=image,
            capture_output=True,
            check=False,
            timeout=_PAGE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return []
    table = run.stdout.decode("utf-8", "replace")
    return list(csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE))


def _is_word(row: dict[str, str]) -> bool:
    return row["level"] == "5" and bool((row["text"] or "").strip()) and float(row["conf"]) >= _LEAST_CONFIDENCE


def _lines(words: Sequence[dict[str, str]], width: float, height: float) -> Iterator[Line]:
    usual = _median_height(words) / height
    for _, group in groupby(words, key=lambda row: (row["block_num"], row["par_num"])):
        paragraph = list(group)
        size = _median_height(paragraph) / height
        # What letters a line happens to have changes its height by a quarter; only more than that is another size.
        size = size if size > usual * _LARGER_SIZE else usual
        first = True
        for _, line in groupby(paragraph, key=lambda row: row["line_num"]):
            yield _line(list(line), width, height, size=size, new_paragraph=first)
            first = False


def _line(words: Sequence[dict[str, str]], width: float, height: float, *, size: float, new_paragraph: bool) -> Line:
    text, placed = "", []
    for row in words:
        text += " " if text else ""
        start = len(text)
        text += row["text"].strip()
        placed.append((start, len(text), _box(row, width, height)))
    boxes = [box for _, _, box in placed]
    top, bottom = min(box.top for box in boxes), max(box.bottom for box in boxes)
    whole = Box(min(box.left for box in boxes), top, max(box.right for box in boxes), bottom)
    even = tuple((start, end, Box(box.left, top, box.right, bottom)) for start, end, box in placed)
    return Line(text, even, whole, bottom, size, new_paragraph=new_paragraph)


def _median_height(words: Sequence[dict[str, str]]) -> float:
    return statistics.median(float(row["height"]) for row in words)


def _box(row: dict[str, str], width: float, height: float) -> Box:
    left, top = float(row["left"]), float(row["top"])
    right, bottom = left + max(1.0, float(row["width"])), top + max(1.0, float(row["height"]))
    return Box(
        round(max(0.0, left / width), 5),
        round(max(0.0, top / height), 5),
        round(min(1.0, right / width), 5),
        round(min(1.0, bottom / height), 5),
    )
