"""Conversations, turns and feedback, and how a turn is written down: JSON of its dataclasses, read back strictly.

A field that a stored turn lacks takes its default, and one that is unknown here is left out, so that turns survive a release
that adds or drops a field.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, Literal, cast

from assistant.changes import Comparison
from assistant.types import Answer

SourceVersion = tuple[str, str]
"""(document id, version)."""


class TurnKind(StrEnum):
    """What the reader asked for."""

    QUESTION = "question"
    SUMMARY = "summary"
    """A whole document summed up."""
    CHANGES = "changes"
    """What differs between two texts."""


class TurnState(StrEnum):
    """How a turn ended."""

    DONE = "done"
    STOPPED = "stopped"
    """The reader left, or the process ended; what was released until then stays."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader said of an answer."""

    rating: Literal["up", "down"]
    reason: str
    """`wrong`, `incomplete`, `not_found`, `citation`, `other`, or empty."""
    comment: str
    given_at: str
    """UTC, ISO 8601."""
    clearance: str
    """Canonical label: the clearance of the reader who gave it. Never sent to a reader."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A whole document that a turn speaks of."""

    document_id: str
    """Empty once it was erased, and so is the version."""
    version: str
    title: str = ""
    """As it is now; empty where it is stored, and for a document that may not be read any more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, or what is to be done with whole documents, and what came of it."""

    number: int
    """1-based, in the conversation."""
    question: str
    """Empty unless it is a question: what else is asked for is said by `kind` and `read`."""
    searched: str
    """The standalone question that was searched; the question itself when nothing was rewritten."""
    state: TurnState
    asked_at: str
    """UTC, ISO 8601."""
    answer: Answer | None = None
    feedback: Feedback | None = None
    hidden: int = 0
    """How many sentences are not shown because their source may not be read any more, or was erased."""
    drawn_from: tuple[SourceVersion, ...] = ()
    """The documents whose words `searched` may hold, since it was made with the answers before it."""
    kind: TurnKind = TurnKind.QUESTION
    read: tuple[ReadDocument, ...] = ()
    """The document that is summed up; the older and the newer text that are compared."""
    comparison: Comparison | None = None

    def sources(self) -> set[SourceVersion]:
        """Every version of a document whose words this turn may hold."""
        citations = self.answer.citations if self.answer else ()
        cited = {(citation.document_id, citation.version) for citation in citations}
        return (
            cited | set(self.drawn_from) | {(each.document_id, each.version) for each in self.read if each.document_id}
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A line in the list of a reader's conversations."""

    id: str
    title: str
    created_at: str
    changed_at: str
    turns: int
    first: Turn | None = None
    """The first turn as its reader may see it now, where the conversation has no title of its own; without its answer."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as its reader may see it now."""

    id: str
    title: str
    created_at: str
    changed_at: str
    scope: Mapping[str, Any]
    turns: tuple[Turn, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """Feedback with the turn it was given to, without the reader who gave it."""

    conversation_id: str
    turn: Turn


def written(turn: Turn) -> bytes:
    """The turn as bytes; `turn_from` reads them."""
    return json.dumps(dataclasses.asdict(turn), ensure_ascii=False).encode("utf-8", "surrogatepass")


def turn_from(stored: bytes) -> Turn:
    """The turn that `written` wrote. Raises ValueError or TypeError for anything else."""
    return cast(Turn, _read(Turn, json.loads(stored.decode("utf-8", "surrogatepass"))))


def words_in(stored: bytes) -> tuple[str, str, bool]:
    """For a search: the reader's own words in a turn that `written` wrote, all others, and whether it names whole documents.

    Five times faster than reading the whole turn. Titles are not stored, so they are not among the words.
    """
    told = json.loads(stored.decode("utf-8", "surrogatepass"))
    sentences = told["answer"]["sentences"] if told["answer"] else []
    changes = told["comparison"]["changes"] if told.get("comparison") else []
    sides = [side for change in changes for side in (change["before"], change["after"]) if side]
    others = "\n".join((told["searched"], *(each["text"] for each in (*sentences, *sides))))
    return told["question"], others, bool(told.get("read"))


def words_of(turn: Turn) -> str:
    """For a search: all words of a turn as its reader may see it now."""
    own, others, _ = words_in(written(turn))
    return "\n".join((own, others, *(each.title for each in turn.read)))


def _read(wanted: Any, value: Any) -> Any:
    """`value`, as JSON gives it, as what the annotation `wanted` says."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        chosen = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _read(chosen, value)
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_read(kind, each) for kind, each in zip(kinds, value, strict=True))
    if dataclasses.is_dataclass(wanted):
        kinds_of = _annotations(cast(type, wanted))
        return cast(Any, wanted)(**{name: _read(kind, value[name]) for name, kind in kinds_of.items() if name in value})
    return wanted(value) if isinstance(wanted, type) and issubclass(wanted, Enum) else value


@lru_cache
def _annotations(wanted: type) -> Mapping[str, Any]:
    hints = typing.get_type_hints(wanted)
    return {each.name: hints[each.name] for each in dataclasses.fields(wanted)}
