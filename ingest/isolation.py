"""Parsers run apart: a file that was made to break a parser breaks a child process and nothing else.

    service ── one request at a time ──► nursery ── fork ──► child: one document, then gone
                                         (imports done once,    limits on time, memory, files and output,
                                          no network)           own temporary folder, no network

The nursery is a fresh interpreter that has imported the parsers (2 to 3 seconds) and has read nothing untrusted; each
document is parsed in a fork of it (20 ms). The result comes back as a file of JSON. Whatever the child does, its process
group is killed and its folder removed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, NoReturn

from assistant.errors import ServiceUnavailable
from ingest.parsing import (
    EMPTY,
    Parsed,
    ParsingSettings,
    Rejected,
    RejectionCategory,
    detect_media_type,
    parser_for,
    unsupported,
)
from ingest.transfer import read_result, write_result

_START_TIMEOUT_S = 120.0
_GRACE_S = 15.0
"""How much longer than the child's own limit the service waits before it gives up on the nursery as well."""
_ROOT = Path(__file__).resolve().parents[1]
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_SINGLE_THREADED = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1")
"""Only a process without threads of its own may fork safely."""
_LEAST_FREE_BYTES = 1 << 20
_NICE = 10
"""Reading documents leaves the processor to questions."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def parse_isolated(path: Path, *, file_name: str, settings: ParsingSettings) -> Parsed | Rejected:
    """The file at `path` as its parser reads it, or why not; never raises for anything the file does.

    Raises ServiceUnavailable when the disk for temporary files is full, and OSError when it cannot be written.
    `file_name` is the name it was handed in under. Safe to call from several threads.
    """
    with tempfile.TemporaryDirectory(prefix="assistant-parse-", ignore_cleanup_errors=True) as folder:
        suffix = Path(file_name).suffix
        document = Path(folder) / f"document{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        document.symlink_to(path.resolve())
        ending = _borrowed_ending(document, Path(folder), settings)
        if ending is not None:
            return ending
        result = Path(folder) / "result.json"
        try:
            if result.is_symlink() or result.stat().st_size > settings.output_bytes:
                raise ValueError("the result is not a file of the expected size")
            return read_result(result)
        except (OSError, ValueError) as error:
            if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
                raise ServiceUnavailable(
                    f"the disk of {tempfile.gettempdir()} is full; check what fills it and free some space"
                ) from error
            return Rejected(RejectionCategory.CRASHED, "the parser ended without a usable result")


def close() -> None:
    """End the waiting nurseries; the next document starts a new one."""
    with _lock:
        waiting, _idle[:] = list(_idle), []
    for nursery in waiting:
        nursery.end()


# --- in the service ----------------------------------------------------------------------------------------------


class _Nursery:
    """The service's end of a nursery process."""

    def __init__(self) -> None:
        command = ["env", *_SINGLE_THREADED, f"PYTHONPATH={_ROOT}", sys.executable, "-m", "ingest.isolation"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._timed_answer(_START_TIMEOUT_S)

    def ending(self, document: Path, folder: Path, settings: ParsingSettings) -> Rejected | None:
        """Have the document parsed; None when the child ended by itself. Raises OSError when the nursery is lost."""
        request = {"document": str(document), "folder": str(folder), "settings": asdict(settings)}
        stdin = _open(self._process.stdin)
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        answer = json.loads(self._timed_answer(settings.wall_s + _GRACE_S))
        return _rejection(answer["signal"], bool(answer["timed_out"]), settings)

    def end(self) -> None:
        """Stop the process and all it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _timed_answer(self, timeout_s: float) -> bytes:
        timer = threading.Timer(timeout_s, self._process.kill)
        timer.start()
        try:
            line = bytes(_open(self._process.stdout).readline())
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            raise OSError("the parser's parent process is gone")
        return line


_idle: list[_Nursery] = []
_lock = threading.Lock()
atexit.register(close)


def _borrowed_ending(document: Path, folder: Path, settings: ParsingSettings) -> Rejected | None:
    with _lock:
        nursery = _idle.pop() if _idle else None
    try:
        nursery = nursery or _Nursery()
        ending = nursery.ending(document, folder, settings)
    except (OSError, ValueError, KeyError):
        if nursery is not None:
            nursery.end()
        return Rejected(RejectionCategory.CRASHED, "the parser's process was lost while it read the file")
    with _lock:
        _idle.append(nursery)
    return ending


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the parser's parent process has no pipe")
    return pipe


def _rejection(number: int, timed_out: bool, settings: ParsingSettings) -> Rejected | None:
    if timed_out:
        return Rejected(RejectionCategory.TIMED_OUT, f"reading it took more than {settings.wall_s:g} seconds")
    if number == signal.SIGXCPU:
        return Rejected(
            RejectionCategory.TIMED_OUT, f"reading it took more than {settings.cpu_s} seconds of processor time"
        )
    if number == signal.SIGKILL:
        return Rejected(RejectionCategory.OUT_OF_MEMORY, "reading it took more memory than there is")
    if number:
        return Rejected(RejectionCategory.CRASHED, f"the parser crashed on it (signal {number})")
    return None


# --- in the nursery ----------------------------------------------------------------------------------------------


def _nurse() -> None:
    """Fork a child for each request on standard input, one at a time, until it is closed."""
    _leave_the_network()
    os.nice(_NICE)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    _preload()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    answers.write(b"ready\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        given = request["settings"]
        settings = ParsingSettings(**{**given, "languages": tuple(given["languages"])})
        child = os.fork()
        if child == 0:
            _work_and_exit(Path(request["document"]), Path(request["folder"]), settings)
        number, timed_out = _outcome(child, settings.wall_s)
        answers.write(json.dumps({"signal": number, "timed_out": timed_out}).encode() + b"\n")


def _outcome(child: int, wall_s: float) -> tuple[int, bool]:
    """(signal that ended the child or 0, whether it ran out of time). Nothing it started is left behind."""
    deadline = time.monotonic() + wall_s
    timed_out = False
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            timed_out = True
            _kill_group(child)
            _, status = os.waitpid(child, 0)
            break
        signal.sigtimedwait([signal.SIGCHLD], remaining)
    _kill_group(child)
    return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0), timed_out


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, signal.SIGKILL)  # before it has made its own group


def _preload() -> None:
    """Import what the children need. Nothing untrusted has been read yet, and nothing is read here."""
    from assistant.language import detect_language
    from ingest import ocr, office, pdf  # noqa: F401

    office.preload()
    detect_language("The quick brown fox")


def _leave_the_network() -> None:
    """Move into a network namespace without any interface, where the system lets an ordinary user do so."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


# --- in the child ------------------------------------------------------------------------------------------------


def _work_and_exit(document: Path, folder: Path, settings: ParsingSettings) -> NoReturn:
    try:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        _close_inherited_input()
        tempfile.tempdir = str(folder)
        os.environ["TMPDIR"] = str(folder)
        os.chdir(folder)
        _limit(settings)
        sys.addaudithook(_refuse_network)
        write_result(parse_here(document, settings), folder / "result.json")
    except MemoryError:
        _report(Rejected(RejectionCategory.OUT_OF_MEMORY, "reading it took more memory than it may have"), folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # not the file's fault: the service looks at the disk
            _report(Rejected(RejectionCategory.DAMAGED, f"it could not be read ({error.strerror})"), folder)
    except BaseException as error:  # the outermost frame of a process that must end here
        _report(Rejected(RejectionCategory.DAMAGED, f"the parser could not read it ({type(error).__name__})"), folder)
    finally:
        os._exit(0)


def parse_here(document: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The file as its parser reads it, in this very process: for the child, and for tests of the parsers themselves."""
    size = document.stat().st_size
    if size > settings.max_file_bytes:
        return Rejected(RejectionCategory.TOO_LARGE, f"{size} bytes; the limit is {settings.max_file_bytes}")
    media_type = detect_media_type(document)
    if media_type == EMPTY:
        return Rejected(RejectionCategory.EMPTY_FILE, "the file is empty")
    parser = parser_for(media_type)
    return unsupported(media_type, document) if parser is None else parser.parse(document, settings=settings)


def _report(rejected: Rejected, folder: Path) -> None:
    with contextlib.suppress(Exception):
        write_result(rejected, folder / "result.json")


def _close_inherited_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)


def _limit(settings: ParsingSettings) -> None:
    """Limits for this process and all it starts. Memory counts on top of what the interpreter already holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory = pages * resource.getpagesize() + settings.memory_bytes
    for limit, value, last in (
        (resource.RLIMIT_CPU, settings.cpu_s, settings.cpu_s + 2),  # at the first SIGXCPU, at the second SIGKILL
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, settings.output_bytes, settings.output_bytes),
        (resource.RLIMIT_NOFILE, settings.open_files, settings.open_files),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, hard = resource.getrlimit(limit)
        ceiling = last if hard == resource.RLIM_INFINITY else min(last, hard)
        resource.setrlimit(limit, (min(value, ceiling), ceiling))


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:  # noqa: ARG001 - the signature of an audit hook
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.bind"):
        raise PermissionError("a parser may not use the network")


if __name__ == "__main__":
    _nurse()
