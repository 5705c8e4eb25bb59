"""Conversations of a reader: kept, searched, renamed, deleted; what is asked, summed up and compared in them; feedback.

Every route sees the conversations of the reader who asks and no others: another reader's is not there (404).
"""

from __future__ import annotations

import datetime
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathNumber
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.access import Label, Principal, join_labels
from assistant.answer_text import answer_text
from assistant.build import Parts
from assistant.conversations import (
    MOST_TURNS,
    Conversation,
    Conversations,
    Feedback,
    OpenTurn,
    ReadDocument,
    SourceVersion,
    Summary,
    Turn,
    TurnKind,
    TurnState,
)
from assistant.errors import NotFound
from assistant.export import Format, exported, sheet_of
from assistant.remarks import is_remark
from assistant.rewriting import Exchange, Standalone
from assistant.scope import Scope
from assistant.service.answers import ScopeBody, sent_events
from assistant.service.requests import Reader, Serving
from assistant.service.streaming import AnswerStream, Leaving, finished, in_thread
from assistant.service.wire import comparison_told, named_event, plain
from assistant.summaries import FEWEST, MOST
from assistant.types import Answer, AnswerEvent, AnswerReady, Citation, EvidenceReady, Outcome, Sentence, SentenceReady

router = APIRouter(prefix="/conversations", tags=["conversations"])
_REMEMBERED_TURNS = 3
"""How many of the last questions a follow-up is understood by."""
_LOOKED_BACK = 8
"""How many of the last turns are looked through for them: thanks and the like are none."""
TurnNumber = Annotated[int, PathNumber(ge=1, le=MOST_TURNS)]
_MOST_CHANGES = 2000
"""Of one comparison: two texts that differ in more places are hardly versions of each other."""


AsOf = Annotated[
    str | None,
    Field(
        description="The conversation's `changed_at` as you saw it, or `asked_at` of its last turn. With `replaces`: 409"
        " `changed_elsewhere` when anything was asked in it since"
    ),
]


class NewBody(BaseModel):
    """A new conversation. Without a title it takes the first question's words."""

    model_config = ConfigDict(extra="forbid")
    title: str = ""


class ChangeBody(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = None
    scope: ScopeBody | None = None


class TurnBody(BaseModel):
    """A question in a conversation."""

    model_config = ConfigDict(extra="forbid")
    question: str
    language: Literal["fr", "ar", "en"] | None = None
    replaces: Annotated[int | None, Field(ge=1, description="This turn and all after it are dropped first")] = None
    as_of: AsOf = None


class SummaryBody(BaseModel):
    """A document to be summed up in a conversation."""

    model_config = ConfigDict(extra="forbid")
    document_id: str
    sentences: Annotated[int, Field(ge=FEWEST, le=MOST, description="About how many")] = 12
    language: Literal["fr", "ar", "en"] | None = None
    replaces: Annotated[int | None, Field(ge=1)] = None
    as_of: AsOf = None


class ComparisonBody(BaseModel):
    """Two texts to be compared in a conversation, as by `GET /v1/documents/{document_id}/changes`."""

    model_config = ConfigDict(extra="forbid")
    document_id: str
    before: Annotated[str | None, Field(alias="from", description="A version; left out: the one before")] = None
    after: Annotated[str | None, Field(alias="to", description="A version; left out: the newest")] = None
    other: Annotated[str | None, Field(description="Another document, compared with this one")] = None
    replaces: Annotated[int | None, Field(ge=1)] = None
    as_of: AsOf = None


class FeedbackBody(BaseModel):
    """What the reader says of an answer."""

    model_config = ConfigDict(extra="forbid")
    rating: Literal["up", "down"]
    reason: Literal["wrong", "incomplete", "not_found", "citation", "other"] | None = None
    comment: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _has_a_reason_to_be_down(self) -> Self:
        if self.rating == "up" and self.reason:
            raise ValueError('`reason` says what was wrong with an answer: leave it out, or send `rating` "down"')
        return self


@router.get("")
def list_conversations(parts: Serving, reader: Reader, q: Annotated[str, Query(max_length=500)] = "") -> dict[str, Any]:
    """This reader's conversations, the one changed last first; with `q`, those whose titles, questions or answers say it.

    One without a title of its own tells what its `first` turn is about.
    """
    return {"conversations": [_line(summary) for summary in parts.conversations.all(reader, q=q)]}


@router.post("", status_code=201)
def create(parts: Serving, reader: Reader, body: NewBody | None = None) -> dict[str, Any]:
    """Begin a conversation."""
    return _told(parts.conversations.create(reader, title=body.title if body else "", scope=Scope.everything.to_json()))


@router.get("/{conversation_id}")
def show(conversation_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """A conversation with its turns, as this reader may see them now."""
    return _told(parts.conversations.one(conversation_id, reader))


@router.patch("/{conversation_id}")
def change(conversation_id: str, body: ChangeBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Give it another title or scope."""
    scope = Scope.from_json(body.scope.model_dump()).to_json() if body.scope else None
    parts.conversations.change(conversation_id, reader, title=body.title, scope=scope)
    return _told(parts.conversations.one(conversation_id, reader))


@router.delete("/{conversation_id}")
def remove(conversation_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Delete it for good, with all that was said of its answers."""
    parts.conversations.remove(conversation_id, reader)
    return {"removed": conversation_id}


@router.post(
    "/{conversation_id}/turns",
    response_model=None,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "An event `turn`, then those of `POST /v1/answers`"}
    },
)
async def ask(
    conversation_id: str, body: TurnBody, request: Request, parts: Serving, reader: Reader
) -> JSONResponse | AnswerStream:
    """Ask in a conversation: events as of `POST /v1/answers` after a first one `turn`, or the finished turn as JSON.

    A follow-up question is searched as the standalone one that `turn` names. A reader who leaves keeps what was released.
    """
    leaving = Leaving()
    running = await in_thread(lambda: _begun(parts, reader, conversation_id, body, leaving))
    return await _reply(running, parts, reader, request, leaving)


@router.post(
    "/{conversation_id}/summaries",
    response_model=None,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "An event `turn`, then those of `POST /v1/answers`"}
    },
)
async def sum_up(
    conversation_id: str, body: SummaryBody, request: Request, parts: Serving, reader: Reader
) -> JSONResponse | AnswerStream:
    """Sum a document up in a conversation, which keeps the summary as it keeps an answer."""
    leaving = Leaving()
    running = await in_thread(lambda: _summing_up(parts, reader, conversation_id, body, leaving))
    return await _reply(running, parts, reader, request, leaving)


@router.post("/{conversation_id}/comparisons")
def compare(conversation_id: str, body: ComparisonBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Compare two texts in a conversation, which keeps what differs; the turn. More than 2,000 changes are only counted."""
    _remembered(parts, reader, conversation_id, None)
    found = parts.comparing.changes(body.document_id, reader, before=body.before, after=body.after, other=body.other)
    kept = found.changes[:_MOST_CHANGES]
    found = replace(found, changes=kept, left_out=len(found.changes) - len(kept))
    read = tuple(ReadDocument(text.document_id, text.version) for text in (found.before, found.after) if text)
    opened = parts.conversations.begin(
        conversation_id,
        reader,
        "",
        searched="",
        kind=TurnKind.CHANGES,
        read=read,
        replaces=body.replaces,
        as_of=body.as_of,
    )
    turn = parts.conversations.finish(opened, TurnState.DONE, None, comparison=found)
    return _turn_told(parts.conversations.shown(turn, reader))


@router.put("/{conversation_id}/turns/{number}/feedback")
def rate(
    conversation_id: str, number: TurnNumber, body: FeedbackBody, parts: Serving, reader: Reader
) -> dict[str, Any]:
    """Say what an answer was worth. Kept with the turn, and deleted with it."""
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    given = Feedback(body.rating, body.reason or "", body.comment.strip(), at, str(reader.clearance))
    parts.conversations.rate(conversation_id, number, reader, given)
    return _turn_told(_turn(parts, reader, conversation_id, number))


@router.delete("/{conversation_id}/turns/{number}/feedback")
def withdraw(conversation_id: str, number: TurnNumber, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Take back what was said of an answer."""
    parts.conversations.rate(conversation_id, number, reader, None)
    return _turn_told(_turn(parts, reader, conversation_id, number))


@router.get("/{conversation_id}/export", response_class=Response)
def export(
    conversation_id: str,
    parts: Serving,
    reader: Reader,
    format: Annotated[Format, Query(description="`md`, `docx` or `pdf`")],  # noqa: A002 - its name on the wire
    turn: Annotated[int | None, Query(ge=1, description="One turn; left out: all")] = None,
) -> Response:
    """A conversation, or one turn of it, as a file: what this reader may see now, with footnotes, label and notice.

    503 for `pdf` where it cannot be made properly; the message says what is missing.
    """
    conversation = parts.conversations.one(conversation_id, reader)
    turns = [each for each in conversation.turns if turn in (None, each.number)]
    if not turns:
        raise NotFound("there is no such turn in this conversation" if turn else "there is nothing to export yet")
    today = datetime.datetime.now().astimezone().date().isoformat()
    file = exported(sheet_of(conversation.title, turns, day=today), format)
    headers = {"content-disposition": f'attachment; filename="{file.name}"', "cache-control": "no-store"}
    return Response(file.content, media_type=file.media_type, headers=headers)


@dataclass
class _Running:
    """A turn whose answer is being given, and what of it was released."""

    conversations: Conversations
    opened: OpenTurn
    scope: Mapping[str, Any]
    first: AnswerEvent
    rest: Generator[AnswerEvent, None, None]
    evidence: EvidenceReady | None = None
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        self.turn = self.opened.turn

    def pieces(self) -> Generator[bytes, None, None]:
        """The events as they are sent."""
        about = {"conversation_id": self.opened.conversation_id, "number": self.opened.number}
        events = self.events()
        try:
            told = {"searched": self.turn.searched, "asked_at": self.turn.asked_at, "scope": dict(self.scope)}
            yield named_event("turn", {**about, **told})
            yield from sent_events(next(events), events)
        finally:
            events.close()
            self._end()

    def events(self) -> Generator[AnswerEvent, None, None]:
        """The events of the answer. The turn is kept before the last one leaves, and when this is closed before the end."""
        try:
            for event in chain([self.first], self.rest):
                if isinstance(event, AnswerReady):
                    self._keep(TurnState.DONE, event.answer)
                self._note(event)
                yield event
        except Exception:
            self._keep(TurnState.FAILED, self._released())
            raise
        finally:
            self._end()

    def _end(self) -> None:
        self.rest.close()
        self._keep(TurnState.STOPPED, self._released())

    def _keep(self, state: TurnState, answer: Answer | None) -> None:
        if self.turn is self.opened.turn:
            self.turn = self.conversations.finish(self.opened, state, answer)

    def _note(self, event: AnswerEvent) -> None:
        if isinstance(event, EvidenceReady):
            self.evidence = event
        elif isinstance(event, SentenceReady):
            self.sentences.append(event.sentence)
            self.citations.extend(event.citations)

    def _released(self) -> Answer | None:
        """What was shown so far, as an answer; None when that is nothing."""
        if self.evidence is None or not self.sentences:
            return None
        return Answer(
            id=self.evidence.answer_id,
            question=self.turn.question,
            language=self.evidence.language,
            text=answer_text(self.sentences),
            sentences=tuple(self.sentences),
            citations=tuple(self.citations),
            outcome=Outcome.ANSWERED,
            model="",
            prompt_version="",
            label=str(join_labels(Label.parse(citation.label) for citation in self.citations)),
            timings_ms={},
            searched=self.turn.searched,
            incomplete=True,
        )


def _begun(parts: Parts, reader: Principal, conversation_id: str, body: TurnBody, leaving: Leaving) -> _Running:
    """The turn, with its first event in hand: a refusal is raised before anything is kept or dropped."""
    conversation = _remembered(parts, reader, conversation_id, body.replaces)
    history = [_exchange(turn) for turn in conversation.turns]
    understood = parts.followups.understood(
        body.question, history, reader, language=body.language, stopped=leaving.stopped
    )
    drawn_from = _drawn_from(conversation, understood)
    searched = understood.question if understood.rewritten else body.question.strip()
    events = parts.assistant.stream(
        body.question,
        reader,
        language=understood.language,
        searched=searched,
        searched_label=parts.conversations.label_of(drawn_from, reader),
        scope=Scope.from_json(conversation.scope),
        stopped=leaving.stopped,
    )
    first = next(events)
    opened = parts.conversations.begin(
        conversation_id,
        reader,
        body.question.strip(),
        searched=searched,
        drawn_from=drawn_from,
        replaces=body.replaces,
        as_of=body.as_of,
    )
    return _Running(parts.conversations, opened, conversation.scope, first, events)


def _drawn_from(conversation: Conversation, understood: Standalone) -> list[SourceVersion]:
    """The documents whose words the question may hold: of all that a model was told, or of the question before it."""
    if not understood.rewritten:
        return []
    if understood.by_model:
        return sorted({source for turn in conversation.turns for source in turn.sources()})
    return sorted(conversation.turns[-1].drawn_from)


def _summing_up(parts: Parts, reader: Principal, conversation_id: str, body: SummaryBody, leaving: Leaving) -> _Running:
    """The same for a summary. What it says may be read is said of the version that is the newest now."""
    conversation = _remembered(parts, reader, conversation_id, None)
    document = parts.archive.document(body.document_id, reader)
    events = parts.summaries.stream(
        document.id, reader, sentences=body.sentences, language=body.language, stopped=leaving.stopped
    )
    first = next(events)
    read = (ReadDocument(document.id, document.version),)
    opened = parts.conversations.begin(
        conversation_id,
        reader,
        "",
        searched="",
        kind=TurnKind.SUMMARY,
        read=read,
        replaces=body.replaces,
        as_of=body.as_of,
    )
    return _Running(parts.conversations, opened, conversation.scope, first, events)


def _remembered(parts: Parts, reader: Principal, conversation_id: str, before: int | None) -> Conversation:
    """The conversation with the questions that come before turn `before`, as far as a next one is understood by them."""
    if not parts.conversations.keeps:
        return Conversation(conversation_id, "", "", "", Scope.everything.to_json())
    found = parts.conversations.remembered(conversation_id, reader, before=before, most=_LOOKED_BACK)
    questions = tuple(turn for turn in found.turns if not is_remark(turn.question))
    return replace(found, turns=questions[-_REMEMBERED_TURNS:])


async def _reply(
    running: _Running, parts: Parts, reader: Principal, request: Request, leaving: Leaving
) -> JSONResponse | AnswerStream:
    if "application/json" not in request.headers.get("accept", ""):
        return AnswerStream(running.pieces(), leaving)
    await finished(running.events(), request, leaving)
    return JSONResponse(await in_thread(lambda: _turn_told(parts.conversations.shown(running.turn, reader))))


def _exchange(turn: Turn) -> Exchange:
    answer = turn.answer
    if answer is None:
        return Exchange(turn.question, turn.searched)
    said = "" if answer.outcome is Outcome.NO_EVIDENCE else answer.text  # a refusal names no subject of its own
    return Exchange(turn.question, turn.searched, said, answer.language, answer.label)


def _turn(parts: Parts, reader: Principal, conversation_id: str, number: int) -> Turn:
    turns = parts.conversations.one(conversation_id, reader).turns
    return next(turn for turn in turns if turn.number == number)


def _told(conversation: Conversation) -> dict[str, Any]:
    told = {name: getattr(conversation, name) for name in ("id", "title", "created_at", "changed_at")}
    return {**told, "scope": dict(conversation.scope), "turns": [_turn_told(turn) for turn in conversation.turns]}


def _turn_told(turn: Turn) -> dict[str, Any]:
    names = ("number", "kind", "question", "searched", "state", "asked_at", "answer", "hidden")
    given = turn.feedback
    said = {name: getattr(given, name) for name in ("rating", "reason", "comment", "given_at")} if given else None
    return {
        **{name: plain(getattr(turn, name)) for name in names},
        "documents": plain(turn.read),
        "comparison": comparison_told(turn.comparison) if turn.comparison else None,
        "feedback": said,
    }


def _line(summary: Summary) -> dict[str, Any]:
    told = {name: getattr(summary, name) for name in ("id", "title", "created_at", "changed_at", "turns")}
    first = summary.first
    return {**told, "first": {"kind": first.kind.value, "documents": plain(first.read)} if first else None}
