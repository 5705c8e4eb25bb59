"""What a request brings along is looked at before any route reads it: not too much, and text that can be written down.

Half of a character (a lone UTF-16 surrogate, what is left of an emoji that a program cut in two) can stand in JSON but in no
UTF-8. Once kept in a title it would make every later list of that reader fail, so it stops here.

The framework writes uploads to the disk before it asks who sends them. So whoever is not signed in is refused here, before the
first byte, and an upload stops being written when one of its files is larger than any that is taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import Message as Fields

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import InvalidRequest, SignInRequired

MOST_BODY_BYTES = 32 << 20
"""Of a body that is not an upload. The longest that makes sense is a page's text or a chat's history, a few megabytes."""
_BESIDE_A_FILE = 1 << 20
"""Headers of a part, and the piece in which a file ends: the route looks at the exact size."""
_HALF = "the text holds half of a character (a lone surrogate); send whole ones"


class CheckedBodies:
    """Refuses with 413 what is too large, with 422 half characters, with 401 uploads (multipart) of somebody unknown.

    An upload passes piece by piece; one of its files that is larger than `most_file_bytes` ends it. What ends an upload is
    raised where its body is read, so that it is answered as every other error is.
    """

    def __init__(self, app: ASGIApp, *, sign_in: Callable[[Headers], object], most_file_bytes: int) -> None:
        """`sign_in` raises SignInRequired unless a request with these headers comes from somebody known."""
        self._app = app
        self._sign_in = sign_in
        self._most_file_bytes = most_file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-type", "").startswith("multipart/") and scope["path"].startswith("/v1/"):
            await self._app(scope, self._upload(headers, receive), send)
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

    def _upload(self, headers: Headers, receive: Receive) -> Receive:
        """`receive` for an upload: raises what there is to say against it."""
        try:
            self._sign_in(headers)
        except SignInRequired as error:
            return _raising(error)
        fields = Fields()
        fields["content-type"] = headers["content-type"]
        boundary = fields.get_param("boundary")
        return _Measured(receive, str(boundary).encode(), self._most_file_bytes) if boundary else receive


class _Measured:
    """`receive` of an upload that passes no more of a file than is taken. The rest is dropped: who sends listens at the end."""

    def __init__(self, receive: Receive, boundary: bytes, most_bytes: int) -> None:
        self._receive = receive
        self._mark = b"--" + boundary
        self._most_bytes = most_bytes
        self._before = b""
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._measure(message.get("body", b""))
        if self._size <= self._most_bytes + _BESIDE_A_FILE:
            return message
        while message.get("more_body", False):
            message = await self._receive()
        raise InvalidRequest(
            f"a file is larger than {self._most_bytes >> 20} MB; divide it, or have the operator raise service.max_upload_mb"
        )

    def _measure(self, piece: bytes) -> None:
        """Count what has come since the last boundary, which may lie across two pieces."""
        seen = self._before + piece
        last = seen.rfind(self._mark)
        self._size = self._size + len(piece) if last < 0 else len(seen) - last
        self._before = seen[-len(self._mark) + 1 :]


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


def _raising(error: Exception) -> Receive:
    async def raised() -> Message:
        raise error

    return raised
