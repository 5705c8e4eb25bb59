"""Rows of tables without rules on scanned pages, told from columns of prose."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ingest.ocrlines import OcrWord, rows
from tests.ingest.reading import blocks, parsed
from tests.ingest.test_ocr import need_tesseract

SIZE, CHARACTER, PITCH = 20.0, 11.0, 50.0
PRICES = [("Salle des fêtes", "120 €"), ("Gymnase", "200 €"), ("Petite salle de réunion", "45 €"), ("Cour", "30 €")]


def words(text: str, left: float, line: int, block: int) -> list[OcrWord]:
    """A line of words as tesseract gives them, from `left` on to the right."""
    found = []
    for word in text.split():
        top, width = 100 + line * PITCH, len(word) * CHARACTER
        found.append(OcrWord(word, 95.0, left, top, left + width, top + SIZE, (str(block), "1"), str(line)))
        left += width + 8
    return found


def column(texts: list[str], left: float, block: int) -> list[OcrWord]:
    return [word for line, text in enumerate(texts) for word in words(text, left, line, block)]


def shown(found: list[OcrWord]) -> list[str]:
    return [" | ".join(" ".join(word.text for word in cell) for cell in row.cells) for row in rows(found)]


def test_columns_of_a_price_list_become_its_rows() -> None:
    names, prices = zip(*PRICES, strict=True)
    found = [*column(list(names), 100, 1), *column(list(prices), 700, 2), *words("Une caution est due.", 100, 6, 3)]
    assert shown(found) == [*(f"{name} | {price}" for name, price in PRICES), "Une caution est due."]


def test_rows_of_an_arabic_price_list_begin_on_the_right() -> None:
    names, prices = ["بطاقة المقيم", "نسخة العقد", "رخصة البناء"], ["خمسون درهما", "عشرون درهما", "مئة درهم"]
    found = [*column(names, 700, 1), *column(prices, 100, 2)]
    assert shown(found) == [f"{name} | {price}" for name, price in zip(names, prices, strict=True)]


def test_columns_of_prose_stay_columns() -> None:
    left = ["Le conseil municipal réuni en séance", "publique a examiné les points inscrits", "à son ordre du jour"] * 2
    right = [
        "et adopté la délibération qui fixe les",
        "tarifs des salles communales pour",
        "l'année suivante et les suivantes",
    ] * 2
    assert shown([*column(left, 100, 1), *column(right, 700, 2)]) == [*left, *right]


def test_columns_of_prose_that_were_read_across_are_columns_again() -> None:
    right = ["يجتمع المجلس البلدي كل شهر في", "مقر البلدية بدعوة من رئيسه", "ويحضره جميع الأعضاء المنتخبين"] * 2
    left = ["وتنشر مداولاته في أجل ثمانية", "أيام بعد المصادقة عليها في", "لوحة الإعلانات بمدخل المقر"] * 2
    across = [
        w
        for n, (a, b) in enumerate(zip(right, left, strict=True))
        for w in (*words(a, 700, n, 1), *words(b, 100, n, 1))
    ]
    assert shown(across) == [*right, *left]


def test_two_rows_side_by_side_are_no_table() -> None:
    found = [*column(["Le maire", "Jean Dupont"], 100, 1), *column(["Le secrétaire", "Marie Durand"], 700, 2)]
    assert shown(found) == ["Le maire", "Jean Dupont", "Le secrétaire", "Marie Durand"]


def test_line_cut_at_a_space_is_one_line_again() -> None:
    found = [*column([f"Article {n}." for n in range(1, 5)], 100, 1), *column(["Le maire fixe le tarif."] * 4, 216, 2)]
    assert shown(found) == [f"Article {n}. Le maire fixe le tarif." for n in range(1, 5)]


def test_sign_of_a_list_belongs_to_its_item_however_far_it_stands() -> None:
    found = [w for n in range(4) for w in (*words(f"{n + 1}°", 100, n, 1), *words("une pièce", 300, n, 1))]
    assert shown(found) == [f"{n + 1}° une pièce" for n in range(4)]


def test_cell_of_several_lines_is_one_cell() -> None:
    found = [*column(["Copie", "Extrait", "Livret"], 100, 1), *column(["Gratuit", "8,00 €", "12,00 €"], 500, 2)]
    notes = [
        w
        for n, t in ((0, "Trois exemplaires"), (0.6, "par demande"), (1, "L'exemplaire"))
        for w in words(t, 800, 0, 3)
        for w in [moved(w, n)]
    ]
    assert shown([*found, *notes]) == [
        "Copie | Gratuit | Trois exemplaires par demande",
        "Extrait | 8,00 € | L'exemplaire",
        "Livret | 12,00 €",
    ]


def moved(word: OcrWord, lines: float) -> OcrWord:
    down = lines * PITCH
    return OcrWord(
        word.text,
        word.confidence,
        word.left,
        word.top + down,
        word.right,
        word.bottom + down,
        word.paragraph,
        f"{lines}",
    )


def test_words_without_a_table_stay_in_the_lines_that_tesseract_saw() -> None:
    found = [*words("Nom :", 100, 0, 1), *words("Dupont", 600, 0, 1), *words("Le dossier est complet.", 100, 1, 1)]
    assert shown(found) == ["Nom : Dupont", "Le dossier est complet."]
    assert rows([]) == []


def test_scanned_price_list_is_a_table_whose_rows_keep_their_prices(tmp_path: Path) -> None:
    need_tesseract()
    image = Image.new("L", (1400, 900), 255)
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((100, 60), "Le conseil a fixe les tarifs suivants pour la location.", fill=0, font=font)
    for row, (name, price) in enumerate(
        [("Salle des fetes", "120 EUR"), ("Gymnase", "200 EUR"), ("Petite salle", "45 EUR")]
    ):
        ImageDraw.Draw(image).text((100, 180 + 70 * row), name, fill=0, font=font)
        ImageDraw.Draw(image).text((1000, 180 + 70 * row), price, fill=0, font=font)
    image.save(tmp_path / "a.png")
    kinds = dict(blocks(parsed(tmp_path / "a.png")))
    assert kinds["table"] == "Salle des fetes | 120 EUR\nGymnase | 200 EUR\nPetite salle | 45 EUR"


def test_rule_of_a_table_is_no_word() -> None:
    names, prices = zip(*PRICES, strict=True)
    found = [*column([f"{name} |" for name in names], 100, 1), *column([f"|{price}" for price in prices], 700, 2)]
    assert shown(found) == [f"{name} | {price}" for name, price in PRICES]
