"""An open page of a PDF, asked about many characters or objects at once.

pdfium answers one question about one character a call, and calling through pypdfium2's checked prototypes costs more than the
answer. Here the same functions are called by their address from C loops (`map` over ranges), and the answers land in one
array. Places are in points from the top left corner of the page as shown: rotation and crop box are taken into account by
pdfium's own page-to-device mapping, the one rendering uses.

Handles are plain addresses and live as long as `open_page`'s block. Like pdfium itself: one thread at a time.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

_DEVICE = 1_000_000
_FAR = 1000.0
Boxes = NDArray[np.float64]
"""(n, 4): left, top, right, bottom."""


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    address = ctypes.cast(getattr(pdfium_c, name), ctypes.c_void_p).value
    function: Callable[..., Any] = ctypes.PYFUNCTYPE(result, *arguments)(address or 0)
    return function


_INT, _AT, _REAL, _CODE = ctypes.c_int, ctypes.c_void_p, ctypes.c_double, ctypes.c_uint
_load_page = _function("FPDF_LoadPage", _AT, _AT, _INT)
_close_page = _function("FPDF_ClosePage", None, _AT)
_page_width = _function("FPDF_GetPageWidthF", ctypes.c_float, _AT)
_page_height = _function("FPDF_GetPageHeightF", ctypes.c_float, _AT)
_bounding_box = _function("FPDF_GetPageBoundingBox", _INT, _AT, _AT)
_to_device = _function("FPDF_PageToDevice", _INT, _AT, _INT, _INT, _INT, _INT, _INT, _REAL, _REAL, _AT, _AT)
_load_text = _function("FPDFText_LoadPage", _AT, _AT)
_close_text = _function("FPDFText_ClosePage", None, _AT)
_count_characters = _function("FPDFText_CountChars", _INT, _AT)
_text = _function("FPDFText_GetText", _INT, _AT, _INT, _INT, _AT)
_unicode = _function("FPDFText_GetUnicode", _CODE, _AT, _INT)
_character_box = _function("FPDFText_GetCharBox", _INT, _AT, _INT, _AT, _AT, _AT, _AT)
_origin = _function("FPDFText_GetCharOrigin", _INT, _AT, _INT, _AT, _AT)
_size = _function("FPDFText_GetFontSize", _REAL, _AT, _INT)
_weight = _function("FPDFText_GetFontWeight", _INT, _AT, _INT)
_matrix = _function("FPDFText_GetMatrix", _INT, _AT, _INT, _AT)
_font_info = _function("FPDFText_GetFontInfo", ctypes.c_ulong, _AT, _INT, _AT, ctypes.c_ulong, _AT)
_object_of = _function("FPDFText_GetTextObject", _AT, _AT, _INT)
_font_of = _function("FPDFTextObj_GetFont", _AT, _AT)
_count_rects = _function("FPDFText_CountRects", _INT, _AT, _INT, _INT)
_rect = _function("FPDFText_GetRect", _INT, _AT, _INT, _AT, _AT, _AT, _AT)
_count_objects = _function("FPDFPage_CountObjects", _INT, _AT)
_object = _function("FPDFPage_GetObject", _AT, _AT, _INT)
_count_inner = _function("FPDFFormObj_CountObjects", _INT, _AT)
_inner = _function("FPDFFormObj_GetObject", _AT, _AT, ctypes.c_ulong)
_kind = _function("FPDFPageObj_GetType", _INT, _AT)
_bounds = _function("FPDFPageObj_GetBounds", _INT, _AT, _AT, _AT, _AT, _AT)
_fill = _function("FPDFPageObj_GetFillColor", _INT, _AT, _AT, _AT, _AT, _AT)
_transparent = _function("FPDFPageObj_HasTransparency", _INT, _AT)
_draw_mode = _function("FPDFPath_GetDrawMode", _INT, _AT, _AT, _AT)
_render_mode = _function("FPDFTextObj_GetTextRenderMode", _INT, _AT)
_text_size = _function("FPDFTextObj_GetFontSize", _INT, _AT, _AT)
_object_matrix = _function("FPDFPageObj_GetMatrix", _INT, _AT, _AT)

TEXT, PATH, IMAGE, SHADING, FORM = 1, 2, 3, 4, 5
"""Kinds of page objects."""
_exhaust = deque[Any](maxlen=0).extend


class Affine(NamedTuple):
    """Page coordinates x, y are shown at a·x + b·y + c from the left and d·x + e·y + f from the top."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def shown(self, boxes: Boxes) -> Boxes:
        """Boxes given as left, top, right, bottom in page coordinates, as they stand on the page that is shown."""
        if self.b == 0.0 == self.d:  # the page stands upright, as nearly all do
            placed: Boxes = boxes * (self.a, self.e, self.a, self.e) + (self.c, self.f, self.c, self.f)
            if (placed[:, :2] <= placed[:, 2:]).all():
                return placed
        x1, y1, x2, y2 = boxes.T
        u1, u2 = self.a * x1 + self.b * y1 + self.c, self.a * x2 + self.b * y2 + self.c
        v1, v2 = self.d * x1 + self.e * y1 + self.f, self.d * x2 + self.e * y2 + self.f
        return np.stack((np.minimum(u1, u2), np.minimum(v1, v2), np.maximum(u1, u2), np.maximum(v1, v2)), axis=1)


@contextmanager
def open_page(document: pdfium.PdfDocument, index: int) -> Iterator[PdfPage]:
    """Page `index` (0-based) of `document`. Raises PdfiumError when it cannot be loaded."""
    page = _load_page(ctypes.cast(document.raw, _AT).value, index)
    if not page:
        raise pdfium.PdfiumError("the page cannot be loaded")
    try:
        text = _load_text(page)
        if not text:
            raise pdfium.PdfiumError("the page's text cannot be loaded")
        try:
            yield PdfPage(page, text)
        finally:
            _close_text(text)
    finally:
        _close_page(page)


class PdfPage:
    """An open page. Characters are named by their position in pdfium's list, objects by their address."""

    def __init__(self, page: int, text: int) -> None:
        self._page, self._text = page, text
        self.width, self.height = float(_page_width(page)), float(_page_height(page))
        self.count = int(_count_characters(text))
        self.affine = self._affine()
        self._bold_fonts: dict[int, bool] = {}

    def _affine(self) -> Affine:
        left, top = ctypes.c_int(), ctypes.c_int()
        places = ctypes.addressof(left), ctypes.addressof(top)

        def shown(x: float, y: float) -> tuple[float, float]:
            _to_device(self._page, 0, 0, _DEVICE, _DEVICE, 0, x, y, *places)
            return left.value * self.width / _DEVICE, top.value * self.height / _DEVICE

        (c, f), (right, right_y), (up_x, up) = shown(0, 0), shown(_FAR, 0), shown(0, _FAR)
        return Affine((right - c) / _FAR, (up_x - c) / _FAR, c, (right_y - f) / _FAR, (up - f) / _FAR, f)

    # --- characters ---

    def text(self) -> str | None:
        """All characters, one code unit each; None when pdfium's text and its list of characters differ in length."""
        buffer = ctypes.create_string_buffer(2 * self.count + 2)
        if _text(self._text, 0, self.count, ctypes.addressof(buffer)) != self.count + 1:
            return None
        text = buffer.raw[:-2].decode("utf-16-le", "replace")
        return text if len(text) == self.count else None

    def codes(self, positions: Iterable[int]) -> list[int]:
        """The Unicode value of each character; halves of surrogate pairs stand alone."""
        return list(map(_unicode, repeat(self._text), positions))

    def boxes(self, positions: Sequence[int]) -> Boxes:
        """Where each character's ink stands; a row of zeros where pdfium knows no box."""
        found = np.zeros((len(positions), 4))
        at = found.ctypes.data
        _exhaust(
            map(
                _character_box,
                repeat(self._text),
                positions,
                *_columns(at, len(positions), order=(0, 2, 3, 1), width=8),
            )
        )
        nowhere = ~found.any(axis=1)
        placed = self.affine.shown(found)
        placed[nowhere] = 0.0
        return placed

    def baselines(self, positions: Sequence[int]) -> list[float]:
        """How far below the top of the page each character's baseline is."""
        found = np.zeros((len(positions), 2))
        at = found.ctypes.data
        _exhaust(map(_origin, repeat(self._text), positions, *_columns(at, len(positions), order=(0, 1), width=8)))
        lowered: list[float] = (self.affine.d * found[:, 0] + self.affine.e * found[:, 1] + self.affine.f).tolist()
        return lowered

    def sizes(self, positions: Sequence[int]) -> list[float]:
        """The size each character is set in, in points, as the page shows it."""
        sizes = np.fromiter(map(_size, repeat(self._text), positions), np.float64, len(positions))
        matrices = np.zeros((len(positions), 6), np.float32)
        matrices[:, 3] = 1.0
        at = matrices.ctypes.data
        _exhaust(map(_matrix, repeat(self._text), positions, range(at, at + 24 * len(positions), 24)))
        scaled: list[float] = (sizes * np.hypot(matrices[:, 2], matrices[:, 3])).tolist()
        return scaled

    def bold(self, position: int) -> bool:
        """True when the character's font is a bold one."""
        font = _font_of(_object_of(self._text, position) or 0) or 0
        known = self._bold_fonts.get(font)
        if known is None:
            known = self._bold_fonts[font] = self._is_bold(position)
        return known

    def _is_bold(self, position: int) -> bool:
        if _weight(self._text, position) >= 600:
            return True
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        _font_info(self._text, position, ctypes.addressof(name), 128, ctypes.addressof(flags))
        lowered = name.value.lower()
        return b"bold" in lowered or b"black" in lowered or b"heavy" in lowered

    def objects_of(self, positions: Iterable[int]) -> list[int]:
        """The address of the text object that draws each character; 0 where pdfium made the character up."""
        return [found or 0 for found in map(_object_of, repeat(self._text), positions)]

    def stretches(self, spans: Sequence[tuple[int, int]]) -> tuple[list[int], Boxes]:
        """How many text objects draw each span of characters, and the box of the ink of each of these, in order."""
        counts, taken = [], 0
        found = np.zeros((2 * len(spans) + 64, 4))
        for start, end in spans:
            count = _count_rects(self._text, start, end - start)
            if taken + count > len(found):
                found = np.concatenate((found, np.zeros((len(found) + count, 4))))
            at = found.ctypes.data + 32 * taken
            for number in range(count):
                _rect(self._text, number, at, at + 8, at + 16, at + 24)
                at += 32
            counts.append(count)
            taken += count
        return counts, self.affine.shown(found[:taken])

    # --- objects ---

    def visible_box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of what is shown, in page coordinates."""
        box = (ctypes.c_float * 4)()
        _bounding_box(self._page, ctypes.addressof(box))
        left, top, right, bottom = box
        return left, min(bottom, top), right, max(bottom, top)

    def objects(self) -> tuple[list[int], list[int]]:
        """The page's objects in the order they are drawn, and the kind of each."""
        objects = list(map(_object, repeat(self._page), range(_count_objects(self._page))))
        return objects, list(map(_kind, objects))


def objects_inside(form: int) -> tuple[list[int], list[int]]:
    """The objects of a form (a page inside a page), and the kind of each; their coordinates are the form's own."""
    objects = list(map(_inner, repeat(form), range(max(0, _count_inner(form)))))
    return objects, list(map(_kind, objects))


def bounds_of(objects: Sequence[int]) -> NDArray[np.float32]:
    """(n, 4): left, bottom, right, top of each object in page coordinates."""
    found = np.zeros((len(objects), 4), np.float32)
    _exhaust(map(_bounds, objects, *_columns(found.ctypes.data, len(objects), order=(0, 1, 2, 3), width=4)))
    return found


def fills_of(objects: Sequence[int]) -> NDArray[np.uint32]:
    """(n, 4): red, green, blue and opacity each object is filled with, 0 to 255; black where none is set."""
    found = np.zeros((len(objects), 4), np.uint32)
    found[:, 3] = 255
    _exhaust(map(_fill, objects, *_columns(found.ctypes.data, len(objects), order=(0, 1, 2, 3), width=4)))
    return found


def render_modes(objects: Iterable[int]) -> list[int]:
    """How each text object is painted: 0 filled, 1 outlined, 3 not at all, 7 not at all; the others are mixtures."""
    return list(map(_render_mode, objects))


def text_size(item: int) -> float:
    """The size a text object is set in, in points."""
    size, matrix = ctypes.c_float(), (ctypes.c_float * 6)()
    if not _text_size(item, ctypes.addressof(size)) or not _object_matrix(item, ctypes.addressof(matrix)):
        return 0.0
    return float(abs(size.value) * np.hypot(matrix[2], matrix[3]))


def is_filled(path: int) -> bool:
    """True when the inside of a path is painted."""
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    return bool(_draw_mode(path, ctypes.addressof(mode), ctypes.addressof(stroked))) and mode.value != 0


def is_transparent(item: int) -> bool:
    """True when what lies below an object may be seen through it."""
    return bool(_transparent(item))


def _columns(at: int, rows: int, *, order: Sequence[int], width: int) -> Iterator[range]:
    """For an array at address `at`, the addresses of its columns, in `order`; `width` bytes a number."""
    stride = width * len(order)
    return (range(at + width * column, at + width * column + stride * rows, stride) for column in order)
