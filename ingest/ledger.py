"""What was handed in, what state it is in, and why.

Each document is in exactly one state at every instant. A row is written, and flushed to disk, before anybody is told that a
file was accepted. Every change of state is kept in `events`.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    attempts    INTEGER NOT NULL DEFAULT 0
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
CREATE INDEX IF NOT EXISTS events_by_version ON events (version);
CREATE INDEX IF NOT EXISTS events_by_document ON events (document_id);
"""


BEING_ERASED = "being_erased"
"""Category of a document that waits for its erasure to end."""


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


class Ledger:
    """The ledger of one instance."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)

    def receive(
        self, *, source: str, version: str, file_name: str, given_label: str, sidecar: str, received_by: str
    ) -> DocumentStatus:
        """Record a file. The same bytes anywhere are the document that is already here, and nothing happens.

        New bytes at a known source become that document's next version. Handing in a document that failed, or handing it in
        with another label or sidecar, puts it back in the queue.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT * FROM documents WHERE version = ? OR source = ? ORDER BY version = ? DESC LIMIT 1",
                (version, source, version),
            ).fetchone()
            now = _now()
            if row is None:
                document_id = str(uuid.uuid5(_NAMESPACE, f"{source}\n{version}"))
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
        return self.status(document_id)

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
            row["attempts"] + 1, row["received_by"],
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
        return bool(cursor.rowcount)

    def mark_for_erasure(self, document_ids: Iterable[str]) -> None:
        """Keep the workers off these documents from now on: all of them or none.

        Raises Conflict when one is being worked on or on hold. What is not in the ledger is passed over.
        """
        with self._database.writing() as connection:
            for document_id in document_ids:
                row = connection.execute("SELECT * FROM documents WHERE document_id = ?", (document_id,)).fetchone()
                if row is None:
                    continue
                if "hold" in row.keys() and row["hold"]:  # noqa: SIM118 - a Row is no mapping
                    raise Conflict(f"document {document_id} is on hold and cannot be erased; release the hold first")
                if row["state"] == DocumentState.IN_PROGRESS:
                    raise Conflict(f"document {document_id} is being worked on; erase it when that has ended")
                connection.execute(
                    "UPDATE documents SET state = ?, category = ?, reason = ?, changed_at = ? WHERE document_id = ?",
                    (DocumentState.QUARANTINED, BEING_ERASED, "it is being erased", _now(), document_id),
                )

    def versions(self, document_id: str) -> frozenset[str]:
        """Every version that was ever handed in of a document."""
        query = "SELECT version FROM events WHERE document_id = ?1 UNION SELECT version FROM documents WHERE document_id = ?1"
        rows = self._database.connection().execute(query, (document_id,))
        return frozenset(row["version"] for row in rows if row["version"])

    def used_elsewhere(self, version: str, document_ids: Iterable[str]) -> bool:
        """True when a document that is none of these has this version now."""
        rows = self._database.connection().execute("SELECT document_id FROM documents WHERE version = ?", (version,))
        return bool({row["document_id"] for row in rows} - set(document_ids))

    def attached(self, document_id: str) -> tuple[DocumentStatus, ...]:
        """The documents that came attached to this one, at whatever depth."""
        query = (
            "SELECT d.* FROM documents d, documents c WHERE c.document_id = ?"
            " AND substr(d.source, 1, length(c.source) + 2) = c.source || '!/' ORDER BY d.source"
        )
        return tuple(_status(row) for row in self._database.connection().execute(query, (document_id,)))

    def rename_source(self, document_id: str, source: str) -> None:
        """Write another source for a document."""
        with self._database.writing() as connection:
            connection.execute("UPDATE documents SET source = ? WHERE document_id = ?", (source, document_id))

    def forget(self, document_id: str) -> None:
        """Remove a document's row; its events stay, without reasons, which can name it. Nothing when there is no row."""
        with self._database.writing() as connection:
            if connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,)).rowcount:
                connection.execute("UPDATE events SET reason = '' WHERE document_id = ?", (document_id,))
                _note(connection, document_id, "", "removed", "")

    def scrub(self) -> None:
        """Overwrite what removed rows left in the file. Raises ServiceUnavailable while somebody holds it."""
        self._database.scrub()

    def status(self, document_id: str) -> DocumentStatus:
        """One document. Raises KeyError when there is none."""
        row = (
            self._database.connection()
            .execute("SELECT * FROM documents WHERE document_id = ?", (document_id,))
            .fetchone()
        )
        if row is None:
            raise KeyError(document_id)
        return _status(row)

    def statuses(self) -> tuple[DocumentStatus, ...]:
        """All documents, newest first."""
        rows = self._database.connection().execute("SELECT * FROM documents ORDER BY received_at DESC, rowid DESC")
        return tuple(_status(row) for row in rows)

    def each_status(self) -> Iterator[DocumentStatus]:
        """All documents in the order of their ids, some at a time: memory does not grow with them."""
        last = ""
        query = "SELECT * FROM documents WHERE document_id > ? ORDER BY document_id LIMIT 500"
        while rows := self._database.connection().execute(query, (last,)).fetchall():
            yield from (_status(row) for row in rows)
            last = rows[-1]["document_id"]

    def labels(self) -> tuple[str, ...]:
        """The labels there are."""
        return tuple(row[0] for row in self._database.connection().execute("SELECT DISTINCT label FROM documents"))

    def knows(self, document_id: str) -> bool:
        """True when there is a row for this document."""
        query = "SELECT 1 FROM documents WHERE document_id = ?"
        return self._database.connection().execute(query, (document_id,)).fetchone() is not None

    def unchanged(self, status: DocumentStatus) -> bool:
        """True when the document stands where it stood when `status` was read."""
        query = "SELECT 1 FROM documents WHERE document_id = ? AND version = ? AND state = ? AND changed_at = ?"
        key = (status.document_id, status.version, status.state, status.changed_at)
        return self._database.connection().execute(query, key).fetchone() is not None

    def owner_of(self, version: str) -> str | None:
        """A document that has or had this version; None when there is none any more."""
        query = (
            "SELECT document_id FROM documents WHERE version = ?1 UNION SELECT e.document_id FROM events e"
            " JOIN documents d USING (document_id) WHERE e.version = ?1 LIMIT 1"
        )
        row = self._database.connection().execute(query, (version,)).fetchone()
        return row["document_id"] if row else None

    def adds_up(self) -> bool:
        """True when every row is in exactly one of the states there are."""
        query = f"SELECT COUNT(*), SUM(state IN ({', '.join('?' * len(DocumentState))})) FROM documents"  # noqa: S608
        total, in_a_state = self._database.connection().execute(query, tuple(DocumentState)).fetchone()
        return bool(total == (in_a_state or 0))

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


def _note(connection: sqlite3.Connection, document_id: str, version: str, state: str, reason: str) -> None:
    connection.execute(
        "INSERT INTO events (at, document_id, version, state, reason) VALUES (?, ?, ?, ?, ?)",
        (_now(), document_id, version, str(state), reason),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _status(row: sqlite3.Row) -> DocumentStatus:
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
    )
