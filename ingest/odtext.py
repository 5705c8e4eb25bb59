"""ODT, ODP and ODG, read from their own XML: texts in reading order, presentations slide by slide."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.markup import safe_parser
from ingest.opendocument import DRAW, FO, PRESENTATION, STYLE, SVG, OpenDocument, letters, opened, points, running_lines
from ingest.packages import UNREADABLE, damaged, metadata_title, unsafe_parts
from ingest.parsing import ODG, ODP, ODT, Parsed, ParsingSettings, Rejected
from ingest.pieces import Piece, composed, first_heading, with_numbered_headings
from ingest.slides import LeftOut, headed, marked_notes

_FURNITURE = frozenset({"header", "footer", "date-time", "page-number"})


def read_odt(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The visible text of an OpenDocument text."""
    try:
        refused = unsafe_parts(path)
        if refused is not None:
            return refused
        document = opened(path)
        pieces = with_numbered_headings([*running_lines(path, document), *document.blocks(document.body)])
        title = metadata_title(path) or first_heading(pieces)
    except UNREADABLE as error:
        return damaged("the OpenDocument text", error)
    return composed(ODT, pieces, settings, parser="opendocument", title=title, warnings=document.left_out.warnings())


def read_odp(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The visible slides of an OpenDocument presentation, in order."""
    return _read_pages(path, settings, ODP)


def read_odg(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The words on the pages of an OpenDocument drawing."""
    return _read_pages(path, settings, ODG)


def _read_pages(path: Path, settings: ParsingSettings, media_type: str) -> Parsed | Rejected:
    left_out = LeftOut()
    pieces: list[Piece] = []
    try:
        refused = unsafe_parts(path)
        if refused is not None:
            return refused
        document = opened(path)
        document.on_paper = False
        width, height = _page_size(path)
        for number, page in enumerate(document.body.iterchildren(f"{DRAW}page"), start=1):
            if _is_hidden(document, page):
                left_out.hidden.append(number)
                continue
            pieces += _page(document, page, number, (width, height), left_out)
        title = metadata_title(path)
    except UNREADABLE as error:
        return damaged("the OpenDocument presentation" if media_type == ODP else "the OpenDocument drawing", error)
    found = (*left_out.warnings(), *document.left_out.warnings())
    heading = first_heading(pieces)
    return composed(media_type, pieces, settings, parser="opendocument", title=title or heading, warnings=found)


def _is_hidden(document: OpenDocument, page: Any) -> bool:
    found = document.first(page, "drawing-page", "drawing-page-properties", f"{PRESENTATION}visibility")
    return found == "hidden"


def _page_size(path: Path) -> tuple[float, float]:
    """Width and height in points; larger than anything when the file does not say."""
    from lxml import etree

    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("styles.xml"), safe_parser())
    sizes = [
        (points(p.get(f"{FO}page-width")), points(p.get(f"{FO}page-height")))
        for p in root.iter(f"{STYLE}page-layout-properties")
    ]
    known = [(width, height) for width, height in sizes if width and height]
    return max((w for w, _ in known), default=1e9), max((h for _, h in known), default=1e9)


def _page(document: OpenDocument, page: Any, number: int, size: tuple[float, float], left_out: LeftOut) -> list[Piece]:
    title = ""
    pieces: list[Piece] = []
    for shape in _shapes(page):
        kind = shape.get(f"{PRESENTATION}class") or ""
        if shape.get(f"{PRESENTATION}placeholder") == "true":
            continue
        if _is_off(shape, size):
            left_out.off_slide += letters(shape)
            continue
        found = [piece for piece in document.blocks(shape) if piece.text]
        if kind == "title" and found and not title:
            title = " ".join(piece.text for piece in found)
        elif kind in _FURNITURE:
            pieces += [Piece(piece.text, None) for piece in found]
        else:
            pieces += found
    notes = [
        piece
        for part in page.iterchildren(f"{PRESENTATION}notes")
        for shape in _shapes(part)
        if shape.get(f"{PRESENTATION}class") == "notes" and shape.get(f"{PRESENTATION}placeholder") != "true"
        for piece in document.blocks(shape)
        if piece.text
    ]
    pieces += marked_notes(notes)
    return headed(title, pieces, number) if title or pieces else []


def _shapes(page: Any) -> Iterator[Any]:
    """Shapes in the order of the file, those inside groups included."""
    for child in page:
        if child.tag == f"{DRAW}g":
            yield from _shapes(child)
        elif isinstance(child.tag, str) and child.tag.startswith(DRAW):
            yield child


def _is_off(shape: Any, size: tuple[float, float]) -> bool:
    """True when the shape lies wholly beside the page."""
    left, top = points(shape.get(f"{SVG}x")), points(shape.get(f"{SVG}y"))
    width, height = points(shape.get(f"{SVG}width")) or 0.0, points(shape.get(f"{SVG}height")) or 0.0
    if left is None or top is None:
        return False
    return left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0
