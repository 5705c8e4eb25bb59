"""What was handed in, what state it is in, and why.

Each document is in exactly one state at every instant. A row is written, and flushed to disk, before anybody is told that a
file was accepted. Every change of state is kept in `events`.

The ledger is the register; `ingest.queue` only hands out the work it names. Each time a document is queued its `run` goes up by
one, so that work which was overtaken settles nothing. A run begins at the number of the newest event and grows no faster than
they do: a document that was erased and handed in again never bears a run that the queue has seen. The ledger stands in SQLite,
or in PostgreSQL when several hosts share it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from assistant.database import Database, PostgresDatabase
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger_archivists import ArchivistsEntries
from ingest.ledger_erasure import ErasureEntries
from ingest.ledger_receiving import ReceivingEntries
from ingest.ledger_rows import (
    BEING_ERASED,
    SCHEMA,
    UNFINISHED,
    Task,
    Ticket,
    note,
    now,
    status_of_row,
    ticket_of_row,
)

_NAME = "assistant"
"""The schema of the ledger's tables in PostgreSQL."""


class Ledger(ReceivingEntries, ArchivistsEntries, ErasureEntries):
    """The ledger of one instance: in the SQLite file `file`, or in PostgreSQL when `url` names one."""

    def __init__(self, file: Path, *, url: str = "") -> None:
        self._database = PostgresDatabase(url, SCHEMA, namespace=_NAME) if url else Database(file, SCHEMA)

    @property
    def database(self) -> Database | PostgresDatabase:
        """Where it is kept, for the modules that read lists from it or write to one document."""
        return self._database

    def take(self, worker: str = "") -> Task | None:
        """The document that has waited longest, now in progress; None when nothing waits."""
        row = (
            self._database.connection()
            .execute(
                "SELECT document_id, run FROM documents WHERE state = ? ORDER BY attempts, received_at, arrival LIMIT 1",
                (DocumentState.RECEIVED,),
            )
            .fetchone()
        )
        return self.begin(row["document_id"], row["run"], worker) if row is not None else None

    def begin(self, document_id: str, run: int, worker: str) -> Task | None:
        """This run of a document, now in progress in the hands of `worker`; None when it was settled or overtaken."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE documents SET state = ?, worker = ?, attempts = attempts + 1, changed_at = ?"
                " WHERE document_id = ? AND run = ? AND state IN (?, ?) RETURNING *",
                (DocumentState.IN_PROGRESS, worker, now(), document_id, run, *UNFINISHED),
            ).fetchone()
        if row is None:
            return None
        return Task(
            row["document_id"], row["version"], row["source"], row["file_name"], row["given_label"], row["sidecar"],
            row["attempts"], row["received_by"], row["edits"], row["run"], row["worker"],
            row["clearance"], row["progress_pages"],
        )  # fmt: skip

    def give_back(self, task: Task, *, if_further: bool = False) -> None:
        """Not count an attempt that was broken off on purpose; the document stays to be taken up.

        `if_further`: only when it has read another page, without which it may be what could not be stopped.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE documents SET attempts = attempts - 1 WHERE document_id = ? AND run = ? AND attempts = ? AND state = ?"
                " AND progress_pages >= ?",
                (
                    task.document_id,
                    task.run,
                    task.attempts,
                    DocumentState.IN_PROGRESS,
                    task.pages_read + 1 if if_further else 0,
                ),
            )

    def progress(self, document_id: str, pages: int, of: int) -> None:
        """Say how many pages of a document in progress have been read, and how many there are."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE documents SET progress_pages = ?, progress_of = ? WHERE document_id = ? AND state = ?",
                (pages, of, document_id, DocumentState.IN_PROGRESS),
            )

    def tickets(self) -> tuple[Ticket, ...]:
        """Every document that waits or is worked on, the one that has waited longest first."""
        rows = self._database.connection().execute(
            "SELECT * FROM documents WHERE state IN (?, ?) ORDER BY received_at, arrival", UNFINISHED
        )
        return tuple(ticket_of_row(row) for row in rows)

    def ticket(self, document_id: str) -> Ticket | None:
        """The same for one document; None when there is nothing to do for it."""
        row = (
            self._database.connection()
            .execute("SELECT * FROM documents WHERE document_id = ? AND state IN (?, ?)", (document_id, *UNFINISHED))
            .fetchone()
        )
        return ticket_of_row(row) if row is not None else None

    def renew(self, document_id: str, run: int) -> Ticket | None:
        """A new run of work that was lost; None when this run was settled or overtaken meanwhile."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE documents SET state = ?, run = run + 1, worker = '', changed_at = ?"
                " WHERE document_id = ? AND run = ? AND state IN (?, ?) RETURNING *",
                (DocumentState.RECEIVED, now(), document_id, run, *UNFINISHED),
            ).fetchone()
            if row is not None:
                note(connection, document_id, row["version"], DocumentState.RECEIVED, "taken up again")
        return ticket_of_row(row) if row is not None else None

    def beat(self, worker: str) -> None:
        """Say that `worker` is alive."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO workers (worker, beats) VALUES (?, 1)"
                " ON CONFLICT (worker) DO UPDATE SET beats = workers.beats + 1",
                (worker,),
            )

    def beats(self) -> dict[str, int]:
        """Worker → how often it has said that it is alive. A number that stands still is a worker that has stopped."""
        rows = self._database.connection().execute("SELECT worker, beats FROM workers")
        return {row["worker"]: row["beats"] for row in rows}

    def strike_off(self, worker: str) -> None:
        """No longer expect anything from `worker`."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM workers WHERE worker = ?", (worker,))

    def requeue(self, document_id: str, reason: str) -> None:
        """Put a document back in the queue, for a cause that is not in the document; nothing while it is being erased."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE documents SET state = ?, category = '', reason = ?, attempts = 0, changed_at = ?, run = run + 1,"
                " worker = '', progress_pages = 0, progress_of = 0 WHERE document_id = ? AND category != ? RETURNING version",
                (DocumentState.RECEIVED, reason, now(), document_id, BEING_ERASED),
            ).fetchone()
            if row is not None:
                note(connection, document_id, row["version"], DocumentState.RECEIVED, reason)

    def settle(
        self,
        task: Task,
        state: DocumentState,
        *,
        category: str = "",
        reason: str = "",
        facts: dict[str, str | int | None] | None = None,
        warnings: Iterable[str] = (),
        attempts: int | None = None,
    ) -> bool:
        """Write how the work on `task` ended; False when it was overtaken meanwhile: by a newer version, by another worker.

        RECEIVED puts it back in the queue, for a next run. `attempts` is how many count so far; None for all of them.
        `facts` are columns of the ledger: title, pages, passages, label, language, media_type, date.
        """
        facts = facts or {}
        assignments = "".join(f", {name} = ?" for name in facts)
        next_run = task.run + (state is DocumentState.RECEIVED)
        with self._database.writing() as connection:
            cursor = connection.execute(
                "UPDATE documents SET state = ?, category = ?, reason = ?, warnings = ?, changed_at = ?, run = ?,"  # noqa: S608
                f" attempts = ?, worker = '', progress_pages = 0, progress_of = 0{assignments}"
                " WHERE document_id = ? AND version = ? AND state = ? AND run = ? AND worker = ?",
                (state, category, reason, json.dumps(list(warnings), ensure_ascii=False), now(), next_run,
                 task.attempts if attempts is None else attempts, *facts.values(), task.document_id, task.version,
                 DocumentState.IN_PROGRESS, task.run, task.worker),
            )  # fmt: skip
            if cursor.rowcount:
                note(connection, task.document_id, task.version, state, reason)
        if cursor.rowcount and state.final:
            self._forget_password(task.document_id)
        return bool(cursor.rowcount)

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
        rows = self._database.connection().execute("SELECT * FROM documents ORDER BY received_at DESC, arrival DESC")
        return tuple(status_of_row(row) for row in rows)

    def waiting(self) -> int:
        """How many documents are received or in progress."""
        query = "SELECT COUNT(*) AS waiting FROM documents WHERE state IN (?, ?)"
        return int(self._database.connection().execute(query, UNFINISHED).fetchone()["waiting"])

    def close(self) -> None:
        """Close the file."""
        self._database.close()
