"""A parser that has been taken over: what it still cannot do, and that nothing of it remains."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import isolation
from ingest.confinement import in_force
from ingest.isolation import RESULT, parse_into, parse_isolated, remove_folder
from ingest.parsing import Parsed, ParsingSettings, Rejected
from ingest.transfer import read_result

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ParsingSettings(wall_s=20)
TAKEN_OVER = """
import os, socket, subprocess, sys, time
from pathlib import Path
from ingest import isolation
from ingest.parsing import Rejected, Parsed

def taken_over(document, settings):
{body}
    return Rejected("answer", str(answer))

isolation._preload = lambda: None
isolation.parse_here = taken_over
isolation._nurse()
"""


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Parsed | Rejected]]:
    """Runs code in place of the parser, in a real child of a real nursery; `answer` is what it says."""

    def run(body: str, settings: ParsingSettings = SETTINGS) -> Parsed | Rejected:
        isolation.close()
        indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
        monkeypatch.setattr(isolation, "_NURSERY", ("-c", TAKEN_OVER.format(body=indented)))
        document = tmp_path / "a.txt"
        document.write_text("Un texte.")
        with parse_isolated(
            document, file_name="a.txt", settings=replace(settings, work_folder=tmp_path / "work")
        ) as result:
            pass
        assert list((tmp_path / "work").iterdir()) == [], "something was left behind"
        return result

    isolation.close()
    yield run
    isolation.close()


def message(result: Parsed | Rejected) -> str:
    assert isinstance(result, Rejected)
    return result.message


def running(marker: str) -> list[str]:
    listing = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if line.startswith(f"sleep {marker}")]


def test_process_that_left_its_session_is_ended_too(taken_over: Callable[..., Parsed | Rejected]) -> None:
    body = """
subprocess.Popen(["setsid", "sh", "-c", "sleep 4242.5 & sleep 4242.5"])
time.sleep(0.5)
answer = "done"
"""
    assert message(taken_over(body)) == "done"
    assert running("4242.5") == []


def test_more_processes_than_allowed_end_the_child(taken_over: Callable[..., Parsed | Rejected]) -> None:
    body = """
for _ in range(30):
    subprocess.Popen(["sleep", "4243.5"])
time.sleep(10)
answer = "still here"
"""
    result = taken_over(body, replace(SETTINGS, max_processes=10))
    assert message(result) == "reading it started more than 10 processes"
    assert running("4243.5") == []


def test_files_outside_its_own_cannot_be_read_or_written(
    taken_over: Callable[..., Parsed | Rejected], tmp_path: Path
) -> None:
    if not in_force()["files"]:
        pytest.skip("this kernel has no Landlock")
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's business")
    body = f"""
answer = []
for path, mode in (({str(secret)!r}, "r"), ({str(secret)!r}, "a"), ("/etc/hostname", "r"), (str(document), "r"), ("own", "w")):
    try:
        open(path, mode).close()
        answer.append("open")
    except PermissionError:
        answer.append("refused")
"""
    assert message(taken_over(body)) == "['refused', 'refused', 'refused', 'open', 'open']"


def test_service_cannot_be_signalled_nor_answered_for(taken_over: Callable[..., Parsed | Rejected]) -> None:
    body = f"""
answer = []
for pid in (os.getppid(), {os.getpid()}):
    try:
        os.kill(pid, 0)
        answer.append("reached")
    except (PermissionError, ProcessLookupError):
        answer.append("refused")
for handle in range(1, 50):
    try:
        os.write(handle, b'{{"signal": 0, "exit": 0, "ended_for": ""}}\\n')
    except OSError:
        pass
"""
    result = message(taken_over(body))
    if not in_force()["files"]:
        pytest.skip("this kernel has no Landlock")
    assert result == "['refused', 'refused']"


def test_folder_without_rights_and_deeply_nested_is_removed(taken_over: Callable[..., Parsed | Rejected]) -> None:
    body = """
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
os.mkdir("locked")
Path("locked/file").write_text("x")
os.chmod("locked", 0)
answer = "done"
"""
    assert isinstance(taken_over(body), Rejected)


def test_full_disk_is_not_the_files_fault(taken_over: Callable[..., Parsed | Rejected]) -> None:
    with pytest.raises(OSError, match="free some space"):
        taken_over("raise OSError(28, 'No space left on device')")


def test_time_runs_anew_with_every_page(taken_over: Callable[..., Parsed | Rejected], tmp_path: Path) -> None:
    body = """
for number in range(6):
    (settings.page_folder / "progress.json").write_text('{"pages": %d, "of": 6}' % (number + 1))
    time.sleep(0.5)
answer = "done"
"""
    assert message(taken_over(body, replace(SETTINGS, wall_s=1.5))) == "done"
    stuck = "time.sleep(9)\nanswer = 'done'"
    assert (
        message(taken_over(stuck, replace(SETTINGS, wall_s=1.0, max_pages=3))) == "reading it took more than 1 seconds"
    )


def test_progress_that_is_a_pipe_or_a_link_hangs_nobody(taken_over: Callable[..., Parsed | Rejected]) -> None:
    body = """
os.mkfifo(settings.page_folder / "progress.json")
time.sleep(1)
answer = "done"
"""
    assert message(taken_over(body)) == "done"


@pytest.mark.parametrize(
    "make", ["os.symlink(r'{target}', 'result.json')", "os.mkfifo('result.json')", "os.mkdir('result.json')"]
)
def test_result_that_is_no_file_hangs_nobody_and_overwrites_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: str
) -> None:
    """The service writes its refusal where the child was to leave its result: never through what the child put there."""
    ours, document, folder = tmp_path / "ledger.db", tmp_path / "a.txt", tmp_path / "work" / "run"
    ours.write_text("what was handed in")
    document.write_text("Un texte.")
    body = f"    {make.format(target=ours)}\n    os._exit(0)"
    monkeypatch.setattr(isolation, "_NURSERY", ("-c", TAKEN_OVER.format(body=body)))
    isolation.close()
    found: list[Parsed | Rejected] = []
    reading = threading.Thread(
        target=lambda: found.append(parse_into(document, folder, file_name="a.txt", settings=SETTINGS)), daemon=True
    )
    reading.start()
    reading.join(60)
    isolation.close()
    assert [message(result) for result in found] == ["the parser ended without a usable result"], "it hangs"
    assert ours.read_text() == "what was handed in"
    assert read_result(folder / RESULT) == found[0]


DIES = """
import os, sys
from pathlib import Path
from ingest import isolation
from ingest.parsing import ParsingSettings
isolation._NURSERY = ("-c", sys.argv[2])
settings = ParsingSettings(wall_s=60, work_folder=Path(sys.argv[3]))
with isolation.parse_isolated(Path(sys.argv[1]), file_name="a.txt", settings=settings):
    pass
"""


def test_nothing_outlives_a_service_that_was_killed_and_its_folder_is_swept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Un texte.")
    body = "    subprocess.Popen(['setsid', 'sleep', '4244.5'])\n    time.sleep(50)\n    answer = 1"
    service = subprocess.Popen(
        [sys.executable, "-c", DIES, tmp_path / "a.txt", TAKEN_OVER.format(body=body), tmp_path / "work"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    _until(lambda: bool(running("4244.5")))
    service.kill()
    service.wait()
    _until(lambda: not running("4244.5"))
    left = list((tmp_path / "work").iterdir())
    assert len(left) == 1
    remove_folder(left[0])
    assert list((tmp_path / "work").iterdir()) == []


def _until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
