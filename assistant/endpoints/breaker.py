"""Whether an endpoint is used: a circuit breaker (M. Nygard, Release It!, 2nd ed., 5.2).

    ready     ── two failures in a row, or a failed probe ──►  away
    away      ── the probe, after 1, 2, 4 … 60 s, succeeds ──►  on trial
    on trial  ── text comes ──►  ready        ── the request fails ──►  away
    paused    after a 429, until Retry-After

Not thread-safe by itself: whoever holds the line's lock asks and tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from assistant.endpoints.exchange import OF_THE_REQUEST, EndpointFailure, Fault

_FAILURES = 2
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_PAUSE_S = 2.0
"""After a 429 that does not say how long."""


class Breaker:
    """The state of one endpoint."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._wait_s = _FIRST_WAIT_S
        self._opened_at: float | None = None
        self._trial = False
        self._paused_until = 0.0
        self.last_fault = ""

    @property
    def away(self) -> bool:
        """No request is sent."""
        return self._opened_at is not None

    @property
    def on_trial(self) -> bool:
        """One request at a time, until one has brought text."""
        return self._trial

    @property
    def state(self) -> Literal["ready", "away", "on trial", "paused"]:
        """All of it in a word."""
        if self.away:
            return "away"
        if self.on_trial:
            return "on trial"
        return "paused" if self.pause_s else "ready"

    @property
    def pause_s(self) -> float:
        """Seconds until the endpoint wants requests again; 0 when it does."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def probe_due(self) -> bool:
        """Away for long enough to look whether it is back."""
        return self._opened_at is not None and self._clock() >= self._opened_at + self._wait_s

    def spoke(self) -> None:
        """Text comes. A trial is passed, but the next failure counts."""
        if self._trial:
            self._trial = False
            self._failures = _FAILURES - 1

    def succeeded(self) -> None:
        """An answer came to its end."""
        self._trial = False
        self._failures = 0
        self._wait_s = _FIRST_WAIT_S
        self._opened_at = None
        self.last_fault = ""

    def failed(self, failure: EndpointFailure) -> None:
        """A request or a probe failed."""
        self.last_fault = str(failure)
        if failure.fault is Fault.BUSY:
            pause_s = _PAUSE_S if failure.retry_after_s is None else failure.retry_after_s
            self._paused_until = self._clock() + pause_s
        if failure.fault in OF_THE_REQUEST:
            return
        self._failures += 1
        if self._trial:
            self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
        if self._trial or self._failures >= _FAILURES:
            self._trial = False
            self._opened_at = self._clock()

    def probed(self, failure: EndpointFailure | None = None) -> None:
        """The health probe failed, which keeps or takes the endpoint away at once; or it succeeded, and one request may try."""
        if failure is not None:
            self.last_fault = str(failure)
            self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S) if self.away else self._wait_s
            self._trial = False
            self._opened_at = self._clock()
        elif self._opened_at is not None:
            self._opened_at = None
            self._trial = True
