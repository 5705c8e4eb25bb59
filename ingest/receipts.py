"""Erasure receipts: signed, kept for good, and the intents that lead to them.

Promise: an intent becomes exactly one receipt, in one transaction, whatever dies in between. Receipts are rows that the database
refuses to change or remove, and a file each under `receipts/`; each carries the SHA-256 of the one before it, so a receipt
that was taken out is missed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from assistant.database import Database
from assistant.durable import flush_folder, write_durably
from assistant.errors import ConfigurationError
from assistant.receipts import ERASURE, PURGE, ErasureReceipt, PurgeRecord, canonical, fingerprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_GENESIS = "0" * 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    receipt_id TEXT PRIMARY KEY,
    body       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    number     INTEGER PRIMARY KEY,
    receipt_id TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    label      TEXT NOT NULL, -- of what was erased: who may know of it
    body       BLOB NOT NULL  -- canonical, signed
);
CREATE TABLE IF NOT EXISTS unpurged (receipt_id TEXT PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS records_are_not_changed BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
CREATE TRIGGER IF NOT EXISTS records_are_not_removed BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END;
"""

_AT_ONCE = (
    "index: the passages are in no search, listing or count",
    "archive: texts, pages and originals are removed, and the log of the database is emptied",
    "ledger: source, file name, title, sidecar and reasons are removed, and the database is compacted",
)
_BY_KEY = (
    "index: title, file name, headings, text and date of each passage",
    "archive: text, title, file name and source of each version",
)
_LATER = ("index: vectors and hashed terms of the passages, in storage segments and write-ahead log",)
_NOT_COVERED = (
    "backups made before the erasure",
    "files in watched folders, and the memory of their paths by which none is handed in twice",
    "blocks that the file system has freed and the storage device has not overwritten",
)


@dataclass(frozen=True, slots=True)
class Intent:
    """An erasure that was begun. It holds no name, and everything the receipt says, counted before anything was removed."""

    receipt_id: str
    document_id: str
    requested_at: str
    requested_by: str
    label: str
    versions: tuple[str, ...]
    passages: int
    pages: int
    texts: int
    originals: tuple[str, ...]
    originals_kept: tuple[str, ...]
    keys: int
    stores: tuple[str, ...]
    attachments_erased: tuple[str, ...]
    attachments_left: tuple[str, ...]
    carriers: tuple[str, ...] = ()
    """Documents that stay and in whose originals it came: their files still hold its bytes."""


class SigningKey:
    """The instance's Ed25519 key pair, made at first use: `receipts.key` for its owner alone, `receipts.pub` for everybody."""

    def __init__(self, folder: Path) -> None:
        try:
            self._private = _private_key(folder / "receipts.key")
            self.public_pem = _public_pem(self._private)
            public = folder / "receipts.pub"
            if not public.is_file() or public.read_bytes() != self.public_pem:
                write_durably(public, self.public_pem)
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: cannot be used ({error.strerror}); check the folder's rights"
            ) from error
        self.fingerprint = fingerprint(self.public_pem)

    def sign(self, content: bytes) -> str:
        """The signature, 128 hex digits."""
        return self._private.sign(content).hex()


class Receipts:
    """The receipts of one instance."""

    def __init__(self, home: Path) -> None:
        self.key = SigningKey(home / "keys")
        self._folder = home / "receipts"
        self._database = Database(home / "receipts.db", _SCHEMA)

    def path(self, receipt_id: str) -> Path:
        """Where the file of this receipt lies."""
        return self._folder / f"{receipt_id}.json"

    def intend(self, intents: Iterable[Intent]) -> None:
        """Record erasures before they begin: all of them or none."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO intents VALUES (?, ?)",
                [(intent.receipt_id, json.dumps(asdict(intent))) for intent in intents],
            )

    def give_up(self, intents: Iterable[Intent]) -> None:
        """Take intents back of which nothing was carried out."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM intents WHERE receipt_id = ?", [(i.receipt_id,) for i in intents])

    def intents(self) -> tuple[Intent, ...]:
        """Erasures that were begun and have no receipt yet, in the order they were asked for."""
        rows = self._database.connection().execute("SELECT body FROM intents ORDER BY rowid")
        return tuple(_from_json(Intent, json.loads(row["body"])) for row in rows)

    def conclude(self, intent: Intent) -> ErasureReceipt:
        """Turn an intent into its receipt; the one that is there when this was done before."""
        with self._database.writing() as connection:
            known = connection.execute("SELECT 1 FROM records WHERE receipt_id = ?", (intent.receipt_id,)).fetchone()
            if not known:
                self._append(connection, ERASURE, intent.receipt_id, intent.label, _said_of(intent))
                connection.execute("INSERT INTO unpurged VALUES (?)", (intent.receipt_id,))
            connection.execute("DELETE FROM intents WHERE receipt_id = ?", (intent.receipt_id,))
        self._write_file(intent.receipt_id)
        return self.one(intent.receipt_id)

    def unpurged(self) -> tuple[str, ...]:
        """Receipts whose documents may still have vectors in the files."""
        return tuple(row[0] for row in self._database.connection().execute("SELECT receipt_id FROM unpurged"))

    def record_purge(self, receipt_ids: Iterable[str]) -> str:
        """Sign that vectors and terms of these erasures are out of the files; the id of the record."""
        record_id, covered = str(uuid4()), sorted(receipt_ids)
        said = {"receipt_id": record_id, "purged_at": now(), "covers": covered, "purged": list(_LATER)}
        with self._database.writing() as connection:
            self._append(connection, PURGE, record_id, "", said)
            connection.executemany("DELETE FROM unpurged WHERE receipt_id = ?", [(covers,) for covers in covered])
        self._write_file(record_id)
        return record_id

    def all(self) -> tuple[tuple[ErasureReceipt, str], ...]:
        """Every receipt, newest first, with the label of what was erased."""
        query = "SELECT body, label FROM records WHERE kind = ? ORDER BY number DESC"
        rows = self._database.connection().execute(query, (ERASURE,))
        return tuple((_from_json(ErasureReceipt, json.loads(row["body"])), row["label"]) for row in rows)

    def purges(self) -> tuple[PurgeRecord, ...]:
        """Every purge record, newest first."""
        query = "SELECT body FROM records WHERE kind = ? ORDER BY number DESC"
        rows = self._database.connection().execute(query, (PURGE,))
        return tuple(_from_json(PurgeRecord, json.loads(row["body"])) for row in rows)

    def one(self, receipt_id: str) -> ErasureReceipt:
        """One receipt. Raises KeyError when there is none."""
        query = "SELECT body FROM records WHERE receipt_id = ? AND kind = ?"
        row = self._database.connection().execute(query, (receipt_id, ERASURE)).fetchone()
        if row is None:
            raise KeyError(receipt_id)
        receipt: ErasureReceipt = _from_json(ErasureReceipt, json.loads(row["body"]))
        return receipt

    def write_missing_files(self) -> None:
        """Write the file of each record that has none: a process may have died between the row and its file."""
        written = {file.stem for file in self._folder.glob("*.json")}
        rows = self._database.connection().execute("SELECT receipt_id FROM records").fetchall()
        for row in rows:
            if row["receipt_id"] not in written:
                self._write_file(row["receipt_id"])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write_file(self, receipt_id: str) -> None:
        query = "SELECT body FROM records WHERE receipt_id = ?"
        body = self._database.connection().execute(query, (receipt_id,)).fetchone()["body"]
        self._folder.mkdir(parents=True, exist_ok=True)
        write_durably(self.path(receipt_id), body)

    def _append(
        self, connection: sqlite3.Connection, kind: str, receipt_id: str, label: str, said: dict[str, Any]
    ) -> None:
        last = connection.execute("SELECT number, body FROM records ORDER BY number DESC LIMIT 1").fetchone()
        number, previous = (last["number"], hashlib.sha256(last["body"]).hexdigest()) if last else (0, _GENESIS)
        record = {
            "format": kind,
            "number": number + 1,
            "previous": previous,
            **said,
            "key_fingerprint": self.key.fingerprint,
        }
        body = canonical({**record, "signature": self.key.sign(canonical(record))})
        connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (number + 1, receipt_id, kind, label, body))


def now() -> str:
    """UTC, ISO 8601, milliseconds: the form the ledger uses, so that the two compare as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _said_of(intent: Intent) -> dict[str, Any]:
    said = asdict(intent)
    del said["label"], said["carriers"]
    within = tuple(f"the original of document {carrier}, in which it was handed in" for carrier in intent.carriers)
    said["erased_by"] = said.pop("requested_by")
    return said | {
        "erased_at": now(),
        "erased_at_once": _AT_ONCE,
        "unreadable_by_key_destruction": _BY_KEY,
        "purged_later": _LATER,
        "not_covered": (*within, *_NOT_COVERED),
    }


def _from_json(kind: type[Any], stored: dict[str, Any]) -> Any:
    values = {field.name: stored[field.name] for field in fields(kind) if field.name in stored}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _private_key(file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    if file.exists():
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except ValueError as error:
            raise ConfigurationError(f"{file}: not a private key; put it back from a backup") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigurationError(f"{file}: not an Ed25519 key; put it back from a backup")
        return key
    key = Ed25519PrivateKey.generate()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f".{file.name}-{os.getpid()}-{uuid4().hex}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        target.flush()
        os.fsync(target.fileno())
    try:
        os.link(partial, file)  # never over a key that another process made meanwhile
        flush_folder(file.parent)
    except FileExistsError:
        return _private_key(file)
    finally:
        partial.unlink()
    return key


def _public_pem(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
