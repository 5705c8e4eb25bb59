"""Pictures of every usual format are read alike, and shown as they were read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assistant.rendering import PageRenderer
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings, detect_media_type, unsupported
from tests.ingest.test_ocr import need_tesseract, picture

FORMATS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("JPEG2000", "scan.jp2", "image/jp2", {}),
    ("JPEG2000", "scan.j2k", "image/jp2", {"no_jp2": True}),
    ("GIF", "scan.gif", "image/gif", {}),
    ("WEBP", "scan.webp", "image/webp", {"lossless": True}),
    ("BMP", "scan.bmp", "image/bmp", {}),
    ("TIFF", "scan.tif", "image/tiff", {"big_tiff": True}),
]


@pytest.mark.parametrize(("form", "name", "media_type", "options"), FORMATS)
def test_picture_is_read_and_shown(
    tmp_path: Path, form: str, name: str, media_type: str, options: dict[str, Any]
) -> None:
    need_tesseract()
    path = tmp_path / name
    picture("The office opens at eight").convert("RGB").save(path, form, **options)
    assert detect_media_type(path) == media_type
    document = parse_here(path, ParsingSettings(languages=("en",)))
    assert isinstance(document, Parsed)
    assert (document.text.strip(), document.media_type) == ("The office opens at eight", media_type)
    renderer = PageRenderer()
    try:
        shown = Image.open(io.BytesIO(renderer.png(path, media_type, 1, width=600)))
    finally:
        renderer.close()
    assert shown.size == (600, 200)
    assert shown.convert("L").getextrema()[0] < 60, "the words are drawn"


def test_only_the_first_frame_of_a_moving_picture_is_a_page(tmp_path: Path) -> None:
    need_tesseract()
    frames = [picture("First frame"), picture("Second frame")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=200)
    document = parse_here(tmp_path / "a.gif", ParsingSettings(languages=("en",)))
    assert isinstance(document, Parsed)
    assert (len(document.pages), document.text.strip()) == (1, "First frame")


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_photograph_of_a_telephone_is_refused_with_what_to_do(tmp_path: Path, brand: bytes) -> None:
    (tmp_path / "IMG_0001.HEIC").write_bytes(b"\x00\x00\x00\x18ftyp" + brand + b"\x00" * 100)
    media_type = detect_media_type(tmp_path / "IMG_0001.HEIC")
    assert unsupported(media_type).message == "a photograph in HEIC or HEIF is not read yet; save it as JPEG"


def test_letter_that_begins_like_a_bitmap_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("BM 2024 : bulletin municipal, numéro de mai, à lire avant la séance.", "utf-8")
    assert detect_media_type(tmp_path / "a.txt") == "text/plain"
