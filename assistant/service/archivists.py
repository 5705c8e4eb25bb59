"""What archivists do with documents that are here: follow, retry, edit, correct, hold, keep by rule.

Every route requires the archivist role, and clearance for the document: without it the reply is that of a document that does not
exist. A document that is being worked on, or held, answers 409.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from assistant.ingestion import MetadataEdit
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(prefix="/documents", tags=["archivists"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RetryBody(_Body):
    """What may help the second time. The password is kept until the document is settled and shown nowhere."""

    password: SecretStr | None = Field(default=None, max_length=1000)


class EditBody(_Body):
    """What to change; what is left out or null stays. An empty date, author, type or collection says that there is none."""

    title: str | None = None
    date: str | None = Field(default=None, examples=["2024-05-31"])
    author: str | None = None
    language: str | None = None
    document_type: str | None = None
    collection: str | None = None
    label: str | None = None
    source: str | None = None


class PageTextBody(_Body):
    """The whole text of a page, as it stands on the page."""

    text: str


class HoldBody(_Body):
    """Why the document may not be erased."""

    reason: str


class RetentionBody(_Body):
    """Which of the documents that are due may be erased: those that somebody has seen and agreed to."""

    document_ids: list[str] = Field(max_length=10_000)


@router.get("/progress")
def progress(parts: Serving, reader: Reader) -> dict[str, Any]:
    """How far the work is, and the documents at work."""
    told: dict[str, Any] = plain(parts.ingestion.progress(reader))
    return told


@router.get("/retention")
def retention(parts: Serving, reader: Reader) -> dict[str, Any]:
    """What the retention rules no longer keep; nothing is erased."""
    told: dict[str, Any] = plain(parts.ingestion.retention(reader))
    return told


@router.post("/retention")
def apply_retention(parts: Serving, reader: Reader, body: RetentionBody | None = None) -> dict[str, Any]:
    """Erase what the retention rules no longer keep, except what is on hold; with a body, only what it names of that."""
    only = frozenset(body.document_ids) if body else None
    told: dict[str, Any] = plain(parts.ingestion.retention(reader, apply=True, only=only))
    return told


@router.get("/holds")
def holds(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The documents on hold: why, by whom and since when; the one held last first."""
    return {"holds": plain(parts.ingestion.holds(reader))}


@router.get("/watched")
def watched(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The folders that the service watches, and what it last saw in them."""
    return {"folders": plain(parts.ingestion.watched(reader))}


@router.post("/{document_id}/retry")
def retry(document_id: str, parts: Serving, reader: Reader, body: RetryBody | None = None) -> dict[str, Any]:
    """Put a quarantined or rejected document back in the queue."""
    secret = body.password if body else None
    password = secret.get_secret_value() if secret else None
    status: dict[str, Any] = plain(parts.ingestion.retry(document_id, reader, password=password))
    return status


@router.patch("/{document_id}")
def edit(document_id: str, body: EditBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Change what is said about a document; the file is not read again."""
    status: dict[str, Any] = plain(parts.ingestion.edit(document_id, reader, MetadataEdit(**body.model_dump())))
    return status


@router.put("/{document_id}/pages/{number}/text")
def correct_page(
    document_id: str, number: Annotated[int, Path(ge=1)], body: PageTextBody, parts: Serving, reader: Reader
) -> dict[str, Any]:
    """Put an archivist's text in the place of what was read on a page (1-based)."""
    status: dict[str, Any] = plain(parts.ingestion.correct_page(document_id, number, body.text, reader))
    return status


@router.get("/{document_id}/history")
def history(document_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """What happened to a document, and its versions, oldest first."""
    events = parts.ingestion.history(document_id, reader)
    return {"events": plain(events), "versions": plain(parts.ingestion.versions(document_id, reader))}


@router.put("/{document_id}/hold")
def hold(document_id: str, body: HoldBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Keep a document from being erased until it is released."""
    status: dict[str, Any] = plain(parts.ingestion.hold(document_id, reader, body.reason))
    return status


@router.delete("/{document_id}/hold")
def release(document_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """End a hold."""
    status: dict[str, Any] = plain(parts.ingestion.release(document_id, reader))
    return status
