"""Scans as archives have them: sideways, upside down, askew, coarse, in two scripts. Boxes lie on the words as shown."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image

from assistant.types import Box
from ingest import ocr, tesseract
from ingest.ocrlines import OcrWord
from ingest.posture import Posture, posture_of, turned
from tests.ingest.test_ocr import need_tesseract

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
FRENCH, ARABIC, ENGLISH = (
    "fr/guide-agent-2024.pdf",
    "ar/dalil-khadamat-sukkan-2024.pdf",
    "en/residents-handbook-2024.pdf",
)
LANGUAGES = ("fr", "ar", "en")
DPI = 150


@dataclass(frozen=True)
class TrueWord:
    """A word of the text layer; the corners of its box in pixels of the level page."""

    text: str
    corners: tuple[tuple[float, float], ...]


@lru_cache
def page(name: str, dpi: int = DPI) -> tuple[Image.Image, tuple[TrueWord, ...]]:
    """The second page of a demo document as a picture, and its words with their true places."""
    document = pdfium.PdfDocument(DEMO / name)
    sheet = document[1]
    scale, height = dpi / 72, sheet.get_height()
    text_page = sheet.get_textpage()
    text = "".join(text_page.get_text_range(index, 1) or " " for index in range(text_page.count_chars()))
    words = []
    for match in re.finditer(r"\w{4,}", text):
        boxes = [text_page.get_charbox(index) for index in range(*match.span())]
        left, right = min(b[0] for b in boxes) * scale, max(b[2] for b in boxes) * scale
        top, bottom = (height - max(b[3] for b in boxes)) * scale, (height - min(b[1] for b in boxes)) * scale
        words.append(TrueWord(match[0], ((left, top), (right, top), (left, bottom), (right, bottom))))
    return sheet.render(scale=scale, grayscale=True).to_pil(), tuple(words)


def laid(image: Image.Image, words: tuple[TrueWord, ...], degrees: float) -> tuple[Image.Image, dict[str, Box]]:
    """The page turned anticlockwise as PIL turns it, and the true boxes of the words that are on it once."""
    shown = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    angle = math.radians(degrees)
    often = Counter(word.text for word in words)
    boxes = {}
    for word in words:
        if often[word.text] > 1:
            continue
        moved = []
        for x, y in word.corners:
            u, v = x - image.width / 2, y - image.height / 2
            moved.append((u * math.cos(angle) + v * math.sin(angle), -u * math.sin(angle) + v * math.cos(angle)))
        xs = [(u + shown.width / 2) / shown.width for u, _ in moved]
        ys = [(v + shown.height / 2) / shown.height for _, v in moved]
        boxes[word.text] = Box(min(xs), min(ys), max(xs), max(ys))
    return shown, boxes


def placed_words(reading: ocr.Reading) -> dict[str, Box]:
    often: Counter[str] = Counter()
    found = {}
    for line in reading.lines:
        for start, end, box in line.words:
            for word in re.findall(r"\w{4,}", line.text[start:end]):
                often[word] += 1
                found[word] = box
    return {word: box for word, box in found.items() if often[word] == 1}


def middle_of(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def check(reading: ocr.Reading, true: dict[str, Box], *, share: float) -> None:
    """Most words are read, and the box of each holds the middle of the word and not much more than the word."""
    found = placed_words(reading)
    common = found.keys() & true.keys()
    assert len(common) >= share * len(true), f"{len(common)} of {len(true)} words"
    for word in common:
        box, (x, y) = found[word], middle_of(true[word])
        assert box.left <= x <= box.right, word
        assert box.top <= y <= box.bottom, word
        true_area = (true[word].right - true[word].left) * (true[word].bottom - true[word].top)
        assert (box.right - box.left) * (box.bottom - box.top) < 6 * true_area, word


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 3, -5, 92.5, 177])
def test_page_however_it_lies_is_read_and_its_boxes_lie_on_its_words(degrees: float) -> None:
    need_tesseract()
    shown, true = laid(*page(FRENCH), degrees)
    check(ocr.read_page(shown, LANGUAGES), true, share=0.93)


@pytest.mark.parametrize("degrees", [0, 180, 90, 4])
def test_arabic_page_is_read_in_arabic_however_it_lies(degrees: float) -> None:
    need_tesseract()
    shown, true = laid(*page(ARABIC), degrees)
    reading = ocr.read_page(shown, LANGUAGES)
    assert reading.hint is not None
    assert reading.hint.models.startswith("ara")
    assert reading.confidence > 0.75
    text = " ".join(line.text for line in reading.lines)
    assert sum(word in text for word in true) >= 0.6 * len(true)


def test_english_page_is_read_with_the_english_model() -> None:
    need_tesseract()
    reading = ocr.read_page(page(ENGLISH)[0], LANGUAGES)
    assert reading.hint == ocr.Hint("eng", 0)


def test_hint_spares_the_other_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    need_tesseract()
    runs: list[tuple[str, int]] = []
    real = tesseract.words

    def counted(picture: Image.Image, models: str, timeout_s: float, *, layout: int = 3) -> tuple[OcrWord, ...]:
        runs.append((models, layout))
        return real(picture, models, timeout_s, layout=layout)

    monkeypatch.setattr(tesseract, "words", counted)
    ocr.read_page(page(ARABIC)[0], LANGUAGES, ocr.Hint("ara", 0))
    ocr.read_page(page(FRENCH)[0], LANGUAGES, ocr.Hint("fra", 0))
    # One reading a page, and that of the Arabic page's figures.
    assert runs == [("ara", 3), ("eng", 6), ("fra", 3)]


@pytest.mark.parametrize("dpi", [72, 110])
def test_coarse_scan_is_enlarged_and_read(dpi: int) -> None:
    need_tesseract()
    image, words = page(FRENCH, dpi)
    shown, true = laid(image, words, 0)
    check(ocr.read_page(shown, LANGUAGES), true, share=0.93)


def test_page_in_two_scripts_is_read_in_both() -> None:
    need_tesseract()
    french, arabic = page(FRENCH)[0], page(ARABIC)[0]
    half = french.height // 2
    both = Image.new("L", french.size, 255)
    both.paste(french.crop((0, 0, french.width, half)), (0, 0))
    both.paste(arabic.crop((0, 0, arabic.width, half)), (0, half))
    text = " ".join(line.text for line in ocr.read_page(both, LANGUAGES).lines)
    assert sum("a" <= letter <= "z" for letter in text) > 400
    assert sum("\u0600" <= letter <= "\u06ff" for letter in text) > 300


@pytest.mark.parametrize("degrees", [0.0, 1.5, -4.0, 90.0, 87.0])
def test_posture_is_the_way_back_to_level(degrees: float) -> None:
    image, _ = page(ARABIC)
    posture = posture_of(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255))
    assert posture.turns * 90 + posture.skew == pytest.approx(degrees, abs=0.3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_mark_is_found_where_it_was_after_a_quarter_turn_and_back(turns: int, scale: float) -> None:
    image = Image.new("L", (400, 300), 255)
    image.paste(0, (40, 60, 60, 70))
    frame = turned(image, Posture(turns), scale=scale)
    left, top, right, bottom = frame.picture.point(lambda value: 255 - value).point(lambda v: v * (v > 128)).getbbox()
    box = frame.shown(left, top, right, bottom)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.1, 0.2, 0.15, 70 / 300), abs=0.004)
