"""The limits of one request, and whether its reader still wants it; asked at every wait of its connection."""

from __future__ import annotations

import time
from collections.abc import Callable

from assistant.endpoints.exchange import EndpointFailure, Fault, Limits, Stopped

_END_S = 5.0
"""An answer that has said why it ends has nothing more to say than that it has: so long is that waited for at most."""
_SLICE_S = 0.2
"""No wait is longer without looking whether the reader has stopped it."""


class Watch:
    """Three deadlines in turn (connected, first text, further text) under one for the whole; and a count of bytes."""

    def __init__(
        self, limits: Limits, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._stopped = stopped
        self._clock = clock
        self._bytes = 0
        self._between_s = limits.between_tokens_s
        self.begun()

    @property
    def limits(self) -> Limits:
        """What is kept to."""
        return self._limits

    def begun(self) -> None:
        """From now on a connection is waited for. Making the client does not count."""
        self._ends = self._clock() + self._limits.total_s
        self._deadline = self._clock() + self._limits.connect_s
        self._fault = Fault.UNREACHABLE

    def connect_s(self) -> float:
        """Seconds left to connect. Raises as `wait_s` does."""
        self.wait_s()
        return self._deadline - self._clock()

    def connected(self) -> None:
        """From now on the first text is waited for."""
        self._deadline = self._clock() + self._limits.first_token_s
        self._fault = Fault.SLOW

    def progressed(self) -> None:
        """Text came, or its reader comes back for more: the wait for further text begins now."""
        self._deadline = self._clock() + self._between_s
        self._fault = Fault.STALLED

    def finished(self) -> None:
        """The last text has come: only the mark of the end is waited for."""
        self._between_s = min(self._between_s, _END_S)
        self.progressed()

    def received(self, count: int) -> None:
        """Count bytes. Raises EndpointFailure beyond `answer_bytes`."""
        self._bytes += count
        if self._bytes > self._limits.answer_bytes:
            raise EndpointFailure(Fault.TOO_LARGE, f"more than {self._limits.answer_bytes} bytes")

    def wait_s(self) -> float:
        """Seconds to wait before asking again. Raises Stopped, or EndpointFailure when a limit is reached."""
        if self._stopped():
            raise Stopped
        now = self._clock()
        if now >= self._ends:
            raise EndpointFailure(Fault.TOO_LONG, f"after {self._limits.total_s:g} s")
        if now >= self._deadline:
            raise EndpointFailure(self._fault)
        return min(_SLICE_S, self._ends - now, self._deadline - now)
