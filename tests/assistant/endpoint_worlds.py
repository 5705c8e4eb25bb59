"""Small worlds for the tests of endpoints: descriptions with short limits, and what came out of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assistant.access import Label
from assistant.endpoints import (
    Broken,
    ChatMessage,
    EndpointDescription,
    Limits,
    ModelEvent,
    ModelRouter,
    Need,
    Piece,
)
from assistant.endpoints.client import load
from assistant.errors import ModelsUnavailable
from tests.endpoint_server import MODEL

SHORT = Limits(connect_s=1, first_token_s=1, between_tokens_s=1, total_s=5)
PATIENT = Limits(connect_s=5, first_token_s=20, between_tokens_s=20, total_s=60)
LANGUAGES = frozenset({"fr", "ar", "en"})


def described(
    url: str,
    name: str = "one",
    *,
    model: str = MODEL,
    clearance: str = "secret",
    languages: frozenset[str] = LANGUAGES,
    limits: Limits = SHORT,
    concurrency: int = 8,
    key: str = "",
) -> EndpointDescription:
    label = Label.parse(clearance)
    return EndpointDescription(
        name, url, model, languages, 4096, label, concurrency=concurrency, limits=limits, key=key
    )


def router(*endpoints: EndpointDescription, wait_s: float = 3.0, probing: bool = False) -> ModelRouter:
    load()  # which takes seconds once, and is no part of what is timed
    return ModelRouter(endpoints, wait_s=wait_s, probing=probing)


def need(reader: str = "amina", *, label: str = "public", language: str = "fr") -> Need:
    return Need(reader, Label.parse(label), language)


def question(text: str = "Quel est le délai ?") -> list[ChatMessage]:
    return [ChatMessage("system", "Réponds."), ChatMessage("user", text)]


@dataclass
class Came:
    """What a stream gave: events without pieces, the text that no `Broken` took back, the error, and how long it took."""

    events: list[ModelEvent] = field(default_factory=list)
    text: str = ""
    unavailable: str = ""
    seconds: float = 0.0


def collected(
    models: ModelRouter,
    messages: Sequence[ChatMessage] | None = None,
    of: Need | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Came:
    came, began = Came(), time.monotonic()
    try:
        for event in models.stream(messages or question(), of or need(), stopped):
            if isinstance(event, Piece):
                came.text += event.text
            else:
                came.text = "" if isinstance(event, Broken) else came.text
                came.events.append(event)
    except ModelsUnavailable as error:
        came.unavailable = str(error)
    came.seconds = time.monotonic() - began
    return came


def wait_until(true: Callable[[], bool], within_s: float = 30.0) -> bool:
    ends = time.monotonic() + within_s
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True
