"""Locked files: asked for, opened with the right password, kept shut with a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from ingest.parsing import ParsingSettings
from tests.ingest.making import made
from tests.ingest.reading import parsed, rejected
from tests.shared import shared_data

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
NOTE = DEMO / "fr" / "note-seuils-marches-2024.odt"
FORM = DEMO / "ar" / "istimarat-musaada-sakan.docx"


def with_password(password: str) -> ParsingSettings:
    return ParsingSettings(password=password, ocr=False)


def locked_pdf(path: Path) -> Path:
    canvas = Canvas(str(path), encrypt=StandardEncryption("sesame", ownerPassword="autre", strength=128))
    canvas.drawString(70, 700, "Le registre des actes ouvre lundi.")
    canvas.save()
    return path


def locked_docx(path: Path) -> Path:
    from msoffcrypto.format.ooxml import OOXMLFile

    with FORM.open("rb") as plain, path.open("wb") as target:
        OOXMLFile(plain).encrypt("sésame", target)
    return path


def assert_opens_only_with(path: Path, password: str, words: str) -> None:
    asked = rejected(path)
    assert (asked.category, asked.message) == (
        "password_needed",
        "the file needs a password; give it with `retry`",
    )
    refused = rejected(path, with_password("faux"))
    assert refused.category == "wrong_password"
    assert "faux" not in refused.message
    assert words in parsed(path, with_password(password)).text


def test_locked_pdf(tmp_path: Path) -> None:
    assert_opens_only_with(locked_pdf(tmp_path / "a.pdf"), "sesame", "Le registre des actes ouvre lundi.")


def test_locked_docx(tmp_path: Path) -> None:
    assert_opens_only_with(locked_docx(tmp_path / "a.docx"), "sésame", "درجة التداول: عام")


@pytest.mark.parametrize("name", ["a.odt"])
def test_locked_open_document(tmp_path: Path, name: str) -> None:
    assert_opens_only_with(made(NOTE, tmp_path / name, password="sésame"), "sésame", "Montant estimé hors taxes")


def test_real_locked_workbook() -> None:
    office = shared_data() / "hostile" / "office"
    assert_opens_only_with(office / "testEXCEL_protected_passtika.xls", "tika", "This is an Encrypted Excel")


def test_real_locked_presentation() -> None:
    office = shared_data() / "hostile" / "office"
    assert_opens_only_with(
        office / "testPPT_protected_passtika.ppt", "tika", "This is an encrypted PowerPoint 2007 slide."
    )


def test_pdf_that_only_forbids_copying_is_read() -> None:
    result = parsed(shared_data() / "hostile" / "pdf" / "encryption_nocopy.pdf", ParsingSettings(ocr=False))
    assert result.text.startswith("This is a test document.")


def test_password_that_nobody_asked_for_changes_nothing() -> None:
    assert parsed(NOTE, with_password("x")) == parsed(NOTE)


def test_password_is_not_in_the_settings_words() -> None:
    assert "sesame" not in repr(with_password("sesame"))
