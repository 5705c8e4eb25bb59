"""Which pages need OCR, and their reading: several pages at once, one tesseract each, each kept as soon as it is read.

Nothing here knows what kind of file the pages come from: a source says what its text layer holds and draws its pages.

    page folder ── page-000017.json   a page that OCR has read: a line with the checksum of the next, and the page
                └─ progress.json      {"pages": 17, "of": 500}

A page folder outlives the process that reads the document. Whoever reads the same version again with the same folder finds the
pages there and reads only the rest. A page that is damaged, or was read with other settings, is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assistant.types import Box, TextOrigin
from ingest import ocr
from ingest.layout import Line, PageLines
from ingest.parsing import ParsingSettings
from ingest.tesseract import OcrFailed

if TYPE_CHECKING:
    from PIL import Image

_ALONE = 3
"""At most so many pages are read one by one until one of them shows how the others are tried first."""
_PROGRESS = "progress.json"
_PROGRESS_EVERY_S = 0.5
_MOST_PROGRESS_BYTES = 200


class DamagedPage(Exception):
    """A page that its source cannot read or draw; the message is for the archivist."""


class PageSource(Protocol):
    """A file as a sequence of pages, counted from 0. Used from one thread only."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[PageLines, bool]:
        """The page's text layer, and whether the page must be read by OCR instead. Raises DamagedPage."""
        ...

    def picture(self, index: int) -> Image.Image:
        """The page as it is shown, in grey, or in RGB where it has coloured ink. Raises DamagedPage."""
        ...


def read_pages(source: PageSource, settings: ParsingSettings) -> tuple[list[PageLines], list[str]]:
    """All pages, scans included, and warnings, both in order."""
    with ThreadPoolExecutor(ocr.workers()) as pool:
        try:
            return _Run(source, settings, pool).finished()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def progress_in(folder: Path) -> tuple[int, int] | None:
    """(pages read so far, pages there are) of the document whose page folder this is; None before the first.

    What is there was written beside a file that may be hostile: only a small regular file with two numbers counts.
    """
    try:
        handle = os.open(folder / _PROGRESS, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            table = json.loads(file.read(_MOST_PROGRESS_BYTES))
        pages, of = int(table["pages"]), int(table["of"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return (pages, of) if 0 <= pages <= of else None


class _Run:
    """One document's pages on their way. Pages are drawn just ahead of the workers, so that memory stays flat."""

    def __init__(self, source: PageSource, settings: ParsingSettings, pool: ThreadPoolExecutor) -> None:
        self._source = source
        self._languages = settings.languages
        self._refusal = ocr.refusal(settings)
        self._pool = pool
        self._ahead = ocr.workers() + 1
        self._kept = KeptPages(settings.page_folder, settings.languages)
        self._pages: dict[int, PageLines] = {}
        self._warnings: dict[int, str] = {}
        self._pending: dict[Future[ocr.Reading], PageLines] = {}
        self._hint: ocr.Hint | None = None
        self._first_pages = 0

    def finished(self) -> tuple[list[PageLines], list[str]]:
        count = len(self._source)
        for index in range(count):
            self._plan(index)
            self._collect(down_to=self._ahead if self._first_pages >= _ALONE else 0)
            self._kept.report(len(self._pages), count)
        while self._pending:
            self._collect(down_to=len(self._pending) - 1)
            self._kept.report(len(self._pages), count)
        self._kept.report(count, count, last=True)
        warnings = [f"page {number}: {self._warnings[number]}" for number in sorted(self._warnings)]
        return [self._pages[number] for number in sorted(self._pages)], warnings

    def _plan(self, index: int) -> None:
        """Take a page from the text layer or from what is kept, or give it to OCR."""
        number = index + 1
        try:
            page, needs_ocr = self._source.read(index)
            if not needs_ocr:
                self._pages[number] = page
            elif self._refusal is not None:
                self._pages[number] = page
                self._warnings[number] = self._refusal
            elif (kept := self._kept.page(number)) is not None:
                self._take(*kept)
            else:
                picture = self._source.picture(index)
                self._pending[self._pool.submit(ocr.read_page, picture, self._languages, self._hint)] = page
        except DamagedPage as error:
            self._pages[number] = PageLines(number, 595.0, 842.0, (), TextOrigin.NONE, 0.0)
            self._warnings[number] = str(error)

    def _collect(self, *, down_to: int) -> None:
        """Wait until at most so many pages are still being read."""
        while len(self._pending) > max(0, down_to):
            done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
            for future in done:
                page = self._pending.pop(future)
                try:
                    reading = future.result()
                except OcrFailed as error:
                    self._pages[page.number] = page
                    self._warnings[page.number] = str(error)
                    self._first_pages += 1
                    continue
                origin = TextOrigin.OCR if reading.lines else TextOrigin.NONE
                notes = (reading.note,) if reading.note else ()
                read = PageLines(page.number, page.width, page.height, reading.lines, origin, reading.confidence, notes)
                self._kept.keep(read, reading.hint)
                self._take(read, reading.hint)

    def _take(self, page: PageLines, hint: ocr.Hint | None) -> None:
        self._pages[page.number] = page
        if self._first_pages < _ALONE:
            self._first_pages = _ALONE if hint is not None else self._first_pages + 1
            self._hint = hint
        if not page.lines:
            self._warnings[page.number] = "OCR found no words"


# --- pages that are kept -------------------------------------------------------------------------------------------


class KeptPages:
    """Pages that OCR has read, in a folder; with None for a folder nothing is kept."""

    def __init__(self, folder: Path | None, languages: Sequence[str]) -> None:
        self._folder = folder
        self._read_with = [ocr.READER, *languages]
        self._reported_at = 0.0
        if folder is not None:
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)

    def page(self, number: int) -> tuple[PageLines, ocr.Hint | None] | None:
        """The page as it was read before; None when it was not, or not whole, or with other settings."""
        if self._folder is None:
            return None
        try:
            checksum, _, body = self._file(number).read_bytes().partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != checksum:
                return None
            table = json.loads(body)
            page = _page(table["page"])
            hint = ocr.Hint(*table["hint"]) if table["hint"] else None
            return (page, hint) if table["read_with"] == self._read_with and page.number == number else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, page: PageLines, hint: ocr.Hint | None) -> None:
        """Write the page so that it is there whole or not at all."""
        if self._folder is None:
            return
        table = {
            "read_with": self._read_with,
            "hint": [hint.models, hint.turns] if hint else None,
            "page": _page_row(page),
        }
        body = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
        _write(self._file(page.number), hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def report(self, pages: int, of: int, *, last: bool = False) -> None:
        """Write down how far the document is, a few times a second at most."""
        now = time.monotonic()
        if self._folder is not None and (last or now - self._reported_at >= _PROGRESS_EVERY_S):
            self._reported_at = now
            _write(self._folder / _PROGRESS, json.dumps({"pages": pages, "of": of}).encode())

    def _file(self, number: int) -> Path:
        return (self._folder or Path()) / f"page-{number:06}.json"


def _write(file: Path, content: bytes) -> None:
    """Write the file whole or not at all. A page that cannot be kept is no reason to stop: it has been read."""
    unfinished = file.with_suffix(".new")
    with contextlib.suppress(OSError):
        unfinished.write_bytes(content)
        unfinished.replace(file)


def _page_row(page: PageLines) -> list[Any]:
    lines = [
        [line.text, [[start, end, *_sides(box)] for start, end, box in line.words], _sides(line.box), line.baseline,
         line.size, line.new_paragraph]
        for line in page.lines
    ]  # fmt: skip
    return [page.number, page.width, page.height, page.origin.value, page.confidence, lines, list(page.notes)]


def _page(row: list[Any]) -> PageLines:
    number, width, height, origin, confidence, lines, notes = row
    placed = tuple(_line(line) for line in lines)
    return PageLines(number, width, height, placed, TextOrigin(origin), confidence, tuple(map(str, notes)))


def _line(row: list[Any]) -> Line:
    text, words, box, baseline, size, new_paragraph = row
    placed = tuple((start, end, Box(*sides)) for start, end, *sides in words)
    return Line(text, placed, Box(*box), baseline, size, new_paragraph=new_paragraph)


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
