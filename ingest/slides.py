"""PPTX: each slide under its title, its tables, charts and diagrams row by row, and the speaker's notes after it.

Shapes come in the order of the file, which is the order a screen reader follows. Hidden slides are left out and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.types import BlockKind
from ingest.markup import safe_parser
from ingest.packages import UNREADABLE, damaged, metadata_title, unsafe_parts
from ingest.parsing import PPTX, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import HEADING_CHARS, Piece, composed, first_heading, one_line, outside_passages, paragraph, table

_MOST_DEPTH = 50
"""How deep groups of shapes may stand in each other."""
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"


@dataclass(slots=True)
class LeftOut:
    """1-based numbers of slides of which something was not read."""

    hidden: list[int] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    off_slide: int = 0
    """Characters of text in shapes beside the slide."""

    def warnings(self) -> tuple[str, ...]:
        """What a person should know before trusting that everything was read."""
        said = (
            (self.hidden, "hidden slides were left out"),
            (self.drawn, "charts or diagrams that could not be read on slides"),
            (self.pictures, "slides with pictures and no text"),
        )
        found = tuple(f"{what}: {', '.join(map(str, numbers))}" for numbers, what in said if numbers)
        off = f"{self.off_slide} characters of text beside the slides were left out"
        return (*found, off) if self.off_slide else found


def read_pptx(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The visible slides of a presentation, in order."""
    import pptx
    from pptx.exc import PythonPptxError

    left_out = LeftOut()
    pieces: list[Piece] = []
    behind: list[str] = []
    try:
        refused = unsafe_parts(path)
        if refused is not None:
            return refused
        with path.open("rb") as file:
            deck = pptx.Presentation(file)
            slides, size = deck.slides, (deck.slide_width or 0, deck.slide_height or 0)
            for number, slide in enumerate(slides, start=1):
                if slide._element.get("show") in ("0", "false"):
                    left_out.hidden.append(number)
                    continue
                pieces += _slide(slide, number, left_out, size)
                behind += _behind(slide)
        cells = sum(piece.text.count("\n") for piece in pieces)
        title = metadata_title(path)
    except (*UNREADABLE, PythonPptxError) as error:
        return damaged("the PowerPoint presentation", error)
    if cells > settings.max_cells:
        return Rejected(RejectionCategory.TOO_LARGE, f"it has more than {settings.max_cells} rows; split the file")
    usable = None if title in _EMPTY_TITLES else title
    heading = first_heading(pieces)
    pieces = outside_passages(behind) + pieces if pieces else []
    return composed(PPTX, pieces, settings, parser="python-pptx", title=usable or heading, warnings=left_out.warnings())


_EMPTY_TITLES = frozenset({"PowerPoint Presentation", "Présentation PowerPoint", "عرض تقديمي في PowerPoint"})
"""What PowerPoint writes as a title when nobody gave one."""


def _slide(slide: Any, number: int, left_out: LeftOut, size: tuple[int, int]) -> list[Piece]:
    title_shape = slide.shapes.title
    title = one_line(_shape_text(title_shape)) if title_shape is not None else ""
    pieces: list[Piece] = []
    pictured = False
    for shape in _flat(slide.shapes):
        if title_shape is not None and shape.shape_id == title_shape.shape_id:
            continue
        if _is_off(shape, size):
            left_out.off_slide += len(_shape_text(shape).strip())
            continue
        pictured = pictured or shape._element.tag.endswith("}pic")
        pieces += _shape(shape, number, left_out)
    pieces += _notes(slide)
    if pictured and not title and not pieces:
        left_out.pictures.append(number)
    return headed(title, pieces, number) if title or pieces else []


def headed(title: str, pieces: list[Piece], number: int) -> list[Piece]:
    """The slide under its title; without one under its first short line, else under its number."""
    if not title and pieces[0].kind is not BlockKind.TABLE and "\n" not in pieces[0].text:
        title, pieces = pieces[0].text, pieces[1:]
    under = [Piece(piece.text, piece.kind, piece.level and piece.level + 1) for piece in pieces]
    if title and len(title) <= HEADING_CHARS:
        return [Piece(title, BlockKind.HEADING, 1), *under]
    long_title = [Piece(title, BlockKind.PARAGRAPH)] if title else []
    return [Piece(f"Slide {number}", BlockKind.HEADING, 1), *long_title, *under]


def _behind(slide: Any) -> Iterator[str]:
    """Lines that a slide shows from the layout and master behind it; their placeholders are only meant for whoever writes."""
    layout = slide.slide_layout
    for shape in (*layout.slide_master.shapes, *layout.shapes):
        if not shape.is_placeholder and not _is_hidden(shape):
            yield from _shape_text(shape).splitlines()


def _flat(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """The shapes, those inside groups included."""
    for shape in shapes:
        if depth < _MOST_DEPTH and shape._element.tag.endswith("}grpSp"):
            yield from _flat(shape.shapes, depth + 1)
        elif not _is_hidden(shape):
            yield shape


def _is_off(shape: Any, size: tuple[int, int]) -> bool:
    """True when the shape lies wholly beside the slide; inside groups places are relative, so only the slide's own count."""
    if not all(size) or None in (shape.left, shape.top) or shape._element.getparent().tag.endswith("}grpSp"):
        return False
    right, bottom = shape.left + (shape.width or 0), shape.top + (shape.height or 0)
    return bool(shape.left >= size[0] or shape.top >= size[1] or right <= 0 or bottom <= 0)


def _is_hidden(shape: Any) -> bool:
    return any(p.get("hidden") in ("1", "true") for p in shape._element.xpath("./*[1]/p:cNvPr"))


def _shape(shape: Any, number: int, left_out: LeftOut) -> list[Piece]:
    if getattr(shape, "has_table", False):
        return _kept([_table(shape.table)])
    if getattr(shape, "has_chart", False) or shape._element.xpath(".//a:graphicData[contains(@uri, 'diagram')]"):
        try:
            return _kept([_chart(shape.chart)] if shape.has_chart else list(_diagram(shape)))
        except UNREADABLE:
            left_out.drawn.append(number)
            return []
    if not shape.has_text_frame:
        return []
    if shape.is_placeholder and _is_furniture(shape):
        return _kept([Piece(one_line(_shape_text(shape)), None)])
    return _paragraphs(shape.text_frame)


def _table(grid: Any) -> Piece:
    """The rows; a cell that is merged downwards stands in each row that it spans."""
    rows = [[cell.text for cell in row.cells] for row in grid.rows]
    for number, row in enumerate(grid.rows):
        for column, cell in enumerate(row.cells):
            for below in range(number + 1, number + cell.span_height if cell.is_merge_origin else 0):
                if below < len(rows):
                    rows[below][column] = cell.text
    return table(rows)


def _paragraphs(frame: Any) -> list[Piece]:
    pieces = []
    for part in frame.paragraphs:
        text = one_line(part.text)
        piece = paragraph(text) if text else None
        if piece is not None:
            listed = part.level > 0 and piece.kind is BlockKind.PARAGRAPH
            pieces.append(Piece(text, BlockKind.LIST_ITEM) if listed else piece)
    return pieces


def _is_furniture(shape: Any) -> bool:
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND

    return shape.placeholder_format.type in (KIND.FOOTER, KIND.HEADER, KIND.DATE, KIND.SLIDE_NUMBER)


def _shape_text(shape: Any) -> str:
    return str(shape.text_frame.text) if shape.has_text_frame else ""


def _notes(slide: Any) -> list[Piece]:
    if not slide.has_notes_slide:
        return []
    frame = slide.notes_slide.notes_text_frame
    return marked_notes(_paragraphs(frame)) if frame is not None else []


def marked_notes(pieces: list[Piece]) -> list[Piece]:
    """The speaker's notes under a heading that says what they are; it is the same word in French and English."""
    return [Piece("Notes", BlockKind.HEADING, 1), *pieces] if pieces else []


def _chart(chart: Any) -> Piece:
    """A chart's numbers as a table: its title and series in the first row, a category a row."""
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    rows: list[list[str]] = []
    for plot in chart.plots:
        series = list(plot.series)
        rows.append([title, *(str(one.name or "") for one in series)])
        values = [list(one.values) for one in series]
        for index, category in enumerate(plot.categories):
            rows.append([str(category), *(_value(column, index) for column in values)])
    return table(rows)


def _value(column: list[float | None], index: int) -> str:
    value = column[index] if index < len(column) else None
    return "" if value is None else f"{value:.15g}"


def _diagram(shape: Any) -> Iterator[Piece]:
    """The words of a diagram (SmartArt), which stand in a part of their own."""
    from lxml import etree

    for reference in shape._element.iter(f"{_DIAGRAM}relIds"):
        part = shape.part.related_part(reference.get(_DATA))
        for point in etree.fromstring(part.blob, safe_parser()).iter(f"{_DIAGRAM}pt"):
            for line in point.iter(f"{_DRAWING}p"):
                text = one_line("".join(run.text or "" for run in line.iter(f"{_DRAWING}t")))
                yield Piece(text, BlockKind.LIST_ITEM)


def _kept(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if re.search(r"\S", piece.text)]
