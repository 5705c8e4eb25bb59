"""Originals, and the text of every page with its word boxes, by document and version.

Promise: what a citation opens on is what was stored at ingestion, byte for byte; and reading needs a Principal whose
clearance dominates the document's label, checked at each call. A document that the reader may not see and one that does not
exist give the same error.

Writing is for ingestion and takes no Principal. Two versions can lie here side by side while the index switches from one to
the other; then `keep_only` removes the older, or `supersede` keeps it for archivists alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.access import Label, Principal, Role
from assistant.database import Database
from assistant.errors import ConfigurationError, NotFound
from assistant.rendering import PageRenderer
from assistant.types import Block, BlockKind, Box, Document, Page, Span, TextOrigin, Word

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    label       TEXT NOT NULL,
    about       TEXT NOT NULL,
    text        TEXT NOT NULL,
    stored      INTEGER PRIMARY KEY AUTOINCREMENT,
    superseded  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (document_id, version)
);
CREATE TABLE IF NOT EXISTS pages (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    about       TEXT NOT NULL,
    words       BLOB NOT NULL,
    PRIMARY KEY (document_id, version, number),
    FOREIGN KEY (document_id, version) REFERENCES documents (document_id, version) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS corrections (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    text        TEXT NOT NULL,
    PRIMARY KEY (document_id, version, number)
);
"""

_UNSEEN = "there is no such document, or none that you may read"


class Archive:
    """The archive of one instance: one folder."""

    def __init__(self, folder: Path) -> None:
        self._originals = folder / "originals"
        try:
            self._originals.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be written ({error.strerror}); check its rights") from error
        self._database = Database(folder / "archive.db", _SCHEMA)
        self._add_missing_columns()
        self._renderer = PageRenderer()

    # Writing, for ingestion.

    def keep_original(self, file: Path) -> str:
        """Copy a file in, flushed to disk, and return the SHA-256 of its bytes in hex. The same bytes are kept once."""
        partial = self._originals / f".{os.getpid()}-{os.urandom(8).hex()}"
        digest = hashlib.sha256()
        try:
            with file.open("rb") as source, partial.open("wb") as target:
                while piece := source.read(1 << 20):
                    digest.update(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            version = digest.hexdigest()
            final = self.original_path(version)
            final.parent.mkdir(exist_ok=True)
            partial.replace(final)
            _flush_folder(final.parent)
        finally:
            partial.unlink(missing_ok=True)
        return version

    def original_path(self, version: str) -> Path:
        """Where the original with this SHA-256 lies, whether or not it is there."""
        return self._originals / version[:2] / version

    def put(self, document: Document) -> None:
        """Store one version of a document; storing it again changes nothing but the label."""
        key = (document.id, document.version)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM documents WHERE document_id = ? AND version = ?", key)
            connection.execute(
                "INSERT INTO documents (document_id, version, label, about, text) VALUES (?, ?, ?, ?, ?)",
                (*key, str(document.label), _document_about(document), document.text),
            )
            connection.executemany(
                "INSERT INTO pages (document_id, version, number, about, words) VALUES (?, ?, ?, ?, ?)",
                [(*key, page.number, _page_about(page), _packed_words(page.words)) for page in document.pages],
            )

    def keep_only(self, document_id: str, version: str) -> None:
        """Remove every other version of this document, originals included."""
        rows = self._database.connection().execute(
            "SELECT version FROM documents WHERE document_id = ? AND version != ?", (document_id, version)
        )
        for row in rows.fetchall():
            self._remove_version(document_id, row["version"])

    def remove(self, document_id: str, *, version: str) -> None:
        """Remove all versions of this document, and the original of `version` even if it was never parsed."""
        rows = self._database.connection().execute(
            "SELECT version FROM documents WHERE document_id = ?", (document_id,)
        )
        for stored in {row["version"] for row in rows.fetchall()} | {version}:
            self._remove_version(document_id, stored)

    def supersede(self, document_id: str, version: str) -> None:
        """Leave every other version of this document to archivists: nobody else reads it any more."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE documents SET superseded = 1 WHERE document_id = ? AND version != ?", (document_id, version)
            )

    def raise_label(self, document_id: str, label: Label) -> None:
        """Let nobody read any version of this document who may not read `label`; counts at once."""
        with self._database.writing() as connection:
            query = "SELECT version, label FROM documents WHERE document_id = ?"
            for row in connection.execute(query, (document_id,)).fetchall():
                connection.execute(
                    "UPDATE documents SET label = ? WHERE document_id = ? AND version = ?",
                    (_joined(row["label"], label), document_id, row["version"]),
                )

    def keep_correction(self, document_id: str, version: str, page_number: int, text: str) -> None:
        """Keep an archivist's text of a page (1-based) for as long as this version is kept."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM corrections WHERE document_id = ? AND version = ? AND number = ?",
                (document_id, version, page_number),
            )
            connection.execute(
                "INSERT INTO corrections (document_id, version, number, text) VALUES (?, ?, ?, ?)",
                (document_id, version, page_number, text),
            )

    # Reading, for ingestion: what it stored itself, to publish it again. Never for a reader.

    def stored_document(self, document_id: str, version: str) -> Document | None:
        """A version with the words of every page, as it was stored; None when its text is not here."""
        connection = self._database.connection()
        key = (document_id, version)
        row = connection.execute("SELECT * FROM documents WHERE document_id = ? AND version = ?", key).fetchone()
        if row is None:
            return None
        query = "SELECT about, words FROM pages WHERE document_id = ? AND version = ? ORDER BY number"
        pages = tuple(
            replace(_page_from(json.loads(page["about"])), words=_unpacked_words(page["words"]))
            for page in connection.execute(query, key)
        )
        return _document_from(row, json.loads(row["about"]), pages)

    def corrections(self, document_id: str, version: str) -> dict[int, str]:
        """Page number (1-based) → the text that an archivist gave this page."""
        query = "SELECT number, text FROM corrections WHERE document_id = ? AND version = ? ORDER BY number"
        return {
            row["number"]: row["text"] for row in self._database.connection().execute(query, (document_id, version))
        }

    def kept_versions(self, document_id: str) -> dict[str, int]:
        """Version → how many pages it has, of the versions whose text is here; the last one stored comes last."""
        query = (
            "SELECT version, (SELECT COUNT(*) FROM pages WHERE pages.document_id = documents.document_id"
            " AND pages.version = documents.version) AS pages FROM documents WHERE document_id = ? ORDER BY stored"
        )
        return {row["version"]: row["pages"] for row in self._database.connection().execute(query, (document_id,))}

    # Reading, for readers.

    def document(self, document_id: str, principal: Principal, *, version: str | None = None) -> Document:
        """A document without its words (they are per page). The newest version when `version` is None.

        Raises NotFound when it does not exist or this principal may not read it.
        """
        row = self._readable_row(document_id, principal, version)
        about = json.loads(row["about"])
        rows = self._database.connection().execute(
            "SELECT about FROM pages WHERE document_id = ? AND version = ? ORDER BY number",
            (document_id, row["version"]),
        )
        pages = tuple(_page_from(json.loads(page["about"])) for page in rows)
        return _document_from(row, about, pages)

    def page(self, document_id: str, number: int, principal: Principal, *, version: str | None = None) -> Page:
        """One page (1-based) with its words. Raises NotFound like `document`, and for a page that is not there."""
        row = self._readable_row(document_id, principal, version)
        page = (
            self._database.connection()
            .execute(
                "SELECT about, words FROM pages WHERE document_id = ? AND version = ? AND number = ?",
                (document_id, row["version"], number),
            )
            .fetchone()
        )
        if page is None:
            raise NotFound(_UNSEEN)
        return replace(_page_from(json.loads(page["about"])), words=_unpacked_words(page["words"]))

    def page_image(
        self,
        document_id: str,
        number: int,
        principal: Principal,
        *,
        version: str | None = None,
        width: int = 1200,
        highlight: Span | None = None,
    ) -> bytes:
        """PNG of a page (1-based), `width` pixels wide, the words of `highlight` marked when given."""
        document = self.document(document_id, principal, version=version)
        page = self.page(document_id, number, principal, version=document.version)
        boxes = line_boxes(page, highlight) if highlight else ()
        original = self.original_path(document.version)
        return self._renderer.png(original, document.media_type, number, width=width, boxes=boxes)

    def boxes(self, document: Document, span: Span, principal: Principal) -> tuple[tuple[int, Box], ...]:
        """(1-based page number, box) for each line that `span` covers; empty for formats without pages."""
        found: list[tuple[int, Box]] = []
        for page in document.pages:
            if page.span.overlaps(span):
                stored = self.page(document.id, page.number, principal, version=document.version)
                found.extend((page.number, box) for box in line_boxes(stored, span))
        return tuple(found)

    def original(self, document_id: str, principal: Principal, *, version: str | None = None) -> tuple[Path, Document]:
        """The path of the original bytes, and the document they belong to."""
        document = self.document(document_id, principal, version=version)
        return self.original_path(document.version), document

    def close(self) -> None:
        """End the drawing process and close the database."""
        self._renderer.close()
        self._database.close()

    def _readable_row(self, document_id: str, principal: Principal, version: str | None) -> sqlite3.Row:
        query = (
            "SELECT * FROM documents WHERE document_id = ? AND (? IS NULL OR version = ?)"
            " ORDER BY superseded, stored DESC"
        )
        row: sqlite3.Row | None = self._database.connection().execute(query, (document_id, version, version)).fetchone()
        if row is None or not _may_read(principal, row["label"]):
            raise NotFound(_UNSEEN)
        if row["superseded"] and Role.ARCHIVIST not in principal.roles:
            raise NotFound(_UNSEEN)
        return row

    def _add_missing_columns(self) -> None:
        """Bring an archive that an earlier release made up to date."""
        with self._database.writing() as connection:
            columns = {row["name"] for row in connection.execute("PRAGMA table_info(documents)")}
            if "superseded" not in columns:
                connection.execute("ALTER TABLE documents ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0")

    def _remove_version(self, document_id: str, version: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM documents WHERE document_id = ? AND version = ?", (document_id, version))
            connection.execute("DELETE FROM corrections WHERE document_id = ? AND version = ?", (document_id, version))
            others = connection.execute("SELECT 1 FROM documents WHERE version = ?", (version,)).fetchone()
        if others is None:
            self.original_path(version).unlink(missing_ok=True)


def line_boxes(page: Page, span: Span) -> tuple[Box, ...]:
    """One box around the words of `span` on each line of the page, in reading order.

    Two words are on one line when their vertical middles lie within each other's height and they follow each other.
    """
    lines: list[list[Box]] = []
    for word in page.words:
        if not word.span.overlaps(span):
            continue
        if lines and _same_line(lines[-1][-1], word.box):
            lines[-1].append(word.box)
        else:
            lines.append([word.box])
    return tuple(
        Box(
            min(box.left for box in line),
            min(box.top for box in line),
            max(box.right for box in line),
            max(box.bottom for box in line),
        )
        for line in lines
    )


def _same_line(one: Box, other: Box) -> bool:
    middle = (other.top + other.bottom) / 2
    return one.top <= middle <= one.bottom or other.top <= (one.top + one.bottom) / 2 <= other.bottom


def _may_read(principal: Principal, label: str) -> bool:
    try:
        return principal.may_read(Label.parse(label))
    except ConfigurationError:
        return False


def _joined(stored: str, label: Label) -> str:
    """The label that dominates both; one that does not parse stays as it is, readable by nobody."""
    try:
        return str(Label.parse(stored).join(label))
    except ConfigurationError:
        return stored


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# How documents and pages are written down.


def _document_about(document: Document) -> str:
    fields = (
        "title", "file_name", "source", "media_type", "language", "date", "parser",
        "author", "document_type", "references", "collection", "warnings",
    )  # fmt: skip
    about: dict[str, Any] = {name: getattr(document, name) for name in fields}
    about["blocks"] = [[b.span.start, b.span.end, b.kind.value, b.heading_level] for b in document.blocks]
    return json.dumps(about, ensure_ascii=False)


def _document_from(row: sqlite3.Row, about: dict[str, Any], pages: tuple[Page, ...]) -> Document:
    blocks = tuple(Block(Span(start, end), BlockKind(kind), level) for start, end, kind, level in about.pop("blocks"))
    references, warnings = (tuple(about.pop(name, ())) for name in ("references", "warnings"))
    return Document(
        id=row["document_id"],
        version=row["version"],
        label=Label.parse(row["label"]),
        text=row["text"],
        pages=pages,
        blocks=blocks,
        references=references,
        warnings=warnings,
        **about,
    )


def _page_about(page: Page) -> str:
    return json.dumps(
        [page.number, page.span.start, page.span.end, page.width, page.height, page.origin.value, page.confidence]
    )


def _page_from(about: list[Any]) -> Page:
    number, start, end, width, height, origin, confidence = about
    return Page(number, Span(start, end), width, height, (), TextOrigin(origin), confidence)


def _packed_words(words: tuple[Word, ...]) -> bytes:
    rows = [
        [w.span.start, w.span.end, *(round(edge, 5) for edge in (w.box.left, w.box.top, w.box.right, w.box.bottom))]
        for w in words
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def _unpacked_words(packed: bytes) -> tuple[Word, ...]:
    rows = json.loads(zlib.decompress(packed))
    return tuple(Word(Span(start, end), Box(*edges)) for start, end, *edges in rows)
