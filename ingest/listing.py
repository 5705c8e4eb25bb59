"""Which documents a principal may know of, and how they are listed, counted and followed: done in SQL, fast for many.

Who may know of a document: whoever may read its label. While it has none, archivists; and where one was given for it, only
those who may read that. While its label is not decided, because it waits or because what was said of it disagrees, only those who
may read all that was said. A label that does not parse is readable by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from assistant.access import Label, Principal, Role, readable_labels
from assistant.database import Database, PostgresDatabase
from assistant.errors import ConfigurationError, Forbidden, InvalidRequest, NotFound
from assistant.ingestion import Current, DocumentEvent, DocumentFilter, Found, LegalHold, Progress
from assistant.reasons import categories_saying
from assistant.scope import Scope, ScopeChoices
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger_rows import status_of_row
from ingest.parsing import RejectionCategory
from ingest.suffixes import SUFFIXES

UNSEEN = "there is no such document, or none that you may read"
HELD_BY = "put on hold by "
"""How the history of a document names who held it."""
_RECENT_S = 60
_MOST_WORDS = 50
"""Words of a search: each is a condition, and a database takes a bounded number of them."""
_CURRENT = 20
"""Most documents at work that are listed by name."""
_INSIDE = "!/"
"""Between a carrier's source and the name of a file in it."""
_ASKED_AT_ONCE = 10_000
"""Values in one question to a database, which takes a bounded number of them."""
_UNFINISHED = (DocumentState.RECEIVED, DocumentState.IN_PROGRESS)
_WITHOUT_TEXT = (DocumentState.QUARANTINED.value, DocumentState.REJECTED.value)
_UNDECIDED = (RejectionCategory.UNLABELLED.value, RejectionCategory.CONFLICTING_LABELS.value)
_LAST_DAY = "date || CASE LENGTH(date) WHEN 4 THEN '-12-31' WHEN 7 THEN '-31' ELSE '' END"
"""The latest day that a document's date, which may be a month or a year, can mean; to compare with, not to show."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """A condition and the values of its question marks."""

    text: str
    values: tuple[str, ...]

    def __and__(self, other: _Clause) -> _Clause:
        return _Clause(f"({self.text}) AND ({other.text})", self.values + other.values)


class Listing:
    """Reads the ledger's database under a principal."""

    def __init__(self, database: Database | PostgresDatabase) -> None:
        self._database = database

    def find(
        self,
        wanted: DocumentFilter,
        principal: Principal,
        *,
        limit: int | None = None,
        offset: int = 0,
        among: Collection[str] | None = None,
    ) -> Found:
        """See `Ingestion.find`; with `among`, only of the documents with these ids."""
        where = self._visible(principal) & _wanted(wanted, self._database.sought, copies=_is_archivist(principal))
        if among is not None:
            where &= _one_of("document_id", sorted(among))
        total = self._number("SELECT COUNT(*) AS n FROM documents WHERE", where)
        page = "" if limit is None else f" LIMIT {int(limit)} OFFSET {int(offset)}"
        order = f" ORDER BY received_at DESC, document_id{page}"
        query = f"SELECT * FROM documents WHERE {where.text}{order}"  # noqa: S608 - values are bound
        rows = self._database.connection().execute(query, where.values)
        return Found(self._told(map(status_of_row, rows), principal), total)

    def one(self, document_id: str, principal: Principal) -> DocumentStatus:
        """One document. Raises NotFound when there is none, or none this principal may know of."""
        where = self._visible(principal) & _Clause("document_id = ?", (document_id,))
        query = f"SELECT * FROM documents WHERE {where.text}"  # noqa: S608
        row = self._database.connection().execute(query, where.values).fetchone()
        if row is None:
            raise NotFound(UNSEEN)
        return self._told([status_of_row(row)], principal)[0]

    def known(self, document_ids: Collection[str], principal: Principal) -> set[str]:
        """Those of these documents that this principal may know of."""
        return self._among("document_id", document_ids, self._visible(principal))

    def for_archivist(self, document_id: str, principal: Principal) -> DocumentStatus:
        """One document, for whoever is about to work on it. Raises Forbidden without the role, else as `one` does."""
        require_archivist(principal)
        return self.one(document_id, principal)

    def undecided(self, document_id: str, principal: Principal) -> DocumentStatus:
        """One document that waits for its label, for an archivist. Raises NotFound in every other case."""
        status = self.one(document_id, principal)
        if not _is_archivist(principal) or status.category not in _UNDECIDED:
            raise NotFound(UNSEEN)
        return status

    def may_change(self, source: str, version: str, principal: Principal) -> bool:
        """True unless these bytes or this source belong to a document that this principal may not know of."""
        copied = "document_id IN (SELECT document_id FROM copies WHERE source = ?)"
        concerned = _Clause(f"source = ? OR version = ? OR {copied}", (source, version, source))
        query = f"SELECT document_id FROM documents WHERE {concerned.text}"  # noqa: S608 - values are bound
        held = {row["document_id"] for row in self._database.connection().execute(query, concerned.values)}
        where = self._visible(principal) & concerned
        return self._number("SELECT COUNT(*) AS n FROM documents WHERE", where) == len(held)

    def within(self, scope: Scope, principal: Principal) -> frozenset[str]:
        """See `Ingestion.documents_within`."""
        where = self._readable("label", principal) & _in_scope(scope)
        query = f"SELECT document_id FROM documents WHERE {where.text}"  # noqa: S608 - values are bound
        return frozenset(row["document_id"] for row in self._database.connection().execute(query, where.values))

    def choices(self, principal: Principal) -> ScopeChoices:
        """See `Ingestion.scope_choices`."""
        where = self._readable("label", principal) & _Clause("passages > 0 AND state NOT IN (?, ?)", _WITHOUT_TEXT)
        query = f"SELECT DISTINCT collection, document_type, date FROM documents WHERE {where.text}"  # noqa: S608
        rows = self._database.connection().execute(query, where.values).fetchall()
        dates = sorted(row["date"] for row in rows if row["date"])
        return ScopeChoices(
            tuple(sorted({row["collection"] for row in rows if row["collection"]})),
            tuple(sorted({row["document_type"] for row in rows if row["document_type"]})),
            dates[0] if dates else None,
            dates[-1] if dates else None,
        )

    def counts(self, principal: Principal) -> dict[DocumentState, int]:
        """How many documents are in each state; every state is named."""
        where = self._visible(principal)
        query = f"SELECT state, COUNT(*) AS n FROM documents WHERE {where.text} GROUP BY state"  # noqa: S608
        found = {row["state"]: row["n"] for row in self._database.connection().execute(query, where.values)}
        return {state: found.get(state.value, 0) for state in DocumentState}

    def events(self, document_id: str) -> tuple[DocumentEvent, ...]:
        """What happened to a document, oldest first. Whether the asker may know of it is asked before."""
        query = "SELECT at, version, state, reason FROM events WHERE document_id = ? ORDER BY number"
        rows = self._database.connection().execute(query, (document_id,))
        return tuple(DocumentEvent(row["at"], row["version"], row["state"], row["reason"]) for row in rows)

    def received(self, document_id: str) -> dict[str, str]:
        """Version → when it was first heard of, oldest first. Whether the asker may know of it is asked before."""
        first: dict[str, str] = {}
        for event in self.events(document_id):
            if event.version:
                first.setdefault(event.version, event.at)
        return first

    def holds(self, principal: Principal) -> tuple[LegalHold, ...]:
        """See `Ingestion.holds`."""
        require_archivist(principal)
        where = self._visible(principal) & _Clause("hold != ?", ("",))
        connection = self._database.connection()
        events = connection.execute(
            "SELECT document_id, number, reason, at FROM events WHERE reason LIKE ?"
            " AND document_id IN (SELECT document_id FROM documents WHERE hold != '') ORDER BY number",
            (f"{HELD_BY}%",),
        )
        held = {row["document_id"]: (row["number"], row["reason"].removeprefix(HELD_BY), row["at"]) for row in events}
        query = f"SELECT * FROM documents WHERE {where.text} ORDER BY document_id"  # noqa: S608 - values are bound
        rows = list(connection.execute(query, where.values))
        unknown = (0, "", "")
        rows.sort(key=lambda row: held.get(row["document_id"], unknown)[0], reverse=True)
        return tuple(_hold(row, *held.get(row["document_id"], unknown)[1:]) for row in rows)

    def progress(self, principal: Principal) -> Progress:
        """See `Ingestion.progress`."""
        require_archivist(principal)
        visible = self._visible(principal)
        counts = self.counts(principal)
        now = datetime.now(UTC)
        finished, pages, first = self._finished_recently(visible, now)
        current = self._current(visible)
        waiting, working = (counts[state] for state in _UNFINISHED)
        pages += sum(document.progress_pages for document in current)
        worked_s = self._worked_s(visible, first, now)
        left = _seconds_left(waiting + working, finished / worked_s, pages / worked_s, current)
        return Progress(waiting, working, finished, round(pages / worked_s, 2), left, current)

    def _finished_recently(self, visible: _Clause, now: datetime) -> tuple[int, int, str | None]:
        """Documents settled within the last minute, their pages (one without counts as one), and when the first came in."""
        since = (now - timedelta(seconds=_RECENT_S)).isoformat(timespec="milliseconds")
        where = visible & _Clause("changed_at >= ? AND state NOT IN (?, ?)", (since, *_UNFINISHED))
        pages = "COALESCE(SUM(CASE WHEN pages > 0 THEN pages ELSE 1 END), 0)"
        what = f"COUNT(*) AS documents, {pages} AS pages, MIN(received_at) AS first"
        query = f"SELECT {what} FROM documents WHERE {where.text}"  # noqa: S608
        row = self._database.connection().execute(query, where.values).fetchone()
        return row["documents"], row["pages"], row["first"]

    def _worked_s(self, visible: _Clause, first: str | None, now: datetime) -> float:
        """Seconds of the last minute in which there was something to read, as far as the ledger tells; at least one."""
        where = visible & _Clause("state IN (?, ?)", _UNFINISHED)
        query = f"SELECT MIN(received_at) AS first FROM documents WHERE {where.text}"  # noqa: S608
        waiting = self._database.connection().execute(query, where.values).fetchone()["first"]
        begun = min(filter(None, (first, waiting)), default=None)
        if begun is None:
            return _RECENT_S
        return min(max((now - datetime.fromisoformat(begun)).total_seconds(), 1.0), _RECENT_S)

    def _current(self, visible: _Clause) -> tuple[Current, ...]:
        where = visible & _Clause("state = ?", (DocumentState.IN_PROGRESS,))
        query = f"SELECT * FROM documents WHERE {where.text} ORDER BY changed_at LIMIT {_CURRENT}"  # noqa: S608
        rows = self._database.connection().execute(query, where.values)
        return tuple(
            Current(row["document_id"], row["title"], row["progress_pages"], row["progress_of"]) for row in rows
        )

    def _told(self, statuses: Iterable[DocumentStatus], principal: Principal) -> tuple[DocumentStatus, ...]:
        """As this principal may hear of them: without the name of a carrier that is hidden from them.

        Why a document is held is for archivists.
        """
        found = list(statuses)
        named = {carrier for status in found for carrier in _carriers(status.source)}
        hidden = self._among("source", named, _Clause("1 = 1", ()))
        hidden -= self._among("source", hidden, self._visible(principal))
        if not _is_archivist(principal):
            found = [replace(status, hold="") for status in found]
        return tuple(replace(status, source=_named_by(status.source, hidden)) for status in found)

    def _among(self, column: str, values: Collection[str], clause: _Clause) -> set[str]:
        """Those of `values` that stand in this column of a document for which `clause` holds."""
        wanted = sorted(values)
        found: set[str] = set()
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            where = clause & _one_of(column, wanted[start : start + _ASKED_AT_ONCE])
            query = f"SELECT {column} AS value FROM documents WHERE {where.text}"  # noqa: S608 - values are bound
            found |= {row["value"] for row in self._database.connection().execute(query, where.values)}
        return found

    def _visible(self, principal: Principal) -> _Clause:
        """The documents that `principal` may know of."""
        readable = self._readable("label", principal)
        least = self._readable("least_label", principal)
        undecided = _Clause(f"least_label = '' OR {least.text}", least.values)
        if Role.ARCHIVIST not in principal.roles:
            return readable & undecided
        given = self._readable("given_label", principal)
        unlabelled = f"label = '' AND (given_label = '' OR {given.text})"
        return _Clause(f"({readable.text}) OR ({unlabelled})", readable.values + given.values) & undecided

    def _readable(self, column: str, principal: Principal) -> _Clause:
        rows = self._database.connection().execute(f"SELECT DISTINCT {column} AS label FROM documents")  # noqa: S608
        return _one_of(column, readable_labels(principal, [row["label"] for row in rows]))

    def _number(self, query: str, where: _Clause) -> int:
        number: int = self._database.connection().execute(f"{query} {where.text}", where.values).fetchone()["n"]
        return number


def may_know(principal: Principal, label: str) -> bool:
    """True when `principal` may know that a document with this canonical label exists.

    A document without a label is known to archivists only.
    """
    if not label:
        return Role.ARCHIVIST in principal.roles
    try:
        return principal.may_read(Label.parse(label))
    except ConfigurationError:
        return False


def require_archivist(principal: Principal) -> None:
    """Raises Forbidden unless `principal` has the archivist role."""
    if Role.ARCHIVIST not in principal.roles:
        raise Forbidden("only archivists may do this")


def _is_archivist(principal: Principal) -> bool:
    return Role.ARCHIVIST in principal.roles


def _carriers(source: str) -> list[str]:
    """What a file came in, the outermost first.

    >>> _carriers("/in/a.zip!/b.eml!/c.txt")
    ['/in/a.zip', '/in/a.zip!/b.eml']
    """
    parts = source.split(_INSIDE)
    return [_INSIDE.join(parts[:end]) for end in range(1, len(parts))]


def _named_by(source: str, hidden: Collection[str]) -> str:
    """`source` without the name of a carrier that is among `hidden`.

    >>> _named_by("/in/a.zip!/b.eml!/c.txt", {"/in/a.zip"}), _named_by("/in/c.txt", ())
    ('…!/b.eml!/c.txt', '/in/c.txt')
    """
    innermost = next((carrier for carrier in reversed(_carriers(source)) if carrier in hidden), None)
    return source if innermost is None else f"…{source.removeprefix(innermost)}"


def _hold(row: Mapping[str, str], by: str, since: str) -> LegalHold:
    return LegalHold(row["document_id"], row["title"], row["file_name"], row["label"], row["hold"], by, since)


def _one_of(column: str, values: Sequence[str]) -> _Clause:
    return _Clause(f"{column} IN ({', '.join('?' * len(values))})" if values else "1 = 0", tuple(values))


def _of_types(media_types: Sequence[str]) -> _Clause:
    """Documents of these media types. One that has none yet, or was never read, goes by the end of its name."""
    suffixes = [suffix for media_type in media_types for suffix in SUFFIXES.get(media_type, ())]
    known = _one_of("media_type", media_types)
    if not suffixes:
        return known
    named = " OR ".join(["LOWER(file_name) LIKE ?"] * len(suffixes))
    return _Clause(f"{known.text} OR (media_type = '' AND ({named}))", known.values + tuple(f"%{s}" for s in suffixes))


def _in_scope(scope: Scope) -> _Clause:
    clause = _Clause("1 = 1", ())
    for column, names in (
        ("collection", scope.collections),
        ("document_type", scope.document_types),
        ("document_id", scope.documents),
    ):
        if names:
            clause &= _one_of(column, names)
    if scope.date_from:
        clause &= _Clause(f"date != '' AND {_LAST_DAY} >= ?", (scope.date_from,))
    if scope.date_to:
        clause &= _Clause("date != '' AND date <= ?", (scope.date_to,))
    return clause


def _wanted(wanted: DocumentFilter, form: Callable[[str], str], *, copies: bool) -> _Clause:
    """The documents that are wanted; with `copies` also by the names of other files that have the same bytes."""
    clause = _Clause("1 = 1", ())
    for column in ("state", "category", "language"):
        value = getattr(wanted, column)
        if value is not None:
            clause &= _Clause(f"{column} = ?", (str(value),))
    if wanted.media_type is not None:
        clause &= _of_types(wanted.media_type.split(","))
    if wanted.label is not None:
        with_compartments = wanted.label if "/" in wanted.label else f"{wanted.label}/%"
        clause &= _Clause("label = ? OR label LIKE ?", (wanted.label, with_compartments))
    if wanted.date_from:
        clause &= _Clause(f"date != '' AND {_LAST_DAY} >= ?", (wanted.date_from,))
    if wanted.date_to:
        clause &= _Clause("date != '' AND date <= ?", (wanted.date_to + "-12-31"[len(wanted.date_to) - 4 :],))
    words = dict.fromkeys(wanted.q.split())
    if len(words) > _MOST_WORDS:
        raise InvalidRequest(f"search with at most {_MOST_WORDS} words")
    for word in words:
        sought = "%" + form(word).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        places = ("title", "file_name", "source", "reason")
        texts = [f"LOWER({place}) LIKE ? ESCAPE '\\'" for place in places]
        if copies:
            texts.append(f"document_id IN (SELECT document_id FROM copies WHERE {texts[1]})")  # noqa: S608
        said = _one_of("category", categories_saying(form(word), form))
        clause &= _Clause(" OR ".join([*texts, said.text]), (sought,) * len(texts) + said.values)
    return clause


def _seconds_left(
    unfinished: int, documents_per_s: float, pages_per_s: float, current: tuple[Current, ...]
) -> float | None:
    """By documents settled a second, and by the pages still to read, whichever takes longer.

    One that waits has a page at least; so while a long scan lets no document settle, those behind it are not forgotten.
    """
    if not unfinished:
        return 0.0
    pages = sum(max(1, document.progress_of - document.progress_pages) for document in current)
    pages += max(0, unfinished - len(current))
    estimates = []
    if documents_per_s:
        estimates.append(unfinished / documents_per_s)
    if pages_per_s:
        estimates.append(pages / pages_per_s)
    return round(max(estimates), 1) if estimates else None
