"""What belongs to a sheet beside its cells' values: cells merged downwards, and the lines printed above and below each page."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from ingest.markup import safe_parser

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=\"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})\"")
_RUNNING = re.compile(rb"<(?:\w+:)?((?:odd|even|first)(?:Header|Footer))>(.*?)</(?:\w+:)?\1>", re.DOTALL)
_PART = re.compile(r"&[LCR]")
_CODE = re.compile(r'&(?:"[^"]*"|\d+|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|[A-Za-z])')
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_PRINTED = tuple(f"{_STYLE}{name}{kind}" for name in ("header", "footer") for kind in ("", "-left", "-first"))


class MergedDown:
    """Cells that are merged over several rows, so that a row says all that belongs to it."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[int, str]] = {}

    def begins(self, column: int, *, last_row: int, text: str) -> None:
        """A cell of this text in this column (0-based) reaches down to `last_row`."""
        self._texts[column] = (last_row, text)

    def filled(self, number: int, row: list[str]) -> list[str]:
        """The row with what reaches down into it; one that has nothing of its own stays empty."""
        if not self._texts or not any(row):
            return row
        for column, (last_row, text) in self._texts.items():
            if number <= last_row and (column >= len(row) or not row[column]):
                row += [""] * (column + 1 - len(row))
                row[column] = text
        return row


def merged_cells(sheet: bytes) -> dict[int, list[tuple[int, int]]]:
    """By first row, (0-based column, last row) of each cell of an Excel sheet that is merged over several rows."""
    found: dict[int, list[tuple[int, int]]] = {}
    for letters, first, last in _MERGED.findall(sheet, max(0, sheet.rfind(b"sheetData"))):
        if int(last) > int(first):
            found.setdefault(int(first), []).append((_column(letters), int(last)))
    return found


def running_lines(sheet: bytes) -> Iterator[str]:
    """Lines that Excel prints above and below each page of a sheet, without the codes for page numbers, dates and type."""
    for _, markup in _RUNNING.findall(sheet, max(0, sheet.rfind(b"sheetData"))):
        text = html.unescape(markup.decode("utf-8", "replace"))
        for part in _PART.split(text.replace("&&", "\ue000")):
            yield from _CODE.sub("", part).replace("\ue000", "&").splitlines()


def open_document_lines(archive: zipfile.ZipFile) -> Iterator[str]:
    """The same of an OpenDocument sheet, which has them in its styles."""
    from lxml import etree

    if "styles.xml" not in archive.namelist():
        return
    for printed in etree.fromstring(archive.read("styles.xml"), safe_parser()).iter(*_PRINTED):
        if printed.get(f"{_STYLE}display") != "false":
            yield from ("".join(_words(line)) for line in printed.iter(f"{_TEXT}p"))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _words(element: Any) -> Iterator[str]:
    """The words somebody wrote; page numbers, dates and names of sheets are fields."""
    if element.tag in (f"{_TEXT}p", f"{_TEXT}span"):
        yield element.text or ""
        for child in element:
            yield from _words(child)
            yield child.tail or ""
    elif element.tag == f"{_TEXT}s":
        yield " "
