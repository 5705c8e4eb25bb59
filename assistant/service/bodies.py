"""What a request brings along is looked at before any route reads it: not too much, and text that can be written down.

Half of a character (a lone UTF-16 surrogate, what is left of an emoji that a program cut in two) can stand in JSON but in no
UTF-8. Once kept in a title it would make every later list of that reader fail, so it stops here.
"""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 32 << 20
"""Of a body that is not an upload. The longest that makes sense is a page's text or a chat's history, a few megabytes."""
_HALF = "the text holds half of a character (a lone surrogate); send whole ones"


class CheckedBodies:
    """Refuses with 413 what is too large and with 422 half characters; uploads (multipart) pass, routes have limits for them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-type", "").startswith("multipart/"):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            await _refused("too_large", f"the body is larger than {MOST_BODY_BYTES >> 20} MB", 413)(
                scope, receive, send
            )
        elif not is_writable(body):
            await _refused("invalid_request", _HALF, 422)(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)


def is_writable(body: bytes) -> bool:
    """False for JSON with a string that cannot be written as UTF-8. What is no JSON is for others to refuse.

    >>> is_writable(b'{"title": "\\\\ud83d\\\\ude00"}'), is_writable(b'{"title": "\\\\ud83d"}'), is_writable(b"{")
    (True, False, True)
    """
    if b"\\u" not in body and b"\xed" not in body and b"\0" not in body:
        return True
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return True
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(kind: str, message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or what came of it before the sender left; None when it is too large."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        piece = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` with the body first, in one piece; after it whatever comes: that the sender leaves, for example."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return whole.pop() if whole else await receive()

    return received
