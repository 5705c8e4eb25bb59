"""How the ledger's tables are made, and what their rows say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assistant.database import Connection
from assistant.types import DocumentState, DocumentStatus

SCHEMA = """
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
    progress_of      INTEGER NOT NULL DEFAULT 0,
    arrival          INTEGER NOT NULL DEFAULT 0,
    run              INTEGER NOT NULL DEFAULT 0,
    worker           TEXT NOT NULL DEFAULT '',
    clearance        TEXT NOT NULL DEFAULT '', -- of who handed it in: what a file in it may change
    least_label      TEXT NOT NULL DEFAULT '' -- what was said of its label while that is not decided: who may know of it
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
CREATE TABLE IF NOT EXISTS workers (
    worker      TEXT PRIMARY KEY,
    beats       INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_version ON events (version);
CREATE TABLE IF NOT EXISTS copies (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    given_label TEXT NOT NULL DEFAULT '', -- from here on: empty while the document has these bytes itself
    sidecar     TEXT NOT NULL DEFAULT '',
    edits       TEXT NOT NULL DEFAULT '{}',
    label       TEXT NOT NULL DEFAULT '',
    title       TEXT NOT NULL DEFAULT '',
    received_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS copies_by_document ON copies (document_id);
"""
RETRY = "retry"
"""The category of a document that waits to be tried again."""
UNFINISHED = (DocumentState.RECEIVED, DocumentState.IN_PROGRESS)


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
    edits: str = "{}"
    """What an archivist said about it after handing it in, as `ingest.lifecycle` writes it down."""
    run: int = 0
    worker: str = ""
    clearance: str = ""
    """Of who handed it in, canonical; empty where it was not written down."""
    pages_read: int = 0
    """Before this attempt."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A document that waits or is worked on: what the queue needs to know of it."""

    document_id: str
    version: str
    run: int
    state: DocumentState
    attempts: int
    waiting_for_retry: bool


def note(connection: Connection, document_id: str, version: str, state: str, reason: str) -> None:
    """Write down that something happened to a document."""
    connection.execute(
        "INSERT INTO events (at, document_id, version, state, reason) VALUES (?, ?, ?, ?, ?)",
        (now(), document_id, version, str(state), reason),
    )


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def ticket_of_row(row: Any) -> Ticket:
    """What the queue needs to know of a row of `documents`."""
    return Ticket(
        row["document_id"], row["version"], row["run"], DocumentState(row["state"]), row["attempts"],
        row["category"] == RETRY,
    )  # fmt: skip


def status_of_row(row: Any) -> DocumentStatus:
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
