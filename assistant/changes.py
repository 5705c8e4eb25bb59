"""What is different between two texts: the values that `comparing` finds, that a conversation keeps and that are exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.types import Citation

ChangeKind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class ChangedWords:
    """Words that are others on the other side, or are not there: 0-based, end exclusive, in the text of their `Side`."""

    start: int
    end: int
    is_number: bool
    """True when a number is among them, in digits or in words."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one version says there."""

    text: str
    """As a reader sees it: line ends are spaces, and page furniture between its sentences is left out."""
    page_number: int | None
    """1-based, on which it begins; None for formats without pages."""
    citation: Citation
    changed: tuple[ChangedWords, ...] = ()
    """Empty where the whole of it was added or removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. Added: only `after`; removed: only `before`; changed: both."""

    kind: ChangeKind
    heading: str
    """The heading that it stands under, in the new text unless it was removed; empty for none."""
    before: Side | None
    after: Side | None
    moved: bool = False
    """True when it stands in another place now as well."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the two texts."""

    document_id: str
    version: str
    title: str
    file_name: str
    language: str
    date: str | None
    label: str
    statements: int
    """Sentences, list items, table rows and headings that it has."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is different, in the order of the new text."""

    before: Compared | None
    """None when there is no other version that this reader may read; then there are no changes."""
    after: Compared
    changes: tuple[Change, ...]
    unchanged: int
    """Statements of the new text that say the same in the old one, wherever."""
    moved: int
    """How many of those stand in another order."""
    left_out: int = 0
    """Further changes that are not among `changes`."""
