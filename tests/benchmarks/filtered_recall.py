"""Whether approximate search finds what exact search finds, whatever share of the passages a reader may see.

Vectors are clustered as those of texts are: each is a topic's direction and noise of its own. The labels are spread over all
topics, or each keeps to topics of its own, so that a filter cuts whole regions out of the graph. There, questions about readable
topics are told from those about hidden ones: for the latter everything readable is equally far, and the nearest ten are chance.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.access import Label, Level, Principal, Role
from assistant.index import Query
from assistant.index.edge import EdgePassageIndex
from assistant.testing import passages_of
from tests.benchmarks.figures import Figures

PASSAGES, PER_DOCUMENT, DIMENSION, TOPICS, QUERIES, K = 100_000, 500, 384, 200, 200, 10
_NOISE = 0.9
"""Length of the noise beside a topic's direction of length 1: passages of one topic have cosine 0.55 on average."""
_SHARES = {"a": 0.001, "b": 0.01, "c": 0.1, "d": 0.5, "e": 1.0}
"""A reader who holds every compartment up to this one may see so much."""


def filtered_figures() -> Figures:
    """Recall@10 of approximate against exact search, and the time of both, for each share of readable passages."""
    return {
        f"Recall@{K} of approximate search in {PASSAGES} passages, labels {spread}": _figures(grouped=grouped)
        for spread, grouped in (("spread over all topics", False), ("each in topics of its own", True))
    }


def _figures(*, grouped: bool) -> dict[str, dict[str, float]]:
    random = np.random.default_rng(7)
    directions = _unit(random.standard_normal((TOPICS, DIMENSION)))
    topics = np.sort(random.integers(0, TOPICS, PASSAGES))
    vectors = _near(directions[topics], random)
    compartments = _compartments(random, grouped=grouped)
    queries = [
        Query("", "en", row, frozenset(), 1.0) for row in _near(directions[topics[:: PASSAGES // QUERIES]], random)
    ]
    with tempfile.TemporaryDirectory() as folder:
        index = _opened(Path(folder), exact_below=0)
        for name in _SHARES:
            _fill(index, name, vectors[compartments == name])
        index.optimize()
        found = {name: _searched(index, _reader(name), queries) for name in _SHARES}
        index.close()
        index = _opened(Path(folder), exact_below=PASSAGES)
        true = {name: _searched(index, _reader(name), queries) for name in _SHARES}
        index.close()
    rows: dict[str, dict[str, float]] = {}
    for name, share in _SHARES.items():
        recalls = np.array([len(a & b) / len(b) for a, b in zip(found[name][0], true[name][0], strict=True)])
        # Whether the topic asked about is among the readable ones, which come first.
        about = (
            np.arange(QUERIES) * (PASSAGES // QUERIES) < share * PASSAGES if grouped else np.ones(QUERIES, dtype=bool)
        )
        rows[f"{share:.1%} readable"] = {
            f"recall@{K}": float(recalls[about].mean()),
            "approximate_ms": found[name][1],
            "exact_ms": true[name][1],
        } | ({} if about.all() else {f"recall@{K}, hidden topics": float(recalls[~about].mean())})
    return rows


def _compartments(random: np.random.Generator, *, grouped: bool) -> NDArray[np.str_]:
    """The compartment of each passage; passages are in the order of their topics."""
    bounds = np.array(list(_SHARES.values())) * PASSAGES
    numbers = np.searchsorted(bounds, np.arange(PASSAGES), side="right")
    names = np.array(list(_SHARES))[numbers]
    return names if grouped else random.permutation(names)


def _fill(index: EdgePassageIndex, compartment: str, vectors: NDArray[np.float32]) -> None:
    label = Label(Level.INTERNAL, frozenset({compartment}))
    for start in range(0, len(vectors), PER_DOCUMENT):
        rows = vectors[start : start + PER_DOCUMENT]
        passages = passages_of(f"{compartment}-{start}", [f"{start + i}" for i in range(len(rows))], label=label)
        index.replace(f"{compartment}-{start}", "1", passages, rows)


def _reader(compartment: str) -> Principal:
    names = list(_SHARES)
    held = frozenset(names[: names.index(compartment) + 1])
    return Principal("reader", frozenset({Role.READER}), Label(Level.INTERNAL, held))


def _searched(index: EdgePassageIndex, reader: Principal, queries: list[Query]) -> tuple[list[set[str]], float]:
    """The ids found for each query, and the milliseconds that half of them took at most."""
    found, taken = [], []
    for query in queries:
        began = time.perf_counter()
        hits = index.search(query, reader, K, route="dense")
        taken.append((time.perf_counter() - began) * 1000)
        found.append({scored.passage.id for scored in hits})
    return found, float(np.median(taken))


def _opened(folder: Path, *, exact_below: int) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint="random", dimension=DIMENSION, exact_below=exact_below)


def _near(directions: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float32]:
    noise = _unit(random.standard_normal(directions.shape))
    return _unit(directions + _NOISE * noise).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths
