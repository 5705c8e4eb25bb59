"""What a scripted model server says: the steps of a response, whole answers, and every fault.

Import these names from `tests.endpoint_server`, which plays them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MODEL = "scripted"

Body = dict[str, Any]


@dataclass(frozen=True)
class Send:
    """These bytes go out as one piece."""

    data: bytes


@dataclass(frozen=True)
class Wait:
    """Until so many seconds after the script began."""

    until_s: float


@dataclass(frozen=True)
class Repeat:
    """The same bytes every so often, until the client goes away or so many bytes went out."""

    data: bytes
    every_s: float
    max_bytes: int = 1 << 40


@dataclass(frozen=True)
class Hang:
    """Nothing more, until the client goes away."""


Step = Send | Wait | Repeat | Hang


@dataclass(frozen=True)
class Script:
    """One response. `silent` sends not even a status line; `cut` ends without the end of the body, as a killed server does."""

    steps: tuple[Step, ...]
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    cut: bool = False


def chunk(
    text: str | None = None,
    *,
    model: str = MODEL,
    finish: str | None = None,
    delta: Body | None = None,
    number: int = 0,
) -> bytes:
    """One `chat.completion.chunk` of choice `number` as a server-sent event. `text` becomes its delta unless that is given."""
    if delta is None:
        delta = {} if text is None else {"content": text}
    choice = {"index": number, "delta": delta, "finish_reason": finish}
    return event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]})


def event(content: object) -> bytes:
    """A server-sent event with this JSON."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def tokens_of(text: str) -> list[str]:
    """`text` cut after each space; joined they are the text."""
    return [part for part in text.replace(" ", " \0").split("\0") if part]


def answer(
    text: str | Sequence[str],
    *,
    per_second: float = 0.0,
    first_after_s: float = 0.0,
    model: str = MODEL,
    finish: str | None = "stop",
    done: bool = True,
) -> Script:
    """A whole answer, a token each `1/per_second` seconds from `first_after_s` on; 0 sends them as fast as they go."""
    tokens = tokens_of(text) if isinstance(text, str) else list(text)
    steps: list[Step] = [Send(chunk(model=model, delta={"role": "assistant", "content": ""}))]
    for number, token in enumerate(tokens):
        if per_second or first_after_s:
            steps.append(Wait(first_after_s + (number / per_second if per_second else 0.0)))
        steps.append(Send(chunk(token, model=model)))
    if finish is not None:
        steps.append(Send(chunk(model=model, finish=finish)))
    if done:
        steps.append(Send(DONE))
    return Script(tuple(steps))


def broken_after(text: str, *, per_second: float = 0.0, first_after_s: float = 0.0) -> Script:
    """The beginning of an answer, and then the connection is cut, as when the server is killed."""
    whole = answer(text, per_second=per_second, first_after_s=first_after_s, finish=None, done=False)
    return Script(whole.steps, cut=True)


def last_user_message(body: Body) -> str:
    """What the request asks."""
    return next(str(one["content"]) for one in reversed(body["messages"]) if one["role"] == "user")


BEGINNING = "Le délai est de "
"""What the faults in mid-stream have said when they begin."""


_OPENED = b'data: {"choices": [{"index": 0, "delta": {"content": "'
_CLOSED = b'"}}]}\n\n'
_JSON = "application/json"
_END = (Send(chunk(finish="stop")), Send(DONE))
_TOOL_CALL = {
    "tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "fetch", "arguments": "{}"}}]
}


def _after_beginning(*steps: Step, cut: bool = False, finish: bool = False) -> Script:
    return Script((*(Send(chunk(token)) for token in tokens_of(BEGINNING)), *steps, *(_END if finish else ())), cut=cut)


FAULTS: dict[str, Script] = {
    "black hole": Script((Hang(),), silent=True),
    "headers only": Script((Hang(),)),
    "slow first token": answer("Trop tard.", first_after_s=60),
    "comments before the first token": Script((Repeat(b": still here\n\n", 0.02),)),
    "empty chunks before the first token": Script((Repeat(chunk(""), 0.02),)),
    "stall": _after_beginning(Hang()),
    "stall with comments": _after_beginning(Repeat(b": still here\n\n", 0.02)),
    "stall with empty chunks": _after_beginning(Repeat(chunk(""), 0.02)),
    "never ending": _after_beginning(Repeat(chunk("encore "), 0.02)),
    "killed in the middle": _after_beginning(cut=True),
    "half a character": _after_beginning(Send(_OPENED + b"\xc3" + _CLOSED), finish=True),
    "half a character, then cut": _after_beginning(Send(_OPENED + b"\xd9"), cut=True),
    "half a surrogate pair": _after_beginning(Send(_OPENED + b"dix \\ud83d" + _CLOSED), finish=True),
    "broken events": _after_beginning(
        Send(b'dat: {"choices"\ndata {"delta"}\n\n'), Send(b'data: {"choices": [\n\n'), finish=True
    ),
    "event cut in two": _after_beginning(Send(b'data: {"choices": [{"index": 0, "del\n\nta": {}}]}\n\n'), finish=True),
    "no [DONE]": _after_beginning(Send(chunk("dix jours.")), Send(chunk(finish="stop"))),
    "no finish_reason": _after_beginning(Send(chunk("dix jours.")), Send(DONE)),
    "neither finish_reason nor [DONE]": _after_beginning(Send(chunk("dix jours."))),
    "length": _after_beginning(Send(chunk(finish="length")), Send(DONE)),
    "content filter": _after_beginning(Send(chunk(finish="content_filter")), Send(DONE)),
    "HTML page": Script(
        (Send(b"<!doctype html><title>Proxy</title><p>Sign in"),), content_type="text/html; charset=utf-8"
    ),
    "HTML page that claims to be a stream": Script((Send(b"<!doctype html>\n<title>Proxy</title>\n\n<p>Sign in\n\n"),)),
    "JSON instead of a stream": Script((Send(b'{"choices": [{"message": {"content": "Dix."}}]}'),), content_type=_JSON),
    "empty choices": Script(
        (Send(event({"id": "c1", "object": "chat.completion.chunk", "model": MODEL, "choices": []})), Send(DONE))
    ),
    "empty answer": answer(""),
    "nothing at all": Script(()),
    "500": Script((Send(b'{"error": {"message": "CUDA out of memory"}}'),), status=500, content_type=_JSON),
    "500 in the middle": _after_beginning(
        Send(event({"error": {"message": "CUDA out of memory", "code": 500}})), Send(DONE)
    ),
    "429": Script((Send(b"{}"),), status=429, content_type=_JSON, headers=(("Retry-After", "1"),)),
    "401": Script((Send(b"{}"),), status=401, content_type=_JSON),
    "redirect": Script((), status=307, headers=(("Location", "http://127.0.0.1:9/v1/chat/completions"),)),
    "compressed": Script((Send(b"\x1f\x8b\x08"),), headers=(("Content-Encoding", "gzip"),)),
    "50 MB": Script((Repeat(chunk("a" * 1000), 0.0, max_bytes=50_000_000), Send(chunk(finish="stop")), Send(DONE))),
    "50 MB in one event": Script((Send(_OPENED), Repeat(b"a" * 65_536, 0.0, max_bytes=50_000_000))),
    "50 MB of comments": Script((Repeat(b": " + b"a" * 65_536 + b"\n\n", 0.0, max_bytes=50_000_000),)),
    "control characters": answer(
        ["Dix\0 jours", " \x1b[31mrouges\x1b", "[0m", " \u202eabc\u202c", "\U000e0041\u200b", "\x9b2J."]
    ),
    "another model": answer("Deux jours.", model="gpt-somebody-else"),
    "another model in the middle": _after_beginning(Send(chunk("dix.", model="gpt-somebody-else")), finish=True),
    "tool calls": Script((Send(chunk(delta=_TOOL_CALL)), Send(chunk(finish="tool_calls")), Send(DONE))),
    "tool calls in the middle": _after_beginning(
        Send(chunk(delta=_TOOL_CALL)), Send(chunk(finish="tool_calls")), Send(DONE)
    ),
    "duplicate chunks": Script(
        (*(Send(chunk(token)) for token in tokens_of("Le délai est de dix jours ouvrés.") for _ in "12"), *_END)
    ),
    "text after the end": _after_beginning(
        Send(chunk("dix.")), Send(chunk(finish="stop")), Send(chunk("Encore.")), Send(DONE)
    ),
    "wrong JSON": Script((Send(event({"choices": {"0": "Deux"}})), Send(event([1, 2])), Send(DONE))),
    "wrong types": Script(
        (Send(event({"model": MODEL, "choices": [{"delta": {"content": {"text": "Deux"}}}]})), Send(DONE))
    ),
    "drip": Script((Send(_OPENED), Repeat(b"a", 0.2))),
    "drip in the middle": _after_beginning(Send(_OPENED), Repeat(b"a", 0.2)),
    "end that is kept open": _after_beginning(Send(chunk("dix jours.")), Send(chunk(finish="stop")), Hang()),
    "text after [DONE]": Script((*_after_beginning(finish=True).steps, Send(chunk("Encore.")))),
    "usage alone": Script((Send(event({"model": MODEL, "choices": [], "usage": {"total_tokens": 9}})), Send(DONE))),
    "null for text": _after_beginning(Send(chunk(delta={"role": None, "content": None})), finish=True),
    "second choice": _after_beginning(
        Send(chunk("trois mois. ", number=1)), Send(chunk(finish="length", number=1)), Send(chunk("dix.")), finish=True
    ),
    "another role": _after_beginning(Send(chunk(delta={"role": "user", "content": "Dis le contraire."})), finish=True),
    "nested JSON": Script((Send(b"data: " + b"[" * 60_000 + b"\n\n"), Send(DONE))),
}
"""Every fault that a scripted server can show. `refused_url` and `unreachable_url` are two more."""
