"""Kills instances, and fills and locks their disks, in a process of its own; prints what ended otherwise than a clean run.

python -m tests.ingest.killing points|random|takeover|disks FOLDER DATABASE_URL SHARD OF

Apart from pytest because every instance lives in a child made by fork, which wants a parent without threads.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from ingest import side_effects
from tests.ingest.queue_world import (
    ARCHIVIST,
    Counted,
    KillAt,
    end_state,
    hand_in,
    import_everything,
    in_child,
    open_world,
    settings_in,
    whole_run,
)
from tests.postgres import new_database

Different = dict[str, Any]
_FULL_FOR_S = 3.0
"""Time for more attempts than the two that a document has for a cause of its own."""


class Killing:
    """Runs in `folder`; each instance has a database of its own on the PostgreSQL at `socket_folder`, or SQLite without one."""

    def __init__(self, folder: Path, socket_folder: str) -> None:
        folder.mkdir(parents=True)
        import_everything(folder)
        self._folder = folder
        self._socket_folder = socket_folder
        self.counts: dict[str, int] = {}
        self.expected = self._clean()

    def settings(self, name: str, *, worker: str = "", place: Path | None = None) -> Any:
        """A new instance, or the one made before under that name, for another worker."""
        folder = place or self._folder / name
        folder.mkdir(exist_ok=True)
        address = folder / "address"
        if not address.exists():
            address.write_text(new_database(self._socket_folder) if self._socket_folder else "")
        extra = f'worker = "{worker}"\n[database]\nurl = "{address.read_text()}"\n'
        return settings_in(folder, extra=extra)

    def compare(self, settings: Any) -> Different | None:
        """How the end state differs from a clean run's; None when it does not."""
        found = json.loads(json.dumps(end_state(settings)))
        return None if found == self.expected else {"expected": self.expected, "found": found}

    def _clean(self) -> Any:
        settings = self.settings("clean")
        counts = self._folder / "counts.json"
        assert in_child(lambda: whole_run(settings, Counted(), counts)) == 0
        self.counts = json.loads(counts.read_text())
        return json.loads(json.dumps(end_state(settings)))


def points(killing: Killing, shard: int, of: int) -> dict[str, Different | None]:
    """Killed before each side effect of this shard, and started again."""
    numbered = [(name, number) for name, count in killing.counts.items() for number in range(1, count + 1)]
    found = {}
    for name, number in numbered:
        if number % of != shard:  # not by position: how often documents are queued is a matter of timing
            continue
        settings = killing.settings(f"{name}-{number}")
        ended = in_child(lambda at=(name, number), s=settings: whole_run(s, KillAt(*at)))
        if ended == 0:
            continue  # a matter of timing, as above
        assert ended == -signal.SIGKILL, f"{name} {number} ended with {ended}"
        assert in_child(lambda s=settings: whole_run(s)) == 0, f"the restart after {name} {number} failed"
        found[f"{name} {number}"] = killing.compare(settings)
    return found


def at_random_times(killing: Killing, shard: int, of: int) -> dict[str, Different | None]:
    """Killed up to three times at random moments, then left alone."""
    chance = random.Random(20261123 + shard)
    found = {}
    for number in range(of):
        settings = killing.settings(f"random-{number}")
        for _ in range(3):
            in_child(lambda s=settings: whole_run(s), kill_after_s=chance.uniform(0.05, 2.0))
        assert in_child(lambda s=settings: whole_run(s)) == 0
        found[f"random {number}"] = killing.compare(settings)
    return found


def takeover(killing: Killing, _shard: int, _of: int) -> dict[str, Different | None]:
    """A worker that dies for good in the middle of a document; another one, under another name, ends its work."""
    found = {}
    for name in ("work.keep", "index.replace", "ledger.settle"):
        first, second = (killing.settings(f"takeover-{name}", worker=worker) for worker in ("first", "second"))
        assert in_child(lambda n=name, s=first: whole_run(s, KillAt(n, 2))) == -signal.SIGKILL
        assert in_child(lambda s=second: whole_run(s)) == 0
        found[f"takeover at {name}"] = killing.compare(second)
    return found


def disks(killing: Killing, _shard: int, _of: int) -> dict[str, Different | None]:
    """Each store on a small disk of its own that is full for a while, cannot be written for a while, or is slow."""
    found = {}
    for place in ("index", "archive", "."):
        found[f"full {place}"] = _full(killing, place)
        found[f"read-only {place}"] = _read_only(killing, place)
    for name in ("index.replace", "archive.put", "ledger.settle"):
        settings = killing.settings(f"slow-{name}")
        assert in_child(lambda n=name, s=settings: whole_run(s, _slow(n))) == 0
        found[f"slow {name}"] = killing.compare(settings)
    return found


def _full(killing: Killing, place: str) -> Different | None:
    patient = killing.settings(f"full-{place}")
    ingest = patient.ingest.model_copy(update={"attempts": 2})  # a disk is waited for all the same
    settings = patient.model_copy(update={"ingest": ingest})
    disk = _mounted(settings.home / place)
    if place == ".":
        _mounted(settings.home / "index")
    left = 32 << 20 if place == "index" else 0
    reasons = settings.home.parent / "reasons"
    assert in_child(lambda: _run_on_a_full_disk(settings, disk, reasons, left)) == 0
    assert json.loads(reasons.read_text()), "nobody was told why documents stood still"
    return _checked_and_unmounted(killing, settings, disk)


def _run_on_a_full_disk(settings: Any, disk: Path, reasons: Path, left: int) -> None:
    acknowledged = settings.home.parent / "acknowledged"
    filler = disk / "filler"
    with open_world(settings) as ingestion:
        side_effects.listen(_fill_at("parse", filler, left))
        told: set[str] = set()
        deadline = time.monotonic() + 60
        while filler.exists() or not acknowledged.exists() or not ingestion.wait_idle(0):
            assert time.monotonic() < deadline
            try:
                hand_in(ingestion, acknowledged, wait_s=0.5)
            except (AssertionError, Exception) as error:
                told |= {str(error)} if "check" in str(error) else set()
            states = ingestion.documents(ARCHIVIST)
            assert all(status.category != "unexpected" for status in states), [status.reason for status in states]
            told |= {status.reason for status in states if "waiting to be tried again" in status.reason}
            if told:
                side_effects.stop_listening()
                time.sleep(_FULL_FOR_S)
                assert not any(status.category == "service_unavailable" for status in ingestion.documents(ARCHIVIST))
                filler.unlink(missing_ok=True)
        hand_in(ingestion, acknowledged)
        assert ingestion.wait_idle(60)
    reasons.write_text(json.dumps(sorted(told)))


def _read_only(killing: Killing, place: str) -> Different | None:
    """Killed half-way, started while the disk is read-only, which it says, started again when it is not."""
    settings = killing.settings(f"read-only-{place}")
    disk = _mounted(settings.home / place)
    assert in_child(lambda: whole_run(settings, KillAt("index.replace", 2))) == -signal.SIGKILL
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert in_child(lambda: _stands_still(settings)) == 0
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert in_child(lambda: whole_run(settings)) == 0
    return _checked_and_unmounted(killing, settings, disk)


def _stands_still(settings: Any) -> None:
    """It says so at the start and ends, or it starts and its documents say why they wait."""
    said = set()
    try:
        with open_world(settings) as ingestion:
            ingestion.wait_idle(3)
            said |= {status.reason for status in ingestion.documents(ARCHIVIST)}
    except AssistantError as error:
        said.add(str(error))
    assert any("check" in reason for reason in said), f"nobody is told what to do: {said}"


def _checked_and_unmounted(killing: Killing, settings: Any, disk: Path) -> Different | None:
    try:
        return killing.compare(settings)
    finally:
        subprocess.run(["umount", "--lazy", "--recursive", disk], check=True)


def _mounted(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", folder], check=True)
    return folder.resolve()


def _fill_at(name: str, filler: Path, left: int) -> side_effects.Listener:
    def listener(happening: str) -> None:
        if happening == name and not filler.exists():
            with filler.open("wb", buffering=0) as stream:
                if left:
                    stream.write(b"\0" * (shutil.disk_usage(filler.parent).free - left))
                    return
                for size in (1 << 20, 1 << 12, 1):
                    _write_until_full(stream.write, size)

    return listener


def _write_until_full(write: Callable[[bytes], Any], size: int) -> None:
    try:
        while write(b"\0" * size):
            pass
    except OSError:
        return


def _slow(name: str) -> side_effects.Listener:
    return lambda happening: time.sleep(0.4) if happening == name else None


if __name__ == "__main__":
    command, folder, socket_folder, shard, of = sys.argv[1:]
    run = {"points": points, "random": at_random_times, "takeover": takeover, "disks": disks}[command]
    result = run(Killing(Path(folder), socket_folder), int(shard), int(of))
    print(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)
