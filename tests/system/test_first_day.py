"""What an operator meets on the first day."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from assistant.commands.session import require_own
from assistant.database import Database
from assistant.errors import ConfigurationError
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


def test_folder_of_another_user_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        with pytest.raises(ConfigurationError, match="run the command as the user"):
            require_own(tmp_path / "data")
    finally:
        os.seteuid(before)
        (tmp_path / "data").chmod(0o700)


def test_damaged_database_is_to_come_back_from_a_backup(tmp_path: Path) -> None:
    (tmp_path / "audit.db").write_bytes(b"x" * 4096)
    with pytest.raises(ConfigurationError, match="from a backup"):
        Database(tmp_path / "audit.db", "CREATE TABLE IF NOT EXISTS rows (\n    number INTEGER\n);")
