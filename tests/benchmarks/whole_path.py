"""The whole path through a real service: first start, second start, and questions over 10,000 passages, over HTTP.

Each question is also searched by words alone in the same process and on the same data: the named baseline, since it is the
least that any answer must do.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from assistant.client import ServiceClient, Upload
from assistant.evaluation import RetrievalSet, load_set
from tests.benchmarks.figures import Figures, milliseconds
from tests.instances import RunningInstance, running_instance
from tests.shared import shared_data
from tests.worlds import DEMO, instance_file

PASSAGES, QUESTIONS = 10_500, 120
"""Of paragraphs handed in; some of them share a passage, so that some 10,000 passages come of it."""
_PARAGRAPHS_A_DOCUMENT = 60
_PACKED_AFTER_S = 20.0
"""The service packs its index some seconds after the last document, and gives memory back."""


def start_figures() -> Figures:
    """Everything after installation: ingest of the demo, start, first answer; then the second start."""
    question = json.loads((DEMO / "questions.jsonl").read_text(encoding="utf-8").splitlines()[0])["question"]
    with tempfile.TemporaryDirectory() as folder:
        file = instance_file(Path(folder), extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
        starts = {name: _start_and_ask(file, question) for name in ("first start, demo ingested", "second start")}
    code = "import time; t = time.perf_counter(); import assistant; print(time.perf_counter() - t)"
    imported = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    return {"Start to first answer": {**starts, "import assistant": {"seconds": imported}}}


def service_figures() -> Figures:
    """Answers and searches through the running service, and its memory after ingestion and after a restart."""
    sets = [load_set(folder) for folder in sorted((shared_data() / "retrieval").iterdir())]
    questions = [text for one in sets for text in itertools.islice(one.queries.values(), QUESTIONS // len(sets))]
    with tempfile.TemporaryDirectory() as folder:
        file = instance_file(Path(folder))
        with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
            ingestion = _fill(client, sets, Path(folder) / "in")
            at_the_end = _memory_mb(instance)
            time.sleep(_PACKED_AFTER_S)
            after_ingestion = _memory_mb(instance)
        with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
            passages = client.instance()["passages"]
            times = _times(client, questions)
            after_questions = _memory_mb(instance)
    memory = {
        "at the end of ingestion": {"MiB": at_the_end},
        f"{_PACKED_AFTER_S:.0f} s later, packed": {"MiB": after_ingestion},
        "after a restart and questions": {"MiB": after_questions},
    }
    return {f"Through the service, {passages} passages": times, "Service": {**memory, "ingestion": ingestion}}


def _times(client: ServiceClient, questions: list[str]) -> dict[str, dict[str, float]]:
    for question in questions[:10]:
        client.ask(question)
    answers = milliseconds(client.ask, questions)
    words = milliseconds(lambda question: client.search(question, k=12, route="bm25"), questions)
    hybrid = milliseconds(lambda question: client.search(question, k=12), questions)
    ratio = {name: answers[name] / words[name] for name in answers}
    return {
        "quoted answer": answers,
        "hybrid search": hybrid,
        "words alone (baseline)": words,
        "answer / baseline": ratio,
    }


def _start_and_ask(file: Path, question: str) -> dict[str, float]:
    began = time.perf_counter()
    with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
        ready = time.perf_counter()
        client.ask(question)
        return {"address_s": ready - began, "seconds": time.perf_counter() - began}


def _fill(client: ServiceClient, sets: list[RetrievalSet], folder: Path) -> dict[str, float]:
    folder.mkdir()
    uploads = list(_documents(sets, folder))
    began = time.perf_counter()
    client.hand_in(uploads)
    while True:
        counts = client.documents()["counts"]
        if not counts["received"] and not counts["in progress"]:
            return {"seconds": time.perf_counter() - began, "documents": float(counts["done"])}
        time.sleep(0.5)


def _documents(sets: list[RetrievalSet], folder: Path) -> Iterator[Upload]:
    """Plain text of real paragraphs, enough of it for `PASSAGES`; each document in one language."""
    for number, one in zip(range(PASSAGES // _PARAGRAPHS_A_DOCUMENT + 1), itertools.cycle(sets), strict=False):
        paragraphs = itertools.cycle(passage.text[:880] for passage in one.passages)
        start = number * _PARAGRAPHS_A_DOCUMENT // len(sets)
        chosen = itertools.islice(paragraphs, start, start + _PARAGRAPHS_A_DOCUMENT)
        file = folder / f"{one.name}-{number}.txt"
        file.write_text("\n\n".join(f"{text} ({number})" for text in chosen), encoding="utf-8")
        yield Upload(file, f"/bench/{file.name}")


def _memory_mb(instance: RunningInstance) -> float:
    """Resident memory of the service's process, in MiB."""
    status = Path(f"/proc/{instance.process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
