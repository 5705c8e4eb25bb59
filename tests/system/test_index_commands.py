"""`assistant index …` as operators run it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.instances import run_assistant
from tests.service.conftest import OPEN_TEXT
from tests.worlds import instance_file

QUESTION = ("ask", "Quel est le délai de dépôt de la demande de logement ?", "--json")


def test_index_of_another_version_is_refused_and_made_anew_by_one_command(tmp_path: Path) -> None:
    instance = instance_file(tmp_path)
    file = tmp_path / "ouvert.txt"
    file.write_text(OPEN_TEXT, encoding="utf-8")
    assert run_assistant(instance, "ingest", "add", str(file), "--label", "public", "--wait").returncode == 0
    before = json.loads(run_assistant(instance, *QUESTION).stdout)
    assert before["citations"]

    identity = tmp_path / "data" / "index" / "index.json"
    identity.write_text(identity.read_text(encoding="utf-8").replace('"schema": ', '"schema": 9'), encoding="utf-8")
    refused = run_assistant(instance, *QUESTION)
    assert refused.returncode == 2
    assert "assistant index rebuild" in refused.stderr

    rebuilt = run_assistant(instance, "index", "rebuild", "--json")
    assert json.loads(rebuilt.stdout)["freed_bytes"] > 0
    assert not identity.exists()
    assert run_assistant(instance, "ingest", "verify").returncode == 0
    after = json.loads(run_assistant(instance, *QUESTION).stdout)
    assert [citation["quote"] for citation in after["citations"]] == [c["quote"] for c in before["citations"]]
