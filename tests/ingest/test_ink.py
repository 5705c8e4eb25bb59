"""Stamps over text and specks on it: what is below is read, and what cannot be is told to the archivist."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from assistant.reasons import remark
from ingest import ocr
from ingest.images import ImageParser
from ingest.ink import is_specked, with_colour_where_inked
from ingest.parsing import Parsed, ParsingSettings
from tests.ingest.test_ocr import DEMO, need_tesseract

GUIDE = "fr/guide-agent-2024.pdf"
FRENCH = ocr.Hint("fra", 0)
RED, BLUE, VIOLET, GREY = (200, 35, 45), (40, 60, 170), (110, 50, 140), (120, 120, 120)


@lru_cache
def page(name: str = GUIDE, dpi: int = 150) -> tuple[Image.Image, Counter[str]]:
    """The second page of a demo document as a colour scanner gives it, and its words."""
    with pypdfium2.PdfDocument(DEMO / name) as document:
        one = document[1]
        return one.render(scale=dpi / 72).to_pil().convert("RGB"), Counter(
            one.get_textpage().get_text_bounded().split()
        )


def stamped(picture: Image.Image, ink: tuple[int, int, int]) -> Image.Image:
    """A round stamp a third of the page wide over its text, aslant, with the noise of a scanner."""
    size = picture.width // 3
    thick = size // 40
    stamp = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(stamp)
    pen.ellipse((thick, thick, size - thick, size - thick), outline=ink, width=thick)
    for number, text in enumerate(("ARCHIVES", "REÇU LE", "14 MAI 2024")):
        place = (size / 2, size * (0.3 + 0.2 * number))
        pen.text(place, text, fill=ink, font=ImageFont.load_default(size // 7), anchor="mm")
    layer = Image.new("RGB", picture.size, "white")
    at = ((picture.width - size) // 2, int(0.4 * picture.height) - size // 2)
    layer.paste(stamp.rotate(17, Image.Resampling.BICUBIC, fillcolor="white"), at)
    return scanned(ImageChops.multiply(picture, layer).filter(ImageFilter.GaussianBlur(0.6)))


def scanned(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, 6, (picture.height, picture.width, 1))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def found(reading: ocr.Reading, truth: Counter[str]) -> int:
    return (Counter(word for line in reading.lines for word in line.text.split()) & truth).total()


@pytest.mark.parametrize("ink", [RED, BLUE, VIOLET])
def test_words_under_a_coloured_stamp_are_read(ink: tuple[int, int, int]) -> None:
    need_tesseract()
    picture, truth = page()
    reading = ocr.read_page(with_colour_where_inked(stamped(picture, ink)), ("fr",), FRENCH)
    assert found(reading, truth) >= 0.98 * truth.total()
    assert not reading.note


def test_words_under_a_grey_stamp_are_reported_and_the_page_is_one_to_check(tmp_path: Path) -> None:
    need_tesseract()
    stamped(page()[0], GREY).save(tmp_path / "a.png", dpi=(150, 150))
    parsed = ImageParser().parse(tmp_path / "a.png", settings=ParsingSettings(languages=("fr",)))
    assert isinstance(parsed, Parsed)
    assert parsed.pages[0].confidence <= 0.5
    (warning,) = parsed.warnings
    assert warning.startswith("page 1: part of it has ink but no legible words")
    assert remark(warning, "fr").startswith("Page 1\u00a0: une partie est encrée")


def test_page_without_a_stamp_is_not_reported() -> None:
    need_tesseract()
    reading = ocr.read_page(with_colour_where_inked(scanned(page()[0])), ("fr",), FRENCH)
    assert reading.confidence > 0.9
    assert not reading.note


def test_coloured_title_stays_where_a_stamp_is_taken_away() -> None:
    need_tesseract()
    picture = stamped(page()[0], RED)
    ImageDraw.Draw(picture).text((140, 8), "Registre municipal", fill=(180, 20, 30), font=ImageFont.load_default(40))
    reading = ocr.read_page(with_colour_where_inked(picture), ("fr",), FRENCH)
    assert "Registre municipal" in "\n".join(line.text for line in reading.lines)


def test_picture_without_coloured_ink_is_grey() -> None:
    yellowed = ImageChops.multiply(page()[0], Image.new("RGB", page()[0].size, (250, 240, 205)))
    assert with_colour_where_inked(scanned(yellowed)).mode == "L"
    assert with_colour_where_inked(stamped(page()[0], RED)).mode == "RGB"


def test_page_strewn_with_specks_is_read() -> None:
    need_tesseract()
    picture, truth = page(dpi=300)
    pixels = np.asarray(picture.convert("L")).copy()
    chance = np.random.default_rng(1).random(pixels.shape)
    pixels[chance < 0.05], pixels[chance > 0.95] = 0, 255
    specked = Image.fromarray(pixels)
    assert is_specked(specked)
    assert not is_specked(picture.convert("L"))
    assert found(ocr.read_page(specked, ("fr",), FRENCH), truth) >= 0.95 * truth.total()
