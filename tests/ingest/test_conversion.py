"""Old binary formats: what LibreOffice makes of them, and what is said where it is missing or gives up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pptx
import pytest
from pptx.util import Inches

from ingest import conversion
from ingest.parsing import Parsed, ParsingSettings, Rejected, detect_media_type
from tests.ingest.making import made
from tests.ingest.reading import blocks, isolated, parsed, rejected, written
from tests.shared import shared_data

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "configs" / "demo" / "documents"
NOTE = DEMO / "fr" / "note-seuils-marches-2024.odt"
FORM = DEMO / "ar" / "istimarat-musaada-sakan.docx"


def processes_of_libreoffice() -> set[str]:
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in found.splitlines() if "soffice.bin" in line and "defunct" not in line}


def test_old_french_word_file_keeps_title_headings_and_table(tmp_path: Path) -> None:
    result = parsed(made(NOTE, tmp_path / "a.doc"))
    assert (result.media_type, result.language) == ("application/msword", "fr")
    assert result.title == "Note n° 2024-02 relative aux seuils et procédures d'achat"
    assert ("heading", "1. Seuils") in blocks(result)
    table = next(text for kind, text in blocks(result) if kind == "table")
    assert table.splitlines()[:2] == [
        "Montant estimé hors taxes | Procédure | Signataire",
        "Moins de 5 000 € | Achat direct, un devis | Chef de service",
    ]


def test_old_arabic_word_file_reads_like_the_new_one(tmp_path: Path) -> None:
    new, old = parsed(FORM), parsed(made(FORM, tmp_path / "a.doc"))
    assert old.language == "ar"
    assert blocks(old) == blocks(new)


def test_old_workbook_keeps_sheets_headers_and_hides_what_is_hidden(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Régie"
    for row in (["Acte", "Prix"], ["Copie", 2], ["Plan", 4.5]):
        book.active.append(row)
    secret = book.create_sheet("Réserve")
    secret.append(["caché", "montant"])
    secret.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    result = parsed(made(tmp_path / "a.xlsx", tmp_path / "a.xls"))
    assert blocks(result) == [("heading", "Régie"), ("table", "Acte | Prix\nCopie | 2\nPlan | 4.5")]
    assert result.warnings == ("hidden sheets were left out: Réserve",)


def test_old_presentation_keeps_titles_tables_and_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "مواقيت العمل"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(5), Inches(1)).table
    for cell, text in zip((c for r in table.rows for c in r.cells), ("اليوم", "الساعة", "الاثنين", "8"), strict=True):
        cell.text = text
    slide.notes_slide.notes_text_frame.text = "للتذكير فقط"
    deck.save(str(tmp_path / "a.pptx"))
    result = parsed(made(tmp_path / "a.pptx", tmp_path / "a.ppt"))
    assert (result.media_type, result.language) == ("application/vnd.ms-powerpoint", "ar")
    assert blocks(result)[:2] == [("heading", "مواقيت العمل"), ("table", "اليوم | الساعة\nالاثنين | 8")]
    assert "للتذكير فقط" in result.text


def test_real_word_file_with_macros_gives_its_text_and_nothing_of_the_macro() -> None:
    result = parsed(shared_data() / "hostile" / "office" / "testWORD_macros.doc")
    assert result.text.strip() == "The quick brown fox."


@pytest.mark.parametrize(("source", "name"), [(NOTE, "a.doc"), (FORM, "b.doc")])
def test_truncated_old_file_is_damaged_and_not_garbage(tmp_path: Path, source: Path, name: str) -> None:
    whole = made(source, tmp_path / name).read_bytes()
    for share in (0.3, 0.6):
        result = rejected(written(tmp_path / "cut.doc", whole[: int(len(whole) * share)]))
        assert result.category in ("damaged", "no_text")


def test_without_libreoffice_old_files_are_rejected_with_that_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(NOTE, tmp_path / "a.doc")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = rejected(file)
    assert result.category == "unsupported_type"
    assert result.message.startswith("LibreOffice is not installed; without it an old Word file (DOC) cannot be read.")


def test_conversion_that_takes_too_long_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    file = made(NOTE, tmp_path / "a.doc")
    before = processes_of_libreoffice()
    result = rejected(file, ParsingSettings(wall_s=0.5))
    assert result.category == "timed_out"
    assert processes_of_libreoffice() <= before


def test_old_file_is_read_under_the_limits_of_the_parsers_process(tmp_path: Path) -> None:
    result = isolated(made(FORM, tmp_path / "a.doc"), file_name="a.doc", settings=ParsingSettings())
    assert isinstance(result, Parsed), result
    assert "شخصان | 145 يورو | 12 شهرا" in result.text


def test_nursery_ends_libreoffice_with_the_parser(tmp_path: Path) -> None:
    file = made(NOTE, tmp_path / "a.doc")
    before = processes_of_libreoffice()
    result = isolated(file, file_name="a.doc", settings=ParsingSettings(wall_s=1.0))
    assert isinstance(result, Rejected)
    assert processes_of_libreoffice() <= before


def test_section_linked_to_a_file_of_this_machine_brings_nothing_in(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret.txt", "mot secret de la machine")
    linked = tmp_path / "linked.fodt"
    linked.write_text(
        "<?xml version='1.0' encoding='UTF-8'?><office:document "
        "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
        "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' xmlns:xlink='http://www.w3.org/1999/xlink' "
        "office:version='1.3' office:mimetype='application/vnd.oasis.opendocument.text'><office:body><office:text>"
        "<text:p>avant la section</text:p><text:section text:name='S'><text:section-source "
        f"xlink:href='{secret.as_uri()}'/><text:p>contenu gardé</text:p></text:section></office:text></office:body>"
        "</office:document>"
    )
    kinds = dict(conversion._KINDS)
    kinds["application/x-test"] = conversion._Kind("a test", "fodt", "", *conversion._WORD)
    conversion._KINDS, kept = kinds, conversion._KINDS
    try:
        with conversion.converted(linked, "application/x-test", ParsingSettings()) as result:
            assert isinstance(result, Path), result
            text = parsed(result).text
    finally:
        conversion._KINDS = kept
    assert "avant la section" in text
    assert "mot secret" not in text


@pytest.mark.parametrize(
    ("stream", "media_type"),
    [
        ("WordDocument", "application/msword"),
        ("Workbook", "application/vnd.ms-excel"),
        ("Book", "application/vnd.ms-excel"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint"),
        ("__properties_version1.0", "application/vnd.ms-outlook"),
        ("EncryptedPackage", "application/vnd.ms-office.encrypted"),
        ("Other", "application/x-ole-storage"),
    ],
)
def test_broken_old_office_files_are_told_apart_by_their_bytes(tmp_path: Path, stream: str, media_type: str) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + f"{stream}\0".encode("utf-16-le")
    assert detect_media_type(written(tmp_path / "a", content)) == media_type
