"""`assistant evaluate …` as operators and archivists run it: real instances, the packaged encoder, processes of their own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.test_evaluation import small_set
from tests.instances import run_assistant
from tests.service.conftest import OPEN_TEXT
from tests.worlds import instance_file

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"


def done(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def told(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done(run))
    return value


def test_retrieval_stands_beside_baselines_an_earlier_report_and_another_instance(tmp_path: Path) -> None:
    folder, out = str(small_set(tmp_path)), tmp_path / "reports" / "first"
    instance = instance_file(tmp_path)
    first = told(run_assistant(instance, "evaluate", "retrieval", folder, "--json", "--report", str(out)))
    baselines = {"baseline:bm25s", "baseline:dense", "baseline:rrf", "baseline:llamaindex"}
    assert set(first) == {"dense", "bm25", "hybrid", *baselines, "comparisons"}
    for row in set(first) - {"comparisons"}:
        assert set(first[row]) == {"ndcg@10", "recall@5", "recall@20", "mrr@10", "p50_ms", "p95_ms"}
    assert set(first["comparisons"]) == baselines
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    earlier = str(out / "report.json")
    again = told(run_assistant(instance, "evaluate", "retrieval", folder, "--json", "--against", earlier))
    same = {"queries": 8, "difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert again["comparisons"]["against"]["ndcg@10"] == same

    (tmp_path / "other").mkdir()
    dense = instance_file(tmp_path / "other", extra="[embedding]\ndense_weights = {fr = 1.0}\n")
    other = told(run_assistant(instance, "evaluate", "retrieval", folder, "--json", "--against", str(dense)))
    measures = ("ndcg@10", "recall@5", "recall@20", "mrr@10")
    assert [other["against"][name] for name in measures] == [other["dense"][name] for name in measures]


def test_gold_questions_are_kept_run_exported_and_compared(tmp_path: Path) -> None:
    instance = instance_file(tmp_path)
    file = tmp_path / "ouvert.txt"
    file.write_text(OPEN_TEXT, encoding="utf-8")
    added = run_assistant(instance, "ingest", "add", str(file), "--label", "public", "--wait", "--json")
    document_id = told(added)["documents"][0]["document_id"]
    gold = ("evaluate", "gold")
    place = ("--document", document_id, "--words", "trente jours")
    key = told(run_assistant(instance, *gold, "add", QUESTION, *place, "--json"))["id"]
    assert [found["id"] for found in told(run_assistant(instance, *gold, "list", "--json"))["questions"]] == [key]
    assert told(run_assistant(instance, *gold, "feedback", "--json")) == {"feedback": [], "kept": []}
    refused = run_assistant(instance, *gold, "add", QUESTION, "--words", "trente jours")
    assert refused.returncode == 2
    assert "--unanswerable" in refused.stderr

    out, exported = tmp_path / "report", tmp_path / "exported"
    figures = told(run_assistant(instance, *gold, "run", "--json", "--report", str(out)))
    assert (figures["total"]["questions"], figures["fr"]["span_found"], figures["fr"]["citation_recall"]) == (
        1,
        1.0,
        1.0,
    )
    assert "comparisons" not in figures
    done(run_assistant(instance, *gold, "export", str(exported)))
    lines, earlier = str(exported / "answers.jsonl"), str(out / "report.json")
    compared = run_assistant(instance, "evaluate", "answers", lines, "--json", "--against", earlier)
    assert told(compared)["comparisons"]["against"]["span_found"]["difference"] == 0.0
    assert compared.stderr == ""  # the same questions and labels: no warning
    found = told(run_assistant(instance, "evaluate", "retrieval", str(exported), "--json"))
    assert found["hybrid"]["mrr@10"] == 1.0
    done(run_assistant(instance, *gold, "remove", key))
    nothing = run_assistant(instance, *gold, "run")
    assert nothing.returncode == 2
    assert "no gold questions yet" in nothing.stderr


@pytest.mark.parametrize("command", ["retrieval", "answers"])
def test_what_is_no_report_is_refused_before_anything_is_measured(tmp_path: Path, command: str) -> None:
    small_set(tmp_path)
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "Où ?", "lang": "fr", "label": "unanswerable"}\n', encoding="utf-8")
    what = tmp_path if command == "retrieval" else questions
    refused = run_assistant(
        instance_file(tmp_path), "evaluate", command, str(what), "--against", str(tmp_path / "corpus.jsonl")
    )
    assert refused.returncode == 2
    assert "name the report.json of an earlier --report" in refused.stderr
    assert refused.stdout == ""


def test_grounding_is_counted_beside_baselines_and_an_earlier_report(tmp_path: Path) -> None:
    passage = "Le congé annuel est de vingt-sept jours. La prime de juin est versée aux agents titulaires."
    claims = (("Le congé annuel est de vingt-sept jours.", True), ("Le congé annuel est de trente jours.", False))
    lines = [
        json.dumps({"id": str(n), "lang": "fr", "claim": claim, "passages": [passage], "supported": supported})
        for n, (claim, supported) in enumerate(claims)
    ]
    for name in ("set.jsonl", "tuning.jsonl"):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    instance, out = instance_file(tmp_path), tmp_path / "report"
    command = ("evaluate", "grounding", str(tmp_path / "set.jsonl"))
    predictions = tmp_path / "predictions.jsonl"
    first = told(run_assistant(instance, *command, "--json", "--report", str(out), "--predictions", str(predictions)))
    assert first["assistant"]["total"]["caught"]["count"] == first["assistant"]["fr"]["caught"]["of"] == 1
    assert first["assistant"]["total"]["wrongly_withheld"]["share"] == 0.0
    assert set(first) == {"assistant", "baseline:words", "baseline:cosine", "comparisons"}
    assert [json.loads(text)["verdict"] for text in predictions.read_text("utf-8").splitlines()] == [
        "supported",
        "unsupported",
    ]

    again = run_assistant(instance, *command, "--against", str(out / "report.json"))
    assert "100.0 %" in done(again)
    (tmp_path / "set.jsonl").write_text(lines[0] + "\n{", encoding="utf-8")
    refused = run_assistant(instance, *command)
    assert refused.returncode == 2
    assert "line 2: not valid JSON" in refused.stderr
