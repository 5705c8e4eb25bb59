"""Fits `configs/calibration.toml` anew and says how answers do on questions that had no part in it.

    python -m tests.benchmarks.calibration

Starts two instances of its own, one with the demo documents and one with the shared ones, fits on the questions for tuning about
both, and then asks the held-out ones, those of each instance by themselves. `--only-measure` leaves the file as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from assistant.client import ServiceClient
from assistant.evaluation import evaluate_answers
from tests.instances import run_assistant, running_instance
from tests.shared import shared_data
from tests.worlds import DEMO, ROOT, instance_file

_SHARED = ROOT / "tests" / "data" / "answers"
FITTED_ON = (DEMO / "questions.jsonl", DEMO / "questions-tuning.jsonl")
FITTED_ON_SHARED = (_SHARED / "shared-tuning.jsonl",)
UNSEEN = DEMO / "questions-held-out.jsonl"
UNSEEN_SHARED = _SHARED / "shared-held-out.jsonl"


def main(arguments: list[str]) -> int:
    """Fit, then measure; the exit status of the calibration command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.calibration")
    parser.add_argument("--only-measure", action="store_true")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        demo, shared = _demo_instance(Path(folder) / "demo"), _shared_instance(Path(folder) / "shared")
        if not wanted.only_measure:
            answers = [part for file in FITTED_ON for part in ("--answers", str(file))]
            elsewhere = [part for file in FITTED_ON_SHARED for part in ("--elsewhere", f"{shared}={file}")]
            done = run_assistant(demo, "evaluate", "calibrate", *answers, *elsewhere, timeout_s=3600)
            print(done.stdout, done.stderr)
            if done.returncode:
                return done.returncode
        _measure(demo, (*FITTED_ON, UNSEEN))
        _measure(shared, (*FITTED_ON_SHARED, UNSEEN_SHARED))
    return 0


def _demo_instance(folder: Path) -> Path:
    folder.mkdir()
    file = instance_file(folder, extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
    with running_instance(file):
        return file  # the demo documents have been read


def _shared_instance(folder: Path) -> Path:
    folder.mkdir()
    file = instance_file(folder)
    documents = shared_data() / "documents"
    done = run_assistant(
        file, "ingest", "add", "--wait", *(str(documents / language) for language in ("fr", "ar", "en")), timeout_s=3600
    )
    if done.returncode:
        raise SystemExit(f"the shared documents were not all read:\n{done.stdout}{done.stderr}")
    return file


def _measure(file: Path, questions: Sequence[Path]) -> None:
    """Print the figures of each file of questions, asked of this instance."""
    with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
        for name in questions:
            lines = [json.loads(line) for line in name.read_text(encoding="utf-8").splitlines()]
            figures = evaluate_answers(lines, lambda question, language: client.ask(question, language=language))
            print(name.name)
            for group, shares in figures.items():
                rounded = {key: None if value is None else round(value, 3) for key, value in shares.items()}
                print(f"  {group}: {rounded}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
