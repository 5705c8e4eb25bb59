"""The text layer of a PDF page as lines: fast where a line is plain, character by character where it is not.

A plain line takes one slice of the page's text, the boxes of its text objects and the style of its first character. A line
with anything out of the ordinary (wide gaps, letters that pdfium gives as one or as none, hidden text) is put together from its
characters and their boxes, by `ingest.glyphs`. Both ways give the same line; the tests compare them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.pdfium import Boxes, PdfPage
from ingest.arabic import Order, in_reading_order
from ingest.glyphs import CELL_GAP, Cell, Character, CharacterStyle, cells_of, column_of, columns_of, lines_of
from ingest.layout import Line

_UNEVEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u1680\u180e\u2000-\u200f\u2028-\u202e\u205f-\u206f\u3000"
    "\ufb00-\ufb06\ufb50-\ufdff\ufe00-\ufe0f\ufe70-\ufeff\uffff]"
)
"""Characters that become no letter, another one or several."""
_INVISIBLE = re.compile("[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")
_SAME_LENGTH = (
    ("\r\n", "\n\n"),
    ("\xad", "-"),
    ("\ufffe", "\xad"),
    ("\x02", "\xad"),
    ("\t", " "),
    ("\xa0", " "),
    ("\u202f", " "),
)
_HYPHENS = {0x02: "\xad", 0xFFFE: "\xad", 0xAD: "-"}
_ALEF_LAM = re.compile("[اأإآ]ل")
_SUSPICIOUS_GAP = 0.7
"""In sizes of the font, between text objects: less than the least gap that parts cells, by the width of a drawn space."""
_USUAL_SIZE = 10.0
_SUSPICIOUS_WIDTH = 0.3
"""In sizes of the font, beyond what a line's letters account for."""
_LONG_LINE = 10.0
"""In sizes of the font."""
_WORD = re.compile("[^ ]+")


class TextLayer(NamedTuple):
    """What stands in a page's text layer, in the order of the file."""

    lines: tuple[Line, ...]
    invisible: int
    """How many zero-width characters, bidi controls and tags were left out."""
    hidden: int
    """How many characters of hidden text were left out."""
    order: Order = Order.READING


def read_layer(page: PdfPage, *, hidden: frozenset[int] = frozenset(), exact: bool = False) -> TextLayer:
    """The page's lines without the text of the `hidden` objects. `exact` puts every line together from its characters."""
    text = None if hidden or exact else page.text()
    reader = _Reader(page, hidden)
    if text is None:
        cells: Iterator[Cell] = reader.cells(range(page.count))
    else:
        cells = _plain_cells(page, text, reader)
    lines, order = lines_of(cells, width=page.width, height=page.height), Order.READING
    if text is None or not text.isascii():
        lines, order = in_reading_order(lines)
    return TextLayer(lines, reader.invisible, reader.hidden, order)


# --- plain lines -------------------------------------------------------------------------------------------------


def _plain_cells(page: PdfPage, text: str, reader: _Reader) -> Iterator[Cell]:
    for old, new in _SAME_LENGTH:
        text = text.replace(old, new)
    uneven = _UNEVEN.search(text) is not None
    text = _lam_alef_mended(page, text)
    spans = _line_spans(text)
    if not spans:
        return
    firsts = [start for start, _ in spans]
    counts, boxes = page.stretches(spans)
    sizes = [size if 1.0 <= size <= 400.0 else _USUAL_SIZE for size in page.sizes(firsts)]
    baselines = page.baselines(firsts)
    lines = [
        _PlainLine(text[start:end], start, boxes_of, size, baseline)
        for (start, end), boxes_of, size, baseline in zip(spans, _grouped(boxes, counts), sizes, baselines, strict=True)
    ]
    odd = {n for n, line in enumerate(lines) if "  " in line.text or (uneven and _UNEVEN.search(line.text))}
    parted = _parted(page, [(n, line) for n, line in enumerate(lines) if n not in odd and line.boxes])
    for number, line in enumerate(lines):
        if number in odd:
            yield from reader.cells(range(line.start, line.start + len(line.text)))
        elif number in parted:
            bold = _bold(page, line)
            for start, end, box in parted[number]:
                piece = line.text[start - line.start : end - line.start]
                yield _plain_cell(piece, start, box, line, bold=bold)
        elif line.boxes:
            yield _plain_cell(line.text, line.start, _around(line.boxes), line, bold=_bold(page, line))


def _plain_cell(text: str, start: int, box: Sequence[float], line: _PlainLine, *, bold: bool) -> Cell:
    left, top, right, bottom = box
    return Cell(text, ((0, len(text), start),), left, top, right, bottom, line.size, bold, line.baseline)


class _PlainLine(NamedTuple):
    text: str
    start: int
    boxes: list[list[float]]
    """Left, top, right, bottom of the ink of each text object."""
    size: float
    baseline: float


def _grouped(boxes: Boxes, counts: Sequence[int]) -> Iterator[list[list[float]]]:
    sides, taken = boxes.tolist(), 0
    for count in counts:
        yield sides[taken : taken + count]
        taken += count


def _around(boxes: Sequence[Sequence[float]]) -> Sequence[float]:
    if len(boxes) == 1:
        return boxes[0]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _bold(page: PdfPage, line: _PlainLine) -> bool:
    bold = page.bold(line.start)
    if not bold or len(line.boxes) == 1:
        return bold
    middle = len(line.text) // 2
    middle += line.text[middle] == " "
    return page.bold(line.start + middle) and page.bold(line.start + len(line.text) - 1)


def _line_spans(text: str) -> list[tuple[int, int]]:
    spans, position = [], 0
    for part in text.split("\n"):
        bare = part.strip()
        if bare:
            start = position + (0 if part[0] == bare[0] else len(part) - len(part.lstrip()))
            spans.append((start, start + len(bare)))
        position += len(part) + 1
    return spans


def _lam_alef_mended(page: PdfPage, text: str) -> str:
    """Alef and lam that share one box are one lam-alef glyph that came out reversed: put the lam first."""
    pairs = [match.start() for match in _ALEF_LAM.finditer(text)] if not text.isascii() else []
    if not pairs:
        return text
    boxes = page.boxes([at + side for at in pairs for side in (0, 1)]).reshape(-1, 2, 4)
    same = (np.abs(boxes[:, 0] - boxes[:, 1])[:, [0, 2]] < 0.01).all(axis=1) & (boxes[:, 0, 2] > boxes[:, 0, 0])
    if not same.any():
        return text
    letters = list(text)
    for at, turned in zip(pairs, same.tolist(), strict=True):
        if turned:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


# --- cells of plain lines ----------------------------------------------------------------------------------------


_Parts = dict[int, list[tuple[int, int, Sequence[float]]]]
"""For the number of a line, its cells: positions of the first character and after the last, and the box."""


def _parted(page: PdfPage, lines: Sequence[tuple[int, _PlainLine]]) -> _Parts:
    """The cells of the lines that have more than one, by the boxes of the first and the last letter of each word."""
    doubtful = [(number, line) for (number, line), wide in zip(lines, _wider(lines), strict=True) if wide or _gap(line)]
    words = [
        [(line.start + m.start(), line.start + m.end()) for m in _WORD.finditer(line.text)] for _, line in doubtful
    ]
    if not doubtful:
        return {}
    boxes = page.boxes([at for mine in words for start, end in mine for at in (start, end - 1)]).reshape(-1, 2, 4)
    inks = np.concatenate((boxes[:, :, :2].min(axis=1), boxes[:, :, 2:].max(axis=1)), axis=1)
    gapped = _gapped(inks, [line.size for _, line in doubtful], [len(mine) for mine in words])
    return _cells(
        page,
        [(number, line, mine, ink) for (number, line), mine, ink in zip(doubtful, words, gapped, strict=True) if ink],
    )


def _gapped(inks: Boxes, sizes: Sequence[float], counts: Sequence[int]) -> list[list[list[float]]]:
    """The words' boxes of each line in which a gap is wide enough to part two cells; nothing for the other lines."""
    gaps = np.zeros(len(inks))
    gaps[:-1] = np.maximum(inks[1:, 0] - inks[:-1, 2], inks[:-1, 0] - inks[1:, 2])
    ends = np.cumsum(counts)
    gaps[ends - 1] = 0.0
    widest = np.maximum.reduceat(gaps, ends - np.array(counts))
    return [
        inks[end - count : end].tolist() if wide else []
        for end, count, wide in zip(ends.tolist(), counts, widest > CELL_GAP * np.array(sizes), strict=True)
    ]


_Words = list[tuple[int, int]]


def _cells(page: PdfPage, lines: Sequence[tuple[int, _PlainLine, _Words, list[list[float]]]]) -> _Parts:
    if not lines:
        return {}
    spaces = page.boxes([end for _, _, words, _ in lines for _, end in words[:-1]]).tolist()
    cells: list[tuple[int, int, int]] = []
    for number, line, words, inks in lines:
        drawn = [
            Character("x", at, left, top, right, bottom, True)
            for (at, _), (left, top, right, bottom) in zip(words, inks, strict=True)
        ]
        between = [Character(" ", 0, left, top, right, bottom) for left, top, right, bottom in spaces[: len(words) - 1]]
        del spaces[: len(words) - 1]
        columns = columns_of([*drawn, *between], line.size)
        if len(columns) > 1:
            numbers = [column_of(ink, columns) for ink in drawn]
            for _, group in groupby(range(len(words)), key=numbers.__getitem__):
                members = list(group)
                cells.append((number, words[members[0]][0], words[members[-1]][1]))
    counts, found = page.stretches([(start, end) for _, start, end in cells])
    parts: _Parts = {}
    for (number, start, end), box in zip(cells, _grouped(found, counts), strict=True):
        if box:
            parts.setdefault(number, []).append((start, end, _around(box)))
    return parts


def _gap(line: _PlainLine) -> bool:
    """True when a gap between two of a line's text objects may part two cells."""
    if len(line.boxes) < 2:
        return False
    limit = _SUSPICIOUS_GAP * line.size
    first, *others = sorted(line.boxes)
    reach = first[2]
    for left, _, right, _ in others:
        if left - reach > limit:
            return True
        reach = max(reach, right)
    return False


def _wider(lines: Sequence[tuple[int, _PlainLine]]) -> list[bool]:
    """For each line, whether it is wider than its letters account for: a gap inside a text object leaves no other trace.

    How wide letters are is taken from the page itself: the median of its longer lines.
    """
    if not lines:
        return []
    codes = np.frombuffer("".join([line.text for _, line in lines]).encode("utf-16-le"), np.uint16)
    starts = np.cumsum([0, *(len(line.text) for _, line in lines[:-1])])
    shares = np.add.reduceat(_LETTER_WIDTHS[np.minimum(codes, len(_LETTER_WIDTHS) - 1)], starts)
    sizes = np.array([line.size for _, line in lines])
    widths = np.array([_width(line.boxes) for _, line in lines])
    ratios = widths / (sizes * shares)
    long = shares > _LONG_LINE
    usual = _median(ratios[long].tolist())
    several = np.array([" " in line.text for _, line in lines])
    number_last = np.array([line.text[-1].isdigit() for _, line in lines])  # as in rows of tables and of contents
    wider: list[bool] = (
        several & (number_last | (widths - usual * sizes * shares > _SUSPICIOUS_WIDTH * sizes))
    ).tolist()
    return wider


def _median(values: list[float]) -> float:
    """The middle of `values`; 1 when there are none. numpy's takes 50 µs before it looks at the first."""
    values.sort()
    middle = len(values) // 2
    return (values[middle] + values[~middle]) / 2 if values else 1.0


def _width(boxes: Sequence[Sequence[float]]) -> float:
    return boxes[0][2] - boxes[0][0] if len(boxes) == 1 else max(b[2] for b in boxes) - min(b[0] for b in boxes)


def _letter_widths() -> NDArray[np.float64]:
    """Rough widths of letters in sizes of the font, as in the common proportional fonts; the last one stands for all others."""
    widths = np.full(0x180, 0.52)
    for letters, width in _WIDTHS:
        widths[[ord(letter) for letter in letters]] = width
    return widths


_WIDTHS = (
    (" .,;:!|'/\\fijltrI()[]", 0.29),
    ("ABCDEFGHJKLNOPQRSTUVXYZÀÂÇÉÈÊËÎÏÔÙÛÜ", 0.68),
    ("mwMW%@&œŒæÆ", 0.85),
    ("csvxykz", 0.49),
)
_LETTER_WIDTHS = _letter_widths()


# --- character by character --------------------------------------------------------------------------------------


class _Reader:
    """Puts lines together from characters, and counts what it leaves out."""

    def __init__(self, page: PdfPage, hidden: frozenset[int]) -> None:
        self._page, self._hidden_objects = page, hidden
        self.invisible = self.hidden = 0

    def cells(self, positions: range) -> Iterator[Cell]:
        """The cells of the lines that these characters make."""
        return cells_of(list(self._characters(positions)), self._style)

    def _characters(self, positions: range) -> Iterator[Character]:
        page = self._page
        objects = page.objects_of(positions) if self._hidden_objects else [0] * len(positions)
        boxes = page.boxes(positions).tolist()
        high = 0
        for index, code, drawn_by, (left, top, right, bottom) in zip(
            positions, page.codes(positions), objects, boxes, strict=True
        ):
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD  # noqa: PLW2901
            if drawn_by in self._hidden_objects:
                self.hidden += not chr(code).isspace()
                continue
            text = _readable(code)
            if text:
                inked = right > left and not text.isspace()
                yield (
                    Character(text, index) if text == "\n" else Character(text, index, left, top, right, bottom, inked)
                )
            elif _INVISIBLE.match(chr(min(code, 0x10FFFF))):
                self.invisible += 1

    def _style(self, positions: Sequence[int]) -> CharacterStyle:
        first = positions[0]
        size = self._page.sizes([first])[0]
        bold = all(self._page.bold(position) for position in positions)
        return CharacterStyle(size if 1.0 <= size <= 400.0 else _USUAL_SIZE, bold, self._page.baselines([first])[0])


@lru_cache(maxsize=4096)
def _readable(code: int) -> str:
    """The character as text: presentation forms and ligatures as letters.

    For the hyphen that breaks a word at a line's end pdfium gives a sign of its own and no line end; as a soft hyphen it is
    out of the way of search, which finds the whole word. A soft hyphen of the file's own is drawn, so it is a hyphen.
    """
    if code in _HYPHENS:
        return _HYPHENS[code]
    if code in (9, 10, 0x2028, 0x2029):
        return "\n" if code == 10 else " "
    if code < 32 or 0x7F <= code < 0xA0 or code == 0xFFFF or code > 0x10FFFF:
        return ""
    text = chr(code)
    if _INVISIBLE.match(text):
        return ""
    if 0xFB00 <= code <= 0xFB06 or 0xFB50 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFE:
        return unicodedata.normalize("NFKC", text).strip() or text
    return text
