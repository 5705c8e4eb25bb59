"""The command line itself: whatever the environment's encoding, what is typed is understood and what is told is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import ROOT, child_environment


def told(arguments: list[str], environment: dict[str, str]) -> tuple[bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=child_environment(**environment),
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}],
    ids=["C", "ascii", "latin-1"],
)
def test_letters_of_any_script_go_in_and_out(tmp_path: Path, environment: dict[str, str]) -> None:
    absent = tmp_path / "préfecture-محافظة.toml"
    _, errors = told(["address", "--instance", str(absent)], environment)
    assert f"{absent}: there is no such instance file" in errors.decode("utf-8").replace("\n", " ")
    printed, _ = told(["--help"], environment)
    assert "╭" in printed.decode("utf-8")
