"""How well each route ranks the passages of a set, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from assistant.embedding import Embedder
from assistant.evaluation.sets import READER, RetrievalSet, indexed
from assistant.index import Route
from assistant.lexical import Lexicon
from assistant.retrieval import Calibration, Retriever

ROUTES: tuple[Route, ...] = ("dense", "bm25", "hybrid")
DEPTH = 20

Run = dict[str, dict[str, float]]
"""Query id → document id → a number that falls with the rank."""


def evaluate_retrieval(collection: RetrievalSet, embedder: Embedder, lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """Per route: ndcg@10, recall@5, recall@20, mrr@10 (0 to 1), and p50_ms and p95_ms of a whole search.

    Measures by ir-measures over every judged query; one that found nothing counts zero. A search is timed from the text of
    the question to the passages, its encoding included.
    """
    with indexed(collection, embedder) as (index, _):
        retriever = Retriever(index, embedder, lexicon, Calibration({}))
        figures: dict[str, dict[str, float]] = {}
        for route in ROUTES:
            run, milliseconds = _run(retriever, collection, route)
            p50, p95 = np.percentile(milliseconds, [50, 95])
            figures[route] = ranking_figures(collection.relevant, run) | {"p50_ms": float(p50), "p95_ms": float(p95)}
    return figures


def ranking_figures(relevant: Mapping[str, Mapping[str, int]], run: Run) -> dict[str, float]:
    """ndcg@10, recall@5, recall@20 and mrr@10, means over the queries of `relevant`; a query without results counts zero.

    >>> ranking_figures({"q": {"a": 1}, "r": {"b": 1}}, {"q": {"a": 2.0, "c": 1.0}})["recall@5"]
    0.5
    """
    from ir_measures import RR, R, calc_aggregate, nDCG

    names = {nDCG @ 10: "ndcg@10", R @ 5: "recall@5", R @ 20: "recall@20", RR @ 10: "mrr@10"}
    judged = {query_id: dict(grades) for query_id, grades in relevant.items()}
    means = calc_aggregate(list(names), judged, {query_id: run.get(query_id, {}) for query_id in judged})
    return {name: float(means[measure]) for measure, name in names.items()}


def _run(retriever: Retriever, collection: RetrievalSet, route: Route) -> tuple[Run, list[float]]:
    run: Run = {}
    milliseconds = []
    retriever.search(next(iter(collection.queries.values())), READER, DEPTH, route)  # the first call loads parts
    for query_id, question in collection.queries.items():
        began = time.perf_counter()
        found = retriever.search(question, READER, DEPTH, route)
        milliseconds.append((time.perf_counter() - began) * 1000)
        # By rank and not by score: measures would order equal scores by an order of their own.
        run[query_id] = {scored.passage.document_id: 1.0 / scored.rank for scored in found}
    return run, milliseconds
