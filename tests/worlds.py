"""Small real worlds for tests: readers, documents, passages, and whole instances in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

from assistant.access import Label, Principal, Role
from assistant.types import Document, Page, Passage, Span, TextOrigin, passage_id

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "configs" / "demo"
PUBLIC = Label.parse("public")
INTERNAL = Label.parse("internal")
RESTRICTED_TAX = Label.parse("restricted/tax")


def reader(clearance: str, *roles: Role) -> Principal:
    """A principal with this clearance; a plain reader when no roles are named."""
    return Principal(f"reader-{clearance}", frozenset(roles or (Role.READER,)), Label.parse(clearance))


ARCHIVIST = Principal("archivist", frozenset(Role), Label.parse("secret/tax,health"))


def document(
    text: str,
    *,
    name: str = "note.txt",
    label: Label = PUBLIC,
    language: str = "fr",
    version: str = "v1",
    pages: int = 0,
) -> Document:
    """A document with this text, cut into `pages` equal pages when asked for."""
    size = max(1, -(-len(text) // pages)) if pages else 0
    cuts = [Span(min(i * size, len(text)), min((i + 1) * size, len(text))) for i in range(pages)]
    return Document(
        id=f"document-{name}",
        version=version,
        title=name.rsplit(".", 1)[0],
        file_name=name,
        source=f"/inbox/{name}",
        media_type="text/plain",
        language=language,
        date="2024-03-12",
        text=text,
        pages=tuple(Page(n + 1, span, 595, 842, (), TextOrigin.TEXT_LAYER) for n, span in enumerate(cuts)),
        blocks=(),
        label=label,
        parser="test",
    )


def passage_of(of: Document, start: int = 0, end: int | None = None) -> Passage:
    """A slice of a document as a passage."""
    span = Span(start, len(of.text) if end is None else end)
    return Passage(
        id=passage_id(of.id, of.version, span),
        document_id=of.id,
        version=of.version,
        title=of.title,
        file_name=of.file_name,
        span=span,
        text=of.text[span.start : span.end],
        page_numbers=tuple(page.number for page in of.pages if page.span.overlaps(span)),
        headings=(),
        label=of.label,
        language=of.language,
        date=of.date,
    )


def instance_file(folder: Path, *, extra: str = "", unmarked: str = "highest") -> Path:
    """An instance of its own in `folder`, without demo documents."""
    file = folder / "instance.toml"
    file.write_text(
        f'[instance]\nname = "Essai"\ndata = "{folder / "data"}"\n'
        f'[service]\nport = 0\n[labelling]\nmarkings = "{ROOT / "configs" / "markings.toml"}"\nunmarked = "{unmarked}"\n'
        f'[retrieval]\ncalibration = "{ROOT / "configs" / "calibration.toml"}"\n{extra}',
        encoding="utf-8",
    )
    return file


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a child process of a test, without what would point it at another instance."""
    environment = {k: v for k, v in os.environ.items() if k not in ("ASSISTANT_HOME", "ASSISTANT_INSTANCE")}
    return environment | {"LC_ALL": "C.UTF-8"} | changes
