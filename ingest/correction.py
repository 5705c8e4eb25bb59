"""A page's text replaced by what an archivist typed, with everything after it moved along.

What holds before holds after: pages tile the text, blocks and words lie inside it in order, and every word's span covers the
word that its box shows. Words of the page that the new text still has keep their boxes; a word put in the place of one other
takes over its box; anything else has none.
"""

from __future__ import annotations

import bisect
import difflib
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.types import Block, Box, Document, Page, Span, TextOrigin, Word
from ingest.headings import text_blocks

_WORD = re.compile(r"\S+")
_NEW = -1
_MANY_WORDS = 5000
"""Words of a page, old and new together, beyond which alignment may take frequent words for noise: it stays fast."""


def with_page_text(document: Document, page_number: int, text: str) -> Document:
    """`document` with `text` on this page (1-based), which says from then on that it was corrected.

    Unchanged when the page already has this text from an archivist, or when there is no such page.
    """
    page = next((page for page in document.pages if page.number == page_number), None)
    if page is None:
        return document
    new = _with_its_ends(document.text[page.span.start : page.span.end], text)
    old = document.text[page.span.start : page.span.end]
    if new == old and page.origin is TextOrigin.CORRECTED:
        return document
    shift = len(new) - len(old)
    whole = document.text[: page.span.start] + new + document.text[page.span.end :]
    return replace(
        document,
        text=whole,
        pages=tuple(_page(other, page, new, old, shift) for other in document.pages),
        blocks=_blocks(document, page.span, new, shift),
    )


def _with_its_ends(old: str, text: str) -> str:
    """`text` between the white space that stood around the page's old text, so that pages stay apart.

    A page without any text ends in a line end like the others.
    """
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not old.strip():
        return f"{lines}{old or chr(10)}"
    start, end = len(old) - len(old.lstrip()), len(old.rstrip())
    return old[:start] + lines + old[end:]


def _page(page: Page, corrected: Page, new: str, old: str, shift: int) -> Page:
    if page.number == corrected.number:
        span = Span(page.span.start, page.span.start + len(new))
        words = _words(page, new, old)
        return replace(page, span=span, words=words, origin=TextOrigin.CORRECTED, confidence=1.0)
    if page.span.start < corrected.span.end:
        return page
    words = tuple(replace(word, span=_moved(word.span, shift)) for word in page.words)
    return replace(page, span=_moved(page.span, shift), words=words)


def _words(page: Page, new: str, old: str) -> tuple[Word, ...]:
    """The words of the new text that can be told to stand where a word of the old one stood, in order."""
    base = page.span.start
    before = [old[word.span.start - base : word.span.end - base] for word in page.words]
    spans = [_moved(span, base) for span in _word_spans(new)]
    after = [new[span.start - base : span.end - base] for span in spans]
    kept: list[Word] = []
    for tag, first, last, start, end in _changes(before, after):
        if tag == "equal" or (tag == "replace" and last - first == end - start):
            boxes: Sequence[Box] = [word.box for word in page.words[first:last]]
            kept += [Word(span, box) for span, box in zip(spans[start:end], boxes, strict=True)]
    return tuple(kept)


def _blocks(document: Document, page: Span, new: str, shift: int) -> tuple[Block, ...]:
    """The document's blocks over its new text: each word stays in the block that it, or the word in its place, stood in.

    What was in no block, such as a repeated page header, stays outside; new words join the block beside them, or become
    blocks of their own where there is none.
    """
    if not document.blocks:
        return ()
    spans = [_moved(span, page.start) for span in _word_spans(new)]
    owners = _owners(document, page, new)
    moved: list[Block] = []
    for number, block in enumerate(document.blocks):
        mine = [span for span, owner in zip(spans, owners, strict=True) if owner == number]
        start, end = block.span.start, block.span.end
        if start >= page.start:
            inside = mine[0].start if mine else page.end + shift
            start = start + shift if start >= page.end else inside
        if end > page.start:
            inside = mine[-1].end if mine else page.start
            end = end + shift if end > page.end else inside
        if start < end:
            moved.append(replace(block, span=Span(start, end)))
    return tuple(sorted([*moved, *_own_blocks(new, page.start, spans, owners)], key=lambda block: block.span))


def _own_blocks(new: str, base: int, spans: Sequence[Span], owners: Sequence[int | None]) -> list[Block]:
    """Blocks for the new words that have none beside them (owner -1)."""
    found: list[Block] = []
    for owner, run in itertools.groupby(zip(owners, spans, strict=True), key=lambda entry: entry[0]):
        words = [span for _, span in run]
        if owner == _NEW:
            start, end = words[0].start, words[-1].end
            inside = text_blocks(new[start - base : end - base])
            found += [replace(block, span=_moved(block.span, start)) for block in inside]
    return found


def _owners(document: Document, page: Span, new: str) -> list[int | None]:
    """For each word of the page's new text the number of its block; None for none; -1 for a block that is to be made."""
    old = document.text[page.start : page.end]
    spans = _word_spans(old)
    before = [old[span.start : span.end] for span in spans]
    after = [new[span.start : span.end] for span in _word_spans(new)]
    inside = [_block_of(document.blocks, page.start + span.start) for span in spans]
    owners: list[int | None] = []
    for tag, first, last, start, end in _changes(before, after):
        if tag == "equal":
            owners += inside[first:last]
        elif tag in ("replace", "insert"):
            owners += _spread(inside, first, last, end - start)
    return owners


def _spread(inside: Sequence[int | None], first: int, last: int, number: int) -> list[int | None]:
    """Owners of `number` new words that came in the place of the old ones from `first` to `last`."""
    if last - first == number:
        return list(inside[first:last])
    blocks = [owner for owner in inside[first:last] if owner is not None]
    if not blocks:
        beside = (inside[first - 1] if first else None, inside[last] if last < len(inside) else None)
        blocks = [owner for owner in beside if owner is not None][:1] or [_NEW]
    return [blocks[position * len(blocks) // number] for position in range(number)]


def _block_of(blocks: Sequence[Block], position: int) -> int | None:
    number = bisect.bisect_right(blocks, position, key=lambda block: block.span.start) - 1
    return number if number >= 0 and position < blocks[number].span.end else None


def _changes(before: list[str], after: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    many = len(before) + len(after) > _MANY_WORDS
    return difflib.SequenceMatcher(None, before, after, autojunk=many).get_opcodes()


def _word_spans(text: str) -> list[Span]:
    return [Span(found.start(), found.end()) for found in _WORD.finditer(text)]


def _moved(span: Span, shift: int) -> Span:
    return Span(span.start + shift, span.end + shift)
