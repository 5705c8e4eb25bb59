"""What was asked and answered, by whom, in an append-only, hash-chained record.

Promise: no record, no answer. A record opens before the search and closes after the last sentence. Each entry carries the
SHA-256 of the entry before it, so a changed, removed or inserted entry breaks the chain at that place. The database
itself refuses updates and deletions. Cutting off the newest entries is not yet detectable: that needs signed heads.

Questions are recorded as SHA-256, with length and language: enough to prove that a question was asked, and no second
place where its words can leak.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.access import Principal
from assistant.database import Database
from assistant.errors import AuditUnavailable, ConfigurationError, ServiceUnavailable

_GENESIS = "0" * 64

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    record   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL UNIQUE
);
CREATE TRIGGER IF NOT EXISTS entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_are_not_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What walking the whole chain found. `broken_at` is the number of the first bad entry, None when all hold."""

    entries: int
    head: str
    broken_at: int | None
    open_records: int
    """Records that were begun and never closed: a process died in mid-answer."""


class AuditLog:
    """The audit record of one instance."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)

    def begin(self, record: str, kind: str, principal: Principal, body: Mapping[str, object]) -> None:
        """Open `record`. Raises AuditUnavailable when it cannot be written: then there must be no answer."""
        self._append(record, f"{kind} begun", {"principal": principal.id, **body})

    def close_record(self, record: str, kind: str, body: Mapping[str, object]) -> None:
        """Close `record`. Raises AuditUnavailable when it cannot be written."""
        self._append(record, f"{kind} closed", body)

    def verify(self) -> ChainCheck:
        """Walk the chain from the first entry."""
        previous, count, begun, closed = _GENESIS, 0, 0, 0
        broken_at: int | None = None
        for row in self._database.connection().execute("SELECT * FROM entries ORDER BY number"):
            count += 1
            intact = row["previous"] == previous and row["hash"] == _entry_hash(
                row["at"], row["record"], row["kind"], row["body"], previous
            )
            if not intact and broken_at is None:
                broken_at = row["number"]
            previous = row["hash"]
            begun += row["kind"].endswith(" begun")
            closed += row["kind"].endswith(" closed")
        return ChainCheck(count, previous, broken_at, begun - closed)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _append(self, record: str, kind: str, body: Mapping[str, object]) -> None:
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            with self._database.writing() as connection:
                row = connection.execute("SELECT hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
                previous = row["hash"] if row else _GENESIS
                connection.execute(
                    "INSERT INTO entries (at, record, kind, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?)",
                    (at, record, kind, text, previous, _entry_hash(at, record, kind, text, previous)),
                )
        except (sqlite3.Error, OSError, ConfigurationError, ServiceUnavailable) as error:
            raise AuditUnavailable(
                f"the audit record cannot be written ({error}); no answer is given without it"
            ) from error


def text_digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _entry_hash(at: str, record: str, kind: str, body: str, previous: str) -> str:
    canonical = json.dumps([at, record, kind, body, previous], ensure_ascii=False, separators=(",", ":"))
    return text_digest(canonical)
