"""Office files, web pages, text and mail: what is read, and that nothing is asked of the network."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from assistant.types import BlockKind
from ingest.encoding import decoded
from ingest.parsing import UNKNOWN, ZIP, detect_media_type, unsupported
from tests.ingest import reading
from tests.ingest.reading import blocks, parsed, written
from tests.shared import shared_data

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "configs" / "demo" / "documents"


def rejected(path: Path) -> str:
    return reading.rejected(path).category


OFFLINE = """
import sys
attempts = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        attempts.append((event, arguments[-1:]))
        raise RuntimeError(f"network: {event}")
sys.addaudithook(hook)
from pathlib import Path
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings
for name in sys.argv[1:]:
    result = parse_here(Path(name), ParsingSettings())
    assert isinstance(result, Parsed), (name, result)
assert not attempts, attempts
assert "en_core_web_sm" not in sys.modules
"""


def test_no_format_attempts_a_connection(tmp_path: Path) -> None:
    files = [next((DEMO / "fr").glob(f"*.{suffix}")) for suffix in ("docx", "odt", "html", "eml")]
    files.append(next((DEMO / "en").glob("*.md")))
    real = shared_data() / "documents"
    files += [next(real.rglob(f"*.{suffix}")) for suffix in ("xlsx", "pptx", "rtf", "epub")]
    files += [written(tmp_path / "a.xml", '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a>texte</a>')]
    run = subprocess.run(
        [sys.executable, "-c", OFFLINE, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_plain_text_does_not_load_unstructured() -> None:
    code = "import sys; from ingest import office; sys.exit('unstructured' in sys.modules or 'spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_word_file_keeps_headings_lists_and_tables(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "Note sur l'accueil"
    document.add_heading("Horaires", 1)
    document.add_paragraph("Le bureau ouvre à 8 h 30. Il ferme à 17 h.")
    document.add_paragraph("apporter une pièce d'identité ;", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Acte", "Prix", "Copie", "2 €"), strict=True):
        cell.text = text
    document.save(str(tmp_path / "a.docx"))
    result = parsed(tmp_path / "a.docx")
    assert result.title == "Note sur l'accueil"
    assert blocks(result) == [
        ("heading", "Horaires"),
        ("paragraph", "Le bureau ouvre à 8 h 30. Il ferme à 17 h."),
        ("list item", "apporter une pièce d'identité ;"),
        ("table", "Acte | Prix\nCopie | 2 €"),
    ]


def test_watermark_of_a_word_file_is_text_and_no_passage(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Le conseil se réunit.")
    names = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'
    )
    mark = f'<w:r {names}><w:pict><v:shape><v:textpath string="CONFIDENTIEL"/></v:shape></w:pict></w:r>'
    document.sections[0].header.paragraphs[0]._p.append(parse_xml(mark))
    document.save(str(tmp_path / "a.docx"))
    result = parsed(tmp_path / "a.docx")
    assert result.text == "CONFIDENTIEL\n\nLe conseil se réunit."
    assert blocks(result) == [("paragraph", "Le conseil se réunit.")]


def test_arabic_word_file_reads_as_arabic() -> None:
    result = parsed(DEMO / "ar" / "istimarat-musaada-sakan.docx")
    assert result.language == "ar"
    assert "درجة التداول: عام" in result.text
    assert "شخصان | 145 يورو | 12 شهرا" in result.text


def test_open_document_text_reads_with_its_table_and_title() -> None:
    result = parsed(DEMO / "fr" / "note-seuils-marches-2024.odt")
    assert result.title == "Note n° 2024-02 relative aux seuils et procédures d'achat"
    assert any(kind == "table" and text.startswith("Montant estimé hors taxes | ") for kind, text in blocks(result))


def test_web_page_gives_title_date_structure_and_no_scripts(tmp_path: Path) -> None:
    page = (
        "<html><head><meta charset='utf-8'><title>Avis &amp; alerte</title><meta name='dcterms.date' content='2024-07-08'>"
        "<script>var x = 'piège';</script></head><body><h1>Restrictions</h1><p>Le niveau 2 s'applique.</p>"
        "<table><tr><th>Usage</th><th>Heures</th></tr><tr><td>Jardin</td><td>20 h</td></tr></table></body></html>"
    )
    result = parsed(written(tmp_path / "a.html", page))
    assert (result.title, result.date, result.language) == ("Avis & alerte", "2024-07-08", "fr")
    assert blocks(result) == [
        ("heading", "Restrictions"),
        ("paragraph", "Le niveau 2 s'applique."),
        ("table", "Usage | Heures\nJardin | 20 h"),
    ]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        (
            "<header><h1>Arrêté</h1></header><main><p>Un.</p></main><main><p>Deux.</p></main>",
            ["Arrêté", "Un.", "Deux."],
        ),
        ("<form action=x><p>Toute la page.</p><label>Nom</label></form>", ["Toute la page.", "Nom"]),
        ("<figure><table><tr><td>A</td></tr></table><figcaption>Source</figcaption></figure>", ["A", "Source"]),
        ("<details><summary>Annexe</summary><p>Texte.</p></details>", ["Annexe", "Texte."]),
        ("<p>Voir</p><table><caption>Tarifs 2024</caption><tr><td>A</td></tr></table>", ["Voir", "Tarifs 2024", "A"]),
        ("<p>Motif :</p><textarea>Déménagement</textarea>", ["Motif :", "Déménagement"]),
    ],
)
def test_everything_that_stands_on_a_web_page_is_read(tmp_path: Path, page: str, lines: list[str]) -> None:
    result = parsed(written(tmp_path / "a.html", f"<html><body>{page}</body></html>"))
    assert [text for _, text in blocks(result)] == lines


def test_markdown_gives_headings_by_level(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.md", "# Guide\n\nTexte du guide.\n\n## Partie\n\n- un point\n"))
    assert [(b.kind, b.heading_level) for b in result.blocks] == [
        (BlockKind.HEADING, 1), (BlockKind.PARAGRAPH, 0), (BlockKind.HEADING, 2), (BlockKind.LIST_ITEM, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("L'été, à l'hôpital : 12 €", "utf-8"),
        ("L'été, à l'hôpital : 12 €", "utf-8-sig"),
        ("L'été, à l'hôpital : 12 €", "cp1252"),
        ("L'été, à l'hôpital", "utf-16"),
        ("Plain text", "utf-16-le"),
        ("المملكة المغربية، المادة الأولى", "cp1256"),
        ("المملكة المغربية", "utf-8"),
    ],
)
def test_encodings_of_french_and_arabic_offices_are_recognised(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding)) == text


def test_real_french_text_of_windows_is_read() -> None:
    result = parsed(shared_data() / "documents" / "fr" / "txt" / "F199-diplomes-cp1252.txt")
    assert "nomenclature des diplômes" in result.text


def test_plain_text_finds_articles_and_paragraphs(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.txt", "Article 1 – Objet\nLe texte\nva à la ligne.\n\nAutre alinéa.\n"))
    assert blocks(result) == [
        ("heading", "Article 1 – Objet"),
        ("paragraph", "Le texte\nva à la ligne."),
        ("paragraph", "Autre alinéa."),
    ]


def mail(body: str, *, attach: bool = True) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Session de juin"
    message["From"] = "Claire <claire@montclair.example>"
    message["Date"] = "Tue, 14 May 2024 09:00:00 +0200"
    message.set_content(body)
    if attach:
        message.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="../../programme.pdf")
    return message


def test_mail_gives_subject_date_body_and_attachments_with_bare_names(tmp_path: Path) -> None:
    result = parsed(
        written(tmp_path / "a.eml", mail("Mesdames, Messieurs,\n\nLa session est ouverte à tous.\n").as_bytes())
    )
    assert (result.title, result.date) == ("Session de juin", "2024-05-14")
    assert blocks(result) == [("paragraph", "Mesdames, Messieurs,"), ("paragraph", "La session est ouverte à tous.")]
    assert "From: Claire <claire@montclair.example>" in result.text
    assert [(a.file_name, a.path.read_bytes()) for a in result.attachments] == [("programme.pdf", b"%PDF-1.4 x")]


def test_mail_with_nothing_but_an_attachment_is_not_lost(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.eml", mail("").as_bytes()))
    assert len(result.attachments) == 1
    assert rejected(written(tmp_path / "b.eml", mail("", attach=False).as_bytes())) == "no_text"


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.md"])
def test_white_space_is_never_a_success(tmp_path: Path, name: str) -> None:
    assert rejected(written(tmp_path / name, " \n\t\n")) == "no_text"


def test_archive_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 60_000_000)
    assert rejected(tmp_path / "a.docx") == "too_large"


def test_locked_files_are_reported_as_such(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.odt", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    assert rejected(tmp_path / "a.odt") == "password_needed"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.pdf", b"Bonjour, ceci est du texte", "text/plain"),
        ("a.txt", b"%PDF-1.7 ...", "application/pdf"),
        ("a.pdf", b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7 ...", "application/pdf"),
        ("a.pdf", bytes(128) + b"%PDF-1.7 ...", "application/pdf"),
        ("a.txt", b"A file that begins with %PDF-1.7 is a PDF.", "text/plain"),
        ("a.txt", b"<html><body><p>x</p></body></html>", "text/html"),
        ("a.xml", b"<?xml version='1.0'?><a/>", "application/xml"),
        ("a.md", b"# Titre", "text/markdown"),
        ("a.csv", b"a;b\n1;2", "text/csv"),
        ("a.csv", b"<html><body><p>x</p></body></html>", "text/html"),
        ("a.txt", b"a;b\n1;2", "text/plain"),
        ("a.doc", b"{\\rtf1 x}", "application/rtf"),
        ("a.txt", b"# Titre", "text/plain"),
        ("a", b"From: a\nTo: b\nSubject: c\n\nx", "message/rfc822"),
        ("a.txt", b"To: whom it may concern\n\nx", "text/plain"),
        ("a.txt", b"\x00\x01\x02\x03" * 50, "application/octet-stream"),
        ("a.docx", b"PK\x03\x04broken", "application/zip"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        ("a.txt", b"", "application/x-empty"),
    ],
)  # fmt: skip
def test_type_is_decided_by_content(tmp_path: Path, name: str, content: bytes, media_type: str) -> None:
    assert detect_media_type(written(tmp_path / name, content)) == media_type


@pytest.mark.parametrize(
    "media_type",
    [
        "application/postscript",
        "application/x-7z-compressed",
        "x/y",
        ZIP,
        UNKNOWN,
    ],
)
def test_reason_never_shows_a_media_type(media_type: str) -> None:
    message = unsupported(media_type).message
    assert "/" not in message
    assert " is not read yet; " in message


def with_inside(path: Path, inside: str) -> Path:
    """A Word file with one paragraph, of this WordprocessingML."""
    spaces = f'{nsdecls("w")} xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    document = docx.Document()
    document.element.body.insert(0, parse_xml(f"<w:p {spaces}>{inside}</w:p>"))
    document.save(str(path))
    return path


@pytest.mark.parametrize(
    ("font", "code", "shown"),
    [
        ("Wingdings", "F0FE", "☑"),
        ("Wingdings", "F0FD", "☒"),
        ("Wingdings", "F0A8", "☐"),
        ("Wingdings", "F06F", "☐"),
        ("Wingdings", "F0FC", "✓"),
        ("Wingdings 2", "F052", "☑"),
        ("Wingdings 2", "F0A3", "☐"),
        ("Wingdings 2", "0050", "✓"),
    ],
)
def test_box_set_as_a_symbol_says_whether_it_is_ticked(tmp_path: Path, font: str, code: str, shown: str) -> None:
    inside = f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r><w:r><w:t xml:space="preserve"> marié</w:t></w:r>'
    assert blocks(parsed(with_inside(tmp_path / "a.docx", inside))) == [("paragraph", f"{shown} marié")]


def test_formula_of_a_word_file_is_read_on_one_line(tmp_path: Path) -> None:
    letter = "<m:r><m:t>{}</m:t></m:r>".format
    power = f"<m:sSup><m:e>{letter('x')}</m:e><m:sup>{letter('2')}</m:sup></m:sSup>"
    fraction = f"<m:f><m:num>{power}</m:num><m:den>{letter('n+1')}</m:den></m:f>"
    formula = f"<m:oMath>{letter('T=')}{fraction}</m:oMath>"
    inside = f"<w:r><w:t>Le taux</w:t></w:r>{formula}<w:r><w:t>s'applique.</w:t></w:r>"
    assert blocks(parsed(with_inside(tmp_path / "a.docx", inside))) == [
        ("paragraph", "Le taux T=(x^2)/(n+1) s'applique.")
    ]
    alone = parsed(with_inside(tmp_path / "b.docx", f"<m:oMathPara>{formula}{formula}</m:oMathPara>"))
    assert " ".join(alone.text.split()) == "T=(x^2)/(n+1) T=(x^2)/(n+1)"


def test_hidden_formula_is_left_out(tmp_path: Path) -> None:
    formula = "<m:oMath><m:r><w:rPr><w:vanish/></w:rPr><m:t>x=1</m:t></m:r></m:oMath>"
    result = parsed(with_inside(tmp_path / "a.docx", f"<w:r><w:t>Le taux.</w:t></w:r>{formula}"))
    assert blocks(result) == [("paragraph", "Le taux.")]


@pytest.mark.parametrize("style", ["List Number", "List Bullet", "List Paragraph"])
def test_lone_item_of_a_numbered_list_is_no_heading(tmp_path: Path, style: str) -> None:
    document = docx.Document()
    document.add_paragraph("Pièces à fournir au guichet.")
    document.add_paragraph("1. Apporter la carte", style=style)
    document.add_paragraph("Le dossier est complet.")
    document.save(str(tmp_path / "a.docx"))
    assert [kind for kind, _ in blocks(parsed(tmp_path / "a.docx"))] == ["paragraph", "list item", "paragraph"]
