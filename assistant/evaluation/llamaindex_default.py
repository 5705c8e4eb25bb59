"""The ranking that a LlamaIndex user gets by default: `SentenceSplitter`, the same encoder, a `VectorStoreIndex`.

Nothing is set but the encoder and how many passages come back. Its tokenizer is the one LlamaIndex takes by default, read from
the files that come with the package; its sentence splitter is NLTK's, untrained as LlamaIndex uses it, which needs no data.
So nothing is downloaded and no OpenAI default of its `Settings` is looked up.

The one module, with `assistant.llamaindex`, that imports `llama_index`, and only inside its functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant import egress
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.evaluation.rankings import DEPTH, Ranking, best_of_each
from assistant.evaluation.sets import RetrievalSet

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding

_PASSAGES = 100
"""Asked for instead of LlamaIndex's 2, so that 20 documents are left when passages of one document are counted once."""
_TIMED = 50
_LONGEST_TITLE = 300
"""Characters: the splitter gives up where metadata alone take more than its 1,024 tokens."""
_TOKENIZER = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""The name under which tiktoken looks for cl100k_base, the tokenizer of LlamaIndex's default model."""


def llamaindex_ranking(collection: RetrievalSet, embedder: Embedder, questions: NDArray[np.float32]) -> Ranking:
    """Documents where their best passage stands; `questions` are the vectors of `collection.queries`, in their order.

    The retriever itself answers `_TIMED` questions, evenly spread, and is timed. It compares a question with every vector one at
    a time, 0.1 s for 3,000 passages; so the ranking of every question is computed from the vectors that its store holds,
    by the same rule, in one product.
    """
    index = default_index(collection, embedder)
    store: Any = index.vector_store
    vectors = np.array(list(store.data.embedding_dict.values()), dtype=np.float32)
    owners = [store.data.text_id_to_ref_doc_id[node_id] for node_id in store.data.embedding_dict]
    documents = {}
    for query_id, question in zip(collection.queries, questions, strict=True):
        order = np.argsort(-(vectors @ question), kind="stable")[:_PASSAGES]
        documents[query_id] = best_of_each(owners[row] for row in order)[:DEPTH]
    return Ranking(documents, _times(retriever_of(index), list(collection.queries.values())))


def default_index(collection: RetrievalSet, embedder: Embedder) -> VectorStoreIndex:
    """The set's documents in a `VectorStoreIndex`; a title is metadata, which LlamaIndex embeds with the text."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter

    documents = [
        Document(
            text=passage.text,
            id_=passage.document_id,
            metadata={"title": passage.title[:_LONGEST_TITLE]} if passage.title else {},
        )
        for passage in collection.passages
    ]
    splitter = SentenceSplitter(tokenizer=_tokenizer(), chunking_tokenizer_fn=_sentences())
    return VectorStoreIndex.from_documents(documents, transformations=[splitter], embed_model=embedding_of(embedder))


def retriever_of(index: VectorStoreIndex) -> Callable[[str], tuple[str, ...]]:
    """Question → document ids, by the index's own retriever."""
    retriever = index.as_retriever(similarity_top_k=_PASSAGES)

    def rank(question: str) -> tuple[str, ...]:
        return best_of_each(str(found.node.ref_doc_id) for found in retriever.retrieve(question))[:DEPTH]

    return rank


def embedding_of(embedder: Embedder) -> BaseEmbedding:
    """Our encoder as LlamaIndex wants one."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class OurEmbedding(BaseEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = embedder.embed_passages(texts).tolist()
            return rows

        def _get_query_embedding(self, query: str) -> list[float]:
            vector: list[float] = embedder.embed_query(query).tolist()
            return vector

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return OurEmbedding(model_name="the instance's encoder", embed_batch_size=256)


def package_folder() -> Path:
    """Where llama-index-core lies. Raises ConfigurationError when it is not installed."""
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise ConfigurationError("llama-index-core is not installed; run `make install`")
    return Path(spec.origin).parent


def _tokenizer() -> Callable[[str], Sequence[int]]:
    folder = package_folder() / "_static" / "tiktoken_cache"
    if not (folder / _TOKENIZER).is_file():
        raise ConfigurationError(
            f"{folder}: the tokenizer file {_TOKENIZER} is missing; install llama-index-core again"
        )
    import tiktoken

    with egress.tokenizer_files(folder):
        encoding = tiktoken.get_encoding("cl100k_base")
    return partial(encoding.encode, allowed_special="all")


def _sentences() -> Callable[[str], list[str]]:
    from llama_index.core.node_parser.text.utils import split_by_sentence_tokenizer_internal
    from nltk.tokenize import PunktSentenceTokenizer

    return partial(split_by_sentence_tokenizer_internal, tokenizer=PunktSentenceTokenizer())


def _times(rank: Callable[[str], object], questions: Sequence[str]) -> tuple[float, ...]:
    step = max(1.0, len(questions) / _TIMED)
    timed = [questions[int(number * step)] for number in range(min(_TIMED, len(questions)))]
    rank(timed[0])  # the first call loads parts
    milliseconds = []
    for question in timed:
        began = time.perf_counter()
        rank(question)
        milliseconds.append((time.perf_counter() - began) * 1000)
    return tuple(milliseconds)
