"""One key for each document, so that destroying the key makes every copy of its words unreadable at once.

Promise: what was sealed for a document opens as long as its key is there, and never again after `destroy`, wherever bytes of it
still lie: in a write-ahead log, in a page that a database has freed, in a storage segment that waits to be compacted.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, section 8.2.2: good for 2³² seals of one key). A seal is bound to
the place it was made for, so it does not open anywhere else. Keys are not wrapped: this is for erasure, not against somebody
who takes the whole folder.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from assistant.database import Database
from assistant.errors import AssistantError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_SCHEMA = "CREATE TABLE IF NOT EXISTS keys (owner TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;"
_NONCE_BYTES = 12
_REMEMBERED = 4096
"""Ciphers kept ready in memory; any other costs one look into the database, some 20 µs."""


class SealBroken(AssistantError):
    """It does not open: its key was destroyed, or its bytes were changed."""


class Keyring:
    """The keys of one store, in a file of their own. An owner is a document id."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self._ciphers: OrderedDict[str, AESGCM] = OrderedDict()
        self._lock = Lock()

    def seal(self, owner: str, clear: bytes, *, place: str) -> bytes:
        """`clear` under the owner's key, which is made, and on disk, when there is none yet."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._cipher(owner) or self._new_cipher(owner)
        return nonce + cipher.encrypt(nonce, clear, place.encode())

    def unseal(self, owner: str, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for this owner and place. Raises SealBroken."""
        from cryptography.exceptions import InvalidTag

        cipher = self._cipher(owner)
        if cipher is None:
            raise SealBroken("the key was destroyed")
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the stored bytes were changed") from error

    def holds(self, owner: str) -> bool:
        """True when there is a key for this owner."""
        return self._cipher(owner) is not None

    def owners(self) -> Iterator[str]:
        """Every owner of a key, in order."""
        last = ""
        while True:
            query = "SELECT owner FROM keys WHERE owner > ? ORDER BY owner LIMIT 1000"
            rows = self._database.connection().execute(query, (last,)).fetchall()
            if not rows:
                return
            yield from (row["owner"] for row in rows)
            last = rows[-1]["owner"]

    def destroy(self, owner: str) -> int:
        """Destroy the owner's key, in memory and in the file; how many there were (0 or 1)."""
        return self.destroy_all([owner])

    def destroy_all(self, owners: Iterable[str]) -> int:
        """Destroy the keys of all these owners together; how many there were."""
        gone, going = 0, list(owners)
        if not going:
            return 0
        with self._lock:
            with self._database.writing() as connection:
                for owner in going:
                    gone += connection.execute("DELETE FROM keys WHERE owner = ?", (owner,)).rowcount
            for owner in going:
                self._ciphers.pop(owner, None)
        self._database.scrub()
        return gone

    def close(self) -> None:
        """Close the file and forget the keys."""
        with self._lock:
            self._ciphers.clear()
        self._database.close()

    def _cipher(self, owner: str) -> AESGCM | None:
        with self._lock:
            known = self._ciphers.get(owner)
            if known is not None:
                self._ciphers.move_to_end(owner)
                return known
            query = "SELECT key FROM keys WHERE owner = ?"
            row = self._database.connection().execute(query, (owner,)).fetchone()
            return self._remembered(owner, row["key"]) if row else None

    def _new_cipher(self, owner: str) -> AESGCM:
        with self._lock:
            with self._database.writing() as connection:
                connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (owner, os.urandom(32)))
                row = connection.execute("SELECT key FROM keys WHERE owner = ?", (owner,)).fetchone()
            return self._remembered(owner, row["key"])

    def _remembered(self, owner: str, key: bytes) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher = self._ciphers[owner] = AESGCM(key)
        while len(self._ciphers) > _REMEMBERED:
            self._ciphers.popitem(last=False)
        return cipher
