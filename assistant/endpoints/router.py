"""Streams an answer from the first endpoint that can give one.

Endpoints are tried in the order of the instance file. One that fails, before its first text or in the middle, is left for the
next; the text of the one that failed is forgotten, and the next begins from the beginning. When none is left the caller is
told, and quotes. What an endpoint does wrong never surfaces as anything else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

from assistant.endpoints.breaker import Breaker
from assistant.endpoints.client import EndpointClient, load
from assistant.endpoints.exchange import (
    Abilities,
    Broken,
    ChatMessage,
    Ended,
    EndpointDescription,
    EndpointFailure,
    EndpointState,
    Fault,
    ModelEvent,
    Need,
    Queued,
    Started,
    Stopped,
)
from assistant.endpoints.line import Lane, Line, Ticket
from assistant.endpoints.probing import Prober
from assistant.endpoints.tokens import TokenCounts, estimated_tokens
from assistant.errors import ModelsUnavailable

_LOG = logging.getLogger(__name__)

_LOOK_S = 0.25
_IDLE_PROBE_S = 30.0
"""An endpoint that nobody has used for so long is asked whether it is well."""
_COUNT_AGAIN_S = 30.0
"""A tokenizer that did not answer is left alone for so long: a question counts a dozen texts."""


class _Endpoint:
    """One endpoint with everything that belongs to it."""

    def __init__(
        self, description: EndpointDescription, clock: Callable[[], float], closed: Callable[[], bool]
    ) -> None:
        self._clock = clock
        self.description = description
        self.client = EndpointClient(description)
        self.prober = Prober(description, closed)
        self.lane = Lane(description.name, description.concurrency, Breaker(clock))
        self.abilities: Abilities | None = None
        self.asked = False
        self.counts_from = clock()
        self.heard_at = clock()

    @property
    def context_tokens(self) -> int:
        """The smaller of what is configured and what the server says."""
        said = self.abilities.context_tokens if self.abilities else None
        return min(self.description.context_tokens, said or self.description.context_tokens)

    @property
    def json_schema(self) -> bool:
        return self.abilities is not None and self.abilities.json_schema

    @property
    def tokenizer(self) -> str:
        return self.abilities.tokenizer if self.abilities else ""

    @property
    def can_count(self) -> bool:
        """llama-cpp-python counts only while it does not write; by default it even drops the answer in hand to count."""
        disturbs = self.tokenizer == "llama-cpp-python" and self.lane.running > 0
        return (
            bool(self.tokenizer) and not disturbs and not self.lane.breaker.away and self._clock() >= self.counts_from
        )

    def count_tokens(self, text: str) -> int | None:
        """Tokens of `text`; None when it does not say, and then it is not asked again for a while."""
        try:
            counted = self.prober.count_tokens(text, self.tokenizer)
        except Stopped:
            return None
        if counted is None:
            self.counts_from = self._clock() + _COUNT_AGAIN_S
        return counted


class ModelRouter:
    """All endpoints of an instance. Safe for many threads. Use it as a context, or `close` it.

    With `probing`, a thread for each endpoint asks it what it offers, now and after each absence, and whether it is back;
    without, an endpoint that failed twice stays away.
    """

    def __init__(
        self,
        endpoints: Sequence[EndpointDescription],
        *,
        wait_s: float = 60.0,
        probing: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._closed = threading.Event()
        self._endpoints = [_Endpoint(description, clock, self._closed.is_set) for description in endpoints]
        self._line = Line(wait_s, clock)
        self._counts = TokenCounts()
        self._threads: list[threading.Thread] = []
        if probing:
            self._threads = [
                threading.Thread(target=self._look_after, args=(one,), name=f"endpoint-{number}", daemon=True)
                for number, one in enumerate(self._endpoints)
            ]
            for thread in self._threads:
                thread.start()

    def __enter__(self) -> ModelRouter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop asking endpoints how they are. Streams that run come to their end."""
        self._closed.set()
        for thread in self._threads:
            thread.join(5)

    def stream(
        self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool] = lambda: False
    ) -> Generator[ModelEvent, None, None]:
        """The events of one answer. Close it to stop: slot and connection are free at once.

        `stopped` is asked at least five times a second while the endpoint is waited for. Raises ModelsUnavailable when no
        endpoint fits the need or all that do have failed, before the first piece or after some.
        """
        fitting = [one for one in self._endpoints if one.description.fits(need)]
        if not fitting:
            raise ModelsUnavailable("no language model is described for the label and the language of this question")
        ticket = self._line.join(need.reader, [one.lane for one in fitting])
        try:
            ended = None
            while ended is None:
                for place in self._line.waiting(ticket, stopped):
                    yield Queued(place)
                ended = yield from self._from_one(ticket, messages, need, stopped)
            self._line.leave(ticket)
            yield ended
        except Stopped:
            self._line.leave(ticket)
            yield Ended(complete=False, reason="stopped")
        finally:
            self._line.leave(ticket)

    def available(self, need: Need) -> bool:
        """Whether an endpoint fits and is not away. At once; asks nobody."""
        return any(not one.lane.breaker.away for one in self._fitting(need))

    def context_tokens(self, need: Need) -> int:
        """Tokens that prompt and answer together may have. Raises ModelsUnavailable when no endpoint fits the need."""
        fitting = self._fitting(need)
        if not fitting:
            raise ModelsUnavailable("no language model is described for the label and the language of this question")
        present = [one for one in fitting if not one.lane.breaker.away]
        return (present or fitting)[0].context_tokens

    def count_tokens(self, text: str, need: Need) -> int:
        """Tokens of `text` in the first endpoint that counts them and is there; an upper estimate when none does.

        To count is to send: only endpoints that fit the need are asked.
        """
        for one in self._fitting(need):
            if one.can_count:
                counted = self._counts.get(text, one.count_tokens)
                if counted is not None:
                    return counted
        return estimated_tokens(text)

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot now."""
        return self._line.length

    @property
    def probed(self) -> bool:
        """Every endpoint was asked what it offers, or is away."""
        return all(one.asked or one.lane.breaker.away for one in self._endpoints)

    def states(self) -> tuple[EndpointState, ...]:
        """Every endpoint now, in order of preference."""
        with self._line.changed:
            return tuple(_state(one) for one in self._endpoints)

    def _fitting(self, need: Need) -> list[_Endpoint]:
        return [one for one in self._endpoints if one.description.fits(need)]

    def _from_one(
        self, ticket: Ticket, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]
    ) -> Generator[ModelEvent, None, Ended | None]:
        """The pieces of the endpoint whose slot the ticket holds, and how they ended; None when the endpoint failed."""
        one = next(one for one in self._endpoints if one.lane is ticket.lane)
        started = False
        try:
            with closing(one.client.stream(messages, need, stopped, keeps_to_schema=one.json_schema)) as events:
                for event in events:
                    if isinstance(event, Ended):
                        self._tell(one, one.lane.breaker.succeeded)
                        return event
                    if not started:
                        started = True
                        self._tell(one, one.lane.breaker.spoke)
                        yield Started(one.description.name, one.description.model)
                    yield event
        except EndpointFailure as failure:
            _LOG.warning("model endpoint %s failed: %s", one.description.name, failure)
            if started and failure.fault is Fault.TOO_LONG:
                return Ended(complete=False, reason=failure.fault.value)
            if failure.fault is Fault.REJECTED and need.schema is not None and one.json_schema:
                return (yield from self._without_schema(one, ticket, messages, need, stopped))
            self._line.failed(ticket, failure)
            if started:
                yield Broken(failure.fault.value)
        return None

    def _without_schema(
        self, one: _Endpoint, ticket: Ticket, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]
    ) -> Generator[ModelEvent, None, Ended | None]:
        """Once more, in the same slot. If this is taken, it was the schema that is too much for the endpoint: no more of them."""
        ended = yield from self._from_one(ticket, messages, replace(need, schema=None), stopped)
        if ended is not None and one.abilities is not None:
            one.abilities = replace(one.abilities, json_schema=False)
        return ended

    def _tell(self, one: _Endpoint, happened: Callable[[], None]) -> None:
        with self._line.changed:
            happened()
            one.heard_at = self._clock()
            self._line.update()

    def _look_after(self, one: _Endpoint) -> None:
        """Ask one endpoint what it offers, whether it is well, and whether it is back."""
        while not self._closed.wait(_LOOK_S if one.asked else 0):
            with self._line.changed:
                due = self._probe_due(one)
                one.lane.running += due
            if due:
                try:
                    self._tell(one, self._probed(one))
                except Stopped:
                    return
                load()  # once, so that no question has to wait for it

    def _probe_due(self, one: _Endpoint) -> bool:
        """Only while nobody uses the endpoint: a small server serves one request at a time, or drops the one in hand."""
        if one.lane.breaker.away:
            return one.lane.breaker.probe_due
        unused_s = self._clock() - one.heard_at
        return one.lane.running == 0 and (one.abilities is None or unused_s > _IDLE_PROBE_S)

    def _probed(self, one: _Endpoint) -> Callable[[], None]:
        """What to note after the probe, which takes a slot while it lasts."""
        failure = None
        try:
            if one.abilities is None or one.lane.breaker.away:
                one.abilities = one.prober.abilities()
            else:
                one.prober.health()
        except EndpointFailure as error:
            failure = error

        def noted() -> None:
            one.lane.running -= 1
            one.asked = True
            one.lane.breaker.probed(failure)

        return noted


def _state(one: _Endpoint) -> EndpointState:
    breaker, description = one.lane.breaker, one.description
    return EndpointState(
        name=description.name,
        model=description.model,
        state=breaker.state,
        running=one.lane.running,
        concurrency=description.concurrency,
        languages=tuple(sorted(description.languages)),
        clearance=str(description.clearance),
        context_tokens=one.context_tokens,
        json_schema=one.json_schema,
        tokenizer=one.tokenizer,
        last_fault=breaker.last_fault,
    )
