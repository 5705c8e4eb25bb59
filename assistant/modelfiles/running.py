"""A model server as a child of this process: started, waited for, and ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.modelfiles.servers import LOOPBACK, ServerPlan

_ATTACHED = Path(__file__).with_name("attached.py")
_ASK_EVERY_S = 0.25
_ASK_TIMEOUT_S = 5.0
_END_S = 15.0
_LOG_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    plan: ServerPlan
    process: subprocess.Popen[bytes]
    log: Path
    started_s: float
    """From its start to its first answer."""


def free_port() -> int:
    """A port of the loopback address that nobody listened on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    plan: ServerPlan, log: Path, *, timeout_s: float, stopped: Callable[[], bool] = lambda: False
) -> Iterator[RunningServer]:
    """The server, answering, for the length of the block. What it prints goes to `log`, which is begun anew.

    Raises ConfigurationError when its port is taken, ServiceUnavailable when it ends, does not answer in time, or `stopped` says
    so before it does.
    """
    _require_free_port(plan.port)
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = attached(plan.command, environment=dict(plan.environment), folder=plan.folder, output=output)
    try:
        _wait_until_it_answers(plan, process, log, deadline=began + timeout_s, stopped=stopped)
        yield RunningServer(plan, process, log, time.monotonic() - began)
    finally:
        end(process)


def attached(
    command: tuple[str, ...], *, environment: dict[str, str], folder: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that all it starts can be ended with it.

    On Linux it ends when the thread ends that called this, however that comes about: call it from the main thread.
    """
    return subprocess.Popen(
        [sys.executable, "-I", str(_ATTACHED), str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and all it started to end, then make them."""
    for number, patience_s in ((signal.SIGTERM, _END_S), (signal.SIGKILL, _END_S)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)


def _require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} is taken on this machine; choose another with --port, or 0 for a free one"
            ) from error


def _wait_until_it_answers(
    plan: ServerPlan,
    process: subprocess.Popen[bytes],
    log: Path,
    *,
    deadline: float,
    stopped: Callable[[], bool],
) -> None:
    with httpx.Client(timeout=_ASK_TIMEOUT_S, trust_env=False) as client:
        while time.monotonic() < deadline:
            if stopped():
                raise ServiceUnavailable(f"the server of {plan.model} was stopped while it started")
            if process.poll() is not None:
                raise ServiceUnavailable(
                    f"the server of {plan.model} ({plan.kind}) ended at its start; {log} says:\n{_end_of(log)}"
                )
            with contextlib.suppress(httpx.HTTPError):
                if client.get(plan.health).status_code == httpx.codes.OK:
                    return
            time.sleep(_ASK_EVERY_S)
    raise ServiceUnavailable(f"the server of {plan.model} ({plan.kind}) did not answer in time; see {log}")


def _end_of(log: Path) -> str:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _LOG_SHOWN))
        return stream.read().decode("utf-8", "replace").strip()
