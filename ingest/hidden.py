"""Text of a PDF page that nobody sees on it: which of the page's text objects are hidden, and how.

Hidden is what is painted invisibly (render modes 3 and 7), fully transparent, smaller than one point, outside the page as
shown, in the colour of what lies below it, or under a picture or an opaque shape drawn later. What cannot be told with
certainty counts as seen: text over a picture or a gradient, and text inside a form unless it is invisible or too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.pdfium import (
    FORM,
    IMAGE,
    PATH,
    SHADING,
    TEXT,
    PdfPage,
    bounds_of,
    fills_of,
    is_filled,
    is_transparent,
    objects_inside,
    render_modes,
    text_size,
)

_SMALLEST_PT = 1.0
_SAME_COLOUR = 12
"""Largest difference of red, green or blue, of 255, that the eye does not see. An estimate."""
_WHITE = (255, 255, 255)
_NO_COLOUR = (-1000, -1000, -1000)
"""Like no text's."""
_LEAST_SIDE = 3.0
"""Points. A shape less wide or high than this hides no text and is no background."""
_MOST_SHAPES = 400
"""Beyond these a page is a drawing, and only the largest shapes are looked at."""
_DEEPEST_FORM = 4


class Hidden(NamedTuple):
    """Text objects that nobody sees, by address. `in_layer`: those that are invisible as a layer under a picture would be."""

    objects: frozenset[int]
    in_layer: frozenset[int]
    picture_share: float
    """Share of the page that pictures cover, from 0 to 1 and beyond where they overlap."""


def hidden_text(page: PdfPage) -> Hidden:
    """What is hidden on `page`, and how much of it is pictures."""
    objects, kinds = page.objects()
    texts = [item for item, kind in zip(objects, kinds, strict=True) if kind == TEXT]
    others = [(order, objects[order], kind) for order, kind in enumerate(kinds) if kind != TEXT]
    left, bottom, right, top = page.visible_box()
    share = _picture_share(others, max(1.0, (right - left) * (top - bottom)))
    inner = _inner_texts([item for _, item, kind in others if kind == FORM])
    unseen = _unpainted(texts) | _unpainted(inner)
    covered: frozenset[int] = frozenset()
    if texts:
        bounds, fills = bounds_of(texts), fills_of(texts)
        outside = (bounds[:, 2] <= left) | (bounds[:, 0] >= right) | (bounds[:, 3] <= bottom) | (bounds[:, 1] >= top)
        tiny = bounds[:, 3] - bounds[:, 1] < _SMALLEST_PT
        found = outside | (fills[:, 3] == 0)
        for index in np.flatnonzero(tiny & ~found).tolist():
            found[index] = text_size(texts[index]) < _SMALLEST_PT
        orders = [order for order, kind in enumerate(kinds) if kind == TEXT]
        matched, covered = _matched_and_covered(texts, np.array(orders), bounds, fills, others)
        unseen_too = _chosen(texts, found) | matched
    else:
        unseen_too = frozenset()
    return Hidden(unseen | unseen_too | covered, unseen | covered, share)


def _unpainted(texts: Sequence[int]) -> frozenset[int]:
    return frozenset(item for item, mode in zip(texts, render_modes(texts), strict=True) if mode in (3, 7))


def _inner_texts(forms: Sequence[int], depth: int = 0) -> list[int]:
    found: list[int] = []
    for form in forms:
        objects, kinds = objects_inside(form)
        found += [item for item, kind in zip(objects, kinds, strict=True) if kind == TEXT]
        if depth < _DEEPEST_FORM:
            deeper = [item for item, kind in zip(objects, kinds, strict=True) if kind == FORM]
            found += _inner_texts(deeper, depth + 1)
    return found


def _picture_share(others: Sequence[tuple[int, int, int]], area: float) -> float:
    pictures = [item for _, item, kind in others if kind == IMAGE]
    for form in [item for _, item, kind in others if kind == FORM]:
        _, kinds = objects_inside(form)
        # A form that holds a picture is nearly always as large as its picture; its own bounds are in the page's coordinates.
        pictures += [form] if IMAGE in kinds else []
    if not pictures:
        return 0.0
    bounds = bounds_of(pictures).astype(np.float64)
    sides = np.maximum(0.0, bounds[:, 2:] - bounds[:, :2])
    return float((sides[:, 0] * sides[:, 1]).sum() / area)


def _matched_and_covered(
    texts: Sequence[int],
    orders: NDArray[np.int64],
    bounds: NDArray[np.float32],
    fills: NDArray[np.uint32],
    others: Sequence[tuple[int, int, int]],
) -> tuple[frozenset[int], frozenset[int]]:
    """Texts in the colour of what lies below them, and texts under something drawn later that cannot be seen through."""
    shapes = _shapes(others)
    if not shapes:
        if fills[:, :3].min(axis=1).max() < 255 - _SAME_COLOUR:
            return frozenset(), frozenset()
        return _chosen(texts, fills[:, :3].min(axis=1) >= 255 - _SAME_COLOUR), frozenset()
    colours = fills[:, :3].astype(np.int64)
    areas = np.array([shape.bounds for shape in shapes])
    order = np.array([shape.order for shape in shapes])
    centre_x, centre_y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    inside = (
        (areas[:, 0] <= centre_x[:, None])
        & (centre_x[:, None] <= areas[:, 2])
        & (areas[:, 1] <= centre_y[:, None])
        & (centre_y[:, None] <= areas[:, 3])
    )
    below = np.where(inside & (order < orders[:, None]), np.arange(len(shapes)), -1).max(axis=1)
    behind = np.array([*(shape.colour or _NO_COLOUR for shape in shapes), _WHITE])  # -1, the last, is the page itself
    matched = (np.abs(colours - behind[below]) <= _SAME_COLOUR).all(axis=1)
    slack = 0.5
    whole = (
        (areas[:, 0] - slack <= bounds[:, 0, None])
        & (bounds[:, 2, None] <= areas[:, 2] + slack)
        & (areas[:, 1] - slack <= bounds[:, 1, None])
        & (bounds[:, 3, None] <= areas[:, 3] + slack)
    )
    opaque = np.array([shape.opaque for shape in shapes])
    covered = (whole & opaque & (order > orders[:, None])).any(axis=1)
    return _chosen(texts, matched), _chosen(texts, covered)


def _chosen(texts: Sequence[int], chosen: NDArray[np.bool_]) -> frozenset[int]:
    return frozenset(texts[index] for index in np.flatnonzero(chosen).tolist())


class _Shape(NamedTuple):
    order: int
    bounds: tuple[float, float, float, float]
    colour: tuple[int, int, int] | None
    """None for pictures, gradients and forms: no one colour."""
    opaque: bool


def _shapes(others: Sequence[tuple[int, int, int]]) -> list[_Shape]:
    """Filled paths, pictures, gradients and forms large enough to matter, in the order they are drawn."""
    if not others:
        return []
    bounds = bounds_of([item for _, item, _ in others])
    sides = bounds[:, 2:] - bounds[:, :2]
    large = np.flatnonzero((sides >= _LEAST_SIDE).all(axis=1))
    if len(large) > _MOST_SHAPES:
        large = np.sort(large[np.argsort(-(sides[large].prod(axis=1)))[:_MOST_SHAPES]])
    filled = [n for n in large.tolist() if others[n][2] != PATH or is_filled(others[n][1])]
    paths = [n for n in filled if others[n][2] == PATH]
    fills = dict(zip(paths, fills_of([others[n][1] for n in paths]).tolist(), strict=True))
    shapes = []
    for index in filled:
        order, item, kind = others[index]
        red, green, blue, opacity = fills.get(index, (0, 0, 0, 255))
        if opacity == 0:
            continue
        see_through = kind in (FORM, SHADING) or is_transparent(item)
        one_colour = kind == PATH and not see_through and opacity == 255
        left, bottom, right, top = bounds[index].tolist()
        shapes.append(
            _Shape(
                order,
                (left, bottom, right, top),
                (red, green, blue) if one_colour else None,
                not see_through and opacity == 255,
            )
        )
    return shapes
