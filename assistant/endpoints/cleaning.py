"""Text of a model without what can deceive a reader or a terminal.

Gone are: NUL and the other control characters except line feed and tab; ANSI escape sequences, also when they are cut in two;
bidi controls and marks (Unicode TR 9), zero-width characters that join nothing, Unicode tags, noncharacters and halves of
surrogate pairs. U+200C and U+200D stay: Arabic script needs them.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences (ECMA-48, 5.4): colour, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # operating system commands: title, link
    r"|\x1b[^\[\]]"
)
_UNFINISHED = re.compile(r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*\x1b?|\x1b)\Z")
_LONGEST_UNFINISHED = 2_000
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_LINES = re.compile("\r\n?|[\u0085\u2028\u2029]")


class Cleaner:
    """Cleans the pieces of one answer in their order.

    >>> cleaner = Cleaner()
    >>> [cleaner.cleaned(piece) for piece in ("Dix\\0 jours\\x1b", "[31m ouvrés", "\\u202e.")]
    ['Dix jours', ' ouvrés', '.']
    """

    def __init__(self) -> None:
        self._held = ""
        """The beginning of an escape sequence, or a carriage return, whose rest may come with the next piece."""

    def cleaned(self, piece: str) -> str:
        """`piece` without what is unwanted; what is held back of it comes with a later one, or not at all."""
        text = self._held + piece
        self._held = ""
        if text.isascii() and text.isprintable():
            return text
        unfinished = _UNFINISHED.search(text)
        if unfinished and len(text) - unfinished.start() <= _LONGEST_UNFINISHED:
            text, self._held = text[: unfinished.start()], text[unfinished.start() :]
        elif text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        return _UNWANTED.sub("", _LINES.sub("\n", _ESCAPES.sub("", text)))
