"""What answering needs of model endpoints: the request, the events of a stream, and the router that gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from assistant.access import Label


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True)
class Need:
    """What a request needs of an endpoint."""

    reader: str
    """Principal id: readers take turns."""
    label: Label
    """Join of the labels of everything in the prompt."""
    language: str
    schema: dict[str, Any] | None = None
    max_tokens: int = 700


@dataclass(frozen=True, slots=True)
class Queued:
    """Standing in line at this place, 1-based."""

    place: int


@dataclass(frozen=True, slots=True)
class Started:
    """A stream begins, from the beginning."""

    endpoint: str
    model: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text."""

    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream in hand failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event."""

    complete: bool
    reason: str


ModelEvent = Queued | Started | Piece | Broken | Ended


class Router(Protocol):
    """See `assistant.endpoints`."""

    def stream(
        self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]
    ) -> Iterator[ModelEvent]: ...
    def available(self, need: Need) -> bool: ...
    def context_tokens(self, need: Need) -> int: ...
    def count_tokens(self, text: str) -> int: ...
