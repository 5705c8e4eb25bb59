"""`assistant serve` as a service manager runs it, and commands that meet it while it starts and stops."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.instances import assistant_command, run_assistant
from tests.worlds import ROOT, child_environment, instance_file

_START_S = 240.0


@contextmanager
def _service(instance: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (instance.parent / "service.log").open("wb") as log:
        process = subprocess.Popen(  # under `nohup` the tests hand SIGHUP on as ignored, and the service heeds that
            ["env", "--default-signal=HUP", *assistant_command("serve", "--instance", str(instance), "--port", "0")],
            stderr=log,
            cwd=ROOT,
            env=child_environment(),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=30)


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not file.is_file() or not file.read_text(encoding="ascii"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_command_that_comes_while_the_service_starts_waits_for_it(tmp_path: Path) -> None:
    instance = instance_file(tmp_path)
    with _service(instance) as process:
        _wait_for(tmp_path / "data" / "lock", process)
        assert not (tmp_path / "data" / "service.json").exists()
        asked = run_assistant(instance, "ingest", "status")
        assert asked.returncode == 0, asked.stderr
        assert "is starting or stopping; waiting for it" in asked.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_service_logs_its_start_with_the_time_and_ends_in_order_on(how: signal.Signals, tmp_path: Path) -> None:
    instance = instance_file(tmp_path)
    with _service(instance) as process:
        _wait_for(tmp_path / "data" / "service.json", process)
        assert run_assistant(instance, "ingest", "status").returncode == 0
        process.send_signal(how)
        assert process.wait(timeout=60) == 0
    assert not (tmp_path / "data" / "service.json").exists()
    log = (tmp_path / "service.log").read_text(encoding="utf-8")
    assert re.search(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO \S+: serving .* at http://127\.0\.0\.1:\d+$", log, re.M
    )
