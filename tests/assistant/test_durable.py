"""What must outlive a power cut is flushed, and so are the names by which it is found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.archive import Archive
from assistant.durable import write_durably
from ingest.receipts import SigningKey


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that were flushed, in order, by the names that they had then."""
    paths: list[Path] = []
    fsync: Callable[[int], None] = os.fsync

    def noted(descriptor: int) -> None:
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return paths


def test_content_is_flushed_before_it_gets_its_name_and_the_name_after(tmp_path: Path, flushed: list[Path]) -> None:
    write_durably(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert flushed == [tmp_path / ".a.new", tmp_path]


def test_what_cannot_be_flushed_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_durably(tmp_path / "a", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_original_that_was_accepted_keeps_its_name_and_that_of_its_folder(tmp_path: Path, flushed: list[Path]) -> None:
    (tmp_path / "a.txt").write_text("Un texte.")
    archive = Archive(tmp_path / "archive")
    flushed.clear()
    original = archive.original_path(archive.keep_original(tmp_path / "a.txt"))
    assert {original.parent, original.parent.parent} <= set(flushed)
    archive.close()


def test_key_that_signs_receipts_keeps_its_name_before_it_is_used(tmp_path: Path, flushed: list[Path]) -> None:
    folder = tmp_path / "keys"
    SigningKey(folder)
    assert flushed[1:3] == [folder, folder / ".receipts.pub.new"]
