"""Starting and stopping real instances from tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.worlds import ROOT, child_environment

_ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/enter\?key=(\S+)")
_START_S = 240.0


@dataclass(frozen=True)
class RunningInstance:
    """An instance that answers. `token` is the local principal's key."""

    url: str
    token: str
    home: Path
    file: Path
    process: subprocess.Popen[str]

    @property
    def enter_url(self) -> str:
        """The address that signs a browser in."""
        return f"{self.url}/enter?key={self.token}"

    def kill(self) -> None:
        """SIGKILL the whole process group: no handler runs, nothing is flushed."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)


def assistant_command(*arguments: str) -> list[str]:
    """The command line of this working copy."""
    return [sys.executable, "-m", "assistant.cli", *arguments]


@contextmanager
def running_instance(
    file: Path,
    *,
    prefix: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    command: str = "up",
    options: Sequence[str] = (),
) -> Iterator[RunningInstance]:
    """`assistant up` on a free port, stopped at the end. The demo documents have been read when this enters."""
    log = file.parent / "service.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*prefix, *assistant_command(command, "--instance", str(file), "--port", "0", *options)],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment or child_environment(),
            start_new_session=True,
        )
    try:
        url, token = _wait_for_address(process, log)
        yield RunningInstance(url, token, file.parent / "data", file, process)
    finally:
        _stop(process)


def _wait_for_address(process: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        found = _ADDRESS.search(log.read_text(encoding="utf-8"))
        if found:
            return found[1], found[2]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the instance did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


def run_assistant(file: Path, *arguments: str, timeout_s: float = 240.0) -> subprocess.CompletedProcess[str]:
    """One command on the instance, finished."""
    return subprocess.run(
        [*assistant_command(*arguments), "--instance", str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=child_environment(),
        timeout=timeout_s,
        check=False,
    )
