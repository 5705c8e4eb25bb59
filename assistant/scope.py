"""Which documents a reader wants an answer from: a limit that the reader sets, never a right.

A scope only takes away. It is resolved to the ids of documents that this reader may know of, and the index searches those under
the same access clause as ever; so a scope shows nothing that was hidden, and what is hidden changes nothing within a scope.

Term weights and support are counted over everything that the reader may read, not over the scope: a word is as rare as it is in
the house, and a passage scores the same with and without a limit. Within one document its own subject would weigh nothing, since
it stands on every page; and the calibration was fitted on weights of whole collections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from assistant.errors import InvalidRequest

MOST_NAMES = 1000
"""Collections, document types or documents that one scope may name."""
_LONGEST_NAME = 500
_LISTS = ("collections", "document_types", "documents")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Scope:
    """A limit on the documents that are searched. Each field narrows; an empty one does not limit.

    >>> Scope.from_json({"collections": ["RH"], "date_from": "2024-01-01"})
    Scope(collections=('RH',), date_from='2024-01-01', date_to=None, document_types=(), documents=())
    >>> bool(Scope.everything), Scope.from_json(None) == Scope.everything
    (False, True)
    """

    collections: tuple[str, ...] = ()
    date_from: str | None = None
    """First day, `YYYY-MM-DD`. With a date given, a document without a date is out; one dated by month or year is in when a day
    of that month or year is."""
    date_to: str | None = None
    """Last day, inclusive."""
    document_types: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Ids."""

    everything: ClassVar[Scope]
    """No limit at all."""

    def __bool__(self) -> bool:
        """True when it limits anything."""
        return any((self.collections, self.date_from, self.date_to, self.document_types, self.documents))

    @classmethod
    def from_json(cls, given: Mapping[str, Any] | None) -> Scope:
        """The scope that `to_json` wrote; None and absent fields do not limit. Names are sorted and kept once.

        Raises InvalidRequest for an unknown field, a value of another kind, a day that does not exist, or too many names.
        """
        if given is None:
            return cls.everything
        if not isinstance(given, Mapping):
            raise InvalidRequest('scope: an object is expected, such as {"collections": ["…"]}')
        unknown = sorted(str(name) for name in given.keys() - {*_LISTS, "date_from", "date_to"})
        if unknown:
            raise InvalidRequest(f"scope.{unknown[0][:50]}: there is no such field")
        collections, types, documents = (_names(name, given.get(name)) for name in _LISTS)
        first, last = (_day(name, given.get(name)) for name in ("date_from", "date_to"))
        if first and last and first > last:
            raise InvalidRequest(f"scope.date_from: {first} is after date_to, {last}")
        return cls(collections, first, last, types, documents)

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "collections": list(self.collections),
            "date_from": self.date_from,
            "date_to": self.date_to,
            "document_types": list(self.document_types),
            "documents": list(self.documents),
        }


Scope.everything = Scope()


@dataclass(frozen=True, slots=True)
class ScopeChoices:
    """By what a reader can narrow a search: what the documents that this reader may read say of themselves."""

    collections: tuple[str, ...]
    document_types: tuple[str, ...]
    date_from: str | None
    """The earliest date there is; None without any. May be a month or a year."""
    date_to: str | None


def _names(field: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise InvalidRequest(f"scope.{field}: a list of names is expected")
    names = sorted({name.strip() for name in given if name.strip()})
    if len(names) > MOST_NAMES or any(len(name) > _LONGEST_NAME for name in names):
        raise InvalidRequest(f"scope.{field}: at most {MOST_NAMES} names of at most {_LONGEST_NAME} characters")
    return tuple(names)


def _day(field: str, given: object) -> str | None:
    if given is None or given == "":
        return None
    if isinstance(given, str) and _DAY.fullmatch(given):
        try:
            return date.fromisoformat(given).isoformat()
        except ValueError:
            pass
    raise InvalidRequest(f"scope.{field}: write the day as YYYY-MM-DD")
