"""XML and EPUB: the words of the elements; no entity expanded, no file opened, nothing fetched."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingest.isolation import parse_here
from ingest.parsing import EPUB, XML, ParsingSettings, detect_media_type
from tests.ingest.reading import blocks, parsed, rejected, written
from tests.shared import shared_data


def test_elements_become_headings_and_paragraphs(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.xml",
        "<?xml version='1.0'?><!DOCTYPE loi SYSTEM 'loi.dtd'><loi id='1'><titre>Loi sur l&eacute;au</titre><!-- non -->"
        "<article><num>Article 5</num><p>L'eau <b>est</b> un<i> bien</i> commun<sup>1</sup>.</p>"
        "<liste><li>un</li><li>deux</li></liste><x>cd<y>e</y><z>f</z></x></article></loi>",
    )
    assert detect_media_type(path) == XML
    result = parsed(path)
    assert result.title == "Loi sur léau"
    assert blocks(result) == [
        ("heading", "Loi sur léau"),
        ("heading", "Article 5"),
        ("paragraph", "L'eau est un bien commun1."),
        ("paragraph", "un"),
        ("paragraph", "deux"),
        ("paragraph", "cde f"),
    ]


def test_declared_encoding_and_arabic_are_read(tmp_path: Path) -> None:
    page = "<?xml version='1.0' encoding='windows-1256'?><r><p>المادة الأولى من القانون</p></r>"
    result = parsed(written(tmp_path / "a.xml", page.encode("cp1256")))
    assert (result.text, result.language) == ("المادة الأولى من القانون", "ar")


def test_file_that_is_not_in_the_encoding_it_declares_is_read_all_the_same(tmp_path: Path) -> None:
    page = "<?xml version='1.0' encoding='utf-8'?><r><p>L'été à l'hôpital</p></r>"
    assert parsed(written(tmp_path / "a.xml", page.encode("cp1252"))).text == "L'été à l'hôpital"


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x SYSTEM "file:///etc/hostname">',
        '<!ENTITY x "expansé">',
        '<!ENTITY % y SYSTEM "y.dtd"> %y;<!ENTITY x "">',
    ],
)
def test_entities_are_never_expanded(tmp_path: Path, declared: str) -> None:
    result = rejected(written(tmp_path / "a.xml", f"<?xml version='1.0'?><!DOCTYPE z [{declared}]><z>a &x; b</z>"))
    assert result.category == "damaged"
    assert "defines entities of its own" in result.message


def test_broken_deep_and_large_files_are_refused(tmp_path: Path) -> None:
    assert "line 2" in rejected(written(tmp_path / "a.xml", "<?xml version='1.0'?>\n<a><b></a>")).message
    assert rejected(written(tmp_path / "b.xml", "<a>" * 5000 + "x" + "</a>" * 5000)).category == "damaged"
    path = written(tmp_path / "c.xml", "<a>texte</a>")
    assert rejected(path, ParsingSettings(max_unpacked_bytes=5)).category == "too_large"


def test_hostile_xml_is_refused_and_reads_no_file() -> None:
    for name in ("billion-laughs.xml", "xxe.xml"):
        result = rejected(shared_data() / "hostile" / "attacks" / name)
        assert "defines entities of its own" in result.message


def test_external_files_are_never_opened(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret.txt", "contenu secret")
    page = f"<!DOCTYPE z SYSTEM '{secret}' [<!ENTITY % p SYSTEM '{secret}'> %p;]><z>texte &p; fin</z>"
    result = parse_here(written(tmp_path / "a.xml", page), ParsingSettings())
    assert "secret" not in str(result)


def book(path: Path, *, title: str = "Guide", encrypted: str = "", missing: bool = False) -> Path:
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        f"<dc:title>{title}</dc:title><dc:date>2024-05-06T00:00:00Z</dc:date></metadata><manifest>"
        "<item id='n' href='nav.xhtml' properties='nav'/><item id='b' href='text/b%20b.xhtml'/><item id='a' href='text/a.xhtml'/>"
        "</manifest><spine><itemref idref='n'/><itemref idref='b'/><itemref idref='a'/></spine></package>"
    )
    page = "<?xml version='1.0' encoding='utf-8'?><html xmlns='http://www.w3.org/1999/xhtml'><body>{}</body></html>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", EPUB)
        archive.writestr("META-INF/container.xml", "<c><rootfiles><rootfile full-path='OPS/p.opf'/></rootfiles></c>")
        archive.writestr("OPS/p.opf", package)
        archive.writestr("OPS/nav.xhtml", page.format("<p>Table des matières</p>"))
        archive.writestr("OPS/text/b b.xhtml", page.format("<h1>Premier</h1><p>Où l'été commence.</p>"))
        if not missing:
            archive.writestr("OPS/text/a.xhtml", page.format("<h1>Second</h1><p>La suite.</p>"))
        if encrypted:
            reference = f"<e><CipherReference URI='{encrypted}'/></e>"
            archive.writestr("META-INF/encryption.xml", reference)
    return path


def test_book_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    result = parsed(book(tmp_path / "a.epub"))
    assert (result.title, result.date, result.media_type, result.warnings) == ("Guide", "2024-05-06", EPUB, ())
    assert blocks(result) == [
        ("heading", "Premier"),
        ("paragraph", "Où l'été commence."),
        ("heading", "Second"),
        ("paragraph", "La suite."),
    ]


def test_book_that_lacks_a_chapter_says_so(tmp_path: Path) -> None:
    assert parsed(book(tmp_path / "a.epub", missing=True)).warnings == (
        "1 chapters that the e-book lists are not in it",
    )


def test_protected_book_waits_and_one_with_protected_fonts_is_read(tmp_path: Path) -> None:
    assert rejected(book(tmp_path / "a.epub", encrypted="OPS/text/a.xhtml")).category == "password_needed"
    parsed(book(tmp_path / "b.epub", encrypted="OPS/fonts/f.otf"))


def test_broken_book_is_refused_in_words(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as archive:
        archive.writestr("mimetype", EPUB)
    assert rejected(tmp_path / "a.epub").message.startswith("the e-book is damaged")


def test_real_book_is_read() -> None:
    result = parsed(shared_data() / "documents" / "fr" / "epub" / "F1360-non-gage.epub")
    assert result.title == "Obtenir un certificat de non gage"
    assert "moins de 15 jours" in result.text


@pytest.mark.parametrize(
    ("markup", "read"),
    [
        ("<p>Cliquez sur <button>Envoyer la demande</button> avant lundi.</p>", "Cliquez sur Envoyer la demande avant lundi."),
        ("<p>Région : <select><option>Nord<option>Sud</select></p>", "Région : Nord / Sud"),
        ("<p>Région : <select><option>Nord<option selected>Sud</select></p>", "Région : ☐ Nord / ☑ Sud"),
        ('<p>Nom : <input value="Salma Ayari"></p>', "Nom : Salma Ayari"),
        ('<p><input type="checkbox" checked>accepté <input type="radio">refusé</p>', "☑ accepté ☐ refusé"),
        ('<p>Code <input type="hidden" value="x9"><input type="password" value="x9">reçu.</p>', "Code reçu."),
        ("<p>Aire : <svg><title>t</title><text>12 hectares</text></svg></p>", "Aire : 12 hectares"),
        ("<p>Soit <math><mi>a</mi><mo>=</mo><mn>2</mn></math> ici.</p>", "Soit a=2 ici."),
        ("<nav><p>La navigation est interdite la nuit.</p></nav>", "La navigation est interdite la nuit."),
        ("<dialog open><p>Le guichet ferme à midi.</p></dialog>", "Le guichet ferme à midi."),
    ],
)  # fmt: skip
def test_words_that_a_browser_draws_are_read(tmp_path: Path, markup: str, read: str) -> None:
    result = parsed(written(tmp_path / "a.html", f"<body><p>Avant.</p>{markup}<p>Fin.</p></body>"))
    assert [text for _, text in blocks(result)] == ["Avant.", read, "Fin."]
    assert result.warnings == ()


def test_legend_and_address_stand_apart_from_what_follows(tmp_path: Path) -> None:
    page = "<form><fieldset><legend>Demandeur</legend>Nom et adresse<address>12 rue du Port</address></fieldset></form>"
    result = parsed(written(tmp_path / "a.html", f"<body>{page}</body>"))
    assert [text for _, text in blocks(result)] == ["Demandeur", "Nom et adresse", "12 rue du Port"]


def test_menu_is_in_the_text_of_a_page_and_in_no_passage(tmp_path: Path) -> None:
    menu = "<nav><ul><li><a href=a>Accueil</a><li><a href=b>الموانئ</a></ul></nav>"
    result = parsed(written(tmp_path / "a.html", f"<body>{menu}<p>Le port ouvre à huit heures.</p></body>"))
    assert blocks(result) == [("paragraph", "Le port ouvre à huit heures.")]
    assert result.text.startswith("Accueil · الموانئ\n")
    assert result.warnings == ()


def test_menu_that_is_all_of_a_page_is_read(tmp_path: Path) -> None:
    menu = "<nav><ul><li><a href=a>Arrêtés de 2023</a><li><a href=b>Arrêtés de 2024</a></ul></nav>"
    result = parsed(written(tmp_path / "a.html", f"<title>Recueil</title><body>{menu}</body>"))
    assert [text for _, text in blocks(result)] == ["Arrêtés de 2023", "Arrêtés de 2024"]


def test_words_struck_as_deleted_are_left_out_and_counted(tmp_path: Path) -> None:
    page = "<body><p>Le prix est de <del>12 €</del> 15 €.</p><dialog><p>Fermé.</p></dialog></body>"
    result = parsed(written(tmp_path / "a.html", page))
    assert blocks(result) == [("paragraph", "Le prix est de 15 €.")]
    assert result.warnings == ("10 characters of hidden text were left out",)
