"""XLSX, ODS and CSV: what a reader of the sheet sees, a row a line, under the sheet's name.

Formulas give the values stored with them. Rows, columns and sheets that are hidden are left out and reported. Files are read
as streams, so that a sheet with a million empty rows costs nothing, and the number of filled cells is limited.

Numbers are shown as their format asks for digits, decimals, percent and units, without grouping of thousands; dates are
written as ISO 8601, since the order of day and month on the page depends on who opens the file.
"""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import operator
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistant.types import BlockKind
from ingest.encoding import decoded
from ingest.manifests import remark_on_table
from ingest.packages import UNREADABLE, damaged, metadata_title, unsafe_parts
from ingest.parsing import CSV, ODS, XLSX, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import Piece, composed, grid, outside_passages
from ingest.sheetparts import MergedDown, merged_cells, open_document_lines, running_lines

_DELIMITERS = "\t;|,"
"""In the order in which they win a tie: a decimal comma may be as regular as the semicolon that separates."""
_LOOK_AT_LINES = 50
_LONGEST_CELL = 50_000_000
_WIDEST_ROW = 16_384
_NAMED = 20
"""Sheets named in one warning."""


class _TooManyCells(Exception):
    """The file holds more cells than the limit allows."""


@dataclass(slots=True)
class _Sheets:
    """What has been read so far: pieces, what was left out, and how many cells may still come."""

    room: int
    pieces: list[Piece] = field(default_factory=list)
    hidden_sheets: list[str] = field(default_factory=list)
    hidden_lines: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    """Lines printed above and below each page."""
    unsolved: int = 0
    """Formulas without a stored value."""

    def add(self, name: str, rows: Iterable[list[str]]) -> None:
        """Read a visible sheet; one without text leaves nothing, not even its name."""
        pieces = grid(self._counted(rows))
        if pieces:
            heading = [Piece(name.strip(), BlockKind.HEADING, 1)] if name.strip() else []
            nested = [Piece(p.text, p.kind, p.level + 1) if p.kind is BlockKind.HEADING else p for p in pieces]
            self.pieces += heading + nested

    def composed(self) -> list[Piece]:
        """All that was read; what is printed on each page counts only where there is something else."""
        return outside_passages(self.running) + self.pieces if self.pieces else []

    def warnings(self) -> tuple[str, ...]:
        """What a person should know before trusting that everything was read."""
        found = []
        if self.hidden_sheets:
            found.append(f"hidden sheets were left out: {_names(self.hidden_sheets)}")
        if self.hidden_lines:
            found.append(f"hidden rows or columns were left out: {_names(self.hidden_lines)}")
        if self.unsolved:
            found.append(
                f"{self.unsolved} formulas have no stored value and were left out; open and save the file anew"
            )
        return tuple(found)

    def _counted(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        for row in rows:
            self.room -= sum(1 for cell in row if cell)
            if self.room < 0:
                raise _TooManyCells
            yield row


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _too_many(settings: ParsingSettings) -> Rejected:
    return Rejected(RejectionCategory.TOO_LARGE, f"it has more than {settings.max_cells} filled cells; split the file")


# --- CSV ---------------------------------------------------------------------------------------------------------


def read_csv(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """A table of separated values; the separator is the one that cuts most of the first lines alike."""
    text = decoded(path.read_bytes()).replace("\x00", "")
    csv.field_size_limit(_LONGEST_CELL)
    sheets = _Sheets(settings.max_cells)
    try:
        sheets.add("", csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except _TooManyCells:
        return _too_many(settings)
    except csv.Error as error:
        return Rejected(RejectionCategory.DAMAGED, f"the table of separated values cannot be read ({error})")
    read = composed(CSV, sheets.pieces, settings, parser="csv", title=None)
    remark = remark_on_table(path, name=".csv")
    return replace(read, warnings=(*read.warnings, remark)) if remark and isinstance(read, Parsed) else read


def _delimiter(text: str) -> str:
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:_LOOK_AT_LINES]

    def cut_alike(delimiter: str) -> int:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        return max((count for width, count in widths.items() if width > 1), default=0)

    return max(_DELIMITERS, key=cut_alike)


# --- XLSX --------------------------------------------------------------------------------------------------------


def read_xlsx(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The visible sheets of an Excel workbook, in order."""
    import openpyxl
    from openpyxl.utils.exceptions import CellCoordinatesException, InvalidFileException

    sheets = _Sheets(settings.max_cells)
    try:
        refused = unsafe_parts(path)
        if refused is not None:
            return refused
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # about parts that only a writer would lose
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets:
                _read_sheet(book, sheet, sheets)
        title = metadata_title(path)
    except _TooManyCells:
        return _too_many(settings)
    except (*UNREADABLE, CellCoordinatesException, InvalidFileException) as error:
        return damaged("the Excel workbook", error)
    found = (*sheets.warnings(), *_not_read(path))
    return composed(XLSX, sheets.composed(), settings, parser="openpyxl", title=title, warnings=found)


def _read_sheet(book: Any, sheet: Any, sheets: _Sheets) -> None:
    if sheet.sheet_state != "visible":
        sheets.hidden_sheets.append(sheet.title)
        return
    with sheet._get_source() as source:
        content = source.read()
    sheets.running += running_lines(content)
    reader = _SheetReader(book, sheet, io.BytesIO(content), merged_cells(content))
    sheets.add(sheet.title, reader.rows())
    sheets.unsolved += reader.unsolved
    if reader.hidden:
        sheets.hidden_lines.append(f"{reader.hidden} in {sheet.title}")


class _SheetReader:
    """A sheet's rows as they are shown.

    The streaming reader inside openpyxl knows which rows and columns are hidden and which cells are formulas; its public
    face forgets all of that, so it is used directly.
    """

    def __init__(self, book: Any, sheet: Any, source: Any, merged: dict[int, list[tuple[int, int]]]) -> None:
        from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

        self.hidden = 0
        """Rows and columns left out that have something in them."""
        self.unsolved = 0
        self._book = book
        self._merged = merged
        self._formula_tag = FORMULA_TAG
        self._hidden_columns: set[int] = set()
        self._hidden_spans: list[tuple[int, int]] | None = None
        self._parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        self._parse_cell = self._parser.parse_cell
        self._parser.parse_cell = self._cell

    def rows(self) -> Iterator[list[str]]:
        """Visible rows from the top; where rows are missing in the file, one empty row stands for them all."""
        last = 0
        down = MergedDown()
        for number, cells in self._parser.parse():
            shown = self._shown(cells)
            for column, last_row in self._merged.get(number, ()):
                if column < len(shown):
                    down.begins(column, last_row=last_row, text=shown[column])
            if _is_hidden(self._parser.row_dimensions.pop(str(number), {})):
                self.hidden += any(shown)
                continue
            if number > last + 1:
                yield []
            last = number
            yield down.filled(number, shown)
        self.hidden += len(self._hidden_columns)

    def _cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = self._parse_cell(element)
        self.unsolved += cell["value"] is None and element.find(self._formula_tag) is not None
        return cell

    def _shown(self, cells: list[dict[str, Any]]) -> list[str]:
        filled = [cell for cell in cells if cell["value"] is not None and 0 < cell["column"] <= _WIDEST_ROW]
        row = [""] * max((cell["column"] for cell in filled), default=0)
        for cell in filled:
            if self._in_hidden_column(cell["column"]):
                self._hidden_columns.add(cell["column"])
            else:
                row[cell["column"] - 1] = self._text(cell)
        return row

    def _in_hidden_column(self, column: int) -> bool:
        if self._hidden_spans is None:  # columns are described before the first row
            described = self._parser.column_dimensions.values()
            self._hidden_spans = [(int(c["min"]), int(c["max"])) for c in described if _is_hidden(c)]
        return any(first <= column <= last for first, last in self._hidden_spans)

    def _text(self, cell: dict[str, Any]) -> str:
        style = self._book._cell_styles[cell["style_id"]]
        return shown_value(cell["value"], _number_format(self._book, style.numFmtId))


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true") or attributes.get("ht") == "0" or attributes.get("width") == "0"


def _number_format(book: Any, number: int) -> str:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    if number < BUILTIN_FORMATS_MAX_SIZE:
        return str(BUILTIN_FORMATS.get(number, "General"))
    return str(book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])


def _not_read(path: Path) -> Iterator[str]:
    """Warnings about parts of a workbook that hold text and are not read."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(re.match(r"xl/(?:comments|threadedComments)", name) for name in names):
            yield "comments on cells were not read"
        drawings = [name for name in names if re.fullmatch(r"xl/drawings/drawing\d+\.xml", name)]
        if any(b"<a:t>" in archive.read(name) for name in drawings):
            yield "text boxes drawn over the cells were not read"


# --- what a cell shows -------------------------------------------------------------------------------------------

_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([#0?]+))?(,*)")
_MASK = re.compile(r"[#0?](?:[^.%@]*[#0?])?")
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\]")
_COMPARED = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.')


def shown_value(value: object, number_format: str) -> str:
    """What a cell shows for `value`.

    >>> shown_value(0.125, "0.0%"), shown_value(1234.5, '#,##0.00 "€"'), shown_value(3.0, "General")
    ('12.5%', '1234.50 €', '3')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.time):
        return value.isoformat("seconds")
    return str(value)


def _number(value: float, number_format: str) -> str:
    section = _section(value, number_format)
    literal = _LITERAL.sub(lambda match: _quoted(match[1] or match[2] or match[3] or ""), section)
    digits = _DIGITS.search(literal)
    mask = _MASK.search(literal)
    if digits is None or "General" in section or re.search(r"E[+-]|[#0?]/[#0?\d]", literal):
        return f"{value:.15g}"
    if mask is not None and not digits[1] and len(mask[0]) > len(digits[0]):
        masked = _masked(value, mask[0])
        return _unquoted(literal[: mask.start()] + masked + literal[mask.end() :])
    before, after = literal[: digits.start()], literal[digits.end() :]
    if "%" in before + after:
        value *= 100
    value /= 1000 ** len(digits[2])
    decimals = digits[1] or ""
    text = f"{value:.{len(decimals)}f}"
    for character in reversed(decimals):
        if character == "0" or not text.endswith("0"):
            break
        text = text[:-1]
    whole, point, rest = text.removesuffix(".").removeprefix("-").partition(".")
    sign = "-" if text.startswith("-") else ""
    return _unquoted(before) + sign + whole.zfill(_zeros(digits[0])) + point + rest + _unquoted(after)


def _zeros(mask: str) -> int:
    """How many digits a number has at least before the point."""
    return mask.partition(".")[0].count("0")


def _masked(value: float, mask: str) -> str:
    """The number's digits in the places of the mask, from the right; those that are left over stand in the first place."""
    digits = list(f"{abs(value):.0f}")
    places = sum(character in "#0?" for character in mask)
    shown: list[str] = []
    for position in range(len(mask) - 1, -1, -1):
        character = mask[position]
        if character in "#0?":
            places -= 1
            if digits and places == 0:
                shown += reversed(digits)
            elif digits or character == "0":
                shown.append(digits.pop() if digits else "0")
        elif character != "," and (digits or "0" in mask[:position]):
            shown.append(character)
    return ("-" if value < 0 else "") + "".join(reversed(shown))


def _section(value: float, number_format: str) -> str:
    """The part of the format that is meant for a number of this sign, the sign kept where the part would drop it."""
    sections = number_format.split(";")
    asked = [_CONDITION.search(section) for section in sections]
    if any(asked):
        holds = (not given or _COMPARED[given[1]](value, float(given[2])) for given in asked)
        return next(itertools.compress(sections, holds), sections[-1])
    return sections[2] if value == 0 and len(sections) > 2 and _DIGITS.search(sections[2]) else sections[0]


def _quoted(text: str) -> str:
    """`text` moved out of the way of the format's own characters."""
    return "".join(chr(0xF0000 + ord(character)) if ord(character) < 0x1000 else character for character in text)


def _unquoted(text: str) -> str:
    return "".join(chr(ord(c) - 0xF0000) if 0xF0000 <= ord(c) < 0xF1000 else c for c in text)


# --- ODS ---------------------------------------------------------------------------------------------------------

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT_P = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p"
_TEXT_S = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}s"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_ANNOTATION = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}annotation"
_LONGEST_SHEET = 1 << 20


def read_ods(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The visible sheets of an OpenDocument spreadsheet, cells as they are shown."""
    sheets = _Sheets(settings.max_cells)
    try:
        refused = unsafe_parts(path)
        if refused is not None:
            return refused
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            _read_content(content, sheets)
            sheets.running += open_document_lines(archive)
        title = metadata_title(path)
    except _TooManyCells:
        return _too_many(settings)
    except UNREADABLE as error:
        return damaged("the OpenDocument spreadsheet", error)
    return composed(ODS, sheets.composed(), settings, parser="lxml", title=title, warnings=sheets.warnings())


def _read_content(content: Any, sheets: _Sheets) -> None:
    from lxml import etree

    hidden_styles: set[str] = set()
    tags = (f"{_STYLE}style", f"{_TABLE}table")
    for _, element in etree.iterparse(content, tag=tags, resolve_entities=False, no_network=True, huge_tree=False):
        if element.tag == f"{_STYLE}style":
            shown = [p.get(f"{_TABLE}display") for p in element.iterchildren(f"{_STYLE}table-properties")]
            hidden_styles |= {str(element.get(f"{_STYLE}name"))} if "false" in shown else set()
            continue
        if element.getparent() is not None and element.getparent().tag == f"{_TABLE}table-cell":
            continue
        name = str(element.get(f"{_TABLE}name") or "")
        if element.get(f"{_TABLE}style-name") in hidden_styles:
            sheets.hidden_sheets.append(name)
        else:
            _read_table(element, name, sheets)
        element.clear()


def _read_table(element: Any, name: str, sheets: _Sheets) -> None:
    columns = _hidden_columns(element)
    left_out = 0

    def rows() -> Iterator[list[str]]:
        nonlocal left_out
        down = MergedDown()
        for number, row in enumerate(element.iter(f"{_TABLE}table-row")):
            cells = down.filled(number, list(itertools.islice(_cells(row), _WIDEST_ROW)))
            for column, more_rows in _reaching_down(row):
                if column < len(cells):
                    down.begins(column, last_row=number + more_rows, text=cells[column])
            hidden = {index for index in columns if index < len(cells) and cells[index]}
            if row.get(f"{_TABLE}visibility") in ("collapse", "filter"):
                left_out += any(cells)
                continue
            left_out += len(hidden)
            shown = ["" if index in columns else cell for index, cell in enumerate(cells)]
            yield from itertools.repeat(shown, _repeats(row, "rows", _LONGEST_SHEET) if any(shown) else 1)

    sheets.add(name, rows())
    if left_out:
        sheets.hidden_lines.append(f"{left_out} in {name}")


def _cells(row: Any) -> Iterator[str]:
    for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        text = "\n".join("".join(_cell_words(p)) for p in cell.iterchildren(_TEXT_P))
        covered = cell.tag == f"{_TABLE}covered-table-cell"
        yield from itertools.repeat("" if covered else text, _repeats(cell, "columns", _WIDEST_ROW))


def _reaching_down(row: Any) -> Iterator[tuple[int, int]]:
    """(0-based column, rows below) of each cell of the row that is merged over several rows."""
    column = 0
    for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        spanned = cell.get(f"{_TABLE}number-rows-spanned") or "1"
        if spanned.isdecimal() and int(spanned) > 1:
            yield column, int(spanned) - 1
        column += _repeats(cell, "columns", _WIDEST_ROW)


def _cell_words(element: Any) -> Iterator[str]:
    if element.tag == _ANNOTATION:
        return
    yield " " if element.tag == _TEXT_S else element.text or ""
    for child in element:
        yield from _cell_words(child)
        yield child.tail or ""


def _repeats(element: Any, what: str, most: int) -> int:
    return max(1, min(int(element.get(f"{_TABLE}number-{what}-repeated") or "1"), most))


def _hidden_columns(element: Any) -> set[int]:
    hidden: set[int] = set()
    position = 0
    for column in element.iter(f"{_TABLE}table-column"):
        width = _repeats(column, "columns", _WIDEST_ROW)
        if column.get(f"{_TABLE}visibility") in ("collapse", "filter"):
            hidden |= set(range(position, position + width))
        position += width
    return hidden
