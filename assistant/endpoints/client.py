"""A LlamaIndex model over one endpoint. The only module of this package that imports `llama_index` and `openai`.

LlamaIndex writes the request and reads the answer. Between it and the network stands a transport of ours: it has checked every
event before LlamaIndex sees one, and hands on one well-formed event for what each read of the socket brought.
"""

from __future__ import annotations

import gc
import json
import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
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


_STOP = re.compile(r"[.!?…؟۔:;؛\]】}\n]")
_SURE_CHARS = 16
"""After so many characters it is known whether a sentence ended before them."""
_MOST_HELD_CHARS = 120

_NO_MORE = frozenset({Fault.CUT_OFF, Fault.STALLED, Fault.TOO_LONG})

_STREAM = {"content-type": "text/event-stream"}
_DONE = b"data: [DONE]\n\n"


@cache
def load() -> None:
    """Load LlamaIndex now, and all that it loads only for its first answer: 2 s of processor and 99 MB, once (November 2026).

    What is loaded by then is taken out of the garbage collector's sight: with 216,000 objects more, each of its full passes
    stopped every stream for 0.18 s of processor.
    """
    import openai  # noqa: F401 - its import sets the level that OPENAI_LOG asks for

    logging.getLogger("openai").setLevel(logging.WARNING)  # at DEBUG it writes whole prompts down
    said = b"".join((_event({"delta": {"content": "."}}), _event({"delta": {}, "finish_reason": "stop"}), _DONE))
    canned = httpx.MockTransport(lambda _: httpx.Response(200, headers=_STREAM, content=said))
    with httpx.Client(transport=canned, trust_env=False) as http:
        for _ in _model(http, "none", "http://127.0.0.1/v1", 4096).stream_chat(
            _llama_messages([ChatMessage("user", "")])
        ):
            pass
    gc.collect()
    gc.freeze()


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
            model = _model(http, self._description.model, self._description.url, self._description.context_tokens)
            with closing(model.stream_chat(_llama_messages(messages), **request)) as responses:
                for response in responses:
                    if response.delta:
                        yield response.delta
        except OpenAIError as error:
            raise transport.reason or EndpointFailure(Fault.BROKEN_STREAM, type(error).__name__) from error


def _model(http: httpx.Client, name: str, url: str, context_tokens: int) -> OpenAILike:
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model=name,
        api_base=url,
        api_key=_NO_KEY,
        is_chat_model=True,
        is_function_calling_model=False,
        context_window=context_tokens,
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
            headers=_STREAM,
            stream=_CheckedBody(response.stream, self.check),
        )

    def close(self) -> None:
        self._network.close()


class _CheckedBody(httpx.SyncByteStream):
    def __init__(self, body: httpx.SyncByteStream, check: StreamCheck) -> None:
        self._body = body
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        tokens = _Tokens()
        for received in _until_end(self._body, self._check):
            text = tokens.handed_on(self._check.feed(received))
            if text:
                yield _event({"delta": {"content": text}})
            if self._check.done:
                break
        if tokens.held:
            yield _event({"delta": {"content": tokens.held}})
        yield _event({"delta": {}, "finish_reason": "stop"})
        yield _DONE

    def close(self) -> None:
        self._body.close()


class _Tokens:
    """Hands tokens on at once where a sentence may end, and in one piece where none can.

    openai and LlamaIndex take 0.1 ms of processor for each piece, the same for a letter and for half a sentence, and nothing can
    be said before a sentence has ended. Whether it has is seen by what follows.
    """

    def __init__(self) -> None:
        self.held = ""
        self._since_stop = 0

    def handed_on(self, text: str) -> str:
        """What goes on now that `text` has come; empty while it is held."""
        self.held += text
        stops = list(_STOP.finditer(text))
        self._since_stop = len(text) - stops[-1].end() if stops else self._since_stop + len(text)
        if not stops and self._since_stop > _SURE_CHARS and len(self.held) < _MOST_HELD_CHARS:
            return ""
        handed, self.held = self.held, ""
        return handed


def _until_end(body: Iterable[bytes], check: StreamCheck) -> Iterator[bytes]:
    """What the body holds. A connection that is cut, or kept open, after the `finish_reason` has given all it had."""
    try:
        yield from body
    except EndpointFailure as failure:
        if failure.fault not in _NO_MORE or not check.finish:
            raise


def _event(choice: dict[str, Any]) -> bytes:
    """Only what LlamaIndex looks at: openai makes an object of each field, which is most of what a token costs."""
    return b"data: " + json.dumps({"choices": [choice]}).encode("ascii") + b"\n\n"


def _response_format(schema: Any) -> dict[str, Any]:
    named = {"name": "answer", "schema": dict(schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _llama_messages(messages: Sequence[ChatMessage]) -> list[LlamaMessage]:
    from llama_index.core.base.llms.types import ChatMessage as LlamaMessage
    from llama_index.core.base.llms.types import MessageRole

    return [LlamaMessage(role=MessageRole(message.role), content=_sendable(message.text)) for message in messages]


def _sendable(text: str) -> str:
    """Without halves of surrogate pairs, which no request can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
