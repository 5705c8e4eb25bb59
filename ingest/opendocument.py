"""OpenDocument as XML: what styles hide, the words of a paragraph, lists with their numbers, tables with merged cells.

The parts that texts (`ingest.odtext`) and presentations (`ingest.slides`) have in common.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.types import BlockKind
from ingest.leftout import LeftOut
from ingest.markup import safe_parser
from ingest.pieces import HEADING_CHARS, Piece, one_line, paragraph, table

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
TEXT, TABLE, DRAW, OFFICE, STYLE, PRESENTATION = (
    _NAMES % name for name in ("text", "table", "drawing", "office", "style", "presentation")
)
FO, SVG = _NAMES % "xsl-fo-compatible", _NAMES % "svg-compatible"
_CHAINED = 20
_MOST_REPEATED = 1000
_MOST_DEPTH = 200
_TINY_PT = 1.0
_BLANKS = re.compile(r"[ \t\r\n]+")
_LENGTH = re.compile(r"(-?\d*\.?\d+)(pt|cm|mm|in|px)")
_POINTS = {"pt": 1.0, "cm": 28.3465, "mm": 2.83465, "in": 72.0, "px": 0.75}
_SHAPES = frozenset(f"{DRAW}{name}" for name in ("frame", "custom-shape", "g", "text-box", "rect", "ellipse", "a"))
_SPACES = {f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_PASSED_OVER = frozenset(
    {f"{TEXT}tracked-changes", f"{TEXT}note-citation", f"{TEXT}ruby-text", f"{OFFICE}forms", f"{TEXT}number"}
)


@dataclass(slots=True)
class OpenDocument:
    """An OpenDocument file: its body, and how its styles make things look."""

    body: Any
    styles: dict[tuple[str, str], Any]
    lists: dict[str, Any]
    left_out: LeftOut = field(default_factory=LeftOut)
    on_paper: bool = True
    """True where the ground is known to be white unless something says otherwise; shapes on a slide have fills of their own."""
    _counters: dict[str, list[int]] = field(default_factory=dict)

    def properties(self, element: Any, family: str, name: str) -> Iterator[Any]:
        """The properties called `name` of the element's style and those it is based on, the nearest first."""
        style_name = element.get(f"{TABLE if family == 'table-cell' else TEXT}style-name")
        if family in ("drawing-page", "graphic", "presentation"):
            style_name = element.get(f"{PRESENTATION if family == 'presentation' else DRAW}style-name")
        for _ in range(_CHAINED):
            style = self.styles.get((family, style_name or ""))
            if style is None:
                return
            yield from style.iterchildren(f"{STYLE}{name}")
            style_name = style.get(f"{STYLE}parent-style-name")

    def first(self, element: Any, family: str, name: str, attribute: str) -> str | None:
        """The value of a property, from the nearest style that has one."""
        values = (found.get(attribute) for found in self.properties(element, family, name))
        return next((value for value in values if value is not None), None)

    # words

    def words(self, element: Any, *, asides: list[Any], depth: int = 0) -> str:
        """The visible words of a paragraph; shapes and notes that are anchored in it are added to `asides`."""
        parts = [element.text or ""]
        for child in element:
            parts.append(self._inline(child, asides, depth))
            parts.append(child.tail or "")
        text = "".join(parts)
        family = "paragraph" if element.tag in (f"{TEXT}p", f"{TEXT}h") else "text"
        if text.strip() and self._is_hidden(element, family):
            self.left_out.hidden += len(text.strip())
            return ""
        return text

    def _inline(self, child: Any, asides: list[Any], depth: int) -> str:
        if not isinstance(child.tag, str) or child.tag in _PASSED_OVER or depth > _MOST_DEPTH:
            return ""
        if child.tag == f"{OFFICE}annotation":
            self.left_out.comments += 1
        elif child.tag == f"{TEXT}note" or child.tag in _SHAPES:
            asides.append(child)
        elif child.tag in _SPACES:
            return _SPACES[child.tag] * min(int(child.get(f"{TEXT}c") or "1"), _MOST_REPEATED)
        else:
            return self._field(child, asides, depth)
        return ""

    def _field(self, child: Any, asides: list[Any], depth: int) -> str:
        text = self.words(child, asides=asides, depth=depth + 1)
        if child.get(f"{TEXT}is-hidden") == "true":
            self.left_out.hidden += len(text.strip())
            return ""
        return text

    def _is_hidden(self, element: Any, family: str) -> bool:
        if self.first(element, family, "text-properties", f"{TEXT}display") == "none":
            return True
        if any(part.get(f"{TEXT}is-hidden") == "true" for part in element.iterchildren(f"{TEXT}hidden-paragraph")):
            return True
        size = points(self.first(element, family, "text-properties", f"{FO}font-size"))
        if size is not None and size <= _TINY_PT:
            return True
        colour = self.first(element, family, "text-properties", f"{FO}color")
        return colour is not None and self.on_paper and colour.lower() == self._ground(element, family)

    def _ground(self, element: Any, family: str) -> str:
        own = self.first(element, family, "text-properties", f"{FO}background-color")
        if own not in (None, "transparent"):
            return str(own).lower()
        for up in (element, *element.iterancestors()):
            kind = {f"{TEXT}p": "paragraph", f"{TEXT}h": "paragraph", f"{TABLE}table-cell": "table-cell"}.get(up.tag)
            found = self.first(up, kind, f"{kind}-properties", f"{FO}background-color") if kind else None
            if found not in (None, "transparent"):
                return str(found).lower()
            if up.tag in _SHAPES:
                return ""
        return "#ffffff"

    # blocks

    def blocks(self, element: Any, *, depth: int = 0) -> Iterator[Piece]:
        """The pieces below an element, in reading order."""
        for child in element if depth < _MOST_DEPTH else ():
            if child.tag in (f"{TEXT}p", f"{TEXT}h"):
                yield from self.paragraph_and_asides(child, depth)
            elif child.tag == f"{TEXT}list":
                yield from self._list(child, depth)
            elif child.tag == f"{TABLE}table":
                yield self.table(child)
            elif child.tag == f"{TEXT}tracked-changes":
                self.left_out.deleted += sum(letters(part) for part in child.iter(f"{TEXT}deletion"))
            elif child.tag == f"{TEXT}section" and self._is_shut(child):
                self.left_out.hidden += letters(child)
            elif child.tag == f"{TEXT}table-of-content":
                yield from (Piece(piece.text, None) for piece in self.blocks(child, depth=depth + 1))
            elif isinstance(child.tag, str) and child.tag not in _PASSED_OVER and child.tag != f"{OFFICE}annotation":
                yield from self.blocks(child, depth=depth + 1)

    def paragraph_and_asides(
        self, element: Any, depth: int, *, label: str = "", listed: bool = False
    ) -> Iterator[Piece]:
        """A paragraph, then the notes and boxes that hang on it."""
        asides: list[Any] = []
        text = "\n".join(filter(None, map(_one_line, self.words(element, asides=asides).split("\n"))))
        if text:
            level = int(element.get(f"{TEXT}outline-level") or "1") if element.tag == f"{TEXT}h" else 0
            text = f"{label} {text}" if label else text
            if level and len(text) <= HEADING_CHARS:
                yield Piece(one_line(text), BlockKind.HEADING, max(1, min(level, 10)))
            else:
                piece = paragraph(text)
                yield Piece(text, BlockKind.LIST_ITEM) if listed and piece.kind is BlockKind.PARAGRAPH else piece
        for aside in asides:
            yield from self.blocks(aside, depth=depth + 1)

    def _is_shut(self, section: Any) -> bool:
        return bool(section.get(f"{TEXT}display") == "none" or section.get(f"{TEXT}is-hidden") == "true")

    # lists

    def _list(self, element: Any, depth: int, level: int = 1, style: str = "") -> Iterator[Piece]:
        style = element.get(f"{TEXT}style-name") or style
        goes_on = element.get(f"{TEXT}continue-numbering") == "true" or element.get(f"{TEXT}continue-list")
        counters = self._counters.setdefault(style, [])
        if not goes_on:
            del counters[level - 1 :]
        for item in element.iterchildren(f"{TEXT}list-item", f"{TEXT}list-header") if depth < _MOST_DEPTH else ():
            label = ""
            for child in item:
                if child.tag == f"{TEXT}list":
                    yield from self._list(child, depth + 1, level + 1, style)
                elif child.tag in (f"{TEXT}p", f"{TEXT}h"):
                    first = child.getprevious() is None or child.getprevious().tag == f"{TEXT}number"
                    if first and item.tag == f"{TEXT}list-item" and letters(child):
                        label = self._label(style, level, counters, item)
                    yield from self.paragraph_and_asides(child, depth + 1, label=label if first else "", listed=True)

    def _label(self, style: str, level: int, counters: list[int], item: Any) -> str:
        """The number of a list item as it is printed; empty for bullets."""
        described = self._level(style, level)
        counters += [0] * (level - len(counters))
        del counters[level:]
        start = item.get(f"{TEXT}start-value") or (
            described.get(f"{TEXT}start-value") if described is not None else None
        )
        restarts = item.get(f"{TEXT}start-value") is not None or counters[level - 1] == 0
        counters[level - 1] = int(start or "1") if restarts else counters[level - 1] + 1
        if described is None or not described.get(f"{STYLE}num-format"):
            return ""
        shown = int(described.get(f"{TEXT}display-levels") or "1")
        numbers = []
        for upper in range(max(1, level - shown + 1), level + 1):
            kind = self._level(style, upper)
            number_format = kind.get(f"{STYLE}num-format") if kind is not None else "1"
            numbers.append(number_as(max(1, counters[upper - 1]), number_format or "1"))
        prefix, suffix = described.get(f"{STYLE}num-prefix") or "", described.get(f"{STYLE}num-suffix") or ""
        return f"{prefix}{'.'.join(numbers)}{suffix}"

    def _level(self, style: str, level: int) -> Any:
        described = self.lists.get(style)
        levels = described.iterchildren() if described is not None else ()
        return next((one for one in levels if one.get(f"{TEXT}level") == str(level)), None)

    # tables

    def table(self, element: Any) -> Piece:
        """The rows of a table; a cell that is merged downwards stands in each row that it spans."""
        rows: list[list[str]] = []
        below: dict[tuple[int, int], str] = {}
        for row in element.iter(f"{TABLE}table-row"):
            if next(row.iterancestors(f"{TABLE}table")) is not element:
                continue
            cells: list[str] = []
            for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                text = " ".join(piece.text for piece in self.blocks(cell, depth=1))
                height = min(int(cell.get(f"{TABLE}number-rows-spanned") or "1"), _MOST_REPEATED)
                for down in range(1, height):
                    below[len(rows) + down, len(cells)] = text
                covered = below.get((len(rows), len(cells)), "")
                repeats = min(int(cell.get(f"{TABLE}number-columns-repeated") or "1"), _MOST_REPEATED)
                cells += [covered if cell.tag.endswith("covered-table-cell") else text] * repeats
            rows.append(cells)
        return table(rows)


def opened(path: Path) -> OpenDocument:
    """The file's body and styles. Raises what a damaged file makes its readers raise."""
    from lxml import etree

    with zipfile.ZipFile(path) as archive:
        roots = [etree.fromstring(archive.read("content.xml"), safe_parser())]
        if "styles.xml" in archive.namelist():
            roots.append(etree.fromstring(archive.read("styles.xml"), safe_parser()))
    styles: dict[tuple[str, str], Any] = {}
    lists: dict[str, Any] = {}
    for root in reversed(roots):  # automatic styles of the content win
        for style in root.iter(f"{STYLE}style"):
            styles[style.get(f"{STYLE}family") or "", style.get(f"{STYLE}name") or ""] = style
        lists |= {one.get(f"{STYLE}name") or "": one for one in root.iter(f"{TEXT}list-style")}
    body = roots[0].find(f"{OFFICE}body")
    if body is None or len(body) == 0:
        raise ValueError("there is no body in the file")
    return OpenDocument(body[0], styles, lists)


def running_lines(path: Path, document: OpenDocument) -> Iterator[Piece]:
    """Headers and footers, each once, in no block."""
    from lxml import etree

    with zipfile.ZipFile(path) as archive:
        if "styles.xml" not in archive.namelist():
            return
        root = etree.fromstring(archive.read("styles.xml"), safe_parser())
    seen: set[str] = set()
    for part in root.iter(f"{STYLE}header", f"{STYLE}footer", f"{STYLE}header-first", f"{STYLE}footer-first"):
        text = "\n".join(piece.text for piece in document.blocks(part))
        if text and text not in seen:
            seen.add(text)
            yield Piece(text, None)


def _one_line(text: str) -> str:
    """Runs of white space as one space; spaces that do not break stay what they are."""
    return _BLANKS.sub(" ", text).strip(" ")


def letters(element: Any) -> int:
    """How many characters of text stand inside."""
    return len("".join(element.itertext()).strip())


def points(length: str | None) -> float | None:
    """A length in points; None when it is none or relative."""
    match = _LENGTH.fullmatch(length or "")
    return float(match[1]) * _POINTS[match[2]] if match else None


def number_as(number: int, number_format: str) -> str:
    """A list number as it is printed.

    >>> number_as(4, "1"), number_as(4, "i"), number_as(28, "A")
    ('4', 'iv', 'AB')
    """
    if number_format in ("i", "I"):
        roman = ""
        for value, sign in zip(_ROMAN_VALUES, _ROMAN_SIGNS, strict=True):
            roman += sign * (number // value)
            number %= value
        return roman if number_format == "i" else roman.upper()
    if number_format in ("a", "A"):
        name = ""
        while number > 0:
            number, rest = divmod(number - 1, 26)
            name = chr(ord(number_format) + rest) + name
        return name
    return str(number)


_ROMAN_VALUES = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_ROMAN_SIGNS = ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i")
