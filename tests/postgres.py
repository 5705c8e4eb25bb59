"""A real PostgreSQL for tests, from Debian's package: a cluster in a temporary folder, reached by a socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_USER = "nobody"


@contextmanager
def running_server() -> Iterator[str]:
    """The socket folder of a server that an ordinary user runs. Skips without PostgreSQL, fails under CI=true."""
    binaries = _binaries()
    # Short: a socket's path has at most 107 bytes. Not in a test's own folder: the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=os.environ.get("TMPDIR", "/tmp")))
    data = folder / "data"
    if os.geteuid() == 0:
        account = pwd.getpwnam(_USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        _run(binaries / "initdb", "--pgdata", data, "--username=assistant", "--auth=trust", "--no-sync", "--encoding=UTF8",
             "--locale=C.UTF-8")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        _run(binaries / "pg_ctl", "--pgdata", data, "--log", folder / "log", "--wait", "--options", options, "start")
        try:
            yield str(folder)
        finally:
            _run(binaries / "pg_ctl", "--pgdata", data, "--wait", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(socket_folder: str) -> str:
    """The URL of a database of its own on that server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"postgresql://assistant@/postgres?host={socket_folder}", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://assistant@/{name}?host={socket_folder}"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found or on_path:
        return (found[-1] if found else Path(str(on_path))).parent
    message = "PostgreSQL is not installed; install the Debian package postgresql to run this test"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _run(*command: object) -> None:
    """As an ordinary user: PostgreSQL refuses to run as root."""
    as_user = {"user": _USER, "group": pwd.getpwnam(_USER).pw_gid} if os.geteuid() == 0 else {}
    finished = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd="/", **as_user
    )
    assert finished.returncode == 0, finished.stderr + finished.stdout
