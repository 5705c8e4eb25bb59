"""One index of very many passages: what building it costs, what it holds, and how long readers wait.

The passages are synthetic (`tests.benchmarks.synthetic`) and go through `EdgePassageIndex.replace`, documents of a hundred,
packed after every 50,000 passages. Everything after that is measured in a process of its own that has just opened the index; what
is written meanwhile are documents of ten. `cpu_ms` is what a search takes of the processor, whoever else uses the machine.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from assistant.config import RetrievalSettings
from assistant.embedding import LazyEmbedder
from assistant.index import Query
from assistant.index.edge import EdgePassageIndex
from assistant.packaged_encoder import packaged_encoder_folder
from tests.benchmarks.figures import Figures
from tests.benchmarks.synthetic import PER_DOCUMENT, SHARES, Synthesis, SyntheticDocument, reader

PASSAGES = 100_000
_PACK_EVERY, _LENGTH = 50_000, 100
_BASELINE_PASSAGES, _BASELINE_QUESTIONS = 5_000, 20
_READERS, _K, _RECALL_AT = 16, 12, 10
_DIMENSION = 384
_MIB = 2**20
_INGESTED_BESIDE = 200
_NEVER_EXACT, _ALWAYS_EXACT, _AS_SERVED = 0, 10**9, RetrievalSettings().exact_below

_Row = dict[str, float]
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def scale_figures(passages: int = PASSAGES, folder: Path | None = None) -> Figures:
    """The figures of an index of so many passages; kept in `folder`, or found there from an earlier run, when one is given."""
    synthesis = Synthesis(LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1))
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        built = _built(place, synthesis, passages)
        beside = [synthesis.document(passages // PER_DOCUMENT + n) for n in range(_INGESTED_BESIDE)]
        opened = _in_new_process(_opened_figures, place, synthesis.queries, beside)
        recall = _in_new_process(_recalls, place, synthesis.queries)
        size = sum(file.stat().st_blocks * 512 for file in place.rglob("*") if file.is_file())
    built["on disk"] = {"MiB": size / _MIB}
    store = built | opened.pop("store")
    searches = opened.pop("searches")
    return {
        f"Building and opening {passages} passages": {n: row for n, row in store.items() if "own_MiB" not in row},
        f"Memory with {passages} passages": {n: row for n, row in store.items() if "own_MiB" in row},
        f"Filtered hybrid search in {passages} passages": searches,
        "Where the time goes, one reader": opened.pop("parts"),
        f"Recall@{_RECALL_AT} of approximate search against exact": recall,
        f"Half readable, {_BASELINE_PASSAGES} passages, and this index with {passages}": _baselines(
            synthesis, searches["50.0% readable, 1 reader"]
        ),
    }


def _built(folder: Path, synthesis: Synthesis, passages: int) -> dict[str, _Row]:
    """Build time and memory; from the note of an earlier run when the index is there already."""
    note = folder / "built.json"
    if note.exists():
        found: dict[str, _Row] = json.loads(note.read_text(encoding="utf-8"))
        return found
    index, sofar = _index(folder), _Building(folder / "building.json")
    with _most_memory() as most:
        for number in range(len(index.held()), passages // _LENGTH):
            document = synthesis.document(number, _LENGTH)
            index.replace(document.id, "1", document.passages, document.vectors)
            written = (number + 1) * _LENGTH
            if written % _PACK_EVERY == 0 or written == passages:
                sofar.add("writing", written, most)
                index.optimize()
                index.flush()
                sofar.add("packing", written, most)
    rows = sofar.rows(passages) | {"when packed": {"own_MiB": _memory()["own_MiB"] - most["before"]}}
    index.close()
    note.write_text(json.dumps(rows), encoding="utf-8")
    return rows


class _Building:
    """What building took so far, kept in a file: a build that was ended goes on where it last packed or wrote."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sums: _Row = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self._since, self._used = time.perf_counter(), time.process_time()

    def add(self, what: str, written: int, most: _Row) -> None:
        now, used = time.perf_counter(), time.process_time()
        for name, value in (("s", now - self._since), ("cpu_s", used - self._used)):
            self._sums[f"{what}_{name}"] = self._sums.get(f"{what}_{name}", 0.0) + value
        self._since, self._used = now, used
        self._sums |= {"passages": written, "most_MiB": max(self._sums.get("most_MiB", 0.0), most["most"])}
        self._file.write_text(json.dumps(self._sums), encoding="utf-8")

    def rows(self, passages: int) -> dict[str, _Row]:
        sums = self._sums
        seconds = sums["writing_s"] + sums["packing_s"]
        return {
            "writing": {"seconds": sums["writing_s"], "cpu_seconds": sums["writing_cpu_s"]},
            "packing": {"seconds": sums["packing_s"], "cpu_seconds": sums["packing_cpu_s"]},
            "both": {"seconds": seconds, "per_second": passages / seconds},
            "while building, at most": {"own_MiB": sums["most_MiB"]},
        }


@contextmanager
def _most_memory() -> Iterator[_Row]:
    """What this process held before, and the most of its own that it has held since, looked at four times a second."""
    stop, before = threading.Event(), _memory()["own_MiB"]
    row = {"before": before, "most": 0.0}

    def look() -> None:
        while not stop.wait(0.25):
            row["most"] = max(row["most"], _memory()["own_MiB"] - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield row
    finally:
        stop.set()
        thread.join()


def _opened_figures(
    folder: Path, queries: Sequence[Query], beside: Sequence[SyntheticDocument]
) -> dict[str, dict[str, _Row]]:
    before, began = _memory(), time.perf_counter()
    index = _index(folder)
    index.search(queries[0], reader("d"), _K)
    store = {
        "cold start": {"seconds": time.perf_counter() - began},
        "when opened": {name: value - before[name] for name, value in _memory().items()},
    }
    # The first half of the questions are new to the index; the other half is for many readers at once, and new as well.
    first, second = queries[: len(queries) // 2], queries[len(queries) // 2 :]
    searches: dict[str, _Row] = {}
    for name in SHARES:
        searches[f"{SHARES[name]:.1%} readable, 1 reader"] = _searched(index, name, first, readers=1)
        searches[f"{SHARES[name]:.1%} readable, {_READERS} readers"] = _searched(index, name, second, readers=_READERS)
    parts = _parts(index, queries)
    with _ingesting(index, beside) as written:
        for readers in (1, _READERS):
            row = f"{SHARES['d']:.1%} readable, {readers} reader{'s' * (readers > 1)}, while documents come in"
            searches[row] = _searched(index, "d", first, readers=readers)
    store["written beside the searches"] = {"documents": float(len(written))}
    store["after all searches"] = {name: value - before[name] for name, value in _memory().items()}
    index.close()
    return {"store": store, "searches": searches, "parts": parts}


def _parts(index: EdgePassageIndex, queries: Sequence[Query]) -> dict[str, _Row]:
    rows = {}
    for name in ("d", "e"):
        who, share = reader(name), f"{SHARES[name]:.1%} readable"
        rows[f"{share}, term weights"] = _timed(lambda q, p=who: index.term_weights(q.terms, p), queries)
        for route in ("bm25", "dense"):
            rows[f"{share}, {route}"] = _timed(lambda q, p=who, r=route: index.search(q, p, _K, route=r), queries)
    return rows


def _recalls(folder: Path, queries: Sequence[Query]) -> dict[str, _Row]:
    """Recall of the approximate dense search, and the time of both; `missed` counts questions that lost a passage."""
    found = {}
    for kind, exact_below in (("approximate", _NEVER_EXACT), ("exact", _ALWAYS_EXACT)):
        index = _index(folder, exact_below=exact_below)
        for name in SHARES:
            ids: list[set[str]] = []
            times = _timed(lambda q, n=name, i=index, a=ids: a.append(_dense_ids(i, q, n)), queries)
            found[kind, name] = ids, times
        index.close()
    rows = {}
    for name, share in SHARES.items():
        (ids, times), (true, exact_times) = found["approximate", name], found["exact", name]
        recalls = [len(a & b) / len(b) for a, b in zip(ids, true, strict=True) if b]
        rows[f"{share:.1%} readable"] = {
            "recall": float(np.mean(recalls)) if recalls else float("nan"),
            "missed": float(sum(value < 1 for value in recalls)),
            "approximate_p95_ms": times["p95_ms"],
            "approximate_cpu_ms": times["cpu_ms"],
            "exact_p95_ms": exact_times["p95_ms"],
            "exact_cpu_ms": exact_times["cpu_ms"],
        }
    return rows


def _baselines(synthesis: Synthesis, ours: _Row) -> dict[str, _Row]:
    # Not above: the process that measures memory imports this module, and must not hold the other stores as well.
    from tests.benchmarks.scale_baselines import llamaindex_times, qdrant_local_times

    documents = [synthesis.document(n) for n in range(_BASELINE_PASSAGES // PER_DOCUMENT)]
    labels = sorted({str(p.label) for d in documents for p in d.passages if reader("d").may_read(p.label)})
    queries = synthesis.queries[:_BASELINE_QUESTIONS]
    rows = {
        "this index, hybrid": {"p50_ms": ours["p50_ms"], "p95_ms": ours["p95_ms"]},
        "qdrant-client local mode, hybrid": qdrant_local_times(documents, queries, labels),
        "LlamaIndex SimpleVectorStore, vectors alone": llamaindex_times(documents, queries, labels),
    }
    return {name: row | {"times_ours": row["p50_ms"] / ours["p50_ms"]} for name, row in rows.items()}


def _searched(index: EdgePassageIndex, compartment: str, queries: Sequence[Query], *, readers: int) -> _Row:
    who = reader(compartment)
    return _timed(lambda query: index.search(query, who, _K), queries, readers=readers)


def _dense_ids(index: EdgePassageIndex, query: Query, compartment: str) -> set[str]:
    hits = index.search(query, reader(compartment), _RECALL_AT, route="dense")
    return {scored.passage.id for scored in hits}


def _timed(work: Callable[[Query], object], queries: Sequence[Query], *, readers: int = 1) -> _Row:
    def one(query: Query) -> float:
        began = time.perf_counter()
        work(query)
        return (time.perf_counter() - began) * 1000

    used = time.process_time()
    if readers == 1:
        taken = [one(query) for query in queries]
    else:
        with ThreadPoolExecutor(readers) as pool:
            taken = list(pool.map(one, queries))
    used = time.process_time() - used
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99), "cpu_ms": used * 1000 / len(taken)}


@contextmanager
def _ingesting(index: EdgePassageIndex, documents: Sequence[SyntheticDocument]) -> Iterator[list[str]]:
    """New documents are written one after the other, from the first again when all are in, until the block ends."""
    stop, written = threading.Event(), []

    def write() -> None:
        for number in count():
            document = documents[number % len(documents)]
            if stop.is_set():
                return
            index.replace(document.id, "1", document.passages, document.vectors)
            written.append(document.id)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def _memory() -> _Row:
    """Of this process, in MiB: its own, and files that are mapped, which the system may take back at any time."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sizes = {line.partition(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Rss")}
    return {"own_MiB": sizes["RssAnon"], "mapped_files_MiB": sizes["RssFile"]}


def _index(folder: Path, *, exact_below: int = _AS_SERVED) -> EdgePassageIndex:
    return EdgePassageIndex.open(
        folder, embedder_fingerprint="synthetic", dimension=_DIMENSION, exact_below=exact_below
    )


def _in_new_process(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> _Result:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()
