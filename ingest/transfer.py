"""A parser's result as JSON, from the child process that made it to the service.

The child has read a file that may have been made to break it, so its result is no more trusted than the file: nothing is
unpickled, and what comes back is checked until it is a well-formed `Parsed`.
"""

from __future__ import annotations

import json
import math
import os
import stat
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from assistant.types import Block, BlockKind, Box, Page, Span, TextOrigin, Word, tiles
from ingest.parsing import Attachment, Parsed, Rejected

ATTACHMENTS = "attachments"
"""The one folder, beside the result, in which a child leaves files for the service."""


def carried(file_name: str, content: bytes) -> Attachment:
    """An attachment with this content, kept where the service takes it over."""
    path = new_attachment_file()
    path.write_bytes(content)
    return Attachment(file_name, path)


def new_attachment_file() -> Path:
    """Where a parser writes the next file that its file carries: in the process's own temporary folder."""
    place = Path(tempfile.gettempdir()) / ATTACHMENTS
    place.mkdir(exist_ok=True)
    return place / os.urandom(8).hex()


def write_result(result: Parsed | Rejected, file: Path) -> None:
    """Write `result` to `file`; what `read_result` reads back is equal to it."""
    if isinstance(result, Rejected):
        table: dict[str, Any] = {"rejected": [result.category, result.message, result.page_number]}
    else:
        table = {
            "title": result.title,
            "language": result.language,
            "date": result.date,
            "media_type": result.media_type,
            "text": result.text,
            "pages": [_page_row(page) for page in result.pages],
            "blocks": [[b.span.start, b.span.end, b.kind.value, b.heading_level] for b in result.blocks],
            "parser": result.parser,
            "warnings": list(result.warnings),
            "attachments": [[a.file_name, a.path.name, a.sidecar, a.own_label] for a in result.attachments],
            "author": result.author,
            "document_type": result.document_type,
            "references": list(result.references),
            "container": result.container,
        }
    with file.open("w", encoding="utf-8", errors="replace") as stream:
        json.dump(table, stream, ensure_ascii=False, separators=(",", ":"))


def read_result(file: Path) -> Parsed | Rejected:
    """The result in `file`. Raises ValueError when it is not a well-formed one."""
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if "rejected" in table:
            category, message, page_number = table["rejected"]
            return Rejected(str(category), str(message), int(page_number) if page_number is not None else None)
        parsed = _parsed(table, file.parent)
        _check(parsed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise ValueError(f"not a parser's result: {error}") from error
    return parsed


def _parsed(table: dict[str, Any], folder: Path) -> Parsed:
    return Parsed(
        title=_optional_text(table["title"]),
        language=str(table["language"]),
        date=_optional_text(table["date"]),
        media_type=str(table["media_type"]),
        text=_text(table["text"]),
        pages=tuple(_page(row) for row in table["pages"]),
        blocks=tuple(
            Block(_span(start, end), BlockKind(kind), int(level)) for start, end, kind, level in table["blocks"]
        ),
        parser=str(table["parser"]),
        warnings=tuple(str(warning) for warning in table["warnings"]),
        attachments=tuple(_attachment(row, folder) for row in table["attachments"]),
        author=_optional_text(table["author"]),
        document_type=_optional_text(table["document_type"]),
        references=tuple(_text(reference) for reference in table["references"]),
        container=table["container"] is True,
    )


def _page_row(page: Page) -> list[Any]:
    words = [[w.span.start, w.span.end, w.box.left, w.box.top, w.box.right, w.box.bottom] for w in page.words]
    start, end = page.span.start, page.span.end
    return [page.number, start, end, page.width, page.height, page.origin.value, page.confidence, words, page.runs]


def _page(row: list[Any]) -> Page:
    number, start, end, width, height, origin, confidence, words, runs = row
    placed = tuple(
        Word(_span(a, b), Box(_number(left), _number(top), _number(right), _number(bottom)))
        for a, b, left, top, right, bottom in words
    )
    return Page(
        int(number), _span(start, end), _number(width), _number(height), placed, TextOrigin(origin), _number(confidence),
        tuple(tuple((int(a), int(b), int(first)) for a, b, first in piece) for piece in runs),
    )  # fmt: skip


def _attachment(row: list[Any], folder: Path) -> Attachment:
    name, stored, sidecar, own_label = row
    place = folder / ATTACHMENTS
    path = place / _text(stored)
    if path.parent != place or place.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("an attachment that is not a file of the child's own")
    parts = [part for part in PurePosixPath(_text(name).replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return Attachment("/".join(parts) or "attachment", path, _text(sidecar), own_label is True)


def _check(parsed: Parsed) -> None:
    length = len(parsed.text)
    if parsed.container:
        if length or parsed.pages or parsed.blocks:
            raise ValueError("an archive with a text of its own")
        return
    if not any(character.isalnum() for character in parsed.text):
        raise ValueError("no text")
    if parsed.pages and not tiles([page.span for page in parsed.pages], length):
        raise ValueError("its pages do not tile its text")
    position = 0
    for block in parsed.blocks:
        if not position <= block.span.start < block.span.end <= length:
            raise ValueError("its blocks are out of order")
        position = block.span.end
    if any(not page.span.contains(word.span) for page in parsed.pages for word in page.words):
        raise ValueError("a word lies outside its page")
    if any(not _runs_fit(page) for page in parsed.pages):
        raise ValueError("a run lies outside its page")


def _runs_fit(page: Page) -> bool:
    """True when each piece of a line is covered by its runs, one after the other, within the page."""
    for piece in page.runs:
        position = piece[0][0] if piece else -1
        if position < page.span.start:
            return False
        for start, end, first in piece:
            if start != position or end <= start or first < 0 or end > page.span.end:
                return False
            position = end
    return True


def _span(start: object, end: object) -> Span:
    if type(start) is not int or type(end) is not int:
        raise ValueError("a place that is no whole number")
    return Span(start, end)


def _number(value: float) -> float:
    """A number, and neither `NaN` nor `Infinity`, which Python reads as JSON and browsers do not."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number that is none")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} where text belongs")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)
