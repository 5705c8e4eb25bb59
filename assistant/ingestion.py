"""What the service and the command line need of ingestion, without importing it.

The implementation is `ingest.build`, found through the entry point `assistant.parts: ingestion`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.access import Label, Principal
from assistant.archive import Archive
from assistant.config import Settings
from assistant.embedding import Embedder
from assistant.index import PassageIndex
from assistant.receipts import ErasureReceipt, PurgeRecord
from assistant.scope import Scope, ScopeChoices
from assistant.types import DocumentState, DocumentStatus


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents are wanted; None and empty: all."""

    state: DocumentState | None = None
    q: str = ""
    """Looked for in titles, file names, sources and reasons, capitals or not."""
    category: str | None = None
    media_type: str | None = None
    """One or more, separated by commas."""
    label: str | None = None
    """Canonical label; a level alone also finds that level with compartments."""
    language: str | None = None
    date_from: str | None = None
    """ISO 8601 date of the document itself, inclusive, as is `date_to`."""
    date_to: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a listing, and how many documents the whole of it has."""

    documents: tuple[DocumentStatus, ...]
    total: int


@dataclass(frozen=True, slots=True)
class MetadataEdit:
    """What an archivist says about a document; it wins over what was found in it, now and later.

    None leaves a field as it is. An empty date, author, document type or collection says that there is none.
    """

    title: str | None = None
    date: str | None = None
    author: str | None = None
    language: str | None = None
    document_type: str | None = None
    collection: str | None = None
    label: str | None = None
    source: str | None = None
    """Where it comes from now; its last part is the file name."""


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """Something that happened to a document."""

    at: str
    """UTC, ISO 8601."""
    version: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version that was handed in."""

    version: str
    stored: str
    """When it was handed in; UTC, ISO 8601."""
    pages: int
    newest: bool
    kept: bool
    """True while its text can be read."""


@dataclass(frozen=True, slots=True)
class DueDocument:
    """A document whose time to be kept is over."""

    document_id: str
    title: str
    rule: str
    since: str
    """The day from which it is due, ISO 8601."""
    held: bool
    """True when a legal hold keeps it all the same."""


@dataclass(frozen=True, slots=True)
class ErasedDocument:
    """A document that was erased, and the receipt of it."""

    document_id: str
    receipt_id: str


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What the retention rules say, and what was erased because of them (nothing in a dry run)."""

    due: tuple[DueDocument, ...]
    erased: tuple[ErasedDocument, ...]
    """In the order of `due`; what is missing here was on hold, at work or gone by then."""
    rules: tuple[str, ...] = ()
    """The rules of the instance in words, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A document that may not be erased, and who said so."""

    document_id: str
    title: str
    file_name: str
    label: str
    """Canonical label; empty while unknown."""
    reason: str
    by: str
    """Id of the principal; empty where the history does not tell."""
    since: str
    """UTC, ISO 8601; empty where the history does not tell."""


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder from which the service takes what appears in it."""

    folder: str
    every_s: float
    looked_at: str | None
    """When it was last looked through: UTC, ISO 8601; None when it has not been yet."""
    files: int
    """Files in it that were handed in and are still there."""
    problems: tuple[str, ...]
    """What the last look found wrong, in English; empty for archivists below the clearance under which it is watched."""


@dataclass(frozen=True, slots=True)
class Current:
    """A document at work."""

    document_id: str
    title: str
    progress_pages: int
    progress_of: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is, over the documents that the asking archivist may know of."""

    waiting: int
    in_progress: int
    finished_recently: int
    """Documents settled within the last minute."""
    pages_per_s: float
    """Over the last minute; a document without pages counts as one."""
    seconds_left: float | None
    """None while nothing allows an estimate; 0 when nothing waits."""
    current: tuple[Current, ...]


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


@dataclass(frozen=True, slots=True)
class Verification:
    """A check of the stores: who asked for it and when, and what it found once it has ended."""

    started_at: str
    by: str
    mend: bool
    finished_at: str = ""
    """Empty while it goes on."""
    seconds: float = 0.0
    problem: str = ""
    """Why it broke off; empty when it did not."""
    report: VerificationReport | None = None
    """None while it goes on, and when it broke off."""


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

    def described(
        self, manifest: bytes, principal: Principal, *, name: str, sidecars: Mapping[str, bytes]
    ) -> dict[str, str] | None:
        """What a manifest says of the files it names, each with its own sidecar: path → text of a sidecar, for `accept`.

        None when it is no manifest. Requires the archivist role. Raises InvalidRequest naming each fault.
        """
        ...

    def documents(self, principal: Principal) -> tuple[DocumentStatus, ...]:
        """Every document this principal may know of, newest first.

        Readers see what is labelled and readable; only archivists see what has no label yet.
        """
        ...

    def find(self, wanted: DocumentFilter, principal: Principal, *, limit: int | None = None, offset: int = 0) -> Found:
        """Those of `documents` that are `wanted`, newest first: at most `limit`, after the first `offset`."""
        ...

    def document(self, document_id: str, principal: Principal) -> DocumentStatus:
        """One document. Raises NotFound when there is none, or none this principal may know of."""
        ...

    def undecided_original(self, document_id: str, principal: Principal, *, version: str | None) -> tuple[Path, str]:
        """The bytes and the file name of a document whose label a person has to decide: they look at it first.

        For archivists who may know of it, and so may label it. Raises NotFound in every other case, also for files that were
        never read through, since nobody knows yet what their marking lines say.
        """
        ...

    def received(self, document_id: str, principal: Principal) -> Mapping[str, str]:
        """Version → when it was handed in (UTC, ISO 8601), the first first. Raises NotFound as `document` does."""
        ...

    def documents_within(self, scope: Scope, principal: Principal) -> frozenset[str]:
        """The ids of the documents in a scope that this principal may read; of all of them where it limits nothing."""
        ...

    def scope_choices(self, principal: Principal) -> ScopeChoices:
        """By what a search can be narrowed: what the documents that this principal may read say of themselves."""
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

    def purges(self, principal: Principal) -> tuple[PurgeRecord, ...]:
        """The purge records, newest first, that cover no erasure of which this principal may not know. Archivists."""
        ...

    def receipt_key(self) -> bytes:
        """The public key with which receipts are checked, in PEM. For everybody."""
        ...

    def start_verification(self, principal: Principal, *, mend: bool = True) -> Verification:
        """Begin to check ledger, index and archive against each other and every file against its checksum, in the background.

        What can be mended is, with `mend`. Requires the archivist role, and a clearance for all there is (Forbidden): the report
        says what each store holds. Raises Conflict while another check goes on.
        """
        ...

    def verification(self, principal: Principal) -> Verification | None:
        """The check that goes on, else the last one, kept over restarts; None when there was none. Requires the same."""
        ...

    # What follows requires the archivist role (Forbidden) and a document that this principal may know of (NotFound). What
    # changes a document that is being worked on raises Conflict.

    def retry(self, document_id: str, principal: Principal, *, password: str | None = None) -> DocumentStatus:
        """Put a quarantined or rejected document back in the queue. Raises Conflict when it is in another state.

        The password is kept until the document is settled, and shown nowhere.
        """
        ...

    def edit(self, document_id: str, principal: Principal, edit: MetadataEdit) -> DocumentStatus:
        """Change what is said about a document; nothing is read again. A label that rises counts before this returns.

        Raises InvalidRequest for a value that cannot be used, Forbidden for a label above the principal's clearance.
        """
        ...

    def correct_page(self, document_id: str, page_number: int, text: str, principal: Principal) -> DocumentStatus:
        """Put an archivist's text in the place of what was read on a page (1-based)."""
        ...

    def history(self, document_id: str, principal: Principal) -> tuple[DocumentEvent, ...]:
        """What happened to a document, oldest first."""
        ...

    def versions(self, document_id: str, principal: Principal) -> tuple[DocumentVersion, ...]:
        """The versions that were handed in, oldest first."""
        ...

    def hold(self, document_id: str, principal: Principal, reason: str) -> DocumentStatus:
        """Keep a document from being erased, whatever asks for it, until `release`."""
        ...

    def release(self, document_id: str, principal: Principal) -> DocumentStatus:
        """End a hold."""
        ...

    def holds(self, principal: Principal) -> tuple[LegalHold, ...]:
        """The documents on hold, the one held last first."""
        ...

    def retention(
        self, principal: Principal, *, apply: bool = False, only: Collection[str] | None = None
    ) -> RetentionReport:
        """The documents that the instance's rules no longer keep; they are erased only when `apply` is true.

        With `only`, no document is erased but these: what somebody has seen in a list and agreed to.
        """
        ...

    def watched(self, principal: Principal) -> tuple[WatchedFolder, ...]:
        """The folders that the service watches, in the order of the instance file."""
        ...

    def progress(self, principal: Principal) -> Progress:
        """How far the work is."""
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


Forget = Callable[[str, frozenset[str]], None]
"""Forgets what a further place holds of a document that is being erased: (document id, versions). Can be repeated."""


class OpenIngestion(Protocol):
    """What the entry point offers."""

    def __call__(
        self,
        settings: Settings,
        archive: Archive,
        index: PassageIndex,
        embedder: Callable[[], Embedder],
        *,
        others: Mapping[str, Forget],
    ) -> Ingestion:
        """Ingestion, not yet started. The encoder comes as a callable because loading it takes seconds.

        `others` are further places that hold something of documents, by the name that erasure receipts give them.
        """
        ...
