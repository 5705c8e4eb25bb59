"""A test seam: every place where ingestion changes something outside its own memory announces itself first.

    side_effect("index.replace")

In production nobody listens and nothing happens. The tests of recovery listen, and kill the process, or make it slow, at the
n-th announcement; there is no setting and no environment variable that could do so.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str], None]
_listeners: list[Listener] = []


def side_effect(name: str) -> None:
    """Say that `name` is about to happen. Called from any thread."""
    for listener in _listeners:
        listener(name)


def listen(listener: Listener) -> None:
    """Have `listener` called before every side effect from now on, in the thread that makes it."""
    _listeners.append(listener)


def stop_listening() -> None:
    """Forget all listeners."""
    _listeners.clear()
