"""`assistant doctor` looks at what the documents of this instance need."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.config import Settings, load_settings
from assistant.diagnosis import Finding, Health, findings
from tests import postgres
from tests.endpoint_server import FAULTS, MODEL, Abilities, EndpointServer, refused_url
from tests.worlds import instance_file


def settings(folder: Path, extra: str = "") -> Settings:
    return load_settings(instance_file(folder, extra=extra))


def found(subject: str, of: Settings) -> Finding:
    return next(finding for finding in findings(of) if finding.subject == subject)


def test_libreoffice_that_is_missing_is_told_with_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found("LibreOffice", settings(tmp_path)).health is Health.LIMITED
    assert "DOC, XLS, PPT" in found("LibreOffice", settings(tmp_path)).remedy
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert found("LibreOffice", settings(tmp_path)) == Finding("LibreOffice", Health.GOOD, str(program))


def test_disk_with_less_room_than_documents_need_is_told(tmp_path: Path) -> None:
    finding = found("data folder", settings(tmp_path, "[ingest]\nleast_free_mb = 1000000000\n"))
    assert finding.health is Health.LIMITED
    assert "under 1000000000 MB (ingest.least_free_mb) documents wait" in finding.remedy


def test_database_that_answers_is_told_with_its_version(tmp_path: Path, postgres_server: str) -> None:
    url = postgres.new_database(postgres_server)
    finding = found("database", settings(tmp_path, f'[database]\nurl = "{url}"\n'))
    assert finding.health is Health.GOOD
    assert finding.detail.startswith("PostgreSQL ")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://user:zyzomys@127.0.0.1:1/x", "does not answer"),
        ("postgresql://db.example.org/x", "egress.allow"),
        ("mysql://localhost/x", "must be empty or begin with postgresql://"),
    ],
)
def test_database_that_cannot_be_used_is_broken(tmp_path: Path, url: str, message: str) -> None:
    finding = found("database", settings(tmp_path, f'[database]\nurl = "{url}"\n'))
    assert finding.health is Health.BROKEN
    assert message in finding.detail
    assert "zyzomys" not in finding.detail


def test_nothing_is_said_of_a_database_that_is_not_configured(tmp_path: Path) -> None:
    assert all(finding.subject != "database" for finding in findings(settings(tmp_path)))


def endpoint(url: str, extra: str = "") -> str:
    return (
        f'[[models.endpoints]]\nname = "a"\nurl = "{url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        f"context_tokens = 2048\n{extra}"
    )


@pytest.mark.parametrize(
    ("abilities", "health", "said"),
    [
        (Abilities(max_model_len=8192, tokenizer="vllm"), Health.GOOD, "8192 tokens of context, tokenizer: vllm"),
        (Abilities(max_model_len=1024), Health.LIMITED, "2048 is too many"),
        (Abilities(models=("another",)), Health.LIMITED, "is not in its list of models"),
        (Abilities(health_status=503), Health.LIMITED, "server error"),
    ],
)
def test_model_endpoint_is_told_with_what_it_offers(
    tmp_path: Path, abilities: Abilities, health: Health, said: str
) -> None:
    with EndpointServer(FAULTS["500"], abilities) as server:
        finding = found("model endpoint a", settings(tmp_path, endpoint(server.url)))
        assert (finding.health, said in finding.detail) == (health, True)
        assert all(not seen.path.endswith("/completions") for seen in server.others), (
            "an answer in hand is not disturbed"
        )


def test_model_endpoint_that_is_not_there_costs_a_model_and_breaks_nothing(tmp_path: Path) -> None:
    finding = found("model endpoint a", settings(tmp_path, endpoint(refused_url())))
    assert finding.health is Health.LIMITED
    assert "quotations" in finding.remedy


def test_endpoints_that_cannot_be_used_are_broken(tmp_path: Path) -> None:
    finding = found("models", settings(tmp_path, endpoint("http://models.example/v1")))
    assert finding.health is Health.BROKEN
    assert "egress.allow" in finding.detail


@pytest.mark.parametrize(
    ("extra", "subject", "said"),
    [
        ('[grounding]\nentailment = "nowhere"\n', "grounding.entailment", "is not a model folder"),
        ('[models]\nprompts = "nowhere"\n' + endpoint("http://127.0.0.1:9/v1"), "models.prompts", "nowhere"),
        ('[ingest]\nwatch = ["."]\n', "ingest.watch", "lie in each other"),
        ('[ingest]\nwatch = ["data/work"]\n', "ingest.watch", "lie in each other"),
    ],
)
def test_what_would_end_the_start_is_broken(tmp_path: Path, extra: str, subject: str, said: str) -> None:
    (tmp_path / "data" / "work").mkdir(parents=True)
    finding = found(subject, settings(tmp_path, extra))
    assert (finding.health, said in finding.detail) == (Health.BROKEN, True)
    assert finding.remedy


@pytest.mark.parametrize("key", ["markings", "calibration"])
def test_files_that_the_instance_file_names_must_be_there(tmp_path: Path, key: str) -> None:
    file = instance_file(tmp_path)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join(f'{key} = "nowhere"' if line.startswith(key) else line for line in lines), encoding="utf-8"
    )
    broken = [
        one.subject for one in findings(load_settings(file)) if one.health is Health.BROKEN and "nowhere" in one.detail
    ]
    assert [name.rpartition(".")[2] for name in broken] == [key]


def test_watched_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    finding = found("ingest.watch", settings(tmp_path, '[ingest]\nwatch = ["depot"]\n'))
    assert (finding.health, str(tmp_path / "depot") in finding.detail) == (Health.LIMITED, True)


def test_index_of_another_version_is_broken(tmp_path: Path) -> None:
    index = tmp_path / "data" / "index"
    index.mkdir(parents=True)
    (index / "index.json").write_text('{"schema": 1, "embedder": "another", "dimension": 3, "lexicon": "old"}')
    finding = found("index", settings(tmp_path))
    assert finding.health is Health.BROKEN
    assert "assistant index rebuild" in finding.remedy


def test_data_folder_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    assert "chmod o=" in found("data folder", settings(tmp_path)).remedy
    home.chmod(0o700)
    assert found("data folder", settings(tmp_path)).health is Health.GOOD


def test_audit_record_that_is_missing_beside_an_archive_is_broken(tmp_path: Path) -> None:
    (tmp_path / "data" / "archive").mkdir(parents=True)
    assert found("audit record", settings(tmp_path)).health is Health.BROKEN
