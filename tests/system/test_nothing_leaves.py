"""No packet, no name: the kernel's own record of the whole path."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.tracing import loopback_only, outside_attempts, trace_command
from tests.worlds import DEMO, ROOT, child_environment, instance_file

pytestmark = pytest.mark.system


def test_whole_path_reaches_nothing_outside(tmp_path: Path) -> None:
    file = instance_file(tmp_path, extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
    trace = tmp_path / "trace.txt"
    command = [*loopback_only(), sys.executable, "-m", "tests.system.whole_path", str(file), str(trace)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=900, env=child_environment())
    assert finished.returncode == 0, finished.stderr[-4000:]
    seen = json.loads(finished.stdout.splitlines()[-1])
    assert outside_attempts(trace) == []
    assert trace.stat().st_size > 0, "strace recorded nothing, so the test proves nothing"
    assert seen["foreign"] == [], "the page asked for something outside its own origin"
    assert seen["counts"]["done"] + seen["counts"]["done with warnings"] >= 15
    assert "answered" in seen["outcomes"]


@pytest.mark.parametrize("plant", ["python", "native", "name"])
def test_a_planted_call_home_turns_it_red(tmp_path: Path, plant: str) -> None:
    file, trace = instance_file(tmp_path), tmp_path / "trace.txt"
    planted = str(ROOT / "tests" / "system" / "planted")
    environment = child_environment(PLANTED=plant, PYTHONPATH=planted)
    command = [sys.executable, "-m", "assistant.cli", "doctor", "--instance", str(file)]
    subprocess.run(
        [*loopback_only(), *trace_command(trace), *command], cwd=ROOT, env=environment, timeout=300, capture_output=True
    )
    assert outside_attempts(trace), "the planted connection was not noticed"


def test_the_same_command_without_a_plant_is_green(tmp_path: Path) -> None:
    file, trace = instance_file(tmp_path), tmp_path / "trace.txt"
    command = [sys.executable, "-m", "assistant.cli", "doctor", "--instance", str(file)]
    subprocess.run(
        [*loopback_only(), *trace_command(trace), *command],
        cwd=ROOT,
        timeout=300,
        env=child_environment(),
        capture_output=True,
    )
    assert outside_attempts(trace) == []
