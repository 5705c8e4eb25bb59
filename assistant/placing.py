"""Where the words of a PDF page stand, computed when somebody first looks at the page.

Reading a PDF for its text keeps, for each piece of a line, which of pdfium's characters its letters are (`Page.runs`); the
boxes of the same characters are exact whenever they are asked for, since the original never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.types import Box, CharacterRun, Page, Span, Word

if TYPE_CHECKING:
    from assistant.pdfium import PdfPage

_WORD = re.compile(r"\S+")


def place_words(
    file: Path, page_number: int, text: str, start: int, runs: Sequence[Sequence[CharacterRun]]
) -> tuple[Word, ...]:
    """The words of a page (1-based), in the order of `runs`. `text` is the page's text, `start` its place in the document's."""
    import pypdfium2

    from assistant.pdfium import open_page

    document = pypdfium2.PdfDocument(file)
    try:
        with open_page(document, page_number - 1) as page:
            return tuple(_words(page, runs, text, start))
    finally:
        document.close()


def _words(page: PdfPage, pieces: Sequence[Sequence[CharacterRun]], text: str, start: int) -> Iterator[Word]:
    """The words of each piece of a line: each as wide as its own ink, all as high as the piece's."""
    positions = [at + offset for piece in pieces for left, right, at in piece for offset in range(right - left)]
    boxes, taken = page.boxes(positions).tolist(), 0
    for piece in pieces:
        first, last = piece[0][0], piece[-1][1]
        letters = text[first - start : last - start]
        mine = boxes[taken : taken + len(letters)]
        taken += len(letters)
        inked = [
            box if box[2] > box[0] and not letter.isspace() else None for box, letter in zip(mine, letters, strict=True)
        ]
        top = min((box[1] for box in inked if box), default=0.0)
        bottom = max((box[3] for box in inked if box), default=0.0)
        for match in _WORD.finditer(letters):
            own = [box for box in inked[match.start() : match.end()] if box]
            if own:
                sides = min(box[0] for box in own), top, max(box[2] for box in own), bottom
                span = Span(first + match.start(), first + match.end())
                yield Word(span, fraction_box(sides, page.width, page.height))


def fraction_box(sides: tuple[float, float, float, float], width: float, height: float) -> Box:
    """Left, top, right, bottom in points as fractions of the page: inside it, at least half a thousandth wide and high."""
    box = page_box(sides, width, height)
    return Box(round(box.left, 5), round(box.top, 5), round(box.right, 5), round(box.bottom, 5))


def page_box(sides: tuple[float, float, float, float], width: float, height: float) -> Box:
    """The same, not rounded: for a box that is never written down."""
    left, top, right, bottom = sides
    (x1, x2), (y1, y2) = _inside(left / width, right / width), _inside(top / height, bottom / height)
    return Box(x1, y1, x2, y2)


def _inside(start: float, end: float) -> tuple[float, float]:
    # Comparisons: `min` and `max` cost several times as much, and every line of a PDF comes here.
    start = 0.0 if start < 0.0 else 0.9995 if start > 0.9995 else start
    least = start + 0.0005
    return start, least if end < least else 1.0 if end > 1.0 else end


def line_boxes(page: Page, span: Span) -> tuple[Box, ...]:
    """One box around the words of `span` on each line of the page, in reading order.

    Two words are on one line when their vertical middles lie within each other's height and they follow each other.
    """
    lines: list[list[Box]] = []
    for word in page.words:
        if not word.span.overlaps(span):
            continue
        if lines and _same_line(lines[-1][-1], word.box):
            lines[-1].append(word.box)
        else:
            lines.append([word.box])
    return tuple(
        Box(
            min(box.left for box in line),
            min(box.top for box in line),
            max(box.right for box in line),
            max(box.bottom for box in line),
        )
        for line in lines
    )


def _same_line(one: Box, other: Box) -> bool:
    middle = (other.top + other.bottom) / 2
    return one.top <= middle <= one.bottom or other.top <= (one.top + one.bottom) / 2 <= other.bottom
