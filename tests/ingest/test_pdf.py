"""PDF: text, boxes and structure, on files made here and on the demo's own."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from assistant.placing import place_words
from assistant.types import BlockKind, Box, TextOrigin, tiles
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings, Rejected
from tests.shared import shared_data

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
WITHOUT_OCR = ParsingSettings(ocr=False)
WIDTH, HEIGHT = A4


def parsed(path: Path, settings: ParsingSettings = WITHOUT_OCR) -> Parsed:
    result = parse_here(path, settings)
    assert isinstance(result, Parsed), result
    assert tiles([page.span for page in result.pages], len(result.text))
    return result


def made(path: Path, *pages: list[tuple[float, float, str]], size: float = 11, **options: object) -> Path:
    """A PDF with text at (x, y from the top) in points."""
    canvas = Canvas(str(path), pagesize=A4, **options)
    for page in pages:
        for x, y, text in page:
            canvas.setFont("Helvetica", size)
            canvas.drawString(x, HEIGHT - y, text)
        canvas.showPage()
    canvas.save()
    return path


def words(path: Path, document: Parsed, page: int = 0) -> dict[str, Box]:
    of = document.pages[page]
    placed = of.words or place_words(
        path, of.number, document.text[of.span.start : of.span.end], of.span.start, of.runs
    )
    return {document.text[word.span.start : word.span.end]: word.box for word in placed}


def block_texts(document: Parsed) -> list[str]:
    return [document.text[block.span.start : block.span.end] for block in document.blocks]


def test_word_spans_and_boxes_say_where_each_word_stands(tmp_path: Path) -> None:
    document = parsed(made(tmp_path / "a.pdf", [(100, 200, "Bonjour tout le monde"), (100, 400, "deuxième ligne")]))
    placed = words(tmp_path / "a.pdf", document)
    assert list(placed) == ["Bonjour", "tout", "le", "monde", "deuxième", "ligne"]
    box = placed["Bonjour"]
    assert box.left == pytest.approx(100 / WIDTH, abs=0.005)
    assert box.bottom == pytest.approx(200 / HEIGHT, abs=0.005)
    assert placed["monde"].left > placed["le"].right
    assert placed["ligne"].bottom == pytest.approx(400 / HEIGHT, abs=0.005)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_boxes_fit_the_rendered_page_when_rotated_or_cropped(tmp_path: Path, rotation: int, cropped: bool) -> None:
    source = pdfium.PdfDocument(made(tmp_path / "a.pdf", [(100, 200, "Repère"), (300, 500, "Ancre du port")], size=24))
    page = source[0]
    if cropped:
        page.set_cropbox(50, 100, WIDTH - 20, HEIGHT - 40)
    page.set_rotation(rotation)
    source.save(tmp_path / "b.pdf")
    image = page.render(scale=2, grayscale=True).to_pil()
    page.close()
    source.close()
    for word, box in words(tmp_path / "b.pdf", parsed(tmp_path / "b.pdf")).items():
        area = (box.left * image.width, box.top * image.height, box.right * image.width, box.bottom * image.height)
        inside = image.crop(tuple(round(side) for side in area))
        assert inside.getextrema()[0] < 100, f"no ink where {word!r} should be"
    inked = [
        (x, y) for x in range(0, image.width, 3) for y in range(0, image.height, 3) if image.getpixel((x, y)) < 100
    ]
    boxes = list(words(tmp_path / "b.pdf", parsed(tmp_path / "b.pdf")).values())
    slack = 0.006
    for x, y in inked:
        u, v = x / image.width, y / image.height
        assert any(b.left - slack <= u <= b.right + slack and b.top - slack <= v <= b.bottom + slack for b in boxes)


def test_running_lines_and_page_numbers_stay_in_the_text_and_out_of_the_blocks(tmp_path: Path) -> None:
    pages = [
        [
            (70, 40, "Circulaire 2024-03"),
            (70, 200, f"Le texte de la page {name} est ici."),
            (290, 810, f"Page {number}/3"),
        ]
        for number, name in enumerate(("une", "deux", "trois"), start=1)
    ]
    document = parsed(made(tmp_path / "a.pdf", *pages))
    assert block_texts(document) == [f"Le texte de la page {name} est ici." for name in ("une", "deux", "trois")]
    assert document.text.count("Circulaire 2024-03") == 3
    assert "Page 2/3" in document.text[document.pages[1].span.start : document.pages[1].span.end]


def test_sentence_over_a_page_break_stays_in_one_piece(tmp_path: Path) -> None:
    first = [(70, 40, "En-tête commun"), (70, 200, "Le délai de recours est fixé par le chef de"), (290, 810, "Page 1")]
    second = [
        (70, 40, "En-tête commun"),
        (70, 100, "service à deux mois."),
        (70, 200, "Autre alinéa."),
        (290, 810, "Page 2"),
    ]
    document = parsed(made(tmp_path / "a.pdf", first, second))
    assert "Le délai de recours est fixé par le chef de\nservice à deux mois." in document.text
    assert block_texts(document)[0] == "Le délai de recours est fixé par le chef de\nservice à deux mois."


def test_table_cells_are_joined_row_by_row(tmp_path: Path) -> None:
    rows = [("Prestation", "Tarif"), ("Copie", "Gratuit"), ("Extrait", "8,00 EUR")]
    cells = [(x, 200 + 20 * i, text) for i, row in enumerate(rows) for x, text in zip((70, 300), row, strict=True)]
    document = parsed(made(tmp_path / "a.pdf", cells))
    table = next(block for block in document.blocks if block.kind is BlockKind.TABLE)
    assert document.text[table.span.start : table.span.end] == "Prestation | Tarif\nCopie | Gratuit\nExtrait | 8,00 EUR"


def test_locked_file_is_reported_as_such(tmp_path: Path) -> None:
    result = parse_here(made(tmp_path / "a.pdf", [(70, 200, "secret")], encrypt="motdepasse"), WITHOUT_OCR)
    assert isinstance(result, Rejected)
    assert result.category == "password_needed"


def test_cut_off_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type")
    result = parse_here(tmp_path / "a.pdf", WITHOUT_OCR)
    assert isinstance(result, Rejected)
    assert result.category == "damaged"


def test_blank_pages_are_never_a_success(tmp_path: Path) -> None:
    result = parse_here(made(tmp_path / "a.pdf", [], []), WITHOUT_OCR)
    assert isinstance(result, Rejected)
    assert result.category == "no_text"


def scan(path: Path, text_pages: int = 0) -> Path:
    """A PDF whose last page is a picture of words."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (1240, 1754), 255)
    ImageDraw.Draw(image).text((150, 300), "Le bureau ouvre a huit heures", fill=0, font=ImageFont.load_default(48))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    from reportlab.lib.utils import ImageReader

    canvas = Canvas(str(path), pagesize=A4)
    for _ in range(text_pages):
        canvas.drawString(70, 600, "Une page qui porte bien assez de texte pour se passer d'OCR.")
        canvas.showPage()
    buffer.seek(0)
    canvas.drawImage(ImageReader(buffer), 0, 0, WIDTH, HEIGHT)
    canvas.showPage()
    canvas.save()
    return path


def test_scan_without_ocr_says_what_it_needs(tmp_path: Path) -> None:
    result = parse_here(scan(tmp_path / "a.pdf"), WITHOUT_OCR)
    assert isinstance(result, Rejected)
    assert (result.category, result.page_number) == ("needs_ocr", 1)


def test_scanned_page_among_others_is_a_warning_and_loses_nothing_else(tmp_path: Path) -> None:
    document = parsed(scan(tmp_path / "a.pdf", text_pages=1))
    assert document.pages[1].origin is TextOrigin.NONE
    assert document.warnings[0].startswith("page 2: ")
    assert "bien assez de texte" in document.text


def test_page_decides_for_itself_whether_it_is_read_by_ocr(tmp_path: Path) -> None:
    from tests.ingest.test_ocr import need_tesseract

    need_tesseract()
    document = parsed(scan(tmp_path / "a.pdf", text_pages=1), ParsingSettings())
    assert [page.origin for page in document.pages] == [TextOrigin.TEXT_LAYER, TextOrigin.OCR]
    assert words(tmp_path / "a.pdf", document, 1)["bureau"].left == pytest.approx(0.18, abs=0.03)
    assert words(tmp_path / "a.pdf", document, 1)["bureau"].top == pytest.approx(300 / 1754, abs=0.02)


def test_headings_of_a_french_decree_are_found() -> None:
    document = parsed(DEMO / "fr" / "arrete-2023-118-frais-deplacement.pdf")
    headings = {
        document.text[b.span.start : b.span.end].replace("\n", " "): b.heading_level
        for b in document.blocks
        if b.kind is BlockKind.HEADING
    }
    assert headings["Chapitre II – Transport"] < headings["Article 3 – Moyen de transport"]
    assert document.language == "fr"


def test_arabic_reads_in_logical_order() -> None:
    document = parsed(DEMO / "ar" / "taamim-2024-05-awqat-amal.pdf")
    assert document.language == "ar"
    assert "التعميم رقم 2024/05 بشأن أوقات العمل" in document.text
    assert "يلغى التعميم رقم 2022/11 المتعلق بالموضوع نفسه." in document.text
    assert "ولا سيما تداريب الإنقاذ" in document.text


def test_arabic_brackets_of_a_real_document_are_the_right_way_round() -> None:
    document = parsed(shared_data() / "documents" / "ar" / "pdf" / "mosquee-hassan-ii.pdf")
    assert "1433 (24 سبتمبر" in document.text
    assert "(26 يناير 2009)" in document.text
