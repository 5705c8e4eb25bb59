"""The index alone over 10,000 real passages in three languages, half of them readable; vectors are random."""

from __future__ import annotations

import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation import RetrievalSet, load_set
from assistant.index import Query
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.testing import CLERK, INTERNAL, ROUTES, SECRET, passages_of
from assistant.types import LANGUAGES, Passage
from tests.benchmarks.figures import Figures, memory_mb, milliseconds
from tests.shared import shared_data

PASSAGES, PER_DOCUMENT, CHARACTERS, DIMENSION, QUERIES = 10_000, 50, 850, 384, 200
_RANDOM = np.random.default_rng(7)


def index_figures() -> Figures:
    """Search by route, building, opening, optimizing."""
    sets = [load_set(folder) for folder in sorted((shared_data() / "retrieval").iterdir())]
    queries = _queries(sets)
    with tempfile.TemporaryDirectory() as folder:
        index, before = _opened(Path(folder)), memory_mb()
        began = time.perf_counter()
        _fill(index, sets)
        store = {"build": {"seconds": time.perf_counter() - began}}
        searches = _searches(index, queries, "")
        began = time.perf_counter()
        index.optimize()
        store["optimize"] = {"seconds": time.perf_counter() - began}
        searches |= _searches(index, queries, ", optimized")
        index.close()
        began = time.perf_counter()
        index = _opened(Path(folder))
        store["open"] = {"seconds": time.perf_counter() - began}
        index.search(queries[0], CLERK, 12)
        store["memory of it"] = {"MiB": memory_mb() - before}
        index.close()
    return {f"Search in {PASSAGES} passages, half of them readable": searches, "Store": store}


def _opened(folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint="random", dimension=DIMENSION)


def _searches(index: EdgePassageIndex, queries: list[Query], suffix: str) -> dict[str, dict[str, float]]:
    return {
        route + suffix: milliseconds(lambda query, r=route: index.search(query, CLERK, 12, route=r), queries)  # type: ignore[misc]
        for route in ROUTES
    } | {"term weights" + suffix: milliseconds(lambda query: index.term_weights(query.terms, CLERK), queries)}


def _queries(sets: list[RetrievalSet]) -> list[Query]:
    lexicon, found = Lexicon(LANGUAGES), []
    for one in sets:
        for text in islice(one.queries.values(), QUERIES // len(sets)):
            terms = lexicon.search_terms(text, one.language)
            found.append(Query(text, one.language, _vectors(1)[0], terms, 0.5))
    return found


def _fill(index: EdgePassageIndex, sets: list[RetrievalSet]) -> None:
    texts = [
        (passage.text[start : start + CHARACTERS], one.language)
        for one in sets
        for passage in one.passages
        for start in range(0, len(passage.text), CHARACTERS)
    ]
    for number in range(PASSAGES // PER_DOCUMENT):
        first = number * PER_DOCUMENT
        taken = [texts[(first + i) % len(texts)] for i in range(PER_DOCUMENT)]
        label = INTERNAL if number % 2 else SECRET
        passages: list[Passage] = passages_of(
            f"document-{number}", [text for text, _ in taken], label=label, language=taken[0][1]
        )
        index.replace(f"document-{number}", "1", passages, _vectors(PER_DOCUMENT))


def _vectors(n: int) -> NDArray[np.float32]:
    rows = _RANDOM.standard_normal((n, DIMENSION), dtype=np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
