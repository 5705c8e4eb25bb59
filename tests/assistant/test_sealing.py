from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assistant import sealing
from assistant.database import Database
from assistant.sealing import Keyring, SealBroken


def test_what_was_sealed_opens_again_also_after_a_restart(tmp_path: Path) -> None:
    first = Keyring(tmp_path / "keys.db")
    sealed = first.seal("a", "المادة 5".encode(), place="p")
    first.close()
    assert Keyring(tmp_path / "keys.db").unseal("a", sealed, place="p").decode() == "المادة 5"


def test_seal_opens_for_its_owner_and_place_only(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.db")
    sealed = keyring.seal("a", b"words", place="p")
    keyring.seal("b", b"others", place="p")
    for owner, place, stored in (
        ("b", "p", sealed),
        ("a", "q", sealed),
        ("a", "p", sealed[:-1] + b"x"),
        ("a", "p", b""),
    ):
        with pytest.raises(SealBroken):
            keyring.unseal(owner, stored, place=place)


def test_destroyed_key_is_gone_from_memory_and_from_every_file(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.db")
    for number in range(300):
        keyring.seal(f"document-{number}", b"words", place="p")
    sealed = keyring.seal("document-7", b"words", place="p")
    with sqlite3.connect(tmp_path / "keys.db") as connection:
        key = connection.execute("SELECT key FROM keys WHERE owner = 'document-7'").fetchone()[0]
    connection.close()
    assert (keyring.destroy("document-7"), keyring.destroy("document-7")) == (1, 0)
    with pytest.raises(SealBroken):
        keyring.unseal("document-7", sealed, place="p")
    assert not keyring.holds("document-7")
    assert [file.name for file in tmp_path.iterdir() if key in file.read_bytes()] == []
    assert len(list(keyring.owners())) == 299


def test_key_made_after_destruction_opens_nothing_old(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys.db")
    old = keyring.seal("a", b"words", place="p")
    keyring.destroy("a")
    keyring.seal("a", b"new words", place="p")
    with pytest.raises(SealBroken):
        keyring.unseal("a", old, place="p")


def test_seal_is_a_nonce_of_twelve_bytes_and_what_aes_gcm_makes_of_the_words(tmp_path: Path) -> None:
    """Seals on disk are opened by later versions: their form is a format."""
    keyring = Keyring(tmp_path / "keys.db")
    sealed = keyring.seal("a", b"words", place="p")
    keyring.close()
    with sqlite3.connect(tmp_path / "keys.db") as connection:
        key = connection.execute("SELECT key FROM keys").fetchone()[0]
    connection.close()
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], b"p") == b"words"


def test_more_keys_than_are_kept_in_memory_all_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_REMEMBERED", 2)
    keyring = Keyring(tmp_path / "keys.db")
    sealed = {owner: keyring.seal(owner, owner.encode(), place="p") for owner in "abcd"}
    for _ in range(2):
        assert [keyring.unseal(owner, sealed[owner], place="p") for owner in sealed] == [b"a", b"b", b"c", b"d"]
    assert len(keyring._ciphers) == 2


def test_scrub_leaves_no_copy_of_a_deleted_row_in_the_gaps_of_pages(tmp_path: Path) -> None:
    """With `secure_delete` alone, about one word in 300 is found again here."""
    database = Database(tmp_path / "some.db", "CREATE TABLE rows (id TEXT PRIMARY KEY, source TEXT UNIQUE, title TEXT)")
    ids = [f"{number * 2654435761 % 2**32:08x}" for number in range(1500)]
    with database.writing() as connection:
        for number, name in enumerate(ids):
            connection.execute("INSERT INTO rows VALUES (?, ?, ?)", (name, f"/in/zq{name}", "t"))
            earlier = ids[(number * 7919) % (number + 1)]
            title = f"zq{earlier} " * (number % 40)
            connection.execute("UPDATE rows SET title = ? WHERE id = ?", (title, earlier))
    with database.writing() as connection:
        connection.executemany("DELETE FROM rows WHERE id = ?", [(name,) for name in ids[::2]])
    database.scrub()
    database.close()
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [name for name in ids[::2] if f"zq{name}".encode() in raw] == []
    assert all(f"zq{name}".encode() in raw for name in ids[1::2])
