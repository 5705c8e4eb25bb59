"""SQLite files that survive a power cut, used from many threads.

Write-ahead log, full synchronisation, one connection per thread, one writer at a time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import ConfigurationError


class Database:
    """One SQLite file. `schema` is run at opening and must be safe to repeat."""

    def __init__(self, file: Path, schema: str) -> None:
        self.file = file
        self._local = threading.local()
        self._write_lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self.connection().executescript(schema)
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"{file}: cannot be opened ({error}); check the folder's rights and free space"
            ) from error

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode, rows by name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            # SQLite's own LOWER knows ASCII only; É and Σ have small letters too.
            connection.create_function("lower", 1, _lower, deterministic=True)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA foreign_keys=ON")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk when the block ends, none of it when the block raises."""
        connection = self.connection()
        with self._write_lock:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def forget_what_was_overwritten(self) -> None:
        """Empty the write-ahead log, so that what was deleted is in no file. Does less while somebody else is reading."""
        self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()


def _lower(value: object) -> str | None:
    return None if value is None else str(value).lower()
