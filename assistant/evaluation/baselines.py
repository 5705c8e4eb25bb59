"""What the assistant's ranking has to beat: well-known rankers with their usual parameters, on the same set and encoder.

`bm25s`: words alone, with the stemmer and stop words of the language. `dense`: cosine, nothing else. `rrf`: both, fused by
ranks without weights. `llamaindex`: what a LlamaIndex user gets by default (`llamaindex_default`).

The only module that imports bm25s and PyStemmer, where they are needed.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.evaluation.llamaindex_default import llamaindex_ranking, package_folder
from assistant.evaluation.rankings import DEPTH, Ranking
from assistant.evaluation.sets import RetrievalSet

BASELINES = ("bm25s", "dense", "rrf", "llamaindex")
FUSED_DEPTH = 100
FUSION_CONSTANT = 60
"""k of Cormack, Clarke and Büttcher, SIGIR 2009."""

_LANGUAGES = {"fr": "french", "ar": "arabic", "en": "english"}

Ranker = Callable[[str], Sequence[str]]
"""Question → document ids, best first."""


def baseline_rankings(collection: RetrievalSet, embedder: Embedder, vectors: NDArray[np.float32]) -> dict[str, Ranking]:
    """The ranking of each of `BASELINES`; `vectors` are those of `collection.passages`, in their order."""
    words = _timed(collection.queries, word_ranker(collection))
    questions, dense = _dense(collection, embedder, vectors)
    return {
        "bm25s": words.cut(DEPTH),
        "dense": dense.cut(DEPTH),
        "rrf": fused(dense, words).cut(DEPTH),
        "llamaindex": llamaindex_ranking(collection, embedder, questions),
    }


def word_ranker(collection: RetrievalSet) -> Ranker:
    """bm25s with its default parameters, each text in its own language; a document that shares no word is not in its ranking."""
    import bm25s
    import Stemmer

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG when imported
    spoken = {*collection.languages.values(), *(passage.language for passage in collection.passages)}
    tools = {language: (_stop_words(language), Stemmer.Stemmer(_LANGUAGES[language])) for language in spoken}
    language_of = dict(zip(collection.queries.values(), collection.languages.values(), strict=True))

    def terms(text: str, language: str) -> list[str]:
        stop_words, stemmer = tools[language]
        tokens: list[list[str]] = bm25s.tokenize(
            [text], stopwords=stop_words, stemmer=stemmer, return_ids=False, show_progress=False
        )
        return tokens[0]

    ids = [passage.document_id for passage in collection.passages]
    index = bm25s.BM25()
    index.index(
        [terms(passage.embedded_text(), passage.language) for passage in collection.passages], show_progress=False
    )
    depth = min(FUSED_DEPTH, len(ids))

    def rank(question: str) -> Sequence[str]:
        asked = [
            term for term in terms(question, language_of.get(question, collection.language)) if term in index.vocab_dict
        ]
        if not asked:
            return ()
        rows, scores = index.retrieve([asked], k=depth, show_progress=False)
        return [ids[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return rank


def _stop_words(language: str) -> str | list[str]:
    """bm25s takes its lists from NLTK and has none for Arabic; NLTK's comes with LlamaIndex."""
    if language != "ar":
        return _LANGUAGES.get(language, "english")
    return (_nltk_stop_words() / "arabic").read_text(encoding="utf-8").split()


def _nltk_stop_words() -> Path:
    return package_folder() / "_static" / "nltk_cache" / "corpora" / "stopwords"


def _dense(
    collection: RetrievalSet, embedder: Embedder, vectors: NDArray[np.float32]
) -> tuple[NDArray[np.float32], Ranking]:
    """The vectors of the questions, (n_queries, dimension), and the passages in the order of their cosine to them."""
    ids = [passage.document_id for passage in collection.passages]
    questions: list[NDArray[np.float32]] = []

    def rank(question: str) -> Sequence[str]:
        questions.append(embedder.embed_query(question))
        order = np.argsort(-(vectors @ questions[-1]), kind="stable")
        return [ids[row] for row in order[:FUSED_DEPTH]]

    ranking = _timed(collection.queries, rank)
    return np.stack(questions[1:]), ranking  # the first is that of the trial


def fused(dense: Ranking, words: Ranking) -> Ranking:
    """Reciprocal rank fusion without weights: score(d) = Σ 1/(60 + rank(d)), rank 1-based. Best first; ties by id.

    It takes as long as both rankings together.

    >>> fused(Ranking({"q": ("a", "b")}, (1.0,)), Ranking({"q": ("b", "c")}, (2.0,)))
    Ranking(documents={'q': ('b', 'a', 'c')}, milliseconds=(3.0,))
    """
    documents = {}
    for query_id in dense.documents:
        scores: dict[str, float] = defaultdict(float)
        for ranking in (dense, words):
            for rank, document_id in enumerate(ranking.documents[query_id], start=1):
                scores[document_id] += 1 / (FUSION_CONSTANT + rank)
        documents[query_id] = tuple(sorted(scores, key=lambda document_id: (-scores[document_id], document_id)))
    return Ranking(documents, tuple(a + b for a, b in zip(dense.milliseconds, words.milliseconds, strict=True)))


def _timed(queries: Mapping[str, str], rank: Ranker) -> Ranking:
    rank(next(iter(queries.values())))  # the first call loads parts
    documents, milliseconds = {}, []
    for query_id, question in queries.items():
        began = time.perf_counter()
        found = rank(question)
        milliseconds.append((time.perf_counter() - began) * 1000)
        documents[query_id] = tuple(found)
    return Ranking(documents, tuple(milliseconds))
