"""The sentences of a document in order, each with its place: heading path, block, page furniture left out.

What is compared and what is summed up are these, never the raw text: they are the same whether a document was read from a PDF,
an office file or plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.headings import article_number, text_blocks
from assistant.language import sentence_spans
from assistant.types import Block, BlockKind, Document, Span, TextOrigin

_PAGE_NUMBER = re.compile(
    r"\s*[-–—]?\s*(?:page|p\.|صفحة|الصفحة)?\s*[\d٠-٩]{1,4}\s*(?:(?:/|sur|of|de|من)\s*[\d٠-٩]{1,4})?\s*[-–—]?\s*",
    re.IGNORECASE,
)
_HEADING_CHARS = 160


@dataclass(frozen=True, slots=True)
class Statement:
    """A heading, a sentence, a list item or a table row, and where it stands."""

    span: Span
    kind: BlockKind
    block: int
    """0-based number of its block."""
    headings: tuple[str, ...]
    """Path of headings above it, outermost first; of a heading, those above and itself."""
    page_number: int | None
    """1-based, on which it begins; None for formats without pages."""
    by_ocr: bool
    """True when its page was read by OCR."""


def statements(document: Document) -> tuple[Statement, ...]:
    """The document's statements in the order of its text; none for a document without text."""
    return tuple(_statements(document))


def _statements(document: Document) -> Iterator[Statement]:
    path: list[tuple[int, str]] = []
    article = ""
    page = _PageFinder(document)
    for number, block in enumerate(document.blocks or text_blocks(document.text)):
        text = document.text[block.span.start : block.span.end]
        if not text.strip() or (block.kind is not BlockKind.TABLE and _PAGE_NUMBER.fullmatch(text)):
            continue
        if block.kind is BlockKind.HEADING:
            path = [entry for entry in path if entry[0] < max(1, block.heading_level)]
            path.append((max(1, block.heading_level), " ".join(text.split())[:_HEADING_CHARS]))
            article = ""
        else:
            article = article_number(text) or article
        headings = tuple(heading for _, heading in path) + ((article,) if article else ())
        for span in _spans(block, text, document.language):
            page_number, by_ocr = page.of(span)
            yield Statement(span, block.kind, number, headings, page_number, by_ocr)


def _spans(block: Block, text: str, language: str) -> Iterator[Span]:
    if block.kind is BlockKind.HEADING:
        left = len(text) - len(text.lstrip())
        yield Span(block.span.start + left, block.span.start + len(text.rstrip()))
        return
    for span in sentence_spans(text, language):
        yield Span(block.span.start + span.start, block.span.start + span.end)


class _PageFinder:
    """Which page a span begins on; spans are asked for in the order of the text."""

    def __init__(self, document: Document) -> None:
        self._pages = document.pages
        self._at = 0

    def of(self, span: Span) -> tuple[int | None, bool]:
        """(1-based page number, whether OCR read it)."""
        while self._at + 1 < len(self._pages) and self._pages[self._at].span.end <= span.start:
            self._at += 1
        if not self._pages:
            return None, False
        page = self._pages[self._at]
        return page.number, page.origin is TextOrigin.OCR
