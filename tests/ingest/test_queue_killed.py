"""A worker killed at every side effect and at random times, a worker that dies for good, disks that are full or read-only.

Whatever happens, the end state (ledger, index, archive, originals, nothing left in the work folder) is that of a clean run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import ROOT, child_environment

pytestmark = pytest.mark.system
_SHARDS = 4


def start(
    command: str, folder: Path, *, server: str = "", shard: int = 0, of: int = 1, apart: bool = False
) -> subprocess.Popen[str]:
    prefix = ["unshare", "--mount"] if apart else []
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.ingest.killing", command, str(folder), server, str(shard), str(of)],
        cwd=ROOT, env=child_environment(OMP_NUM_THREADS="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def outcome(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err[-4000:]
    return json.loads(out)


def test_killed_at_every_side_effect_ends_as_a_clean_run_does(tmp_path: Path) -> None:
    running = [start("points", tmp_path / str(shard), shard=shard, of=_SHARDS) for shard in range(_SHARDS)]
    found: dict[str, object] = {}
    for process in running:
        found |= outcome(process)
    assert len(found) > 50, "the side effects were not announced"
    assert {name: different for name, different in found.items() if different} == {}


def test_killed_again_and_again_at_random_times_ends_as_a_clean_run_does(tmp_path: Path) -> None:
    assert set(outcome(start("random", tmp_path / "world", of=5)).values()) == {None}


def test_documents_of_a_dead_worker_are_done_once_by_another(tmp_path: Path) -> None:
    assert set(outcome(start("takeover", tmp_path / "world")).values()) == {None}


def test_documents_of_a_dead_worker_are_done_once_by_another_on_postgresql(
    tmp_path: Path, postgres_server: str
) -> None:
    assert set(outcome(start("takeover", tmp_path / "world", server=postgres_server)).values()) == {None}


def test_killed_at_random_times_on_postgresql_ends_as_a_clean_run_does(tmp_path: Path, postgres_server: str) -> None:
    assert set(outcome(start("random", tmp_path / "world", server=postgres_server, shard=1, of=3)).values()) == {None}


def test_stores_on_a_full_a_read_only_and_a_slow_disk_end_as_in_a_clean_run(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disks of this test; run it as root to see it")
    found = outcome(start("disks", tmp_path / "world", apart=True))
    assert {name: different for name, different in found.items() if different} == {}
