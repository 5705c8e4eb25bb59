"""What a nursery has in memory before its first document: all that its children need, and as little else as possible.

A child is a copy of its nursery. What the nursery has not loaded, each child loads again; what it holds, each child's fork
copies the page tables of, and its end clears away. Nothing untrusted is read here: the documents that are read to fill the
caches of the parsers are made in this module.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ingest.parsing import ParsingSettings

_HUGE = 2 * 1024 * 1024
_MADV_COLLAPSE = 25
"""linux/mman.h; Linux 6.1 and later, elsewhere an error without consequence."""
_FRENCH = (
    "Arrêté n° 2024-12 du 3 mai 2024",
    "Chapitre II – Des tarifs",
    "Article 3",
    "Vu la loi n° 2016-1321 du 7 octobre 2016 et l'article L. 2121-29 du code civil ;",
    "1. Le maire de la commune signe l'arrêté ; il en informe les services, qui l'appliquent sans délai.",
    "Fait à Montclair, le 3 mai 2024.",
)
_ENGLISH = (
    "Section 3.2 Fees",
    "The council sets the fees for each service every year. They are published on 1 May 2024.",
)
_ARABIC = ("المادة 5", "يسري هذا القانون رقم 12.3 على جميع المصالح ابتداء من 3 مايو 2024.")
_TABLE = (("Acte", "Prix", "Délai"), ("Copie", "2 €", "3 jours"))


def preload(read: Callable[[Path, ParsingSettings], object]) -> None:
    """Load what parsing needs, have `read` read a document of each frequent kind, and make the memory cheap to fork.

    Without torch, which spaCy would load and nobody here uses, this process starts in half the time.
    """
    sys.modules["torch"] = None  # type: ignore[assignment]  # as documented for `import`: ModuleNotFoundError
    # `unstructured` would lock an installation that is never made; the library looks at its locks in every fork.
    locks = ModuleType("filelock")
    locks.FileLock = None  # type: ignore[attr-defined]  # an attribute of the module that it stands for
    sys.modules[locks.__name__] = locks
    import numpy.ma  # noqa: F401 - what numpy would load at the first median
    from PIL import Image, ImageChops, ImageOps, TiffImagePlugin  # noqa: F401 - what OCR works and writes with

    from assistant.language import detect_language
    from ingest import containers, images, office, pdf  # noqa: F401

    office.preload()
    Image.preinit()
    for lines in (_FRENCH, _ENGLISH, _ARABIC):
        detect_language(" ".join(lines))
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory() as folder:  # a full disk is no reason not to start
        for document in make_documents(Path(folder)):
            read(document, ParsingSettings(ocr=False))
    # A child's collector would write into, and so copy, every page of what is loaded here.
    gc.collect()
    gc.freeze()
    _collapse()


def _collapse() -> None:
    """Give free memory back and have the rest held in huge pages, whose tables are copied and cleared in no time."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
            if rights != "rw-p" or inode != "0" or name == ["[stack]"]:
                continue
            start, end = (int(address, 16) for address in addresses.split("-"))
            first, last = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
            if first < last:
                libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _MADV_COLLAPSE)


# --- documents of our own ------------------------------------------------------------------------------------------


def make_documents(folder: Path) -> list[Path]:
    """A small document of each frequent kind, written to `folder`."""
    paragraphs = (*_FRENCH, *_ENGLISH, *_ARABIC)
    body = "".join(f"<p>{line}</p>" for line in paragraphs)
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in _TABLE)
    page = (
        f"<html><head><title>{_FRENCH[0]}</title><style>.a {{ color: red }}</style></head><body><h1>{_FRENCH[0]}</h1>"
        f"{body}<ul><li>un</li><li>deux</li></ul><table>{cells}</table></body></html>"
    )
    texts = {
        "a.txt": "\n\n".join(paragraphs),
        "b.txt": "\n\n".join(_ARABIC),
        "a.md": "# " + "\n\n".join(paragraphs) + "\n\n- un\n- deux\n\n| Acte | Prix |\n|---|---|\n| Copie | 2 |\n",
        "a.html": page,
        "a.csv": "\n".join(";".join(row) for row in _TABLE),
        "a.xml": f'<?xml version="1.0"?><act><title>{_FRENCH[0]}</title>{body}</act>',
        "a.eml": "From: A <a@example.org>\nTo: b@example.org\nSubject: Note\nDate: Fri, 3 May 2024 10:00:00 +0200\n"
        f"MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n{page}",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "c.txt").write_bytes("\n\n".join(_FRENCH).encode("cp1252"))
    (folder / "a.rtf").write_bytes(b"{\\rtf1\\ansi\\ansicpg1252 " + b"\\par ".join(_in_latin(_FRENCH)) + b"}")
    (folder / "a.pdf").write_bytes(_pdf())
    _write_odt(folder / "a.odt", body.replace("<p>", "<text:p>").replace("</p>", "</text:p>"))
    _write_office_files(folder)
    return sorted(folder.iterdir())


def _in_latin(lines: tuple[str, ...]) -> list[bytes]:
    return [line.encode("cp1252") for line in lines]


def _pdf() -> bytes:
    """Two pages of text in two sizes, with a gap as between table cells; pdfium finds the objects without a table of them."""
    lines = [line.replace(b"(", b"").replace(b")", b"") for line in _in_latin((*_FRENCH, *_ENGLISH))]
    shown = b" Tj T* ".join(b"(" + line + b")" for line in lines) + b" Tj"
    content = b"BT /F 16 Tf 72 760 Td 18 TL (" + lines[0] + b") Tj T* /F 10 Tf 12 TL T* " + shown + b" ET "
    content += b"BT /F 10 Tf 72 400 Td (Acte) Tj 200 0 Td (Prix) Tj 0 -14 Td (2) Tj ET 0.9 g 60 380 100 40 re f"
    resources = b"/Resources << /Font << /F 5 0 R >> >> /MediaBox [0 0 595 842] /Contents 6 0 R"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R " + resources + b" >>",
        b"<< /Type /Page /Parent 2 0 R " + resources + b" >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
    )
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + numbered + b"trailer\n<< /Root 1 0 R /Size 7 >>\n%%EOF\n"


def _write_odt(path: Path, body: str) -> None:
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<office:document-content xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0"><office:body>'
        f"<office:text>{body}</office:text></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)


def _write_office_files(folder: Path) -> None:
    import docx
    import openpyxl
    import pptx

    word = docx.Document()
    word.add_heading(_FRENCH[0], 1)
    for line in (*_FRENCH, *_ENGLISH, *_ARABIC):
        word.add_paragraph(line)
    word.add_paragraph("un", style="List Bullet")
    table = word.add_table(len(_TABLE), len(_TABLE[0]))
    for row, texts in zip(table.rows, _TABLE, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    word.save(str(folder / "a.docx"))
    book = openpyxl.Workbook()
    for texts in _TABLE:
        book.active.append(texts)
    book.save(folder / "a.xlsx")
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text = _FRENCH[0]
    slide.placeholders[1].text = _FRENCH[4]
    slides.save(str(folder / "a.pptx"))
