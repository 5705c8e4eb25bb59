"""In how many passages of a reader each term occurs: counted once by the engine, then kept right by every write.

Counting a term takes the engine longer the more passages there are, and questions ask for the same terms again and again. What
is remembered is kept for each set of readable labels, and a write to a label changes just the sets that hold it: what a reader
may not see changes neither a number here nor whether one is here.

Not for use while a write is under way: the index holds its lock alone for `apply` and shares it for `of`.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping

REMEMBERED = 200_000
"""Terms of all label sets together; some 100 bytes each. The set asked least recently goes first."""


class TermFrequencies:
    """Document frequencies by label set and term."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._by_labels: OrderedDict[tuple[str, ...], dict[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, labels: tuple[str, ...], terms: Iterable[int], count: Callable[[list[int]], list[int]]
    ) -> dict[int, int]:
        """Term → passages with one of these labels that hold it, terms ascending; `count` is asked for what is not known."""
        wanted = sorted(set(terms))
        with self._lock:
            known = self._by_labels.setdefault(labels, {})
            self._by_labels.move_to_end(labels)
        found = {term: known.get(term) for term in wanted}
        missing = [term for term, frequency in found.items() if frequency is None]
        counted = dict(zip(missing, count(missing), strict=True)) if missing else {}
        with self._lock:
            known.update(counted)
            self._make_room()
        return {term: counted[term] if frequency is None else frequency for term, frequency in found.items()}

    def apply(self, changes: Mapping[str, Mapping[int, int]]) -> None:
        """Add to each term so many passages of this label, or take them away where the number is negative."""
        with self._lock:
            for labels, known in self._by_labels.items():
                for label in changes.keys() & set(labels):
                    for term in known.keys() & changes[label].keys():
                        known[term] += changes[label][term]

    def forget(self) -> None:
        """Start anew; for when a write may have ended in the middle."""
        with self._lock:
            self._by_labels.clear()

    def _make_room(self) -> None:
        while sum(map(len, self._by_labels.values())) > self._remembered:
            self._by_labels.popitem(last=False)


def changes_by_label(
    gone: Iterable[tuple[str, Iterable[int]]], come: Iterable[tuple[str, Iterable[int]]]
) -> dict[str, Counter[int]]:
    """For `TermFrequencies.apply`, from the label and the terms of each passage that goes and of each that comes.

    >>> changes_by_label([("public", [1, 2])], [("public", [2, 3]), ("secret", [1])])
    {'public': Counter({3: 1, 2: 0, 1: -1}), 'secret': Counter({1: 1})}
    """
    changes: dict[str, Counter[int]] = {}
    for label, terms in gone:
        changes.setdefault(label, Counter()).subtract(terms)
    for label, terms in come:
        changes.setdefault(label, Counter()).update(terms)
    return changes
