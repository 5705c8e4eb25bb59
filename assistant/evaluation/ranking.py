"""How well the assistant and the baselines rank the passages of a set, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assistant.embedding import Embedder
from assistant.evaluation.baselines import BASELINES, baseline_rankings
from assistant.evaluation.measurement import Measurement, System
from assistant.evaluation.rankings import DEPTH, MEASURES, Ranking, best_of_each, means, ranking_scores
from assistant.evaluation.sets import READER, RetrievalSet, indexed
from assistant.index import PassageIndex, Route
from assistant.lexical import Lexicon
from assistant.retrieval import Calibration, Retriever

ROUTES: tuple[Route, ...] = ("dense", "bm25", "hybrid")
OURS: Route = "hybrid"
"""What readers get."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """An encoder, and the retrieval that stands on an index of its vectors."""

    embedder: Embedder
    retriever_over: Callable[[PassageIndex], Retriever]


def evaluate_retrieval(collection: RetrievalSet, embedder: Embedder, lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """Per route: ndcg@10, recall@5, recall@20, mrr@10 (0 to 1), and p50_ms and p95_ms of a whole search.

    Measures by ir-measures over every judged query; one that found nothing counts zero. A search is timed from the text of
    the question to the passages, its encoding included.
    """
    with indexed(collection, embedder) as (index, _):
        rankings = _routes(Retriever(index, embedder, lexicon, Calibration({})), collection)
    return {
        route: means(ranking_scores(collection.relevant, ranking.documents)) | ranking.times()
        for route, ranking in rankings.items()
    }


def measure_retrieval(
    collection: RetrievalSet, ours: Configuration, against: Configuration | None = None
) -> Measurement:
    """Every route, every baseline, and the whole pipeline of `against`, all on the same questions.

    Baselines are called `baseline:` and their name, the other configuration `against`; hybrid is compared with each of these.
    """
    with indexed(collection, ours.embedder) as (index, vectors):
        rankings = _routes(ours.retriever_over(index), collection)
    baselines = baseline_rankings(collection, ours.embedder, vectors)
    rankings |= {f"baseline:{name}": baselines[name] for name in BASELINES}
    measured = Measurement(
        kind="retrieval",
        name=collection.name,
        languages=collection.languages,
        questions={query_id: collection.queries[query_id] for query_id in collection.relevant},
        measures=MEASURES,
        systems={name: _system(ranking, collection.relevant) for name, ranking in rankings.items()},
        ours=OURS,
        rivals=tuple(name for name in rankings if name not in ROUTES),
    )
    if against is None:
        return measured
    with indexed(collection, against.embedder) as (index, _):
        other = _ranking(against.retriever_over(index), collection, OURS)
    return measured.against(_system(other, collection.relevant))


def _routes(retriever: Retriever, collection: RetrievalSet) -> dict[str, Ranking]:
    return {route: _ranking(retriever, collection, route) for route in ROUTES}


def _ranking(retriever: Retriever, collection: RetrievalSet, route: Route) -> Ranking:
    retriever.search(next(iter(collection.queries.values())), READER, DEPTH, route)  # the first call loads parts
    documents, milliseconds = {}, []
    for query_id, question in collection.queries.items():
        began = time.perf_counter()
        found = retriever.search(question, READER, DEPTH, route)
        milliseconds.append((time.perf_counter() - began) * 1000)
        documents[query_id] = best_of_each(scored.passage.document_id for scored in found)
    return Ranking(documents, tuple(milliseconds))


def _system(ranking: Ranking, relevant: Mapping[str, Mapping[str, int]]) -> System:
    scores = ranking_scores(relevant, ranking.documents)
    by_question = {query_id: {measure: scores[measure][query_id] for measure in MEASURES} for query_id in relevant}
    return System(by_question, ranking.times())
