"""The index packed by a process of its own, while this one goes on answering.

Edge packs in one call, at 0.2 ms of processor time for every passage there is, and no other thread of the calling process runs
until it returns: 16,000 passages stop a service for three seconds. So a process of its own packs a copy, and the copy costs next
to nothing, since its segments are links to the same files:

    points/3 ── links; the log copied ──► points/4 ◄── python -m assistant.index.packing
       ▲ searched, not written meanwhile      │
       └── `points/current` names the other ◄─┘ then this one is removed

A file of a packed segment is written once, but for the marks of what was deleted; and those change by writes only, which wait
until the copy has taken its place. Segments that still take writes are copied. The log comes along because operations are
numbered through it: with a new one, later writes would bear numbers that the segments have seen already, and be passed over.
Whenever this is cut off, `current` names a whole folder, and the next start removes the other.
"""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import qdrant_edge as edge

from assistant.durable import write_json_durably
from assistant.errors import ServiceUnavailable

_LOG = logging.getLogger(__name__)
_CURRENT = "current"
_FIRST = "0"
_SEGMENTS = "segments"
_TAKES_WRITES = "mutable_id_tracker.*"
"""Files that only a segment has which is not packed yet."""
_NO_LINKS = (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)
"""What a file system says that has no links, or no more of them."""
_NICE = 10
_PR_SET_PDEATHSIG = 1


class LinksUnsupported(OSError):
    """The file system of the index has no hard links."""


def folder_in_use(points: Path) -> Path:
    """The folder below `points` that holds the index; one where it can be made when there is none yet."""
    _move_earlier_layout(points)
    try:
        name = str(json.loads((points / _CURRENT).read_text(encoding="utf-8"))["folder"])
    except FileNotFoundError:
        name = _FIRST
    return points / name


def remove_others(points: Path, kept: Path) -> None:
    """Remove what an interrupted packing left beside `kept`, or the folder that a packed one has replaced."""
    for folder in points.iterdir():
        if folder.is_dir() and folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


def take_over(points: Path, packed: Path) -> None:
    """Have `packed` be the folder in use, from now on and after any crash; the others are removed."""
    write_json_durably(points / _CURRENT, {"folder": packed.name})
    remove_others(points, packed)


def _move_earlier_layout(points: Path) -> None:
    """Until November 2026 the segments lay in `points` itself."""
    aside = points.with_name(f"{points.name}.moving")
    if (points / _SEGMENTS).is_dir():
        points.rename(aside)
    if aside.is_dir():
        points.mkdir(exist_ok=True)
        aside.rename(points / _FIRST)


class Packer:
    """Packs copies of one index, one at a time; another thread may give the one in hand up."""

    def __init__(self, points: Path) -> None:
        self._points = points
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._given_up = False

    def packed_copy(self, live: Path) -> Path | None:
        """A packed copy of the folder `live`, which must be flushed and not be written meanwhile; None when it was given up.

        Raises LinksUnsupported, and ServiceUnavailable when it failed; `live` is as it was, in every case.
        """
        copy = self._points / str(int(live.name) + 1)
        shutil.rmtree(copy, ignore_errors=True)
        try:
            _link(live, copy)
            done = self._run(copy)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            if error.errno in _NO_LINKS:
                raise LinksUnsupported(error.errno, "no hard links") from error
            raise ServiceUnavailable(f"the index cannot be packed: {error.strerror}") from error
        if not done:
            shutil.rmtree(copy, ignore_errors=True)
            return None
        return copy

    def give_up(self) -> None:
        """End the packing in hand, if there is one; it can be done later."""
        with self._lock:
            if self._process is not None:
                self._given_up = True
                self._process.kill()

    def _run(self, copy: Path) -> bool:
        with self._lock:
            self._given_up = False
            command = [sys.executable, "-m", __name__, str(copy)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, complaint = self._process.communicate()
        with self._lock:
            ending, given_up = self._process.returncode, self._given_up
            self._process = None
        if ending and not given_up:
            last_line = (complaint.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
            _LOG.warning("packing the index ended with %s: %s", ending, last_line[:200])
            shutil.rmtree(copy, ignore_errors=True)
            raise ServiceUnavailable(f"the process that packs the index ended with {ending}; it is tried again later")
        return not ending


def _link(live: Path, copy: Path) -> None:
    packed = {segment.name for segment in (live / _SEGMENTS).iterdir() if not list(segment.glob(_TAKES_WRITES))}
    copy.mkdir()
    for source in sorted(live.rglob("*")):
        parts = source.relative_to(live).parts
        target = copy.joinpath(*parts)
        if source.is_dir():
            target.mkdir()
        elif parts[0] == _SEGMENTS and parts[1] in packed:
            os.link(source, target)
        else:
            shutil.copyfile(source, target)


def _pack(folder: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICE)
    shard = edge.EdgeShard.load(folder)
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    _pack(sys.argv[1])
