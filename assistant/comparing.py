"""What changed between two versions of a document, or between two documents: change by change, each side cited.

Only what the reader may read is compared: a version, or another document, that the reader may not see does not exist here.
Like an answer, a comparison shows what documents say, so it is on record: opened before anything is read, closed with what was
shown.
"""

from __future__ import annotations

import re
import time
import uuid
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from assistant.access import Principal
from assistant.alignment import Line, Mark, Matched, aligned, tokens
from assistant.answer_kinds import values
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.changes import Change, ChangedWords, ChangeKind, Compared, Comparison, Side
from assistant.citations import citation_of
from assistant.language import readable_offsets
from assistant.outline import Statement, statements
from assistant.types import BlockKind, Box, Document, Span, passage_id

BOXED_CHANGES = 200
"""Changes whose words are placed on their pages at once; those of any further one are when its page is opened."""
BOXES_S = 5.0
"""Seconds after which no further words are placed, however few changes were."""
_SAME_HEADER = 0.85
_LIST_MARK = re.compile(r"\s*(?:[•▪◦‣●○■□➢✓✔–—*·-]\s|\(?(?:[\d٠-٩]{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s|[\d٠-٩]{1,2}°\s)")

_ENDED = re.compile(r"[.!?…؟۔:;؛][\"”’'»)\]]*$")


@dataclass
class _Text:
    """A document with its statements, as they are aligned."""

    document: Document
    statements: tuple[Statement, ...] = field(init=False)
    lines: list[Line] = field(init=False)

    def __post_init__(self) -> None:
        found = list(self._found())
        self.statements = tuple(statement for statement, _ in found)
        self.lines = [line for _, line in found]

    def _found(self) -> Iterator[tuple[Statement, Line]]:
        """What is compared: not what says nothing, nor a table's header that is repeated on the next page."""
        header: tuple[str, ...] = ()
        block = -1
        for statement in statements(self.document):
            line = self._tokens(statement)
            opens, block = statement.block != block, statement.block
            if statement.kind is not BlockKind.TABLE:
                header = ()
            elif opens and header and _alike(line.key, header):
                continue
            elif opens:
                header = line.key
            if line.tokens:
                yield statement, line

    def _tokens(self, statement: Statement) -> Line:
        """The tokens of a statement, without the number or bullet that a list gives it."""
        start, text = statement.span.start, self.document.text[statement.span.start : statement.span.end]
        mark = _LIST_MARK.match(text) if statement.kind is BlockKind.LIST_ITEM else None
        skipped = mark.end() if mark else 0
        return Line(tokens(text[skipped:], start + skipped), statement.by_ocr)

    def told(self) -> Compared:
        it = self.document
        return Compared(
            it.id, it.version, it.title, it.file_name, it.language, it.date, str(it.label), len(self.statements)
        )


class Comparing:
    """Compares what a reader may read."""

    def __init__(self, archive: Archive, audit: AuditLog) -> None:
        self._archive = archive
        self._audit = audit

    def changes(
        self,
        document_id: str,
        principal: Principal,
        *,
        before: str | None = None,
        after: str | None = None,
        other: str | None = None,
    ) -> Comparison:
        """What changed from version `before` of a document to its version `after`, or to that version of document `other`.

        Left out, `after` is the newest and `before` the one before it, or the newest where another document is meant. Raises
        NotFound for what does not exist or this principal may not read, AuditUnavailable when there can be no record.
        """
        record = str(uuid.uuid4())
        self._audit.begin(record, "comparison", principal, {"document": document_id, "other": other or ""})
        closing: dict[str, object] = {"outcome": "failed"}
        try:
            comparison = self._compared(document_id, principal, before, after, other)
            closing = _closing(comparison)
        except Exception as error:
            closing = {"outcome": "failed", "error": type(error).__name__}
            raise
        finally:
            self._audit.close_record(record, "comparison", closing)
        return comparison

    def _compared(
        self, document_id: str, principal: Principal, before: str | None, after: str | None, other: str | None
    ) -> Comparison:
        new = _Text(self._archive.document(other or document_id, principal, version=after))
        if before is None and other is None:
            before = self._version_before(document_id, new.document.version, principal)
            if before is None:
                return Comparison(None, new.told(), (), len(new.statements), 0)
        old = _Text(self._archive.document(document_id, principal, version=before))
        matches = aligned(old.lines, new.lines)
        changes = tuple(self._changes(matches, old, new, principal))
        same = [match for match in matches if match.is_same]
        return Comparison(
            old.told(),
            new.told(),
            changes,
            sum(len(match.new) for match in same),
            sum(len(match.new) for match in same if match.moved),
        )

    def _version_before(self, document_id: str, version: str, principal: Principal) -> str | None:
        """The readable version stored before `version`; None when that is the first."""
        versions = self._archive.readable_versions(document_id, principal)
        at = versions.index(version)
        return versions[at - 1] if at else None

    def _changes(self, matches: Iterable[Matched], old: _Text, new: _Text, principal: Principal) -> Iterator[Change]:
        until = time.monotonic() + BOXES_S
        groups = [group for group in _grouped(matches, old, new) if not group.is_same]
        for number, group in enumerate(groups, start=1):
            placed = number <= BOXED_CHANGES and time.monotonic() < until
            sides = [
                self._side(text, positions, marks, number, principal if placed else None) if positions else None
                for text, positions, marks in (
                    (old, group.old, group.old_marks),
                    (new, group.new, group.new_marks),
                )
            ]
            kind: ChangeKind = "changed" if all(sides) else "added" if group.new else "removed"
            text, positions = (new, group.new) if group.new else (old, group.old)
            heading = " › ".join(text.statements[positions[0]].headings[-2:])
            yield Change(kind, heading, sides[0], sides[1], group.moved)

    def _side(
        self,
        text: _Text,
        positions: Sequence[int],
        marks: Sequence[Mark],
        number: int,
        principal: Principal | None,
    ) -> Side:
        """What `text` says at these positions; its words are placed on their pages when `principal` is given."""
        document, found = text.document, [text.statements[position] for position in positions]
        span = Span(found[0].span.start, found[-1].span.end)
        shown, changed = _readable(document.text, [statement.span for statement in found], marks)
        boxes: tuple[tuple[int, Box], ...] = self._archive.boxes(document, span, principal) if principal else ()
        cited = citation_of(
            document,
            span,
            marker=number,
            passage_id=passage_id(document.id, document.version, span),
            headings=found[0].headings,
            boxes=boxes,
        )
        return Side(shown, found[0].page_number, cited, changed)


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """True for the same words, letters that OCR read wrongly apart."""
    return one == other or SequenceMatcher(None, " ".join(one), " ".join(other)).ratio() > _SAME_HEADER


def _grouped(matches: Iterable[Matched], old: _Text, new: _Text) -> Iterator[Matched]:
    """The matches, with what was added, or removed, together in one paragraph as one."""
    pending: Matched | None = None
    for match in matches:
        if pending is not None and _goes_on(pending, match, old, new):
            pending = Matched(pending.old + match.old, pending.new + match.new)
            continue
        if pending is not None:
            yield pending
        pending = match
    if pending is not None:
        yield pending


def _goes_on(one: Matched, following: Matched, old: _Text, new: _Text) -> bool:
    for text, here, there, nothing, none in (
        (old, one.old, following.old, one.new, following.new),
        (new, one.new, following.new, one.old, following.old),
    ):
        if here and there and not nothing and not none and there[0] == here[-1] + 1:
            first, second = text.statements[here[-1]], text.statements[there[0]]
            if first.block == second.block:
                return first.kind is not BlockKind.TABLE
            cut = first.kind is second.kind is BlockKind.PARAGRAPH and second.block == first.block + 1
            return cut and not _ENDED.search(text.document.text[first.span.start : first.span.end])
    return False


def _readable(text: str, spans: Sequence[Span], marks: Sequence[Mark]) -> tuple[str, tuple[ChangedWords, ...]]:
    """The spans' words as a reader sees them, one after the other, and where in that the marked words stand."""
    shown, origins = "", []
    for span in spans:
        piece, offsets = readable_offsets(text[span.start : span.end])
        if shown:
            shown += " "
            origins.append(span.start)
        shown += piece
        origins += [span.start + offset for offset in offsets]
    changed = []
    for mark in marks:
        start, end = bisect_left(origins, mark.start), bisect_left(origins, mark.end)
        if start < end:
            changed.append(ChangedWords(start, end, mark.is_number or bool(values(shown[start:end].replace("-", " ")))))
    return shown, tuple(changed)


def _closing(comparison: Comparison) -> dict[str, object]:
    sides = [side for side in (comparison.before, comparison.after) if side]
    return {
        "outcome": "compared" if comparison.before else "one version",
        "versions": [side.version for side in sides],
        "labels": [side.label for side in sides],
        "changes": len(comparison.changes),
    }
