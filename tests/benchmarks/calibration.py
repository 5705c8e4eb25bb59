"""Fits `configs/calibration.toml` anew and says how answers do on questions that had no part in it.

    python -m tests.benchmarks.calibration

Starts an instance of its own with the demo documents, fits on the shared retrieval sets, `questions.jsonl` and
`questions-tuning.jsonl`, and then asks `questions-held-out.jsonl`. `--only-measure` leaves the file as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from assistant.client import ServiceClient
from assistant.evaluation import evaluate_answers
from tests.instances import run_assistant, running_instance
from tests.shared import shared_data
from tests.worlds import DEMO, instance_file

FITTED_ON = ("questions.jsonl", "questions-tuning.jsonl")
UNSEEN = "questions-held-out.jsonl"


def main(arguments: list[str]) -> int:
    """Fit, then measure; the exit status of the calibration command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.calibration")
    parser.add_argument("--only-measure", action="store_true")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = instance_file(Path(folder), extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
        with running_instance(file):
            pass  # the demo documents have been read
        if not wanted.only_measure:
            sets = [str(path) for path in sorted((shared_data() / "retrieval").iterdir())]
            answers = [part for name in FITTED_ON for part in ("--answers", str(DEMO / name))]
            done = run_assistant(file, "evaluate", "calibrate", *sets, *answers, timeout_s=3600)
            print(done.stdout, done.stderr)
            if done.returncode:
                return done.returncode
        with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
            for name in (*FITTED_ON, UNSEEN):
                lines = [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]
                figures = evaluate_answers(lines, lambda question, language: client.ask(question, language=language))
                print(name)
                for group, shares in figures.items():
                    rounded = {key: None if value is None else round(value, 3) for key, value in shares.items()}
                    print(f"  {group}: {rounded}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
