"""From the words that OCR found on a page to its lines, and to the rows of tables that are drawn without rules.

Tesseract takes each column of a price list for a block of its own: all names, then all prices. Which price is whose shows only
where they stand. Columns of prose stand side by side just so; they are told apart by their cells, which in one column at least of
a table are short. Columns of prose keep tesseract's order, unless it read across them, as it does in Arabic.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import NamedTuple

from assistant.headings import bullet

_LARGER_SIZE = 1.3
_JOINED = 0.6
"""In sizes, less than this between two stretches of one line is the space between two words."""
_PARTED = 2.0
"""More than this inside a line parts two cells."""
_NEARLY_PARTED = 0.9
"""The same where a column of the table begins."""
_SAME_LINE = 0.5
_LEAST_ROWS = 3
_LEAST_LINES = 5
_MOST_BETWEEN = 5.0
"""In sizes: the farthest that rows of a table stand apart, from the middle of one to the middle of the next."""
_MOST_ALONE = 2
"""Lines with nothing beside them, one after the other, inside a table: a cell that goes on, a heading between rows."""
_SHORT_WORDS = 2
_SHORT_SHARE = 0.6
_FILLED_SHARE = 0.6
_RULE = re.compile(r"[|_¦\-—–=\[\]]+")
_AMOUNT = re.compile(r"[^\W\d]{0,3}\.?\s?[\d٠-٩][\d٠-٩ .,/:%-]*(?:\s?[^\W\d]{1,6}|\s?[€$£%])?")
_ARABIC_LETTER = re.compile("[\u0600-\u06ff]")


@dataclass(frozen=True, slots=True)
class OcrWord:
    """A word as tesseract found it, in pixels of the picture that it was given."""

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float
    paragraph: tuple[str, str]
    line: str

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Row(NamedTuple):
    """A line of the page: one cell, or the cells of a table's row in reading order. `size` in pixels."""

    cells: tuple[tuple[OcrWord, ...], ...]
    size: float
    new_paragraph: bool


@dataclass(slots=True)
class _Stretch:
    """Words that stand together on one line; `order` is tesseract's."""

    words: list[OcrWord]
    order: int
    line: int
    """Tesseract's line, of which this may be a part."""
    size: float
    new_paragraph: bool

    @property
    def left(self) -> float:
        return min(word.left for word in self.words)

    @property
    def right(self) -> float:
        return max(word.right for word in self.words)

    @property
    def middle(self) -> float:
        return statistics.median((word.top + word.bottom) / 2 for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(slots=True)
class _Band:
    """What stands at one height of the page, left to right."""

    stretches: list[_Stretch]
    middle: float


@dataclass(slots=True)
class _Table:
    """Rows of a table; or columns of prose whose lines tesseract took for one."""

    bands: list[_Band]
    columns: list[tuple[float, float]]
    is_table: bool


def rows(words: Sequence[OcrWord]) -> list[Row]:
    """The words as lines and rows of tables, in reading order. Empty for no words."""
    if not words:
        return []
    usual = statistics.median(word.height for word in words)
    rtl = _is_arabic(words)
    stretches = _rejoined(list(_stretches(words, usual)), usual, rtl=rtl)
    found: dict[int, list[Row]] = {}
    in_table: set[int] = set()
    for table in _tables(stretches, usual, rtl=rtl):
        members = [stretch for band in table.bands for stretch in band.stretches]
        in_table.update(stretch.order for stretch in members)
        laid = _table_rows(table, usual, rtl=rtl) if table.is_table else _column_rows(table, usual, rtl=rtl)
        found[min(stretch.order for stretch in table.bands[0].stretches)] = list(laid)
    prose = (stretch for stretch in stretches if stretch.order not in in_table)
    for _, group in groupby(prose, key=lambda stretch: stretch.line):
        parts = list(group)
        whole = tuple(word for part in parts for word in part.words)
        found[parts[0].order] = [Row((whole,), parts[0].size, parts[0].new_paragraph)]
    return [row for order in sorted(found) for row in found[order]]


# --- stretches ---------------------------------------------------------------------------------------------------


def _stretches(words: Sequence[OcrWord], usual: float) -> Iterator[_Stretch]:
    order = lines = 0
    for _, group in groupby(words, key=lambda word: word.paragraph):
        paragraph = list(group)
        size = statistics.median(word.height for word in paragraph)
        # What letters a line happens to have changes its height by a quarter; only more than that is another size.
        size = size if size > usual * _LARGER_SIZE else usual
        first = True
        for _, line in groupby(paragraph, key=lambda word: word.line):
            for part in _parts(list(line), usual):
                yield _Stretch(part, order, lines, size, first)
                order, first = order + 1, False
            lines += 1


def _parts(line: list[OcrWord], usual: float) -> Iterator[list[OcrWord]]:
    """The line cut where its words stand wide apart, but not behind the sign of a list's item."""
    part = [line[0]]
    for before, word in pairwise(line):
        if _gap(before, word) > _PARTED * usual and not _is_marker(part):
            yield part
            part = []
        part.append(word)
    yield part


def _is_marker(part: Sequence[OcrWord]) -> bool:
    text = " ".join(word.text for word in part)
    return len(text) <= 4 and (bullet(f"{text} x") or not any(map(str.isalnum, text)))


def _gap(a: OcrWord | _Stretch, b: OcrWord | _Stretch) -> float:
    """How far apart two things on one line stand; negative where they overlap."""
    return max(b.left - a.right, a.left - b.right)


def _rejoined(stretches: list[_Stretch], usual: float, *, rtl: bool) -> list[_Stretch]:
    """The stretches with those made one that only a space parts: tesseract cuts lines that begin alike into columns."""
    gone: set[int] = set()
    for band in _bands(stretches, usual):
        line = band.stretches[::-1] if rtl else band.stretches
        head = line[0]
        for other in line[1:]:
            if -_JOINED * usual < _gap(head, other) < _JOINED * usual:
                head.words.extend(other.words)
                gone.add(other.order)
            else:
                head = other
    return [stretch for stretch in stretches if stretch.order not in gone]


def _bands(stretches: Sequence[_Stretch], usual: float) -> list[_Band]:
    """What stands at the same height, from the top of the page down."""
    bands: list[_Band] = []
    for middle, stretch in sorted(((one.middle, one) for one in stretches), key=lambda pair: pair[0]):
        if bands and middle - bands[-1].middle < _SAME_LINE * usual:
            bands[-1].stretches.append(stretch)
        else:
            bands.append(_Band([stretch], middle))
    for band in bands:
        band.stretches.sort(key=lambda stretch: stretch.left)
    return bands


def _is_arabic(words: Sequence[OcrWord]) -> bool:
    letters = [letter for word in words for letter in word.text if letter.isalpha()]
    return 2 * sum(bool(_ARABIC_LETTER.match(letter)) for letter in letters) > len(letters)


# --- tables ------------------------------------------------------------------------------------------------------


def _tables(stretches: Sequence[_Stretch], usual: float, *, rtl: bool) -> Iterator[_Table]:
    run: list[_Band] = []
    for band in _bands(stretches, usual):
        several = len(band.stretches) > 1
        far = bool(run) and band.middle - run[-1].middle > _MOST_BETWEEN * usual
        if run and (far or not (several or any(len(one.stretches) > 1 for one in run[-_MOST_ALONE:]))):
            yield from _checked(run, rtl=rtl)
            run = []
        if several or run:
            run.append(band)
    yield from _checked(run, rtl=rtl)


def _checked(run: list[_Band], *, rtl: bool) -> Iterator[_Table]:
    """The run as a table, without lines before its first and behind its last row, if it is one."""
    while run and len(run[-1].stretches) == 1:
        run.pop()
    several = [band for band in run if len(band.stretches) > 1]
    if len(several) < _LEAST_ROWS or 2 * len(several) <= len(run):
        return
    usual_count = statistics.mode(len(band.stretches) for band in several)
    columns = _columns([band for band in several if len(band.stretches) == usual_count])
    cells = [[_in_column(band, column) for band in several] for column in columns]
    filled = all(sum(map(bool, column)) >= _FILLED_SHARE * len(several) for column in cells)
    if len(columns) < 2 or not filled:
        return
    values = cells[:-1] if rtl else cells[1:]
    is_table = any(_is_short(column) for column in values)
    if is_table or _runs_across(several):
        yield _Table(run, columns, is_table)


def _runs_across(several: Sequence[_Band]) -> bool:
    """True when most lines, as tesseract saw them, go on from one column into the next."""
    across = sum(len({stretch.line for stretch in band.stretches}) < len(band.stretches) for band in several)
    return len(several) >= _LEAST_LINES and 2 * across > len(several)


def _columns(bands: Sequence[_Band]) -> list[tuple[float, float]]:
    """The stretches of the page's width that cells of these rows stand in, left to right."""
    columns: list[tuple[float, float]] = []
    for left, right in sorted((stretch.left, stretch.right) for band in bands for stretch in band.stretches):
        if columns and left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(right, columns[-1][1]))
        else:
            columns.append((left, right))
    return columns


def _in_column(band: _Band, column: tuple[float, float]) -> list[_Stretch]:
    return [stretch for stretch in band.stretches if stretch.left < column[1] and column[0] < stretch.right]


def _is_short(column: Sequence[Sequence[_Stretch]]) -> bool:
    texts = [" ".join(stretch.text for stretch in cell) for cell in column if cell]
    short = sum(len(text.split()) <= _SHORT_WORDS or bool(_AMOUNT.fullmatch(text)) for text in texts)
    return short >= _SHORT_SHARE * len(texts)


def _table_rows(table: _Table, usual: float, *, rtl: bool) -> Iterator[Row]:
    """A row for each band; what stands alone in a column other than the first goes on with the cell above it."""
    first = len(table.columns) - 1 if rtl else 0
    pending: list[list[OcrWord]] | None = None
    new = True
    for band in table.bands:
        parts = [part for stretch in band.stretches for part in _cut(stretch.words, table.columns, usual)]
        places = [_place(part, table.columns) for part in parts]
        if pending is not None and len(places) == 1 and places[0] != first and pending[places[0]]:
            pending[places[0]].extend(parts[0])
            continue
        if pending is not None:
            yield _row(pending, usual, new=new, rtl=rtl)
            new = False
        pending = [[] for _ in table.columns]
        for place, part in zip(places, parts, strict=True):
            pending[place].extend(part)
    if pending is not None:
        yield _row(pending, usual, new=new, rtl=rtl)


def _cut(words: Sequence[OcrWord], columns: Sequence[tuple[float, float]], usual: float) -> Iterator[list[OcrWord]]:
    """The words cut where a gap lies before a column: a long cell may come close to the next one."""
    part = [words[0]]
    for before, word in pairwise(words):
        begins = any(abs(word.left - left) < usual or abs(word.right - right) < usual for left, right in columns)
        if _gap(before, word) > _NEARLY_PARTED * usual and begins:
            yield part
            part = []
        part.append(word)
    yield part


def _column_rows(table: _Table, usual: float, *, rtl: bool) -> Iterator[Row]:
    """The lines of each column, one column after the other."""
    lines: list[list[list[OcrWord]]] = [[] for _ in table.columns]
    for band in table.bands:
        for stretch in band.stretches:
            for part in _cut(stretch.words, table.columns, usual):
                lines[_place(part, table.columns)].append(part)
    for column in lines[::-1] if rtl else lines:
        for number, line in enumerate(column):
            yield Row((tuple(line),), usual, number == 0)


def _place(words: Sequence[OcrWord], columns: Sequence[tuple[float, float]]) -> int:
    """The number of the column that the words have most of their width in, or are nearest to."""
    first, last = min(word.left for word in words), max(word.right for word in words)
    shared = [min(last, right) - max(first, left) for left, right in columns]
    return shared.index(max(shared))


def _row(cells: Sequence[Sequence[OcrWord]], size: float, *, new: bool, rtl: bool) -> Row:
    legible = [
        tuple(replace(word, text=word.text.strip("|¦")) for word in cell if not _RULE.fullmatch(word.text))
        for cell in cells
    ]
    drawn = [cell for cell in (legible[::-1] if rtl else legible) if cell]
    return Row(tuple(drawn) or (tuple(word for cell in cells for word in cell),), size, new)
