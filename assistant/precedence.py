"""Questions go before ingestion: who works in the background asks here, between two small pieces of work, whether to wait.

One for the process, as the processor is one: `QUESTIONS`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NICE = 10
_this_thread = threading.local()


def work_in_background() -> None:
    """From here on this thread gives way: the system runs others first, and the encoder has a lane of its own for it."""
    if not in_background():
        _this_thread.background = True
        with suppress(AttributeError, OSError):  # Linux alone gives each thread a priority of its own
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def in_background() -> bool:
    """True when this thread works in the background."""
    return getattr(_this_thread, "background", False)


class Precedence:
    """Knows whether a question is being answered, and when the last one was."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_flight = 0
        self._last = float("-inf")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """For the length of the block a question is being answered. One asked in the background nobody waits for: not counted."""
        if in_background():
            yield
            return
        with self._changed:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._last = time.monotonic()
                self._changed.notify_all()

    def asked_within(self, seconds: float) -> bool:
        """True when a question is being answered, or was in the last `seconds`."""
        with self._changed:
            return self._in_flight > 0 or time.monotonic() - self._last < seconds

    def give_way(self, at_most_s: float) -> None:
        """Wait until no question is being answered, at most `at_most_s`: background work slows down, and never stops."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0, timeout=at_most_s)


QUESTIONS = Precedence()
