"""Questions, searches, and what this instance is."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant import __version__
from assistant.adaptation.models import BASE
from assistant.build import Parts
from assistant.embedding import LEAST_DENSE_WEIGHT
from assistant.endpoints import EndpointState
from assistant.errors import AccessViolation, AssistantError
from assistant.language import detect_language
from assistant.packaged_encoder import NAME as PACKAGED_ENCODER
from assistant.scope import Scope
from assistant.service.requests import Reader, Serving, scope_from_text
from assistant.service.streaming import AnswerStream, Leaving, finished, in_thread
from assistant.service.wire import named_event, plain, server_sent
from assistant.types import Answer, AnswerEvent

router = APIRouter(tags=["answers"])
_LOG = logging.getLogger(__name__)


class ScopeBody(BaseModel):
    """To which documents the search is limited; empty lists and days do not limit."""

    model_config = ConfigDict(extra="forbid")

    collections: list[str] = []
    date_from: str | None = Field(None, examples=["2024-01-01"])
    date_to: str | None = None
    document_types: list[str] = []
    documents: list[str] = Field([], description="Ids")


class QuestionBody(BaseModel):
    """A question. Without `language`, the answer speaks the language the question is written in."""

    question: str = Field(examples=["Quel est le délai pour déposer une demande de télétravail ?"])
    language: Literal["fr", "ar", "en"] | None = None
    scope: ScopeBody | None = None


@router.post(
    "/answers",
    response_model=Answer,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "Events `evidence`, `waiting`, `restarted`, `sentence`, `answer`",
        }
    },
)
async def answer(body: QuestionBody, request: Request, parts: Serving, reader: Reader) -> Any:
    """Answer a question: server-sent events, or the finished answer alone when JSON is asked for.

    Events: one `evidence`, any number of `sentence`, one `answer` (always last), or `error` when something failed midway. With
    models also `waiting` with the question's place in line, and `restarted` when another model goes on; sentences stay.
    Whoever leaves before the end stops the answer.
    """
    scope = Scope.from_json(body.scope.model_dump() if body.scope else None)
    leaving = Leaving()
    events = parts.assistant.stream(body.question, reader, language=body.language, scope=scope, stopped=leaving.stopped)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(plain(await finished(events, request, leaving)))
    first = await in_thread(lambda: next(events))  # so that a refusal is an HTTP status and not an event
    return AnswerStream(sent_events(first, events), leaving)


def sent_events(first: AnswerEvent, rest: Generator[AnswerEvent, None, None]) -> Generator[bytes, None, None]:
    """The events of an answer as they are sent. Closing it closes `rest`."""
    try:
        yield server_sent(first)
        for event in rest:
            yield server_sent(event)
    except AccessViolation as error:
        _LOG.critical("access violation in an answer: %s", error)
        yield named_event("error", {"type": "internal", "message": "the answer was stopped"})
    except AssistantError as error:
        yield named_event("error", {"type": error_type(error), "message": str(error)})
    except Exception:  # the page must hear of it; the log has the details
        _LOG.exception("an answer failed in the middle")
        yield named_event("error", {"type": "internal", "message": "the answer could not be finished"})
    finally:
        rest.close()


@router.get("/search")
def search(
    parts: Serving,
    reader: Reader,
    q: Annotated[str, Query(min_length=1, max_length=2000)],
    k: Annotated[int, Query(ge=1, le=100)] = 10,
    route: Literal["hybrid", "dense", "bm25"] = "hybrid",
    scope: Annotated[str, Query(max_length=100_000, description="As in `/answers`, as JSON text")] = "",
) -> dict[str, Any]:
    """The best passages for a question, best first."""
    results = parts.retriever.search(q, reader, k, route=route, scope=scope_from_text(scope))
    return {"query": q, "language": detect_language(q), "results": plain(results)}


@router.get("/instance")
def instance(parts: Serving, reader: Reader) -> dict[str, Any]:
    """What this instance is, and what it can and cannot do for this reader."""
    settings = parts.settings
    weights = {language: parts.embedder.dense_weight(language) for language in settings.instance.languages}
    return {
        "name": settings.instance.name,
        "version": __version__,
        "languages": list(settings.instance.languages),
        "generator": "model" if parts.router else "quotes",
        "models": [_model(state) for state in parts.router.states()] if parts.router else [],
        "principal": {
            "id": reader.id,
            "roles": sorted(role.name.lower() for role in reader.roles),
            "clearance": str(reader.clearance),
        },
        "documents": parts.index.document_count(reader),
        "passages": parts.index.passage_count(reader),
        "encoder": _encoder_name(parts),
        "weak_languages": [language for language, weight in weights.items() if weight < LEAST_DENSE_WEIGHT],
        "ocr": settings.ingest.ocr,
        "conversations": parts.conversations.keeps,
        "examples": settings.examples.model_dump(),
    }


def _model(state: EndpointState) -> dict[str, Any]:
    """One model as every reader may know of it; what went wrong with it is for operators."""
    return {"name": state.name, "model": state.model, "state": state.state, "languages": list(state.languages)}


def _encoder_name(parts: Parts) -> str:
    adapted, path = parts.model.state().in_use, parts.settings.embedding.path
    if adapted != BASE:
        return adapted
    return path.name if path else PACKAGED_ENCODER


def error_type(error: AssistantError) -> str:
    """The error's stable name on the wire, such as `not_found` or `audit_unavailable`."""
    name = type(error).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
