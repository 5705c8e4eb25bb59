"""The OpenAI-compatible door: the same answers, with the same citations, for clients that speak that interface.

Only the last user message is read as the question. Parameters that steer a model (temperature, tools, …) are accepted and have
no effect. Citations travel in the extra field `citations` of the message, or of the last chunk when streaming.
What the reader must know of the sources (`Answer.notes`) follows the sentences, each note in a paragraph of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import AssistantError, InvalidRequest
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain
from assistant.types import Answer, AnswerEvent, AnswerReady, EvidenceReady, SentenceReady

router = APIRouter(tags=["OpenAI-compatible"])

MODEL = "sovereign-assistant"


class TextPart(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(extra="ignore")
    type: str
    text: str = ""


class Message(BaseModel):
    """A message of the conversation."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    def text(self) -> str:
        """The words of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class CompletionBody(BaseModel):
    """The part of a chat completion request that is read."""

    model_config = ConfigDict(extra="ignore")
    model: str = MODEL
    messages: list[Message] = Field(min_length=1)
    stream: bool = False


@router.get("/models")
def models(_: Reader) -> dict[str, Any]:
    """The one model there is: this assistant."""
    return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "local"}]}


@router.post("/chat/completions", response_model=None)
def complete(body: CompletionBody, parts: Serving, reader: Reader) -> JSONResponse | StreamingResponse:
    """Answer the last user message with verified quotations."""
    if body.model != MODEL:
        raise InvalidRequest(f"there is no model {body.model!r} here; use {MODEL!r}")
    question = next((message.text() for message in reversed(body.messages) if message.role == "user"), "")
    if body.stream:
        events = parts.assistant.stream(question, reader)
        first = next(events)
        return StreamingResponse(_chunks(first, events), media_type="text/event-stream")
    answer = parts.assistant.ask(question, reader)
    content = "\n\n".join((answer.text, *answer.notes))
    message = {"role": "assistant", "content": content, "citations": plain(answer.citations)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return JSONResponse(
        {
            "id": f"chatcmpl-{answer.id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": MODEL,
            "choices": [choice],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            "outcome": answer.outcome.value,
        }
    )


def _chunks(first: AnswerEvent, rest: Iterator[AnswerEvent]) -> Iterator[bytes]:
    answer_id = first.answer_id if isinstance(first, EvidenceReady) else ""
    created = int(time.time())

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        head = {"id": f"chatcmpl-{answer_id}", "object": "chat.completion.chunk", "created": created, "model": MODEL}
        return f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()

    yield chunk({"role": "assistant", "content": ""})
    written = ""
    try:
        for event in rest:
            if isinstance(event, SentenceReady):
                marks = "".join(f" [{marker}]" for marker in event.sentence.markers)
                piece = f"{' ' if written else ''}{event.sentence.text}{marks}"
                written += piece
                yield chunk({"content": piece})
            elif isinstance(event, AnswerReady):
                yield from _last_chunks(event.answer, written, chunk)
    except AssistantError as error:
        body = {"error": {"type": "server_error", "message": str(error)}}
        yield f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
        return
    yield b"data: [DONE]\n\n"


def _last_chunks(answer: Answer, written: str, chunk: Any) -> Iterator[bytes]:
    if not written:
        yield chunk({"content": answer.text})
    for note in answer.notes:
        yield chunk({"content": f"\n\n{note}"})
    yield chunk({"citations": plain(answer.citations)}, "stop")
