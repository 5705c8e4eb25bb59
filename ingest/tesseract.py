"""Tesseract: the words of a picture, from a process that keeps its models loaded, or else from the command.

    this process ──► ocrprocess, one for each page that is read at once: the library of the installed tesseract
                └──► tesseract, the command: where that library cannot be loaded, is of another version, or died of the picture

A reader takes one picture at a time and is ended with all its readings when one takes too long. It gives way to a new one
after a while, since limits of processor time hold for each process.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import io
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ingest import ocrprocess
from ingest.ocrlines import OcrWord

if TYPE_CHECKING:
    from PIL import Image

_ONE_THREAD = ("env", "OMP_THREAD_LIMIT=1")
"""One process per page is four times faster than several threads on one (11.7 s down to 2.8 s, measured 2026-11)."""
_LONGEST_START_S = 20.0
_MOST_PROCESSOR_S = 60.0
"""A reader that has used more gives way to a new one; a page may take two minutes, and a process ten (`ingest.cpu_s`)."""
_COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf", "text",
)  # fmt: skip
_WORD = "5"


class OcrFailed(Exception):
    """Tesseract gave no answer for a page; the message is for the archivist."""


class Installed(NamedTuple):
    """The command `tesseract` on this machine."""

    version: str
    """Such as "5.3.0"; empty without it."""
    models: frozenset[str]
    """Such as "fra"."""


@lru_cache(maxsize=1)
def installed() -> Installed:
    """What there is of tesseract; asked once in a process, since it takes two of them."""
    if shutil.which("tesseract") is None:
        return Installed("", frozenset())
    version = re.match(r"tesseract v?(\S+)", _told("--version"))
    return Installed(version[1] if version else "", frozenset(_told("--list-langs").split()))


def words(picture: Image.Image, models: str, timeout_s: float, *, layout: int = 3) -> tuple[OcrWord, ...]:
    """The words of `picture` (grey), in tesseract's order; `layout` is what it expects: 3 is anything, 6 one block of text.

    Raises OcrFailed when tesseract fails, or takes longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    table = _from_reader(picture, models, layout, deadline)
    if table is None:
        options = ("-l", models, "--psm", str(layout), "tsv")
        _, _, table = _from_command(picture, options, deadline).partition("\n")
    rows = csv.DictReader(io.StringIO(table), _COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(_word(row) for row in rows if row["level"] == _WORD and (row["text"] or "").strip())


def orientation(picture: Image.Image, timeout_s: float) -> tuple[int, bool] | None:
    """(quarter turns clockwise that set the picture upright, whether its script is Arabic); None when there is no telling."""
    try:
        told = _from_command(picture, ("--psm", "0"), time.monotonic() + timeout_s)
    except OcrFailed:
        return None
    degrees, script = re.search(r"^Rotate: (\d+)", told, re.M), re.search(r"^Script: (\w+)", told, re.M)
    return (int(degrees[1]) // 90 % 4, script[1] == "Arabic") if degrees and script else None


def close() -> None:
    """End the waiting readers; the next picture starts a new one."""
    with _lock:
        waiting, _idle[:] = list(_idle), []
    for reader in waiting:
        reader.end()


def _word(row: dict[str, str]) -> OcrWord:
    left, top = float(row["left"]), float(row["top"])
    right, bottom = left + max(1.0, float(row["width"])), top + max(1.0, float(row["height"]))
    paragraph = (row["block_num"], row["par_num"])
    return OcrWord(row["text"].strip(), float(row["conf"]), left, top, right, bottom, paragraph, row["line_num"])


# --- processes that keep their models ------------------------------------------------------------------------------


class _Lost(Exception):
    """The reader died, or cannot be started."""


class _Reader:
    """This process's end of an `ingest.ocrprocess`."""

    def __init__(self, deadline: float) -> None:
        self.processor_s = 0.0
        self.models: set[str] = set()
        """Those that it has loaded."""
        self._unread = b""
        self._room = 0
        self._shared = os.memfd_create("picture")
        os.set_inheritable(self._shared, True)
        try:
            self._process = subprocess.Popen(
                [*_ONE_THREAD, sys.executable, "-I", "-S", ocrprocess.__file__, str(self._shared)],
                bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                pass_fds=(self._shared,),
            )  # fmt: skip
        except OSError as error:
            os.close(self._shared)
            raise _Lost from error
        try:
            started = self._answer(min(deadline, time.monotonic() + _LONGEST_START_S))
            if started.get("version") != installed().version:
                raise _Lost
        except BaseException:
            self.end()
            raise

    def table(self, picture: Image.Image, models: str, layout: int, deadline: float) -> str | None:
        """Tesseract's table of the picture without its headline; None when it fails on it. Raises _Lost, OcrFailed."""
        pixels = memoryview(picture.tobytes())
        asked = {"models": models, "layout": layout, "width": picture.width, "height": picture.height}
        try:
            if len(pixels) > self._room:
                self._room = len(pixels)
                os.ftruncate(self._shared, self._room)
            os.lseek(self._shared, 0, os.SEEK_SET)
            while pixels:
                pixels = pixels[os.write(self._shared, pixels) :]
            _pipe(self._process.stdin).write(json.dumps(asked).encode() + b"\n")
        except OSError as error:
            raise _Lost from error
        answer = self._answer(deadline)
        self.processor_s = float(answer["processor_s"])
        self.models.add(models)
        return (
            None if answer["bytes"] is None else self._bytes(int(answer["bytes"]), deadline).decode("utf-8", "replace")
        )

    def end(self) -> None:
        """Stop the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()
        self._process.wait()
        os.close(self._shared)

    def _answer(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._unread:
            self._unread += self._more(deadline)
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _bytes(self, count: int, deadline: float) -> bytes:
        parts, length = [self._unread], len(self._unread)
        while length < count:
            parts.append(self._more(deadline))
            length += len(parts[-1])
        whole = b"".join(parts)
        self._unread = whole[count:]
        return whole[:count]

    def _more(self, deadline: float) -> bytes:
        answers = _pipe(self._process.stdout).fileno()
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0 or not waiting.poll(1 + int(remaining_s * 1000)):
            raise _too_long()
        more = os.read(answers, 1 << 16)
        if not more:
            raise _Lost
        return more


_idle: list[_Reader] = []
_without_library = threading.Event()
"""Set once a reader could not be started: then each picture is the command's."""
_lock = threading.Lock()
atexit.register(close)


def _from_reader(picture: Image.Image, models: str, layout: int, deadline: float) -> str | None:
    """The table as a waiting reader, or a new one, makes it; None when the command must."""
    if _without_library.is_set():
        return None
    with _lock:
        reader = min(_idle, key=lambda one: models not in one.models, default=None)
        if reader is not None:
            _idle.remove(reader)
    if reader is None:
        try:
            reader = _Reader(deadline)
        except (_Lost, ValueError):
            _without_library.set()
            return None
    try:
        table = reader.table(picture, models, layout, deadline)
    except (_Lost, ValueError, KeyError, TypeError):
        reader.end()
        return None
    except BaseException:
        reader.end()  # it is still at work
        raise
    if reader.processor_s > _MOST_PROCESSOR_S:
        reader.end()
    else:
        with _lock:
            _idle.append(reader)
    return table


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise _Lost
    return pipe


# --- the command ---------------------------------------------------------------------------------------------------


def _told(option: str) -> str:
    return subprocess.run(["tesseract", option], capture_output=True, text=True, check=False, timeout=30).stdout


def _from_command(picture: Image.Image, options: Sequence[str], deadline: float) -> str:
    """What tesseract prints.

    The picture goes as a file, since tesseract reads a pipe byte by byte (0.17 s a page), and unpacked: Pillow would pack it as
    it was packed before, and a fax's packing takes no greys.
    """
    try:
        with tempfile.NamedTemporaryFile(suffix=".tif") as file:
            picture.save(file, "TIFF", dpi=(300, 300), compression="raw")
            file.flush()
            run = subprocess.run(
                [*_ONE_THREAD, "tesseract", file.name, "stdout", *options], stdin=subprocess.DEVNULL,
                capture_output=True, check=False, timeout=max(1.0, deadline - time.monotonic()),
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _too_long() from None
    if run.returncode != 0:
        raise OcrFailed(f"OCR failed (tesseract ended with {run.returncode})")
    return run.stdout.decode("utf-8", "replace")


def _too_long() -> OcrFailed:
    return OcrFailed("OCR took more than the time that a page has")
