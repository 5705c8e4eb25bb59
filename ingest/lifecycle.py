"""What archivists do with a document after it was handed in: retry, edit, correct, hold.

A change is written to the ledger first and then done by the same workflow that reads documents: from the archive, without reading
the file again. So it survives a crash at any point, and an archivist's word wins over what was found, also at later readings.

The order when a label rises: out of the index, then hidden in the archive, then back in the queue under the new label.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

from assistant.access import Label, Level, Principal
from assistant.archive import Archive
from assistant.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    Unlabelled,
)
from assistant.index import PassageIndex
from assistant.ingestion import DocumentEvent, DocumentVersion, MetadataEdit
from assistant.language import readable_line
from assistant.types import LANGUAGES, Document, DocumentState, DocumentStatus
from ingest.correction import with_page_text
from ingest.invisible import without_invisible
from ingest.labelling import Markings, above_all, decide_label, labels_in
from ingest.ledger import Ledger
from ingest.ledger_rows import Task
from ingest.listing import HELD_BY, Listing, require_archivist
from ingest.sources import Sidecar

_BEING_READ = "the document is being read; try again when it is done"
_CHANGED = "the document has changed meanwhile, or is being read; look at it again"
_FAILED = (DocumentState.QUARANTINED, DocumentState.REJECTED)
_SEARCHABLE = (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
_MUST_BE_SAID = ("title", "language", "label", "source")
_NOT_ON_A_LINE = ("Cc", "Cs", "Zl", "Zp")
_LONGEST = 1000
_LONGEST_PAGE = 200_000
"""Characters of one page that an archivist may write."""


@dataclass(frozen=True, slots=True)
class Edits:
    """What an archivist said about a document, kept in the ledger. None: not said; empty: there is none."""

    title: str | None = None
    date: str | None = None
    author: str | None = None
    language: str | None = None
    document_type: str | None = None
    collection: str | None = None
    label: str | None = None
    label_version: str | None = None
    """The version whose label it is whatever its marking lines say."""
    label_clearance: str | None = None
    """The clearance of who said it: markings above that are not overruled."""

    @classmethod
    def read(cls, written: str) -> Edits:
        """The edits as `written` in the ledger."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(written).items() if name in known})

    def written(self) -> str:
        """How the ledger keeps them."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({name: value for name, value in said.items() if value is not None}, ensure_ascii=False)

    def applied_to(self, document: Document) -> Document:
        """`document` with what was said in the place of what was found; its label stays."""
        return replace(
            document,
            title=self.title or document.title,
            language=self.language or document.language,
            date=document.date if self.date is None else self.date or None,
            author=document.author if self.author is None else self.author or None,
            document_type=document.document_type if self.document_type is None else self.document_type or None,
            collection=document.collection if self.collection is None else self.collection,
        )


def label_of(task: Task, text: str, sidecar: Sidecar, *, markings: Markings, unmarked: Label | None) -> Label:
    """The label of a document with this text. Raises Unlabelled when nobody says it, or when they disagree.

    An archivist's edit wins over everything for the version it was made for; for a later one over the sidecar, while a
    marking line that disagrees sends the document to quarantine. Handing it in again with another label ends the edit.
    """
    edits = Edits.read(task.edits)
    given = Label.parse(task.given_label) if task.given_label else None
    edited = edits.label is not None and edits.label == task.given_label
    if given is not None and edited and edits.label_version == task.version:
        _require_known(given, edits.label_clearance, markings.levels_in(text))
        return given
    sidecar_label = None if edited else sidecar.label
    return decide_label(text, sidecar_label=sidecar_label, given_label=given, markings=markings, unmarked=unmarked)


def _require_known(given: Label, clearance: str | None, levels: Sequence[Level]) -> None:
    """Raises Unlabelled when a marking line says a level that who gave the label may not read, and so did not know of."""
    marked = above_all(map(Label, levels))
    if marked and clearance is not None and not Label.parse(clearance).dominates(Label.parse(marked)):
        reason = (
            f"the marking line says {marked} and an archivist without clearance for that says {given}: they disagree"
        )
        raise Unlabelled(f"{reason}; give it its label anew", at_least=above_all([given, Label.parse(marked)]))


def amended(document: Document, task: Task, sidecar: Sidecar, label: Label, corrections: dict[int, str]) -> Document:
    """`document`, as read or as archived, with everything that archivists have said about it since."""
    document = replace(
        document,
        file_name=task.file_name,
        source=task.source,
        label=label,
        title=sidecar.title or document.title,
        language=sidecar.language or document.language,
        date=sidecar.date or document.date,
        author=sidecar.author or document.author,
        document_type=sidecar.document_type or document.document_type,
        collection=sidecar.collection or document.collection,
    )
    for number, text in corrections.items():
        document = with_page_text(document, number, text)
    document = Edits.read(task.edits).applied_to(document)
    return replace(
        document,
        title=readable_line(document.title) or readable_line(Path(task.file_name).stem),
        author=readable_line(document.author or "") or None,
        collection=readable_line(document.collection),
    )


class Lifecycle:
    """Does what archivists ask for. `queued` is called with the id of a document that has come back to the queue."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        index: PassageIndex,
        *,
        markings: Markings,
        queued: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._listing = Listing(ledger.database)
        self._archive = archive
        self._index = index
        self._markings = markings
        self._queued = queued

    def retry(self, document_id: str, principal: Principal, *, password: str | None = None) -> DocumentStatus:
        """See `Ingestion.retry`."""
        status = self._settled(document_id, principal)
        if status.state not in _FAILED:
            raise Conflict("the document is done; there is nothing to try again")
        if password and _unwritable(password):
            raise InvalidRequest("the password holds a character that cannot be written down")
        if not self._ledger.amend(document_id, {}, f"tried again by {principal.id}", as_of=status.changed_at):
            raise Conflict(_CHANGED)
        try:
            if password:
                self._ledger.keep_password(document_id, password)
        finally:
            self._requeue(document_id, "waiting to be tried again")
        return self._listing.one(document_id, principal)

    def edit(self, document_id: str, principal: Principal, edit: MetadataEdit) -> DocumentStatus:
        """See `Ingestion.edit`."""
        require_archivist(principal)
        said = _checked(edit)
        label = _readable_label(said.get("label"), principal)
        status = self._settled(document_id, principal)
        for child in self._inheriting(status, label):
            self._change(child, {"label": str(label)}, label, principal)
        self._change(status, said, label, principal)
        if "source" in said:
            for child in self._ledger.attached(document_id):
                self._archive.rename_source(child.document_id, child.source)
        return self._listing.one(document_id, principal)

    def _inheriting(self, status: DocumentStatus, label: Label | None) -> tuple[DocumentStatus, ...]:
        """The documents that came in this one, under its label, and that the new label would hide. Raises Conflict."""
        if label is None or _every_reader_may_read(status.label, label):
            return ()
        children = self._ledger.inheriting(status.document_id)
        if not all(child.state.final for child in children):
            raise Conflict("a file that came with the document is being read; try again when it is done")
        return children

    def _change(self, status: DocumentStatus, said: dict[str, str], label: Label | None, principal: Principal) -> None:
        """Write what was said, hide what a label that rises hides, and hand the rest to the queue."""
        document_id = status.document_id
        columns = self._columns(status, said, label, principal)
        names = ", ".join(sorted(said)).replace("_", " ")
        change = f"{names} edited by {principal.id}" + (f": {status.label or 'no label'} to {label}" if label else "")
        if not self._ledger.amend(document_id, columns, change, as_of=status.changed_at):
            raise Conflict(_CHANGED)
        try:
            if label is not None:
                self.raise_at_once(status, label)
        finally:
            self._requeue(document_id, "waiting for its changes")

    def raise_at_once(self, status: DocumentStatus, label: Label) -> None:
        """Let nobody who may not read `label` find or read a document that stood as `status`; nothing when all could."""
        if not _every_reader_may_read(status.label, label):
            self._index.remove(status.document_id)
            self._archive.raise_label(status.document_id, label)

    def hide_what_rose(self) -> None:
        """Hide each waiting document of whose label more is said than its text was published under.

        For the start, before any work: what died between writing a label down and hiding the document left it readable. Where
        the archive says what was said, the index may not: who raised the label met a run that was about to write it.
        """
        for ticket in self._ledger.tickets():
            self.hide_if_risen(ticket.document_id)
            said = labels_in(self._ledger.least_label(ticket.document_id))
            indexed = self._index.stored_passages(ticket.document_id) if said else ()
            # Only then: a run that had indexed it under what was said goes on behind that step, and would not do it again.
            if not all(_every_reader_may_read(str(passage.label), label) for passage in indexed for label in said):
                self._index.remove(ticket.document_id)

    def hide_if_risen(self, document_id: str, indexed_as: Label | None = None) -> None:
        """Hide a waiting document of whose label more is said than it was published under, `indexed_as` or as archived."""
        ticket = self._ledger.ticket(document_id)
        if ticket is None or not self._archive.has(document_id, ticket.version):
            return
        published = self._archive.stored_document(document_id, ticket.version)
        if published is None:
            return
        status = replace(self._ledger.status(document_id), label=str(indexed_as or published.label))
        for label in labels_in(self._ledger.status(document_id).label) + labels_in(
            self._ledger.least_label(document_id)
        ):
            self.raise_at_once(status, label)

    def correct_page(self, document_id: str, page_number: int, text: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.correct_page`."""
        status = self._settled(document_id, principal)
        document = self._archive.stored_document(document_id, status.version)
        if document is None or status.state not in _SEARCHABLE:
            raise Conflict("the document's text has not been read, so no page of it can be corrected")
        if page_number not in {page.number for page in document.pages}:
            raise NotFound("there is no such page")
        with suppress(ServiceUnavailable):  # without the places of the old words, the new ones have none
            self._archive.page(document_id, page_number, principal)
        text = _page_text(text)
        corrected = with_page_text(document, page_number, text)
        self._require_same_marking(document, corrected)
        if not self._ledger.amend(
            document_id, {}, f"page {page_number} corrected by {principal.id}", as_of=status.changed_at
        ):
            raise Conflict(_CHANGED)
        try:
            self._archive.keep_correction(document_id, status.version, page_number, text)
        finally:
            self._requeue(document_id, "waiting for its changes")
        return self._listing.one(document_id, principal)

    def history(self, document_id: str, principal: Principal) -> tuple[DocumentEvent, ...]:
        """See `Ingestion.history`."""
        self._listing.for_archivist(document_id, principal)
        return self._listing.events(document_id)

    def versions(self, document_id: str, principal: Principal) -> tuple[DocumentVersion, ...]:
        """See `Ingestion.versions`."""
        status = self._listing.for_archivist(document_id, principal)
        kept = self._archive.kept_versions(document_id)
        return tuple(
            DocumentVersion(version, at, kept.get(version, 0), version == status.version, version in kept)
            for version, at in self._listing.received(document_id).items()
        )

    def hold(self, document_id: str, principal: Principal, reason: str) -> DocumentStatus:
        """See `Ingestion.hold`."""
        self._listing.for_archivist(document_id, principal)
        reason = without_invisible(reason)[0]
        if not reason.strip() or len(reason) > _LONGEST or _unwritable(reason):
            raise InvalidRequest(f"say why the document is held, in at most {_LONGEST} characters")
        self._ledger.hold(document_id, reason.strip(), f"{HELD_BY}{principal.id}")
        return self._listing.one(document_id, principal)

    def release(self, document_id: str, principal: Principal) -> DocumentStatus:
        """See `Ingestion.release`."""
        if self._listing.for_archivist(document_id, principal).hold:
            self._ledger.hold(document_id, "", f"released from hold by {principal.id}")
        return self._listing.one(document_id, principal)

    def _settled(self, document_id: str, principal: Principal) -> DocumentStatus:
        status = self._listing.for_archivist(document_id, principal)
        if not status.state.final:
            raise Conflict(_BEING_READ)
        return status

    def _requeue(self, document_id: str, reason: str) -> None:
        self._ledger.requeue(document_id, reason)
        self._queued(document_id)

    def _columns(
        self, status: DocumentStatus, said: dict[str, str], label: Label | None, principal: Principal
    ) -> dict[str, str | None]:
        """What the ledger's row says from now on."""
        edits = replace(
            Edits.read(self._ledger.edits(status.document_id)),
            **{name: value for name, value in said.items() if name not in ("label", "source")},
        )
        columns: dict[str, str | None] = {}
        for name in ("title", "date", "author", "language", "document_type", "collection"):
            if name in said:
                columns[name] = said[name] or (None if name in ("date", "author", "document_type") else "")
        if "source" in said:
            columns |= {"source": said["source"], "file_name": bare_name(said["source"])}
        if label is not None:
            clearance = str(principal.clearance)
            edits = replace(edits, label=str(label), label_version=status.version, label_clearance=clearance)
            columns |= {"given_label": str(label), "clearance": clearance}
            if status.label:
                columns["label"] = str(label)
        return {**columns, "edits": edits.written()}

    def _require_same_marking(self, before: Document, after: Document) -> None:
        """A correction must not take a document's marking line away, nor bring one in that the label does not say."""
        levels = self._markings.levels_in(after.text)
        if levels not in (self._markings.levels_in(before.text), (before.label.level,)):
            raise InvalidRequest(
                "this text changes the document's marking line; give the document its new label first, and leave the line"
            )


def bare_name(source: str) -> str:
    """The last part of a source: its file name."""
    return source.replace("\\", "/").rsplit("/", 1)[-1] or source


def _every_reader_may_read(stored: str, label: Label) -> bool:
    """True when nobody who may read what is labelled `stored` is kept from reading `label`."""
    try:
        return Label.parse(stored).dominates(label)
    except ConfigurationError:
        return False


def _readable_label(text: str | None, principal: Principal) -> Label | None:
    if text is None:
        return None
    try:
        label = Label.parse(text)
    except ConfigurationError as error:
        raise InvalidRequest(str(error)) from error
    if not principal.may_read(label):
        raise Forbidden(f"you cannot label a document {label}: it is above your own clearance")
    return label


def _checked(edit: MetadataEdit) -> dict[str, str]:
    """The fields that were said, without white space around them."""
    given = {field.name: getattr(edit, field.name) for field in fields(edit)}
    said = {name: without_invisible(value)[0].strip() for name, value in given.items() if value is not None}
    if not said:
        raise InvalidRequest(f"say what to change: {', '.join(given)}")
    for name, value in said.items():
        if not value and name in _MUST_BE_SAID:
            raise InvalidRequest(f"{name}: cannot be empty")
        if len(value) > _LONGEST or any(unicodedata.category(letter) in _NOT_ON_A_LINE for letter in value):
            raise InvalidRequest(f"{name}: write one line of at most {_LONGEST} characters")
    if said.get("date") and not _is_date(said["date"]):
        raise InvalidRequest(f"date {said['date']!r}: write it as in 2024-05-31")
    if "language" in said and said["language"] not in LANGUAGES:
        raise InvalidRequest(f"language {said['language']!r} is not one of {', '.join(LANGUAGES)}")
    return said


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _unwritable(text: str) -> bool:
    """True with half a surrogate pair, which is no character, or a zero byte, which no database takes everywhere."""
    return "\0" in text or any(unicodedata.category(letter) == "Cs" for letter in text)


def _page_text(text: str) -> str:
    """The text without what nobody sees. Raises InvalidRequest."""
    if _unwritable(text):
        raise InvalidRequest("the text holds a character that cannot be written down; type that place anew")
    text = without_invisible(text)[0]
    if not text.strip():
        raise InvalidRequest("the page has no text; write what stands on it")
    if len(text) > _LONGEST_PAGE:
        raise InvalidRequest(f"the page has {len(text)} characters; at most {_LONGEST_PAGE} are taken")
    return text
