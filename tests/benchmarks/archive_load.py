"""An archive's worth of documents through a real service: made from real ones, 5 % of them odd, while questions are asked.

Every good document is real text in one of three languages, in the form of a small text, web page, message, word processor
file or PDF; odd ones are cut short, empty, of the wrong type, protected, unlabelled or made to break a reader. The same
good documents alone, at most `CLEAN` of them, are the baseline, in an instance of their own, under the same questions.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from html import escape
from pathlib import Path

import numpy as np
import psutil

from assistant.client import ServiceClient, Upload
from assistant.evaluation import load_set
from tests.benchmarks.figures import Figures
from tests.instances import RunningInstance, running_instance
from tests.shared import shared_data
from tests.worlds import DEMO, instance_file

DOCUMENTS = 1_000
CLEAN = 2_000
_ODD_IN = 20
"""One document in so many is odd."""
_AT_ONCE = 100
_ASK_EVERY_S, _SAMPLE_EVERY_S = 3.0, 1.0
_IDLE_QUESTIONS = 40
_LABEL = "internal"
_QUIET_S = 6.0
_REAL = (
    "fr/docx/F33359-conges-payes.docx", "ar/pdf/mosquee-hassan-ii.pdf", "en/pdf/govdocs-503492.pdf",
    "fr/odt/declarationDeBicyclette.odt", "fr/epub/F1360-non-gage.epub", "en/pdf/govdocs-427330.pdf",
    "fr/rtf/F1432-acte-mariage.rtf", "en/xlsx/basic_tables_two_sheets.xlsx",
)  # fmt: skip
_HOSTILE = (
    "attacks/billion-laughs.xml", "attacks/small-bomb.docx", "attacks/zip-slip.zip", "attacks/xxe.xml",
    "office/testEXCEL_protected_passtika.xls", "office/testPPT_protected_passtika.ppt", "pdf/PDFJS-7562-reduced.pdf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content: bytes
    labelled: bool = True


@dataclass(slots=True)
class _Load:
    """What one run came to."""

    seconds: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    verified: dict[str, float] = field(default_factory=dict)
    busy_ms: list[float] = field(default_factory=list)
    idle_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


def archive_figures(documents: int = DOCUMENTS) -> Figures:
    """States, throughput, memory and waiting times, against the same without odd documents and against no ingestion."""
    odd = documents // _ODD_IN
    good = list(itertools.islice(_good_files(), documents - odd))
    clean = _run(good[:CLEAN])
    mixed = _run(_mixed(good, list(itertools.islice(_odd_files(), odd))))
    quarters = [float(np.mean(part)) for part in np.array_split(mixed.memory_mb, 4)]
    rates = {"clean": len(good[:CLEAN]) / clean.seconds, "with odd ones": len(good) / mixed.seconds}
    return {
        f"{documents} documents, {odd} of them odd": {"count": {k: float(v) for k, v in mixed.states.items()}},
        "Verified": {"count": mixed.verified},
        "Good documents a second": {
            "ingestion": {**rates, "of clean": rates["with odd ones"] / rates["clean"]},
            "seconds": {"clean": clean.seconds, "with odd ones": mixed.seconds},
        },
        "Questions": _waiting(clean, mixed),
        "Memory of the service by quarter of the run, MiB": {
            "mean": {f"{number}.": mean for number, mean in enumerate(quarters, start=1)}
            | {"last / second": quarters[3] / quarters[1]}
        },
    }


def _waiting(clean: _Load, mixed: _Load) -> dict[str, dict[str, float]]:
    rows = {}
    for name, run in (("clean", clean), ("with odd ones", mixed)):
        idle, busy = np.percentile(run.idle_ms, [50, 95]), np.percentile(run.busy_ms, [50, 95])
        rows[f"{name}: idle"] = {"p50_ms": idle[0], "p95_ms": idle[1], "asked": float(len(run.idle_ms))}
        rows[f"{name}: meanwhile"] = {"p50_ms": busy[0], "p95_ms": busy[1], "asked": float(len(run.busy_ms))}
        rows[f"{name}: times"] = {"p50_ms": busy[0] / idle[0], "p95_ms": busy[1] / idle[1]}
    return rows


# --- a run -------------------------------------------------------------------------------------------------------


def _run(files: Sequence[_File]) -> _Load:
    load = _Load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = instance_file(folder, unmarked="quarantine")
        with running_instance(file) as instance, ServiceClient(instance.url, token=instance.token) as client:
            _warm_up(client, folder)
            began = time.perf_counter()
            with _Beside(lambda: _ask(instance, load.busy_ms)), _Beside(lambda: _sample(instance, load.memory_mb)):
                _hand_in(client, files, folder)
                _wait_until_settled(client)
            load.seconds = time.perf_counter() - began
            load.states = {state: count for state, count in client.documents()["counts"].items() if count}
            report = client.verify_documents()
            load.verified = {
                "received": float(report["received"]),
                "sum of states": float(sum(report["states"].values())),
                "passages expected": float(report["passages_expected"]),
                "passages indexed": float(report["passages_indexed"]),
                "problems": float(report["problems"]),
            }
            time.sleep(_QUIET_S)
            for question in itertools.islice(_questions(), _IDLE_QUESTIONS):
                load.idle_ms.append(_answered_ms(client, question))
    return load


class _Beside:
    """Does something again and again beside the block."""

    def __init__(self, once: Callable[[], Iterator[None]]) -> None:
        self._turns = once()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._until_stopped, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _until_stopped(self) -> None:
        for _ in self._turns:
            if self._stop.is_set():
                return


def _ask(instance: RunningInstance, taken_ms: list[float]) -> Iterator[None]:
    with ServiceClient(instance.url, token=instance.token) as client:
        for question in itertools.cycle(_questions()):
            taken_ms.append(_answered_ms(client, question))
            time.sleep(_ASK_EVERY_S)
            yield


def _sample(instance: RunningInstance, memory_mb: list[float]) -> Iterator[None]:
    process = psutil.Process(instance.process.pid)
    while True:
        memory_mb.append(process.memory_info().rss / 2**20)
        time.sleep(_SAMPLE_EVERY_S)
        yield


def _answered_ms(client: ServiceClient, question: str) -> float:
    began = time.perf_counter()
    client.ask(question)
    return (time.perf_counter() - began) * 1000


def _questions() -> Iterator[str]:
    lines = (DEMO / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    yield from (str(json.loads(line)["question"]) for line in lines)


def _warm_up(client: ServiceClient, folder: Path) -> None:
    file = folder / "first.txt"
    file.write_text("Le maire signe l'arrêté.", encoding="utf-8")
    client.hand_in([Upload(file, "/bench/first.txt")], label=_LABEL)
    _wait_until_settled(client)
    for question in itertools.islice(_questions(), 5):
        client.ask(question)


def _hand_in(client: ServiceClient, files: Sequence[_File], folder: Path) -> None:
    for number in range(0, len(files), _AT_ONCE):
        some = files[number : number + _AT_ONCE]
        for labelled in (True, False):
            uploads = []
            for one in some:
                if one.labelled is labelled:
                    place = folder / one.name
                    place.write_bytes(one.content)
                    uploads.append(Upload(place, f"/bench/{one.name}"))
            if uploads:
                client.hand_in(uploads, label=_LABEL if labelled else None)
            for upload in uploads:
                upload.path.unlink()


def _wait_until_settled(client: ServiceClient) -> None:
    while True:
        progress = client.progress()
        if not progress["waiting"] and not progress["in_progress"]:
            return
        time.sleep(0.5)


# --- the files ---------------------------------------------------------------------------------------------------


def _good_files() -> Iterator[_File]:
    """Without end: of ten documents nine are small and made of real paragraphs, the tenth is a real file."""
    sets = [load_set(path) for path in sorted((shared_data() / "retrieval").iterdir())]
    paragraphs = [itertools.cycle([passage.text[:900] for passage in one.passages]) for one in sets]
    real = itertools.cycle(_REAL)
    for number in itertools.count():
        if number % 10 == 9:
            yield _varied(shared_data() / "documents" / next(real), number)
            continue
        parts = [f"Document {number}", *itertools.islice(paragraphs[number % len(sets)], 1 + number % 4)]
        make = (_text, _page, _message)[number % 10 % 3]
        yield make(number, parts)


def _odd_files() -> Iterator[_File]:
    """Without end, each of its own bytes."""
    pdf = (shared_data() / "documents" / _REAL[2]).read_bytes()
    for number in itertools.count():
        mark = f"{number:06d}".encode()
        yield _File(f"cut-{number}.pdf", pdf[: len(pdf) // 2 - number])
        yield _File(f"binary-{number}.pdf", b"\x7fELF" + mark + bytes(range(256)) * 8)
        yield _File(f"unlabelled-{number}.txt", b"Une note sans marque. " + mark, labelled=False)
        yield _File(f"blank-{number}.txt", b" \n" * (number + 1))
        yield _varied(shared_data() / "hostile" / _HOSTILE[number % len(_HOSTILE)], number)


def _mixed(good: Sequence[_File], odd: Sequence[_File]) -> list[_File]:
    """The odd ones evenly among the good ones."""
    every = max(1, len(good) // max(1, len(odd)))
    files = list(good)
    for number, one in enumerate(odd):
        files.insert(number * (every + 1), one)
    return files


def _varied(file: Path, number: int) -> _File:
    """A real file with a few bytes more at its end, which no reader looks at: another document with the same text."""
    return _File(f"{number}-{file.name}", file.read_bytes() + b"\n%" + str(number).encode())


def _text(number: int, parts: Sequence[str]) -> _File:
    return _File(f"note-{number}.txt", "\n\n".join(parts).encode())


def _page(number: int, parts: Sequence[str]) -> _File:
    body = "".join(f"<p>{escape(part)}</p>" for part in parts)
    return _File(f"page-{number}.html", f"<!doctype html><meta charset=utf-8><h1>{number}</h1>{body}".encode())


def _message(number: int, parts: Sequence[str]) -> _File:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "greffe@example.org", "archives@example.org", parts[0]
    message.set_content("\n\n".join(parts))
    return _File(f"message-{number}.eml", message.as_bytes())
