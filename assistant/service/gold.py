"""Gold questions, for archivists: keep, list, remove, and hand out in the layouts that evaluations read.

Every route requires the archivist role. A question whose document the archivist may not read is not there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from assistant.access import Principal
from assistant.build import Parts
from assistant.conversations import Turn
from assistant.errors import InvalidRequest, NotFound
from assistant.evaluation.gold import GoldAnswer, retrieval_set
from assistant.evaluation.gold_runs import GoldRun
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(prefix="/gold", tags=["gold questions"])
MOST_WORDS_CHARS = 4000


class GoldBody(BaseModel):
    """A question, and the words that answer it with their document; without document and words nothing answers it."""

    model_config = ConfigDict(extra="forbid")
    question: str
    language: Literal["fr", "ar", "en"] | None = Field(default=None, description="Left out: the question's own")
    document_id: str | None = None
    page: Annotated[int | None, Field(ge=1, description="1-based; left out: the first on which the words stand")] = None
    words: str | None = Field(default=None, max_length=MOST_WORDS_CHARS)

    def answer(self) -> GoldAnswer | None:
        """Where it is answered; None where nothing answers it."""
        if self.document_id and self.words:
            return GoldAnswer(self.document_id, self.words, self.page)
        if self.document_id or self.words or self.page:
            raise InvalidRequest("give both document_id and words, or neither where nothing answers the question")
        return None


class RunBody(BaseModel):
    """Which questions to ask."""

    model_config = ConfigDict(extra="forbid")
    ids: list[str] = Field(min_length=1, max_length=10_000)


@router.get("")
def list_questions(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The gold questions, newest first."""
    return {"questions": plain(parts.gold.all(reader))}


@router.post("", status_code=201)
def add(body: GoldBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Keep a question. The words must stand in the document, on the page if one is named."""
    kept = parts.gold.add(body.question, body.answer(), reader, language=body.language)
    parts.gold_runs.forget(kept.id)
    told: dict[str, Any] = plain(kept)
    return told


@router.get("/answers")
def answer_lines(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The questions as lines of a file for `assistant evaluate answers`."""
    return {"lines": [question.line() for question in parts.gold.all(reader)]}


@router.get("/feedback")
def list_feedback(parts: Serving, reader: Reader) -> dict[str, Any]:
    """What readers said of answers, newest first, without who said it: as far as this archivist may read author and sources.

    `gold` is the gold question that an answer with a thumb up would make, in the form that `POST /v1/gold` takes; else null.
    """
    parts.gold.require(reader)
    return {"feedback": [_feedback_told(given.turn) for given in parts.conversations.feedback(reader)]}


@router.get("/retrieval")
def as_retrieval_set(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The questions, and every passage this archivist may read, as a set for `assistant evaluate retrieval`."""
    questions = parts.gold.all(reader)
    documents = [status.document_id for status in parts.ingestion.documents(reader)]
    return dict(retrieval_set(questions, parts.index, documents, reader))


@router.get("/run")
def last_run(parts: Serving, reader: Reader) -> dict[str, Any]:
    """This archivist's last run since the service started: how far it is, what came of each question, and totals."""
    parts.gold.require(reader)
    return {"run": _told(parts.gold_runs.last(reader), parts, reader)}


@router.post("/run", status_code=202)
def start_run(parts: Serving, reader: Reader, body: RunBody | None = None) -> dict[str, Any]:
    """Begin to ask the questions, or those that the body names, in the background. 409 while the last run goes on."""
    run = parts.gold_runs.start(reader, only=frozenset(body.ids) if body else None)
    return {"run": _told(run, parts, reader)}


@router.delete("/run")
def stop_run(parts: Serving, reader: Reader) -> dict[str, Any]:
    """End the run after the question in hand."""
    parts.gold.require(reader)
    return {"run": _told(parts.gold_runs.stop(reader), parts, reader)}


@router.put("/{question_id}")
def change(question_id: str, body: GoldBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Put what the body says in the place of a question; its id changes with its words or its document."""
    parts.gold.one(question_id, reader)
    kept = parts.gold.add(body.question, body.answer(), reader, language=body.language)
    if kept.id != question_id:
        parts.gold.remove(question_id, reader)
    parts.gold_runs.forget(question_id)
    changed: dict[str, Any] = plain(kept)
    return changed


@router.delete("/{question_id}")
def remove(question_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Forget a question."""
    parts.gold.remove(question_id, reader)
    parts.gold_runs.forget(question_id)
    return {"removed": question_id}


def _feedback_told(turn: Turn) -> dict[str, Any]:
    assert turn.feedback is not None
    assert turn.answer is not None
    cited = [
        {"document_id": each.document_id, "title": each.title, "page": each.page_number, "words": each.quote}
        for each in turn.answer.stated
    ]
    asked = {"question": turn.searched, "language": turn.answer.language}
    liked = turn.feedback.rating == "up" and cited and len(turn.answer.stated[0].quote) <= MOST_WORDS_CHARS
    gold = {**asked, **{name: cited[0][name] for name in ("document_id", "page", "words")}} if liked else None
    said = {name: getattr(turn.feedback, name) for name in ("rating", "reason", "comment", "given_at")}
    return {**asked, **said, "outcome": turn.answer.outcome.value, "cited": cited, "gold": gold}


def _told(run: GoldRun | None, parts: Parts, reader: Principal) -> dict[str, Any] | None:
    """The run as it is sent: citations with the titles of their documents, as far as this reader may read them still."""
    if run is None:
        return None
    titles: dict[str, str | None] = {}

    def title(document_id: str) -> str | None:
        if document_id not in titles:
            try:
                status = parts.ingestion.document(document_id, reader)
                titles[document_id] = status.title or status.file_name
            except NotFound:
                titles[document_id] = None
        return titles[document_id]

    told: dict[str, Any] = plain(run)
    for result in told["results"]:
        result["cited"] = [
            {"document_id": document_id, "title": title(document_id), "page": page}
            for document_id, page in result["cited"]
            if title(document_id) is not None
        ]
    return told | {"totals": plain(run.totals())}
