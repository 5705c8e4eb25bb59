"""What web pages, e-books and Markdown files declare of themselves is taken over, and never read as a paragraph."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.ingest.reading import blocks, parsed, written

TEXT = "Le port ouvre à huit heures."


@pytest.mark.parametrize("name", ["author", "DC.creator", "dcterms.creator"])
def test_web_page_declares_author_and_date(tmp_path: Path, name: str) -> None:
    head = f'<meta content="Salma Ayari" name="{name}"><meta name=dcterms.date content=2024-05-03>'
    result = parsed(written(tmp_path / "a.html", f"<head>{head}</head><body><p>{TEXT}</p></body>"))
    assert (result.author, result.date) == ("Salma Ayari", "2024-05-03")


def test_program_is_no_author_of_a_web_page(tmp_path: Path) -> None:
    page = f'<head><meta name="author" content="admin"></head><body><p>{TEXT}</p></body>'
    assert parsed(written(tmp_path / "a.html", page)).author is None


@pytest.mark.parametrize("author", ["author: Salma Ayari", "author:\n  - Salma Ayari", "author: [Salma Ayari]"])
def test_front_matter_of_markdown_is_no_paragraph(tmp_path: Path, author: str) -> None:
    matter = f'---\ntitle: "Note sur l\'accueil"\n{author}\ndate: 2024-05-03\nlang: fr\nclassification: SECRET\n---\n'
    result = parsed(written(tmp_path / "a.md", f"{matter}\n# Horaires\n\n{TEXT}\n"))
    assert (result.title, result.author, result.date) == ("Note sur l'accueil", "Salma Ayari", "2024-05-03")
    assert blocks(result) == [("heading", "Horaires"), ("paragraph", TEXT)]
    assert "classification: SECRET" in result.text, "a marking in the front matter must be seen"


def test_rule_across_a_markdown_page_is_no_front_matter(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.md", f"---\n\n{TEXT}\n\n---\n\nIl ferme à midi.\n"))
    assert [text for _, text in blocks(result)] == [TEXT, "Il ferme à midi."]


def test_declared_language_decides_where_no_word_does(tmp_path: Path) -> None:
    assert parsed(written(tmp_path / "a.md", "---\nlanguage: ar-TN\n---\n\n12 345\n")).language == "ar"


def test_book_declares_author_and_date(tmp_path: Path) -> None:
    said = (
        "<dc:title>Guide</dc:title><dc:creator>Salma Ayari</dc:creator><dc:creator>Jean Petit</dc:creator>"
        "<dc:date>2024-05-03T00:00:00Z</dc:date><dc:language>fr</dc:language>"
    )
    package = (
        f"<package xmlns='http://www.idpf.org/2007/opf'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'>{said}"
        "</metadata><manifest><item id='a' href='a.xhtml'/></manifest><spine><itemref idref='a'/></spine></package>"
    )
    container = (
        "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles><rootfile full-path='c.opf'/>"
        "</rootfiles></container>"
    )
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("c.opf", package)
        archive.writestr("a.xhtml", f"<html><body><p>{TEXT}</p></body></html>")
    result = parsed(tmp_path / "a.epub")
    assert (result.title, result.author, result.date) == ("Guide", "Salma Ayari, Jean Petit", "2024-05-03")
