"""What stands before every request: response headers, the host check, and the gate before the page."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import SignInRequired
from assistant.sessions import SignIn

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_OPEN_PATHS = ("/v1/", "/enter", "/leave")
"""Paths that do their own checking. Everything else is the page and needs a session."""


class SecurityHeaders:
    """Puts the headers on every response of the application it wraps, errors included.

    What the interface tells is kept by no browser and no proxy: the next reader of the same machine may have other rights, and
    the same reader after a label has risen.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("cache-control", "no-store")
                del headers["server"]
            await send(message)

        await self._application(scope, receive, send_with_headers)


class HeadAnswered:
    """Answers HEAD as it would answer GET, without the body (RFC 9110, 9.3.2): balancers ask `/v1/health` so."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._application({**scope, "method": "GET"}, receive, send_head)
        else:
            await self._application(scope, receive, send)


class KnownHosts:
    """Refuses requests for host names that are not ours, so that no outside name can be re-bound to this address.

    An unsafe request or a websocket from a page of another origin is refused as well, whatever the host.
    """

    def __init__(self, application: ASGIApp, hosts: frozenset[str] | None) -> None:
        """Without `hosts` every name is ours: a service that listens beyond this machine and was told no name."""
        self._application = application
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._is_ours(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
                return
            message = (
                "this address does not serve that host or origin; behind a proxy, set service.public_url and have the proxy"
                " pass the host on"
            )
            body = {"error": {"type": "forbidden", "message": message}}
            await JSONResponse(body, status_code=403)(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and host_name(host) not in self._hosts:
            return False
        unsafe = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        origin = headers.get("origin")
        return not (unsafe and origin) or urlsplit(origin or "").netloc == host


class Gate:
    """Lets nobody near the page without a valid session; API paths check for themselves."""

    def __init__(self, application: ASGIApp, sign_in: SignIn, cookie: str) -> None:
        """`cookie` is the name of this instance's session cookie."""
        self._application = application
        self._sign_in = sign_in
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] in ("http", "websocket") and not scope["path"].startswith(_OPEN_PATHS)
        if guarded and not self._has_session(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4401})
            else:
                await RedirectResponse("/enter", status_code=303)(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _has_session(self, scope: Scope) -> bool:
        try:
            self._sign_in.principal(session_cookie(Headers(scope=scope), self._cookie))
        except SignInRequired:
            return False
        return True


def session_cookie(headers: Headers, name: str) -> str:
    """The session token in a request's cookie of this name; empty when there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def host_name(host: str) -> str:
    """The name in a `Host` header, without the port."""
    return urlsplit(f"//{host}").hostname or ""
