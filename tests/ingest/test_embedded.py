"""A scan pasted into a letter, a slide or a sheet is read; a logo or a photograph is not."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import docx
import openpyxl
import pptx
import pytest
from docx.shared import Cm
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image, ImageDraw, ImageFont

from assistant.access import Label
from assistant.build import opened
from assistant.config import load_settings
from ingest.parsing import ParsingSettings
from tests.ingest.making import made
from tests.ingest.reading import parsed, rejected
from tests.ingest.test_ocr import need_tesseract
from tests.worlds import ARCHIVIST, instance_file

SENTENCE = "Le maire fixe chaque annee le tarif des salles communales par une decision ecrite."
LETTER = "Veuillez trouver ci-dessous la décision signée."


def scan(form: str = "PNG", *, text: str = SENTENCE, size: tuple[int, int] = (900, 1270)) -> bytes:
    image = Image.new("L", size, 255)
    for row in range(8 if text else 0):
        ImageDraw.Draw(image).text((60, 100 + 60 * row), text[:60], fill=0, font=ImageFont.load_default(26))
    return saved(image, form)


def saved(image: Image.Image, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def photograph() -> bytes:
    picked = random.Random(4)
    small = Image.new("RGB", (30, 20))
    small.putdata([tuple(picked.randrange(256) for _ in range(3)) for _ in range(600)])
    return saved(small.resize((1200, 800), Image.Resampling.BICUBIC), "JPEG")


def letter(path: Path, *pictures: bytes, text: str = LETTER) -> Path:
    document = docx.Document()
    if text:
        document.add_paragraph(text)
    for picture in pictures:
        document.add_picture(io.BytesIO(picture), width=Cm(15))
    document.save(str(path))
    return path


def slides(path: Path, picture: bytes) -> Path:
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Bilan"
    deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_picture(io.BytesIO(picture), 0, 0)
    deck.save(str(path))
    return path


def sheet(path: Path, picture: bytes) -> Path:
    book = openpyxl.Workbook()
    book.active["A1"] = "Pièce jointe"
    book.active.add_image(SheetImage(io.BytesIO(picture)), "B2")
    book.save(path)
    return path


def book(path: Path, picture: bytes) -> Path:
    with ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="book.opf"/></rootfiles></container>',
        )
        package.writestr(
            "book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        package.writestr("a.xhtml", '<html><body><p>Registre</p><img src="p1.png"/></body></html>')
        package.writestr("p1.png", picture)
    return path


@pytest.mark.parametrize(
    ("make", "name"), [(letter, "a.docx"), (slides, "a.pptx"), (sheet, "a.xlsx"), (book, "a.epub")]
)
def test_scan_in_a_file_is_a_document_of_its_own(
    tmp_path: Path, make: Callable[[Path, bytes], Path], name: str
) -> None:
    need_tesseract()
    result = parsed(make(tmp_path / name, scan()))
    (picture,) = result.attachments
    assert picture.file_name.endswith(".png")
    assert picture.path.read_bytes() == scan()
    assert not result.container


@pytest.mark.parametrize("suffix", [".odt", ".doc", ".rtf"])
def test_scan_in_what_an_office_saved_is_a_document_of_its_own(tmp_path: Path, suffix: str) -> None:
    need_tesseract()
    source = letter(tmp_path / "a.docx", scan("JPEG"))
    target = (
        made(source, tmp_path / f"b{suffix}") if suffix != ".rtf" else with_digits(tmp_path / "b.rtf", scan("JPEG"))
    )
    result = parsed(target)
    assert LETTER in result.text
    assert [one.path.read_bytes() for one in result.attachments] == [scan("JPEG")]


def with_digits(path: Path, picture: bytes) -> Path:
    head = rf"{{\rtf1\ansi\ansicpg1252 {LETTER}".encode("cp1252")
    path.write_bytes(
        head + rb"\par{\pict{\*\picprop}\picw900\pich1270\jpegblip" + b"\r\n" + picture.hex().encode() + b"}}"
    )
    return path


def test_file_of_nothing_but_scans_carries_them_all(tmp_path: Path) -> None:
    pictures = [scan(text=f"Page {number} {SENTENCE}") for number in (1, 2, 3)]
    result = parsed(letter(tmp_path / "a.docx", *pictures, pictures[0], text=""), ParsingSettings(ocr=False))
    assert (result.container, result.text) == (True, "")
    assert [one.path.read_bytes() for one in result.attachments] == pictures
    assert [one.file_name for one in result.attachments] == ["a (1).png", "a (2).png", "a (3).png"]


@pytest.mark.parametrize(
    "picture",
    [photograph(), scan(text="Mairie"), scan(size=(300, 1700)), scan(text="", size=(900, 1270))],
    ids=["photograph", "one word", "strip", "blank"],
)
def test_ornament_in_a_letter_is_no_document(tmp_path: Path, picture: bytes) -> None:
    need_tesseract()
    assert parsed(letter(tmp_path / "a.docx", picture)).attachments == ()


def test_picture_that_the_letter_no_longer_shows_is_no_document(tmp_path: Path) -> None:
    whole = letter(tmp_path / "a.docx", scan())
    with ZipFile(whole) as package, ZipFile(tmp_path / "b.docx", "w") as rest:
        for name in package.namelist():
            content = package.read(name)
            rest.writestr(
                name, content.replace(b"r:embed=", b"r:forgotten=") if name == "word/document.xml" else content
            )
    assert parsed(tmp_path / "b.docx").attachments == ()


def test_without_ocr_the_scan_is_still_handed_on(tmp_path: Path) -> None:
    assert len(parsed(letter(tmp_path / "a.docx", scan()), ParsingSettings(ocr=False)).attachments) == 1


def test_scan_in_a_letter_is_labelled_found_and_erased_with_it(tmp_path: Path) -> None:
    need_tesseract()
    with opened(load_settings(instance_file(tmp_path))) as parts:
        parts.ingestion.start()
        for name, text in (("avis.docx", LETTER), ("registre.docx", "")):
            file = letter(tmp_path / name, scan(text=f"{name[:4]} {SENTENCE}"), text=text)
            parts.ingestion.accept(file, source=name, principal=ARCHIVIST, label=Label.parse("internal/health"))
        assert parts.ingestion.wait_idle(120)
        found = {one.source: one for one in parts.ingestion.documents(ARCHIVIST)}
        assert {(source, one.state.value, one.label) for source, one in found.items()} == {
            (source, "done", "internal/health")
            for source in ("avis.docx", "avis.docx!/avis (1).png", "registre.docx", "registre.docx!/registre (1).png")
        }
        reason = "nothing but 1 picture; it is listed as a document of its own"
        assert (found["registre.docx"].reason, found["avis.docx"].reason) == (reason, "")
        for source in ("avis.docx", "registre.docx"):
            parts.ingestion.remove(found[source].document_id, ARCHIVIST, with_attachments=True)
        assert list(parts.ingestion.documents(ARCHIVIST)) == []


def test_letter_of_nothing_but_a_logo_is_refused(tmp_path: Path) -> None:
    assert rejected(letter(tmp_path / "a.docx", scan(size=(300, 300)), text="")).category == "no_text"
