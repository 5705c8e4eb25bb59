"""What the router adds to a model server: time to the first sentence and to the end, for many readers at once.

The server is scripted, in a process of its own, and gives 30 tokens a second to each reader, whatever their number. The baseline
reads it bare, with httpx. Each reader asks for a canary of its own, so that an answer in wrong hands is seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import numpy as np

from assistant import egress
from assistant.access import Label
from assistant.endpoints import ChatMessage, EndpointDescription, Limits, ModelRouter, Need, Piece
from assistant.errors import AssistantError
from tests.benchmarks.figures import Figures, memory_mb
from tests.endpoint_server import MODEL
from tests.worlds import ROOT

PER_SECOND, READERS, ROUNDS = 30.0, (1, 8, 32, 64), 3
_REST = (
    "Il sera traité dans l'ordre des arrivées, et la réponse sera envoyée par courrier au plus tard dans dix jours. "
    * 3
)

Reading = Callable[[str, str], Iterator[str]]
"""(reader, question) → the answer as it comes, in pieces."""


@dataclass(frozen=True)
class Run:
    """One answer: seconds to the end of its first sentence and to its own, and whether it was the right one."""

    first_s: float
    total_s: float
    right: bool
    failed: bool


def models_figures() -> Figures:
    """The bare endpoint and the router over it, for each number of readers."""
    egress.apply_opt_outs()
    limits = httpx.Limits(max_connections=None)
    with (
        _server() as url,
        _router(url) as models,
        httpx.Client(base_url=url, trust_env=False, timeout=60, limits=limits) as client,
    ):
        bare, routed = _bare(client), _routed(models)
        for reading in (bare, routed):
            measured(reading, 1)
        rows: dict[str, dict[str, float]] = {}
        added: dict[str, dict[str, float]] = {}
        for readers in READERS:
            base, own = measured(bare, readers), measured(routed, readers)
            rows[f"{readers}: bare endpoint (baseline)"], rows[f"{readers}: router"] = base, own
            added[f"{readers} readers"] = overhead(base, own)
    return {f"Scripted server, {PER_SECOND:.0f} tokens a second a reader": rows, "Added by the router": added}


def overhead(base: dict[str, float], own: dict[str, float]) -> dict[str, float]:
    """What came on top, at the median and at the 95th percentile."""
    return {
        "first_p50_ms": own["first_p50_ms"] - base["first_p50_ms"],
        "first_p95_ms": own["first_p95_ms"] - base["first_p95_ms"],
        "total_%": 100 * (own["total_p50_ms"] / base["total_p50_ms"] - 1),
        "errors": own["errors"],
        "wrong": own["wrong"],
    }


def measured(
    reading: Reading, readers: int, rounds: int = ROUNDS, memory: Callable[[], float] = memory_mb
) -> dict[str, float]:
    """Percentiles over all answers, errors, answers to somebody else's question, and what it took."""
    before, peak = memory(), _Peak(memory)
    began, used = time.monotonic(), time.process_time()
    with peak, ThreadPoolExecutor(readers) as pool:
        runs = list(pool.map(lambda number: _run(reading, number), range(readers * rounds)))
    busy = (time.process_time() - used) / (time.monotonic() - began)
    return _percentiles(runs) | {
        "errors": float(sum(run.failed for run in runs)),
        "wrong": float(sum(not run.right and not run.failed for run in runs)),
        "MiB_a_reader": max(0.0, peak.highest - before) / readers,
        "client_cores": busy,
    }


def question_of(number: int) -> str:
    """What the scripted server says as well; its first sentence holds the canary."""
    return f"Le dossier canari-{number:05d} du ministère est complet depuis le 3 mars. {_REST}"


def _run(reading: Reading, number: int) -> Run:
    question, began = question_of(number), time.monotonic()
    first_s, text = 0.0, ""
    try:
        for piece in reading(f"reader-{number}", question):
            text += piece
            if not first_s and ". " in text:
                first_s = time.monotonic() - began
    except (AssistantError, httpx.HTTPError):
        return Run(0, 0, right=False, failed=True)
    right = f"canari-{number:05d}" in text and text.count("canari-") == 1
    return Run(first_s, time.monotonic() - began, right=right, failed=False)


def _percentiles(runs: Sequence[Run]) -> dict[str, float]:
    done = [run for run in runs if not run.failed]
    row = {}
    for name, values in (("first", [run.first_s for run in done]), ("total", [run.total_s for run in done])):
        for share, value in zip((50, 95, 99), np.percentile(values or [0.0], [50, 95, 99]), strict=True):
            row[f"{name}_p{share}_ms"] = float(value) * 1000
    return row


class _Peak:
    """The most memory while it runs, looked at twenty times a second."""

    def __init__(self, memory: Callable[[], float]) -> None:
        self._memory = memory
        self.highest = memory()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.highest = max(self.highest, self._memory())


def _bare(client: httpx.Client) -> Reading:
    def reading(_: str, question: str) -> Iterator[str]:
        body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": question}]}
        with client.stream("POST", "/chat/completions", json=body) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])["choices"][0]["delta"].get("content") or ""

    return reading


def _routed(models: ModelRouter) -> Reading:
    def reading(reader: str, question: str) -> Iterator[str]:
        need = Need(reader, Label.parse("public"), "fr")
        for event in models.stream([ChatMessage("user", question)], need):
            if isinstance(event, Piece):
                yield event.text

    return reading


@contextmanager
def _router(url: str) -> Iterator[ModelRouter]:
    label = Label.parse("secret")
    described = EndpointDescription(
        "scripted", url, MODEL, frozenset({"fr"}), 4096, label, concurrency=max(READERS), limits=Limits()
    )
    with ModelRouter([described]) as models:
        yield models


@contextmanager
def _server(*arguments: str) -> Iterator[str]:
    """The address of a scripted server in a process of its own; it says what it is asked."""
    command = [sys.executable, "-m", "tests.endpoint_server", "--per-second", str(PER_SECOND), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
