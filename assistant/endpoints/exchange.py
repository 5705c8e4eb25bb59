"""What is asked of the models and what comes back: messages, needs, events, failures, and the description of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from assistant.access import Label


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs of an endpoint. `label` is the join of the labels of everything in the prompt."""

    reader: str
    """Id of the principal: requests wait in a line that is fair between readers."""
    label: Label
    language: str
    schema: Mapping[str, Any] | None = None
    """A JSON schema, sent only where the endpoint was seen to keep to one."""
    max_tokens: int = 700


@dataclass(frozen=True, slots=True)
class Queued:
    """Every endpoint that fits is busy. `place` is 1-based: how many go before this request, and itself."""

    place: int


@dataclass(frozen=True, slots=True)
class Started:
    """Text begins to come. After a `Broken`, it comes from the beginning again, from this endpoint."""

    endpoint: str
    model: str


@dataclass(frozen=True, slots=True)
class Piece:
    """The next characters, without control and bidi characters and the like; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream in hand failed: what has not been released of it must be forgotten."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. Not `complete`: the model was cut off or stopped, and `reason` says by what."""

    complete: bool
    reason: str


ModelEvent = Queued | Started | Piece | Broken | Ended


class Fault(StrEnum):
    """What an endpoint did instead of answering."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    """No connection within `connect_s`."""
    SLOW = "slow"
    """No text within `first_token_s`."""
    STALLED = "stalled"
    """No further text within `between_tokens_s`."""
    TOO_LONG = "too long"
    """Still not at its end after `total_s`. What has come until then counts, as an incomplete answer."""
    TOO_LARGE = "too large"
    NOT_A_STREAM = "not a stream"
    BROKEN_STREAM = "broken stream"
    CUT_OFF = "cut off"
    SERVER_ERROR = "server error"
    BUSY = "busy"
    REJECTED = "rejected"
    """The endpoint will not have this request, as when the prompt is too long for it."""
    NOT_PERMITTED = "not permitted"
    """A wrong key, a wrong address, or an address that this instance may not reach."""
    WRONG_MODEL = "wrong model"
    TOOL_CALL = "tool call"
    EMPTY = "empty"
    REPEATED = "repeated"
    """Each piece came twice."""


OF_THE_REQUEST = frozenset({Fault.TOO_LONG, Fault.TOO_LARGE, Fault.REJECTED, Fault.TOOL_CALL, Fault.EMPTY, Fault.BUSY})
"""Faults that say nothing about the health of an endpoint: a document must not be able to switch a model off for everybody."""


class EndpointFailure(Exception):
    """An endpoint failed. Never leaves this package: the router goes on with the next endpoint."""

    def __init__(self, fault: Fault, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.retry_after_s = retry_after_s


class Stopped(Exception):
    """The reader does not want the rest."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that an endpoint may take, and bytes that it may send."""

    connect_s: float = 2.0
    first_token_s: float = 20.0
    between_tokens_s: float = 10.0
    total_s: float = 120.0
    answer_bytes: int = 2_000_000
    event_bytes: int = 65_536
    """Of one server-sent event, and hence of one piece."""


@dataclass(frozen=True, slots=True)
class EndpointDescription:
    """One endpoint as the operator describes it, its key read from its file."""

    name: str
    url: str
    model: str
    languages: frozenset[str]
    context_tokens: int
    clearance: Label
    concurrency: int = 8
    limits: Limits = Limits()
    key: str = ""
    reported_as: str = ""
    """The name that the server gives its model, where it is not `model`."""
    cache_salt: str = ""
    ca_file: Path | None = None

    def fits(self, need: Need) -> bool:
        """True when this endpoint may see the request and is listed for its language."""
        return self.clearance.dominates(need.label) and need.language in self.languages

    def __repr__(self) -> str:
        """Without the key."""
        return f"EndpointDescription({self.name!r}, {self.url!r}, {self.model!r})"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an endpoint was seen to offer. Nothing is assumed: until it has been asked it offers nothing."""

    json_schema: bool = False
    context_tokens: int | None = None
    """What the server says; None when it does not say."""
    tokenizer: Literal["", "vllm", "llama.cpp", "llama-cpp-python"] = ""
    listed: bool = False
    """The model is in the server's list of models."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """One endpoint now, for whoever looks after the instance."""

    name: str
    model: str
    state: Literal["ready", "away", "on trial", "paused"]
    running: int
    concurrency: int
    languages: tuple[str, ...]
    clearance: str
    context_tokens: int
    """What prompts are cut to: the smaller of what is configured and what the server says."""
    json_schema: bool
    tokenizer: str
    last_fault: str
    """The last thing that went wrong, empty when nothing has since it last answered well."""
