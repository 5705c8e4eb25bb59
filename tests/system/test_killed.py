"""SIGKILL in the middle of ingestion and of a search, two processes at one folder: nothing lost, nothing twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from assistant.client import ServiceClient, Upload
from assistant.errors import AssistantError
from tests.instances import assistant_command, run_assistant, running_instance
from tests.worlds import DEMO, ROOT, child_environment, instance_file

pytestmark = pytest.mark.system


def texts(folder: Path, count: int) -> list[Upload]:
    """Small documents that differ, written as HTML so that each takes a parser child."""
    folder.mkdir()
    uploads = []
    for number in range(count):
        file = folder / f"note-{number}.html"
        paragraphs = "".join(
            f"<p>Le service numéro {number} instruit les demandes en {n + 2} jours ouvrés.</p>" for n in range(6)
        )
        file.write_text(f"<html><body><h1>Note {number}</h1>{paragraphs}</body></html>", encoding="utf-8")
        uploads.append(Upload(file, f"/in/{file.name}"))
    return uploads


@pytest.mark.parametrize("delay_s", [0.4, 1.5, 3.0])
def test_killed_in_the_middle_of_ingestion_ends_as_a_clean_run_does(tmp_path: Path, delay_s: float) -> None:
    file = instance_file(tmp_path)
    uploads = texts(tmp_path / "in", 12)
    with running_instance(file) as instance:
        with ServiceClient(instance.url, token=instance.token) as client:
            accepted = client.hand_in(uploads)["documents"]
        time.sleep(delay_s)
        instance.kill()
    with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
        listed = client.documents()["documents"]
        found = [
            result["passage"]["document_id"] for result in client.search("instruit les demandes", k=100)["results"]
        ]
        instance_facts = client.instance()
    assert {d["document_id"] for d in listed} == {d["document_id"] for d in accepted}, "something was lost"
    assert Counter(d["state"] for d in listed) == {"done": 12}
    assert instance_facts["documents"] == 12
    assert instance_facts["passages"] == sum(d["passages"] for d in listed), "something is in the index twice"
    assert set(found) <= {d["document_id"] for d in accepted}


def test_killed_in_the_middle_of_answers_leaves_everything_usable(tmp_path: Path) -> None:
    file = instance_file(tmp_path)
    with running_instance(file) as instance:
        with ServiceClient(instance.url, token=instance.token) as client:
            client.hand_in(texts(tmp_path / "in", 3))
            _until(lambda: client.documents()["counts"]["done"] == 3)
        asking = threading.Thread(target=_ask_until_refused, args=(instance.url, instance.token), daemon=True)
        asking.start()
        time.sleep(1.0)
        instance.kill()
        asking.join(timeout=30)
    with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
        assert client.search("jours ouvrés")["results"]
        assert client.ask("En combien de jours les demandes sont-elles instruites ?")["outcome"]
        assert client.instance()["documents"] == 3
    finished = run_assistant(file, "audit", "verify", "--json")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["broken_at"] is None


def test_two_commands_at_one_folder_give_a_message_and_no_damage(tmp_path: Path) -> None:
    file = instance_file(tmp_path)
    folder = DEMO / "documents" / "fr"
    first = subprocess.Popen(
        [*assistant_command("ingest", "add", str(folder), "--wait", "--json"), "--instance", str(file)],
        cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _until((tmp_path / "data" / "lock").exists)
    time.sleep(0.5)
    second = run_assistant(file, "search", "télétravail")
    out, err = first.communicate(timeout=240)
    assert second.returncode == 2
    assert "in use by another command (process " in second.stderr
    assert "Traceback" not in second.stderr + err
    assert json.loads(out)["counts"]["in progress"] == 0
    third = run_assistant(file, "search", "télétravail", "--json")
    assert json.loads(third.stdout)["results"]


def test_second_service_gives_a_message(tmp_path: Path) -> None:
    file = instance_file(tmp_path)
    with running_instance(file):
        second = run_assistant(file, "serve", "--port", "0")
    assert second.returncode == 2
    assert "in use by its service (process " in second.stderr
    assert "Traceback" not in second.stderr


def test_broken_instance_file_gives_file_key_and_value(tmp_path: Path) -> None:
    file = instance_file(tmp_path)
    file.write_text(file.read_text().replace("port = 0", 'port = "many"'))
    finished = run_assistant(file, "doctor")
    assert finished.returncode == 2
    assert str(file) in finished.stderr.replace("\n", "")
    assert "service.port 'many'" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_audit_record_that_cannot_be_written_stops_answers(tmp_path: Path) -> None:
    """Somebody puts a trigger in that refuses every entry: the service must refuse every answer."""
    file = instance_file(tmp_path)
    with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
        client.hand_in(texts(tmp_path / "in", 1))
        _until(lambda: client.documents()["counts"]["done"] == 1)
        connection = sqlite3.connect(tmp_path / "data" / "audit.db")
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        connection.commit()
        connection.close()
        with pytest.raises(AssistantError, match="audit record cannot be written"):
            client.ask("En combien de jours ?")


def _ask_until_refused(url: str, token: str) -> None:
    with ServiceClient(url, token=token) as client:
        while True:
            try:
                client.ask("En combien de jours les demandes sont-elles instruites ?")
            except AssistantError:
                return


def _until(condition: object, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
