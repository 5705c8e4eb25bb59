"""Ink that is no text: stamps over words, and the specks of a bad copy.

A coloured stamp lets the letters below it through: in the channel that its ink is brightest in, it is pale and they are dark.
Grey and black stamps have no such channel. What no reading has words for, in the midst of lines, is told to the archivist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from assistant.types import Box

_COLOURED = 60
"""Of 255, between a pixel's brightest and darkest channel. Noise of a scanner stays under 30; yellowed paper is bright."""
_DARKER_THAN_PAPER = 40
_LEAST_SHARE = 0.001
"""Of the page: a stamp of 3 cm on A4 inks a hundredth of it, a coloured signature a thousandth."""
_LOOK_AT = 4
_DARK = 0.55
"""Of the paper's grey."""
_INKED = 0.08
"""Share of a cell that a line of letters inks; specks and the edge of a rule ink less."""
LEAST_CELLS = 3
"""In both directions, in heights of a word: one such cell is a sign that was misread, three times three are more than a line."""
_SAMPLE = 700
"""Pixels of height and width, from the middle of the page."""
_SPECKED = 0.002
"""Share of pixels that are dark and alone: on pages without noise 0 to 0.0001, with one dark speck in a hundred pixels 0.009."""


def is_specked(picture: Image.Image) -> bool:
    """True for a page (grey) strewn with single dark pixels, of which OCR makes letters."""
    left, top = max(0, (picture.width - _SAMPLE) // 2), max(0, (picture.height - _SAMPLE) // 2)
    grey = np.asarray(picture.crop((left, top, min(picture.width, left + _SAMPLE), min(picture.height, top + _SAMPLE))))
    if min(grey.shape) < 3:
        return False
    dark = grey < _DARK * float(np.median(grey))
    middle = dark[1:-1, 1:-1]
    beside = [
        dark[1 + y : dark.shape[0] - 1 + y, 1 + x : dark.shape[1] - 1 + x] for y in (-1, 0, 1) for x in (-1, 0, 1)
    ]
    alone = middle & (sum(one.astype(np.uint8) for one in beside) == 1)
    return bool(alone.mean() > _SPECKED)


def without_specks(picture: Image.Image) -> Image.Image:
    """The page with each pixel as the middle one of its neighbours is."""
    from PIL import ImageFilter

    return picture.filter(ImageFilter.MedianFilter(3))


def with_colour_where_inked(picture: Image.Image) -> Image.Image:
    """The picture in RGB if it has ink of a colour on it, in grey if not."""
    if picture.mode == "L" or not _ink(picture.convert("RGB").reduce(_LOOK_AT)).mean() > _LEAST_SHARE:
        return picture.convert("L")
    return picture.convert("RGB")


def without_ink(picture: Image.Image, keep: Sequence[Box]) -> Image.Image:
    """The coloured page in grey, its coloured ink gone but for that in `keep`: words that were read, coloured titles too."""
    from PIL import Image

    pixels = np.asarray(picture)
    brightest: NDArray[np.uint8] = pixels.max(axis=2)
    ink = brightest[_ink(picture)]
    pale = max(64.0, float(np.percentile(ink, 25))) if len(ink) else 255.0
    cleared = Image.fromarray(np.minimum(brightest * (255.0 / pale), 255.0).astype(np.uint8))
    grey = picture.convert("L")
    for box in keep:
        sides = (
            int(box.left * grey.width), int(box.top * grey.height),
            int(box.right * grey.width) + 1, int(box.bottom * grey.height) + 1,
        )  # fmt: skip
        cleared.paste(grey.crop(sides), sides[:2])
    return cleared


def unread_part(picture: Image.Image, read: Sequence[Box], height: float, *, least_cells: int = LEAST_CELLS) -> bool:
    """True when a part of the page (grey, upright) has ink and no words, with words above it, below it and beside it.

    `read` are the boxes of the words that were read with some certainty, `height` that of a usual word in pixels, and
    `least_cells` (odd) how many such heights the part must have in both directions.
    """
    from PIL import Image, ImageFilter

    cell = max(4, round(height))
    rows, columns = picture.height // cell, picture.width // cell
    if min(rows, columns) < 2 * LEAST_CELLS or not read:
        return False
    grey = np.asarray(picture)[: rows * cell, : columns * cell]
    dark = grey < _DARK * float(np.median(grey[::4, ::4]))
    inked = dark.reshape(rows, cell, columns, cell).mean(axis=(1, 3)) > _INKED
    covered = np.zeros((rows, columns), dtype=bool)
    for box in read:
        top, bottom = int(box.top * picture.height / cell), int(box.bottom * picture.height / cell)
        left, right = int(box.left * picture.width / cell), int(box.right * picture.width / cell)
        covered[max(0, top) : bottom + 1, max(0, left) : right + 1] = True
    down, along = np.logical_or.accumulate(covered, axis=0), np.logical_or.accumulate(covered, axis=1)
    up = np.logical_or.accumulate(covered[::-1], axis=0)[::-1]
    back = np.logical_or.accumulate(covered[:, ::-1], axis=1)[:, ::-1]
    hole = inked & ~covered & down & up & (along | back)
    solid = Image.fromarray(np.pad(hole, 1).astype(np.uint8) * 255).filter(ImageFilter.MinFilter(least_cells))
    return solid.getbbox() is not None


def _ink(picture: Image.Image) -> NDArray[np.bool_]:
    """Which pixels have coloured ink, and not the colour of the paper."""
    pixels = np.asarray(picture)
    darkest = pixels.min(axis=2)
    paper = float(np.median(darkest[::4, ::4]))
    coloured: NDArray[np.bool_] = (pixels.max(axis=2) - darkest > _COLOURED) & (darkest < paper - _DARKER_THAN_PAPER)
    return coloured
