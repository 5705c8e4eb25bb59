"""Files made to break a reader: each ends in the state that is expected of it, and the nursery reads the next one."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import isolation
from ingest.confinement import descendants
from ingest.isolation import parse_isolated
from ingest.parsing import Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.sources import walk
from tests.shared import shared_data

SETTINGS = ParsingSettings(wall_s=60, cpu_s=60, memory_bytes=1024 * 1024 * 1024)
CATEGORIES = {category.value for category in RejectionCategory}
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a shared manifest; without the shared data one line, whose test then says so."""
    file = _BESIDE / name / "manifest.jsonl"
    if not file.is_file():
        return [{"file": ""}]
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True, scope="module")
def _nurseries_end() -> Iterator[None]:
    yield
    isolation.close()


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[[Path], Parsed | Rejected]:
    """Reads a file as the service does; afterwards the same nursery is idle, without children, and nothing is left."""

    def read(path: Path) -> Parsed | Rejected:
        warm_up(tmp_path)
        nursery = isolation._idle[-1]
        settings = ParsingSettings(
            wall_s=SETTINGS.wall_s, cpu_s=SETTINGS.cpu_s, memory_bytes=SETTINGS.memory_bytes, work_folder=tmp_path / "w"
        )
        before = resident_mb(nursery._process.pid)
        with parse_isolated(path, file_name=path.name, settings=settings) as result:
            pass
        assert isolation._idle[-1] is nursery, "the nursery was lost"
        assert list(descendants(nursery._process.pid)) == []
        assert list((tmp_path / "w").iterdir()) == []
        assert resident_mb(nursery._process.pid) < before + 8, "the nursery grew"
        if isinstance(result, Rejected):
            assert result.category in CATEGORIES
            assert result.message
            assert str(tmp_path) not in result.message
        return result

    return read


def warm_up(folder: Path) -> None:
    if not isolation._idle:
        (folder / "first.txt").write_text("Un premier texte.")
        with parse_isolated(folder / "first.txt", file_name="first.txt", settings=SETTINGS) as result:
            assert isinstance(result, Parsed)


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.parametrize("row", rows("hostile"), ids=lambda row: row["file"])
def test_shared_hostile_file_ends_as_its_manifest_expects(
    row: dict[str, str], outcome: Callable[[Path], Parsed | Rejected]
) -> None:
    result = outcome(shared_data() / "hostile" / row["file"])
    if row["expect"] == "reject":
        assert isinstance(result, Rejected)
    if isinstance(result, Parsed):
        assert any(character.isalnum() for character in result.text)
        assert "root:" not in result.text, "a local file was read"
        if "contains" in row:
            assert row["contains"] in result.text


# --- made here -----------------------------------------------------------------------------------------------------


def pdf(*objects: bytes, root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with its table."""
    parts, places, length = [b"%PDF-1.4\n"], [], 9
    for number, content in enumerate(objects, start=1):
        places.append(length)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        length += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (count, root, length))
    return b"".join(parts)


def flate(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def pdf_of_many_pages() -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 100_003))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
    tree = b"<< /Type /Pages /Count 100000 /Kids [%s] >>" % kids
    return pdf(b"<< /Type /Catalog /Pages 2 0 R >>", tree, *([page] * 100_000))


def png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def docx(document: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/document.xml", document)
    return buffer.getvalue()


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>"
)
FORM = (
    b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >> /Length 5 >>"
    b"\nstream\n/F Do\nendstream"
)
LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
ENTITIES = f'<!DOCTYPE x [<!ENTITY e0 "ha">{LAUGHS}]><x>&e11;</x>'.encode()
OUTSIDE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
MADE: dict[str, Callable[[], bytes]] = {
    "deep.html": lambda: b"<div>" * 100_000 + b"fin" + b"</div>" * 100_000,
    "deep.xml": lambda: b"<a>" * 100_000 + b"fin" + b"</a>" * 100_000,
    "deep.rtf": lambda: b"{\\rtf1 " + b"{" * 100_000 + b"fin" + b"}" * 100_000 + b"}",
    "deep.md": lambda: b">" * 50_000 + b" fin\n" + b"[" * 50_000,
    "cycle-pages.pdf": lambda: pdf(CATALOG, b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>"),
    "cycle-form.pdf": lambda: pdf(CATALOG, ONE_PAGE, PAGE, flate(b"/F Do"), FORM),
    "cycle-object.pdf": lambda: pdf(b"1 0 R"),
    "bomb.pdf": lambda: pdf(CATALOG, ONE_PAGE, PAGE, flate(b"q " * 300_000_000), FORM),
    "pages.pdf": pdf_of_many_pages,
    "bomb.png": lambda: png(60_000, 60_000, zlib.compress(bytes(10_000_000), 9)),
    "cheat.png": lambda: png(8_000, 8_000, zlib.compress(b"")),
    "bomb.docx": lambda: docx(b"<w:document>" + b" " * 300_000_000),
    "deep.docx": lambda: docx(b"<w:a>" * 200_000),
    "entities.docx": lambda: docx(ENTITIES),
    "outside.docx": lambda: docx(OUTSIDE),
    "entities.xml": lambda: ENTITIES,
    "outside.xml": lambda: OUTSIDE,
    "entities.html": lambda: b"<html>" + ENTITIES,
    "zero.docx": lambda: b"",
    "named.docx": lambda: b"\x89PNG\r\n\x1a\n",
    "named.png": lambda: b"%PDF-1.4\n%%EOF",
    "named.pdf": lambda: docx(b"<w:document/>"),
    "nulls.txt": lambda: bytes(1_000_000),
    "line.txt": lambda: b"a" * 30_000_000,
    "line.csv": lambda: b"a," * 5_000_000,
    "noise.eml": lambda: b"From: a\nTo: b\nSubject: " + b"=?utf-8?q?" * 100_000,
}


@pytest.mark.parametrize("name", MADE)
def test_hostile_file_made_here_gets_an_answer(
    name: str, tmp_path: Path, outcome: Callable[[Path], Parsed | Rejected]
) -> None:
    file = tmp_path / name
    file.write_bytes(MADE[name]())
    result = outcome(file)
    if isinstance(result, Parsed):
        assert "root:" not in result.text, "a local file was read"
        assert len(result.text) < 60_000_000


@pytest.mark.parametrize(
    ("name", "category"),
    [("pages.pdf", "too_large"), ("bomb.png", "too_large"), ("zero.docx", "empty_file"), ("bomb.docx", "too_large")],
)
def test_reason_says_what_is_wrong(
    name: str, category: str, tmp_path: Path, outcome: Callable[[Path], Parsed | Rejected]
) -> None:
    file = tmp_path / name
    file.write_bytes(MADE[name]())
    result = outcome(file)
    assert isinstance(result, Rejected)
    assert result.category == category


@pytest.mark.parametrize("row", rows("documents"), ids=lambda row: row["file"])
def test_file_that_was_cut_off_gets_an_answer(
    row: dict[str, str], tmp_path: Path, outcome: Callable[[Path], Parsed | Rejected]
) -> None:
    whole = shared_data() / "documents" / row["file"]
    content = whole.read_bytes()
    for percent in (10, 50, 90):
        cut = tmp_path / f"{percent}{whole.suffix}"
        cut.write_bytes(content[: len(content) * percent // 100])
        outcome(cut)


@pytest.mark.parametrize(
    "name", ["a\nb.txt", "\u202etxt.exe.txt", "é" * 125 + ".txt", " .txt", "-rf.txt", "a\x1b[31m.txt"]
)
def test_strange_name_is_found_and_read(
    name: str, tmp_path: Path, outcome: Callable[[Path], Parsed | Rejected]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_text("Un texte lisible.")
    assert isinstance(outcome(folder / name), Parsed)
    assert [found.path for found in walk([folder])] == [folder / name]
