"""What the service and the command line need of ingestion, without importing it.

The implementation is `ingest.build`, found through the entry point `assistant.parts: ingestion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.access import Label, Principal
from assistant.archive import Archive
from assistant.config import Settings
from assistant.embedding import Embedder
from assistant.index import PassageIndex
from assistant.receipts import ErasureReceipt
from assistant.types import DocumentState, DocumentStatus


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Something that verification found wrong."""

    kind: str
    document_id: str
    """Empty when it belongs to no document that is known."""
    detail: str
    mended: str
    """What was done about it; empty when nothing was."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What checking the stores against each other found. Nothing is wrong when `unmended` is 0 and `adds_up` holds."""

    at: str
    seconds: float
    received: int
    """Documents in the ledger."""
    states: dict[str, int]
    """How many of them are in each state; they add up to `received`."""
    adds_up: bool
    passages_expected: int
    """Of the documents that are done, as the ledger says."""
    passages_indexed: int
    """As the index counts them, after mending; those of documents that are read again are among them until then."""
    documents_indexed: int
    texts_archived: int
    originals_archived: int
    problems: int
    unmended: int
    found: tuple[Inconsistency, ...]
    """At most 10,000 of them."""


class Ingestion(Protocol):
    """Takes documents in and says where each one stands."""

    def accept(
        self, file: Path, *, source: str, principal: Principal, label: Label | None = None, sidecar: bytes | None = None
    ) -> DocumentStatus:
        """Record a file as received; its bytes are on disk when this returns. Requires the archivist role.

        `source` is where the archivist says it comes from: new bytes at a known source are a new version; known bytes are the
        document that is already here. `sidecar` is the TOML text of its sidecar, if it has one.
        """
        ...

    def documents(self, principal: Principal) -> tuple[DocumentStatus, ...]:
        """Every document this principal may know of, newest first.

        Readers see what is labelled and readable; only archivists see what has no label yet.
        """
        ...

    def document(self, document_id: str, principal: Principal) -> DocumentStatus:
        """One document. Raises NotFound when there is none, or none this principal may know of."""
        ...

    def counts(self, principal: Principal) -> dict[DocumentState, int]:
        """How many of the documents that this principal may know of are in each state; every state is named."""
        ...

    def remove(self, document_id: str, principal: Principal, *, with_attachments: bool = False) -> ErasureReceipt:
        """Erase a document, every version of it, from index, archive and ledger; the signed receipt of it.

        Requires the archivist role. Documents that came attached to it stay, as documents of their own, unless asked for: an
        erasure cannot be taken back, so it takes what was named and the receipt says what was left. Raises NotFound, and Conflict
        while it, or an attachment that is to go with it, is being worked on or on hold.
        """
        ...

    def receipts(self, principal: Principal) -> tuple[ErasureReceipt, ...]:
        """The receipts of erased documents that this principal could know of, newest first. Requires the archivist role."""
        ...

    def receipt_key(self) -> bytes:
        """The public key with which receipts are checked, in PEM. For everybody."""
        ...

    def verify(self, principal: Principal, *, mend: bool = True) -> VerificationReport:
        """Check ledger, index and archive against each other and every file against its checksum; mend what can be mended.

        Requires the archivist role, and a clearance for all there is (Forbidden): the report says what each store holds.
        """
        ...

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is received or in progress; False when the time ran out."""
        ...

    def start(self) -> None:
        """Start working, first on what an earlier process left behind."""
        ...

    def stop(self) -> None:
        """Stop after the step in hand; what is unfinished is taken up at the next start."""
        ...


OpenIngestion = Callable[[Settings, Archive, PassageIndex, Callable[[], Embedder]], Ingestion]
"""What the entry point offers. The encoder comes as a callable because loading it takes seconds."""
