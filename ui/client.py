"""Who is visiting, as the service sees it. The browser asks for all the rest itself, with the reader's cookie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assistant.client import ServiceClient
from assistant.errors import AssistantError, Forbidden, SignInRequired

_TIMEOUT_S = 10.0


class Standing(StrEnum):
    """How a visitor stands with the service."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor's standing and, when signed in, what the service says about itself."""

    standing: Standing
    instance: dict[str, Any] | None = None
    """The JSON of `GET /v1/instance`, handed to the browser as it is."""


def visit(service_url: str, token: str | None) -> Visit:
    """Who is here: asks the service with the visitor's own token, so that rights are decided in one place."""
    if not token:
        return Visit(Standing.SIGNED_OUT)
    try:
        with ServiceClient(service_url, token=token, timeout_s=_TIMEOUT_S) as client:
            return Visit(Standing.SIGNED_IN, client.instance())
    except (SignInRequired, Forbidden):
        return Visit(Standing.SIGNED_OUT)
    except AssistantError:
        return Visit(Standing.UNAVAILABLE)
