"""How values look on the wire: dataclasses become JSON objects, labels their canonical strings."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

from assistant.access import Label
from assistant.changes import Comparison
from assistant.types import AnswerEvent, AnswerReady, AnswerRestarted, AnswerWaiting, EvidenceReady, SentenceReady

EVENT_NAMES: dict[type, str] = {
    EvidenceReady: "evidence",
    AnswerWaiting: "waiting",
    AnswerRestarted: "restarted",
    SentenceReady: "sentence",
    AnswerReady: "answer",
}


def plain(value: object) -> Any:
    """`value` in terms of dict, list, str, int, float, bool and None.

    >>> from assistant.types import Span
    >>> plain((Span(0, 3), Label.parse("internal")))
    [{'start': 0, 'end': 3}, 'internal']
    """
    if isinstance(value, Label):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def comparison_told(found: Comparison) -> dict[str, Any]:
    """A comparison with its texts as `from` and `to`."""
    body: dict[str, Any] = plain(found)
    return {"from": body.pop("before"), "to": body.pop("after"), **body}


def server_sent(event: AnswerEvent) -> bytes:
    """One event of an answer as a server-sent event (WHATWG HTML, section 9.2)."""
    body = plain(event.answer if isinstance(event, AnswerReady) else event)
    return named_event(EVENT_NAMES[type(event)], body)


def named_event(name: str, body: object) -> bytes:
    """A server-sent event with a JSON body on one line."""
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
