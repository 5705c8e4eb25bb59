"""What the same search costs with the stores that one gets by default: qdrant-client's local mode, LlamaIndex' simple store."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.simple import SimpleVectorStore
from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery
from qdrant_client import QdrantClient, models

from assistant.index import Query
from assistant.lexical import Lexicon
from assistant.types import LANGUAGES
from tests.benchmarks.figures import milliseconds
from tests.benchmarks.synthetic import SyntheticDocument

_DEPTH = 100


def llamaindex_times(
    documents: Sequence[SyntheticDocument], queries: Sequence[Query], labels: Sequence[str]
) -> dict[str, float]:
    """Milliseconds of a filtered search in LlamaIndex' default store; by vectors alone, it has no other search."""
    store = SimpleVectorStore()
    store.add(
        [
            TextNode(
                id_=passage.id,
                text=passage.text,
                embedding=vector.tolist(),
                metadata={"label": str(passage.label)},
            )
            for document in documents
            for passage, vector in zip(document.passages, document.vectors, strict=True)
        ]
    )
    readable = MetadataFilters(filters=[MetadataFilter(key="label", value=list(labels), operator=FilterOperator.IN)])

    def search(query: Query) -> None:
        vector = query.vector.tolist() if query.vector is not None else None
        store.query(VectorStoreQuery(query_embedding=vector, similarity_top_k=_DEPTH, filters=readable))

    return milliseconds(search, queries)


def qdrant_local_times(
    documents: Sequence[SyntheticDocument], queries: Sequence[Query], labels: Sequence[str]
) -> dict[str, float]:
    """Milliseconds of a filtered hybrid search, vectors and BM25, in qdrant-client's local mode."""
    client, lexicon = QdrantClient(":memory:"), Lexicon(LANGUAGES)
    size = documents[0].vectors.shape[1]
    client.create_collection(
        "passages",
        vectors_config={"dense": models.VectorParams(size=size, distance=models.Distance.DOT)},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    for document in documents:
        points = []
        for passage, vector in zip(document.passages, document.vectors, strict=True):
            terms = lexicon.document_vector(passage.embedded_text(), passage.language)
            words = models.SparseVector(indices=list(terms.indices), values=list(terms.values))
            points.append(
                models.PointStruct(
                    id=passage.id,
                    vector={"dense": vector.tolist(), "bm25": words},
                    payload={"label": str(passage.label), "text": passage.text},
                )
            )
        client.upsert("passages", points)
    readable = models.Filter(must=[models.FieldCondition(key="label", match=models.MatchAny(any=list(labels)))])

    def search(query: Query) -> None:
        asked = sorted(query.terms)
        words = models.SparseVector(indices=asked, values=[1.0] * len(asked))
        vector = query.vector.tolist() if query.vector is not None else []
        client.query_points(
            "passages",
            prefetch=[
                models.Prefetch(query=vector, using="dense", filter=readable, limit=_DEPTH),
                models.Prefetch(query=words, using="bm25", filter=readable, limit=_DEPTH),
            ],
            query=models.FusionQuery(fusion=models.Fusion.RRF),
            limit=12,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = milliseconds(search, queries)
    client.close()
    return found
