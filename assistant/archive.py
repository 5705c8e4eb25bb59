"""Originals, and the text of every page with its word boxes, by document and version.

Promise: what a citation opens on is what was stored at ingestion, byte for byte; and reading needs a Principal whose
clearance dominates the document's label, checked at each call. A document that the reader may not see and one that does not
exist give the same error.

Writing is for ingestion and takes no Principal. Two versions can lie here side by side while the index switches from one to
the other; `keep_only` then removes the older.

What was read from a document is sealed under the document's own key (`keys.db`), so that `erase` leaves no readable copy in the
database's freed pages. Originals lie as they came: they are files, and erasing one removes it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.access import Label, Principal
from assistant.database import Database
from assistant.errors import ConfigurationError, NotFound
from assistant.rendering import PageRenderer
from assistant.sealing import Keyring, SealBroken
from assistant.types import Block, BlockKind, Box, Document, Page, Span, TextOrigin, Word

_LOG = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    label       TEXT NOT NULL,
    about       BLOB NOT NULL, -- sealed
    text        BLOB NOT NULL, -- sealed
    checksum    TEXT NOT NULL DEFAULT '',
    stored      INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (document_id, version)
);
CREATE INDEX IF NOT EXISTS documents_by_version ON documents (version);
CREATE TABLE IF NOT EXISTS pages (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    about       TEXT NOT NULL,
    words       BLOB NOT NULL,
    PRIMARY KEY (document_id, version, number),
    FOREIGN KEY (document_id, version) REFERENCES documents (document_id, version) ON DELETE CASCADE
);
"""

_UNSEEN = "there is no such document, or none that you may read"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the archive has of one document, all versions together."""

    texts: int
    pages: int
    originals: tuple[str, ...]
    """SHA-256 of each original that is this document's alone."""
    shared_originals: tuple[str, ...]
    """SHA-256 of each original that stays when this document goes."""
    keys: int


class Archive:
    """The archive of one instance: one folder."""

    def __init__(self, folder: Path) -> None:
        self._originals = folder / "originals"
        try:
            self._originals.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be written ({error.strerror}); check its rights") from error
        self._database = Database(folder / "archive.db", _SCHEMA)
        self._keyring = Keyring(folder / "keys.db")
        self._seal_what_is_clear()
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
        about, pages = _document_about(document), [_page_row(page) for page in document.pages]
        checksum = _checksum(about, document.text, pages)
        sealed = [self._sealed(key, name, clear) for name, clear in (("about", about), ("text", document.text))]
        with self._database.writing() as connection:
            connection.execute("DELETE FROM documents WHERE document_id = ? AND version = ?", key)
            connection.execute(
                "INSERT INTO documents (document_id, version, label, about, text, checksum) VALUES (?, ?, ?, ?, ?, ?)",
                (*key, str(document.label), *sealed, checksum),
            )
            connection.executemany(
                "INSERT INTO pages (document_id, version, number, about, words) VALUES (?, ?, ?, ?, ?)",
                [(*key, *page) for page in pages],
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
        for stored in self._versions_of(document_id) | {version}:
            self._remove_version(document_id, stored)

    def holdings(self, document_id: str, versions: Iterable[str], *, spare: Collection[str] = ()) -> Holdings:
        """What `erase` with the same arguments would remove."""
        connection = self._database.connection()
        texts, pages = (
            connection.execute(f"SELECT COUNT(*) FROM {table} WHERE document_id = ?", (document_id,)).fetchone()[0]  # noqa: S608
            for table in ("documents", "pages")
        )
        doomed: list[str] = []
        kept: list[str] = []
        for version in sorted(self._versions_of(document_id) | set(versions)):
            others = connection.execute(
                "SELECT 1 FROM documents WHERE version = ? AND document_id != ?", (version, document_id)
            )
            if self.original_path(version).is_file():
                (kept if version in spare or others.fetchone() else doomed).append(version)
        return Holdings(texts, pages, tuple(doomed), tuple(kept), int(self._keyring.holds(document_id)))

    def erase(self, document_id: str, versions: Iterable[str], *, spare: Collection[str] = ()) -> None:
        """Remove every version of this document for good, and the originals of `versions` even if they were never parsed.

        When this returns, no file of the archive holds a word that can be read. Originals in `spare`, and those that are another
        document's as well, stay. Raises ServiceUnavailable while the database's log cannot be emptied.
        """
        for version in sorted(self._versions_of(document_id) | set(versions)):
            self._remove_version(document_id, version, keep_original=version in spare)
            if self.original_path(version).parent.is_dir():
                _flush_folder(self.original_path(version).parent)
        self._keyring.destroy(document_id)
        self._database.truncate_log()

    def rename_source(self, document_id: str, source: str) -> None:
        """Write another source into every intact version of a document."""
        for version in self._versions_of(document_id):
            found = self._stored(document_id, version)
            if found is None:
                continue
            row, pages = found
            about = json.dumps(json.loads(row["about"]) | {"source": source}, ensure_ascii=False)
            checksum = _checksum(about, row["text"], pages)
            key = (document_id, version)
            with self._database.writing() as connection:
                connection.execute(
                    "UPDATE documents SET about = ?, checksum = ? WHERE document_id = ? AND version = ?",
                    (self._sealed(key, "about", about), checksum, *key),
                )

    # For verification, which needs no Principal because it shows nobody anything.

    def versions(self) -> Iterator[tuple[str, str]]:
        """(document id, version) of everything stored, in order."""
        last = ("", "")
        query = (
            "SELECT document_id, version FROM documents WHERE (document_id, version) > (?, ?) ORDER BY 1, 2 LIMIT 1000"
        )
        while rows := self._database.connection().execute(query, last).fetchall():
            yield from ((row[0], row[1]) for row in rows)
            last = (rows[-1][0], rows[-1][1])

    def originals(self) -> Iterator[Path]:
        """The file of every original, one folder at a time."""
        for folder in sorted(path for path in self._originals.iterdir() if path.is_dir()):
            yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))

    def has(self, document_id: str, version: str) -> bool:
        """True when a text of this version is stored, intact or not."""
        return version in self._versions_of(document_id)

    def owner_of(self, version: str) -> str | None:
        """A document whose text was read from this original; None when there is none."""
        query = "SELECT document_id FROM documents WHERE version = ? LIMIT 1"
        row = self._database.connection().execute(query, (version,)).fetchone()
        return row["document_id"] if row else None

    def intact(self, document_id: str, version: str) -> bool:
        """True when the stored text and its pages are what was put there. False when there is none, too."""
        return self._stored(document_id, version) is not None

    def stored_document(self, document_id: str, version: str) -> Document | None:
        """A version as it was put, words included, to index it anew; None when it is not here intact."""
        found = self._stored(document_id, version)
        if found is None:
            return None
        row, pages = found
        words = [_unpacked_words(packed) for _, _, packed in pages]
        read = [_page_from(json.loads(about)) for _, about, _ in pages]
        whole = tuple(replace(page, words=w) for page, w in zip(read, words, strict=True))
        return _document_from(row, json.loads(row["about"]), whole)

    def sweep(self) -> int:
        """Remove what a process that died left half copied; how many files. Only while nothing is being taken in."""
        left = list(self._originals.glob(".*"))
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

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

    def original(self, document_id: str, principal: Principal) -> tuple[Path, Document]:
        """The path of the original bytes, and the document they belong to."""
        document = self.document(document_id, principal)
        return self.original_path(document.version), document

    def close(self) -> None:
        """End the drawing process and close the database."""
        self._renderer.close()
        self._database.close()
        self._keyring.close()

    def _readable_row(self, document_id: str, principal: Principal, version: str | None) -> dict[str, Any]:
        query = "SELECT * FROM documents WHERE document_id = ? AND (? IS NULL OR version = ?) ORDER BY stored DESC"
        row: sqlite3.Row | None = self._database.connection().execute(query, (document_id, version, version)).fetchone()
        if row is None or not _may_read(principal, row["label"]):
            raise NotFound(_UNSEEN)
        try:
            return self._opened(row)
        except SealBroken as error:
            _LOG.error("document %s cannot be read: %s; `assistant ingest verify` says more", document_id, error)
            raise NotFound(_UNSEEN) from error

    def _stored(self, document_id: str, version: str) -> tuple[dict[str, Any], list[_PageRow]] | None:
        """The opened row and its pages, when they are what the checksum was made of."""
        key, connection = (document_id, version), self._database.connection()
        row = connection.execute("SELECT * FROM documents WHERE document_id = ? AND version = ?", key).fetchone()
        if row is None:
            return None
        query = "SELECT number, about, words FROM pages WHERE document_id = ? AND version = ? ORDER BY number"
        pages = [(page["number"], page["about"], page["words"]) for page in connection.execute(query, key)]
        try:
            opened = self._opened(row)
        except SealBroken:
            return None
        good = _checksum(opened["about"], opened["text"], pages) == row["checksum"]
        return (opened, pages) if good else None

    def _sealed(self, key: tuple[str, str], name: str, clear: str) -> bytes:
        return self._keyring.seal(key[0], clear.encode("utf-8", "surrogatepass"), place=f"{key[1]} {name}")

    def _opened(self, row: sqlite3.Row) -> dict[str, Any]:
        """The row with its sealed columns as text. Raises SealBroken."""
        opened = dict(row)
        for name in ("about", "text"):
            if not isinstance(row[name], bytes):
                raise SealBroken("the stored bytes were changed")
            clear = self._keyring.unseal(row["document_id"], row[name], place=f"{row['version']} {name}")
            opened[name] = clear.decode("utf-8", "surrogatepass")
        return opened

    def _seal_what_is_clear(self) -> None:
        """Seal what an earlier version of this program stored in clear, and overwrite what that leaves behind."""
        connection = self._database.connection()
        if all(row["name"] != "checksum" for row in connection.execute("PRAGMA table_info(documents)")):
            connection.execute("ALTER TABLE documents ADD COLUMN checksum TEXT NOT NULL DEFAULT ''")
        query = "SELECT * FROM documents WHERE checksum = '' ORDER BY stored LIMIT 1"
        found = False
        while row := connection.execute(query).fetchone():
            found = True
            key = (row["document_id"], row["version"])
            pages = connection.execute(
                "SELECT number, about, words FROM pages WHERE document_id = ? AND version = ? ORDER BY number", key
            ).fetchall()
            checksum = _checksum(row["about"], row["text"], [(p[0], p[1], p[2]) for p in pages])
            sealed = [self._sealed(key, name, row[name]) for name in ("about", "text")]
            with self._database.writing() as writing:
                writing.execute(
                    "UPDATE documents SET about = ?, text = ?, checksum = ? WHERE stored = ?",
                    (*sealed, checksum, row["stored"]),
                )
        if found:
            self._database.scrub()

    def _versions_of(self, document_id: str) -> set[str]:
        query = "SELECT version FROM documents WHERE document_id = ?"
        return {row["version"] for row in self._database.connection().execute(query, (document_id,)).fetchall()}

    def _remove_version(self, document_id: str, version: str, *, keep_original: bool = False) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM documents WHERE document_id = ? AND version = ?", (document_id, version))
            others = connection.execute("SELECT 1 FROM documents WHERE version = ?", (version,)).fetchone()
        if others is None and not keep_original:
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


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# How documents and pages are written down.

_PageRow = tuple[int, str, bytes]
"""Number, about, packed words."""


def _page_row(page: Page) -> _PageRow:
    return page.number, _page_about(page), _packed_words(page.words)


def _checksum(about: str, text: str, pages: Iterable[_PageRow]) -> str:
    """SHA-256, in hex, over all that was read of a version, each part with its length before it. Labels change by themselves."""
    digest = hashlib.sha256()
    parts = [part.encode("utf-8", "surrogatepass") for part in (about, text)]
    for number, page_about, words in pages:
        parts += [str(number).encode(), page_about.encode(), words]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _document_about(document: Document) -> str:
    fields = ("title", "file_name", "source", "media_type", "language", "date", "parser")
    about: dict[str, Any] = {name: getattr(document, name) for name in fields}
    about["blocks"] = [[b.span.start, b.span.end, b.kind.value, b.heading_level] for b in document.blocks]
    return json.dumps(about, ensure_ascii=False)


def _document_from(row: Mapping[str, Any], about: dict[str, Any], pages: tuple[Page, ...]) -> Document:
    blocks = tuple(Block(Span(start, end), BlockKind(kind), level) for start, end, kind, level in about.pop("blocks"))
    return Document(
        id=row["document_id"],
        version=row["version"],
        label=Label.parse(row["label"]),
        text=row["text"],
        pages=pages,
        blocks=blocks,
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
