"""What is found, what is passed over, and what sidecars say."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from assistant.errors import ConfigurationError
from ingest.sources import Skipped, SourceFile, sidecar_from, walk


def test_folders_are_walked_in_order_with_sidecars_beside_their_documents(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    for name in ("b.txt", "a.txt", "fr/c.pdf", ".hidden", "alone.toml"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a.txt.toml").write_text('title = "Titre"\ndate = 2024-05-31\nlabel = "internal"')
    found = [entry for entry in walk([tmp_path]) if isinstance(entry, SourceFile)]
    assert [file.source for file in found] == [
        "a.txt",
        "alone.toml",
        "b.txt",
        "fr/c.pdf",
    ]
    assert found[0].sidecar == tmp_path / "a.txt.toml"


def test_hidden_files_are_listed_and_those_of_the_system_are_not(tmp_path: Path) -> None:
    for name in (".lettre.odt", ".DS_Store", "._a.txt", ".~lock.a.odt#", "a.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".archives").mkdir()
    (tmp_path / ".archives" / "b.txt").write_text("x")
    skipped = [entry for entry in walk([tmp_path]) if isinstance(entry, Skipped)]
    assert [entry.path.name for entry in skipped] == [".archives", ".lettre.odt"]
    assert all("its name begins with a dot" in entry.reason for entry in skipped)


def test_sidecar_in_capitals_is_one(tmp_path: Path) -> None:
    (tmp_path / "A.TXT").write_text("x")
    (tmp_path / "A.TXT.TOML").write_text('title = "Titre"')
    assert [entry.sidecar for entry in walk([tmp_path]) if isinstance(entry, SourceFile)] == [tmp_path / "A.TXT.TOML"]


def test_links_pipes_and_sockets_are_reported_and_never_opened(tmp_path: Path) -> None:
    secret = tmp_path.parent / f"{tmp_path.name}-secret.txt"
    secret.write_text("x")
    (tmp_path / "link.txt").symlink_to(secret)
    (tmp_path / "folder").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        found = list(walk([tmp_path]))
    assert all(isinstance(entry, Skipped) for entry in found)
    reasons = {entry.path.name: entry.reason for entry in found if isinstance(entry, Skipped)}
    assert set(reasons) == {"link.txt", "folder", "pipe.txt", "s"}
    assert "link" in reasons["link.txt"]
    assert "pipe" in reasons["pipe.txt"]
    assert "socket" in reasons["s"]


def test_named_file_is_yielded_and_missing_one_reported(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    (tmp_path / "a.txt.toml").write_text('label = "public"')
    found = list(walk([file, tmp_path / "a.txt.toml", tmp_path / "none.txt"]))
    assert [type(entry) for entry in found] == [SourceFile, Skipped]


def test_pipe_as_sidecar_is_reported_rather_than_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "a.txt.toml")
    document, pipe = walk([tmp_path])
    assert isinstance(document, SourceFile)
    assert document.sidecar is None
    assert isinstance(pipe, Skipped)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('titel = "x"', "titel: there is no such key"),
        ("title = 3", "title 3: write a text"),
        ('date = "31/05/2024"', "date '31/05/2024': write it as in 2024-05-31"),
        ("title = ", "not valid TOML"),
    ],
)
def test_sidecar_error_names_file_key_value_and_remedy(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.pdf\.toml: ") as error:
        sidecar_from(text, name="x.pdf.toml")
    assert message in str(error.value)
