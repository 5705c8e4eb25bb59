"""Answers on their way to a reader, in threads of their own, given up as soon as the reader leaves.

An answer that waits for a model holds a thread for as long as the model takes. With the framework's own forty threads, forty
such answers would keep everybody from so much as listing a document, so these have a limit of their own. And the framework
looks whether a client is still there only between two pieces: here it is watched all the time.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Generator
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from assistant.types import Answer, AnswerEvent, AnswerReady

_MOST_ANSWERS = 256
"""Answers on their way at the same time; who comes after waits for one of them to end."""
_threads: RunVar[anyio.CapacityLimiter] = RunVar("threads of answers")
_T = TypeVar("_T")


class Leaving:
    """Whether the reader has left. `stopped` is for `Assistant.stream`."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self.stopped: Callable[[], bool] = self._gone.is_set

    def gone(self) -> None:
        """The reader has left, or everything is said."""
        self._gone.set()

    async def watch(self, receive: Receive) -> None:
        """Wait until the reader leaves. Given up with the request, it counts as leaving: the service stops."""
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.gone()


class AnswerStream(StreamingResponse):
    """The pieces of one answer as server-sent events. Whatever happens, the generator is closed at the end."""

    media_type = "text/event-stream"

    def __init__(self, pieces: Generator[bytes, None, None], leaving: Leaving) -> None:
        super().__init__(self._sent(), headers={"cache-control": "no-store"})
        self._pieces = pieces
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        async with anyio.create_task_group() as group:
            group.start_soon(self._leaving.watch, receive)
            try:
                await self.stream_response(send)
            except OSError:
                pass  # the reader's connection is gone, which is what leaving means
            finally:
                self._leaving.gone()
                with anyio.CancelScope(shield=True):
                    await in_thread(self._pieces.close)
                group.cancel_scope.cancel()

    async def _sent(self) -> AsyncIterator[bytes]:
        while not self._leaving.stopped():
            piece = await in_thread(lambda: next(self._pieces, None))
            if piece is None:
                return
            yield piece


async def finished(events: Generator[AnswerEvent, None, None], request: Request, leaving: Leaving) -> Answer | None:
    """The answer at the end of these events; None when the reader left before. Raises what they raise."""
    answer, failure = None, None
    async with anyio.create_task_group() as group:
        group.start_soon(leaving.watch, request.receive)
        try:
            answer = await in_thread(lambda: _answer_of(events))
        except Exception as error:
            failure = error  # raised below: a task group would wrap it
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return answer


async def in_thread(call: Callable[[], _T]) -> _T:
    """What `call` returns, from one of the threads that are there for answers."""
    try:
        limiter = _threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_ANSWERS)
        _threads.set(limiter)
    return await anyio.to_thread.run_sync(call, limiter=limiter)


def _answer_of(events: Generator[AnswerEvent, None, None]) -> Answer | None:
    for event in events:
        if isinstance(event, AnswerReady):
            return event.answer
    return None
