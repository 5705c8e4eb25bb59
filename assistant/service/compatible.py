"""The OpenAI-compatible door: the same answers, with the same citations, for clients that speak that interface.

Only the last user message is read as the question. Parameters that steer a model (temperature, tools, …) are accepted and have
no effect. Citations travel in the extra field `citations` of the message, or of the last chunk when streaming.
What the reader must know of the sources (`Answer.notes`) follows the sentences, each note in a paragraph of its own.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.answer_text import separator
from assistant.errors import AccessViolation, AssistantError, InvalidRequest
from assistant.service.requests import Reader, Serving
from assistant.service.streaming import AnswerStream, Leaving, finished, in_thread
from assistant.service.wire import plain
from assistant.types import Answer, AnswerEvent, AnswerReady, EvidenceReady, SentenceReady

router = APIRouter(tags=["OpenAI-compatible"])
_LOG = logging.getLogger(__name__)

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
async def complete(body: CompletionBody, request: Request, parts: Serving, reader: Reader) -> Response:
    """Answer the last user message: the same checked answer, with the same citations, as everywhere else."""
    if body.model != MODEL:
        raise InvalidRequest(f"there is no model {body.model!r} here; use {MODEL!r}")
    question = next((message.text() for message in reversed(body.messages) if message.role == "user"), "")
    leaving = Leaving()
    events = parts.assistant.stream(question, reader, stopped=leaving.stopped)
    if body.stream:
        first = await in_thread(lambda: next(events))
        return AnswerStream(_chunks(first, events), leaving)
    answer = await finished(events, request, leaving)
    return JSONResponse(_completion(answer) if answer else None)


def _completion(answer: Answer) -> dict[str, Any]:
    content = "\n\n".join((answer.text, *answer.notes))
    message = {
        "role": "assistant",
        "content": content,
        "citations": plain(answer.citations),
        "leads": plain(answer.leads),
    }
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(answer), "logprobs": None}
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [choice],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "outcome": answer.outcome.value,
    }


def _finish_reason(answer: Answer) -> str:
    """`length` for an answer that was cut, as the interface has it."""
    return "length" if answer.incomplete else "stop"


def _chunks(first: AnswerEvent, rest: Generator[AnswerEvent, None, None]) -> Generator[bytes, None, None]:
    answer_id = first.answer_id if isinstance(first, EvidenceReady) else ""
    created = int(time.time())

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        head = {"id": f"chatcmpl-{answer_id}", "object": "chat.completion.chunk", "created": created, "model": MODEL}
        return f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()

    written = ""
    try:
        yield chunk({"role": "assistant", "content": ""})
        for event in rest:
            if isinstance(event, SentenceReady):
                marks = "".join(f" [{marker}]" for marker in event.sentence.markers)
                piece = f"{separator(event.sentence) if written else ''}{event.sentence.text}{marks}"
                written += piece
                yield chunk({"content": piece})
            elif isinstance(event, AnswerReady):
                yield from _last_chunks(event.answer, written, chunk)
    except AccessViolation as error:
        _LOG.critical("access violation in an answer: %s", error)
        yield _error("the answer was stopped")
        return
    except AssistantError as error:
        yield _error(str(error))
        return
    except Exception:  # the client must hear of it; the log has the details
        _LOG.exception("an answer failed in the middle")
        yield _error("the answer could not be finished")
        return
    finally:
        rest.close()
    yield b"data: [DONE]\n\n"


def _error(message: str) -> bytes:
    body = {"error": {"type": "server_error", "message": message}}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def _last_chunks(answer: Answer, written: str, chunk: Any) -> Iterator[bytes]:
    if not written:
        yield chunk({"content": answer.text})
    for note in answer.notes:
        yield chunk({"content": f"\n\n{note}"})
    yield chunk({"citations": plain(answer.citations), "leads": plain(answer.leads)}, _finish_reason(answer))
