"""From lines on pages to one text with structure: reading order, paragraphs, headings, tables, page furniture.

Parsers of paged files (`pdf`, `ocr`) hand in lines with their words' boxes; nothing here knows where they come from. The
text is put together from the lines, so every word's span and every block's span is right by construction.

Running headers, footers and page numbers stay in the text (a marking may stand there) but in no block. On a page that goes
on with a sentence of the page before, they are placed after its first paragraph instead of before it, so that the
sentence stays in one piece.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from assistant.headings import bullet, opens_article, section_number_level, structural_level
from assistant.types import Block, BlockKind, Box, CharacterRun, Page, Span, TextOrigin, Word

_MARGIN = 0.13
"""Share of the page height at top and bottom in which furniture is looked for."""
_EDGE_LINES = 4
_PAGE_NUMBER = re.compile(
    r"[\s\-–—]*(?:page|p\.|صفحة|الصفحة)?\s*[0-9٠-٩]{1,4}(?:\s*(?:/|sur|of|من|de|\|)\s*[0-9٠-٩]{1,4})?[\s\-–—.]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9٠-٩]+")
_FEWEST_LEADERS = 6
_LEADERS = re.compile(rf"(?:[.…·]\s?){{{_FEWEST_LEADERS},}}")
"""Dots that lead to a page number: a table of contents, which repeats headings and answers nothing."""
_RUNNING_SHARE = 0.3
"""Share of the pages a running line must be on: left and right pages may have their own, and the cover may have none."""
ENDS_SENTENCE = re.compile(r"[.!?…؟۔:;؛][\"”’»)\]\s]*$")
_LARGER = 1.12
"""A line this many times the size of the body is set as a heading."""
_NEW_PARAGRAPH = 1.3
"""A line this many times the usual pitch below the last one begins a paragraph."""
_ENOUGH_LINES = 5
_LONGEST_HEADING = 200


class Line(NamedTuple):
    """A line of text, or a row of table cells that stand side by side (joined by " | ").

    `words` are (start, end, box) with offsets into `text`. `baseline` and `size` are fractions of the page height.
    """

    text: str
    words: tuple[tuple[int, int, Box], ...]
    box: Box
    baseline: float
    size: float
    bold: bool = False
    cells: int = 1
    new_paragraph: bool | None = None
    """What the parser knows; None leaves it to the geometry."""
    runs: tuple[tuple[CharacterRun, ...], ...] = ()
    """Instead of `words`, for a line of a PDF's text layer; offsets into `text`."""


@dataclass(frozen=True, slots=True)
class PageLines:
    """A page before its text has a place in the document; sizes in points."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    origin: TextOrigin = TextOrigin.TEXT_LAYER
    confidence: float = 1.0
    notes: tuple[str, ...] = ()
    """What an archivist should know about the page."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A document's text and structure. `title` is its first big line, when there is one."""

    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    title: str | None


@dataclass(slots=True)
class _Piece:
    """Lines that will become one block; `kind` None is furniture."""

    lines: list[Line]
    kind: BlockKind | None
    style: tuple[float, bool] = (0.0, False)
    structural: int = 0

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def compose(pages: Sequence[PageLines]) -> Composition:
    """One text from all pages; pages tile it, blocks are in reading order."""
    furniture = _furniture(pages)
    sizes = [[round(line.size * page.height * 2) / 2 for line in page.lines] for page in pages]
    body_size = _body_size(pages, sizes, furniture)
    usual_pitch = _usual_pitches(pages, sizes)
    per_page = [
        _pieces(page, points, unwanted, body_size, usual_pitch)
        for page, points, unwanted in zip(pages, sizes, furniture, strict=True)
    ]
    levels = _heading_levels(per_page, body_size)
    writer = _Writer(levels)
    before: Sequence[_Piece] = ()
    for page, pieces in zip(pages, per_page, strict=True):
        continues = _continues(before, pieces)
        before = _with_furniture_inside(pieces) if continues else pieces
        writer.write_page(page, before, continues=continues)
    return Composition(*writer.finished(), _first_big_line(per_page, body_size))


class _Writer:
    """Collects text and keeps count of the position."""

    def __init__(self, levels: dict[tuple[float, bool, int], int]) -> None:
        self._levels = levels
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[Page] = []
        self._blocks: list[Block] = []

    def write_page(self, page: PageLines, pieces: Sequence[_Piece], *, continues: bool) -> None:
        if self._pages and not continues:
            self._append_to_last_page("\n")
        start = self._length
        words: list[Word] = []
        runs: list[tuple[CharacterRun, ...]] = []
        for number, piece in enumerate(pieces):
            if number:
                self._add("\n")
            span = self._write_lines(piece, words, runs)
            if number == 0 and continues and self._blocks:
                self._blocks[-1] = replace(self._blocks[-1], span=Span(self._blocks[-1].span.start, span.end))
            elif piece.kind is not None:
                self._blocks.append(Block(span, piece.kind, self._level(piece)))
        self._pages.append(
            Page(
                page.number,
                Span(start, self._length),
                page.width,
                page.height,
                tuple(words),
                page.origin,
                page.confidence,
                tuple(runs),
            )
        )

    def finished(self) -> tuple[str, tuple[Page, ...], tuple[Block, ...]]:
        return "".join(self._parts), tuple(self._pages), tuple(self._blocks)

    def _write_lines(self, piece: _Piece, words: list[Word], runs: list[tuple[CharacterRun, ...]]) -> Span:
        start = self._length
        for line in piece.lines:
            base = self._length
            words.extend([Word(Span(base + left, base + right), box) for left, right, box in line.words])
            runs.extend([tuple([(base + left, base + right, at) for left, right, at in cell]) for cell in line.runs])
            self._add(line.text + "\n")
        return Span(start, self._length - 1)

    def _append_to_last_page(self, text: str) -> None:
        self._add(text)
        last = self._pages[-1]
        self._pages[-1] = replace(last, span=Span(last.span.start, self._length))

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _level(self, piece: _Piece) -> int:
        if piece.kind is not BlockKind.HEADING:
            return 0
        return self._levels[(*piece.style, piece.structural)]


# --- furniture ---------------------------------------------------------------------------------------------------


def _furniture(pages: Sequence[PageLines]) -> list[set[int]]:
    """For each page, the indexes of lines that are running headers, footers, page numbers or contents."""
    edges = [{index: _running_key(page.lines[index].text) for index in _edge_lines(page)} for page in pages]
    counts: Counter[str] = Counter()
    for keys in edges:
        counts.update(set(keys.values()) - {""})
    needed = max(2, math.ceil(_RUNNING_SHARE * len(pages)))
    found: list[set[int]] = []
    for page, keys in zip(pages, edges, strict=True):
        lines = page.lines
        running = {i for i, key in keys.items() if counts[key] >= needed or _PAGE_NUMBER.fullmatch(lines[i].text)}
        found.append(running | {index for index, line in enumerate(lines) if _leads_to_a_page(line.text)})
    return found


def _leads_to_a_page(text: str) -> bool:
    return text.count(".") + text.count("…") + text.count("·") >= _FEWEST_LEADERS and bool(_LEADERS.search(text))


def _edge_lines(page: PageLines) -> set[int]:
    baselines = [line.baseline for line in page.lines]
    order = sorted(range(len(baselines)), key=baselines.__getitem__)
    top = [index for index in order[:_EDGE_LINES] if baselines[index] < _MARGIN]
    bottom = [index for index in order[-_EDGE_LINES:] if baselines[index] > 1 - _MARGIN]
    return {*top, *bottom}


def _running_key(text: str) -> str:
    """`text` with its numbers masked, since they count the pages; empty for what must not be taken for furniture."""
    if structural_level(text) or not _has_letters(text, 3):
        return ""
    return _NUMBER.sub("#", " ".join(text.split()))


def _has_letters(text: str, least: int) -> bool:
    """True when there are at least so many letters; looks no further than that."""
    return len(list(itertools.islice(filter(str.isalpha, text), least))) == least


# --- paragraphs, headings, tables --------------------------------------------------------------------------------


def _body_size(pages: Sequence[PageLines], sizes: Sequence[Sequence[float]], furniture: Sequence[set[int]]) -> float:
    """The size most characters are set in, in points."""
    characters: Counter[float] = Counter()
    for page, points, unwanted in zip(pages, sizes, furniture, strict=True):
        for index, line in enumerate(page.lines):
            if index not in unwanted:
                characters[points[index]] += len(line.text)
    return characters.most_common(1)[0][0] if characters else 0.0


def _pieces(
    page: PageLines,
    sizes: Sequence[float],
    furniture: set[int],
    body_size: float,
    usual_pitch: Callable[[float], float],
) -> list[_Piece]:
    """The page's blocks in reading order, its furniture first; `sizes` of its lines are in points."""
    lines = [(line, sizes[index]) for index, line in enumerate(page.lines) if index not in furniture]
    pieces = [_Piece([page.lines[index] for index in sorted(furniture)], None)] if furniture else []
    edges = _edges([line for line, _ in lines])
    previous: Line | None = None
    previous_size = 0.0
    for line, size in lines:
        kind, structural = _kind_and_level(line, size, body_size)
        style = (size, line.bold)
        fresh = previous is None or _starts_block(
            line, previous, page, grown=abs(size - previous_size) >= 1.0, usual=usual_pitch(size), edges=edges
        )
        last = pieces[-1] if pieces and previous is not None else None
        if last is not None and _belongs(kind, style, last, fresh=fresh):
            last.lines.append(line)
        else:
            pieces.append(_Piece([line], kind, style, structural))
        previous, previous_size = line, size
    return _numbered_headings([_settled(piece) for piece in pieces])


def _belongs(kind: BlockKind, style: tuple[float, bool], last: _Piece, *, fresh: bool) -> bool:
    if kind is BlockKind.TABLE or last.kind is BlockKind.TABLE:
        return kind is last.kind
    if fresh or last.kind is None:
        return False
    if kind is BlockKind.HEADING or last.kind is BlockKind.HEADING:
        return kind is last.kind and style == last.style
    return kind is not BlockKind.LIST_ITEM


def _settled(piece: _Piece) -> _Piece:
    """A heading that turns out too long is prose; a single row of cells is no table."""
    if piece.kind is BlockKind.HEADING and len(piece.text) > _LONGEST_HEADING:
        return replace(piece, kind=BlockKind.PARAGRAPH)
    if piece.kind is BlockKind.TABLE and len(piece.lines) == 1:
        return replace(piece, kind=BlockKind.PARAGRAPH)
    return piece


def _numbered_headings(pieces: list[_Piece]) -> list[_Piece]:
    """Lone lines such as "2. Demandes de documents" are headings, unless they are items of a list."""
    levels = [
        section_number_level(piece.text) if piece.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) else 0
        for piece in pieces
    ]
    for index, level in enumerate(levels):
        alone = not any(levels[max(0, index - 1) : index] + levels[index + 1 : index + 2])
        if level and alone and index + 1 < len(pieces) and pieces[index + 1].kind is BlockKind.PARAGRAPH:
            pieces[index] = replace(pieces[index], kind=BlockKind.HEADING, structural=level)
    return pieces


def _kind_and_level(line: Line, size: float, body_size: float) -> tuple[BlockKind, int]:
    """What a line of this size (points) is by itself, and for a heading its structural level, or 0."""
    if line.cells > 1:
        return BlockKind.TABLE, 0
    text = line.text
    structural = structural_level(text)
    set_apart = body_size > 0 and (size >= body_size * _LARGER or (line.bold and len(text) < 120))
    headed = structural or (set_apart and not text.rstrip().endswith((".", ";", ",")))
    if headed and _has_letters(text, 2):
        return BlockKind.HEADING, structural or section_number_level(text)
    return (BlockKind.LIST_ITEM if bullet(text) else BlockKind.PARAGRAPH), 0


def _usual_pitches(pages: Sequence[PageLines], sizes: Sequence[Sequence[float]]) -> Callable[[float], float]:
    """For a size in points, the usual distance between baselines, in points, over the whole document."""
    seen: dict[float, Counter[float]] = {}
    for page, points in zip(pages, sizes, strict=True):
        height = page.height
        for (above, size_above), (below, size) in itertools.pairwise(zip(page.lines, points, strict=True)):
            pitch = (below.baseline - above.baseline) * height
            if size == size_above and size * 0.7 < pitch < size * 3.5:
                seen.setdefault(size, Counter())[round(pitch * 2) / 2] += 1
    modes = {size: max(counts, key=lambda pitch: (counts[pitch], -pitch)) for size, counts in seen.items()}
    body = max(modes, key=lambda size: seen[size].total(), default=None)
    ratio = modes[body] / body if body else 1.35
    usual = {size: mode for size, mode in modes.items() if seen[size].total() >= _ENOUGH_LINES}
    return lambda size: usual[size] if size in usual else size * ratio


def _edges(lines: Sequence[Line]) -> tuple[float, float]:
    prose = [line for line in lines if line.cells == 1 and len(line.text) > 40] or list(lines)
    if not prose:
        return 1.0, 0.0
    return max(line.box.right for line in prose), min(line.box.left for line in prose)


def _starts_block(
    line: Line, previous: Line, page: PageLines, *, grown: bool, usual: float, edges: tuple[float, float]
) -> bool:
    """True when geometry, or the line itself, says that a new paragraph begins with `line`; `grown`: it is of another size."""
    if line.new_paragraph is not None:
        return line.new_paragraph
    distance = (line.baseline - previous.baseline) * page.height
    if distance < 0 or distance > usual * _NEW_PARAGRAPH:
        return True
    if grown or bullet(line.text) or opens_article(line.text):
        return True
    width = edges[0] - edges[1]
    short = previous.box.right - previous.box.left < 0.75 * width
    return short and bool(ENDS_SENTENCE.search(previous.text))


def _heading_levels(per_page: Sequence[Sequence[_Piece]], body_size: float) -> dict[tuple[float, bool, int], int]:
    """A level, 1-based, for each way headings are set: bigger first, then structural rank, then plain bold."""
    seen = {
        (*piece.style, piece.structural) for pieces in per_page for piece in pieces if piece.kind is BlockKind.HEADING
    }

    def importance(style: tuple[float, bool, int]) -> tuple[float, int, bool]:
        size, bold, structural = style
        larger = size if size >= body_size * _LARGER else body_size
        return -larger, structural or 99, not bold

    ranked = sorted({importance(style) for style in seen})
    return {style: ranked.index(importance(style)) + 1 for style in seen}


def _first_big_line(per_page: Sequence[Sequence[_Piece]], body_size: float) -> str | None:
    if not per_page:
        return None
    big = [piece for piece in per_page[0] if piece.kind is BlockKind.HEADING and piece.style[0] >= body_size * _LARGER]
    if not big:
        return None
    return " ".join(max(big, key=lambda piece: piece.style[0]).text.split())


# --- from page to page -------------------------------------------------------------------------------------------


def _continues(before: Sequence[_Piece], after: Sequence[_Piece]) -> bool:
    """True when the first paragraph of a page goes on with the last sentence of the page before."""
    last = before[-1] if before else None
    first = next(_body(after), None)
    if last is None or first is None or first.kind is not BlockKind.PARAGRAPH:
        return False
    if last.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) or ENDS_SENTENCE.search(last.text):
        return False
    opening = first.text.lstrip('«“"(')[:1]
    return opening.islower() or opening.isdigit() or (opening.isalpha() and not opening.isupper())


def _with_furniture_inside(pieces: Sequence[_Piece]) -> list[_Piece]:
    body = list(_body(pieces))
    return [body[0], *(piece for piece in pieces if piece.kind is None), *body[1:]]


def _body(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    return (piece for piece in pieces if piece.kind is not None)
