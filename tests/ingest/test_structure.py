"""What the structure of a page promises to search and to readers, in French, Arabic and English."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.headings import structural_level
from assistant.language import search_form
from assistant.types import BlockKind
from ingest.splitting import split
from tests.ingest.test_pdf import block_texts, made, parsed, words
from tests.ingest.test_splitting import P, T, document, everything_fits


@pytest.mark.parametrize(
    "line",
    [
        "Article L. 123-4", "Article R421-1-2", "Art. 5", "Art. 5 bis – Tarifs", "Article premier", "ARTICLE 12",
        "المادة 5", "المادة ٥", "المادة الخامسة", "المادة 12 مكرر", "الفصل 3", "الفصل الثالث: أحكام عامة",
        "Section 3.2", "Section 3.2 – Scope", "Article 12", "Schedule 2",
    ],
)  # fmt: skip
def test_number_on_a_line_of_its_own_is_a_heading(line: str) -> None:
    assert structural_level(line) > 0


@pytest.mark.parametrize(
    ("language", "first", "second", "numbers"),
    [
        (
            "fr",
            "Art. 5. – Le maire fixe les tarifs.",
            "Article L. 123-4. – Le préfet les publie.",
            ("Art. 5", "Article L. 123-4"),
        ),
        ("ar", "المادة 5: يحدد العمدة الرسوم.", "الفصل 3- تنشر الرسوم في الجريدة.", ("المادة 5", "الفصل 3")),
        (
            "en",
            "Section 3.2. The mayor sets the fees.",
            "Article 4: The fees are published.",
            ("Section 3.2", "Article 4"),
        ),
    ],
)
def test_article_that_runs_on_behind_its_number_carries_it_as_heading(
    language: str, first: str, second: str, numbers: tuple[str, str]
) -> None:
    more = {"fr": "Un second alinéa.", "ar": "فقرة ثانية.", "en": "A second paragraph."}[language]
    of = document([(P, first, 0), (P, more, 0), (P, second, 0)], language=language)
    passages = split(of, fits=everything_fits)
    assert [passage.headings for passage in passages] == [(number,) for number in numbers]
    assert more in passages[0].text


def test_prose_that_mentions_an_article_begins_none() -> None:
    of = document([(P, "L'article 5 s'applique.", 0), (P, "Article 5 du code: voir l'annexe.", 0)])
    assert split(of, fits=everything_fits)[0].headings == ()


@pytest.mark.parametrize(
    ("header", "footer"), [("Circulaire 2024-03", "Page {}/3"), ("Harbour by-laws", "{} of 3"), ("Ville", "- {} -")]
)
def test_lines_that_repeat_on_each_page_are_no_passages(tmp_path: Path, header: str, footer: str) -> None:
    body = ("Le premier texte est ici.", "The second text is here.", "Le dernier texte est là.")
    pages = [[(70, 40, header), (70, 200, text), (290, 810, footer.format(n))] for n, text in enumerate(body, start=1)]
    read = parsed(made(tmp_path / "a.pdf", *pages))
    assert block_texts(read) == list(body)


def test_footnote_stays_with_its_page(tmp_path: Path) -> None:
    first = [(70, 200, "Le tarif est fixé par le conseil (1)."), (70, 740, "(1) Délibération du 4 mars 2024.")]
    second = [(70, 200, "Il est revu chaque année.")]
    read = parsed(made(tmp_path / "a.pdf", first, second))
    assert "(1) Délibération du 4 mars 2024." in block_texts(read)
    assert "Délibération" in read.text[read.pages[0].span.start : read.pages[0].span.end]


@pytest.mark.parametrize(("broken", "word"), [("admi-\nnistration", "administration"), ("by-\nlaws", "bylaws")])
def test_word_broken_at_a_line_end_is_searched_whole_and_kept_as_it_stands(broken: str, word: str) -> None:
    of = document([(P, f"Voici {broken} ici.", 0)])
    passage = split(of, fits=everything_fits)[0]
    assert broken in passage.text
    assert word in search_form(passage.text, "fr")


def test_word_broken_at_a_line_end_of_a_pdf_is_searched_whole_and_lies_where_it_stands(tmp_path: Path) -> None:
    lines = [(70, 200, "Les archives publiques et leur conser-"), (70, 214, "vation : avant-hier, l'été.")]
    path = made(tmp_path / "a.pdf", lines)
    read = parsed(path)
    assert "conservation : avant-hier" in search_form(read.text, "fr")
    assert "avant-hier" in read.text
    assert "conser\xadvation" in words(path, read)


@pytest.mark.parametrize(
    ("ends", "begins", "rest", "searched"),
    [
        ("Une demi-", "journée d'accueil.", "La journée dure huit heures.", "demi-journée"),
        ("À l'école du Quai-", "Nord, le lundi.", "Rien de plus.", "Quai-Nord"),
        ("Le porte-", "monnaie est rendu.", "Tout porte-monnaie est rendu.", "porte-monnaie"),
        ("La sur-", "veillance est assurée.", "Toute surveillance cesse sur ordre.", "surveillance"),
    ],
)
def test_hyphen_of_a_compound_stays_at_a_line_end_of_a_pdf(
    tmp_path: Path, ends: str, begins: str, rest: str, searched: str
) -> None:
    read = parsed(made(tmp_path / "a.pdf", [(70, 200, ends), (70, 214, begins), (70, 260, rest)]))
    assert searched in search_form(read.text, "fr")


@pytest.mark.parametrize(
    ("language", "header", "row"),
    [
        ("fr", "Prestation | Tarif", "Copie {} | 8,00 EUR"),
        ("ar", "الخدمة | الرسم", "نسخة {} | 8 دراهم"),
        ("en", "Service | Fee", "Copy {} | 8.00"),
    ],
)
def test_every_part_of_a_long_table_carries_its_header(language: str, header: str, row: str) -> None:
    rows = [header, *(row.format(number) for number in range(90))]
    of = document([(T, "\n".join(rows), 0)], language=language)
    passages = split(of, fits=everything_fits, max_chars=400)
    assert len(passages) > 2
    for passage in passages:
        assert passage.text.startswith(header) or header in passage.headings
        assert all(line in rows for line in passage.text.splitlines()), "a row was cut"


def test_headings_of_a_pdf_reach_its_passages(tmp_path: Path) -> None:
    lines = [(70, 100, "Section 3.2"), (70, 130, "The fees are set by the council."), (70, 160, "They are published.")]
    read = parsed(made(tmp_path / "a.pdf", lines))
    assert next(block.kind for block in read.blocks) is BlockKind.HEADING
