"""Which documents the instance's rules no longer keep.

A rule names a collection, a document type, or both, and how long to keep what it fits. The first rule that fits counts. A
document is kept as long as something speaks for it: a legal hold, a date that is missing or not understood, unfinished work.

Days are those of the machine's time zone, as on the calendar of whoever works there, and so is the day on which a document was
handed in; the ledger keeps the instant, in UTC.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from assistant.access import Principal
from assistant.config import RetentionRule
from assistant.errors import Conflict, NotFound
from assistant.ingestion import DocumentFilter, DueDocument, ErasedDocument, RetentionReport
from assistant.receipts import ErasureReceipt
from assistant.types import DocumentStatus
from ingest.listing import Listing, require_archivist

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:$|[T ])")

Erase = Callable[[str, Principal], ErasureReceipt]
"""Erases a document and gives the receipt of it."""


class Retention:
    """Applies the rules to the documents of one instance."""

    def __init__(self, listing: Listing, rules: Sequence[RetentionRule], *, zone: tzinfo | None = None) -> None:
        """`zone` is whose days count; None for the machine's."""
        self._zone = zone
        self._listing = listing
        self._rules = tuple(rules)

    def report(
        self,
        principal: Principal,
        *,
        erase: Erase | None = None,
        only: Collection[str] | None = None,
        now: datetime | None = None,
    ) -> RetentionReport:
        """What is due among the documents that this archivist may know of; erased where `erase` is given, if among `only`.

        Where documents are erased by name, the report is of those named: a run in small pieces does not read all each time.

        Raises Forbidden without the archivist role.
        """
        require_archivist(principal)
        today = (now or datetime.now(UTC)).astimezone(self._zone).date()
        candidates = self._candidates(principal, only if erase else None)
        due = tuple(entry for status in candidates if (entry := self._due(status, today)) is not None)
        erased: list[ErasedDocument] = []
        for entry in due:
            if erase is None or entry.held or (only is not None and entry.document_id not in only):
                continue
            try:
                receipt = erase(entry.document_id, principal)
            except (Conflict, NotFound):
                continue  # held, taken up or removed by somebody else meanwhile
            erased.append(ErasedDocument(entry.document_id, receipt.receipt_id))
        return RetentionReport(due, tuple(erased), tuple(map(described, self._rules)))

    def _candidates(self, principal: Principal, only: Collection[str] | None) -> tuple[DocumentStatus, ...]:
        """The documents that a rule may fit; of those about to be erased only the ones that somebody agreed to."""
        if not self._rules or (only is not None and not only):
            return ()
        return self._listing.find(DocumentFilter(), principal, among=only).documents

    def _due(self, status: DocumentStatus, today: date) -> DueDocument | None:
        rule = next((rule for rule in self._rules if _fits(rule, status)), None)
        if rule is None or not status.state.final:
            return None
        since = _end_of_keeping(rule, self._first_day(rule, status))
        if since is None or since > today:
            return None
        return DueDocument(status.document_id, status.title, described(rule), since.isoformat(), bool(status.hold))

    def _first_day(self, rule: RetentionRule, status: DocumentStatus) -> date | None:
        if rule.counted_from == "date":
            return _day(status.date)
        return datetime.fromisoformat(status.received_at).astimezone(self._zone).date()


def described(rule: RetentionRule) -> str:
    """The rule in words, such as "collection Marchés, kept 10 years from its date"."""
    what = [f"collection {rule.collection}"] if rule.collection is not None else []
    what += [f"type {rule.document_type}"] if rule.document_type is not None else []
    number, unit = (rule.keep_days, "day") if rule.keep_years is None else (rule.keep_years, "year")
    start = "its date" if rule.counted_from == "date" else "the day it was handed in"
    return f"{', '.join(what)}, kept {number} {unit}{'' if number == 1 else 's'} from {start}"


def _fits(rule: RetentionRule, status: DocumentStatus) -> bool:
    collection = rule.collection is None or _same(rule.collection, status.collection)
    kind = rule.document_type is None or _same(rule.document_type, status.document_type or "")
    return collection and kind


def _same(name: str, other: str) -> bool:
    """True for the same words, capitals or not, however their accents are stored."""
    one, two = (" ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in (name, other))
    return one == two


def _end_of_keeping(rule: RetentionRule, start: date | None) -> date | None:
    """The first day on which a document need not be kept any more; None when that cannot be told."""
    if start is None:
        return None
    try:
        if rule.keep_days is not None:
            return start + timedelta(days=rule.keep_days)
        year = start.year + (rule.keep_years or 0)
        return date(year, start.month, min(start.day, calendar.monthrange(year, start.month)[1]))
    except (OverflowError, ValueError):
        return None


def _day(value: str | None) -> date | None:
    """The last day that `value` can mean: the end of the month or year where it names no more."""
    found = _DATE.match(value or "")
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        month = month or 12
        return date(year or 0, month, day or calendar.monthrange(year or 0, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        return None
