"""How the archive writes documents and pages down, and reads them back."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assistant.access import Label
from assistant.types import Block, BlockKind, Box, Document, Page, Span, TextOrigin, Word

PageRow = tuple[int, str, bytes]
"""Number, about, packed words or runs."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the archive has of one document, all versions together."""

    texts: int
    pages: int
    originals: tuple[str, ...]
    """SHA-256 of each original that is this document's alone."""
    shared_originals: tuple[str, ...]
    """SHA-256 of each original that stays when this document goes."""
    keys: int


def page_row(page: Page) -> PageRow:
    """A page as its row of the database."""
    return page.number, _page_about(page), packed_places(page)


def checksum(about: str, text: str, pages: Iterable[PageRow]) -> str:
    """SHA-256, in hex, over all that was read of a version, each part with its length before it. Labels change by themselves."""
    digest = hashlib.sha256()
    parts = [part.encode("utf-8", "surrogatepass") for part in (about, text)]
    for number, page_about, words in pages:
        parts += [str(number).encode(), page_about.encode(), words]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def document_about(document: Document) -> str:
    """What is known of a document beside its text, label and pages, as JSON."""
    fields = (
        "title", "file_name", "source", "media_type", "language", "date", "parser",
        "author", "document_type", "references", "collection", "warnings",
    )  # fmt: skip
    about: dict[str, Any] = {name: getattr(document, name) for name in fields}
    about["blocks"] = [[b.span.start, b.span.end, b.kind.value, b.heading_level] for b in document.blocks]
    return json.dumps(about, ensure_ascii=False)


def document_from(row: Mapping[str, Any], about: dict[str, Any], pages: tuple[Page, ...]) -> Document:
    """The document of an opened row."""
    blocks = tuple(Block(Span(start, end), BlockKind(kind), level) for start, end, kind, level in about.pop("blocks"))
    references, warnings = (tuple(about.pop(name, ())) for name in ("references", "warnings"))
    return Document(
        id=row["document_id"],
        version=row["version"],
        label=Label.parse(row["label"]),
        text=row["text"],
        pages=pages,
        blocks=blocks,
        references=references,
        warnings=warnings,
        **about,
    )


def _page_about(page: Page) -> str:
    return json.dumps(
        [page.number, page.span.start, page.span.end, page.width, page.height, page.origin.value, page.confidence]
    )


def page_from(about: list[Any]) -> Page:
    """The page, without its words."""
    number, start, end, width, height, origin, confidence = about
    return Page(number, Span(start, end), width, height, (), TextOrigin(origin), confidence)


def packed_places(page: Page) -> bytes:
    """The page's words with their boxes, or the runs that they will be computed from."""
    if page.runs:
        places: Any = {"runs": page.runs}
    else:
        places = [
            [w.span.start, w.span.end, *(round(edge, 5) for edge in (w.box.left, w.box.top, w.box.right, w.box.bottom))]
            for w in page.words
        ]
    return zlib.compress(json.dumps(places, separators=(",", ":")).encode())


def with_places(page: Page, packed: bytes) -> Page:
    """The page with its words, or with the runs that they are computed from."""
    places = json.loads(zlib.decompress(packed))
    if isinstance(places, dict):
        return replace(page, runs=tuple(tuple((a, b, first) for a, b, first in piece) for piece in places["runs"]))
    return replace(page, words=tuple(Word(Span(start, end), Box(*edges)) for start, end, *edges in places))
