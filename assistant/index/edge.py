"""The passage index on Qdrant Edge, in this process, in one folder.

Access: the labels that the principal dominates become one positive `must` clause, put on every branch of every request, and
inverse document frequency is counted over the same labels. Where no label is readable nothing is asked. Each hit is checked
once more here.

Scores: an engine that adds floats in the order in which terms first came in lets a hidden passage change the last digit of a
visible one's score. So inverse document frequency is not the engine's: it is computed from whole numbers, the passages of
each readable label that hold a term (`frequencies`). And BM25 weights are stored and asked for in steps of a power of two
(`_STORED_STEP`, `_ASKED_STEP`): such products and sums are exact in float32, whatever their order.

Versions: who may read what, and which version of a document there is, changes in one write operation, which Edge logs as a
whole before it applies it. The old version's passages are overwritten in it without vectors and without a readable label;
deleting what is left of them is a second step that may be lost (the next start repeats it).

    search, counts      share `_lock`
    that one operation  has `_lock` alone; preparing it does not
    replace, remove     one at a time (`_writing`)
    optimize, purge     one at a time; writes wait for them, reads do not (`packing`). At their end they put the term
                        counts on disk, under `_writing`

Erasure: Edge keeps the payload and the vectors of deleted points in its segments until they are compacted, and in its log
for longer. So what a person could read is sealed under a key of the document (`keys.db` beside the points), which `erase`
destroys; `purge` then takes vectors and terms out of segments and log. Edge keeps its folder to one process.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import chain
from math import log
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from assistant.access import Label, Principal, readable_labels
from assistant.errors import AccessViolation, ConfigurationError, InstanceBusy, NotFound
from assistant.index import Query, Route
from assistant.index.frequencies import Change, TermFrequencies, held_by_label
from assistant.index.fusion import fused_ranking
from assistant.index.journal import Held
from assistant.index.locking import SharedLock
from assistant.index.log import turn_over
from assistant.index.native import NativeFailure, native_call
from assistant.index.packing import LinksUnsupported, Packer, folder_in_use, remove_others, take_over
from assistant.index.requests import access_filter, deletion, equals, has_label, must_equal, sparse_query
from assistant.index.schema import (
    DOCUMENT,
    LABEL,
    REBUILD,
    SUPERSEDED,
    VERSION,
    IndexIdentity,
    payload,
    require_consistent,
    stored_passage,
)
from assistant.index.storage import DENSE, WORDS, approximate, opened_shard
from assistant.lexical import Lexicon, SparseTerms
from assistant.sealing import Keyring, SealBroken
from assistant.types import LANGUAGES, Passage, ScoredPassage

_LOG = logging.getLogger(__name__)
_STORED_STEP, _ASKED_STEP = 2**-6, 2**-5
"""Products are whole multiples of 2⁻¹¹, so sums are exact below 2¹³ = 8192; a passage that holds every word of a long question
scores some hundreds."""
_DEPTH = 100
"""Passages taken from each ranking before they are fused, unless more are asked for."""
_MANY = 1_000_000
_GIVE_WAY_S = 0.1
_TERMS_ALONE = {"payload": [LABEL], "vectors": [WORDS]}
_Stored = dict[str, tuple[str, Sequence[int]]]
"""Passage id → label string and terms."""
_SCROLL = 1000
_TOUCHED_SHARE = 1 / 200
"""Share of the passages that may have changed before `optimize` writes the term counts anew. After a crash, the terms of these
are read again, some 0.3 ms a passage."""


class EdgePassageIndex:
    """See `PassageIndex`. Made by `open`."""

    def __init__(self, folder: Path, shard: edge.EdgeShard, *, dimension: int, exact_below: int) -> None:
        self._points = folder / "points"
        self._live = folder_in_use(self._points)
        self._packer = Packer(self._points)
        self._keyring = Keyring(folder / "keys.db")
        self._shard = shard
        self._dimension = dimension
        self._exact_below = exact_below
        self._lexicon = Lexicon(LANGUAGES)
        self._lock = SharedLock()
        self._writing, self._purging = threading.Lock(), threading.Lock()
        self._closed = False
        self._passages_by_label: dict[str, int] = {}
        self._frequencies = TermFrequencies(folder / "terms")

    @classmethod
    def open(
        cls, folder: Path, *, embedder_fingerprint: str, dimension: int, exact_below: int = 200_000
    ) -> EdgePassageIndex:
        """The index in `folder`, made when there is none.

        Search is exact while a reader may read at most `exact_below` passages, approximate beyond. Raises IndexMismatch
        when the index was built with another encoder or analyser, InstanceBusy when another process has it open, and
        ConfigurationError when it is damaged or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass  # Edge calls an index on a read-only disk damaged
            IndexIdentity.of(embedder_fingerprint, dimension).claim(folder / "index.json")
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be written ({error.strerror}); check its rights") from error
        try:
            shard = native_call(lambda: opened_shard(folder_in_use(folder / "points"), dimension))
            index = cls(folder, shard, dimension=dimension, exact_below=exact_below)
            native_call(index._recover)
        except NativeFailure as error:
            if "WouldBlock" in str(error):
                raise InstanceBusy(f"{folder}: another process has this index open; wait until it has ended") from error
            raise ConfigurationError(f"{folder}: the index is damaged ({error}); {REBUILD}") from error
        return index

    def replace(self, document_id: str, version: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> int:
        """See `PassageIndex`. Raises ValueError when passages and vectors do not belong together."""
        require_consistent(document_id, version, passages, vectors, self._dimension)
        terms = [self._lexicon.document_vector(passage.embedded_text(), passage.language) for passage in passages]
        points = [self._point(*parts) for parts in zip(passages, vectors, terms, strict=True)]
        come = held_by_label((str(p.label), found.indices) for p, found in zip(passages, terms, strict=True))
        with self._writing:
            old = self._stored_terms(document_id)
            self._frequencies.note(document_id, _held(old))
            if any(not _dominates_all(label, passages) for label, _ in old.values()):
                self._delete(document_id, old)
                old = {}
            kept = {passage.id for passage in passages}
            points += [edge.Point(gone, {}, {LABEL: SUPERSEDED}) for gone in old if gone not in kept]
            if points:
                self._switch(points, self._frequencies.change(_held(old), come))
            return self.count(document_id, version)

    def remove(self, document_id: str) -> int:
        """See `PassageIndex`. A packing in hand is given up for it."""
        self._packer.give_up()
        with self._writing:
            old = self._stored_terms(document_id)
            self._frequencies.note(document_id, _held(old))
            self._delete(document_id, old)
            return len(old)

    def vectors(self, document_id: str) -> dict[str, NDArray[np.float32]]:
        """See `PassageIndex`."""
        return {
            passage.embedded_text(): np.asarray(record.vector[DENSE], dtype=np.float32)
            for passage, record in self._stored(document_id)
            if isinstance(record.vector, dict) and DENSE in record.vector
        }

    def stored_passages(self, document_id: str) -> tuple[Passage, ...]:
        """See `PassageIndex`."""
        return tuple(passage for passage, _ in self._stored(document_id))

    def steady(self) -> AbstractContextManager[None]:
        """See `PassageIndex`. This index has one encoder for good."""
        return nullcontext()

    def _stored(self, document_id: str) -> Iterator[tuple[Passage, edge.Record]]:
        """Every passage of a document that can be read, with its record and vectors."""
        with self._lock.shared():
            for record in chain.from_iterable(self._pages(must_equal(DOCUMENT, document_id), vectors=[DENSE])):
                if (record.payload or {}).get(LABEL) != SUPERSEDED:
                    with suppress(SealBroken):
                        yield stored_passage(str(record.id), record.payload or {}, self._keyring), record

    def _pages(
        self, wanted: edge.Filter | None, *, payload: bool | list[str] = True, vectors: bool | list[str] = False
    ) -> Iterator[list[edge.Record]]:
        """All records that pass the filter, some at a time."""
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=_SCROLL, filter=wanted, with_payload=payload, with_vector=vectors
            )
            records, offset = self._shard.scroll(request)
            yield records
            if offset is None:
                return

    def erase(self, document_id: str) -> int:
        """See `PassageIndex`."""
        passages = self.remove(document_id)
        self.flush()
        self._keyring.destroy(document_id)
        return passages

    def purge(self) -> None:
        """See `PassageIndex`. Searches go on meanwhile."""
        while not self._packed() and not self._closed:
            sleep(_GIVE_WAY_S)  # given up for a removal, which goes first
        with self._purging:
            if not self._closed:
                turn_over(self._shard, self._live / "wal")
                self._checkpoint()

    def count(self, document_id: str, version: str) -> int:
        """See `PassageIndex`."""
        both = edge.Filter(must=[equals(DOCUMENT, document_id), equals(VERSION, version)])
        with self._lock.shared():
            return self._shard.count(edge.CountRequest(filter=both))

    def search(
        self,
        query: Query,
        principal: Principal,
        k: int,
        *,
        route: Route = "hybrid",
        within: Collection[str] | None = None,
    ) -> tuple[ScoredPassage, ...]:
        """See `PassageIndex`. Raises AccessViolation when a hit escaped the filter."""
        with self._lock.shared():
            labels = self._readable(principal)
            if not labels or k < 1 or (within is not None and not within):
                return ()
            depth = max(k, _DEPTH)
            searched = access_filter(labels, within, query.written_in)
            dense, words = self._rankings(query, labels, searched, depth, route)
            best = [*dense, *words]
            if route == "hybrid":
                best = fused_ranking(dense, words, query.dense_weight, depth=depth)
            passages = self._checked([i for i, _ in best[:k]], principal)
        legible = [(passages[found_id], score) for found_id, score in best[:k] if found_id in passages]
        return tuple(ScoredPassage(passage, score, n, route) for n, (passage, score) in enumerate(legible, start=1))

    def term_weights(self, terms: Iterable[int], principal: Principal) -> dict[int, float]:
        """See `PassageIndex`: ln((N + 1) / (df + 0.5)), which is BM25's idf as Lucene and Qdrant compute it."""
        with self._lock.shared():
            return self._term_weights(terms, self._readable(principal))

    def passage(self, passage_id: str, principal: Principal) -> Passage:
        """See `PassageIndex`."""
        try:
            wanted = str(uuid.UUID(passage_id))
        except ValueError:
            raise NotFound("there is no such passage") from None
        found = self._scrolled(edge.HasIdCondition({wanted}), principal)
        if not found:
            raise NotFound("there is no such passage")
        return found[0]

    def document_passages(self, document_id: str, principal: Principal) -> tuple[Passage, ...]:
        """See `PassageIndex`."""
        found = self._scrolled(equals(DOCUMENT, document_id), principal)
        if not found:
            raise NotFound("there is no such document")
        return tuple(sorted(found, key=lambda passage: (passage.span, passage.id)))

    def passage_count(self, principal: Principal) -> int:
        """See `PassageIndex`."""
        with self._lock.shared():
            return self._readable_count(self._readable(principal))

    def document_count(self, principal: Principal) -> int:
        """See `PassageIndex`."""
        with self._lock.shared():
            labels = self._readable(principal)
            if not labels:
                return 0
            request = edge.FacetRequest(DOCUMENT, limit=_MANY, exact=True, filter=access_filter(labels))
            return sum(hit.count > 0 for hit in self._shard.facet(request).hits)

    def held(self) -> dict[str, int]:
        """See `PassageIndex`."""
        with self._lock.shared():
            hits = self._shard.facet(edge.FacetRequest(DOCUMENT, limit=_MANY, exact=True)).hits
        return {str(hit.value): hit.count for hit in hits if hit.count > 0}

    def readable(self, document_id: str) -> bool:
        """See `PassageIndex`."""
        return self._keyring.holds(document_id)

    def optimize(self) -> bool:
        """See `PassageIndex`."""
        rebuilt = self._packed()
        if self._frequencies.touched > _TOUCHED_SHARE * sum(self._passages_by_label.values()):
            self._checkpoint()
        return rebuilt

    def _packed(self) -> bool:
        """Put a packed copy in the place of the index; False when a removal went before."""
        with self._purging, self._writing:
            if self._closed:
                return False
            self._shard.flush()
            try:
                copy = self._packer.packed_copy(self._live)
            except LinksUnsupported:
                self._shard.optimize()
                return True
            if copy is None:
                return False
            shard = opened_shard(copy, self._dimension)
            with self._lock.exclusive():
                former, self._shard, self._live = self._shard, shard, copy
            former.close()
            take_over(self._points, copy)
            return True

    def _checkpoint(self) -> None:
        with self._writing:
            if not self._closed:
                self._shard.flush()
                self._frequencies.checkpoint()

    def flush(self) -> None:
        """See `PassageIndex`."""
        with self._lock.shared():
            self._shard.flush()

    def close(self) -> None:
        """See `PassageIndex`."""
        with self._purging, self._writing, self._lock.exclusive():
            if not self._closed:
                self._closed = True
                self._shard.flush()
                if self._frequencies.touched:
                    self._frequencies.checkpoint()
                self._frequencies.close()
                self._shard.close()
                self._keyring.close()

    def _recover(self) -> None:
        """Finish what an interrupted switch or packing left, and learn the labels and the terms there are."""
        remove_others(self._points, self._live)
        self._shard.update(deletion(must_equal(LABEL, SUPERSEDED)))
        self._passages_by_label = self._counted_labels()
        if not self._frequencies.recover(self._held_now) or self._frequencies.passages() != self._passages_by_label:
            if self._passages_by_label:
                _LOG.warning("counting the terms of all passages anew; this takes some minutes for a million")
            self._frequencies.rebuild(_held(_terms_of(records)) for records in self._pages(None, **_TERMS_ALONE))

    def _held_now(self, document_id: str) -> dict[str, Held]:
        return _held(self._stored_terms(document_id))

    def _switch(self, points: list[edge.Point], change: Change) -> None:
        self._write([edge.UpdateOperation.upsert_points(points), deletion(must_equal(LABEL, SUPERSEDED))], change)

    def _delete(self, document_id: str, old: _Stored) -> None:
        self._write([deletion(must_equal(DOCUMENT, document_id))], self._frequencies.change(_held(old), {}))

    def _write(self, operations: Sequence[edge.UpdateOperation], change: Change) -> None:
        """The change of one document that `_frequencies` has taken note of."""
        with self._lock.exclusive():
            try:
                for operation in operations:
                    self._shard.update(operation)
                self._frequencies.apply(change)
                self._passages_by_label = self._frequencies.passages()
            except BaseException:
                self._frequencies.recover(self._held_now)
                self._passages_by_label = self._counted_labels()
                raise
        self._frequencies.tidy()

    def _counted_labels(self) -> dict[str, int]:
        hits = self._shard.facet(edge.FacetRequest(LABEL, limit=_MANY, exact=True)).hits
        return {str(hit.value): hit.count for hit in hits if hit.count > 0 and hit.value != SUPERSEDED}

    def _readable(self, principal: Principal) -> tuple[str, ...]:
        return readable_labels(principal, self._passages_by_label)

    def _rankings(
        self, query: Query, labels: tuple[str, ...], searched: edge.Filter, depth: int, route: Route
    ) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """The dense and the word ranking, from one batch; one that this route or this query does without is empty."""
        weight = {"dense": 1.0, "bm25": 0.0, "hybrid": query.dense_weight}[route]
        requests = []
        if weight > 0 and query.vector is not None:
            requests.append(self._dense_request(query.vector, labels, searched, depth))
        if weight < 1 and query.terms:
            requests.append(self._words_request(query.terms, labels, searched, depth))
        found = [_ranking(hits) for hits in self._shard.query_batch(edge.QueryBatchRequest(requests))]
        dense = found.pop(0) if weight > 0 and query.vector is not None else []
        return dense, found[0] if found else []

    def _term_weights(self, terms: Iterable[int], labels: tuple[str, ...]) -> dict[int, float]:
        if not labels:
            return {}
        total = self._readable_count(labels)
        frequencies = self._frequencies.of(labels, terms)
        return {term: log((total + 1) / (df + 0.5)) for term, df in frequencies.items()}

    def _readable_count(self, labels: Iterable[str]) -> int:
        return sum(self._passages_by_label[label] for label in labels)

    def _dense_request(
        self, vector: NDArray[np.float32], labels: tuple[str, ...], searched: edge.Filter, depth: int
    ) -> edge.QueryRequest:
        searchable = self._searchable(labels, searched)
        share = searchable / max(1, sum(self._passages_by_label.values()))
        return edge.QueryRequest(
            depth,
            query=edge.Query.Nearest(vector.tolist(), using=DENSE),
            filter=searched,
            params=edge.SearchParams(exact=True) if searchable <= self._exact_below else approximate(share),
        )

    def _searchable(self, labels: tuple[str, ...], searched: edge.Filter) -> int:
        """How many passages pass the filter; not looked at closely where exact search is fast enough in any case."""
        readable = self._readable_count(labels)
        if len(searched.must or ()) < 2 or readable <= self._exact_below:
            return readable
        return self._shard.count(edge.CountRequest(filter=searched))

    def _words_request(
        self, terms: Iterable[int], labels: tuple[str, ...], searched: edge.Filter, depth: int
    ) -> edge.QueryRequest:
        weights = self._term_weights(terms, labels)
        asked = _stepped(weights.values(), _ASKED_STEP)
        return edge.QueryRequest(depth, query=sparse_query(list(weights), asked, WORDS), filter=searched)

    def _checked(self, ids: list[str], principal: Principal) -> dict[str, Passage]:
        """The passages of these hits. Raises AccessViolation when one of them may not be read."""
        records = self._shard.retrieve(list(ids), with_payload=True, with_vector=False)
        return {passage.id: passage for passage in self._readable_passages(records, principal)}

    def _scrolled(self, condition: Any, principal: Principal) -> list[Passage]:
        found: list[Passage] = []
        with self._lock.shared():
            labels = self._readable(principal)
            if labels:
                for records in self._pages(edge.Filter(must=[has_label(labels), condition])):
                    found += self._readable_passages(records, principal)
        return found

    def _readable_passages(self, records: Sequence[edge.Record], principal: Principal) -> list[Passage]:
        """The passages of these records, without those whose words cannot be read any more."""
        passages = []
        for record in records:
            try:
                passages.append(stored_passage(str(record.id), record.payload or {}, self._keyring))
            except SealBroken as error:
                _LOG.error("passage %s is left out: %s; `assistant ingest verify` mends it", record.id, error)
        for passage in passages:
            if not principal.may_read(passage.label):
                raise AccessViolation(f"passage {passage.id} reached a reader who may not read it")
        return passages

    def _stored_terms(self, document_id: str) -> _Stored:
        """Of every passage stored of this document."""
        stored: _Stored = {}
        for records in self._pages(must_equal(DOCUMENT, document_id), **_TERMS_ALONE):
            stored |= _terms_of(records)
        return stored

    def _point(self, passage: Passage, vector: NDArray[np.float32], terms: SparseTerms) -> edge.Point:
        words = edge.SparseVector(list(terms.indices), _stepped(terms.values, _STORED_STEP))
        return edge.Point(passage.id, {DENSE: vector.tolist(), WORDS: words}, payload(passage, self._keyring))


def _terms_of(records: Iterable[edge.Record]) -> _Stored:
    stored: _Stored = {}
    for record in records:
        words = record.vector.get(WORDS) if isinstance(record.vector, dict) else None
        label = str((record.payload or {}).get(LABEL, ""))
        stored[str(record.id)] = label, words.indices if isinstance(words, edge.SparseVector) else ()
    return stored


def _held(stored: _Stored) -> dict[str, Held]:
    """What readers' counts hold of these passages."""
    return held_by_label(part for part in stored.values() if part[0] != SUPERSEDED)


def _dominates_all(label_text: str, passages: Sequence[Passage]) -> bool:
    """True when every reader of this stored label may read all of `passages` as well, or when it has no reader at all."""
    try:
        label = Label.parse(label_text)
    except ConfigurationError:
        return True
    return all(label.dominates(passage.label) for passage in passages)


def _stepped(values: Iterable[float], step: float) -> list[float]:
    """For each value the nearest multiple of `step`, at least one."""
    return list((np.maximum(1.0, np.rint(np.fromiter(values, np.float64) / step)) * step).tolist())


def _ranking(hits: Sequence[edge.ScoredPoint]) -> list[tuple[str, float]]:
    return sorted(((str(hit.id), hit.score) for hit in hits), key=lambda entry: (-entry[1], entry[0]))
