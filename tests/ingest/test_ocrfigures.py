"""Figures on scanned Arabic pages: read twice, and never trusted where they cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont, features

from ingest import ocr
from ingest.ocrfigures import read_again
from ingest.ocrlines import OcrWord
from tests.ingest.test_ocr import DEMO, need_tesseract

MARKETS = DEMO / "ar" / "qarar-2023-77-aswaq.pdf"
AMOUNT = re.compile(r"\d+,\d\d")


def drawn(file: Path, page: int, dpi: int) -> tuple[Image.Image, str]:
    """A page as a scanner would give it, and what is really on it."""
    with pypdfium2.PdfDocument(file) as document:
        one = document[page - 1]
        return one.render(scale=dpi / 72).to_pil().convert("L"), one.get_textpage().get_text_range()


@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_amounts_on_an_arabic_page_are_read_as_they_stand(dpi: int) -> None:
    need_tesseract()
    picture, text = drawn(MARKETS, 3, dpi)
    read = "\n".join(line.text for line in ocr.read_page(picture, ("ar", "fr", "en")).lines)
    true, found = Counter(AMOUNT.findall(text)), Counter(AMOUNT.findall(read))
    assert true.total() == 10
    assert (found & true).total() >= 9
    assert not found - true, "no amount is made up"


def test_box_of_a_figure_covers_all_of_it() -> None:
    need_tesseract()
    picture, _ = drawn(MARKETS, 3, 200)
    lines = ocr.read_page(picture, ("ar", "fr", "en")).lines
    boxes = [box for line in lines for start, end, box in line.words if AMOUNT.fullmatch(line.text[start:end])]
    assert len(boxes) >= 9
    for box in boxes:
        assert 40 <= (box.right - box.left) * picture.width <= 80, "four signs of 11-point type at 200 dpi"


def page(*words: str) -> tuple[Image.Image, list[OcrWord]]:
    """Words drawn below each other, and their boxes, each without its last letter."""
    picture, found = Image.new("L", (600, 100 * len(words)), 255), []
    font = ImageFont.load_default(40)
    for number, word in enumerate(words):
        ImageDraw.Draw(picture).text((200, 100 * number + 20), word, fill=0, font=font)
        left, top, right, bottom = ImageDraw.Draw(picture).textbbox((200, 100 * number + 20), word[:-1], font=font)
        found.append(OcrWord(word[:1], 90.0, left, top, right, bottom, ("1", "1"), str(number)))
    return picture, found


def as_told(texts: Sequence[str], *, confidence: float) -> list[OcrWord]:
    """What a reading of a sheet gives, a word for each of its pieces; each piece is about 64 pixels below the one before."""
    return [OcrWord(t, confidence, 0, 64 * n + 30, 50, 64 * n + 34, ("1", "1"), str(n)) for n, t in enumerate(texts)]


@pytest.mark.parametrize(
    ("told", "confidence", "kept"),
    [("1250", 95.0, "1250"), ("1250", 60.0, "1"), ("12a0", 95.0, "1"), ("", 95.0, "1"), ("1 250", 95.0, "1")],
)
def test_second_reading_counts_where_it_is_sure_and_a_figure(told: str, confidence: float, kept: str) -> None:
    picture, words = page("1250")
    assert read_again(picture, words, lambda sheet: as_told([told], confidence=confidence))[0].text == kept


def test_parts_of_a_figure_are_put_together_as_they_stand() -> None:
    picture, words = page("3400,00")
    parts = [replace(as_told([text], confidence=95.0)[0], left=left) for text, left in (("400,00", 90.0), ("3", 60.0))]
    assert read_again(picture, words, lambda sheet: parts)[0].text == "3 400,00"


def test_words_and_arabic_indic_digits_are_not_read_again() -> None:
    picture, words = page("maire", "1250")
    words = [words[0], replace(words[1], text="١٢")]
    assert list(read_again(picture, words, lambda sheet: pytest.fail("nothing to read"))) == words


def test_page_in_arabic_indic_digits_is_one_to_check() -> None:
    need_tesseract()
    if not features.check("raqm"):
        pytest.skip("Pillow was built without raqm, which joins Arabic letters")
    font = ImageFont.truetype("DejaVuSans.ttf", 40)
    picture = Image.new("L", (1500, 500), 255)
    for row, line in enumerate(
        ["رقم الهاتف ٠٥٢٢٦٧٨٩٠١ والرمز ٢٠٠٠٠", "تحدد مدة العمل في ٣٧ ساعة و٣٠ دقيقة في الأسبوع"]
    ):
        ImageDraw.Draw(picture).text(
            (1420, 80 + 130 * row), line, fill=0, font=font, anchor="ra", direction="rtl", language="ar"
        )
    reading = ocr.read_page(picture, ("ar", "fr", "en"))
    assert reading.lines
    assert reading.confidence <= 0.5
