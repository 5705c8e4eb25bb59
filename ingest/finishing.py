"""The one place that every reader's result passes: what nobody sees is taken out, what the text says of itself is noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from assistant.types import Block, CharacterRun, Page, Span
from ingest.invisible import Remap, warning, without_invisible
from ingest.metadata import described
from ingest.parsing import Parsed, Rejected
from ingest.pieces import no_text

_LOST = "\ufffd"
"""What stands for a letter whose bytes make no sense."""


def finished(parsed: Parsed, path: Path) -> Parsed | Rejected:
    """`parsed` without invisible characters and with the metadata found in it; Rejected when no letter or digit is left."""
    if parsed.container:
        return parsed
    seen = _seen(parsed)
    lost = seen.text.count(_LOST)
    if lost and not seen.pages:
        warning_of_loss = f"{lost} damaged character{'s' if lost != 1 else ''} could not be read"
        seen = replace(seen, warnings=(*seen.warnings, warning_of_loss))
    return described(seen, path) if any(character.isalnum() for character in seen.text) else no_text()


def _seen(parsed: Parsed) -> Parsed:
    """`parsed` without its invisible characters, every span moved along, and a warning that says how many they were."""
    text, dropped = without_invisible(parsed.text)
    title = without_invisible(parsed.title)[0] if parsed.title else parsed.title
    if not dropped:
        return replace(parsed, title=title or None)
    place = Remap(parsed.text)

    def moved(span: Span) -> Span:
        return Span(place(span.start), place(span.end))

    def page(old: Page) -> Page:
        words = (replace(word, span=moved(word.span)) for word in old.words)
        runs = (tuple(piece_moved(piece)) for piece in old.runs)
        return replace(
            old,
            span=moved(old.span),
            words=tuple(word for word in words if len(word.span)),
            runs=tuple(piece for piece in runs if piece),
        )

    def piece_moved(piece: tuple[CharacterRun, ...]) -> Iterator[CharacterRun]:
        for start, end, first in piece:
            for left, right in place.kept(start, end):
                yield place(left), place(right), first + left - start

    blocks = (Block(moved(block.span), block.kind, block.heading_level) for block in parsed.blocks)
    return replace(
        parsed,
        title=title or None,
        text=text,
        pages=tuple(map(page, parsed.pages)),
        blocks=tuple(block for block in blocks if len(block.span)),
        warnings=(*parsed.warnings, warning(dropped)),
    )
