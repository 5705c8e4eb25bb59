"""How the text lies on a scanned page, and the way from a turned picture back to the page as it is shown.

Lines of text make sharp stripes when the ink is summed along them (Postl, "Detection of linear oblique structures and skew
scan in digitized documents", ICPR 1986). Which of two opposite directions is up cannot be told from stripes: OCR finds out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.types import Box

if TYPE_CHECKING:
    from PIL import Image

_THUMBNAIL = 1000
"""Longest side in pixels of the picture that is looked at: 11-point lines are then 14 pixels apart."""
_MOST_INK = 40_000
_LEAST_INK = 300
_WIDEST_DEGREES = 7.0
_COARSE_STEP, _FINE_STEP = 0.5, 0.1
_SIDEWAYS = 1.5
"""How much sharper the upright stripes must be than the level ones. Ruled forms have both; a doubt is no quarter turn."""
_LEAST_SKEW = 0.4
"""Degrees. Below this tesseract loses no word and boxes stay within their line (measured on the demo's pages, 2026-11)."""

_Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Posture:
    """How to turn a picture so that its lines run level: first `skew` degrees, then `turns` quarter turns, clockwise."""

    turns: int = 0
    skew: float = 0.0
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture made ready for reading, and the affine way from its pixels back to those of the page as shown."""

    picture: Image.Image
    back: tuple[float, float, float, float, float, float]
    shown_width: int
    shown_height: int

    def shown(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The smallest box on the page as shown that holds this rectangle of `picture`, in pixels."""
        a, b, c, d, e, f = self.back
        corners = ((left, top), (right, top), (left, bottom), (right, bottom))
        xs = [(a * x + b * y + c) / self.shown_width for x, y in corners]
        ys = [(d * x + e * y + f) / self.shown_height for x, y in corners]
        return Box(*(round(min(1.0, max(0.0, side)), 5) for side in (min(xs), min(ys), max(xs), max(ys))))


def posture_of(picture: Image.Image) -> Posture:
    """How the page in `picture` (grey) lies: level or sideways, and its skew up to 7 degrees. `turns` is 0 or 1."""
    x, y = _ink(picture)
    if len(x) < _LEAST_INK:
        return Posture(blank=len(x) == 0)
    level, level_skew = _sharpest(y, x)
    upright, upright_skew = _sharpest(x, -y)
    turns, skew = (1, upright_skew) if upright > _SIDEWAYS * level else (0, level_skew)
    return Posture(turns, skew if abs(skew) >= _LEAST_SKEW else 0.0)


def densest_band(picture: Image.Image, share: float) -> tuple[int, int]:
    """Top and bottom, in pixels, of the band of this share of the height that has the most lines of text in it.

    Lines make the ink go up and down from row to row; a photograph or a black edge does not. Of equals the topmost.
    """
    factor = max(1, math.ceil(picture.height / _THUMBNAIL))
    grey = np.asarray(picture.reduce(factor) if factor > 1 else picture, dtype=np.float32)
    changes = np.square(np.diff(grey.mean(axis=1), prepend=grey[0].mean()))
    rows = max(1, round(share * len(changes)))
    sums = np.convolve(changes, np.ones(rows), "valid")
    top = int(sums.argmax()) * factor
    return top, min(picture.height, top + rows * factor)


def turned(picture: Image.Image, posture: Posture, *, scale: float = 1.0) -> Frame:
    """`picture` set level and scaled. Nothing of it is cut off; the corners that come into view are white."""
    from PIL import Image

    width, height = picture.size
    turns = posture.turns % 4
    if not posture.skew and scale == 1.0:
        method = (None, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90)[turns]
        image = picture if method is None else picture.transpose(method)
        return Frame(image, _back(width, height, image.size, turns * 90.0, 1.0), width, height)
    degrees = turns * 90.0 + posture.skew
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    size = (
        math.ceil(round((width * cosine + height * sine) * scale, 6)),
        math.ceil(round((width * sine + height * cosine) * scale, 6)),
    )
    back = _back(width, height, size, degrees, scale)
    image = picture.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BICUBIC, fillcolor=255)
    return Frame(image, back, width, height)


def _back(
    width: int, height: int, size: tuple[int, int], degrees: float, scale: float
) -> tuple[float, float, float, float, float, float]:
    """From pixels of a picture of `size`, turned clockwise about its middle and scaled, to those of the one before."""
    cosine = round(math.cos(math.radians(degrees)), 12) / scale
    sine = round(math.sin(math.radians(degrees)), 12) / scale
    middle_x, middle_y = size[0] / 2, size[1] / 2
    return (
        cosine, sine, width / 2 - cosine * middle_x - sine * middle_y,
        -sine, cosine, height / 2 + sine * middle_x - cosine * middle_y,
    )  # fmt: skip


def _ink(picture: Image.Image) -> tuple[_Points, _Points]:
    """Where the dark pixels of a thumbnail are, at most some ten thousands of them; x and y from its middle."""
    factor = max(1, math.ceil(max(picture.size) / _THUMBNAIL))
    thumbnail = picture.reduce(factor) if factor > 1 else picture
    grey = np.asarray(thumbnail)
    counts = np.cumsum(thumbnail.histogram())
    paper, darkest = _quantile(counts, 0.5), _quantile(counts, 0.01)
    if paper - darkest < 24:
        darkest = float(grey.min())
        if paper - darkest < 24:
            return np.empty(0, np.float32), np.empty(0, np.float32)
    rows, columns = np.nonzero(grey < paper - 0.4 * (paper - darkest))
    step = max(1, len(rows) // _MOST_INK)
    y = rows[::step].astype(np.float32) - grey.shape[0] / 2
    x = columns[::step].astype(np.float32) - grey.shape[1] / 2
    return x, y


def _quantile(counts: NDArray[np.int_], share: float) -> float:
    """What `np.quantile` says of all pixels, from how many there are up to each grey: without sorting half a million."""
    place = share * (int(counts[-1]) - 1)
    low, high = (int(np.searchsorted(counts, rank, side="right")) for rank in (math.floor(place), math.ceil(place)))
    return low + (high - low) * (place - math.floor(place))


def _sharpest(across: _Points, along: _Points) -> tuple[float, float]:
    """(how sharp the stripes are at the best angle, that angle): the ink summed along lines at small angles."""
    coarse = np.arange(-_WIDEST_DEGREES, _WIDEST_DEGREES + 0.01, _COARSE_STEP)
    best = max(coarse, key=lambda degrees: _sharpness(across, along, degrees))
    fine = np.arange(best - _COARSE_STEP, best + _COARSE_STEP + 0.01, _FINE_STEP)
    best = max(fine, key=lambda degrees: _sharpness(across, along, degrees))
    return _sharpness(across, along, best), float(-best)


def _sharpness(across: _Points, along: _Points, degrees: float) -> float:
    positions = across - along * np.float32(math.tan(math.radians(degrees)))
    profile = np.bincount((positions - positions.min()).astype(np.intp)).astype(np.float64)
    return float(np.square(np.diff(profile)).sum())
