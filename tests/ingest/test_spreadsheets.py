"""Spreadsheets: what the reader of the sheet sees, nothing less and nothing hidden."""

from __future__ import annotations

import csv
import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.access import Label, Level
from assistant.language import TABLE_CELL
from assistant.types import Document
from ingest.invisible import without_invisible
from ingest.parsing import CSV, ODS, XLSX, ParsingSettings, detect_media_type
from ingest.pieces import one_line
from ingest.splitting import split
from ingest.spreadsheets import shown_value
from tests.ingest.making import made
from tests.ingest.reading import blocks, parsed, rejected, written
from tests.shared import shared_data

CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)
GRIDS = st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=6)
ONLY_CONTENT = "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' " \
    "xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0' " \
    "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' " \
    "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'>{}</office:document-content>"  # fmt: skip


def workbook(path: Path, **sheets: list[list[object]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def test_each_sheet_is_a_table_under_its_name(tmp_path: Path) -> None:
    workbook(
        tmp_path / "a.xlsx",
        Tarifs=[["Tarifs 2024"], [], ["Acte", "Prix", "Délai"], ["Copie", 2, None], [], ["Extrait", None, "3 jours"]],
        الرسوم=[["الوثيقة", "الثمن"], ["نسخة", 2.5]],
        Vide=[],
    )
    assert detect_media_type(tmp_path / "a.xlsx") == XLSX
    assert blocks(parsed(tmp_path / "a.xlsx")) == [
        ("heading", "Tarifs"),
        ("paragraph", "Tarifs 2024"),
        ("table", "Acte | Prix | Délai\nCopie | 2\nExtrait |  | 3 jours"),
        ("heading", "الرسوم"),
        ("table", "الوثيقة | الثمن\nنسخة | 2.5"),
    ]


def test_hidden_sheets_rows_and_columns_are_left_out_and_reported(tmp_path: Path) -> None:
    book = workbook(
        tmp_path / "a.xlsx",
        Visible=[["Nom", "Ville", "Note"], ["Alice", "Lyon", "secret-colonne"], ["secret-ligne", "x", "y"]],
        Cachée=[["secret-feuille"]],
    )
    book["Cachée"].sheet_state = "veryHidden"
    book["Visible"].row_dimensions[3].hidden = True
    book["Visible"].column_dimensions["C"].hidden = True
    book.save(tmp_path / "a.xlsx")
    result = parsed(tmp_path / "a.xlsx")
    assert "secret" not in result.text
    assert blocks(result) == [("heading", "Visible"), ("table", "Nom | Ville\nAlice | Lyon")]
    assert result.warnings == (
        "hidden sheets were left out: Cachée",
        "hidden rows or columns were left out: 2 in Visible",
    )


def test_formulas_give_their_stored_values_and_those_without_are_reported(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", Calcul=[["Total", "=1+1"], ["Somme", 7]])
    result = parsed(tmp_path / "a.xlsx")
    assert "=1+1" not in result.text
    assert result.warnings == ("1 formulas have no stored value and were left out; open and save the file anew",)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as source, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"))
    result = parsed(tmp_path / "b.xlsx")
    assert blocks(result)[1] == ("table", "Total | 2\nSomme | 7")
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (0.125, "0.0%", "12.5%"),
        (0.2, "0%", "20%"),
        (1234.5, '#,##0.00 "€"', "1234.50 €"),
        (1234.5, "#,##0.00 [$€-40C]", "1234.50 €"),
        (2, "0.##", "2"),
        (2.5, "0.##", "2.5"),
        (-3, "0.00;[Red]-0.00", "-3.00"),
        (1500000, '0.0,,"M"', "1.5M"),
        (7, '"n° "0', "n° 7"),
        (1e21, "0.00E+00", "1e+21"),
        (True, "General", "TRUE"),
        (datetime.datetime(2024, 3, 12), "dd/mm/yyyy", "2024-03-12"),
        (datetime.datetime(2024, 3, 12, 9, 30), "dd/mm/yyyy hh:mm", "2024-03-12 09:30:00"),
        (datetime.time(8, 30), "hh:mm", "08:30:00"),
        ("Texte", "@", "Texte"),
    ],
)
def test_cell_shows_what_its_format_asks_for(value: object, number_format: str, shown: str) -> None:
    assert shown_value(value, number_format) == shown


def test_formats_of_a_real_file_reach_the_text(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", F=[["Taux", "Date", "Code"], [0.055, datetime.date(2024, 7, 8), "007"]])
    book["F"]["A2"].number_format = "0.0%"
    book.save(tmp_path / "a.xlsx")
    assert parsed(tmp_path / "a.xlsx").text.endswith("5.5% | 2024-07-08 | 007")


def test_more_cells_than_the_limit_are_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", A=[["a", "b"], ["c", "d"]])
    limit = ParsingSettings(max_cells=3)
    for path in (tmp_path / "a.xlsx", written(tmp_path / "a.csv", "a,b\nc,d\n")):
        assert rejected(path, limit).category == "too_large"
        assert "3 filled cells" in rejected(path, limit).message


def test_damaged_workbook_and_one_with_entities_are_refused_in_words(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    assert rejected(tmp_path / "a.xlsx").message.startswith("the Excel workbook is damaged")
    workbook(tmp_path / "b.xlsx", A=[["x"]])
    with zipfile.ZipFile(tmp_path / "b.xlsx", "a") as archive:
        archive.writestr("xl/extra.xml", '<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "b">]><z>&a;</z>')
    assert "XML entities" in rejected(tmp_path / "b.xlsx").message


def test_strict_open_xml_is_not_called_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook xmlns='http://purl.oclc.org/ooxml/spreadsheetml/main'/>")
    assert rejected(tmp_path / "a.xlsx").category == "unsupported_type"


@pytest.mark.parametrize(
    ("content", "table"),
    [
        ("Commune;Habitants\nLyon;522 250\n", "Commune | Habitants\nLyon | 522 250"),
        ("taux;montant\n1,5;2,5\n", "taux | montant\n1,5 | 2,5"),
        ("1,5;2,5\n3,5;4,5\n", "1,5 | 2,5\n3,5 | 4,5"),
        ('name,note\n"Doe, Jane","two\nlines"\n', "name | note\nDoe, Jane | two lines"),
        ("a\tb\n1\t2\n", "a | b\n1 | 2"),
        ("المدينة;السكان\nالرباط;577827\n", "المدينة | السكان\nالرباط | 577827"),
    ],
)
def test_separator_of_a_csv_is_found(tmp_path: Path, content: str, table: str) -> None:
    assert detect_media_type(written(tmp_path / "a.csv", content)) == CSV
    assert blocks(parsed(tmp_path / "a.csv")) == [("table", table)]


def test_csv_of_windows_reads_its_accents(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.csv", "Libellé;Durée\nCongé;été\n".encode("cp1252")))
    assert result.text == "Libellé | Durée\nCongé | été"


def ods(path: Path, content: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("content.xml", ONLY_CONTENT.format(content))
    return path


def test_open_document_sheet_shows_cells_as_displayed_and_leaves_out_the_hidden(tmp_path: Path) -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>".format
    path = ods(
        tmp_path / "a.ods",
        "<style:style style:name='h'><style:table-properties table:display='false'/></style:style>"
        "<table:table table:name='Budget'>"
        f"<table:table-row>{cell('Poste')}<table:table-cell table:number-columns-repeated='2'/>{cell('Part')}</table:table-row>"
        f"<table:table-row>{cell('Énergie')}{cell('')}{cell('oui')}{cell('12,5 %')}</table:table-row>"
        f"<table:table-row table:visibility='collapse'>{cell('secret-ligne')}</table:table-row>"
        "<table:table-row table:number-rows-repeated='1048576'><table:table-cell table:number-columns-repeated='16384'/>"
        "</table:table-row></table:table>"
        f"<table:table table:name='Caché' table:style-name='h'><table:table-row>{cell('secret')}</table:table-row></table:table>",
    )
    result = parsed(path)
    assert blocks(result) == [("heading", "Budget"), ("table", "Poste |  | Part\nÉnergie | oui | 12,5 %")]
    assert result.warnings == (
        "hidden sheets were left out: Caché",
        "hidden rows or columns were left out: 1 in Budget",
    )


def test_repeated_cells_do_not_blow_up_an_open_document_sheet(tmp_path: Path) -> None:
    row = "<table:table-row table:number-rows-repeated='1048576'>" + (
        "<table:table-cell table:number-columns-repeated='16384'><text:p>x</text:p></table:table-cell></table:table-row>"
    )
    path = ods(tmp_path / "a.ods", f"<table:table table:name='A'>{row}</table:table>")
    assert rejected(path, ParsingSettings(max_cells=100_000)).category == "too_large"


def test_hostile_and_real_spreadsheets_end_as_expected() -> None:
    data = shared_data()
    result = parsed(data / "documents" / "en" / "xlsx" / "basic_tables_two_sheets.xlsx")
    assert ("table", "col_a | col_b\n1.5 | test") in blocks(result)
    assert "защищена формула" in parsed(data / "hostile" / "office" / "protectedSheets.xlsx").text
    assert rejected(data / "hostile" / "office" / "testODSMacro.ods").category == "no_text"


def assert_holds_all(path: Path, grid: list[list[str]]) -> None:
    """Every cell is in the text, in order, but for what nobody sees; the blocks tile what is not white space between them."""
    result = parsed(path)
    position = 0
    for cell in (one_line(without_invisible(cell)[0]) for row in grid for cell in row):
        position = result.text.index(cell, position) + len(cell)
    covered = "".join(text for _, text in blocks(result))
    assert "".join(covered.split()) == "".join(result.text.split())
    for kind, text in blocks(result):
        assert kind == "table" or TABLE_CELL not in text or any(TABLE_CELL in cell for row in grid for cell in row)


@settings(max_examples=40, deadline=None)
@given(grid=GRIDS)
def test_no_text_of_a_cell_is_lost(tmp_path_factory: pytest.TempPathFactory, grid: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("grid")
    grid = [["début", "fin"], *grid]
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(grid)
    assert_holds_all(folder / "a.csv", grid)
    book = openpyxl.Workbook()
    for number, row in enumerate(grid, start=1):
        for column, value in enumerate(row, start=1):
            cell = book.active.cell(number, column)
            cell.value, cell.data_type = value, "s"
    book.save(folder / "a.xlsx")
    assert_holds_all(folder / "a.xlsx", grid)


def test_rows_of_a_long_sheet_carry_their_header_into_every_passage(tmp_path: Path) -> None:
    result = parsed(
        written(tmp_path / "a.csv", "Commune;Population\n" + "".join(f"Ville {n};{n}\n" for n in range(200)))
    )
    document = Document(
        "d", "v", "Communes", "a.csv", "a.csv", result.media_type, "fr", None, result.text, (), result.blocks,
        Label(Level.PUBLIC), result.parser,
    )  # fmt: skip
    passages = split(document, fits=lambda _: True)
    assert len(passages) > 3
    assert all("Commune | Population" in passage.embedded_text() for passage in passages)
    assert sum(passage.text.count("Ville ") for passage in passages) == 200


def test_cell_merged_downwards_stands_in_each_of_its_rows(tmp_path: Path) -> None:
    rows = [
        ["Tarifs"],
        [],
        ["Service", "Acte", "Prix"],
        ["Voirie", "Permis", 12],
        [None, "Copie", 3],
        ["Eau", "Avis", 5],
    ]
    book = workbook(tmp_path / "a.xlsx", Tarifs=rows)
    book["Tarifs"].merge_cells("A4:A5")
    book["Tarifs"].merge_cells("A1:C2")
    book.save(tmp_path / "a.xlsx")
    expected = "Service | Acte | Prix\nVoirie | Permis | 12\nVoirie | Copie | 3\nEau | Avis | 5"
    assert blocks(parsed(tmp_path / "a.xlsx"))[1:] == [("paragraph", "Tarifs"), ("table", expected)]
    assert blocks(parsed(made(tmp_path / "a.xlsx", tmp_path / "a.ods")))[1:] == [
        ("paragraph", "Tarifs"),
        ("table", expected),
    ]


@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_marking_printed_on_each_page_of_a_sheet_is_text_and_no_passage(tmp_path: Path, suffix: str) -> None:
    book = workbook(tmp_path / "a.xlsx", Tarifs=[["Acte", "Prix"], ["Copie", 2]])
    book["Tarifs"].oddHeader.center.text = "DIFFUSION RESTREINTE"
    book["Tarifs"].oddFooter.right.text = "Recettes && dépenses, page &P"
    book.save(tmp_path / "a.xlsx")
    result = parsed(tmp_path / "a.xlsx" if suffix == ".xlsx" else made(tmp_path / "a.xlsx", tmp_path / "a.ods"))
    assert result.text.startswith("DIFFUSION RESTREINTE\n\nRecettes & dépenses, page\n\nTarifs\n\n")
    assert blocks(result) == [("heading", "Tarifs"), ("table", "Acte | Prix\nCopie | 2")]


def test_sheet_with_nothing_but_what_is_printed_on_each_page_has_no_text(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", Vide=[])
    book["Vide"].oddHeader.center.text = "DIFFUSION RESTREINTE"
    book.save(tmp_path / "a.xlsx")
    assert rejected(tmp_path / "a.xlsx").category == "no_text"


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (7, "000", "007"),
        (1000, "00000", "01000"),
        (-7, "000", "-007"),
        (3.5, "00.00", "03.50"),
        (0.5, "0.0", "0.5"),
        (612345678, '0#" "##" "##" "##" "##', "06 12 34 56 78"),
        (612345678, "0#\\ ##\\ ##\\ ##\\ ##", "06 12 34 56 78"),
        (21612345678, "+000 00 000 000", "+216 12 345 678"),
        (5530128, '000" "000" "000', "005 530 128"),
        (2345678, "[<=9999999]###-####;(###) ###-####", "234-5678"),
        (5552345678, "[<=9999999]###-####;(###) ###-####", "(555) 234-5678"),
        (12, '###" "###', "12"),
        (1234567, "#,##0", "1234567"),
        (1234.5, '#,##0.00 "€"', "1234.50 €"),
        (12, '0" m2"', "12 m2"),
    ],
)
def test_number_stands_in_the_places_of_its_mask(value: float, number_format: str, shown: str) -> None:
    assert shown_value(value, number_format) == shown
