"""Tesseract's models stay loaded from page to page: the same words as the command's, and never at a page's expense."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ingest import ocrprocess, tesseract
from ingest.confinement import confine
from ingest.parsing import ParsingSettings
from tests.ingest.test_ocr import need_tesseract, picture
from tests.ingest.test_scanned_pages import ARABIC, FRENCH, page

TEXT = "The office opens at eight"


@pytest.fixture(autouse=True)
def _readers_of_its_own() -> Iterator[None]:
    need_tesseract()
    tesseract.close()
    tesseract._without_library.clear()
    yield
    tesseract.close()
    tesseract._without_library.clear()


def texts(image: Image.Image, models: str = "eng") -> list[str]:
    return [word.text for word in tesseract.words(image, models, 60)]


def waiting_process() -> int:
    (reader,) = tesseract._idle
    return reader._process.pid


def test_loaded_models_read_as_the_command_does_whatever_was_read_before() -> None:
    pages = [
        (page(FRENCH)[0], "fra", 3),
        (page(ARABIC)[0], "ara", 3),
        (page(ARABIC)[0], "eng", 6),
        (page(FRENCH)[0], "fra", 3),
    ]
    loaded = [tesseract.words(image, models, 60, layout=layout) for image, models, layout in pages]
    assert len(tesseract._idle) == 1, "one process has read them all"
    tesseract._without_library.set()
    assert loaded == [tesseract.words(image, models, 60, layout=layout) for image, models, layout in pages]
    assert len(loaded[0]) > 200


def test_without_the_library_the_command_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import ctypes\nctypes.CDLL('libtesseract.so.none')\n")
    monkeypatch.setattr(ocrprocess, "__file__", str(tmp_path / "broken.py"))
    assert texts(picture(TEXT)) == TEXT.split()
    assert not tesseract._idle


def test_library_of_another_version_than_the_command_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "installed", lambda: tesseract.Installed("4.9", frozenset({"eng"})))
    assert texts(picture(TEXT)) == TEXT.split()
    assert not tesseract._idle


def test_page_is_read_though_the_process_that_waited_for_it_is_dead() -> None:
    assert texts(picture(TEXT)) == TEXT.split()
    first = waiting_process()
    os.kill(first, signal.SIGKILL)
    assert texts(picture(TEXT)) == TEXT.split()
    assert texts(picture(TEXT)) == TEXT.split()
    assert waiting_process() != first


def test_model_that_is_not_installed_is_a_failure_of_the_page_alone() -> None:
    with pytest.raises(tesseract.OcrFailed, match="OCR failed"):
        texts(picture(TEXT), "xyz")
    assert texts(picture(TEXT)) == TEXT.split()


def test_page_that_takes_too_long_is_given_up_with_the_process_that_read_it() -> None:
    texts(picture(TEXT))
    process = waiting_process()
    noise = Image.effect_noise((2400, 3400), 200)
    with pytest.raises(tesseract.OcrFailed, match="took more than"):
        tesseract.words(noise, "eng", 0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert texts(picture(TEXT)) == TEXT.split()


def test_process_gives_way_before_it_has_used_up_its_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "_MOST_PROCESSOR_S", 0.0)
    assert texts(picture(TEXT)) == TEXT.split()
    assert not tesseract._idle


def test_models_stay_loaded_where_parsers_are_held_back(tmp_path: Path) -> None:
    document = tmp_path / "a.png"
    picture(TEXT).save(document)
    tesseract.installed()
    child = os.fork()
    if child == 0:
        try:
            confine(document, [tmp_path], ParsingSettings(), own_user_namespace=False)
            read = [word.text for word in tesseract.words(picture(TEXT), "eng", 60)]
            os._exit(0 if read == TEXT.split() and len(tesseract._idle) == 1 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
