"""A LlamaIndex model over one endpoint. The only module of this package that imports `llama_index` and `openai`.

LlamaIndex writes the request and reads the answer. Between it and the network stands a transport of ours: it has checked every
event before LlamaIndex sees one, and hands on one well-formed event for what each read of the socket brought.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx

from assistant.endpoints.checking import StreamCheck
from assistant.endpoints.connection import WatchedTransport, trusted
from assistant.endpoints.exchange import (
    ChatMessage,
    Ended,
    EndpointDescription,
    EndpointFailure,
    Fault,
    Need,
    Piece,
    Stopped,
)
from assistant.endpoints.watching import Watch

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import ChatMessage as LlamaMessage
    from llama_index.llms.openai_like import OpenAILike

_NO_KEY = "none"
"""openai refuses to be made without a key. The transport writes the header itself, and this never goes out."""


def load() -> None:
    """Import LlamaIndex now: 1.7 s and 99 MB once (November 2026, on two busy cores)."""
    import openai.resources.chat.completions  # noqa: F401 - else loaded by the first request


class EndpointClient:
    """Streams from one endpoint."""

    def __init__(self, description: EndpointDescription) -> None:
        self._description = description
        self._certificates = trusted(description.ca_file) if description.url.startswith("https:") else None

    def stream(
        self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool], *, keeps_to_schema: bool
    ) -> Generator[Piece | Ended, None, None]:
        """Pieces, and `Ended` last. Closing it ends the connection at once.

        Raises EndpointFailure for everything a server can do, Stopped once `stopped` says so.
        """
        load()
        watch = Watch(self._description.limits, stopped)
        transport = _CheckedTransport(self._transport(watch), self._check(watch))
        request: dict[str, Any] = {"max_tokens": need.max_tokens}
        if need.schema is not None and keeps_to_schema:
            request["response_format"] = _response_format(need.schema)
        if self._description.cache_salt:
            request["extra_body"] = {"cache_salt": self._description.cache_salt}
        with httpx.Client(transport=transport, trust_env=False, follow_redirects=False) as http:
            for text in self._texts(http, messages, request, transport):
                yield Piece(text)
                watch.progressed()
            yield transport.check.ended()

    def _transport(self, watch: Watch) -> WatchedTransport:
        return WatchedTransport(watch, key=self._description.key, certificates=self._certificates)

    def _check(self, watch: Watch) -> StreamCheck:
        names = {self._description.model, f"{self._description.model}@main", self._description.reported_as}
        return StreamCheck(frozenset(names - {""}), watch)

    def _texts(
        self, http: httpx.Client, messages: Sequence[ChatMessage], request: dict[str, Any], transport: _CheckedTransport
    ) -> Iterator[str]:
        from openai import OpenAIError

        try:
            with closing(self._model(http).stream_chat(_llama_messages(messages), **request)) as responses:
                for response in responses:
                    if response.delta:
                        yield response.delta
        except OpenAIError as error:
            raise transport.reason or EndpointFailure(Fault.BROKEN_STREAM, type(error).__name__) from error

    def _model(self, http: httpx.Client) -> OpenAILike:
        from llama_index.llms.openai_like import OpenAILike

        return OpenAILike(
            model=self._description.model,
            api_base=self._description.url,
            api_key=_NO_KEY,
            is_chat_model=True,
            is_function_calling_model=False,
            context_window=self._description.context_tokens,
            temperature=0.0,
            max_retries=0,
            http_client=http,
        )


class _CheckedTransport(httpx.BaseTransport):
    """Answers with events that have been checked."""

    def __init__(self, network: WatchedTransport, check: StreamCheck) -> None:
        self._network = network
        self.check = check
        self.reason: EndpointFailure | Stopped | None = None
        """Why no response came about: openai wraps what a transport raises."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._network.handle_request(request)
            kind = response.headers.get("content-type", "")
            if not kind.lower().startswith("text/event-stream"):
                raise EndpointFailure(Fault.NOT_A_STREAM)
        except (EndpointFailure, Stopped) as failure:
            self.reason = failure
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        return httpx.Response(
            200,
            headers={"content-type": "text/event-stream"},
            stream=_CheckedBody(response.stream, self.check),
        )

    def close(self) -> None:
        self._network.close()


class _CheckedBody(httpx.SyncByteStream):
    def __init__(self, body: httpx.SyncByteStream, check: StreamCheck) -> None:
        self._body = body
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        for received in _until_end(self._body, self._check):
            text = self._check.feed(received)
            if text:
                yield _event({"content": text}, None)
            if self._check.done:
                break
        yield _event({}, "stop")
        yield b"data: [DONE]\n\n"

    def close(self) -> None:
        self._body.close()


def _until_end(body: Iterable[bytes], check: StreamCheck) -> Iterator[bytes]:
    """What the body holds. A connection that is cut after the `finish_reason` has given all it had."""
    try:
        yield from body
    except EndpointFailure as failure:
        if failure.fault is not Fault.CUT_OFF or not check.finish:
            raise


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    content = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [choice]}
    return b"data: " + json.dumps(content).encode("ascii") + b"\n\n"


def _response_format(schema: Any) -> dict[str, Any]:
    named = {"name": "answer", "schema": dict(schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _llama_messages(messages: Sequence[ChatMessage]) -> list[LlamaMessage]:
    from llama_index.core.base.llms.types import ChatMessage as LlamaMessage
    from llama_index.core.base.llms.types import MessageRole

    return [LlamaMessage(role=MessageRole(message.role), content=message.text) for message in messages]
