"""What the service and the command line need of ingestion, without importing it.

The implementation is `ingest.build`, found through the entry point `assistant.parts: ingestion`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from assistant.access import Label, Principal
from assistant.archive import Archive
from assistant.config import Settings
from assistant.embedding import Embedder
from assistant.index import PassageIndex
from assistant.types import DocumentState, DocumentStatus


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

    def remove(self, document_id: str, principal: Principal) -> None:
        """Remove a document from index, archive and ledger. Requires the archivist role."""
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
