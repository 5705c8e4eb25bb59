"""What was handed in, what state it is in, and why.

Each document is in exactly one state at every instant. A row is written, and flushed to disk, before anybody is told that a
file was accepted. Every change of state is kept in `events`.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assistant.database import Database
from assistant.errors import Conflict
from assistant.types import DocumentState, DocumentStatus

_NAMESPACE = uuid.UUID("0c1b7d52-39c1-4a35-9c52-2d2f0d6d7a10")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    document_id TEXT PRIMARY KEY,
    source      TEXT NOT NULL UNIQUE,
    version     TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    title       TEXT NOT NULL DEFAULT '',
    state       TEXT NOT NULL,
    category    TEXT NOT NULL DEFAULT '',
    reason      TEXT NOT NULL DEFAULT '',
    pages       INTEGER NOT NULL DEFAULT 0,
    passages    INTEGER NOT NULL DEFAULT 0,
    label       TEXT NOT NULL DEFAULT '',
    given_label TEXT NOT NULL DEFAULT '',
    sidecar     TEXT NOT NULL DEFAULT '',
    language    TEXT NOT NULL DEFAULT '',
    media_type  TEXT NOT NULL DEFAULT '',
    date        TEXT,
    warnings    TEXT NOT NULL DEFAULT '[]',
    received_by TEXT NOT NULL,
    received_at TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    author           TEXT,
    document_type    TEXT,
    collection       TEXT NOT NULL DEFAULT '',
    legal_references TEXT NOT NULL DEFAULT '[]',
    doubtful_pages   TEXT NOT NULL DEFAULT '[]',
    hold             TEXT NOT NULL DEFAULT '',
    edits            TEXT NOT NULL DEFAULT '{}',
    progress_pages   INTEGER NOT NULL DEFAULT 0,
    progress_of      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS documents_by_state ON documents (state, received_at);
CREATE INDEX IF NOT EXISTS documents_by_version ON documents (version);
CREATE TABLE IF NOT EXISTS events (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_document ON events (document_id);
CREATE TABLE IF NOT EXISTS secrets (
    document_id TEXT PRIMARY KEY,
    password    TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A document to be worked on."""

    document_id: str
    version: str
    source: str
    file_name: str
    given_label: str
    sidecar: str
    attempts: int
    received_by: str
    edits: str = "{}"
    """What an archivist said about it after handing it in, as `ingest.lifecycle` writes it down."""


class Ledger:
    """The ledger of one instance."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)

    @property
    def database(self) -> Database:
        """Where it is kept, for the modules that read lists from it or write to one document."""
        return self._database

    def receive(
        self, *, source: str, version: str, file_name: str, given_label: str, sidecar: str, received_by: str
    ) -> DocumentStatus:
        """Record a file. The same bytes anywhere are the document that is already here: nothing happens, as `notice` says.

        New bytes at a known source become that document's next version. Handing in a document that failed, or handing it in
        with another label or sidecar, puts it back in the queue.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT * FROM documents WHERE version = ? OR source = ? ORDER BY version = ? DESC LIMIT 1",
                (version, source, version),
            ).fetchone()
            now = _now()
            notice = ""
            if row is None:
                document_id = _free_id(connection, source, version)
                connection.execute(
                    "INSERT INTO documents (document_id, source, version, file_name, title, state, given_label, sidecar,"
                    " received_by, received_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (document_id, source, version, file_name, file_name, DocumentState.RECEIVED, given_label, sidecar,
                     received_by, now, now),
                )  # fmt: skip
                _note(connection, document_id, version, DocumentState.RECEIVED, "")
            else:
                document_id = row["document_id"]
                if _brings_something_new(row, version, given_label, sidecar):
                    connection.execute(
                        "UPDATE documents SET version = ?, state = ?, category = '', reason = '', attempts = 0,"
                        " given_label = ?, sidecar = ?, changed_at = ? WHERE document_id = ?",
                        (version, DocumentState.RECEIVED, given_label or row["given_label"], sidecar or row["sidecar"],
                         now, document_id),
                    )  # fmt: skip
                    _note(connection, document_id, version, DocumentState.RECEIVED, "handed in again")
                else:
                    notice = _already_here(row)
        return replace(self.status(document_id), notice=notice)

    def take(self) -> Task | None:
        """The document that has waited longest, now in progress; None when nothing waits."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT * FROM documents WHERE state = ? ORDER BY attempts, received_at, rowid LIMIT 1",
                (DocumentState.RECEIVED,),
            ).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE documents SET state = ?, attempts = attempts + 1, changed_at = ? WHERE document_id = ?",
                (DocumentState.IN_PROGRESS, _now(), row["document_id"]),
            )
        return Task(
            row["document_id"], row["version"], row["source"], row["file_name"], row["given_label"], row["sidecar"],
            row["attempts"] + 1, row["received_by"], row["edits"],
        )  # fmt: skip

    def take_up_unfinished(self) -> int:
        """Put back in the queue what a process that died had in hand; how many there were."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                "UPDATE documents SET state = ?, changed_at = ? WHERE state = ?",
                (DocumentState.RECEIVED, _now(), DocumentState.IN_PROGRESS),
            )
        return cursor.rowcount

    def requeue(self, document_id: str, reason: str) -> None:
        """Put a document back in the queue, for a cause that is not in the document."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE documents SET state = ?, category = '', reason = ?, attempts = 0, changed_at = ?"
                " WHERE document_id = ? RETURNING version",
                (DocumentState.RECEIVED, reason, _now(), document_id),
            ).fetchone()
            if row is not None:
                _note(connection, document_id, row["version"], DocumentState.RECEIVED, reason)

    def settle(
        self,
        task: Task,
        state: DocumentState,
        *,
        category: str = "",
        reason: str = "",
        facts: dict[str, str | int | None] | None = None,
        warnings: Iterable[str] = (),
    ) -> bool:
        """Write how the work on `task` ended; False when a newer version was handed in meanwhile (it stays queued).

        `facts` are columns of the ledger: title, pages, passages, label, language, media_type, date.
        """
        facts = facts or {}
        assignments = "".join(f", {name} = ?" for name in facts)
        with self._database.writing() as connection:
            cursor = connection.execute(
                f"UPDATE documents SET state = ?, category = ?, reason = ?, warnings = ?, changed_at = ?{assignments}"  # noqa: S608
                " WHERE document_id = ? AND version = ? AND state = ?",
                (state, category, reason, json.dumps(list(warnings), ensure_ascii=False), _now(), *facts.values(),
                 task.document_id, task.version, DocumentState.IN_PROGRESS),
            )  # fmt: skip
            if cursor.rowcount:
                _note(connection, task.document_id, task.version, state, reason)
        if cursor.rowcount and state.final:
            self._forget_password(task.document_id)
        return bool(cursor.rowcount)

    def amend(self, document_id: str, columns: dict[str, str | None], reason: str) -> bool:
        """Take a settled document in hand and write what an archivist changed; False when it is being worked on.

        It is in progress afterwards and no worker takes it: `requeue` hands it on. Raises Conflict when another document has
        the new source. `reason` goes into the history and names nothing that erasure would have to remove.
        """
        assignments = "".join(f", {name} = ?" for name in columns)
        with self._database.writing() as connection:
            if "source" in columns:
                _require_free_source(connection, document_id, columns["source"])
            row = connection.execute(
                f"UPDATE documents SET state = ?, attempts = 0, changed_at = ?{assignments}"  # noqa: S608
                " WHERE document_id = ? AND state NOT IN (?, ?) RETURNING version",
                (DocumentState.IN_PROGRESS, _now(), *columns.values(), document_id,
                 DocumentState.RECEIVED, DocumentState.IN_PROGRESS),
            ).fetchone()  # fmt: skip
            if row is not None:
                _note(connection, document_id, row["version"], DocumentState.IN_PROGRESS, reason)
        return row is not None

    def edits(self, document_id: str) -> str:
        """What an archivist said about a document, as `ingest.lifecycle` writes it down."""
        query = "SELECT edits FROM documents WHERE document_id = ?"
        row = self._database.connection().execute(query, (document_id,)).fetchone()
        return row["edits"] if row else "{}"

    def hold(self, document_id: str, hold: str, reason: str) -> None:
        """Write why a document may not be erased (empty: it may), whatever state it is in; `reason` is for its history."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE documents SET hold = ? WHERE document_id = ? RETURNING version, state", (hold, document_id)
            ).fetchone()
            if row is not None:
                _note(connection, document_id, row["version"], row["state"], reason)

    def is_held(self, document_id: str) -> bool:
        """True while a document may not be erased."""
        query = "SELECT hold FROM documents WHERE document_id = ?"
        row = self._database.connection().execute(query, (document_id,)).fetchone()
        return row is not None and row["hold"] != ""

    def keep_password(self, document_id: str, password: str) -> None:
        """Keep a password until the document is settled."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM secrets WHERE document_id = ?", (document_id,))
            connection.execute("INSERT INTO secrets (document_id, password) VALUES (?, ?)", (document_id, password))

    def password(self, document_id: str) -> str | None:
        """The password an archivist gave for this document; None when there is none, or when it has been used."""
        query = "SELECT password FROM secrets WHERE document_id = ?"
        row = self._database.connection().execute(query, (document_id,)).fetchone()
        return row["password"] if row else None

    def _forget_password(self, document_id: str) -> None:
        """Remove the password from the file, the write-ahead log included."""
        with self._database.writing() as connection:
            gone = connection.execute("DELETE FROM secrets WHERE document_id = ?", (document_id,)).rowcount
        if gone:
            self._database.forget_what_was_overwritten()

    def forget(self, document_id: str) -> None:
        """Remove a document's row; its events stay, without its name."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM secrets WHERE document_id = ?", (document_id,))
            _note(connection, document_id, "", "removed", "")

    def status(self, document_id: str) -> DocumentStatus:
        """One document. Raises KeyError when there is none."""
        row = (
            self._database.connection()
            .execute("SELECT * FROM documents WHERE document_id = ?", (document_id,))
            .fetchone()
        )
        if row is None:
            raise KeyError(document_id)
        return status_of_row(row)

    def statuses(self) -> tuple[DocumentStatus, ...]:
        """All documents, newest first."""
        rows = self._database.connection().execute("SELECT * FROM documents ORDER BY received_at DESC, rowid DESC")
        return tuple(status_of_row(row) for row in rows)

    def waiting(self) -> int:
        """How many documents are received or in progress."""
        query = "SELECT COUNT(*) FROM documents WHERE state IN (?, ?)"
        states = (DocumentState.RECEIVED, DocumentState.IN_PROGRESS)
        count: int = self._database.connection().execute(query, states).fetchone()[0]
        return count

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _brings_something_new(row: sqlite3.Row, version: str, given_label: str, sidecar: str) -> bool:
    if row["version"] != version:
        return True
    if row["state"] in (DocumentState.RECEIVED, DocumentState.IN_PROGRESS):
        return False
    failed = row["state"] in (DocumentState.QUARANTINED, DocumentState.REJECTED)
    relabelled = bool(given_label) and given_label != row["given_label"]
    return failed or relabelled or (bool(sidecar) and sidecar != row["sidecar"])


def _require_free_source(connection: sqlite3.Connection, document_id: str, source: str | None) -> None:
    query = "SELECT 1 FROM documents WHERE source = ? AND document_id != ?"
    if connection.execute(query, (source, document_id)).fetchone():
        raise Conflict("another document has this source; give this one another")


def _free_id(connection: sqlite3.Connection, source: str, version: str) -> str:
    """The id that these bytes from this source always get, unless a document that has moved away since still bears it."""
    document_id = str(uuid.uuid5(_NAMESPACE, f"{source}\n{version}"))
    taken = connection.execute("SELECT 1 FROM documents WHERE document_id = ?", (document_id,)).fetchone()
    return str(uuid.uuid4()) if taken else document_id


def _already_here(row: sqlite3.Row) -> str:
    since = datetime.fromisoformat(row["received_at"])
    return f"already here since {since.day} {since:%B %Y} as {row['file_name']}; nothing was done"


def _note(connection: sqlite3.Connection, document_id: str, version: str, state: str, reason: str) -> None:
    connection.execute(
        "INSERT INTO events (at, document_id, version, state, reason) VALUES (?, ?, ?, ?, ?)",
        (_now(), document_id, version, str(state), reason),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def status_of_row(row: sqlite3.Row) -> DocumentStatus:
    """The status that a row of `documents` says."""
    return DocumentStatus(
        document_id=row["document_id"],
        version=row["version"],
        source=row["source"],
        file_name=row["file_name"],
        title=row["title"],
        state=DocumentState(row["state"]),
        category=row["category"],
        reason=row["reason"],
        pages=row["pages"],
        passages=row["passages"],
        label=row["label"],
        language=row["language"],
        media_type=row["media_type"],
        date=row["date"],
        received_at=row["received_at"],
        changed_at=row["changed_at"],
        warnings=tuple(json.loads(row["warnings"])),
        author=row["author"],
        document_type=row["document_type"],
        collection=row["collection"],
        references=tuple(json.loads(row["legal_references"])),
        hold=row["hold"],
        progress_pages=row["progress_pages"],
        progress_of=row["progress_of"],
        doubtful_pages=tuple(json.loads(row["doubtful_pages"])),
    )
