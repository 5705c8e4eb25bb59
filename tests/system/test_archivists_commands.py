"""The archivists' commands on a running instance, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.archiving import pdf
from tests.instances import RunningInstance, assistant_command, running_instance
from tests.worlds import ROOT, child_environment, instance_file

RULE = '[[ingest.retention]]\ncollection = "Marchés"\nkeep_years = 10\n'


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "depot").mkdir()
    watch = f'[ingest]\nwatch = ["{folder / "depot"}"]\nwatch_every_s = 1\n'
    with running_instance(instance_file(folder, extra=watch + RULE)) as running:
        yield running


def ingest(instance: RunningInstance, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [*assistant_command("ingest", *arguments), "--instance", str(instance.file)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=child_environment() | {"COLUMNS": "250"},  # no name is broken in a table
        input=given,
        timeout=120,
    )


def told(instance: RunningInstance, *arguments: str, given: str = "") -> Any:
    done = ingest(instance, *arguments, "--json", given=given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_life_of_a_document_on_the_command_line(instance: RunningInstance, tmp_path: Path) -> None:
    file = tmp_path / "marché.pdf"
    pdf(file, ["Le marché est attribué à la société Zibeline."], ["Le délai est de trente jours."])
    document = told(instance, "add", str(file), "--label", "public", "--wait")["documents"][0]
    key = document["document_id"]
    assert (document["state"], document["notice"]) == ("done", "")
    again = ingest(instance, "add", str(file), "--label", "public", "--wait")
    assert "already here since" in " ".join(again.stdout.split())

    edited = told(instance, "edit", key, "--title", "Marché 1996", "--collection", "Marchés", "--date", "1996-05-31",
                  "--label", "internal", "--wait")  # fmt: skip
    assert (edited["state"], edited["title"], edited["label"]) == ("done", "Marché 1996", "internal")

    text = tmp_path / "page.txt"
    text.write_text("Le délai est de quarante jours.", encoding="utf-8")
    assert told(instance, "correct", key, "2", str(text), "--wait")["state"] == "done"

    assert told(instance, "hold", key, "--reason", "procès")["hold"] == "procès"
    (held,) = told(instance, "holds")["holds"]
    assert (held["document_id"], held["reason"], held["by"]) == (key, "procès", "local")
    shown = ingest(instance, "holds").stdout
    assert "procès" in shown
    due = told(instance, "retention")
    assert [(entry["document_id"], entry["held"]) for entry in due["due"]] == [(key, True)]
    assert told(instance, "retention", "--apply")["erased"] == []
    refused = ingest(instance, "remove", key)
    assert (refused.returncode, "on legal hold" in " ".join(refused.stderr.split())) == (2, True)
    assert told(instance, "release", key)["hold"] == ""

    history = told(instance, "history", key)
    assert [version["newest"] for version in history["versions"]] == [True]
    assert "page 2 corrected" in str(history["events"])
    for command in (("history", key), ("progress",), ("retention",)):
        shown = ingest(instance, *command)
        assert shown.returncode == 0, shown.stderr
    assert len(told(instance, "retention", "--apply")["erased"]) == 1
    assert "no document is on hold" in ingest(instance, "holds").stdout
    (receipt,) = told(instance, "receipt", "list", "--search", key)["receipts"]
    assert receipt["document_id"] == key
    assert told(instance, "receipt", "list", "--search", "zyzomys")["receipts"] == []


def test_watched_folders_are_listed(instance: RunningInstance) -> None:
    (folder,) = told(instance, "watched")["folders"]
    assert (Path(folder["folder"]).name, folder["every_s"], folder["problems"]) == ("depot", 1, [])
    assert "depot" in ingest(instance, "watched").stdout.replace("\n", "")


def test_password_comes_from_standard_input_and_shows_nowhere(instance: RunningInstance, tmp_path: Path) -> None:
    file = tmp_path / "broken.pdf"
    file.write_bytes(b"%PDF-1.4 nothing that could be read")
    document = told(instance, "add", str(file), "--label", "public")["documents"][0]
    _settle(instance, document["document_id"])
    retried = ingest(
        instance, "retry", document["document_id"], "--password-stdin", "--wait", "--json", given="mot-zyzomys\n"
    )
    reply = json.loads(retried.stdout)
    assert (reply["state"] in ("rejected", "quarantined"), retried.returncode) == (True, 1)
    assert told(instance, "retry", document["document_id"])["state"] not in ("done", "done with warnings")
    _settle(instance, document["document_id"])
    assert ingest(instance, "retry", document["document_id"], "--password-stdin").returncode == 2
    shown = f"{reply}{told(instance, 'history', document['document_id'])}"
    written = "".join(
        name for folder, _, names in os.walk(instance.file.parent) for name in names
        if b"mot-zyzomys" in (Path(folder) / name).read_bytes()
    )  # fmt: skip
    assert ("zyzomys" in shown, written) == (False, "")


def test_file_that_cannot_be_read_keeps_no_other_back(instance: RunningInstance, tmp_path: Path) -> None:
    from assistant.client import ServiceClient, Upload

    for name in ("un.txt", "trois.txt"):
        (tmp_path / name).write_text(f"Une note assez longue, au nom de {name}.", encoding="utf-8")
    uploads = [Upload(tmp_path / name, f"/in/{name}", None) for name in ("un.txt", "deux.txt", "trois.txt")]
    with ServiceClient(instance.url, token=instance.token) as client:
        reply = client.hand_in(uploads, label="public")
        with pytest.raises(FileNotFoundError):
            client.hand_in(uploads[1:2])
    assert [document["source"] for document in reply["documents"]] == ["/in/un.txt", "/in/trois.txt"]
    assert reply["refused"] == [{"source": "/in/deux.txt", "reason": "cannot be read: No such file or directory"}]
    assert sum(reply["counts"].values()) >= 2


def _settle(instance: RunningInstance, document_id: str) -> None:
    """Handing it in once more waits until it is settled."""
    from assistant.client import ServiceClient
    from tests.system.test_killed import _until

    with ServiceClient(instance.url, token=instance.token) as client:
        _until(lambda: client.document(document_id)["state"] in ("rejected", "quarantined"))


def test_add_fails_when_a_file_was_not_taken_though_nobody_waits_for_the_rest(
    instance: RunningInstance, tmp_path: Path
) -> None:
    folder = tmp_path / "lot"
    folder.mkdir()
    (folder / "bon.txt").write_text("Une bonne note.")
    assert ingest(instance, "add", str(folder)).returncode == 0
    os.mkfifo(folder / "tube")
    assert ingest(instance, "add", str(folder)).returncode == 1
