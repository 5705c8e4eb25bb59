"""The passage index: what is stored, and what a reader may find in it.

Every call that gives something back takes a `Principal`, and what the principal may not read changes nothing in it: neither
hits nor their order, scores, counts, term weights or error texts. A document is seen in its old version or its new
one, never a mix of both and never neither.

`edge` (Qdrant Edge, in process) is the engine; the modules in this package are the only ones that import its vendor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.access import Principal
from assistant.types import Passage, ScoredPassage

Route = Literal["dense", "bm25", "hybrid"]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question as the index sees it.

    `vector` may be None where the dense route is not wanted. `terms` are `Lexicon.search_terms`. `dense_weight`, from 0 to
    1, is the share of the dense ranking in the hybrid one; words get the rest. With 0 the vector is not looked at.
    `written_in` leaves out what is written in any other language; None leaves out nothing.
    """

    text: str
    language: str
    vector: NDArray[np.float32] | None
    terms: frozenset[int]
    dense_weight: float = 0.5
    written_in: str | None = None


class PassageIndex(Protocol):
    """Stores passages by document and version, and searches them under a principal."""

    def replace(self, document_id: str, version: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> int:
        """Make `passages` the only ones of this document; how many are stored now.

        `vectors` is (n_passages, dimension) float32, rows of unit length. Repeating a call changes nothing. Where a reader
        of the old version may not read the new one, the old is removed first. No passages removes the document.
        """
        ...

    def remove(self, document_id: str) -> int:
        """Remove every passage of this document; how many there were. Zero when there is no such document."""
        ...

    def vectors(self, document_id: str) -> dict[str, NDArray[np.float32]]:
        """Embedded text → its vector, of every passage stored of this document, whatever its version.

        For ingestion, which need not embed again what has not changed; never shown to a reader.
        """
        ...

    def stored_passages(self, document_id: str) -> tuple[Passage, ...]:
        """Every passage stored of this document, whatever its version and label.

        For another index that is made from this one; never shown to a reader.
        """
        ...

    def steady(self) -> AbstractContextManager[None]:
        """While it is held, the encoder whose vectors this index takes stays the same one.

        Hold it from asking for the encoder to `replace`; not while waiting for anybody else who writes.
        """
        ...

    def erase(self, document_id: str) -> int:
        """Remove every passage of this document for good; how many there were.

        When this returns, its words cannot be read from any file. Its vectors and hashed terms may still lie in storage until
        the next `purge`.
        """
        ...

    def purge(self) -> None:
        """Take everything that belonged to removed passages out of the files. Can take minutes: call it in the background."""
        ...

    def held(self) -> dict[str, int]:
        """Passages by document id, whatever their version and label. For verification; never shown to a reader."""
        ...

    def readable(self, document_id: str) -> bool:
        """True when the words of this document's passages can be read. For verification."""
        ...

    def count(self, document_id: str, version: str) -> int:
        """Passages stored of this version. For ingestion's own check; never shown to a reader."""
        ...

    def search(
        self,
        query: Query,
        principal: Principal,
        k: int,
        *,
        route: Route = "hybrid",
        within: Collection[str] | None = None,
    ) -> tuple[ScoredPassage, ...]:
        """At most `k` readable passages, best first; ties by passage id. Empty when there is nothing to match.

        With `within`, only of the documents with these ids: none where it is empty. It narrows what the principal may read and
        changes no score of the word or the dense route.
        """
        ...

    def term_weights(self, terms: Iterable[int], principal: Principal) -> dict[int, float]:
        """Inverse document frequency of each term among the passages this principal may read.

        A term that none of them contains gets the highest weight there is. Empty when nothing is readable.
        """
        ...

    def passage(self, passage_id: str, principal: Principal) -> Passage:
        """One passage. Raises NotFound when there is none, or none this principal may read."""
        ...

    def document_passages(self, document_id: str, principal: Principal) -> tuple[Passage, ...]:
        """The readable passages of a document in the order of its text. Raises NotFound when there are none."""
        ...

    def passage_count(self, principal: Principal) -> int:
        """How many passages this principal may read."""
        ...

    def document_count(self, principal: Principal) -> int:
        """How many documents have a passage that this principal may read."""
        ...

    def optimize(self) -> bool:
        """Rebuild storage for speed; True when something was rebuilt. Can take minutes: call it in the background."""
        ...

    def flush(self) -> None:
        """Return when everything acknowledged is on disk."""
        ...

    def close(self) -> None:
        """Flush and release the folder. A second call does nothing."""
        ...
