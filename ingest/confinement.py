"""What a parser's process may not do: use the network, read other people's files, outlive its document, eat the machine.

Everything here only takes away. What a kernel does not offer is left out, and `in_force` says so:

    network     a network namespace without any interface; a seccomp filter that lets no socket be opened but local ones;
                an audit hook in Python, which is always there
    files       Landlock: programs and libraries may be read, the document too, and only the run's own folders written
    processes   a subreaper: what a parser started is found and ended even when it left its session
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import platform
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.parsing import ParsingSettings

_ROOT = Path(__file__).resolve().parents[1]
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_END_TIMEOUT_S = 10.0

_USES_OF_SOCKETS = tuple(
    f"socket.{use}"
    for use in (
        "connect", "sendto", "sendmsg", "bind", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo",
    )
)  # fmt: skip
"""Audit events; those of look-ups too, which a name server answers."""

_libc = ctypes.CDLL(None, use_errno=True)


def in_force() -> dict[str, str]:
    """What holds a parser back on this machine, by subject: `network`, `files`, `processes`. Found by trying it in a child."""
    command = [sys.executable, "-c", "from ingest.confinement import _try_all; _try_all()"]
    run = subprocess.run(
        ["env", f"PYTHONPATH={_ROOT}", *command], capture_output=True, text=True, check=False, timeout=60
    )
    table = json.loads(run.stdout)
    return {str(subject): str(guard) for subject, guard in table.items()}


def _try_all() -> None:
    namespace = leave_the_network()
    subreaper = adopt_orphans()
    filtered = _filter_sockets()
    closed = _close_files([], [])
    network = [*(["network namespace"] if namespace else []), *(["seccomp filter"] if filtered else []), "audit hook"]
    print(
        json.dumps(
            {
                "network": ", ".join(network),
                "files": "Landlock" if closed else "",
                "processes": "subreaper" if subreaper else "process group",
            }
        )
    )


# --- in the nursery ------------------------------------------------------------------------------------------------


def leave_the_network() -> bool:
    """Move into a network namespace without any interface; False where the system does not let an ordinary user do so."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return bool(_libc.unshare(_CLONE_NEWNET) == 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    return True


def adopt_orphans() -> bool:
    """Become the parent of every process below that loses its own, whatever session it is in."""
    return bool(_prctl(_PR_SET_CHILD_SUBREAPER, 1) == 0)


def descendants(pid: int) -> Iterator[int]:
    """Process ids below `pid`, children before theirs."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a child is watched several times a second
            for child in map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split()):
                yield child
                yield from descendants(child)


def end_descendants() -> None:
    """Kill and reap everything below this process. What is killed hands its children up, so it takes a few rounds."""
    deadline = time.monotonic() + _END_TIMEOUT_S
    while time.monotonic() < deadline:
        for pid in list(descendants(os.getpid())):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


class DeadPipes:
    """The sockets that LibreOffice processes of this user leave behind."""

    def __init__(self) -> None:
        self._looked_at = 0

    def remove(self) -> None:
        """Remove those whose process runs no more. Asked after every document: a folder as it was is not looked at again."""
        beginning = f"OSL_PIPE_{os.getuid()}_SingleOfficeIPC_"
        with contextlib.suppress(OSError):
            changed_at = _OFFICE_PIPES.stat().st_mtime_ns
            if changed_at == self._looked_at:
                return
            for pipe in _OFFICE_PIPES.iterdir():
                if pipe.name.startswith(beginning) and _leads_nowhere(pipe):
                    pipe.unlink(missing_ok=True)
            self._looked_at = changed_at


def _leads_nowhere(pipe: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking, contextlib.suppress(OSError):
        asking.settimeout(1.0)
        return asking.connect_ex(str(pipe)) == errno.ECONNREFUSED
    return False


# --- in the child --------------------------------------------------------------------------------------------------


def confine(document: Path, folders: Sequence[Path], settings: ParsingSettings, *, own_user_namespace: bool) -> None:
    """Take everything away from this process that reading `document` and writing below `folders` does not need."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(settings, own_user_namespace=own_user_namespace)
    _filter_sockets()
    _close_files([document.resolve()], folders)
    sys.addaudithook(refuse_network)


def refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook that lets no Python code look up a name, make a socket but a local one, or use any."""
    if event in _USES_OF_SOCKETS or (event == "socket.__new__" and arguments[1] != socket.AF_UNIX):
        raise PermissionError("a parser may not use the network")


def _limit(settings: ParsingSettings, *, own_user_namespace: bool) -> None:
    """Limits for this process and each that it starts. Memory counts on top of what the interpreter already holds."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    memory = pages * resource.getpagesize() + settings.memory_bytes
    limits = [
        (resource.RLIMIT_CPU, settings.cpu_s, settings.cpu_s + 2),  # at the first SIGXCPU, at the second SIGKILL
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, settings.output_bytes, settings.output_bytes),
        (resource.RLIMIT_NOFILE, settings.open_files, settings.open_files),
        (resource.RLIMIT_CORE, 0, 0),
    ]
    if own_user_namespace:  # elsewhere this counts all processes of the user, the service's threads among them
        limits.append((resource.RLIMIT_NPROC, settings.max_processes * 4, settings.max_processes * 4))
    for limit, value, last in limits:
        _, hard = resource.getrlimit(limit)
        ceiling = last if hard == resource.RLIM_INFINITY else min(last, hard)
        resource.setrlimit(limit, (min(value, ceiling), ceiling))


# --- seccomp -------------------------------------------------------------------------------------------------------

_SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its name in the kernel's audit interface, and the number of socket(2). linux/audit.h, asm/unistd.h."""
_IO_URING_SETUP, _AF_UNIX, _X32 = 425, 1, 0x40000000
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _filter_sockets() -> bool:
    """Let no socket be opened but a local one, for this process and all it starts; False where there is no seccomp.

    io_uring is refused as well, since it opens sockets without the system call.
    """
    if platform.machine() not in _SOCKET_CALLS:
        return False
    architecture, socket_call = _SOCKET_CALLS[platform.machine()]
    instructions = (
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 5, 0, _X32),
        (_EQUAL, 4, 0, _IO_URING_SETUP),
        (_EQUAL, 0, 2, socket_call),
        (_LOAD, 0, 0, 16),
        (_EQUAL, 0, 1, _AF_UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), code)
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0 and _prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(program)) == 0


# --- Landlock ------------------------------------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FIRST_ABI_RIGHTS, _TRUNCATE = (1 << 13) - 1, 1 << 14
_READ = _READ_FILE | _READ_DIR
_READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/proc", "/sys/devices/system", "/dev/urandom", "/dev/random",
    "/etc/alternatives", "/etc/fonts", "/etc/libreoffice", "/etc/ld.so.cache", "/etc/locale.alias", "/etc/localtime",
    "/etc/mime.types", "/etc/nsswitch.conf", "/etc/passwd", "/var/cache/fontconfig", "/var/lib/libreoffice",
    "/var/spool/libreoffice",
)  # fmt: skip
_WRITABLE = ("/dev/null", "/dev/zero", "/dev/full")
_MAKE_SOCKET = 1 << 9
_OFFICE_PIPES = Path("/tmp")  # noqa: S108 - LibreOffice's own choice
"""Where LibreOffice makes the socket by which it finds out that it runs alone, whatever TMPDIR says, or else ends at once. It
may make it there, and nothing else; it may not remove it: `DeadPipes` does. It also wants to know the user's name,
hence /etc/passwd, which holds no secret."""
_SCOPES = 3
"""No signal to processes outside, no connection to their abstract sockets."""


def _close_files(readable: Sequence[Path], writable: Sequence[Path]) -> bool:
    """Let only programs, libraries and what is named be read, and only `writable` be written; False without Landlock."""
    version = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    handled = _FIRST_ABI_RIGHTS | (_TRUNCATE if version >= 3 else 0)
    attributes = struct.pack("<QQQ", handled, 3 if version >= 4 else 0, _SCOPES)  # 3: binding and connecting by TCP
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        code = (sys.prefix, sys.base_prefix, str(_ROOT / "ingest"), str(_ROOT / "assistant"))
        for path in (*_READABLE, *code, *map(str, readable)):
            _allow(ruleset, path, (_READ | _EXECUTE) & handled)
        for path in (*_WRITABLE, *map(str, writable)):
            _allow(ruleset, path, handled)
        _allow(ruleset, str(_OFFICE_PIPES), _MAKE_SOCKET)
        return _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0 and _libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(handle).st_mode):
                rights &= _EXECUTE | _WRITE | _READ_FILE | _TRUNCATE
            _libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("<Qi", rights, handle), 0)
        finally:
            os.close(handle)


def _prctl(option: int, value: int, address: int = 0) -> int:
    return int(_libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(address), 0, 0))
