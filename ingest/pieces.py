"""From elements to one text: what every reader of unpaged files ends with.

A reader hands in `Piece`s in reading order; the document's text is put together from them, so every block's span is right by
construction. Tables are written one row a line, cells joined by `TABLE_CELL`, and an empty cell inside a row keeps its
place, so that a value never slides under another column's header.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.headings import bullet, section_number_level, structural_level
from assistant.language import TABLE_CELL, detect_language
from assistant.types import Block, BlockKind, Span
from ingest.parsing import Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory

_ONE_NUMBER = 7
"""The level of "2 Title", as `section_number_level` counts."""
HEADING_CHARS = 120
"""The longest heading that the passages under it carry whole; a longer line is a paragraph, so that nothing is cut off."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One element: its text and what it is; `kind` None keeps the text out of the blocks."""

    text: str
    kind: BlockKind | None
    level: int = 0


def composed(
    media_type: str,
    pieces: Sequence[Piece],
    settings: ParsingSettings,
    *,
    parser: str,
    title: str | None,
    date: str | None = None,
    author: str | None = None,
    language: str = "",
    attachments: tuple[Attachment, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Parsed | Rejected:
    """The pieces as one text with its blocks; Rejected when there is not one letter or digit in them.

    `language` is the one that the file declares; the words decide, where there are enough of them to tell.
    """
    parts: list[str] = []
    blocks: list[Block] = []
    position = 0
    for piece in pieces:
        if parts:
            parts.append("\n\n")
            position += 2
        parts.append(piece.text)
        if piece.kind is not None:
            blocks.append(Block(Span(position, position + len(piece.text)), piece.kind, piece.level))
        position += len(piece.text)
    read = parsed_text(
        media_type,
        "".join(parts),
        tuple(blocks),
        settings,
        parser=parser,
        title=title,
        date=date,
        language=language,
        attachments=attachments,
        warnings=warnings,
    )
    return replace(read, author=author) if isinstance(read, Parsed) and author else read


def parsed_text(
    media_type: str,
    text: str,
    blocks: tuple[Block, ...],
    settings: ParsingSettings,
    *,
    parser: str,
    title: str | None,
    date: str | None = None,
    language: str = "",
    attachments: tuple[Attachment, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Parsed | Rejected:
    """A document without pages; Rejected when there is not one letter or digit in it."""
    if not any(character.isalnum() for character in text):
        return no_text()
    return Parsed(
        title=title or None,
        language=detect_language(text, among=settings.languages, default=language or settings.languages[0]),
        date=date,
        media_type=media_type,
        text=text,
        pages=(),
        blocks=blocks,
        parser=parser,
        warnings=warnings,
        attachments=attachments,
    )


def hidden_text(characters: int) -> tuple[str, ...]:
    """The warning that so much text was hidden on the page and left out; none for nothing."""
    return (f"{characters} characters of hidden text were left out",) if characters else ()


def no_text() -> Rejected:
    """The rejection of a file that opens and has nothing to read."""
    return Rejected(RejectionCategory.NO_TEXT, "the file opens but holds no text")


def first_heading(pieces: Iterable[Piece]) -> str | None:
    """The first heading on one line, for want of a title; None when there is none."""
    return next((plain(piece.text) for piece in pieces if piece.kind is BlockKind.HEADING), None)


def plain(text: str) -> str:
    """Marked-up text of one line as a title: no tags, no entities, at most 300 characters."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\x00", "").split())[:300]


def one_line(text: str) -> str:
    """`text` with every run of white space, line ends included, as one space."""
    return " ".join(text.replace("\x00", "").split())


def paragraph(text: str) -> Piece:
    """A line of text as what its words say it is: a heading such as "Article 5", a list item, or a paragraph."""
    level = structural_level(text)
    if level and len(text) <= HEADING_CHARS:
        return Piece(text, BlockKind.HEADING, level)
    return Piece(text, BlockKind.LIST_ITEM if bullet(text) else BlockKind.PARAGRAPH)


def outside_passages(lines: Iterable[str]) -> list[Piece]:
    """Lines that stand on every page, each once, as text that is no passage: search does not see them, a marking counts."""
    said = dict.fromkeys(" ".join(line.split()) for line in lines)
    return [Piece(line, None) for line in said if any(character.isalpha() for character in line)]


def with_numbered_headings(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces that have text, lone lines such as "2.1 Demandes" among them as headings; in a row they are a list.

    An item of a list that says "1." stays one, alone or not.
    """
    kept = [piece for piece in pieces if piece.text]
    for index, piece in enumerate(kept):
        level = section_number_level(piece.text) if piece.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) else 0
        if piece.kind is BlockKind.LIST_ITEM and level == _ONE_NUMBER:
            continue
        around = kept[max(0, index - 1) : index] + kept[index + 1 : index + 2]
        if level and not any(section_number_level(other.text) for other in around):
            kept[index] = Piece(piece.text, BlockKind.HEADING, level)
    return kept


# --- tables ------------------------------------------------------------------------------------------------------


def table(rows: Iterable[Sequence[str]]) -> Piece:
    """The rows as one table; empty rows and columns are left out, empty cells inside a row keep their place.

    >>> table([["", "Acte", "Prix"], ["", "", ""], ["", "Copie", "2 €"]]).text
    'Acte | Prix\\nCopie | 2 €'
    """
    lines = [[one_line(cell) for cell in row] for row in rows]
    used = sorted({column for row in lines for column, cell in enumerate(row) if cell})
    kept = [[row[column] if column < len(row) else "" for column in used] for row in lines if any(row)]
    return Piece("\n".join(map(_row_text, kept)), BlockKind.TABLE)


def _row_text(cells: Sequence[str]) -> str:
    last = max(index for index, cell in enumerate(cells) if cell)
    return TABLE_CELL.join(cells[: last + 1])


def grid(rows: Iterable[Sequence[str]]) -> list[Piece]:
    """A sheet's rows as tables and the lines of text around them.

    A line alone in its row is text where no table is running: above a table, or after an empty row. An empty row ends a
    table only when such a line follows, so that a gap between two groups of rows does not cost the second one its header.
    """
    pieces: list[Piece] = []
    running: list[Sequence[str]] = []
    gap = True
    for row in rows:
        filled = [cell for cell in row if cell.strip()]
        if not filled:
            gap = True
            continue
        if len(filled) == 1 and (gap or not running):
            pieces += [table(running)] if running else []
            running = []
            pieces.append(paragraph(one_line(filled[0])))
        else:
            running.append(row)
        gap = False
    return pieces + ([table(running)] if running else [])
