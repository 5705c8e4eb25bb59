"""What erasure and verification ask of the ledger, and write into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from assistant.database import Connection, Database, PostgresDatabase
from assistant.errors import Conflict
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger_rows import BEING_ERASED, note, now, status_of_row


class ErasureEntries:
    """The part of the ledger for erasure and verification."""

    _database: Database | PostgresDatabase

    def mark_for_erasure(self, document_ids: Iterable[str]) -> None:
        """Keep the workers off these documents from now on: all of them or none.

        Raises Conflict when one is being worked on or on hold. What is not in the ledger is passed over.
        """
        with self._database.writing() as connection:
            for document_id in document_ids:
                row = connection.execute("SELECT * FROM documents WHERE document_id = ?", (document_id,)).fetchone()
                if row is None:
                    continue
                if row["hold"]:
                    raise Conflict(
                        f"document {document_id} is on legal hold and cannot be erased; release the hold first"
                    )
                if row["state"] == DocumentState.IN_PROGRESS:
                    raise Conflict(f"document {document_id} is being worked on; erase it when that has ended")
                connection.execute(
                    "UPDATE documents SET state = ?, category = ?, reason = ?, changed_at = ? WHERE document_id = ?",
                    (DocumentState.QUARANTINED, BEING_ERASED, "it is being erased", now(), document_id),
                )

    def versions(self, document_id: str) -> frozenset[str]:
        """Every version that was ever handed in of a document."""
        query = (
            "SELECT version FROM events WHERE document_id = ? UNION SELECT version FROM documents WHERE document_id = ?"
        )
        rows = self._database.connection().execute(query, (document_id, document_id))
        return frozenset(row["version"] for row in rows if row["version"])

    def past_versions(self, document_id: str) -> frozenset[str]:
        """Those of `versions` that a newer one has replaced, also while that one waits."""
        query = "SELECT version FROM documents WHERE document_id = ?"
        rows = self._database.connection().execute(query, (document_id,))
        return self.versions(document_id) - {row["version"] for row in rows}

    def used_elsewhere(self, version: str, document_ids: Iterable[str]) -> bool:
        """True when a document that is none of these has this version now."""
        return _is_used(self._database.connection(), version, document_ids)

    @contextmanager
    def sparing(self, *document_ids: str) -> Iterator[Callable[[str], bool]]:
        """Says of a version whether a document that is none of these has it. No document gets one before the block ends.

        Who removes an original does it in here; who hands one in looks, once its row is written, whether it is there.
        """
        with self._database.writing() as connection:
            yield lambda version: _is_used(connection, version, document_ids)

    def attached(self, document_id: str) -> tuple[DocumentStatus, ...]:
        """The documents that came attached to this one, at whatever depth."""
        query = (
            "SELECT d.* FROM documents d, documents c WHERE c.document_id = ?"
            " AND substr(d.source, 1, length(c.source) + 2) = c.source || '!/' ORDER BY d.source"
        )
        return tuple(status_of_row(row) for row in self._database.connection().execute(query, (document_id,)))

    def carriers(self, source: str) -> tuple[str, ...]:
        """The documents in which the one at this source came, at whatever depth."""
        query = (
            "SELECT document_id FROM documents WHERE substr(?, 1, length(source) + 2) = source || '!/' ORDER BY source"
        )
        rows = self._database.connection().execute(query, (source,))
        return tuple(row["document_id"] for row in rows)

    def inheriting(self, document_id: str) -> tuple[DocumentStatus, ...]:
        """Those of `attached` that were handed in under the label of this one."""
        query = (
            "SELECT d.* FROM documents d, documents c WHERE c.document_id = ? AND c.label != '' AND d.given_label = c.label"
            " AND substr(d.source, 1, length(c.source) + 2) = c.source || '!/' ORDER BY d.source"
        )
        return tuple(status_of_row(row) for row in self._database.connection().execute(query, (document_id,)))

    def copy_outside(self, document_id: str, carrier: str) -> str | None:
        """The first place where a document was handed in as well that is not in the carrier at this source."""
        query = "SELECT source FROM copies WHERE document_id = ? ORDER BY number"
        rows = self._database.connection().execute(query, (document_id,))
        return next((row["source"] for row in rows if not row["source"].startswith(f"{carrier}!/")), None)

    def rename_source(self, document_id: str, source: str) -> None:
        """Write another source for a document, which may be that of one of its copies."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM copies WHERE source = ?", (source,))
            connection.execute("UPDATE documents SET source = ? WHERE document_id = ?", (source, document_id))

    def forget(self, document_id: str) -> None:
        """Remove a document's row; its events stay, without reasons, which can name it. Nothing when there is no row."""
        with self._database.writing() as connection:
            inside = "substr(source, 1, length(?) + 2) = ? || '!/'"
            row = connection.execute("SELECT source FROM documents WHERE document_id = ?", (document_id,)).fetchone()
            if row is not None:
                connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))
                connection.execute(f"DELETE FROM copies WHERE {inside}", (row["source"], row["source"]))  # noqa: S608
                for table in ("secrets", "copies"):
                    connection.execute(f"DELETE FROM {table} WHERE document_id = ?", (document_id,))  # noqa: S608
                connection.execute("UPDATE events SET reason = '' WHERE document_id = ?", (document_id,))
                note(connection, document_id, "", "removed", "")

    def scrub(self) -> None:
        """Overwrite what removed rows left in the file. Raises ServiceUnavailable while somebody holds it."""
        self._database.scrub()

    def each_status(self) -> Iterator[DocumentStatus]:
        """All documents in the order of their ids, some at a time: memory does not grow with them."""
        last = ""
        query = "SELECT * FROM documents WHERE document_id > ? ORDER BY document_id LIMIT 500"
        while rows := self._database.connection().execute(query, (last,)).fetchall():
            yield from (status_of_row(row) for row in rows)
            last = rows[-1]["document_id"]

    def labels(self) -> tuple[str, ...]:
        """The labels there are, those included that were only said so far."""
        query = "SELECT label FROM documents UNION SELECT given_label FROM documents UNION SELECT least_label FROM documents"
        rows = self._database.connection().execute(query)
        return tuple(row["label"] for row in rows)

    def knows(self, document_id: str) -> bool:
        """True when there is a row for this document."""
        query = "SELECT 1 FROM documents WHERE document_id = ?"
        return self._database.connection().execute(query, (document_id,)).fetchone() is not None

    def owns(self, document_id: str, version: str) -> bool:
        """True when this is the version that the document has now."""
        query = "SELECT 1 FROM documents WHERE document_id = ? AND version = ?"
        return self._database.connection().execute(query, (document_id, version)).fetchone() is not None

    def unchanged(self, status: DocumentStatus) -> bool:
        """True when the document stands where it stood when `status` was read."""
        query = "SELECT 1 FROM documents WHERE document_id = ? AND version = ? AND state = ? AND changed_at = ?"
        key = (status.document_id, status.version, status.state, status.changed_at)
        return self._database.connection().execute(query, key).fetchone() is not None

    def owner_of(self, version: str) -> str | None:
        """A document that has or had this version; None when there is none any more."""
        query = (
            "SELECT document_id FROM documents WHERE version = ? UNION SELECT e.document_id FROM events e"
            " JOIN documents d USING (document_id) WHERE e.version = ? LIMIT 1"
        )
        row = self._database.connection().execute(query, (version, version)).fetchone()
        return row["document_id"] if row else None

    def adds_up(self) -> bool:
        """True when every row is in exactly one of the states there are."""
        among = ", ".join("?" * len(DocumentState))
        query = (
            "SELECT COUNT(*) AS total, COALESCE(SUM(CASE WHEN state IN"  # noqa: S608 - values are bound
            f" ({among}) THEN 1 ELSE 0 END), 0) AS placed FROM documents"
        )
        row = self._database.connection().execute(query, tuple(DocumentState)).fetchone()
        return bool(row["total"] == row["placed"])


def _is_used(connection: Connection, version: str, but_by: Iterable[str]) -> bool:
    query = (
        "SELECT document_id FROM documents WHERE version = ? AND category != ?"
        " UNION SELECT document_id FROM copies WHERE version = ?"
    )
    rows = connection.execute(query, (version, BEING_ERASED, version))
    return bool({row["document_id"] for row in rows} - set(but_by))
