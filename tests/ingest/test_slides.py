"""Presentations: slides under their titles, with notes, tables, charts and diagrams; hidden slides left out."""

from __future__ import annotations

import struct
import zipfile
import zlib
from copy import deepcopy
from io import BytesIO
from pathlib import Path

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.parsing import PPTX, ParsingSettings, detect_media_type
from tests.ingest.reading import blocks, parsed, rejected
from tests.shared import shared_data

TITLE_AND_TEXT, TITLE_ONLY, BLANK = 1, 5, 6


def presentation(path: Path, *titles: str) -> pptx.presentation.Presentation:
    deck = pptx.Presentation()
    for title in titles:
        slide = deck.slides.add_slide(deck.slide_layouts[TITLE_AND_TEXT])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"Texte de {title}"
    deck.save(str(path))
    return deck


def png() -> BytesIO:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    image = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return BytesIO(b"\x89PNG\r\n\x1a\n" + image)


def test_slide_has_its_title_its_points_its_table_and_its_notes(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Budget 2024")
    slide = deck.slides[0]
    frame = slide.placeholders[1].text_frame
    frame.text = "Trois priorités"
    point = frame.add_paragraph()
    point.text, point.level = "la formation", 1
    cells = slide.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(1)).table
    for (row, column), text in {(0, 0): "Poste", (0, 1): "M€", (1, 0): "Écoles", (1, 1): "12"}.items():
        cells.cell(row, column).text = text
    slide.notes_slide.notes_text_frame.text = "Rappeler la décision du conseil."
    deck.save(str(tmp_path / "a.pptx"))
    assert detect_media_type(tmp_path / "a.pptx") == PPTX
    assert blocks(parsed(tmp_path / "a.pptx")) == [
        ("heading", "Budget 2024"),
        ("paragraph", "Trois priorités"),
        ("list item", "la formation"),
        ("table", "Poste | M€\nÉcoles | 12"),
        ("heading", "Notes"),
        ("paragraph", "Rappeler la décision du conseil."),
    ]


def test_marking_on_the_master_is_text_and_no_passage(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Budget 2024", "Budget 2025")
    box = deepcopy(deck.slides[0].shapes.add_textbox(0, 0, Inches(2), Inches(1))._element)
    deck.slide_master.shapes._spTree.append(box)
    deck.slide_master.shapes[-1].text_frame.text = "DIFFUSION RESTREINTE"
    deck.save(str(tmp_path / "a.pptx"))
    result = parsed(tmp_path / "a.pptx")
    assert result.text.startswith("DIFFUSION RESTREINTE\n\nBudget 2024\n\n")
    assert [text for _, text in blocks(result)] == [
        "Budget 2024", "Texte de Budget 2024", "Budget 2025", "Texte de Budget 2025",
    ]  # fmt: skip


def test_hidden_slide_is_left_out_and_reported(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Visible", "Secrète", "العنوان")
    deck.slides[1]._element.set("show", "0")
    deck.save(str(tmp_path / "a.pptx"))
    result = parsed(tmp_path / "a.pptx")
    assert [text for kind, text in blocks(result) if kind == "heading"] == ["Visible", "العنوان"]
    assert "Secrète" not in result.text
    assert result.warnings == ("hidden slides were left out: 2",)


def test_slide_without_title_does_not_fall_under_the_one_before(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Premier")
    blank = deck.slides.add_slide(deck.slide_layouts[BLANK])
    frame = blank.shapes.add_textbox(0, 0, Inches(3), Inches(1)).text_frame
    frame.text = "Autre sujet"
    frame.add_paragraph().text = "Son contenu."
    deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes.add_table(1, 1, 0, 0, 9, 9).table.cell(0, 0).text = "12"
    deck.save(str(tmp_path / "a.pptx"))
    assert blocks(parsed(tmp_path / "a.pptx"))[2:] == [
        ("heading", "Autre sujet"),
        ("paragraph", "Son contenu."),
        ("heading", "Slide 3"),
        ("table", "12"),
    ]


def test_shapes_in_groups_and_charts_are_read(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Effectifs")
    slide = deck.slides[0]
    group = slide.shapes.add_group_shape().shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "dans un groupe"
    data = CategoryChartData()
    data.categories = ["2022", "2023"]
    data.add_series("Agents", (10, 12.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(2), Inches(2), data)
    deck.save(str(tmp_path / "a.pptx"))
    read = blocks(parsed(tmp_path / "a.pptx"))
    assert ("paragraph", "dans un groupe") in read
    assert read[-1][0] == "table"
    assert "2023 | 12.5" in read[-1][1]


def test_slides_with_pictures_only_are_reported(tmp_path: Path) -> None:
    deck = presentation(tmp_path / "a.pptx", "Texte")
    deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes.add_picture(png(), 0, 0)
    deck.save(str(tmp_path / "a.pptx"))
    assert parsed(tmp_path / "a.pptx").warnings == ("slides with pictures and no text: 2",)


def test_presentation_without_text_or_broken_is_refused(tmp_path: Path) -> None:
    pptx.Presentation().save(str(tmp_path / "a.pptx"))
    assert rejected(tmp_path / "a.pptx").category == "no_text"
    with zipfile.ZipFile(tmp_path / "b.pptx", "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p")
    assert rejected(tmp_path / "b.pptx").message.startswith("the PowerPoint presentation is damaged")


def test_presentation_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    presentation(tmp_path / "a.pptx", "A")
    limit = ParsingSettings(max_unpacked_bytes=1000)
    assert rejected(tmp_path / "a.pptx", limit).category == "too_large"


def test_real_presentation_is_read() -> None:
    result = parsed(shared_data() / "documents" / "en" / "pptx" / "sample_pptx_with_link.pptx")
    assert result.title == "Slide With Link"
    assert ("paragraph", "Visit Example for more info.") in blocks(result)
