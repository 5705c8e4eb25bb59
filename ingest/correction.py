"""A page's text replaced by what an archivist typed, with everything after it moved along.

What holds before holds after: pages tile the text, blocks and words lie inside it in order, and every word's span covers the
word that its box shows. Words of the page that the new text still has keep their boxes; a word put in the place of one other
takes over its box; anything else has none. A page that was typed wholly anew is divided into the paragraphs that were typed.
"""

from __future__ import annotations

import bisect
import difflib
import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from assistant.headings import bullet, text_blocks
from assistant.types import Block, BlockKind, Box, Document, Page, Span, TextOrigin, Word
from ingest.layout import ENDS_SENTENCE

_WORD = re.compile(r"\S+")
_NEW = -1
_MANY_WORDS = 5000
"""Words of a page, old and new together, beyond which alignment may take frequent words for noise: it stays fast."""
_REMAINS = 0.5
"""Share of a page's characters; with less of the old text in the new one, the old blocks say nothing of it any more."""
_ALIKE = 0.6
"""Similarity (difflib's ratio) of a misread word and the right one that took its place."""


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
        return replace(page, span=span, words=words, runs=(), origin=TextOrigin.CORRECTED, confidence=1.0)
    if page.span.start < corrected.span.end:
        return page
    words = tuple(replace(word, span=_moved(word.span, shift)) for word in page.words)
    runs = tuple(tuple((left + shift, right + shift, at) for left, right, at in piece) for piece in page.runs)
    return replace(page, span=_moved(page.span, shift), words=words, runs=runs)


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


class _Comparison(NamedTuple):
    """The words of a page's old text and of its new one, in order, and what became of which."""

    before: list[str]
    owners: list[int | None]
    """For each old word the number of its block, None for none."""
    after: list[str]
    spans: list[Span]
    """Where each new word stands in the document's new text."""
    changes: Sequence[tuple[str, int, int, int, int]]


def _compared(document: Document, page: Span, new: str) -> _Comparison:
    old = document.text[page.start : page.end]
    old_spans, new_spans = _word_spans(old), _word_spans(new)
    before = [old[span.start : span.end] for span in old_spans]
    after = [new[span.start : span.end] for span in new_spans]
    return _Comparison(
        before,
        [_block_of(document.blocks, page.start + span.start) for span in old_spans],
        after,
        [_moved(span, page.start) for span in new_spans],
        _changes(before, after),
    )


def _blocks(document: Document, page: Span, new: str, shift: int) -> tuple[Block, ...]:
    """The document's blocks over its new text: each word stays in the block that it, or the word in its place, stood in.

    What was in no block, such as a repeated page header, stays outside; new words join the block beside them, or become
    blocks of their own where there is none. A page that was typed anew is divided as its own text says.
    """
    if not document.blocks:
        return ()
    words = _compared(document, page, new)
    owners = _owners(words)
    if _is_typed_anew(words):
        return _blocks_anew(document, page, new, _between_furniture(new, owners))
    moved = _moved_blocks(document.blocks, page, shift, words.spans, owners)
    return tuple(sorted([*moved, *_own_blocks(new, page.start, words.spans, owners)], key=lambda block: block.span))


def _is_typed_anew(words: _Comparison) -> bool:
    """True when less than half of the shorter text, in characters and outside page furniture, is also in the other one."""
    old = sum(len(word) for word, owner in zip(words.before, words.owners, strict=True) if owner is not None)
    new = sum(map(len, words.after))
    same = 0
    for tag, first, last, start, end in words.changes:
        pairs = range(last - first) if last - first == end - start else range(0)
        for number in pairs:
            word, owner = words.before[first + number], words.owners[first + number]
            if tag == "equal" and owner is None:
                new -= len(word)
            elif owner is not None and (tag == "equal" or _alike(word, words.after[start + number])):
                same += len(word)
    return same < _REMAINS * min(old, new) or not old


def _alike(word: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, word, other, autojunk=False).ratio() >= _ALIKE


def _between_furniture(new: str, owners: Sequence[int | None]) -> Span:
    """What of the new text lies between the lines at its top and foot that stood in no block."""
    lines: list[Span] = []
    counted = position = 0
    for line in new.splitlines(keepends=True):
        number = len(line.split())
        if any(owner is not None for owner in owners[counted : counted + number]):
            lines.append(Span(position, position + len(line)))
        counted, position = counted + number, position + len(line)
    return Span(lines[0].start, lines[-1].end) if lines else Span(0, len(new))


def _blocks_anew(document: Document, page: Span, new: str, between: Span) -> tuple[Block, ...]:
    """The blocks before the page, those that the new text shows of itself in `between`, and those after the page.

    A block that lay over an edge of the page still does where the sentence goes on there.
    """
    text = document.text[: page.start] + new + document.text[page.end :]
    shift = len(text) - len(document.text)
    inside = _all_moved(text_blocks(new[between.start : between.end]), page.start + between.start)
    after = _all_moved(_parts(document, Span(page.end, len(document.text))), shift)
    over_start, over_end = (
        any(block.span.start < edge < block.span.end for block in document.blocks) for edge in (page.start, page.end)
    )
    blocks = _in_a_row(_parts(document, Span(0, page.start)), inside, text, joined=over_start)
    return tuple(_in_a_row(blocks, after, text, joined=over_end))


def _parts(document: Document, within: Span) -> list[Block]:
    """What of the document's blocks lies in this span, without white space at its ends."""
    parts = []
    for block in document.blocks:
        start, end = max(block.span.start, within.start), min(block.span.end, within.end)
        said = document.text[start:end]
        if said.strip():
            start, end = start + len(said) - len(said.lstrip()), start + len(said.rstrip())
            parts.append(replace(block, span=Span(start, end)))
    return parts


def _in_a_row(left: list[Block], right: list[Block], text: str, *, joined: bool) -> list[Block]:
    """Both; with `joined`, the last of the one and the first of the other are one block where a sentence goes on."""
    if not (joined and left and right and _goes_on(left[-1], right[0], text)):
        return [*left, *right]
    one = replace(left[-1], span=Span(left[-1].span.start, right[0].span.end))
    return [*left[:-1], one, *right[1:]]


def _goes_on(block: Block, following: Block, text: str) -> bool:
    prose = {block.kind, following.kind} <= {BlockKind.PARAGRAPH, BlockKind.LIST_ITEM}
    ended = ENDS_SENTENCE.search(text[block.span.start : block.span.end])
    return prose and not ended and not bullet(text[following.span.start : following.span.end])


def _moved_blocks(
    blocks: Sequence[Block], page: Span, shift: int, spans: Sequence[Span], owners: Sequence[int | None]
) -> list[Block]:
    """The old blocks, each over the words that are its own now; those without any are gone."""
    moved: list[Block] = []
    for number, block in enumerate(blocks):
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
    return moved


def _own_blocks(new: str, base: int, spans: Sequence[Span], owners: Sequence[int | None]) -> list[Block]:
    """Blocks for the new words that have none beside them (owner -1)."""
    found: list[Block] = []
    for owner, run in itertools.groupby(zip(owners, spans, strict=True), key=lambda entry: entry[0]):
        words = [span for _, span in run]
        if owner == _NEW:
            start, end = words[0].start, words[-1].end
            inside = text_blocks(new[start - base : end - base])
            found += _all_moved(inside, start)
    return found


def _owners(words: _Comparison) -> list[int | None]:
    """For each word of the page's new text the number of its block; None for none; -1 for a block that is to be made."""
    owners: list[int | None] = []
    for tag, first, last, start, end in words.changes:
        if tag == "equal":
            owners += words.owners[first:last]
        elif tag in ("replace", "insert"):
            owners += _spread(words.owners, first, last, end - start)
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


def _all_moved(blocks: Sequence[Block], shift: int) -> list[Block]:
    return [replace(block, span=_moved(block.span, shift)) for block in blocks]


def _moved(span: Span, shift: int) -> Span:
    return Span(span.start + shift, span.end + shift)
