"""OCR: words, boxes and confidence from a picture; without tesseract, a reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from assistant.types import TextOrigin
from ingest import ocr, tesseract
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings, Rejected
from tests.shared import shared_data

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"


def need_tesseract() -> None:
    if shutil.which("tesseract"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("tesseract is missing; install tesseract-ocr, tesseract-ocr-fra and tesseract-ocr-ara")
    pytest.skip("tesseract is not installed")


def picture(text: str, *, size: tuple[int, int] = (1200, 400)) -> Image.Image:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((100, 150), text, fill=0, font=ImageFont.load_default(48))
    return image


def test_words_come_with_boxes_and_confidence() -> None:
    need_tesseract()
    reading = ocr.read_page(picture("The office opens at eight"), ("en",))
    assert [line.text for line in reading.lines] == ["The office opens at eight"]
    assert 0.8 < reading.confidence <= 1
    start, end, box = reading.lines[0].words[1]
    assert reading.lines[0].text[start:end] == "office"
    assert box.left == pytest.approx(190 / 1200, abs=0.03)
    assert 140 / 400 < box.top < box.bottom < 230 / 400


def test_blank_picture_has_no_words() -> None:
    need_tesseract()
    assert ocr.read_page(Image.new("L", (400, 400), 255), ("fr",)) == ocr.Reading((), 0.0, None)


def test_each_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    need_tesseract()
    first, second = picture("First page of two"), picture("Second page of two")
    first.save(tmp_path / "a.tiff", save_all=True, append_images=[second])
    document = parse_here(tmp_path / "a.tiff", ParsingSettings(languages=("en",)))
    assert isinstance(document, Parsed)
    assert [page.number for page in document.pages] == [1, 2]
    assert all(page.origin is TextOrigin.OCR for page in document.pages)
    assert "Second page" in document.text[document.pages[1].span.start : document.pages[1].span.end]


def test_switched_off_or_missing_is_a_reason_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("x").save(tmp_path / "a.png")
    result = parse_here(tmp_path / "a.png", ParsingSettings(ocr=False))
    assert isinstance(result, Rejected)
    assert result.category == "needs_ocr"
    monkeypatch.setenv("PATH", str(tmp_path))
    tesseract.installed.cache_clear()
    try:
        result = parse_here(tmp_path / "a.png", ParsingSettings())
    finally:
        tesseract.installed.cache_clear()
    assert isinstance(result, Rejected)
    assert result.message == "tesseract is not installed; install the package tesseract-ocr with fra and ara"


def test_broken_picture_is_damaged(tmp_path: Path) -> None:
    need_tesseract()
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    result = parse_here(tmp_path / "a.png", ParsingSettings())
    assert isinstance(result, Rejected)
    assert result.category == "damaged"


def test_demo_scan_reads_as_french_with_its_headings() -> None:
    need_tesseract()
    document = parse_here(DEMO / "fr" / "note-1996-salle-lecture-archives.pdf", ParsingSettings())
    assert isinstance(document, Parsed)
    assert document.language == "fr"
    assert "Chaque lecteur peut demander six articles par jour" in document.text
    assert all(page.confidence > 0.9 for page in document.pages)


def test_real_picture_reads_as_french() -> None:
    need_tesseract()
    document = parse_here(
        shared_data() / "documents" / "fr" / "image" / "F1136-situation-dangereuse.png", ParsingSettings()
    )
    assert isinstance(document, Parsed)
    assert "situation dangereuse" in document.text
