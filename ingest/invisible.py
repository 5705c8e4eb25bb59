"""Characters that nobody sees: what hides them in a text is kept out of it, and counted.

Zero-width characters, bidi controls and Unicode tags carry words past a reader's eye and into an index. Two kinds of invisible
character are part of the writing and stay: the joiners between letters of the Arabic script, and the soft hyphen, which the
search form rejoins words by.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

_ARABIC = "\u0600-\u060b\u060d-\u061a\u0620-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_SELECTORS = "\ufe00-\ufe0f"
_ALWAYS = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(
    f"[{_ALWAYS}]"
    f"|(?<![{_ARABIC}])[\u200c\u200d]|[\u200c\u200d](?![{_ARABIC}])"  # joiners that join no letters of the Arabic script
    f"|(?<=[{_SELECTORS}])[{_SELECTORS}]"  # a variation selector that selects nothing
)
"""Default-ignorable characters (Unicode 16, DerivedCoreProperties) but U+00AD, and the marks of interlinear annotation."""
_SUSPICIOUS = re.compile(f"[{_ALWAYS}\u200c\u200d{_SELECTORS}]")
"""Found several times faster than `_INVISIBLE`, and in most texts not at all."""


def without_invisible(text: str) -> tuple[str, int]:
    """`text` without its invisible characters, and how many there were.

    >>> without_invisible("se\u200bcret\u202e"), without_invisible("می\u200cخواهم")[1]
    (('secret', 2), 0)
    """
    if text.isascii() or not _SUSPICIOUS.search(text):
        return text, 0
    return _INVISIBLE.subn("", text)


def warning(dropped: int) -> str:
    """What the archivist is told about a document from which `dropped` invisible characters were left out."""
    plural = ("s", "were") if dropped != 1 else ("", "was")
    return f"{dropped} invisible character{plural[0]} (zero-width, bidi controls or tags) {plural[1]} left out"


class Remap:
    """Where a position of a text lies in the same text without its invisible characters."""

    def __init__(self, text: str) -> None:
        self._dropped = [match.start() for match in _INVISIBLE.finditer(text)]

    def __call__(self, position: int) -> int:
        return position - bisect_left(self._dropped, position)

    def kept(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The stretches from `start` to `end` in which no character was dropped, in positions of the old text."""
        for dropped in self._dropped[bisect_left(self._dropped, start) : bisect_left(self._dropped, end)]:
            if start < dropped:
                yield start, dropped
            start = dropped + 1
        if start < end:
            yield start, end
