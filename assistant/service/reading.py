"""What readers do with documents beside asking: narrow a search, sum a document up, compare versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from assistant.service.answers import sent_events
from assistant.service.requests import Reader, Serving
from assistant.service.streaming import AnswerStream, Leaving, finished, in_thread
from assistant.service.wire import comparison_told, plain
from assistant.summaries import FEWEST, MOST
from assistant.types import Answer

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
    """The versions of a document that this reader may read, the one stored first first.

    `date` is the document's own, null where it has none; `received_at` is when the version was handed in, null where no record
    tells.
    """
    readable = parts.archive.readable_versions(document_id, reader)
    received = parts.ingestion.received(document_id, reader)
    return {
        "versions": [
            {
                "version": version,
                "date": parts.archive.document(document_id, reader, version=version).date,
                "received_at": received.get(version),
            }
            for version in readable
        ]
    }


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
    return comparison_told(found)


@router.get(
    "/documents/{document_id}/summary",
    response_model=Answer,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events as of an answer"}},
)
async def summary(
    document_id: str,
    request: Request,
    parts: Serving,
    reader: Reader,
    sentences: Annotated[int, Query(ge=FEWEST, le=MOST, description="About how many")] = 12,
    language: Literal["fr", "ar", "en"] | None = None,
) -> Any:
    """A document summed up, section by section: events as of an answer, or the finished one alone when JSON is asked for."""
    leaving = Leaving()
    events = parts.summaries.stream(
        document_id, reader, sentences=sentences, language=language, stopped=leaving.stopped
    )
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(plain(await finished(events, request, leaving)))
    first = await in_thread(lambda: next(events))  # so that a refusal is an HTTP status and not an event
    return AnswerStream(sent_events(first, events), leaving)
