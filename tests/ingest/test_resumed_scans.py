"""A scan that is interrupted goes on where it stopped; a page that was read is not read again."""

from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from assistant.types import TextOrigin
from ingest import isolation, ocr
from ingest.isolation import parse_here, parse_isolated
from ingest.layout import PageLines
from ingest.parsing import Parsed, ParsingSettings, Rejected
from ingest.scans import KeptPages, progress_in, read_pages
from tests.ingest.test_ocr import need_tesseract

PAGES = 12
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return scanned(tmp_path / "scan.tiff", PAGES)


@pytest.fixture
def short_scan(tmp_path: Path) -> Path:
    return scanned(tmp_path / "scan.tiff", 6)


def scanned(file: Path, pages: int) -> Path:
    need_tesseract()
    frames = []
    for number in range(1, pages + 1):
        image = Image.new("L", (1000, 700), 255)
        draw = ImageDraw.Draw(image)
        for row in range(6):
            text = f"This is page {WORDS[number]} and line {WORDS[row]} of the register"
            draw.text((60, 60 + row * 100), text, fill=0, font=ImageFont.load_default(32))
        frames.append(image)
    frames[0].save(file, save_all=True, append_images=frames[1:])
    return file


def settings_for(tmp_path: Path) -> ParsingSettings:
    return ParsingSettings(languages=("en",), page_folder=tmp_path / "kept", work_folder=tmp_path / "work")


def kept_times(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("page-*.json")}


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]


def kill_the_reader_after(pages: int, kept: Path, over: threading.Event) -> None:
    """Kill the process that reads the scan as soon as it has kept so many pages."""
    while len(list(kept.glob("page-*.json"))) < pages:
        if over.wait(0.005):
            return
    nurseries = [child for child in children_of(os.getpid()) if b"ingest.isolation" in command_of(child)]
    for reader in [child for nursery in nurseries for child in children_of(nursery)]:
        os.kill(reader, signal.SIGKILL)


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_killed_scan_goes_on_where_it_stopped(scan: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    over = threading.Event()
    killer = threading.Thread(target=kill_the_reader_after, args=(2, tmp_path / "kept", over))
    killer.start()
    with parse_isolated(scan, file_name="scan.tiff", settings=settings) as result:
        over.set()
        killer.join()
        assert isinstance(result, Rejected), "it ended before it could be killed"
    before = kept_times(tmp_path / "kept")
    assert 0 < len(before) < PAGES
    told: list[tuple[int, int]] = []
    with parse_isolated(
        scan, file_name="scan.tiff", settings=settings, on_progress=lambda *seen: told.append(seen)
    ) as result:
        assert isinstance(result, Parsed), result
    isolation.close()
    after = kept_times(tmp_path / "kept")
    assert len(after) == PAGES
    assert {name: after[name] for name in before} == before, "a page was read again"
    assert [page.number for page in result.pages] == list(range(1, PAGES + 1))
    assert all(page.origin is TextOrigin.OCR for page in result.pages)
    for page in result.pages:
        assert f"page {WORDS[page.number]} and line five" in result.text[page.span.start : page.span.end]
    assert told
    assert all(of == PAGES for _, of in told)
    assert progress_in(tmp_path / "kept") == (PAGES, PAGES)
    assert list((tmp_path / "work").iterdir()) == []


def test_interrupted_and_whole_runs_read_the_same(short_scan: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    whole = parse_here(short_scan, settings)
    for number in (2, 3, 6):
        (tmp_path / "kept" / f"page-{number:06}.json").unlink()
    assert parse_here(short_scan, settings) == whole
    assert parse_here(short_scan, replace(settings, page_folder=None)) == whole


def test_damaged_or_foreign_kept_page_is_read_again(short_scan: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    whole = parse_here(short_scan, settings)
    pages = sorted((tmp_path / "kept").glob("page-*.json"))
    pages[1].write_bytes(pages[1].read_bytes().replace(b"page two", b"page 666"))
    pages[2].write_bytes(pages[2].read_bytes()[:200])
    pages[3].write_bytes(b"")
    pages[4].write_bytes(pages[5].read_bytes())
    before = kept_times(tmp_path / "kept")
    assert parse_here(short_scan, settings) == whole
    after = kept_times(tmp_path / "kept")
    assert {name for name in before if before[name] != after[name]} == {page.name for page in pages[1:5]}


def test_page_read_for_other_languages_is_not_taken(tmp_path: Path) -> None:
    need_tesseract()
    kept = KeptPages(tmp_path, ("en",))
    assert kept.page(1) is None
    page = PageLines(1, 10.0, 20.0, (), TextOrigin.NONE, 0.0)
    kept.keep(page, ocr.Hint("eng", 0))
    assert kept.page(1) == (page, ocr.Hint("eng", 0))
    assert KeptPages(tmp_path, ("fr",)).page(1) is None


def test_page_that_cannot_be_kept_is_read_all_the_same(short_scan: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "kept"
    blocked.write_text("a file where the folder belongs")
    assert isinstance(parse_here(short_scan, settings_for(tmp_path)), Parsed)


def test_memory_is_that_of_a_few_pages() -> None:
    """Pages are drawn just ahead of the workers: one for each, one that waits, one being drawn, one just let go."""
    need_tesseract()
    pictures: list[weakref.ref[Image.Image]] = []
    most: list[int] = []

    class Source:
        def __len__(self) -> int:
            return 14

        def read(self, index: int) -> tuple[PageLines, bool]:
            return PageLines(index + 1, 595.0, 842.0, (), TextOrigin.NONE, 0.0), True

        def picture(self, index: int) -> Image.Image:
            image = Image.new("L", (600, 100), 255)
            ImageDraw.Draw(image).text((60, 40), "One line", fill=0, font=ImageFont.load_default(32))
            pictures.append(weakref.ref(image))
            most.append(sum(picture() is not None for picture in pictures))
            return image

    pages, _ = read_pages(Source(), ParsingSettings(languages=("en",)))
    assert len(pages) == 14
    assert max(most) <= ocr.workers() + 3


def test_time_is_counted_from_the_last_page(scan: Path, tmp_path: Path) -> None:
    """Twelve pages take longer than one page may."""
    began = time.monotonic()
    with parse_isolated(scan, file_name="scan.tiff", settings=replace(settings_for(tmp_path), wall_s=3)) as result:
        assert isinstance(result, Parsed), result
    isolation.close()
    if time.monotonic() - began < 3:
        pytest.skip("this machine reads twelve pages in three seconds")
