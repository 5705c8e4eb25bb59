"""Originals, and the text of every page with its word boxes, by document and version.

Promise: what a citation opens on is what was stored at ingestion, byte for byte; and reading needs a Principal whose
clearance dominates the document's label, checked at each call. A document that the reader may not see and one that does not
exist give the same error.

Writing is for ingestion and takes no Principal. Two versions can lie here side by side while the index switches from one to
the other; then `keep_only` removes the older, or `supersede` keeps it for archivists alone.

What was read from a document is sealed under the document's own key (`keys.db`), so that `erase` leaves no readable copy in the
database's freed pages. Originals lie as they came: they are files, and erasing one removes it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.access import Label, Principal, Role
from assistant.database import Database
from assistant.durable import flush_folder
from assistant.errors import ConfigurationError, NotFound, ServiceUnavailable
from assistant.placing import line_boxes
from assistant.rendering import PageRenderer
from assistant.sealing import Keyring, SealBroken
from assistant.stored_form import (
    Holdings,
    PageRow,
    document_about,
    document_from,
    packed_places,
    page_from,
    page_row,
    with_places,
)
from assistant.stored_form import (
    checksum as checksum_of,
)
from assistant.types import Box, Document, Page, Span

_LOG = logging.getLogger(__name__)
Spare = Callable[[str], bool]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    label       TEXT NOT NULL,
    about       BLOB NOT NULL, -- sealed
    text        BLOB NOT NULL, -- sealed
    checksum    TEXT NOT NULL DEFAULT '',
    stored      INTEGER PRIMARY KEY AUTOINCREMENT,
    superseded  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (document_id, version)
);
CREATE INDEX IF NOT EXISTS documents_by_version ON documents (version);
CREATE TABLE IF NOT EXISTS pages (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    about       TEXT NOT NULL,
    words       BLOB NOT NULL,
    placed      BLOB, -- the words of a page that came with runs, once somebody has looked at it
    PRIMARY KEY (document_id, version, number),
    FOREIGN KEY (document_id, version) REFERENCES documents (document_id, version) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS corrections (
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    text        BLOB NOT NULL, -- sealed
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
            flush_folder(final.parent)
            flush_folder(self._originals)  # which may have got that folder just now
        finally:
            partial.unlink(missing_ok=True)
        return version

    def original_path(self, version: str) -> Path:
        """Where the original with this SHA-256 lies, whether or not it is there."""
        return self._originals / version[:2] / version

    def put(self, document: Document) -> None:
        """Store one version of a document; storing it again changes nothing but the label."""
        key = (document.id, document.version)
        about, pages = document_about(document), [page_row(page) for page in document.pages]
        checksum = checksum_of(about, document.text, pages)
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

    def keep_only(
        self, document_id: str, version: str, *, past: Iterable[str] = (), spare: Spare = lambda _: False
    ) -> None:
        """Remove every other version, and `past` ones that were never parsed; originals that `spare` says are needed stay."""
        for other in self._versions_of(document_id).union(past) - {version}:
            self._remove_version(document_id, other, keep_original=spare(other))

    def remove(self, document_id: str, *, version: str, spare: Spare = lambda _: False) -> None:
        """Remove all versions of this document, and the original of `version` even if it was never parsed."""
        for stored in self._versions_of(document_id) | {version}:
            self._remove_version(document_id, stored, keep_original=spare(stored))

    def supersede(self, document_id: str, version: str) -> None:
        """Leave every other version of this document to archivists: nobody else reads it any more."""
        change = "UPDATE documents SET superseded = 1 WHERE document_id = ? AND version != ?"
        with self._database.writing() as connection:
            connection.execute(change, (document_id, version))

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
            place = (document_id, version, page_number)
            connection.execute("DELETE FROM corrections WHERE document_id = ? AND version = ? AND number = ?", place)
            connection.execute(
                "INSERT INTO corrections (document_id, version, number, text) VALUES (?, ?, ?, ?)",
                (document_id, version, page_number, self._sealed((document_id, version), f"page {page_number}", text)),
            )

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
                flush_folder(self.original_path(version).parent)
        self._keyring.destroy(document_id)
        self._database.truncate_log()

    def rename_source(self, document_id: str, source: str) -> None:
        """Write another source into every intact version of a document."""
        for version in self._versions_of(document_id):
            if (found := self._stored(document_id, version)) is None:
                continue
            row, pages = found
            about = json.dumps(json.loads(row["about"]) | {"source": source}, ensure_ascii=False)
            checksum = checksum_of(about, row["text"], pages)
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

    def strays(self) -> Iterator[Path]:
        """Files that lie beside the folders of the originals, where no original is looked for."""
        yield from sorted(path for path in self._originals.iterdir() if path.is_file() and path.name[0] != ".")

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

    def sweep(self) -> int:
        """Remove what a process that died left half copied; how many files. Only while nothing is being taken in."""
        left = list(self._originals.glob(".*"))
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

    # Reading, for ingestion: what it stored itself, to publish it again. Never for a reader.

    def stored_document(self, document_id: str, version: str) -> Document | None:
        """A version as it was put, words or runs included, to index it anew; None when it is not here intact."""
        found = self._stored(document_id, version)
        if found is None:
            return None
        row, stored = found
        query = "SELECT number, placed FROM pages WHERE document_id = ? AND version = ? AND placed IS NOT NULL"
        placed = {
            page["number"]: page["placed"]
            for page in self._database.connection().execute(query, (document_id, version))
        }
        pages = tuple(
            with_places(page_from(json.loads(about)), placed.get(number, words)) for number, about, words in stored
        )
        return document_from(row, json.loads(row["about"]), pages)

    def corrections(self, document_id: str, version: str) -> dict[int, str]:
        """Page number (1-based) → the text that an archivist gave this page. Raises SealBroken when it cannot be read."""
        query = "SELECT number, text FROM corrections WHERE document_id = ? AND version = ? ORDER BY number"
        rows = self._database.connection().execute(query, (document_id, version))
        return {
            row["number"]: self._unsealed((document_id, version), f"page {row['number']}", row["text"]) for row in rows
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
        pages = tuple(page_from(json.loads(page["about"])) for page in rows)
        return document_from(row, about, pages)

    def readable_versions(self, document_id: str, principal: Principal) -> tuple[str, ...]:
        """The versions of a document that this principal may read, the one stored first first. Raises NotFound for none."""
        query = "SELECT version, label, superseded FROM documents WHERE document_id = ? ORDER BY stored"
        rows = self._database.connection().execute(query, (document_id,))
        if not (found := tuple(row["version"] for row in rows if _may_read(principal, row))):
            raise NotFound(_UNSEEN)
        return found

    def page(self, document_id: str, number: int, principal: Principal, *, version: str | None = None) -> Page:
        """One page (1-based) with its words. Raises NotFound like `document`, and for a page that is not there."""
        row = self._readable_row(document_id, principal, version)
        page = (
            self._database.connection()
            .execute(
                "SELECT about, words, placed FROM pages WHERE document_id = ? AND version = ? AND number = ?",
                (document_id, row["version"], number),
            )
            .fetchone()
        )
        if page is None:
            raise NotFound(_UNSEEN)
        stored = with_places(page_from(json.loads(page["about"])), page["placed"] or page["words"])
        return self._with_words(row, stored) if stored.runs else stored

    def _with_words(self, row: Mapping[str, Any], page: Page) -> Page:
        """The page with its words, computed now that somebody looks at it and kept for the next time."""
        text: str = row["text"][page.span.start : page.span.end]
        words = self._renderer.words(self.original_path(row["version"]), page, text)
        placed = replace(page, words=words, runs=())
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE pages SET placed = ? WHERE document_id = ? AND version = ? AND number = ? AND words = ?",
                (packed_places(placed), row["document_id"], row["version"], page.number, packed_places(page)),
            )
        return placed

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
        """(1-based page number, box) for each line that `span` covers; empty for formats without pages.

        A page whose words cannot be placed now has no boxes: the quotation stands without them.
        """
        found: list[tuple[int, Box]] = []
        for page in document.pages:
            if page.span.overlaps(span):
                try:
                    stored = self.page(document.id, page.number, principal, version=document.version)
                except ServiceUnavailable:
                    _LOG.warning("document %s, page %d: its words could not be placed", document.id, page.number)
                    continue
                found.extend((page.number, box) for box in line_boxes(stored, span))
        return tuple(found)

    def original(self, document_id: str, principal: Principal, *, version: str | None = None) -> tuple[Path, Document]:
        """The path of the original bytes, and the document they belong to."""
        document = self.document(document_id, principal, version=version)
        return self.original_path(document.version), document

    def warm_up(self) -> None:
        """Start the drawing process, so that the first answer need not wait for it."""
        self._renderer.start()

    def close(self) -> None:
        """End the drawing process and close the database."""
        self._renderer.close()
        self._database.close()
        self._keyring.close()

    def _readable_row(self, document_id: str, principal: Principal, version: str | None) -> dict[str, Any]:
        query = (
            "SELECT * FROM documents WHERE document_id = ? AND (? IS NULL OR version = ?)"
            " ORDER BY superseded, stored DESC"
        )
        row: sqlite3.Row | None = self._database.connection().execute(query, (document_id, version, version)).fetchone()
        if row is None or not _may_read(principal, row):
            raise NotFound(_UNSEEN)
        try:
            return self._opened(row)
        except SealBroken as error:
            _LOG.error("document %s cannot be read: %s; `assistant ingest verify` says more", document_id, error)
            raise NotFound(_UNSEEN) from error

    def _stored(self, document_id: str, version: str) -> tuple[dict[str, Any], list[PageRow]] | None:
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
        good = checksum_of(opened["about"], opened["text"], pages) == row["checksum"]
        return (opened, pages) if good else None

    def _sealed(self, key: tuple[str, str], name: str, clear: str) -> bytes:
        return self._keyring.seal(key[0], clear.encode("utf-8", "surrogatepass"), place=f"{key[1]} {name}")

    def _unsealed(self, key: tuple[str, str], name: str, stored: object) -> str:
        """Raises SealBroken."""
        if not isinstance(stored, bytes):
            raise SealBroken("the stored bytes were changed")
        return self._keyring.unseal(key[0], stored, place=f"{key[1]} {name}").decode("utf-8", "surrogatepass")

    def _opened(self, row: sqlite3.Row) -> dict[str, Any]:
        """The row with its sealed columns as text. Raises SealBroken."""
        key = (row["document_id"], row["version"])
        return dict(row) | {name: self._unsealed(key, name, row[name]) for name in ("about", "text")}

    def _seal_what_is_clear(self) -> None:
        """Seal what an earlier version of this program stored in clear, and overwrite what that leaves behind."""
        connection = self._database.connection()
        query = "SELECT * FROM documents WHERE checksum = '' ORDER BY stored LIMIT 1"
        found = False
        while row := connection.execute(query).fetchone():
            found = True
            key = (row["document_id"], row["version"])
            pages = connection.execute(
                "SELECT number, about, words FROM pages WHERE document_id = ? AND version = ? ORDER BY number", key
            ).fetchall()
            checksum = checksum_of(row["about"], row["text"], [(p[0], p[1], p[2]) for p in pages])
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
            connection.execute("DELETE FROM corrections WHERE document_id = ? AND version = ?", (document_id, version))
            others = connection.execute("SELECT 1 FROM documents WHERE version = ?", (version,)).fetchone()
        if others is None and not keep_original:
            self.original_path(version).unlink(missing_ok=True)


def _may_read(principal: Principal, row: sqlite3.Row) -> bool:
    """True for what this clearance dominates; a version that was superseded is for archivists alone."""
    try:
        readable = principal.may_read(Label.parse(row["label"]))
    except ConfigurationError:
        return False
    return readable and (not row["superseded"] or Role.ARCHIVIST in principal.roles)


def _joined(stored: str, label: Label) -> str:
    """The label that dominates both; one that does not parse stays as it is, readable by nobody."""
    try:
        return str(Label.parse(stored).join(label))
    except ConfigurationError:
        return stored
