"""The assistant's retrieval as a LlamaIndex retriever, for a pipeline of a ministry's own.

`AssistantRetriever` searches an instance that this process has open; `ServiceRetriever` asks a running service, which it must
when one runs, since an index belongs to one process. Neither can be made without somebody to search for: what that reader may
not read is not in the results, and changes nothing in them. docs/llamaindex.md has an example that runs.

With `assistant.evaluation.llamaindex_default` the only module that imports `llama_index`. Nothing else of this package imports
this module: whoever does pays for loading LlamaIndex.
"""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from assistant.access import Principal
from assistant.client import ServiceClient
from assistant.index import Route
from assistant.retrieval import Retriever
from assistant.types import Passage

READ_BY_ENCODERS = ("title", "headings")
"""The metadata that goes into a text to be embedded, as in the assistant's own index."""
READ_BY_MODELS = (*READ_BY_ENCODERS, "file_name", "page", "date")
"""The metadata that goes into a prompt. Ids, spans and labels stay out of both; they are there for the program."""

_KEPT = ("version", "title", "headings", "file_name", "label", "language", "date")
_SAME = ("id", "document_id", "version", "title", "file_name", "text", "language", "date")


class AssistantRetriever(BaseRetriever):
    """The passages that the assistant itself would answer from, best first, as nodes with text, score and metadata.

    `principal` is whoever the results are for. Make one retriever for each reader, never one for all of them. At most `k`
    passages come back, repeats of the same words counted once; none for a question without words. With `abstaining`, none do when
    the assistant would not answer from them.
    """

    def __init__(self, retriever: Retriever, principal: Principal, *, k: int = 12, abstaining: bool = False) -> None:
        if not isinstance(principal, Principal):
            raise TypeError("a principal is required: the reader whom the results are for, as sign-in gives it")
        super().__init__()
        self._assistant_retriever = retriever
        self._principal = principal
        self._k = k
        self._abstaining = abstaining

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if not query_bundle.query_str.strip():
            return []
        found = self._assistant_retriever.evidence(query_bundle.query_str, None, self._principal, k=self._k)
        if self._abstaining and not self._assistant_retriever.sufficient(found):
            return []
        return [_node(scored.score, _metadata_and_text(scored.passage)) for scored in found.passages]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ServiceRetriever(BaseRetriever):
    """The service's search as nodes; the reader is the one whose key or session `client` was made with.

    It is the ranking that evidence starts from: repeats of the same words are in it each, and no section makes room for others.
    At most `k` passages, 1 to 100, for a question of at most 2,000 characters; the service refuses others (InvalidRequest).
    """

    def __init__(self, client: ServiceClient, *, k: int = 12, route: Route = "hybrid") -> None:
        if not isinstance(client, ServiceClient):
            raise TypeError("a client is required, made with the key or session of the reader whom the results are for")
        super().__init__()
        self._client = client
        self._k = k
        self._route = route

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if not query_bundle.query_str.strip():
            return []
        results = self._client.search(query_bundle.query_str, k=self._k, route=self._route)["results"]
        return [_node(result["score"], result["passage"]) for result in results]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _metadata_and_text(passage: Passage) -> dict[str, Any]:
    same = {name: getattr(passage, name) for name in _SAME}
    span = {"start": passage.span.start, "end": passage.span.end}
    lists = {"headings": list(passage.headings), "page_numbers": list(passage.page_numbers)}
    return same | lists | {"span": span, "label": str(passage.label)}


def _node(score: float, passage: dict[str, Any]) -> NodeWithScore:
    """The node of a passage as the service sends it. `page` is where it begins; None for formats without pages."""
    pages, span = passage["page_numbers"], passage["span"]
    metadata = {name: passage[name] for name in ("document_id", *_KEPT)}
    metadata |= {"page": pages[0] if pages else None, "page_numbers": pages, "start": span["start"], "end": span["end"]}
    node = TextNode(
        id_=passage["id"],
        text=passage["text"],
        metadata=metadata,
        excluded_embed_metadata_keys=[name for name in metadata if name not in READ_BY_ENCODERS],
        excluded_llm_metadata_keys=[name for name in metadata if name not in READ_BY_MODELS],
        start_char_idx=span["start"],
        end_char_idx=span["end"],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage["document_id"])},
    )
    return NodeWithScore(node=node, score=score)
