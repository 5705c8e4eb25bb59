"""Whether the Arabic of a page came out in reading order, and the repair where that is certain.

Some programs write Arabic into a PDF letter by letter from left to right, so that its text layer reads back to front. Word
endings tell: ta marbuta and alef maksura only ever end a word, and the article only ever begins one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby

from assistant.types import CharacterRun
from ingest.layout import Line

_WORD = re.compile("[\u0621-\u064a]{4,}")
_ENOUGH_WORDS = 5
_FEW = 4
"""Fewer signs than one in so many mean nothing: some words do end like that."""
_CERTAIN = 3
"""This many times as many signs for one order as for the other."""
_LEFT_TO_RIGHT = re.compile(r"[0-9A-Za-zÀ-ÿ٠-٩]+(?:[.,:/@_\-–][0-9A-Za-zÀ-ÿ٠-٩]+)*")
_MIRRORED = str.maketrans("()[]{}«»<>", ")(][}{»«><")
# "األ" for "الأ" and "اال" for "الا": a lam-alef turned round. No word begins with two alefs, so nothing else can be meant.
_TURNED = re.compile("(?<![\u0621-\u064a])([وفبك]?ا)([اأإآ])ل(?=[\u0621-\u064a])")


class Order(StrEnum):
    """How a page's Arabic came out."""

    READING = "reading"
    """From the first letter to the last, or too little Arabic to tell."""
    MENDED = "mended"
    """Back to front, and put right."""
    UNCLEAR = "unclear"
    """Not in reading order, and no repair is certain."""


def in_reading_order(lines: Sequence[Line]) -> tuple[tuple[Line, ...], Order]:
    """The lines with their Arabic in reading order, and what had to be done for that."""
    right, wrong = _signs(line.text for line in lines)
    if wrong < _ENOUGH_WORDS or wrong * _FEW <= right:
        return tuple(lines), Order.READING
    turned = tuple(_turned(line) for line in lines)
    right_then, wrong_then = _signs(line.text for line in turned)
    if wrong >= _CERTAIN * right and right_then >= _CERTAIN * max(1, wrong_then):
        return turned, Order.MENDED
    return tuple(lines), Order.UNCLEAR


def lam_alef_put_right(text: str) -> str:
    """`text` with turned lam-alefs after an article's alef put right; as long as before."""
    return _TURNED.sub(r"\1ل\2", text)


def _signs(texts: Iterable[str]) -> tuple[int, int]:
    """How many words look as if they were in reading order, and how many as if they were back to front."""
    right = wrong = 0
    for text in texts:
        for word in _WORD.findall(text):
            right += word.startswith("ال") or word[-1] in "ةى"
            wrong += word.endswith("لا") or word[0] in "ةى"
    return right, wrong


def _turned(line: Line) -> Line:
    """The line with each of its pieces that hold Arabic turned round; numbers and Latin words keep their direction."""
    text, runs = line.text, []
    for piece in line.runs:
        start, end = piece[0][0], piece[-1][1]
        if not _WORD.search(text[start:end]):
            runs.append(piece)
            continue
        letters = [
            (text[left + offset], first + offset) for left, right, first in piece for offset in range(right - left)
        ]
        turned = _turned_letters(letters)
        text = text[:start] + "".join(letter for letter, _ in turned) + text[end:]
        runs.append(_as_runs(turned, start))
    return line._replace(text=text, runs=tuple(runs))


def _turned_letters(letters: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    # Several letters of one glyph were in order among themselves already.
    glyphs = [list(group) for _, group in groupby(letters, key=lambda letter: letter[1])]
    turned = [(letter.translate(_MIRRORED), at) for glyph in reversed(glyphs) for letter, at in glyph]
    for match in _LEFT_TO_RIGHT.finditer("".join(letter for letter, _ in turned)):
        turned[match.start() : match.end()] = reversed(turned[match.start() : match.end()])
    return turned


def _as_runs(letters: Sequence[tuple[str, int]], start: int) -> tuple[CharacterRun, ...]:
    runs: list[CharacterRun] = []
    for offset, (_, position) in enumerate(letters, start=start):
        if runs and position == runs[-1][2] + offset - runs[-1][0]:
            runs[-1] = (runs[-1][0], offset + 1, runs[-1][2])
        else:
            runs.append((offset, offset + 1, position))
    return tuple(runs)
