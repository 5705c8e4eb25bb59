"""Where the words of a PDF page stand, computed when somebody first looks at the page.

Reading a PDF for its text keeps, for each piece of a line, which of pdfium's characters its letters are (`Page.runs`); the
boxes of the same characters are exact whenever they are asked for, since the original never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.types import Box, CharacterRun, Span, Word

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
            return tuple(word for piece in runs for word in _words(page, piece, text, start))
    finally:
        document.close()


def _words(page: PdfPage, piece: Sequence[CharacterRun], text: str, start: int) -> Iterator[Word]:
    """The words of one piece of a line: each as wide as its own ink, all as high as the piece's."""
    first, last = piece[0][0], piece[-1][1]
    letters = text[first - start : last - start]
    positions = [position + offset for left, right, position in piece for offset in range(right - left)]
    boxes = page.boxes(positions)
    inked = (boxes[:, 2] > boxes[:, 0]) & np.array([not letter.isspace() for letter in letters])
    if not inked.any():
        return
    top, bottom = float(boxes[inked, 1].min()), float(boxes[inked, 3].max())
    for match in _WORD.finditer(letters):
        mine = inked[match.start() : match.end()]
        if mine.any():
            own = boxes[match.start() : match.end()][mine]
            sides = float(own[:, 0].min()), top, float(own[:, 2].max()), bottom
            yield Word(Span(first + match.start(), first + match.end()), fraction_box(sides, page.width, page.height))


def fraction_box(sides: tuple[float, float, float, float], width: float, height: float) -> Box:
    """Left, top, right, bottom in points as fractions of the page: inside it, at least half a thousandth wide and high."""
    left, top, right, bottom = sides
    x1, y1 = min(max(left / width, 0.0), 0.9995), min(max(top / height, 0.0), 0.9995)
    x2, y2 = min(max(right / width, x1 + 0.0005), 1.0), min(max(bottom / height, y1 + 0.0005), 1.0)
    return Box(round(x1, 5), round(y1, 5), round(x2, 5), round(y2, 5))
