"""RTF, read by hand: code pages and `\\u` escapes exactly, headings, lists, tables, footnotes; hidden text left out.

pandoc's reader lost letters behind `\\u` escapes of real French files and read Arabic bytes as Latin ones, hence this one.
It follows the Rich Text Format Specification 1.9.1: a state for each group, destinations that hold no text of the page are
passed over, and one pass over the bytes without recursion, so that nesting costs nothing but a list entry.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assistant.types import BlockKind
from ingest.pieces import HEADING_CHARS, Piece, one_line, paragraph, table

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|.", re.DOTALL
)
_DEEPEST = 10_000
_CODE_PAGES = {
    77: "mac_roman", 78: "shift_jis", 128: "cp932", 129: "cp949", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
"""`\\fcharset` to code page; 0 and 1 mean the document's own."""
_SYMBOL_CHARSET = 2
_NOT_TEXT = frozenset(
    b"""pict nonshppict objdata themedata colorschememapping datastore latentstyles datafield rxe xe tc tcn sp
    shprslt filetbl listtable listoverridetable revtbl rsidtbl generator private bkmkstart bkmkend atnid atnauthor
    author operator subject keywords comment doccomm hlinkbase company manager category creatim revtim printim buptim
    annotation fldinst pnseclvl panose falt template""".split()
)
_STARRED_TEXT = frozenset({b"shpinst", b"ud", b"footnote"})
"""Destinations marked as "skip if unknown" that hold text of the page; LibreOffice marks footnotes so."""
_RUNNING = frozenset(b"header headerl headerr headerf footer footerl footerr footerf".split())
_CHARACTERS = {
    b"tab": "\t", b"line": "\n", b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”", b"bullet": "•", b"emspace": " ", b"enspace": " ", b"qmspace": " ", b"nestcell": " ",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "\u2011", b"\\": "\\", b"{": "{", b"}": "}"}
_BODY_LEVEL = 9
_TINY_HALF_POINTS = 2
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class RichText:
    """What an RTF file holds; `hidden` counts characters set as hidden or deleted, `unclosed` groups cut off at the end."""

    pieces: tuple[Piece, ...]
    title: str
    hidden: int
    unclosed: int


@dataclass(frozen=True, slots=True)
class _Group:
    """What a group passes on to those inside it. `destination` is `body` for text of the page."""

    destination: str = "body"
    font: int | None = None
    unicode_skip: int = 1
    hidden: bool = False
    deleted: bool = False
    opened: bool = False
    """Its first control word, which may name a destination, is still to come."""
    told_twice: str = ""
    """Inside `\\upr`, whose first part is for programs without Unicode: the destination of the second one, `\\ud`."""
    colour: int = 0
    """Of the letters: a place in the table of colours, where 0 is what everybody sees."""
    grounded: bool = False
    """A colour of its own lies behind the letters, or one that is not known."""
    in_shape: bool = False
    tiny: bool = False


@dataclass(slots=True)
class _Paragraph:
    """The paragraph being read: its text so far, and what has been said of it."""

    parts: list[str] = field(default_factory=list)
    level: int = _BODY_LEVEL
    in_table: bool = False
    listed: bool = False
    on_paper: bool = True
    """Nothing coloured lies behind it."""


def read_rtf(content: bytes) -> RichText:
    """The text of the page in reading order. Raises ValueError when groups are nested absurdly deep."""
    reader = _Reader()
    position = 0
    while position < len(content):
        match = _TOKEN.match(content, position)
        if match is None:
            break
        position = match.end() + reader.take(match)
    return reader.finished()


class _Reader:
    """Takes tokens one at a time; text bytes wait in `_pending` until their code page ends."""

    def __init__(self) -> None:
        self._group = _Group()
        self._outer: list[_Group] = []
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, int] = {}
        self._style = 0
        self._pending = bytearray()
        self._skip = 0
        self._starred = False
        self._paragraph = _Paragraph()
        self._suspended: list[_Paragraph] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._pieces: list[Piece] = []
        self._notes: list[Piece] = []
        self._title: list[str] = []
        self._hidden = 0
        self._colours: list[tuple[int, int, int] | None] = []
        self._mixing: list[int] = []
        self._page_on_paper = True
        self._row_on_paper = True
        self._edges: list[tuple[int, bool]] = []
        self._goes_on = False
        self._above: dict[int, str] = {}

    def take(self, match: re.Match[bytes]) -> int:
        """Read one token; the number of raw bytes behind it that are no tokens."""
        word, number, byte, symbol, brace, text = match.groups()
        if word is not None:
            return self._word(word, int(number) if number else None)
        if byte is not None:
            self._bytes(bytes([int(byte, 16)]))
        elif symbol is not None:
            self._symbol(symbol)
        elif brace is not None:
            self._open() if brace == b"{" else self._close()
        elif text is not None:
            self._bytes(text)
        return 0

    def finished(self) -> RichText:
        """Everything read so far; what was left open is closed."""
        self._settle()
        unclosed = len(self._outer)
        while self._outer:
            self._close()
        self._end_paragraph()
        self._end_table()
        self._pieces += self._notes
        title = one_line(_joined(self._title))[:300]
        return RichText(tuple(self._pieces), title, self._hidden, unclosed)

    # groups

    def _open(self) -> None:
        if len(self._outer) >= _DEEPEST:
            raise ValueError("groups are nested too deep")
        self._settle()
        self._outer.append(self._group)
        self._group = replace(self._group, opened=True)
        self._skip = 0

    def _close(self) -> None:
        self._settle()
        self._skip = 0
        self._starred = False
        if not self._outer:
            return
        closing, self._group = self._group.destination, self._outer.pop()
        if closing in (self._group.destination, self._group.told_twice):
            return
        if closing in ("running", "note"):
            self._end_aside(closing)

    def _end_aside(self, closing: str) -> None:
        """A running line stands in no block; a footnote follows the paragraph it belongs to."""
        text = _lines(_joined(self._paragraph.parts))
        self._paragraph = self._suspended.pop()
        if text and closing == "running":
            self._pieces.append(Piece(text, None))
        elif text:
            self._notes.append(Piece(text, BlockKind.PARAGRAPH))

    def _enter(self, destination: str) -> None:
        if destination in ("running", "note") and self._group.destination == "body":
            self._suspended.append(self._paragraph)
            self._paragraph = _Paragraph()
            self._group = replace(self._group, destination=destination)
        elif destination not in ("running", "note") and self._group.destination != "nothing":
            self._group = replace(self._group, destination=destination)

    # tokens

    def _word(self, word: bytes, number: int | None) -> int:
        self._settle()
        starred, self._starred = self._starred, False
        opened = self._group.opened
        if opened:
            self._group = replace(self._group, opened=False)
            if self._names_destination(word, starred=starred):
                return 0
        if word == b"bin":
            return max(0, number or 0)
        if word == b"u" and number is not None:
            self._write(chr(number % 65536))
            self._skip = self._group.unicode_skip
        elif word in _CHARACTERS:
            self._write(_CHARACTERS[word])
        else:
            action = _ACTIONS.get(word)
            if action is not None:
                action(self, number)
        return 0

    def _names_destination(self, word: bytes, *, starred: bool) -> bool:
        if word == b"background":
            self._page_on_paper = False
        if word in (b"upr", b"ud"):
            self._tell_twice(word)
        elif word in _NOT_TEXT or (starred and word not in _STARRED_TEXT):
            self._enter("nothing")
        elif word in (b"fonttbl", b"stylesheet", b"info", b"colortbl"):
            self._enter(word.decode())
            self._colours = [] if word == b"colortbl" else self._colours
        elif word == b"title" and self._group.destination == "info":
            self._enter("title")
        elif word in _RUNNING:
            self._enter("running")
        elif word == b"footnote":
            self._enter("note")
        elif word == b"shpinst":
            self._group = replace(self._group, in_shape=True, grounded=True)
        elif word in (b"listtext", b"pntext"):
            self._paragraph.listed = True
        else:
            return False
        return True

    def _tell_twice(self, word: bytes) -> None:
        group = self._group
        if word == b"upr":
            self._group = replace(group, told_twice=group.destination, destination="nothing")
        elif group.told_twice:
            self._group = replace(group, told_twice="", destination=group.told_twice)

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = True
        elif self._skip:
            self._skip -= 1
        elif symbol in b"\r\n":
            self._settle()
            self._end_paragraph()
        elif symbol in _SYMBOLS:
            self._settle()
            self._write(_SYMBOLS[symbol])

    def _bytes(self, content: bytes) -> None:
        self._group = replace(self._group, opened=False) if self._group.opened else self._group
        passed = min(self._skip, len(content))
        self._skip -= passed
        if self._group.destination == "colortbl":
            for _ in range(content.count(b";")):
                red, green, blue = self._mixing[-3:] if len(self._mixing) > 2 else (0, 0, 0)
                self._colours.append((red, green, blue) if self._mixing else None)
                self._mixing = []
        elif self._group.destination in ("body", "title", "running", "note"):
            self._pending += content[passed:]

    def _settle(self) -> None:
        """Decode the waiting bytes by the code page of the font they are set in."""
        if not self._pending:
            return
        content, self._pending = bytes(self._pending), bytearray()
        page = self._fonts.get(self._group.font, self._page) if self._group.font is not None else self._page
        if page == "symbol":
            self._write("".join("•" if byte == 0xB7 else chr(byte) for byte in content))
        else:
            self._write(content.decode(page, "replace"))

    def _write(self, text: str) -> None:
        destination = self._group.destination
        if destination == "title":
            self._title.append(text)
        elif destination in ("body", "running", "note"):
            if self._group.hidden or self._group.deleted or self._group.tiny or self._white_on_white():
                self._hidden += len(text.strip())
            else:
                self._paragraph.parts.append(text)

    def _white_on_white(self) -> bool:
        """True where nothing that is known to be coloured lies behind white letters."""
        kept = self._paragraph
        on_paper = self._page_on_paper and kept.on_paper and (self._row_on_paper or not kept.in_table)
        return on_paper and not self._group.grounded and self._colour(self._group.colour) == _WHITE

    def _colour(self, number: int | None) -> tuple[int, int, int] | None:
        return self._colours[number] if number and number < len(self._colours) else None

    # control words

    def _mix(self, number: int | None) -> None:
        self._mixing.append(number or 0)

    def _set_ground(self, number: int | None) -> None:
        grounded = self._group.in_shape or self._colour(number) not in (None, _WHITE)
        self._group = replace(self._group, grounded=grounded)

    def _shade_paragraph(self, number: int | None) -> None:
        self._paragraph.on_paper = self._colour(number) in (None, _WHITE)

    def _shade_cell(self, number: int | None) -> None:
        self._row_on_paper = self._row_on_paper and self._colour(number) in (None, _WHITE)

    def _begin_row(self, _: int | None) -> None:
        self._edges, self._row_on_paper = [], True

    def _set_edge(self, number: int | None) -> None:
        self._edges.append((number or 0, self._goes_on))
        self._goes_on = False

    def _set_page(self, number: int | None) -> None:
        name = f"cp{number}" if number else "cp1252"
        try:
            codecs.lookup(name)
        except LookupError:
            return
        self._page = name

    def _set_font(self, number: int | None) -> None:
        self._group = replace(self._group, font=number or 0)

    def _set_charset(self, number: int | None) -> None:
        if self._group.destination == "fonttbl" and self._group.font is not None:
            if number == _SYMBOL_CHARSET:
                self._fonts[self._group.font] = "symbol"
            elif number in _CODE_PAGES:
                self._fonts[self._group.font] = _CODE_PAGES[number]

    def _set_style(self, number: int | None) -> None:
        if self._group.destination == "stylesheet":
            self._style = number or 0
        else:
            self._paragraph.level = self._styles.get(number or 0, self._paragraph.level)

    def _set_level(self, number: int | None) -> None:
        if self._group.destination == "stylesheet":
            self._styles[self._style] = number or 0
        else:
            self._paragraph.level = number or 0

    def _reset_paragraph(self, _: int | None) -> None:
        self._paragraph.level, self._paragraph.in_table, self._paragraph.on_paper = _BODY_LEVEL, False, True

    def _end_line(self, _: int | None) -> None:
        if self._group.destination in ("running", "note") or self._paragraph.in_table:
            self._write("\n")
        elif self._group.destination == "body":
            self._end_paragraph()

    def _end_cell(self, _: int | None) -> None:
        if self._group.destination == "body":
            self._cells.append(_joined(self._paragraph.parts))
            self._paragraph.parts.clear()

    def _end_row(self, _: int | None) -> None:
        if self._group.destination == "body" and self._cells:
            self._go_on_from_above()
            self._rows.append(self._cells)
            self._cells = []

    def _go_on_from_above(self) -> None:
        """Cells that are one with those above say what those say, as a reader sees it."""
        for place, (edge, goes_on) in enumerate(self._edges[: len(self._cells)]):
            if goes_on and not self._cells[place].strip():
                self._cells[place] = self._above.get(edge, "")
        self._above = {edge: cell for (edge, _), cell in zip(self._edges, self._cells, strict=False)}

    # pieces

    def _end_paragraph(self) -> None:
        kept = self._paragraph
        text = _lines(_joined(kept.parts))
        self._paragraph = _Paragraph(level=kept.level, in_table=kept.in_table)
        if text:
            self._end_table()
            self._pieces.append(_piece(text, kept))
        if self._notes and (text or not kept.in_table):
            self._end_table()
            self._pieces += self._notes
            self._notes = []

    def _end_table(self) -> None:
        if self._cells:
            self._rows.append(self._cells)
        if any(cell.strip() for row in self._rows for cell in row):
            self._pieces.append(table(self._rows))
        self._cells, self._rows, self._above = [], [], {}


def _set_hidden(reader: _Reader, number: int | None) -> None:
    reader._group = replace(reader._group, hidden=number != 0)


def _set_deleted(reader: _Reader, number: int | None) -> None:
    reader._group = replace(reader._group, deleted=number != 0)


def _set_unicode_skip(reader: _Reader, number: int | None) -> None:
    reader._group = replace(reader._group, unicode_skip=max(0, 1 if number is None else number))


def _set_plain(reader: _Reader, _: int | None) -> None:
    group = reader._group
    reader._group = replace(group, hidden=False, deleted=False, tiny=False, colour=0, grounded=group.in_shape)


def _set_mac(reader: _Reader, _: int | None) -> None:
    reader._page = "mac_roman"


def _set_colour(reader: _Reader, number: int | None) -> None:
    reader._group = replace(reader._group, colour=number or 0)


def _set_size(reader: _Reader, number: int | None) -> None:
    reader._group = replace(reader._group, tiny=number is not None and number <= _TINY_HALF_POINTS)


_ACTIONS: dict[bytes, Callable[[_Reader, int | None], None]] = {
    b"ansicpg": _Reader._set_page,
    b"mac": _set_mac,
    b"f": _Reader._set_font,
    b"fcharset": _Reader._set_charset,
    b"uc": _set_unicode_skip,
    b"v": _set_hidden,
    b"deleted": _set_deleted,
    b"plain": _set_plain,
    b"cf": _set_colour,
    b"fs": _set_size,
    b"red": _Reader._mix,
    b"green": _Reader._mix,
    b"blue": _Reader._mix,
    b"cb": _Reader._set_ground,
    b"chcbpat": _Reader._set_ground,
    b"highlight": _Reader._set_ground,
    b"cbpat": _Reader._shade_paragraph,
    b"clcbpat": _Reader._shade_cell,
    b"trowd": _Reader._begin_row,
    b"clvmrg": lambda reader, _: setattr(reader, "_goes_on", True),
    b"cellx": _Reader._set_edge,
    b"s": _Reader._set_style,
    b"outlinelevel": _Reader._set_level,
    b"pard": _Reader._reset_paragraph,
    b"intbl": lambda reader, _: setattr(reader._paragraph, "in_table", True),
    b"par": _Reader._end_line,
    b"sect": _Reader._end_line,
    b"page": _Reader._end_line,
    b"cell": _Reader._end_cell,
    b"row": _Reader._end_row,
}


def _piece(text: str, paragraph_read: _Paragraph) -> Piece:
    if paragraph_read.level < _BODY_LEVEL and len(text) <= HEADING_CHARS:
        return Piece(one_line(text), BlockKind.HEADING, paragraph_read.level + 1)
    if paragraph_read.listed:
        return Piece(text, BlockKind.LIST_ITEM)
    return paragraph(text)


def _lines(text: str) -> str:
    return "\n".join(line for line in map(one_line, text.split("\n")) if line)


def _joined(parts: list[str]) -> str:
    """The parts as text; the halves of a character beyond U+FFFF, which come as two escapes, are put together."""
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")
