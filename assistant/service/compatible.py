"""The OpenAI-compatible door: the same answers, with the same citations, for clients that speak that interface.

The last user message is the question; a follow-up is completed by rules with words of the user messages before it, and what was
searched then stands below the answer. System messages and parameters that steer a model (temperature, tools, stop, …) are
accepted and have no effect; what a client could not do without (`n` above 1, JSON, a forced tool call) is refused.
Citations travel in the extra field `citations` of the message, or of the last chunk that has a choice when streaming; a list of
them stands below the sentences, for clients that show text alone. Words of documents act in no client: see `inert`.
What the reader must know of the sources (`Answer.notes`) follows the sentences, each note in a paragraph of its own.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.answer_text import separator
from assistant.answering import MAX_QUESTION_CHARS
from assistant.endpoints.tokens import estimated_tokens
from assistant.errors import AccessViolation, AssistantError, InvalidRequest, NotFound
from assistant.export.words import WORDS
from assistant.remarks import is_remark
from assistant.rewriting import Exchange, Standalone, standalone
from assistant.service.requests import Reader, Serving
from assistant.service.streaming import AnswerStream, Leaving, finished, in_thread
from assistant.service.wire import plain
from assistant.types import Answer, AnswerEvent, AnswerReady, Citation, EvidenceReady, SentenceReady

router = APIRouter(tags=["OpenAI-compatible"])
_LOG = logging.getLogger(__name__)

MODEL = "sovereign-assistant"
_MODEL = {"id": MODEL, "object": "model", "created": 0, "owned_by": "local"}
_ACTING = re.compile(r"(\\*)(\](?=[(:\[])|!(?=\[)|<(?=[a-zA-Z/!]))")
"""What begins a picture, a link or a tag where a client draws Markdown."""
_LOOKED_BACK = 8
"""How many of the last user messages a follow-up may be understood by."""


class TextPart(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(extra="ignore")
    type: str
    text: str = ""


class Message(BaseModel):
    """A message of the conversation."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None

    def text(self) -> str:
        """The words of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream is to carry beside the answer."""

    model_config = ConfigDict(extra="ignore")
    include_usage: bool | None = False


class ResponseFormat(BaseModel):
    """An answer is text."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["text"]


class CompletionBody(BaseModel):
    """The part of a chat completion request that is read."""

    model_config = ConfigDict(extra="ignore")
    model: str = MODEL
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=1, description="One answer is given")] = 1
    response_format: ResponseFormat | None = None
    tool_choice: Any = Field(None, description="`auto` or `none`: no tool is ever called")


@router.get("/models")
def models(_: Reader) -> dict[str, Any]:
    """The one model there is: this assistant."""
    return {"object": "list", "data": [_MODEL]}


@router.get("/models/{name}")
def model(name: str, _: Reader) -> dict[str, Any]:
    """The model of this name; 404 for any but the one there is."""
    if name != MODEL:
        raise NotFound(f"there is no such model here; use {MODEL!r}")
    return _MODEL


@router.post("/chat/completions", response_model=None)
async def complete(body: CompletionBody, request: Request, parts: Serving, reader: Reader) -> Response:
    """Answer the last user message: the same checked answer, with the same citations, as everywhere else."""
    if body.model != MODEL:
        raise InvalidRequest(f"there is no model {body.model[:80]!r} here; use {MODEL!r}")
    if body.tool_choice not in (None, "auto", "none"):
        raise InvalidRequest("no tool is ever called here: leave `tool_choice` out, or send `auto` or `none`")
    leaving = Leaving()
    question, understood = await in_thread(lambda: _understood(body.messages))
    searched = understood.question if understood.rewritten else None
    events = parts.assistant.stream(
        question, reader, language=understood.language or None, searched=searched, stopped=leaving.stopped
    )
    if body.stream:
        counted = body.messages if body.stream_options and body.stream_options.include_usage else None
        first = await in_thread(lambda: next(events))
        return AnswerStream(_chunks(first, events, counted), leaving)
    answer = await finished(events, request, leaving)
    return JSONResponse(_completion(answer, body.messages) if answer else None)


def _understood(messages: Sequence[Message]) -> tuple[str, Standalone]:
    """The last user message, and what is searched for it. Only the user's own words are borrowed: they need no label."""
    asked = [message.text() for message in messages if message.role == "user"][-_LOOKED_BACK:]
    history: list[Exchange] = []
    made = Standalone("", "", rewritten=False)
    for text in asked:
        made = standalone(text[:MAX_QUESTION_CHARS], history)
        if not is_remark(text):
            history.append(Exchange(text, made.question, language=made.language))
    return (asked[-1] if asked else ""), made


def _notes(answer: Answer) -> tuple[str, ...]:
    """What stands below the sentences: what was searched in the place of what was asked, what was withheld, the notes."""
    words, notes = WORDS[answer.language], list(answer.notes)
    if answer.withheld:
        notes.insert(0, words["withheld"].format(count=answer.withheld))
    if answer.searched and answer.searched != answer.question:
        notes.insert(0, words["searched"].format(question=answer.searched))
    sources = _sources(answer)
    return (sources, *notes) if sources else tuple(notes)


def _sources(answer: Answer) -> str:
    """What the markers in the text lead to, a line for each; empty when there are none."""
    named = {marker for sentence in answer.sentences for marker in sentence.markers}
    words = WORDS[answer.language]
    lines = [f"[{each.marker}] {_place(each, words)}" for each in answer.citations if each.marker in named]
    return "\n".join((words["sources"], *lines)) if lines else ""


def _place(citation: Citation, words: Mapping[str, str]) -> str:
    page = words["page"].format(page=citation.page_number) if citation.page_number else ""
    file = citation.file_name if citation.title else ""
    where = ", ".join(filter(None, (file if file != citation.title else "", page)))
    return inert(f"{citation.title or citation.file_name} ({where})" if where else citation.title or citation.file_name)


def inert(text: str) -> str:
    """`text` with backslashes where Markdown would make a picture, a link or a tag of it: clients fetch what they draw.

    >>> print(inert("![x](https://h.example/?q=1) <img src=x>"))
    \\![x\\](https://h.example/?q=1) \\<img src=x>
    """
    return _ACTING.sub(lambda found: found[1] + "\\" * (len(found[1]) % 2 == 0) + found[2], text)


def _usage(asked: Sequence[Message], content: str) -> dict[str, int]:
    """Estimates from above, of what the client sent and got: what a model read and wrote for it is no concern of its reader."""
    prompt, completion = sum(estimated_tokens(message.text()) for message in asked), estimated_tokens(content)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _content(answer: Answer) -> str:
    return "\n\n".join((inert(answer.text), *_notes(answer)))


def _completion(answer: Answer, asked: Sequence[Message]) -> dict[str, Any]:
    content = _content(answer)
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
        "usage": _usage(asked, content),
        "outcome": answer.outcome.value,
        "searched": answer.searched,
        "withheld": answer.withheld,
    }


def _finish_reason(answer: Answer) -> str:
    """`length` for an answer that was cut, as the interface has it."""
    return "length" if answer.incomplete else "stop"


def _chunks(
    first: AnswerEvent, rest: Generator[AnswerEvent, None, None], counted: Sequence[Message] | None
) -> Generator[bytes, None, None]:
    """The stream; with usage at its end where there are messages to be `counted`."""
    answer_id = first.answer_id if isinstance(first, EvidenceReady) else ""
    head = {
        "id": f"chatcmpl-{answer_id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
    }

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _data({**head, "choices": [choice], **({"usage": None} if counted else {})})

    written = ""
    try:
        yield chunk({"role": "assistant", "content": ""})
        for event in rest:
            if isinstance(event, SentenceReady):
                marks = "".join(f" [{marker}]" for marker in event.sentence.markers)
                piece = inert(f"{separator(event.sentence) if written else ''}{event.sentence.text}{marks}")
                written += piece
                yield chunk({"content": piece})
            elif isinstance(event, AnswerReady):
                yield from _last_chunks(event.answer, written, chunk)
                written = _content(event.answer)
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
    if counted:
        yield _data({**head, "choices": [], "usage": _usage(counted, written)})
    yield b"data: [DONE]\n\n"


def _data(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def _error(message: str) -> bytes:
    return _data({"error": {"type": "server_error", "message": message}})


def _last_chunks(answer: Answer, written: str, chunk: Any) -> Iterator[bytes]:
    if not written:
        yield chunk({"content": inert(answer.text)})
    for note in _notes(answer):
        yield chunk({"content": f"\n\n{note}"})
    yield chunk({"citations": plain(answer.citations), "leads": plain(answer.leads)}, _finish_reason(answer))
