"""Parsers run apart: a file that was made to break a parser breaks a child process and nothing else.

    service ── one request at a time ──► nursery ── fork ──► child: one document, then gone
                                         (imports done once,    limits on time, memory, files and output,
                                          no network)           own temporary folder, no network

The nursery is a fresh interpreter that has imported the parsers (2 to 3 seconds) and has read nothing untrusted; each
document is parsed in a fork of it (12 ms), confined by `ingest.confinement`. The result comes back as a file of JSON, pages read
so far as lines on the nursery's pipe. Whatever the child does, all it started is killed and its folder removed. When the service
dies, its nurseries see their pipe close and end with everything below them; when it stops, `break_off` ends what is at work. The
signals that ask a service to stop may reach its nurseries as well, and mean nothing there: the file is not at fault.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import math
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, NoReturn

from assistant.errors import ServiceUnavailable
from ingest import ocr
from ingest.confinement import (
    DeadPipes,
    adopt_orphans,
    confine,
    descendants,
    end_descendants,
    leave_the_network,
)
from ingest.finishing import finished
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
from ingest.preloading import preload
from ingest.scans import progress_in
from ingest.transfer import ATTACHMENTS, read_result, write_result

RESULT = "result.json"
"""What a parser leaves in its folder."""
_START_TIMEOUT_S = 120.0
_GRACE_S = 15.0
"""How much longer than the child's own limit the service waits before it gives up on the nursery as well."""
_ROOT = Path(__file__).resolve().parents[1]
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_SINGLE_THREADED = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1")
"""Only a process without threads of its own may fork safely."""
_NURSERY = ("-m", "ingest.isolation")
_PREFIX = "parse-"
_LOOK_EVERY_S = 0.25
_NICE = 10
"""Reading documents gives way to answering questions."""
_NO_SPACE = 75
"""How a child ends that could not write for want of space: EX_TEMPFAIL of sysexits.h."""
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What is the disk's fault and never a file's."""

OnProgress = Callable[[int, int], None]
"""Told (pages read so far, pages there are), each time there are more."""


@contextlib.contextmanager
def parse_isolated(
    path: Path, *, file_name: str, settings: ParsingSettings, on_progress: OnProgress | None = None
) -> Iterator[Parsed | Rejected]:
    """The file at `path` as its parser reads it, or why not; never raises for anything the file does.

    `file_name` is the name it was handed in under. The files of its attachments are gone when the context ends: take them over
    inside. `on_progress` is called in this thread. Safe to call from several threads. Raises OSError when the work folder is
    full or cannot be written.
    """
    with _folder_of_its_own(settings.work_folder) as folder:
        yield _parsed_in(folder, path, file_name=file_name, settings=settings, on_progress=on_progress)


def parse_into(
    path: Path, folder: Path, *, file_name: str, settings: ParsingSettings, on_progress: OnProgress | None = None
) -> Parsed | Rejected:
    """The same, in a folder of the caller's, which afterwards holds the result as `RESULT`, the attached files, and nothing else.

    Raises OSError when the folder cannot be written.
    """
    remove_folder(folder)
    folder.mkdir(parents=True)
    parsed = _parsed_in(folder, path, file_name=file_name, settings=settings, on_progress=on_progress)
    if isinstance(parsed, Rejected):  # in the place of a result there may be anything, a link to a file of ours as well
        remove_folder(folder)
        folder.mkdir()
        write_result(parsed, folder / RESULT)
        return parsed
    for entry in folder.iterdir():
        if entry.name not in (RESULT, ATTACHMENTS):
            remove_folder(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    return parsed


def _parsed_in(
    folder: Path, path: Path, *, file_name: str, settings: ParsingSettings, on_progress: OnProgress | None = None
) -> Parsed | Rejected:
    suffix = Path(file_name).suffix
    document = folder / f"document{suffix if _SUFFIX.fullmatch(suffix) else ''}"
    document.symlink_to(path.resolve())
    ending = _borrowed_ending(
        document, folder, replace(settings, handed_in_as=file_name), on_progress or (lambda _pages, _of: None)
    )
    if ending is not None:
        return ending
    result = folder / RESULT
    try:
        left = result.lstat()
        if not stat.S_ISREG(left.st_mode) or left.st_size > settings.output_bytes:
            raise ValueError("the result is not a file of the expected size")
        return read_result(result)
    except (OSError, ValueError):
        return Rejected(RejectionCategory.CRASHED, "the parser ended without a usable result")


@contextlib.contextmanager
def _folder_of_its_own(work_folder: Path | None) -> Iterator[Path]:
    if work_folder is not None:
        work_folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=work_folder))
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder in which a hostile file may have had its way: no rights, or thousands of folders in each other."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+rwX", "--", folder], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)


def close() -> None:
    """End the waiting nurseries; the next document starts a new one."""
    with _lock:
        waiting, _idle[:] = list(_idle), []
    for nursery in waiting:
        nursery.end()


def break_off() -> None:
    """End the nurseries at work: whoever waits for one is told ServiceUnavailable, which is not the file's fault."""
    with _lock:
        for nursery in _at_work:
            nursery.break_off()


# --- in the service ----------------------------------------------------------------------------------------------


class _Nursery:
    """The service's end of a nursery process."""

    def __init__(self) -> None:
        command = ["env", *_SINGLE_THREADED, f"PYTHONPATH={_ROOT}", sys.executable, *_NURSERY]
        self._process = subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self._unread = b""
        self.broken_off = False
        self._timed_answer(_START_TIMEOUT_S)

    def answers(self, document: Path, folder: Path, settings: ParsingSettings) -> Iterator[dict[str, Any]]:
        """Have the document parsed: how far it is, and last how it ended. Raises OSError when the nursery is lost."""
        request = {"document": str(document), "folder": str(folder), "settings": asdict(settings)}
        line = json.dumps(request, default=str).encode() + b"\n"
        while line:
            line = line[os.write(_open(self._process.stdin).fileno(), line) :]
        while True:
            answer: dict[str, Any] = json.loads(self._timed_answer(settings.wall_s + _GRACE_S))
            yield answer
            if "signal" in answer:
                return

    def break_off(self) -> None:
        """Kill the process; what it started dies with it, and `answers` raises OSError."""
        self.broken_off = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

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
        answers = _open(self._process.stdout).fileno()
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            remaining_s = deadline - time.monotonic()
            more = os.read(answers, 65536) if remaining_s > 0 and waiting.poll(math.ceil(remaining_s * 1000)) else b""
            if not more:
                self._process.kill()
                raise OSError("the parser's parent process is gone")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line


_idle: list[_Nursery] = []
_at_work: set[_Nursery] = set()
_lock = threading.Lock()
atexit.register(close)


def _borrowed_ending(
    document: Path, folder: Path, settings: ParsingSettings, on_progress: OnProgress
) -> Rejected | None:
    with _lock:
        nursery = _idle.pop() if _idle else None
    try:
        nursery = nursery or _Nursery()
        with _lock:
            _at_work.add(nursery)
        answer: dict[str, Any] = {}
        for answer in nursery.answers(document, folder, settings):
            if "of" in answer:
                on_progress(int(answer["pages"]), int(answer["of"]))
        ending = _rejection(answer, settings)
    except (OSError, ValueError, KeyError):
        if nursery is not None:
            nursery.end()
            if nursery.broken_off:
                raise ServiceUnavailable("the service stopped while the file was read") from None
        return Rejected(RejectionCategory.CRASHED, "the parser's process was lost while it read the file")
    except BaseException:
        if nursery is not None:
            nursery.end()  # it is still at work
        raise
    finally:
        with _lock:
            _at_work.difference_update([nursery] if nursery is not None else [])
    with _lock:
        _idle.append(nursery)
    if answer["exit"] == _NO_SPACE:
        raise OSError(errno.ENOSPC, "the work folder is full or cannot be written; free some space")
    return ending


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the parser's parent process has no pipe")
    return pipe


def _rejection(answer: dict[str, Any], settings: ParsingSettings) -> Rejected | None:
    number = int(answer["signal"])
    if answer["ended_for"] == "time":
        return Rejected(RejectionCategory.TIMED_OUT, f"reading it took more than {settings.wall_s:g} seconds")
    if answer["ended_for"] == "processes":
        message = f"reading it started more than {settings.max_processes} processes"
        return Rejected(RejectionCategory.CRASHED, message)
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
    own_namespace = leave_the_network() and _has_a_user_namespace()
    adopt_orphans()
    for asked in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):  # systemd sends them to every process of a service
        signal.signal(asked, signal.SIG_IGN)
    os.nice(max(0, _NICE - os.nice(0)))  # the thread that starts it may be as patient already, or more
    dead_pipes = DeadPipes()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    _preload()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    answers.write(b"ready\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        folder = Path(request["folder"])
        settings = _received(request["settings"], folder)
        ocr.refusal(settings)  # asks tesseract for its languages: once, not in every child
        child = os.fork()
        if child == 0:
            _work_and_exit(Path(request["document"]), folder, settings, own_user_namespace=own_namespace)
        status, ended_for = _watched(child, settings, answers)
        end_descendants()
        dead_pipes.remove()
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        answers.write(json.dumps({"signal": number, "exit": code, "ended_for": ended_for}).encode() + b"\n")


def _received(given: dict[str, Any], folder: Path) -> ParsingSettings:
    """The settings as they were sent; pages are kept in the run's own folder when there is none that lasts."""
    kept = Path(given["page_folder"] or folder / "pages")
    return replace(ParsingSettings(**given), languages=tuple(given["languages"]), page_folder=kept, work_folder=None)


def _watched(child: int, settings: ParsingSettings, answers: IO[bytes]) -> tuple[int, str]:
    """(the child's status, what it was ended for: "time", "processes" or nothing). Each page read gives it its time again."""
    seen, ended_for = 0, ""
    deadline = time.monotonic() + settings.wall_s
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if _service_is_gone():
            end_descendants()
            os._exit(1)
        progress = progress_in(settings.page_folder) if settings.page_folder else None
        if progress is not None and progress[0] > seen:
            seen = progress[0]
            deadline = time.monotonic() + settings.wall_s
            answers.write(json.dumps({"pages": seen, "of": progress[1]}).encode() + b"\n")
        remaining = deadline - time.monotonic()
        if remaining <= 0 or sum(1 for _ in descendants(child)) > settings.max_processes:
            ended_for = "time" if remaining <= 0 else "processes"
            _kill_group(child)
            _, status = os.waitpid(child, 0)
            break
        signal.sigtimedwait([signal.SIGCHLD], min(remaining, _LOOK_EVERY_S))
    _kill_group(child)
    return status, ended_for


def _service_is_gone() -> bool:
    poll = select.poll()
    poll.register(0, 0)
    return any(happened & select.POLLHUP for _, happened in poll.poll(0))


def _has_a_user_namespace() -> bool:
    """True when the ids of this process are mapped one by one, as `leave_the_network` maps them."""
    try:
        return Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2:] == ["1"]
    except OSError:
        return False


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, signal.SIGKILL)  # before it has made its own group


def _preload() -> None:
    preload(parse_here)


# --- in the child ------------------------------------------------------------------------------------------------


def _work_and_exit(document: Path, folder: Path, settings: ParsingSettings, *, own_user_namespace: bool) -> NoReturn:
    code = 0
    try:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        _close_inherited_pipes()
        tempfile.tempdir = str(folder)
        os.environ["TMPDIR"] = str(folder)
        os.chdir(folder)
        folders = [folder, settings.page_folder] if settings.page_folder else [folder]
        folders[-1].mkdir(parents=True, exist_ok=True)
        confine(document, folders, settings, own_user_namespace=own_user_namespace)
        write_result(parse_here(document, settings), folder / RESULT)
    except MemoryError:
        _report(Rejected(RejectionCategory.OUT_OF_MEMORY, "reading it took more memory than it may have"), folder)
    except OSError as error:
        code = _NO_SPACE if error.errno in DISK_ERRORS else 0
        _report(_unreadable(error), folder)
    except BaseException as error:  # the outermost frame of a process that must end here
        _report(Rejected(RejectionCategory.DAMAGED, f"the parser could not read it ({type(error).__name__})"), folder)
    finally:
        os._exit(code)


def _unreadable(error: OSError) -> Rejected:
    if error.errno == errno.EFBIG:
        return Rejected(RejectionCategory.TOO_LARGE, "it unpacks to more than a document may")
    return Rejected(RejectionCategory.DAMAGED, f"it could not be read ({error.strerror})")


def parse_here(document: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The file as its parser reads it, in this very process: for the child, and for tests of the parsers themselves."""
    size = document.stat().st_size
    if size > settings.max_file_bytes:
        return Rejected(RejectionCategory.TOO_LARGE, f"{size} bytes; the limit is {settings.max_file_bytes}")
    media_type = detect_media_type(document)
    if media_type == EMPTY:
        return Rejected(RejectionCategory.EMPTY_FILE, "the file is empty")
    parser = parser_for(media_type)
    if parser is None:
        return unsupported(media_type)
    result = parser.parse(document, settings=settings)
    return finished(result, document) if isinstance(result, Parsed) else result


def _report(rejected: Rejected, folder: Path) -> None:
    with contextlib.suppress(Exception):
        write_result(rejected, folder / RESULT)


def _close_inherited_pipes() -> None:
    """Leave only standard input and output, both leading nowhere: the child must not answer in the nursery's name."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, 1024)


if __name__ == "__main__":
    _nurse()
