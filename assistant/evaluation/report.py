"""Reports of evaluations: one JSON file that a later evaluation can be compared with, and one page for people.

A report says what was measured (set, questions), with what (configuration, versions, machine), each system's score on each
question, and how sure the differences are. It names no folder and no host of the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from assistant import __version__
from assistant.errors import ConfigurationError
from assistant.evaluation.measurement import Measurement, System
from assistant.evaluation.report_page import page

FORMAT = "assistant/evaluation-report/1"

Report = dict[str, Any]

_PACKAGES = (
    "bm25s",
    "ir-measures",
    "llama-index-core",
    "numpy",
    "PyStemmer",
    "qdrant-edge-py",
    "scikit-learn",
    "sentence-transformers",
    "torch",
    "transformers",
)
_DIGITS = 6
_NEEDED = frozenset({"kind", "set", "questions", "systems", "ours"})
"""What a comparison reads of a report."""


def report_of(measurement: Measurement, configuration: Mapping[str, Any], *, set_hash: str) -> Report:
    """The report as JSON; `configuration` is what the results depend on, `set_hash` the SHA-256 of questions and labels."""
    whole = {**configuration, "code": code_hash()}
    keys = list(measurement.questions)
    return {
        "format": FORMAT,
        "kind": measurement.kind,
        "name": measurement.name,
        "set": set_hash,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": fingerprint(whole),
        "configuration": whole,
        "versions": _versions(),
        "machine": _machine(),
        "measures": list(measurement.measures),
        "ours": measurement.ours,
        "rivals": list(measurement.rivals),
        "questions": [
            {"id": key, "language": measurement.languages[key], "text": measurement.questions[key]} for key in keys
        ],
        "systems": {name: _system(measurement, name, keys) for name in measurement.systems},
        "comparisons": measurement.differences_json(),
    }


def require_writable(folder: Path) -> None:
    """Make the folder of a report before hours are spent on what goes into it.

    Raises ConfigurationError when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(f"{folder}: nothing can be written there ({error.strerror}); name another") from error


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`, in the place of older ones.

    Raises ConfigurationError when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (folder / "report.json").write_text(text + "\n", encoding="utf-8")
        (folder / "report.html").write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder}: the report cannot be written ({error.strerror}); name another") from error


def read_report(file: Path, kind: str) -> Report:
    """An earlier report of this kind. Raises ConfigurationError when the file is not one."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{file}: cannot be read as JSON; name the report.json of an earlier --report"
        ) from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ConfigurationError(f"{file}: not a report of this version; name the report.json of an earlier --report")
    if report.get("kind", kind) != kind:
        raise ConfigurationError(f"{file}: a report of `evaluate {report['kind']}`; name one of `evaluate {kind}`")
    if missing := sorted(_NEEDED - report.keys()):
        raise ConfigurationError(f"{file}: not a whole report, it lacks {missing[0]!r}; name one as --report wrote it")
    return report


def with_earlier(measurement: Measurement, report: Report, *, file: Path) -> Measurement:
    """The measurement with the report's own system as one more rival, on the questions that stand word for word in both.

    Raises ConfigurationError when there are none.
    """
    asked = [(question["id"], question["text"]) for question in report["questions"]]
    earlier = report["systems"][report["ours"]]
    shared = [number for number, (key, text) in enumerate(asked) if measurement.questions.get(key) == text]
    if not shared:
        raise ConfigurationError(f"{file}: it has no question of {measurement.name}; name a report of the same set")
    scores = {
        asked[number][0]: {
            measure: values[number] for measure, values in earlier["scores"].items() if values[number] is not None
        }
        for number in shared
    }
    times = {name: value for name, value in earlier["figures"].items() if name.endswith("_ms")}
    return measurement.against(System(scores, times))


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """Equal when the configurations are equal.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(configuration, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def lines_hash(lines: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of questions and labels, whatever their order."""
    texts = sorted(json.dumps(line, sort_keys=True, ensure_ascii=False) for line in lines)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def files_hash(files: list[Path]) -> str:
    """SHA-256 over the bytes of the files, in their order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@cache
def code_hash() -> str:
    """SHA-256 of this package's own source: two reports tell by it whether the program changed between them."""
    return files_hash(sorted(Path(__file__).resolve().parents[1].rglob("*.py")))[:16]


def _system(measurement: Measurement, name: str, keys: list[str]) -> dict[str, Any]:
    scores = measurement.systems[name].scores
    return {
        "figures": {key: _rounded(value) for key, value in measurement.figures(name).items()},
        "intervals": {key: [_rounded(a), _rounded(b)] for key, (a, b) in measurement.intervals(name).items()},
        "scores": {
            measure: [_rounded(scores.get(key, {}).get(measure)) for key in keys] for measure in measurement.measures
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _versions() -> dict[str, str]:
    found = {"assistant": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
