"""A Word file as PDF, by LibreOffice: it joins Arabic letters, sets footnotes, and runs lines from right to left.

It runs with a profile of its own made for one file, so that no setting, macro or recovery of anybody else takes part, and is
ended with all it started when it takes too long. What it reads was written by `word`: text, without links.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

from assistant.errors import ServiceUnavailable

_WALL_S = 90.0
_STARTS = 2
"""A new profile can make LibreOffice start again; see `ingest.conversion`."""
_ONE_AT_A_TIME = threading.Lock()
"""Each run takes some 200 MB for a few seconds."""
_WAITING = threading.Semaphore(4)
"""Who comes after these is told to try again: everybody who waits holds a thread of the service."""
_INSTEAD = "export as Word or Markdown instead, or ask the operator to install"


def pdf_of(word: bytes, *, needs_arabic: bool) -> bytes:
    """The PDF. Raises ServiceUnavailable when it cannot be made properly here, with what to do."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        raise ServiceUnavailable(f"PDF cannot be made here: LibreOffice is missing; {_INSTEAD} libreoffice-writer")
    if needs_arabic and not _has_arabic_font():
        raise ServiceUnavailable(
            f"PDF cannot be made here: there is no font with Arabic letters; {_INSTEAD} fonts-noto-core"
        )
    if not _WAITING.acquire(blocking=False):
        raise ServiceUnavailable("several exports are being made at the moment; try again in a minute")
    try:
        with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="export-", ignore_cleanup_errors=True) as folder:
            return _converted(office, word, Path(folder))
    finally:
        _WAITING.release()


def _converted(office: str, word: bytes, folder: Path) -> bytes:
    source, result = folder / "conversation.docx", folder / "out" / "conversation.pdf"
    source.write_bytes(word)
    profile = folder / "profile-0"
    profile.mkdir()
    for attempt in range(_STARTS):
        profile = profile.rename(folder / f"profile-{attempt}")
        command = [
            office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo", "--nolockcheck",
            "--nodefault", "--nofirststartwizard", "--infilter=MS Word 2007 XML",
            "--convert-to", "pdf:writer_pdf_Export", "--outdir", str(result.parent), str(source),
        ]  # fmt: skip
        _run(command, folder)
        if result.is_file():
            return result.read_bytes()
    raise ServiceUnavailable(f"LibreOffice could not make the PDF; {_INSTEAD} it anew")


def _run(command: list[str], folder: Path) -> None:
    environment = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ.get("PATH", os.defpath)}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment | {"LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout=_WALL_S)
    except subprocess.TimeoutExpired as error:
        raise ServiceUnavailable(f"LibreOffice took more than {_WALL_S:.0f} s to make the PDF; try again") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _has_arabic_font() -> bool:
    """True when fontconfig, which LibreOffice asks, knows a font with Arabic letters; without it nobody can tell."""
    lister = shutil.which("fc-list")
    if lister is None:
        return False
    found = subprocess.run([lister, ":lang=ar", "family"], capture_output=True, timeout=30, check=False)
    return bool(found.stdout.strip())
