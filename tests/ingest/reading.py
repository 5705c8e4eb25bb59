"""What the tests of the readers share: a file as its parser reads it, and its blocks as plain values."""

from __future__ import annotations

from pathlib import Path

from ingest.isolation import parse_here, parse_isolated
from ingest.parsing import Parsed, ParsingSettings, Rejected


def parsed(path: Path, settings: ParsingSettings | None = None) -> Parsed:
    result = parse_here(path, settings or ParsingSettings())
    assert isinstance(result, Parsed), result
    return result


def rejected(path: Path, settings: ParsingSettings | None = None) -> Rejected:
    result = parse_here(path, settings or ParsingSettings())
    assert isinstance(result, Rejected), result
    return result


def isolated(path: Path, *, file_name: str = "", settings: ParsingSettings | None = None) -> Parsed | Rejected:
    """As the parser's process of its own reads it; its attached files are gone."""
    with parse_isolated(path, file_name=file_name or path.name, settings=settings or ParsingSettings()) as result:
        return result


def blocks(document: Parsed) -> list[tuple[str, str]]:
    return [(block.kind.value, document.text[block.span.start : block.span.end]) for block in document.blocks]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
