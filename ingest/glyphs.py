"""From the characters of a PDF page, in the order the file draws them, to lines of words and rows of table cells.

Two repairs belong here because they need the boxes: an Arabic lam-alef ligature whose two letters come out swapped, and brackets
that come out mirrored in right-to-left lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from assistant.placing import page_box
from assistant.types import CharacterRun
from ingest.arabic import lam_alef_put_right
from ingest.layout import Line

CELL_GAP = 1.3
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
_BRACKET = re.compile(r"[][(){}]")


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


class Cell(NamedTuple):
    """A piece of a line: text without surrounding white space, and where its ink stands, in points from the top left."""

    text: str
    runs: tuple[CharacterRun, ...]
    """Offsets into `text`; every code point belongs to one run."""
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    baseline: float


def lines_of(cells: Iterable[Cell], *, width: float, height: float) -> tuple[Line, ...]:
    """The page's lines in the order of the file. `width` and `height` of the page in points."""
    rows: list[list[Cell]] = []
    for cell in cells:
        _place(cell, rows)
    mirrored = _brackets_are_mirrored(rows)
    return tuple(_line(row, width, height, mirrored=mirrored) for row in rows)


def cells_of(characters: Sequence[Character], style: StyleOf) -> Iterator[Cell]:
    """The page's lines, cut at wide gaps, in the order of the file."""
    for run in _runs(characters):
        yield from _cells(run, style)


def _runs(characters: Sequence[Character]) -> list[list[Character]]:
    """Characters between line breaks; runs without ink are left out."""
    runs: list[list[Character]] = [[]]
    for character in characters:
        if character.text == "\n":
            runs.append([])
        else:
            runs[-1].append(character)
    return [run for run in runs if any(character.drawn for character in run)]


def _cells(run: list[Character], style: StyleOf) -> list[Cell]:
    """The run cut at wide gaps, in the order of the file."""
    drawn = [c.position for c in run if c.drawn]
    whole = style((drawn[0], drawn[len(drawn) // 2], drawn[-1]))
    columns = columns_of(run, whole.size)
    if len(columns) == 1:
        return [_cell(_ligatures_mended(run), whole)]
    pieces: list[tuple[int, list[Character]]] = []
    for character in run:
        number = column_of(character, columns) if character.drawn else -1
        if character.drawn and (not pieces or pieces[-1][0] != number):
            pieces.append((number, []))
        if pieces:
            pieces[-1][1].append(character)
    return [_cell(_ligatures_mended(piece), whole) for _, piece in pieces]


def _cell(characters: list[Character], style: CharacterStyle) -> Cell:
    drawn = [c for c in characters if c.drawn]
    bottom = max(c.bottom for c in drawn)
    text, runs = _text_and_runs(characters)
    return Cell(
        text,
        runs,
        min(c.left for c in drawn),
        min(c.top for c in drawn),
        max(c.right for c in drawn),
        bottom,
        style.size,
        style.bold,
        style.baseline if style.baseline is not None else bottom,
    )


def _text_and_runs(characters: Sequence[Character]) -> tuple[str, tuple[CharacterRun, ...]]:
    """The characters as text, stretches of white space as one space, and which code point is which character."""
    text, runs = "", list[CharacterRun]()
    for character in characters:
        if character.text.isspace():
            if not text or text.endswith(" "):
                continue
            letters = " "
        else:
            letters = character.text
        for letter in letters:
            end = len(text)
            start, _, first = runs[-1] if runs else (0, 0, -1)
            if runs and character.position == first + end - start:
                runs[-1] = (start, end + 1, first)
            else:
                runs.append((end, end + 1, character.position))
            text += letter
    if text.endswith(" "):
        start, end, first = runs.pop()
        text = text[:-1]
        runs += [(start, end - 1, first)] if end - 1 > start else []
    return text, tuple(runs)


def columns_of(run: Sequence[Character], size: float) -> list[tuple[float, float]]:
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
        if gap > size * CELL_GAP:
            spaced = any(end - size < s.left and s.right < left + size for s in spaces)
            if gap > size * (_WIDE_GAP if spaced else CELL_GAP):
                columns.append((left, right))
                continue
        columns[-1] = (start, max(end, right))
    return columns


def column_of(character: Character, columns: Sequence[tuple[float, float]]) -> int:
    """The number of the stretch that a character stands in."""
    return next(number for number, (_, right) in enumerate(columns) if character.left <= right)


def _place(cell: Cell, rows: list[list[Cell]]) -> None:
    """Put a cell into the row it stands in, if it stands beside an earlier one; else let it begin a row."""
    if not rows:
        rows.append([cell])
        return
    last = rows[-1][-1]
    baseline, reach = cell.baseline, 0.5 * cell.size
    for back in range(1, min(_LOOK_BACK, len(rows)) + 1):
        row = rows[-back]
        if not -reach < row[0].baseline - baseline < reach:
            continue
        if all(_beside(cell, other) for other in row) and (back == 1 or baseline < last.baseline):
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


def _beside(a: Cell, b: Cell) -> bool:
    """True when the two do not share any width."""
    return a.left >= b.right - 0.5 or b.left >= a.right - 0.5


def _line(row: Sequence[Cell], width: float, height: float, *, mirrored: bool) -> Line:
    first = row[0]
    if len(row) == 1:
        text = first.text if first.text.isascii() else _arabic_mended(first.text, mirrored=mirrored)
        box = page_box(first[2:6], width, height)
        return Line(text, (), box, first.baseline / height, first.size / height, first.bold, 1, None, (first.runs,))
    text, runs, cells = "", list[tuple[CharacterRun, ...]](), 1
    for number, cell in enumerate(row):
        if number:
            same_column = not _beside(cell, row[number - 1])
            text += " " if same_column else _SEPARATOR
            cells += not same_column
        base = len(text)
        runs.append(tuple((start + base, end + base, first) for start, end, first in cell.runs) if base else cell.runs)
        text += cell.text if cell.text.isascii() else _arabic_mended(cell.text, mirrored=mirrored)
    sides = min(c.left for c in row), min(c.top for c in row), max(c.right for c in row), max(c.bottom for c in row)
    bold = all(cell.bold for cell in row)
    box = page_box(sides, width, height)
    return Line(text, (), box, first.baseline / height, first.size / height, bold, cells, None, tuple(runs))


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


def _arabic_mended(text: str, *, mirrored: bool) -> str:
    """The same text, as long as before; when it holds Arabic, with its lam-alefs and its brackets the right way round."""
    if not _ARABIC.search(text):
        return text
    return lam_alef_put_right(text.translate(_MIRRORED) if mirrored else text)


def _brackets_are_mirrored(rows: Sequence[Sequence[Cell]]) -> bool:
    """True when, in right-to-left lines, closing brackets mostly come before opening ones."""
    right_way = wrong_way = 0
    for row in rows:
        for cell in row:
            if cell.text.isascii() or not _ARABIC.search(cell.text):
                continue
            brackets = _BRACKET.findall(cell.text)
            pairs = list(itertools.pairwise(brackets))
            right_way += sum(a in _OPENING and b in _CLOSING for a, b in pairs)
            wrong_way += sum(a in _CLOSING and b in _OPENING for a, b in pairs)
    return wrong_way > right_way
