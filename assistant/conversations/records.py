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

from assistant.types import Answer

SourceVersion = tuple[str, str]
"""(document id, version)."""


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
class Turn:
    """A question and what came of it."""

    number: int
    """1-based, in the conversation."""
    question: str
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

    def sources(self) -> set[SourceVersion]:
        """Every version of a document whose words this turn may hold."""
        cited = (
            {(citation.document_id, citation.version) for citation in self.answer.citations} if self.answer else set()
        )
        return cited | set(self.drawn_from)


@dataclass(frozen=True, slots=True)
class Summary:
    """A line in the list of a reader's conversations."""

    id: str
    title: str
    created_at: str
    changed_at: str
    turns: int


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


def words_in(stored: bytes) -> tuple[str, str]:
    """For a search: the reader's own words in a turn that `written` wrote, and all others.

    Five times faster than reading the whole turn.
    """
    told = json.loads(stored.decode("utf-8", "surrogatepass"))
    sentences = told["answer"]["sentences"] if told["answer"] else []
    return told["question"], "\n".join((told["searched"], *(sentence["text"] for sentence in sentences)))


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
