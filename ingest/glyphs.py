"""From the characters of a PDF page, in the order the file draws them, to lines of words and rows of table cells.

Two repairs belong here because they need the boxes: an Arabic lam-alef ligature whose two letters come out swapped, and brackets
that come out mirrored in right-to-left lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from assistant.types import Box
from ingest.layout import Line

_CELL_GAP = 1.3
"""In sizes of the font: with no space drawn, a gap wider than this parts two table cells."""
_WIDE_GAP = 3.0
"""The same where the file draws a space."""
_SEPARATOR = " | "
_LOOK_BACK = 6
"""A cell of a table row is rarely taller than this many lines; further back it is another column of text."""
_ARABIC = re.compile("[\u0600-\u06ff]")
_ALEFS = frozenset("اأإآ")
_MIRRORED = str.maketrans("()[]{}«»<>", ")(][}{»«><")
_OPENING, _CLOSING = "([{", ")]}"


class Character(NamedTuple):
    """One character (or the letters of one ligature) and its box in points, origin top left; all 0 when it has none."""

    text: str
    position: int
    """Position in pdfium's list of the page's characters."""
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    drawn: bool = False
    """True when there is ink."""


class CharacterStyle(NamedTuple):
    """How a stretch of characters is set; `baseline` in points from the top, None when unknown."""

    size: float
    bold: bool
    baseline: float | None


StyleOf = Callable[[Sequence[int]], CharacterStyle]


class _Cell:
    """Characters of one line that belong together, and where they stand, in points."""

    def __init__(self, characters: list[Character], style: CharacterStyle) -> None:
        drawn = [c for c in characters if c.drawn]
        self.characters, self.size, self.bold = characters, style.size, style.bold
        self.left, self.right = min(c.left for c in drawn), max(c.right for c in drawn)
        self.top, self.bottom = min(c.top for c in drawn), max(c.bottom for c in drawn)
        self.baseline = style.baseline if style.baseline is not None else self.bottom


def lines_of(characters: Sequence[Character], *, width: float, height: float, style: StyleOf) -> tuple[Line, ...]:
    """The page's lines in the order of the file. `width` and `height` of the page in points."""
    rows: list[list[_Cell]] = []
    for run in _runs(characters):
        for cell in _cells(run, style):
            _place(cell, rows)
    mirrored = _brackets_are_mirrored(rows)
    return tuple(_line(row, width, height, mirrored=mirrored) for row in rows)


def _runs(characters: Sequence[Character]) -> list[list[Character]]:
    """Characters between line breaks; runs without ink are left out."""
    runs: list[list[Character]] = [[]]
    for character in characters:
        if character.text == "\n":
            runs.append([])
        else:
            runs[-1].append(character)
    return [run for run in runs if any(character.drawn for character in run)]


def _cells(run: list[Character], style: StyleOf) -> list[_Cell]:
    """The run cut at wide gaps, in the order of the file."""
    drawn = [c.position for c in run if c.drawn]
    whole = style((drawn[0], drawn[len(drawn) // 2], drawn[-1]))
    columns = _columns(run, whole.size)
    if len(columns) == 1:
        return [_Cell(_ligatures_mended(run), whole)]
    pieces: list[tuple[int, list[Character]]] = []
    for character in run:
        number = _column_of(character, columns) if character.drawn else -1
        if character.drawn and (not pieces or pieces[-1][0] != number):
            pieces.append((number, []))
        if pieces:
            pieces[-1][1].append(character)
    return [_Cell(_ligatures_mended(piece), whole) for _, piece in pieces]


def _columns(run: Sequence[Character], size: float) -> list[tuple[float, float]]:
    """The stretches of the line, left to right, that wide gaps part from each other.

    Taken from where the ink is, not from the order of the characters: a number in an Arabic line is drawn in the other
    direction and would look like a jump.
    """
    spaces = [c for c in run if c.text == " " and c.right - c.left > 0.05 * size]
    columns: list[tuple[float, float]] = []
    for left, right in sorted((c.left, c.right) for c in run if c.drawn):
        if not columns:
            columns.append((left, right))
            continue
        start, end = columns[-1]
        gap = left - end
        if gap > size * _CELL_GAP:
            spaced = any(end - size < s.left and s.right < left + size for s in spaces)
            if gap > size * (_WIDE_GAP if spaced else _CELL_GAP):
                columns.append((left, right))
                continue
        columns[-1] = (start, max(end, right))
    return columns


def _column_of(character: Character, columns: Sequence[tuple[float, float]]) -> int:
    return next(number for number, (_, right) in enumerate(columns) if character.left <= right)


def _place(cell: _Cell, rows: list[list[_Cell]]) -> None:
    """Put a cell into the row it stands in, if it stands beside an earlier one; else let it begin a row."""
    if not rows:
        rows.append([cell])
        return
    last = rows[-1][-1]
    for back, row in enumerate(reversed(rows[-_LOOK_BACK:]), start=1):
        level = abs(row[0].baseline - cell.baseline) < 0.5 * cell.size
        if level and all(_beside(cell, other) for other in row) and (back == 1 or cell.baseline < last.baseline):
            for swallowed in rows[len(rows) - back + 1 :]:
                row.extend(swallowed)
            del rows[len(rows) - back + 1 :]
            row.append(cell)
            return
    row = rows[-1]
    below = 0.3 * cell.size < cell.baseline - last.baseline < 1.7 * cell.size
    if len(row) > 1 and below and not _beside(cell, last) and all(_beside(cell, c) for c in row if _beside(c, last)):
        row.append(cell)
    else:
        rows.append([cell])


def _beside(a: _Cell, b: _Cell) -> bool:
    """True when the two do not share any width."""
    return a.left >= b.right - 0.5 or b.left >= a.right - 0.5


def _line(row: Sequence[_Cell], width: float, height: float, *, mirrored: bool) -> Line:
    text, words, cells = "", list[tuple[int, int, Box]](), 1
    for number, cell in enumerate(row):
        if number:
            same_column = not _beside(cell, row[number - 1])
            text += " " if same_column else _SEPARATOR
            cells += not same_column
        cell_text, cell_words = _text_and_words(cell, width, height, mirrored=mirrored)
        words += [(start + len(text), end + len(text), box) for start, end, box in cell_words]
        text += cell_text
    sides = min(c.left for c in row), min(c.top for c in row), max(c.right for c in row), max(c.bottom for c in row)
    box = _box(sides, width, height)
    bold = all(cell.bold for cell in row)
    return Line(text, tuple(words), box, row[0].baseline / height, row[0].size / height, bold, cells)


def _text_and_words(
    cell: _Cell, width: float, height: float, *, mirrored: bool
) -> tuple[str, list[tuple[int, int, Box]]]:
    flip = mirrored and any(_ARABIC.search(c.text) for c in cell.characters)
    text, words = "", list[tuple[int, int, Box]]()
    start, left, right = -1, 0.0, 0.0
    for character in [*cell.characters, Character(" ", -1)]:
        if character.text.isspace():
            if start >= 0 and right > left:
                words.append((start, len(text), _box((left, cell.top, right, cell.bottom), width, height)))
            start = -1
            text += " " if text and not text.endswith(" ") else ""
            continue
        if start < 0:
            start, left, right = len(text), float("inf"), float("-inf")
        text += character.text.translate(_MIRRORED) if flip else character.text
        if character.drawn:
            left, right = min(left, character.left), max(right, character.right)
    return text.rstrip(), words


def _box(sides: tuple[float, float, float, float], width: float, height: float) -> Box:
    """Left, top, right, bottom in points as fractions of the page: inside it, at least half a thousandth wide and high."""
    left, top, right, bottom = sides
    x1, y1 = min(max(left / width, 0.0), 0.9995), min(max(top / height, 0.0), 0.9995)
    x2, y2 = min(max(right / width, x1 + 0.0005), 1.0), min(max(bottom / height, y1 + 0.0005), 1.0)
    return Box(round(x1, 5), round(y1, 5), round(x2, 5), round(y2, 5))


def _ligatures_mended(characters: list[Character]) -> list[Character]:
    """Alef and lam that share one box are one lam-alef glyph that came out reversed: put the lam first."""
    mended = list(characters)
    for index in range(len(mended) - 1):
        first, second = mended[index], mended[index + 1]
        if first.text in _ALEFS and second.text == "ل" and first.drawn and _same_box(first, second):
            mended[index] = first._replace(text=second.text)
            mended[index + 1] = second._replace(text=first.text)
    return mended


def _same_box(a: Character, b: Character) -> bool:
    return abs(a.left - b.left) < 0.01 and abs(a.right - b.right) < 0.01


def _brackets_are_mirrored(rows: Sequence[Sequence[_Cell]]) -> bool:
    """True when, in right-to-left lines, closing brackets mostly come before opening ones."""
    right_way = wrong_way = 0
    for row in rows:
        for cell in row:
            text = "".join(c.text for c in cell.characters)
            if not _ARABIC.search(text):
                continue
            brackets = [c for c in text if c in _OPENING or c in _CLOSING]
            pairs = list(itertools.pairwise(brackets))
            right_way += sum(a in _OPENING and b in _CLOSING for a, b in pairs)
            wrong_way += sum(a in _CLOSING and b in _OPENING for a, b in pairs)
    return wrong_way > right_way
