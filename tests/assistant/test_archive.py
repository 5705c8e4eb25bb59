import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from assistant.archive import Archive, line_boxes
from assistant.errors import NotFound, ServiceUnavailable
from assistant.types import Box, CharacterRun, Document, Page, Span, Word
from tests.worlds import INTERNAL, RESTRICTED_TAX, document, reader


def test_document_comes_back_unaltered(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    stored = document("Le délai est de trente jours.\n\nالمادة 5 ﷲ\u200b\n", pages=2)
    archive.put(stored)
    assert archive.document(stored.id, reader("public")) == stored


def test_reader_below_the_label_gets_the_words_of_absence(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    hidden = document("secret", label=RESTRICTED_TAX, pages=1)
    archive.put(hidden)
    weak = reader("internal")
    absent = _message(lambda: archive.document("no-such-document", weak))
    assert _message(lambda: archive.document(hidden.id, weak)) == absent
    assert _message(lambda: archive.page(hidden.id, 1, weak)) == absent
    assert _message(lambda: archive.page_image(hidden.id, 1, weak)) == absent
    assert _message(lambda: archive.original(hidden.id, weak)) == absent


def test_compartment_is_needed_as_well_as_level(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    hidden = document("secret", label=RESTRICTED_TAX)
    archive.put(hidden)
    with pytest.raises(NotFound):
        archive.document(hidden.id, reader("secret"))
    assert archive.document(hidden.id, reader("restricted/tax")).text == "secret"


def test_raised_label_counts_at_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.put(document("texte"))
    archive.put(document("texte", label=INTERNAL))
    with pytest.raises(NotFound):
        archive.document("document-note.txt", reader("public"))


def test_newest_version_is_the_default_and_the_old_one_can_go(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.put(document("ancien", version="v1"))
    archive.put(document("nouveau", version="v2"))
    who = reader("public")
    assert archive.document("document-note.txt", who).text == "nouveau"
    assert archive.document("document-note.txt", who, version="v1").text == "ancien"
    archive.keep_only("document-note.txt", "v2")
    with pytest.raises(NotFound):
        archive.document("document-note.txt", who, version="v1")


def test_removed_document_leaves_no_word_in_the_files(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    original = tmp_path / "note.txt"
    original.write_text("zyzomys pedunculatus", encoding="utf-8")
    version = archive.keep_original(original)
    original.unlink()
    archive.put(document("zyzomys pedunculatus", version=version, pages=1))
    archive.remove("document-note.txt", version=version)
    archive.close()
    left = [file for file in tmp_path.rglob("*") if file.is_file() and b"zyzomys" in file.read_bytes()]
    assert left == []


def test_same_bytes_are_kept_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"same")
        archive.keep_original(tmp_path / name)
    assert len([f for f in (tmp_path / "archive" / "originals").rglob("*") if f.is_file()]) == 1


def test_label_that_does_not_parse_is_readable_by_nobody(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.put(document("texte"))
    with archive._database.writing() as connection:
        connection.execute("UPDATE documents SET label = 'wide open'")
    with pytest.raises(NotFound):
        archive.document("document-note.txt", reader("secret/tax,health"))


def test_one_box_for_each_line() -> None:
    def word(start: int, left: float, top: float) -> Word:
        return Word(Span(start, start + 4), Box(left, top, left + 0.1, top + 0.02))

    page = Page(
        1, Span(0, 30), 595, 842, (word(0, 0.1, 0.1), word(5, 0.25, 0.1), word(10, 0.1, 0.14), word(20, 0.3, 0.14))
    )
    edges = [(b.left, b.top, b.right, b.bottom) for b in line_boxes(page, Span(0, 14))]
    assert edges == [pytest.approx((0.1, 0.1, 0.35, 0.12)), pytest.approx((0.1, 0.14, 0.2, 0.16))]


def _archived_pdf(tmp_path: Path, runs: tuple[tuple[CharacterRun, ...], ...]) -> tuple[Archive, Document]:
    """A one-page PDF that says "Bonjour le monde" 100 points from the left and the top, kept without its words."""
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(500, 500))
    canvas.drawString(100, 400, "Bonjour le monde")
    canvas.save()
    archive = Archive(tmp_path / "archive")
    version = archive.keep_original(tmp_path / "a.pdf")
    text = "Bonjour le monde\n"
    page = Page(1, Span(0, len(text)), 500, 500, runs=runs)
    stored = replace(document(text, name="a.pdf", version=version), pages=(page,), media_type="application/pdf")
    archive.put(stored)
    return archive, stored


def test_words_are_placed_when_a_page_is_first_looked_at_and_kept(tmp_path: Path) -> None:
    archive, stored = _archived_pdf(tmp_path, (((0, 16, 0),),))
    who = reader("public")
    boxes = archive.boxes(stored, Span(0, 7), who)
    assert [number for number, _ in boxes] == [1]
    assert (boxes[0][1].left, boxes[0][1].bottom) == (pytest.approx(0.2, abs=0.005), pytest.approx(0.2, abs=0.01))
    archive.original_path(stored.version).unlink()
    page = archive.page(stored.id, 1, who)
    assert [stored.text[word.span.start : word.span.end] for word in page.words] == ["Bonjour", "le", "monde"]
    assert page.runs == ()
    archive.close()


def test_words_that_cannot_be_placed_leave_the_quotation_without_boxes(tmp_path: Path) -> None:
    archive, stored = _archived_pdf(tmp_path, (((0, 16, 0),),))
    archive.original_path(stored.version).write_bytes(b"no longer a PDF")
    assert archive.boxes(stored, Span(0, 7), reader("public")) == ()
    with pytest.raises(ServiceUnavailable):
        archive.page(stored.id, 1, reader("public"))
    archive.close()


def test_runs_beyond_the_page_place_no_words(tmp_path: Path) -> None:
    archive, stored = _archived_pdf(tmp_path, (((0, 16, 900_000),),))
    assert archive.page(stored.id, 1, reader("public")).words == ()
    archive.close()


def _message(action: object) -> str:
    with pytest.raises(NotFound) as caught:
        action()  # type: ignore[operator]
    return str(caught.value)


def test_text_lies_sealed_in_the_file(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.put(replace(document("zyzomys pedunculatus", name="a"), title="zyzomys", file_name="zyzomys", pages=()))
    archive.close()
    assert [file for file in tmp_path.rglob("*") if file.is_file() and b"zyzomys" in file.read_bytes()] == []


def test_archive_of_an_earlier_version_is_sealed_when_it_is_opened(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    stored = document("zyzomys pedunculatus", name="note.txt", pages=2)
    archive.put(stored)
    opened = archive._readable_row(stored.id, reader("public"), None)
    with archive._database.writing() as connection:
        connection.execute("UPDATE documents SET text = ?, about = ?", (opened["text"], opened["about"]))
        connection.execute("ALTER TABLE documents DROP COLUMN checksum")
    archive.close()
    assert b"zyzomys" in (tmp_path / "archive.db").read_bytes()
    archive = Archive(tmp_path)
    assert archive.document(stored.id, reader("public")) == stored
    assert archive.intact(stored.id, stored.version)
    archive.close()
    assert b"zyzomys" not in (tmp_path / "archive.db").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET text = about",
        "UPDATE documents SET text = ''",
        "UPDATE documents SET text = CAST('plain' AS BLOB)",
        "DELETE FROM pages WHERE number = 2",
        "UPDATE pages SET words = CAST('x' AS BLOB) WHERE number = 1",
    ],
)
def test_damaged_text_is_not_intact(tmp_path: Path, damage: str) -> None:
    archive = Archive(tmp_path)
    stored = document("Un. Deux.", label=INTERNAL, pages=2)
    archive.put(stored)
    assert archive.intact(stored.id, stored.version)
    assert archive.stored_document(stored.id, stored.version) == stored
    with archive._database.writing() as connection:
        connection.execute(damage)
    assert not archive.intact(stored.id, stored.version)
    assert archive.stored_document(stored.id, stored.version) is None


def test_erasing_removes_every_version_and_spares_what_another_document_needs(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    versions = []
    for content in (b"one", b"two", b"three"):
        (tmp_path / "file").write_bytes(content)
        versions.append(archive.keep_original(tmp_path / "file"))
    for version in versions[:2]:
        archive.put(document("zyzomys", version=version, pages=3))
    held = archive.holdings("document-note.txt", versions, spare={versions[1]})
    assert (held.texts, held.pages, held.keys, held.shared_originals) == (2, 6, 1, (versions[1],))
    assert set(held.originals) == {versions[0], versions[2]}
    archive.erase("document-note.txt", versions, spare={versions[1]})
    assert [archive.original_path(version).is_file() for version in versions] == [False, True, False]
    left = archive.holdings("document-note.txt", versions)
    assert (left.texts, left.pages, left.keys) == (0, 0, 0)


def test_archive_of_an_earlier_release_opens_and_is_sealed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "archive.db")) as old, old:
        old.execute(
            "CREATE TABLE documents (document_id TEXT NOT NULL, version TEXT NOT NULL, label TEXT NOT NULL, about TEXT NOT NULL,"
            " text TEXT NOT NULL, stored INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (document_id, version))"
        )
        old.execute(
            "CREATE TABLE pages (document_id TEXT NOT NULL, version TEXT NOT NULL, number INTEGER NOT NULL, about TEXT NOT NULL,"
            " words BLOB NOT NULL, PRIMARY KEY (document_id, version, number))"
        )
        about = {"title": "T", "file_name": "t.txt", "source": "/t.txt", "media_type": "text/plain", "language": "fr",
                 "date": None, "parser": "text", "blocks": []}  # fmt: skip
        old.execute(
            "INSERT INTO documents (document_id, version, label, about, text) VALUES ('d', 'v', 'public', ?, 'ornithorynque')",
            (json.dumps(about),),
        )
    with closing(Archive(tmp_path)) as archive:
        assert archive.document("d", reader("public")).text == "ornithorynque"
    assert not any(b"ornithorynque" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
