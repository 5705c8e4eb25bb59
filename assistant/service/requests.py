"""What every route needs of a request: the instance's parts, and the reader, or no further."""

from __future__ import annotations

import json
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.datastructures import Headers

from assistant.access import Principal
from assistant.build import Parts
from assistant.errors import InvalidRequest, SignInRequired
from assistant.scope import Scope
from assistant.service.security import session_cookie
from assistant.sessions import COOKIE, cookie_name


def parts_of(request: Request) -> Parts:
    """The instance that serves this request."""
    return cast(Parts, request.app.state.parts)


_BEARER = HTTPBearer(auto_error=False, description="The key, or a session")
_SESSION = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description="What `/enter` sets in a browser; `_` and letters of the instance's own follow in its name",
)


def principal_of(
    request: Request, _b: Annotated[object, Security(_BEARER)], _s: Annotated[object, Security(_SESSION)]
) -> Principal:
    """The reader: from the bearer token when there is one, else from the session cookie. Raises SignInRequired."""
    return signed_in(parts_of(request), request.headers)


def signed_in(parts: Parts, headers: Headers) -> Principal:
    """Whoever sends a request with these headers. Raises SignInRequired."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise SignInRequired("send the key or session as `Authorization: Bearer …`")
    if not scheme:
        token = session_cookie(headers, cookie_name(parts.settings.home))
    return parts.sign_in.principal(token.strip())


Serving = Annotated[Parts, Depends(parts_of)]
Reader = Annotated[Principal, Depends(principal_of)]


def scope_from_text(text: str) -> Scope:
    """The scope in a query parameter; empty does not limit. Raises InvalidRequest when it is no JSON object."""
    if not text:
        return Scope.everything
    try:
        given = json.loads(text)
        json.dumps(given, ensure_ascii=False).encode()  # half a character cannot be looked for
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("scope: write it as a JSON object") from error
    return Scope.from_json(given)
