"""The application: routes under /v1, sign-in, the page mounted beside them, and what stands before every request."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant import __version__
from assistant.build import Parts
from assistant.egress import is_loopback
from assistant.errors import (
    AccessViolation,
    AssistantError,
    Conflict,
    Forbidden,
    InstanceBusy,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    SignInRequired,
)
from assistant.service import (
    adaptation,
    answers,
    archivists,
    compatible,
    conversations,
    documents,
    gold,
    reading,
    receipts,
)
from assistant.service.bodies import CheckedBodies
from assistant.service.reference import reference_page
from assistant.service.requests import signed_in
from assistant.service.security import Gate, HeadAnswered, KnownHosts, SecurityHeaders, host_name
from assistant.service.sign_in_page import sign_in_page
from assistant.sessions import cookie_name

_LOG = logging.getLogger(__name__)

_STATUS: Mapping[type[AssistantError], int] = {
    SignInRequired: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    InstanceBusy: 409,
    InvalidRequest: 422,
    ServiceUnavailable: 503,
}
_TYPES: Mapping[int, str] = {400: "invalid_request", 404: "not_found", 405: "method_not_allowed"}
"""Of what the framework refuses by itself."""
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)


class Problem(BaseModel):
    """What went wrong, without any word of a document or a question."""

    type: Annotated[str, Field(examples=["invalid_request", "sign_in_required", "not_found", "conflict"])]
    message: Annotated[str, Field(description="For people; may be worded anew in any release")]


class Failure(BaseModel):
    """Every reply with a status from 400 on, whatever the route."""

    error: Problem


_FAILURE: dict[str, Any] = {
    "model": Failure,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},  # also of what gives files
}


def create_interface(parts: Parts) -> FastAPI:
    """The HTTP interface alone: everything under /v1, and sign-in."""
    app = FastAPI(
        title="Sovereign knowledge assistant",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses={"4XX": _FAILURE, "5XX": _FAILURE},
    )
    app.state.parts = parts
    app.add_middleware(
        CheckedBodies,
        sign_in=lambda headers: signed_in(parts, headers),
        most_file_bytes=parts.settings.service.max_upload_mb * 1024 * 1024,
    )
    for router in (
        answers.router,
        conversations.router,
        archivists.router,
        receipts.router,
        reading.router,
        documents.router,
        gold.router,
        adaptation.router,
        compatible.router,
    ):
        app.include_router(router, prefix="/v1")
    _add_health(app)
    _add_sign_in(app, parts)
    app.add_exception_handler(AssistantError, _known_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OSError, _broken_disk)
    app.add_exception_handler(Exception, _unexpected_error)
    return app


def protected(interface: FastAPI, page: ASGIApp | None, parts: Parts) -> ASGIApp:
    """The whole application: interface, page, and the checks before both. Without a page, `/` answers 404."""
    service = parts.settings.service
    names = {"127.0.0.1", "localhost", "::1", service.host, urlsplit(service.public_url).hostname or "localhost"}
    knows_its_names = is_loopback(service.host) or bool(service.public_url)
    answering: ASGIApp = HeadAnswered(interface)
    inner: ASGIApp = (
        Gate(_Beside(answering, page), parts.sign_in, cookie_name(parts.settings.home)) if page else answering
    )
    return SecurityHeaders(KnownHosts(inner, frozenset(names) if knows_its_names else None))


def is_wildcard(host: str) -> bool:
    """True when `host` means every address of the machine."""
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to


class _Beside:
    """Sends the interface's paths to the interface, everything else (start and stop included) to the page."""

    def __init__(self, interface: ASGIApp, page: ASGIApp) -> None:
        self._interface = interface
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(("/v1/", "/enter", "/leave"))
        await (self._interface if ours else self._page)(scope, receive, send)


def _add_health(app: FastAPI) -> None:
    @app.get("/v1/health", tags=["operation"])
    def health() -> dict[str, str]:
        """Whether the service is up. Says nothing about documents, and needs no sign-in."""
        return {"status": "ok", "version": __version__}

    @app.get("/v1/docs", tags=["operation"], response_class=HTMLResponse)
    def reference() -> HTMLResponse:
        """This interface, described on one page without outside resources."""
        return HTMLResponse(reference_page(app.openapi()))


def _add_sign_in(app: FastAPI, parts: Parts) -> None:
    public = urlsplit(parts.settings.service.public_url)
    cookie = cookie_name(parts.settings.home)

    def signed_in(key: str, request: Request) -> Response:
        try:
            token = parts.sign_in.session(key.strip())
        except SignInRequired:
            return HTMLResponse(sign_in_page(parts.settings.instance.name, refused=True), status_code=401)
        response = RedirectResponse("/", status_code=303)
        # Only what came by the proxy came by TLS; on this machine itself the page is opened without.
        secure = public.scheme == "https" and host_name(request.headers.get("host", "")) == public.hostname
        response.set_cookie(
            cookie, token, max_age=parts.sign_in.session_seconds, httponly=True, secure=secure, samesite="lax", path="/"
        )
        return response

    @app.get("/enter", include_in_schema=False)
    def enter(request: Request, key: str | None = None) -> Response:
        return (
            signed_in(key, request) if key else HTMLResponse(sign_in_page(parts.settings.instance.name, refused=False))
        )

    @app.post("/enter", include_in_schema=False)
    def enter_form(request: Request, key: Annotated[str, Form()] = "") -> Response:
        return signed_in(key, request)

    @app.post("/leave", include_in_schema=False)
    def leave() -> Response:
        response = RedirectResponse("/enter", status_code=303)
        response.delete_cookie(cookie, path="/")
        return response


def _error(kind: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status, headers=headers)


def _known_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AssistantError)
    if isinstance(error, AccessViolation):
        _LOG.critical("access violation at %s: %s", request.url.path, error)
        return _error("internal", "the request was stopped", 500)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    challenge = {"www-authenticate": "Bearer"} if status == 401 else None
    return _error(answers.error_type(error), str(error), status, challenge)


def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes) and "json" not in request.headers.get("content-type", ""):
        return _error("invalid_request", "send the body as JSON, with the header `content-type: application/json`", 422)
    problems = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
    return _error("invalid_request", problems, 422)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, AssistantError):  # raised while the framework read the body
        return _known_error(request, error.__cause__)
    if isinstance(error.__cause__, OSError):
        return _broken_disk(request, error.__cause__)
    status = error.status_code
    return _error(_TYPES.get(status, "http"), str(error.detail), status, error.headers)


def _broken_disk(request: Request, error: Exception) -> JSONResponse:
    """Full, read-only or broken disks, and too many open files, are for the operator to mend; anything else is a bug."""
    assert isinstance(error, OSError)
    if error.errno not in _OF_THE_MACHINE:
        return _unexpected_error(request, error)
    _LOG.warning("%s was refused: %s", request.url.path, error)
    what = f"the service cannot write or read its files now ({error.strerror})"
    return _error("service_unavailable", f"{what}; check its disks, those for temporary files too, then try again", 503)


def _unexpected_error(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("unexpected %s at %s", type(error).__name__, request.url.path, exc_info=error)
    return _error("internal", "something went wrong; the service's log has the details", 500)
