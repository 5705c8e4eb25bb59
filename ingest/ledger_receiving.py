"""What the ledger writes when a file is handed in, and what it remembers of files with the same bytes elsewhere.

The same bytes are one document, wherever they lie: the further places are its copies. When new bytes come to the document's own
place, the copies still hold the old ones; before those are removed, the first copy becomes a document of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from assistant.database import Connection, Database, PostgresDatabase
from assistant.errors import ServiceUnavailable
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger_rows import BEING_ERASED, note, now

_NAMESPACE = uuid.UUID("0c1b7d52-39c1-4a35-9c52-2d2f0d6d7a10")
_KEPT = ("given_label", "sidecar", "edits", "label", "title", "received_by")
"""What a document says of its bytes that a copy of them takes along; columns of both tables."""


class ReceivingEntries:
    """The part of the ledger for handing in."""

    _database: Database | PostgresDatabase
    status: Callable[[str], DocumentStatus]

    def receive(
        self,
        *,
        source: str,
        version: str,
        file_name: str,
        given_label: str,
        sidecar: str,
        received_by: str,
        clearance: str = "",
        least_label: str = "",
        carried: bool = False,
    ) -> DocumentStatus:
        """Record a file. The same bytes anywhere are the document that is already here: nothing happens, as `notice` says.

        New bytes at a known source become that document's next version. Handing in a document that failed, or handing it in
        with another label or sidecar, puts it back in the queue. Raises ServiceUnavailable while it is being erased.

        `least_label` is what label and sidecar say at the least. What a `carried` file says comes from its carrier, so it changes
        nothing that is said of the same bytes elsewhere.
        """
        said = {"given_label": given_label, "sidecar": sidecar, "least_label": least_label}
        whose = {"received_by": received_by, "clearance": clearance}
        notice = ""
        with self._database.writing() as connection:
            row = _row_for(connection, source, version)
            if row is None:
                place = {"source": source, "version": version, "file_name": file_name, "title": file_name}
                document_id = _insert(connection, **place, **said, **whose)
                note(connection, document_id, version, DocumentState.RECEIVED, "")
            elif row["category"] == BEING_ERASED:
                raise ServiceUnavailable(
                    f"{source}: its document is being erased; hand it in again when that has ended"
                )
            else:
                document_id = row["document_id"]
                if row["source"] != source:
                    _remember_copy(connection, document_id, version, source, file_name)
                elif row["version"] != version:
                    _let_copies_keep(connection, row)
                if carried and row["source"] != source:
                    said = {name: "" if row["label"] or row[name] else value for name, value in said.items()}
                if _brings_something_new(row, version, said["given_label"], said["sidecar"]):
                    _take_in_again(connection, row, version, said | whose)
                else:
                    notice = _already_here(row)
        return replace(self.status(document_id), notice=notice)

    def version_at(self, source: str) -> str | None:
        """The version of the document at this source; None when there is none."""
        row = (
            self._database.connection().execute("SELECT version FROM documents WHERE source = ?", (source,)).fetchone()
        )
        return row["version"] if row else None

    def last_done(self, document_id: str) -> str | None:
        """The version that was the last to be done; None when none was."""
        query = "SELECT version FROM events WHERE document_id = ? AND state IN (?, ?) ORDER BY number DESC LIMIT 1"
        done = (DocumentState.DONE.value, DocumentState.DONE_WITH_WARNINGS.value)
        row = self._database.connection().execute(query, (document_id, *done)).fetchone()
        return row["version"] if row else None

    def least_label(self, document_id: str) -> str:
        """What was said of a document's label while it is not decided; empty when nothing was."""
        query = "SELECT least_label FROM documents WHERE document_id = ?"
        row = self._database.connection().execute(query, (document_id,)).fetchone()
        return row["least_label"] if row else ""

    def part_with_copies(self, document_id: str) -> tuple[str, ...]:
        """Make a document of the copies that hold another version than this document now has; the ids of the new documents.

        Before what is left of that version is removed. Each new document is received, under what was said of its bytes.
        """
        query = (
            "SELECT c.* FROM copies c JOIN documents d USING (document_id) WHERE document_id = ? AND c.version != d.version"
            " ORDER BY c.number"
        )
        if not self._database.connection().execute(query, (document_id,)).fetchone():
            return ()
        by_version: dict[str, str] = {}
        with self._database.writing() as connection:
            for copy in connection.execute(query, (document_id,)).fetchall():
                version = copy["version"]
                if version in by_version:
                    change = "UPDATE copies SET document_id = ? WHERE source = ?"
                    connection.execute(change, (by_version[version], copy["source"]))
                    continue
                kept = {name: copy[name] for name in ("source", "version", "file_name", *_KEPT)}
                by_version[version] = _insert(connection, **kept)
                reason = "a copy of a document that has other bytes since"
                note(connection, by_version[version], version, DocumentState.RECEIVED, reason)
        return tuple(by_version.values())


def _row_for(connection: Connection, source: str, version: str) -> Any:
    """The document at this source, else one that has these bytes; None when there is neither."""
    at_source = connection.execute("SELECT * FROM documents WHERE source = ?", (source,)).fetchone()
    query = "SELECT * FROM documents WHERE version = ? ORDER BY arrival LIMIT 1"
    return at_source or connection.execute(query, (version,)).fetchone()


def _insert(connection: Connection, *, source: str, version: str, **said: str) -> str:
    """A new document, received; its id."""
    connection.execute("DELETE FROM copies WHERE source = ?", (source,))
    document_id, at = _free_id(connection, source, version), now()
    columns = {"document_id": document_id, "source": source, "version": version, "state": DocumentState.RECEIVED.value}
    columns |= {"received_at": at, "changed_at": at, **said}
    connection.execute(
        f"INSERT INTO documents ({', '.join(columns)}, run, arrival) VALUES ({', '.join('?' * len(columns))},"  # noqa: S608
        " (SELECT COALESCE(MAX(number), 0) + 1 FROM events), (SELECT COALESCE(MAX(number), 0) + 1 FROM events))",
        tuple(columns.values()),
    )
    return document_id


def _take_in_again(connection: Connection, row: Any, version: str, said: dict[str, str]) -> None:
    """Back into the queue, with what is said now; where nothing is, what was said before holds."""
    columns = {name: value or row[name] for name, value in said.items()}
    assignments = "".join(f", {name} = ?" for name in columns)
    connection.execute(
        "UPDATE documents SET version = ?, state = ?, category = '', reason = '', attempts = 0, run = run + 1,"  # noqa: S608
        f" worker = '', progress_pages = 0, progress_of = 0, changed_at = ?{assignments} WHERE document_id = ?",
        (version, DocumentState.RECEIVED, now(), *columns.values(), row["document_id"]),
    )
    note(connection, row["document_id"], version, DocumentState.RECEIVED, "handed in again")


def _remember_copy(connection: Connection, document_id: str, version: str, source: str, file_name: str) -> None:
    connection.execute("DELETE FROM copies WHERE source = ?", (source,))
    connection.execute(
        "INSERT INTO copies (source, document_id, version, file_name) VALUES (?, ?, ?, ?)",
        (source, document_id, version, file_name),
    )


def _let_copies_keep(connection: Connection, row: Any) -> None:
    """Write beside the copies of what `row` holds what it says of that, before it says something of other bytes."""
    assignments = ", ".join(f"{name} = ?" for name in _KEPT)
    connection.execute(
        f"UPDATE copies SET {assignments} WHERE document_id = ? AND version = ?",  # noqa: S608
        (*(row[name] for name in _KEPT), row["document_id"], row["version"]),
    )


def _brings_something_new(row: Any, version: str, given_label: str, sidecar: str) -> bool:
    if row["version"] != version:
        return True
    failed = row["state"] in (DocumentState.QUARANTINED, DocumentState.REJECTED)
    relabelled = bool(given_label) and given_label != row["given_label"]
    return failed or relabelled or (bool(sidecar) and sidecar != row["sidecar"])


def _free_id(connection: Connection, source: str, version: str) -> str:
    """The id that these bytes from this source always get, unless a document that has moved away since still bears it."""
    document_id = str(uuid.uuid5(_NAMESPACE, f"{source}\n{version}"))
    taken = connection.execute("SELECT 1 FROM documents WHERE document_id = ?", (document_id,)).fetchone()
    return str(uuid.uuid4()) if taken else document_id


def _already_here(row: Any) -> str:
    since = datetime.fromisoformat(row["received_at"])
    return f"already here since {since.day} {since:%B %Y} as {row['file_name']}; nothing was done"
