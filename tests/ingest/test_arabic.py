"""Arabic of a PDF reads from the first letter to the last, or is not taken from the text layer."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from assistant.placing import place_words
from ingest.arabic import lam_alef_put_right
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings, Rejected
from tests.shared import shared_data

WITHOUT_OCR = ParsingSettings(ocr=False)
LINES = (
    "قررت المديرية العامة إحداث مؤسسة جديدة",
    "تتولى المؤسسة تدبير المكتبة البلدية",
    "ينشر القرار رقم 2024 في الجريدة الرسمية",
    "تسري أحكام المادة الأولى على المصالح المختصة",
)


def drawn(path: Path, lines: tuple[str, ...]) -> Path:
    """The lines drawn letter by letter from left to right, as a program does that knows nothing of Arabic."""
    font = next(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"), None)
    if font is None:
        pytest.skip("no DejaVu font; install fonts-dejavu-core")
    pdfmetrics.registerFont(TTFont("DejaVu", str(font)))
    canvas = Canvas(str(path), pagesize=A4)
    for number, line in enumerate(lines):
        canvas.setFont("DejaVu", 12)
        canvas.drawString(70, 700 - 30 * number, line)
    canvas.save()
    return path


def test_layer_in_visual_order_reads_in_logical_order(tmp_path: Path) -> None:
    document = parse_here(
        drawn(tmp_path / "a.pdf", tuple(line[::-1].replace("4202", "2024") for line in LINES)), WITHOUT_OCR
    )
    assert isinstance(document, Parsed)
    assert [line for line in document.text.splitlines() if line] == list(LINES)
    assert document.warnings == ()


def test_layer_back_to_front_is_put_right_and_reported(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.pdf", LINES)
    document = parse_here(path, WITHOUT_OCR)
    assert isinstance(document, Parsed)
    assert [line for line in document.text.splitlines() if line] == list(LINES)
    assert document.warnings == ("page 1: its Arabic was stored back to front and has been put right; please check it",)
    page = document.pages[0]
    words = place_words(path, 1, document.text[page.span.start : page.span.end], page.span.start, page.runs)
    first = next(word for word in words if document.text[word.span.start : word.span.end] == "قررت")
    assert first.box.left == pytest.approx(70 / A4[0], abs=0.01), "the first word is drawn at the left"


def test_layer_in_no_order_is_left_to_ocr(tmp_path: Path) -> None:
    words = " ".join(LINES * 2).split()
    half = [word[::-1] if number % 2 else word for number, word in enumerate(words)]
    result = parse_here(
        drawn(tmp_path / "a.pdf", tuple(" ".join(half[i : i + 6]) for i in range(0, len(half), 6))), WITHOUT_OCR
    )
    assert isinstance(result, Rejected)
    assert result.category == "needs_ocr"


def test_presentation_forms_become_letters(tmp_path: Path) -> None:
    document = parse_here(drawn(tmp_path / "a.pdf", ("ﺔﺳﺳﺆﻣﻟﺍ ﺱﻳﺋﺭ ﻯﻟﺇ ﺐﻟﻃ ﻪﺟﻭﻳ ﻭ ﻊﻗﻭﻣ",)), WITHOUT_OCR)
    assert isinstance(document, Parsed)
    assert "المؤسسة" in document.text


def test_lam_alef_is_put_right_only_where_it_is_certain() -> None:
    assert lam_alef_put_right("الباب األول والاسم اإلداري واالجتماع") == "الباب الأول والاسم الإداري والاجتماع"
    assert lam_alef_put_right("هذاالكتاب ألم سأل") == "هذاالكتاب ألم سأل"


def test_lam_alefs_of_a_real_document_are_the_right_way_round() -> None:
    document = parse_here(shared_data() / "documents" / "ar" / "pdf" / "mosquee-hassan-ii.pdf", WITHOUT_OCR)
    assert isinstance(document, Parsed)
    assert "الباب الأول" in document.text
    assert "األ" not in document.text
