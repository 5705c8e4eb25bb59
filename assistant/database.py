"""Databases that survive a power cut, used from many threads: SQLite files, and PostgreSQL where a setting asks for it.

SQLite: write-ahead log, full synchronisation, one connection per thread, one writer at a time. PostgreSQL: the same calls and
the same SQL, with `?` for parameters; `writing` takes one lock for all writers of a schema, so that both behave alike.

Columns that a schema names and an older database lacks are added when it is opened. A database that is full, locked, away or
read-only raises ServiceUnavailable: trying later can help.

The one module that imports `psycopg`, when PostgreSQL is asked for.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assistant.config import Settings
from assistant.egress import is_loopback
from assistant.errors import ConfigurationError, EgressBlocked, ServiceUnavailable
from assistant.language import search_form

if TYPE_CHECKING:
    import psycopg

_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*?)\n\);", re.S)
_COLUMN = re.compile(r"^\s*(\w+)\s+(.+?),?$", re.M)
_COMMENT = re.compile(r"\s*--.*")
_NOT_COLUMNS = {"PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "CONSTRAINT"}
_CONNECT_TIMEOUT_S = 10


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        ...

    def fetchone(self) -> Any:
        """The next row, by column name; None when there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection that takes SQL with `?` for parameters."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""
        ...


class Database:
    """One SQLite file. `schema` is run at opening and must be safe to repeat."""

    def __init__(self, file: Path, schema: str) -> None:
        self.file = file
        self._local = threading.local()
        self._write_lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._add_missing_columns(schema)
            self.connection().executescript(schema)
        except (sqlite3.Error, OSError) as error:
            damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
            remedy = (
                "it is damaged: bring it back from a backup" if damaged else "check the folder's rights and free space"
            )
            raise ConfigurationError(f"{file}: cannot be opened ({error}); {remedy}") from error

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode, rows by name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            # SQLite's own LOWER knows ASCII only; É and Σ have small letters too.
            connection.create_function("lower", 1, _folded, deterministic=True)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA foreign_keys=ON")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk when the block ends, none of it when the block raises.

        Raises ServiceUnavailable when the file cannot be written for now: disk full, locked, read-only.
        """
        try:
            with self._write_lock:
                connection = self.connection()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    # A full disk ends the transaction by itself, or leaves it open when it strikes in the commit.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise ServiceUnavailable(
                f"{self.file} cannot be written ({error}); check its disk and its rights"
            ) from error

    def scrub(self) -> None:
        """Overwrite what deleted and changed rows left behind in the file and in its write-ahead log.

        `secure_delete` alone does not: when rows are moved between pages, copies stay in the gaps of the pages they came from
        (SQLite 3.40: 12 of 4,000 deleted words were found again). Raises ServiceUnavailable while a reader holds the log.
        """
        with self._write_lock:
            try:
                self.connection().execute("VACUUM")
            except sqlite3.OperationalError as error:
                raise ServiceUnavailable(f"{self.file.name}: cannot be compacted now ({error}); try again") from error
        self.truncate_log()

    def sought(self, word: str) -> str:
        """`word` as LOWER gives it here: capitals, accents and letter forms do not matter."""
        return _plain(word)

    def truncate_log(self) -> None:
        """Take everything out of the write-ahead log. Raises ServiceUnavailable while a reader holds it."""
        with self._write_lock:
            busy = self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise ServiceUnavailable(f"{self.file.name}: its log cannot be emptied while somebody reads; try again")

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _add_missing_columns(self, schema: str) -> None:
        for table, columns in columns_of(schema).items():
            there = {row["name"] for row in self.connection().execute(f"PRAGMA table_info({table})")}
            for name, definition in columns.items() if there else ():
                if name not in there:
                    self.connection().execute(f"ALTER TABLE {table} ADD COLUMN {name} {definition}")


class PostgresDatabase:
    """The same for a PostgreSQL database at `url`; its tables stand in `namespace`, a schema of their own."""

    def __init__(self, url: str, schema: str, *, namespace: str) -> None:
        import psycopg

        self._url = url
        self._namespace = namespace
        self._failure: type[Exception] = psycopg.OperationalError
        self._local = threading.local()
        self._opened: list[psycopg.Connection[Any]] = []
        try:
            with self._writing(create=True) as connection:
                for table, columns in columns_of(schema).items():
                    for name, definition in columns.items():
                        connection.execute(
                            f"ALTER TABLE IF EXISTS {table} ADD COLUMN IF NOT EXISTS {name} {definition}"
                        )
                connection.execute(schema)
        except psycopg.Error as error:
            raise ConfigurationError(
                f"database.url: {shown_url(url)} cannot be used ({' '.join(str(error).split())}); check that the"
                " server runs, and that its user may create a schema there"
            ) from error

    def connection(self) -> Connection:
        """This thread's connection, in autocommit mode, rows by name; made anew when the server has dropped it. For reading.

        Raises ServiceUnavailable when the server is away.
        """
        with self._refusals("read"):
            return _Translated(self._connection(), anew=self._connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; see `Database.writing`."""
        with self._refusals("written"), self._writing() as connection:
            yield connection

    def scrub(self) -> None:
        """Rewrite the tables without what was deleted. The server's own log keeps it for as long as the server is set to."""
        with self._refusals("written"):
            self._answering().execute("VACUUM FULL")

    def sought(self, word: str) -> str:
        """`word` as LOWER gives it here: capitals do not matter, accents do."""
        return word.lower()

    def truncate_log(self) -> None:
        """Nothing: PostgreSQL's log is the server's affair."""

    @contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._failure as error:
            reason = " ".join(str(error).split())
            raise ServiceUnavailable(
                f"{shown_url(self._url)} cannot be {what} now ({reason}); try again, or check the server"
            ) from error

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            with suppress(Exception):
                connection.close()
        self._opened.clear()
        self._local = threading.local()

    @contextmanager
    def _writing(self, *, create: bool = False) -> Iterator[Connection]:
        connection = self._answering()
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self._namespace,))
            if create:
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._namespace}"')
            yield _Translated(connection)

    def _answering(self) -> psycopg.Connection[Any]:
        """This thread's connection, after it has answered: one from before a restart of the server fails at its next use only."""
        connection = self._connection()
        try:
            connection.execute("SELECT 1")
        except self._failure:
            connection = self._connection()
        return connection

    def _connection(self) -> psycopg.Connection[Any]:
        import psycopg
        from psycopg.rows import dict_row

        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=_CONNECT_TIMEOUT_S,
                options=f"-c search_path={self._namespace}",
            )
            self._local.connection = connection
            self._opened = [open_ for open_ in self._opened if not open_.closed] + [connection]
        return connection


class _Translated:
    """Takes SQLite's dialect, as far as our schemas use it."""

    def __init__(
        self, connection: psycopg.Connection[Any], *, anew: Callable[[], psycopg.Connection[Any]] | None = None
    ) -> None:
        """With `anew`, what fails because the connection was dropped is asked once more of a new one."""
        self._connection, self._anew = connection, anew

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        import psycopg

        written = _in_postgres(sql)
        if parameters:
            written = written.replace("%", "%%").replace("?", "%s")
        plain = [str(value) if isinstance(value, str) else value for value in parameters]  # psycopg refuses StrEnum
        try:
            try:
                return self._connection.execute(written, plain or None)
            except psycopg.OperationalError:
                if self._anew is None or not self._connection.closed:
                    raise
                return self._anew().execute(written, plain or None)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            raise ServiceUnavailable(
                f"the database does not answer ({reason}); try again, or check the server"
            ) from error


def allowed_url(settings: Settings) -> str:
    """The address of PostgreSQL, which must be local or listed; empty for SQLite."""
    url = settings.database.url
    if url and not url.startswith("postgresql://"):
        raise ConfigurationError(
            f"{settings.file}: database.url must be empty or begin with postgresql://; correct it or leave it out"
        )
    for host in settings.database.hosts:
        if not host.startswith("/") and not is_loopback(host) and host not in settings.egress.allow:
            raise EgressBlocked(
                f"{settings.file}: database.url names {host!r}, which is not on this machine; if it is one of your own"
                " servers, add it to egress.allow"
            )
    return url


def server_version(url: str) -> str:
    """What the PostgreSQL server at `url` calls its version. Changes nothing; raises ServiceUnavailable when it is away."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            return connection.info.parameter_status("server_version") or "of unknown version"
    except psycopg.Error as error:
        raise ServiceUnavailable(f"{shown_url(url)} does not answer ({' '.join(str(error).split())})") from error


def columns_of(schema: str) -> dict[str, dict[str, str]]:
    """Table → column → definition, of a schema with one column a line.

    >>> columns_of("CREATE TABLE IF NOT EXISTS pages (\\n    number INTEGER NOT NULL, -- 1-based\\n    text TEXT\\n);")
    {'pages': {'number': 'INTEGER NOT NULL', 'text': 'TEXT'}}
    """
    found: dict[str, dict[str, str]] = {}
    for table, body in _TABLE.findall(_COMMENT.sub("", schema)):
        columns: Iterable[tuple[str, str]] = _COLUMN.findall(body)
        found[table] = {name: definition for name, definition in columns if name not in _NOT_COLUMNS}
    return found


def shown_url(url: str) -> str:
    """The address without its password.

    >>> shown_url("postgresql://user:secret@localhost/assistant")
    'postgresql://user:…@localhost/assistant'
    >>> shown_url("postgresql:///assistant?user=user&password=secret&host=/run")
    'postgresql:///assistant?user=user&password=…&host=/run'
    """
    return re.sub(r"(?<=//)([^/:@]*):.*@|(?i:(?<=[?&])(\w*pass\w*)=[^&]*)", _without_secret, url)


def _without_secret(found: re.Match[str]) -> str:
    return f"{found[1]}:…@" if found[1] is not None else f"{found[2]}=…"


def _in_postgres(sql: str) -> str:
    sql = sql.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
    return sql.replace("INTEGER", "BIGINT")


@lru_cache(maxsize=50_000)
def _folded(value: object) -> str | None:
    """In place of SQLite's own LOWER, which knows ASCII only."""
    return None if value is None else _plain(str(value))


def _plain(text: str) -> str:
    """Without accents, marks and capitals, Arabic letters in one form each.

    >>> _plain("ÉTAT du télétravail"), _plain("المُؤسَّسة")
    ('etat du teletravail', 'الموسسه')
    """
    decomposed = unicodedata.normalize("NFKD", search_form(text, "ar"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
