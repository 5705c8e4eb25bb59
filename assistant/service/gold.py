"""Gold questions, for archivists: keep, list, remove, and hand out in the layouts that evaluations read.

Every route requires the archivist role. A question whose document the archivist may not read is not there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import InvalidRequest
from assistant.evaluation.gold import GoldAnswer, retrieval_set
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(prefix="/gold", tags=["gold questions"])


class GoldBody(BaseModel):
    """A question, and the words that answer it with their document; without document and words nothing answers it."""

    model_config = ConfigDict(extra="forbid")
    question: str
    language: Literal["fr", "ar", "en"] | None = Field(default=None, description="Left out: the question's own")
    document_id: str | None = None
    page: Annotated[int | None, Field(ge=1, description="1-based; left out: the first on which the words stand")] = None
    words: str | None = Field(default=None, max_length=4000)

    def answer(self) -> GoldAnswer | None:
        """Where it is answered; None where nothing answers it."""
        if self.document_id and self.words:
            return GoldAnswer(self.document_id, self.words, self.page)
        if self.document_id or self.words or self.page:
            raise InvalidRequest("give both document_id and words, or neither where nothing answers the question")
        return None


@router.get("")
def list_questions(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The gold questions, newest first."""
    return {"questions": plain(parts.gold.all(reader))}


@router.post("", status_code=201)
def add(body: GoldBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Keep a question. The words must stand in the document, on the page if one is named."""
    kept: dict[str, Any] = plain(parts.gold.add(body.question, body.answer(), reader, language=body.language))
    return kept


@router.get("/answers")
def answer_lines(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The questions as lines of a file for `assistant evaluate answers`."""
    return {"lines": [question.line() for question in parts.gold.all(reader)]}


@router.get("/retrieval")
def as_retrieval_set(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The questions, and every passage this archivist may read, as a set for `assistant evaluate retrieval`."""
    questions = parts.gold.all(reader)
    documents = [status.document_id for status in parts.ingestion.documents(reader)]
    return dict(retrieval_set(questions, parts.index, documents, reader))


@router.delete("/{question_id}")
def remove(question_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Forget a question."""
    parts.gold.remove(question_id, reader)
    return {"removed": question_id}
