"""What readers do with documents beside asking: narrow a search, sum a document up, compare versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(tags=["reading"])


@router.get("/scope")
def scope_choices(parts: Serving, reader: Reader) -> dict[str, Any]:
    """By what a search can be narrowed: collections, types and dates of the documents that this reader may read."""
    choices = parts.ingestion.scope_choices(reader)
    return {
        "collections": list(choices.collections),
        "document_types": list(choices.document_types),
        "dates": {"from": choices.date_from, "to": choices.date_to},
    }


@router.get("/documents/{document_id}/versions")
def versions(document_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """The versions of a document that this reader may read, the one stored first first."""
    return {"versions": list(parts.archive.readable_versions(document_id, reader))}


@router.get("/documents/{document_id}/changes")
def changes(
    document_id: str,
    parts: Serving,
    reader: Reader,
    before: Annotated[str | None, Query(alias="from", description="A version; left out: the one before")] = None,
    after: Annotated[str | None, Query(alias="to", description="A version; left out: the newest")] = None,
    other: Annotated[str | None, Query(description="Another document, compared with this one")] = None,
) -> dict[str, Any]:
    """What changed between two versions, or from this document to another one, in the order of the new text.

    `from` in the reply is null when there is but one version that this reader may read. Each side of a change is cited; `changed`
    are the spans of its `text` whose words are others on the other side.
    """
    found = parts.comparing.changes(document_id, reader, before=before, after=after, other=other)
    body: dict[str, Any] = plain(found)
    return {"from": body.pop("before"), "to": body.pop("after"), **body}
