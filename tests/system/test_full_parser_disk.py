"""The disk for temporary files is full while a document is read: it is not the document's fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import ROOT, child_environment

pytestmark = pytest.mark.system

_READ = """
import errno, subprocess, sys, tempfile
from pathlib import Path
from ingest import isolation
from ingest.parsing import Parsed, ParsingSettings

folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
tempfile.tempdir = str(folder)
text = folder.parent / "long.txt"
text.write_text("Le maire signe un arrêté de circulation. " * 40_000, encoding="utf-8")
filler = folder / "filler"
filler.write_bytes(bytes(3_500_000))
try:
    with isolation.parse_isolated(text, file_name="long.txt", settings=ParsingSettings()) as read:
        print("read all the same", read if not isinstance(read, Parsed) else "")
except OSError as error:
    print(error.errno == errno.ENOSPC, error)
filler.unlink()
with isolation.parse_isolated(text, file_name="long.txt", settings=ParsingSettings()) as read:
    print(type(read).__name__)
"""


def test_document_is_not_called_damaged_because_the_disk_was_full(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disk of this test; run it as root to see it")
    folder = tmp_path / "temporary"
    folder.mkdir()
    finished = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", _READ, str(folder)],
        cwd=ROOT, env=child_environment(OMP_NUM_THREADS="1"), capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "True [Errno 28] the work folder is full or cannot be written; free some space",
        "Parsed",
    ]
