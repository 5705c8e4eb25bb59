"""Embedding beside the plain default of sentence-transformers (float32, batches of 32): the same passages, process and threads.

Passages are the shared sets' own, of all lengths and three languages, in a fixed random order. Both take their turns `ROUNDS`
times, and of each the fastest counts; seconds of the processor are compared too, since they depend less on what else the
machine does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import SentenceTransformerEmbedder
from assistant.evaluation import RetrievalSet, load_set
from assistant.evaluation.rankings import means, ranking_scores
from assistant.packaged_encoder import packaged_encoder_folder
from tests.benchmarks.figures import Figures
from tests.shared import shared_data

THREADS, ROUNDS = 2, 4
TIMED_A_SET = 60
RANKED_A_SET, QUERIES_A_SET = 800, 300
"""Passages and queries for the ranking; every passage that is relevant to one of these queries is among them."""
_RANDOM_SEED = 7
_Rows = NDArray[np.float32]
_Encode = Callable[[Sequence[str]], _Rows]


def embedding_figures() -> Figures:
    """Passages per second of both, and what ours costs in nDCG@10 of the dense ranking on each set."""
    from sentence_transformers import SentenceTransformer

    folder = packaged_encoder_folder()
    ours = SentenceTransformerEmbedder(folder, dense_weights={}, threads=THREADS)
    plain = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def by_default(texts: Sequence[str]) -> _Rows:
        return np.asarray(plain.encode(list(texts), show_progress_bar=False), dtype=np.float32)

    sets = [load_set(path) for path in sorted((shared_data() / "retrieval").iterdir())]
    return {
        f"Embedding on {THREADS} threads": _speeds(_mixed(sets), ours.embed_passages, by_default),
        f"nDCG@10 of vectors alone, {QUERIES_A_SET} queries": {
            one.name: _cost(one, ours.embed_passages, by_default) for one in sets
        },
    }


def _mixed(sets: Sequence[RetrievalSet]) -> list[str]:
    generator, texts = random.Random(_RANDOM_SEED), list[str]()
    for one in sets:
        texts += generator.sample([passage.embedded_text() for passage in one.passages], TIMED_A_SET)
    generator.shuffle(texts)
    return texts


def _speeds(texts: Sequence[str], ours: _Encode, plain: _Encode) -> dict[str, dict[str, float]]:
    least = {name: np.full(2, np.inf) for name in ("ours", "plain float32")}
    for _ in range(ROUNDS):
        for name, encode in (("ours", ours), ("plain float32", plain)):
            began = np.array([time.perf_counter(), time.process_time()])
            encode(texts)
            least[name] = np.minimum(least[name], np.array([time.perf_counter(), time.process_time()]) - began)
    rows = {name: _row(len(texts) / seconds) for name, seconds in least.items()}
    return rows | {"times as many": _row(least["plain float32"] / least["ours"])}


def _row(values: NDArray[np.float64]) -> dict[str, float]:
    return {"passages/s": float(values[0]), "passages/processor s": float(values[1])}


def _cost(one: RetrievalSet, ours: _Encode, plain: _Encode) -> dict[str, float]:
    queries = dict(random.Random(_RANDOM_SEED).sample(sorted(one.queries.items()), QUERIES_A_SET))
    relevant = {query_id: one.relevant[query_id] for query_id in queries}
    wanted = {document_id for grades in relevant.values() for document_id in grades}
    first = sorted(one.passages, key=lambda passage: passage.document_id not in wanted)
    passages = first[: max(RANKED_A_SET, len(wanted))]
    figures = {}
    for name, encode in (("plain float32", plain), ("ours", ours)):
        rows = encode([passage.embedded_text() for passage in passages])
        scores = encode(list(queries.values())) @ rows.T
        run = {
            query_id: tuple(passages[n].document_id for n in np.argsort(-row)[:10])
            for query_id, row in zip(queries, scores, strict=True)
        }
        figures[name] = means(ranking_scores(relevant, run))["ndcg@10"]
    return figures | {"cost": figures["plain float32"] - figures["ours"], "passages": float(len(passages))}
