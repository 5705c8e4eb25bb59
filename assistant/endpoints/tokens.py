"""How many tokens a text has: as an endpoint counts it, remembered; or an upper estimate."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

_KEPT = 4096


class TokenCounts:
    """Remembers what an endpoint has counted: the same passages come again and again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[int, int] = OrderedDict()

    def get(self, text: str, count: Callable[[str], int | None]) -> int | None:
        """The count of `text`, from memory or by `count`; None when it gives none, and then nothing is remembered."""
        key = hash(text)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        counted = count(text)
        if counted is not None:
            with self._lock:
                self._known[key] = counted
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return counted


def estimated_tokens(text: str) -> int:
    """An upper estimate for vocabularies of open models: two ASCII letters a token, any other character by its bytes.

    A byte-level vocabulary never needs more than a token a byte.
    """
    ascii_chars = sum(map(str.isascii, text))
    rest = len(text.encode("utf-8", "replace")) - ascii_chars
    return -(-ascii_chars // 2) + rest + 1
