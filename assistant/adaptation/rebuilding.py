"""A second index beside the live one, filled with another encoder's vectors, and the change from one to the other.

`ChangingIndex` stands before the live index for everybody who writes. Questions are answered by the live index with its own
encoder, each from beginning to end; so a question sees the old or the new, never vectors of one in the index of the other.

    copied     passages go over document by document, embedded anew, in the background and after questions
    caught up  a document that was written, withdrawn or erased meanwhile is copied again, or leaves the copy too
    changed    no document is being published, nothing is left to catch up: the model in use is named on disk, then in memory
    retired    the former index takes what is withdrawn or erased until the questions in hand have ended; then it is deleted

    steady()   shared by whoever publishes, alone for the change
    _copies    short: each write to more than one index, so that nothing erased comes back with a copy made before
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from assistant.access import Principal
from assistant.embedding import Embedder
from assistant.index import PassageIndex, Query, Route
from assistant.index.locking import SharedLock
from assistant.precedence import QUESTIONS
from assistant.types import Passage, ScoredPassage

_AT_ONCE = 8
_GIVE_WAY_S = 1.0


class ChangingIndex:
    """A `PassageIndex` that can become another one while it is in use."""

    def __init__(self, live: PassageIndex) -> None:
        self._live = live
        self._beside: list[PassageIndex] = []
        """The copy in the making, and former indexes that still answer a question."""
        self._copies = threading.RLock()
        self._publications = SharedLock()
        self._behind: set[str] = set()
        """Documents that changed since they were copied."""

    @property
    def live(self) -> PassageIndex:
        """The index that answers."""
        return self._live

    # Writing

    def steady(self) -> AbstractContextManager[None]:
        """See `PassageIndex`."""
        return self._publications.shared()

    def replace(self, document_id: str, version: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> int:
        """See `PassageIndex`. Within `steady`, so that the vectors are those of the live index."""
        with self._copies:
            self._behind.add(document_id)
            for index in self._beside:
                index.remove(document_id)
            return self._live.replace(document_id, version, passages, vectors)

    def remove(self, document_id: str) -> int:
        """See `PassageIndex`."""
        with self._copies:
            self._behind.add(document_id)
            for index in self._beside:
                index.remove(document_id)
            return self._live.remove(document_id)

    def erase(self, document_id: str) -> int:
        """See `PassageIndex`."""
        with self._copies:
            self._behind.add(document_id)
            for index in self._beside:
                index.erase(document_id)
            return self._live.erase(document_id)

    def purge(self) -> None:
        """See `PassageIndex`."""
        for index in self._all():
            index.purge()

    def optimize(self) -> bool:
        """See `PassageIndex`."""
        return self._live.optimize()

    def flush(self) -> None:
        """See `PassageIndex`."""
        self._live.flush()

    def close(self) -> None:
        """See `PassageIndex`."""
        for index in self._all():
            index.close()

    # Reading

    def vectors(self, document_id: str) -> dict[str, NDArray[np.float32]]:
        """See `PassageIndex`."""
        return self._live.vectors(document_id)

    def stored_passages(self, document_id: str) -> tuple[Passage, ...]:
        """See `PassageIndex`."""
        return self._live.stored_passages(document_id)

    def held(self) -> dict[str, int]:
        """See `PassageIndex`."""
        return self._live.held()

    def readable(self, document_id: str) -> bool:
        """See `PassageIndex`. True while any of the indexes can read it."""
        return any(index.readable(document_id) for index in self._all())

    def count(self, document_id: str, version: str) -> int:
        """See `PassageIndex`."""
        return self._live.count(document_id, version)

    def search(
        self,
        query: Query,
        principal: Principal,
        k: int,
        *,
        route: Route = "hybrid",
        within: Collection[str] | None = None,
    ) -> tuple[ScoredPassage, ...]:
        """See `PassageIndex`. Whoever has made the query's vector asks the index of that encoder instead."""
        return self._live.search(query, principal, k, route=route, within=within)

    def term_weights(self, terms: Iterable[int], principal: Principal) -> dict[int, float]:
        """See `PassageIndex`."""
        return self._live.term_weights(terms, principal)

    def passage(self, passage_id: str, principal: Principal) -> Passage:
        """See `PassageIndex`."""
        return self._live.passage(passage_id, principal)

    def document_passages(self, document_id: str, principal: Principal) -> tuple[Passage, ...]:
        """See `PassageIndex`."""
        return self._live.document_passages(document_id, principal)

    def passage_count(self, principal: Principal) -> int:
        """See `PassageIndex`."""
        return self._live.passage_count(principal)

    def document_count(self, principal: Principal) -> int:
        """See `PassageIndex`."""
        return self._live.document_count(principal)

    # Changing

    def fill(
        self,
        copy: PassageIndex,
        embedder: Embedder,
        *,
        told: Callable[[int, int], None] = lambda _done, _total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Copy every document into the empty index `copy`, with vectors of `embedder`; False when it was `stopped` first.

        From here on `copy` loses what is withdrawn or erased. `told` hears of (documents done, documents there are).
        """
        with self._copies:
            self._beside.append(copy)
            self._behind = set(self._live.held())
        total = len(self._behind)
        while waiting := sorted(self._behind):
            for document_id in waiting:
                if stopped():
                    return False
                self._copy(document_id, copy, embedder)
                total = max(total, len(self._behind))
                told(total - len(self._behind), total)
        return True

    def change_to(self, copy: PassageIndex, embedder: Embedder, *, settled: Callable[[], None]) -> PassageIndex:
        """Make the filled `copy` the live index; the one that was. `settled` runs at the moment when it is complete."""
        with self._publications.exclusive():
            while waiting := sorted(self._behind):
                for document_id in waiting:
                    self._copy(document_id, copy, embedder)
            copy.flush()
            with self._copies:
                settled()
                former, self._live = self._live, copy
                self._beside = [index for index in self._beside if index is not copy] + [former]
        return former

    def drop(self, index: PassageIndex) -> None:
        """Close an index that is not live, and forget it."""
        with self._copies:
            self._beside = [other for other in self._beside if other is not index]
        index.close()

    def _copy(self, document_id: str, copy: PassageIndex, embedder: Embedder) -> None:
        """Bring one document of the copy up to date, or leave it behind when it changes meanwhile."""
        with self._copies:
            self._behind.discard(document_id)
        passages = self._live.stored_passages(document_id)
        rows = _patiently(embedder, [passage.embedded_text() for passage in passages])
        with self._copies:
            if document_id in self._behind:
                return
            versions = {passage.version for passage in passages}
            if len(versions) == 1:
                copy.replace(document_id, versions.pop(), passages, rows)
            else:
                copy.remove(document_id)

    def _all(self) -> list[PassageIndex]:
        with self._copies:
            return [self._live, *self._beside]


def _patiently(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """The texts' vectors, made some at a time and not while a question is being answered."""
    rows = [np.zeros((0, embedder.dimension), dtype=np.float32)]
    for start in range(0, len(texts), _AT_ONCE):
        QUESTIONS.give_way(_GIVE_WAY_S)
        rows.append(embedder.embed_passages(texts[start : start + _AT_ONCE]))
    return np.concatenate(rows)
