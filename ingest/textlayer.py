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
from typing import NamedTuple

import numpy as np

from assistant.pdfium import PdfPage
from ingest.glyphs import Cell, Character, CharacterStyle, cells_of, lines_of
from ingest.layout import Line

_UNEVEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u1680\u180e\u2000-\u200f\u2028-\u202e\u205f-\u206f\u3000"
    "\ufb00-\ufb06\ufb50-\ufdff\ufe00-\ufe0f\ufe70-\ufeff\uffff]"
)
"""Characters that become no letter, another one or several."""
_INVISIBLE = re.compile("[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")
_SAME_LENGTH = (
    ("\r\n", "\n\n"),
    ("\ufffe", "-"),
    ("\x02", "-"),
    ("\xad", "-"),
    ("\t", " "),
    ("\xa0", " "),
    ("\u202f", " "),
)
_ALEF_LAM = re.compile("[اأإآ]ل")
_SUSPICIOUS_GAP = 0.7
"""In sizes of the font, between text objects: less than the least gap that parts cells, by the width of a drawn space."""
_USUAL_SIZE = 10.0
_WIDEST = 1.0
"""In sizes of the font: no line is wider than this for each of its characters, unless its spaces are enormous."""


class TextLayer(NamedTuple):
    """What stands in a page's text layer, in the order of the file."""

    lines: tuple[Line, ...]
    invisible: int
    """How many zero-width characters, bidi controls and tags were left out."""
    hidden: int
    """How many characters of hidden text were left out."""


def read_layer(page: PdfPage, *, hidden: frozenset[int] = frozenset(), exact: bool = False) -> TextLayer:
    """The page's lines without the text of the `hidden` objects. `exact` puts every line together from its characters."""
    text = None if hidden or exact else page.text()
    if text is None:
        reader = _Reader(page, hidden)
        cells: Iterator[Cell] = reader.cells(range(page.count))
        lines = lines_of(cells, width=page.width, height=page.height)
        return TextLayer(lines, reader.invisible, reader.hidden)
    reader = _Reader(page, hidden)
    lines = lines_of(_plain_cells(page, text, reader), width=page.width, height=page.height)
    return TextLayer(lines, reader.invisible, 0)


# --- plain lines -------------------------------------------------------------------------------------------------


def _plain_cells(page: PdfPage, text: str, reader: _Reader) -> Iterator[Cell]:
    for old, new in _SAME_LENGTH:
        text = text.replace(old, new)
    text = _lam_alef_mended(page, text)
    spans = _line_spans(text)
    if not spans:
        return
    firsts = [start for start, _ in spans]
    counts, boxes = page.stretches(spans)
    sizes = [size if 1.0 <= size <= 400.0 else _USUAL_SIZE for size in page.sizes(firsts)]
    baselines = page.baselines(firsts)
    uneven = _UNEVEN.search(text) is not None
    gapped = _gapped(page, text, spans, sizes)
    sides, at = boxes.tolist(), 0
    for number, ((start, end), count, size) in enumerate(zip(spans, counts, sizes, strict=True)):
        mine, at = sides[at : at + count], at + count
        piece = text[start:end]
        if (
            number in gapped
            or "  " in piece
            or (uneven and _UNEVEN.search(piece))
            or _stands_apart(mine, size, len(piece))
        ):
            yield from reader.cells(range(start, end))
        elif mine:
            bold = page.bold(start) and (count == 1 or _all_bold(page, piece, start))
            yield _plain_cell(piece, start, mine, CharacterStyle(size, bold, baselines[number]))


def _line_spans(text: str) -> list[tuple[int, int]]:
    spans, position = [], 0
    for part in text.split("\n"):
        bare = part.strip()
        if bare:
            start = position + (0 if part[0] == bare[0] else len(part) - len(part.lstrip()))
            spans.append((start, start + len(bare)))
        position += len(part) + 1
    return spans


def _plain_cell(text: str, start: int, boxes: Sequence[Sequence[float]], style: CharacterStyle) -> Cell:
    if len(boxes) == 1:
        left, top, right, bottom = boxes[0]
    else:
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    baseline = bottom if style.baseline is None else style.baseline
    return Cell(text, ((0, len(text), start),), left, top, right, bottom, style.size, style.bold, baseline)


def _stands_apart(boxes: list[list[float]], size: float, characters: int) -> bool:
    """True when a gap between two of a line's text objects may part two cells."""
    if not boxes:
        return False
    reach = boxes[0][2]
    begin = boxes[0][0]
    if len(boxes) > 1:
        limit = _SUSPICIOUS_GAP * size
        boxes = sorted(boxes)
        begin, reach = boxes[0][0], boxes[0][2]
        for left, _, right, _ in boxes:
            if left - reach > limit:
                return True
            reach = max(reach, right)
    return reach - begin > _WIDEST * size * characters


def _gapped(page: PdfPage, text: str, spans: Sequence[tuple[int, int]], sizes: Sequence[float]) -> set[int]:
    """Numbers of the lines in which a text object leaves a gap, without drawing a space, that may part two cells."""
    spaces = [match.start() for match in re.finditer(r"(?<=[^\n ]) (?=[^\n ])", text)]
    made_up = [at for at, generated in zip(spaces, page.generated(spaces), strict=True) if generated]
    if not made_up:
        return set()
    around = page.objects_of([at + side for at in made_up for side in (-1, 1)])
    inner = [at for at, one, other in zip(made_up, around[::2], around[1::2], strict=True) if one == other]
    if not inner:
        return set()
    boxes = page.boxes([at + side for at in inner for side in (-1, 1)]).reshape(-1, 2, 4)
    gaps = np.maximum(boxes[:, 1, 0] - boxes[:, 0, 2], boxes[:, 0, 0] - boxes[:, 1, 2])
    lines = np.searchsorted(np.array([start for start, _ in spans]), inner, side="right") - 1
    wide = gaps > _SUSPICIOUS_GAP * np.array(sizes)[lines]
    return set(lines[wide].tolist())


def _all_bold(page: PdfPage, piece: str, start: int) -> bool:
    middle = len(piece) // 2
    middle += piece[middle] == " "
    return page.bold(start + middle) and page.bold(start + len(piece) - 1)


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
    """The character as text: presentation forms and ligatures as letters, end-of-line hyphens as hyphens."""
    if code in (0x02, 0xFFFE, 0xAD):
        return "-"
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
