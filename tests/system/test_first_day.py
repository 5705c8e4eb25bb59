"""What an operator meets on the first day."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.instances import run_assistant
from tests.worlds import instance_file


def test_data_folder_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    assert run_assistant(instance_file(tmp_path), "ingest", "status").returncode == 0
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_audit_record_that_is_not_there_is_not_intact(tmp_path: Path) -> None:
    checked = run_assistant(instance_file(tmp_path), "audit", "verify")
    assert checked.returncode == 2
    assert "there is no audit record" in checked.stderr
    assert not (tmp_path / "data").exists()


def test_doctor_says_that_the_port_is_taken_and_cuts_no_path_off(tmp_path: Path) -> None:
    folder = tmp_path / ("ministere-de-l-equipement-" * 4) / ("direction-" * 6)
    folder.mkdir(parents=True)
    file = instance_file(folder)
    with socket.create_server(("127.0.0.1", 0)) as other:
        text = file.read_text(encoding="utf-8").replace("port = 0", f"port = {other.getsockname()[1]}")
        file.write_text(text, encoding="utf-8")
        examined = run_assistant(file, "doctor")
    assert examined.returncode == 1
    shown = "".join(line.strip() for line in examined.stdout.splitlines())
    assert "another program does; end it, or choose another port" in " ".join(examined.stdout.split())
    assert str(file) in shown
