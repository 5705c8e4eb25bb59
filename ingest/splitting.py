"""A document cut into the passages that are searched and cited.

What holds for every document (property tests in `tests/ingest/test_splitting.py`):

* `passage.text == document.text[passage.span.start:passage.span.end]`, in order, without overlap.
* Every character of the body that is not white space is in exactly one passage. The body is what the document's blocks
  cover, or the whole text where there are no blocks. The one exception is headings: a heading that opens a section is not
  in the section's passages but in their `headings`, from where it is searched and shown: the innermost four levels, as far
  as the encoder's window leaves room, and none that only repeats the title;
  a heading with nothing under it is a passage itself.
* No passage ends inside a sentence, unless that sentence is too long to be a passage.

Structure comes first: a passage never reaches over a heading. Within a section whole paragraphs are packed together while
they fit, then sentences. Tables are cut between rows only, and later parts carry the header row as their last heading.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.headings import article_number, text_blocks
from assistant.language import sentence_spans
from assistant.types import Block, BlockKind, Document, Page, Passage, Span, passage_id

_SMALLEST = 300
"""Characters under which a passage is not cut to please the encoder: what its window loses is still found by its words."""
_HEADING_CHARS = 120
_MOST_HEADINGS = 4
_WELL_FILLED = 0.5
"""A passage this full ends at a paragraph rather than taking in the first sentences of the next one."""
_CUTS = (re.compile(r"\n+"), re.compile(r"[;؛:]\s+"), re.compile(r"[,،]\s+"), re.compile(r"\s+"))
"""Where a sentence that is too long is cut, best first."""
_REACH = 10_000
"""Characters from the start of a piece in which its end is looked for; no passage is that long (`ingest.passage_chars`)."""


@dataclass(frozen=True, slots=True)
class _Section:
    """Blocks under one heading path. `blocks` is empty for a heading with nothing under it."""

    headings: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is never cut: a sentence or a table row. `ends_block` where a paragraph or table ends."""

    span: Span
    ends_block: bool
    leads_on: bool = False
    """It ends in a colon: what follows belongs to it."""


def split(document: Document, *, fits: Callable[[str], bool], max_chars: int = 900) -> tuple[Passage, ...]:
    """The document's passages in order; none for a document without text.

    `fits` says whether the encoder reads the whole of an embedded text (title and headings included); `max_chars` is the largest
    passage wanted, in characters.
    """
    passages: list[Passage] = []
    for section in _sections(document):
        template = _template(document, section.headings, fits)
        for blocks in _tables_apart(section.blocks):
            if blocks[0].kind is BlockKind.TABLE:
                passages += _table_passages(document, blocks[0], template, fits, max_chars)
            else:
                passages += _prose_passages(document, blocks, template, fits, max_chars)
    return tuple(passages)


# --- sections ----------------------------------------------------------------------------------------------------


def _sections(document: Document) -> Iterator[_Section]:
    path: list[tuple[int, Block]] = []
    pending: list[Block] = []
    unused: list[Block] = []
    article = ""
    for block in _trimmed_blocks(document):
        if block.kind is not BlockKind.HEADING:
            number = article_number(document.text[block.span.start : block.span.end])
            if number and pending:
                yield _Section(_with_article(_texts(document, path), article), tuple(pending))
                pending = []
            article = number or article
            pending.append(block)
            unused = []
            continue
        if pending:
            yield _Section(_with_article(_texts(document, path), article), tuple(pending))
            pending = []
        article = ""
        # Headings that this one replaces without any text under them would otherwise be lost.
        level = max(1, block.heading_level)
        lost = tuple(other for other in unused if max(1, other.heading_level) >= level)
        while path and path[-1][0] >= level:
            path.pop()
        if lost:
            yield _Section(_texts(document, path), lost)
            unused = []
        unused.append(block)
        path.append((level, block))
    if pending:
        yield _Section(_with_article(_texts(document, path), article), tuple(pending))
    elif unused:
        yield _Section(_texts(document, [entry for entry in path if entry[1] not in unused]), tuple(unused))


def _with_article(headings: tuple[str, ...], article: str) -> tuple[str, ...]:
    """The heading path of an article whose number stands at the head of its first paragraph, not on a line of its own."""
    return (*headings, article) if article else headings


def _trimmed_blocks(document: Document) -> Iterator[Block]:
    for block in document.blocks or text_blocks(document.text):
        span = _trimmed(document.text, block.span.start, block.span.end)
        if span is not None:
            yield block if span == block.span else replace(block, span=span)


def _texts(document: Document, path: Sequence[tuple[int, Block]]) -> tuple[str, ...]:
    title = _one_line(document.title)
    texts = [_one_line(document.text[block.span.start : block.span.end]) for _, block in path]
    return tuple(text[:_HEADING_CHARS] for text in texts if text and text not in title)


def _tables_apart(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Runs of blocks: each table on its own, everything else as long as it goes."""
    run: list[Block] = []
    for block in blocks:
        if block.kind is BlockKind.TABLE:
            if run:
                yield run
            yield [block]
            run = []
        else:
            run.append(block)
    if run:
        yield run


# --- passages ----------------------------------------------------------------------------------------------------


def _template(document: Document, headings: tuple[str, ...], fits: Callable[[str], bool]) -> Passage:
    """A passage without text, its heading path shortened from the outside until it leaves room for a text."""
    headings = headings[-_MOST_HEADINGS:]
    template = Passage(
        "", document.id, document.version, document.title, document.file_name, Span(0, 0), "", (), headings,
        document.label, document.language, document.date, document.document_type,
    )  # fmt: skip
    room = "x " * 60
    while template.headings and not fits(replace(template, text=room).embedded_text()):
        template = replace(template, headings=template.headings[1:])
    return template


def _prose_passages(
    document: Document, blocks: Sequence[Block], template: Passage, fits: Callable[[str], bool], max_chars: int
) -> Iterator[Passage]:
    def holds(span: Span) -> bool:
        return _holds(document, span, template, fits, max_chars)

    atoms = [atom for block in blocks for atom in _sentences(document, block, holds)]
    start = 0
    while start < len(atoms):
        end = start + 1
        while end < len(atoms) and _joins(document, atoms[end - 1], atoms[end]):
            if not holds(Span(atoms[start].span.start, atoms[end].span.end)):
                break
            end += 1
        end = _at_block_end(atoms, start, end)
        yield _passage(document, Span(atoms[start].span.start, atoms[end - 1].span.end), template)
        start = end


def _table_passages(
    document: Document, table: Block, template: Passage, fits: Callable[[str], bool], max_chars: int
) -> Iterator[Passage]:
    if _holds(document, table.span, template, fits, max_chars * 3 // 2):
        yield _passage(document, table.span, template)
        return
    rows = _lines(document.text, table.span)
    header = _one_line(document.text[rows[0].start : rows[0].end])[:_HEADING_CHARS]
    later = replace(template, headings=(*template.headings, header))
    atoms = [
        piece
        for row in rows
        for piece in _cut(document.text, row, lambda span: _holds(document, span, later, fits, max_chars))
    ]
    start = 0
    while start < len(atoms):
        mine = later if start else template
        end = start + 1
        while end < len(atoms) and _holds(document, Span(atoms[start].start, atoms[end].end), mine, fits, max_chars):
            end += 1
        yield _passage(document, Span(atoms[start].start, atoms[end - 1].end), mine)
        start = end


def _passage(document: Document, span: Span, template: Passage) -> Passage:
    return replace(
        template,
        id=passage_id(document.id, document.version, span),
        span=span,
        text=document.text[span.start : span.end],
        page_numbers=_page_numbers(document.pages, span),
    )


def _holds(document: Document, span: Span, template: Passage, fits: Callable[[str], bool], max_chars: int) -> bool:
    if len(span) > max_chars:
        return False
    if len(span) <= _SMALLEST:
        return True
    return fits(replace(template, text=document.text[span.start : span.end]).embedded_text())


def _joins(document: Document, before: _Atom, after: _Atom) -> bool:
    """True unless something that belongs to no block, such as a page's footer, stands between the two."""
    return not document.text[before.span.end : after.span.start].strip()


def _at_block_end(atoms: Sequence[_Atom], start: int, end: int) -> int:
    """`end`, or an earlier place where a paragraph ends, if the passage stays well filled.

    A paragraph that ends in a colon goes with the list that follows it.
    """
    if end == len(atoms):
        return end
    length = atoms[end - 1].span.end - atoms[start].span.start
    for candidate in range(end, start, -1):
        kept = atoms[candidate - 1].span.end - atoms[start].span.start
        if kept < _WELL_FILLED * length:
            return end
        if atoms[candidate - 1].ends_block and not atoms[candidate - 1].leads_on:
            return candidate
    return end


# --- atoms -------------------------------------------------------------------------------------------------------


def _sentences(document: Document, block: Block, holds: Callable[[Span], bool]) -> list[_Atom]:
    text = document.text[block.span.start : block.span.end]
    pieces = [
        piece
        for span in sentence_spans(text, document.language)
        for piece in _cut(document.text, Span(block.span.start + span.start, block.span.start + span.end), holds)
    ]
    last = len(pieces) - 1
    leads_on = text.rstrip().endswith(":")
    return [_Atom(piece, index == last, index == last and leads_on) for index, piece in enumerate(pieces)]


def _cut(text: str, span: Span, holds: Callable[[Span], bool]) -> list[Span]:
    """The span in one piece if it holds, else in as few pieces as a simple search finds.

    Piece by piece from the start: a line may be megabytes long and have no end of a sentence in it.
    """
    pieces: list[Span] = []
    rest: Span | None = span
    while rest is not None and not holds(rest):
        place = _place_to_cut(text, rest, holds)
        piece = _trimmed(text, rest.start, place)
        pieces += [piece] if piece is not None else []
        rest = _trimmed(text, place, rest.end)
    return pieces + ([rest] if rest is not None else [])


def _place_to_cut(text: str, span: Span, holds: Callable[[Span], bool]) -> int:
    within = min(span.end, span.start + _REACH)
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(text, span.start, within) if match.end() < span.end]
        for place in reversed(places):
            if _fits_trimmed(text, span.start, place, holds):
                return place
    return span.start + min(len(span) // 2, _SMALLEST)


def _fits_trimmed(text: str, start: int, end: int, holds: Callable[[Span], bool]) -> bool:
    span = _trimmed(text, start, end)
    return span is not None and holds(span)


def _lines(text: str, span: Span) -> list[Span]:
    lines = []
    position = span.start
    for line in text[span.start : span.end].splitlines(keepends=True):
        trimmed = _trimmed(text, position, position + len(line))
        if trimmed is not None:
            lines.append(trimmed)
        position += len(line)
    return lines


def _trimmed(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def _page_numbers(pages: Sequence[Page], span: Span) -> tuple[int, ...]:
    first = max(0, bisect.bisect_right(pages, span.start, key=lambda page: page.span.start) - 1)
    last = bisect.bisect_left(pages, span.end, key=lambda page: page.span.start)
    return tuple(page.number for page in pages[first:last] if page.span.overlaps(span))


def _one_line(text: str) -> str:
    return " ".join(text.split())
