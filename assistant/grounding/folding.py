"""A text in the form in which it is compared, with the way back to the text as it is stored.

Two strings of the same length: `cased`, and `text` in lower case without accents. Each character knows which code point of the
original it came from, so whatever is found in the folded text becomes a `Span` of the original.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from assistant.types import Span

_INVISIBLE = frozenset("\u00ad\u061c\u2060\u2061\u2062\u2063\u2064\ufeff\u0640\u0670").union(
    *(map(chr, range(first, last + 1)) for first, last in (
        (0x0300, 0x036F), (0x0610, 0x061A), (0x064B, 0x065F), (0x06D6, 0x06DC), (0x06DF, 0x06E8), (0x06EA, 0x06ED),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069),
    ))
)  # fmt: skip
_ALIKE = {
    **dict.fromkeys("’ʼ‘‛′＇`´", "'"), **dict.fromkeys("“”„«»‹›", '"'), **dict.fromkeys("‐‑‒–—−", "-"),
    **dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "٫": ".", "٬": ",",
    "٪": "%", "…": "...", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE",
}  # fmt: skip
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-‐\u00ad][ \t]*\r?\n[ \t]*(?=[a-zà-ÿ])")


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Folded:
    """`text[i]` and `cased[i]` stand for the code point `origins[i]` of the original."""

    text: str
    cased: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The original's span of the characters `start:end`, which must not be empty."""
        return Span(self.origins[start], self.origins[end - 1] + 1)


def folded(text: str) -> Folded:
    """`text` in lower case without accents, Arabic marks, invisible characters and line-end hyphens; quotes and dashes plain.

    >>> folded("Récep-\\ntion le ١٢").text
    'reception le 12'
    """
    joined: set[int] = set()
    for match in _BROKEN_WORD.finditer(text):
        joined.update(range(match.start(), match.end()))
    cased: list[str] = []
    lower: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        if place in joined:
            continue
        for one, bare in _forms(character):
            cased.append(one)
            lower.append(bare)
            origins.append(place)
    return Folded("".join(lower), "".join(cased), tuple(origins))


@lru_cache(4096)
def _forms(character: str) -> tuple[tuple[str, str], ...]:
    """The (cased, lower and bare) characters that stand for one code point."""
    if character in _INVISIBLE:
        return ()
    found = []
    for one in unicodedata.normalize("NFKC", _ALIKE.get(character, character)):
        for plain in _ALIKE.get(one, one):
            if plain.isdigit():
                plain = str(unicodedata.digit(plain))  # noqa: PLW2901 - Arabic-Indic digits
            if plain in _INVISIBLE:
                continue
            bare = unicodedata.normalize("NFD", plain)[0] if plain.isascii() or "\u00c0" <= plain <= "\u024f" else plain
            found.append((plain, bare.lower()[0] if bare != "ø" else "o"))
    return tuple(found)
