"""What archivists write into the ledger about a document, beside handing it in."""

from __future__ import annotations

from assistant.database import Connection, Database, PostgresDatabase
from assistant.errors import Conflict
from assistant.types import DocumentState
from ingest.ledger_rows import BEING_ERASED, note, now


class ArchivistsEntries:
    """The part of the ledger for edits, holds and passwords."""

    _database: Database | PostgresDatabase

    def amend(self, document_id: str, columns: dict[str, str | None], reason: str, *, as_of: str | None = None) -> bool:
        """Take a settled document in hand and write what an archivist changed; False when it is being worked on.

        With `as_of`, its time of change when the archivist looked, False as well when it has changed since. It is in progress
        afterwards and no worker takes it: `requeue` hands it on. Raises Conflict when another document has the new source, and
        while it is being erased. `reason` goes into the history and names nothing that erasure would have to remove.
        """
        assignments = "".join(f", {name} = ?" for name in columns)
        with self._database.writing() as connection:
            _require_staying(connection, document_id)
            if "source" in columns:
                _move(connection, document_id, columns["source"] or "")
            row = connection.execute(
                f"UPDATE documents SET state = ?, attempts = 0, changed_at = ?{assignments}"  # noqa: S608
                " WHERE document_id = ? AND state NOT IN (?, ?) AND (? OR changed_at = ?) RETURNING version",
                (DocumentState.IN_PROGRESS, now(), *columns.values(), document_id,
                 DocumentState.RECEIVED, DocumentState.IN_PROGRESS, as_of is None, as_of or ""),
            ).fetchone()  # fmt: skip
            if row is not None:
                note(connection, document_id, row["version"], DocumentState.IN_PROGRESS, reason)
        return row is not None

    def edits(self, document_id: str) -> str:
        """What an archivist said about a document, as `ingest.lifecycle` writes it down."""
        query = "SELECT edits FROM documents WHERE document_id = ?"
        row = self._database.connection().execute(query, (document_id,)).fetchone()
        return row["edits"] if row else "{}"

    def hold(self, document_id: str, hold: str, reason: str) -> None:
        """Write why a document may not be erased (empty: it may), whatever state it is in; `reason` is for its history.

        Raises Conflict when its erasure has begun: that can no longer be stopped.
        """
        with self._database.writing() as connection:
            _require_staying(connection, document_id)
            row = connection.execute(
                "UPDATE documents SET hold = ? WHERE document_id = ? RETURNING version, state", (hold, document_id)
            ).fetchone()
            if row is not None:
                note(connection, document_id, row["version"], row["state"], reason)

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
            self._database.truncate_log()


def _require_staying(connection: Connection, document_id: str) -> None:
    query = "SELECT 1 FROM documents WHERE document_id = ? AND category = ?"
    if connection.execute(query, (document_id, BEING_ERASED)).fetchone():
        raise Conflict("the document is being erased")


def _move(connection: Connection, document_id: str, source: str) -> None:
    """Make room at `source`, and take along what the document carries: `old!/annex` becomes `source!/annex`."""
    old = connection.execute("SELECT source FROM documents WHERE document_id = ?", (document_id,)).fetchone()
    if old is None or old["source"] == source:
        return
    below = "substr(source, 1, length(?)) = ?"
    new_inside, old_inside = f"{source}!/", f"{old['source']}!/"
    query = f"SELECT 1 FROM documents WHERE source = ? OR {below}"  # noqa: S608 - values are bound
    if connection.execute(query, (source, new_inside, new_inside)).fetchone():
        raise Conflict("another document has this source; give this one another")
    connection.execute(f"DELETE FROM copies WHERE source = ? OR {below}", (source, new_inside, new_inside))  # noqa: S608
    for table in ("documents", "copies"):
        connection.execute(
            f"UPDATE {table} SET source = ? || substr(source, length(?) + 1) WHERE {below}",  # noqa: S608
            (new_inside, old_inside, old_inside, old_inside),
        )
