"""What commands share: the instance, a client of its service, and how results are shown."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assistant import egress
from assistant.client import ServiceClient, announced_url
from assistant.config import Settings, instance_file, load_settings
from assistant.errors import ConfigurationError, InstanceBusy
from assistant.sessions import local_key

_PATIENCE_S, _LOOK_S = 120.0, 0.3

Instance = Annotated[
    Path | None,
    typer.Option("--instance", help="Instance file; default: $ASSISTANT_INSTANCE, else configs/default.toml"),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON value, with the schema given in docs/command-line.md")
]

console = Console(highlight=False)
problems = Console(stderr=True, highlight=False)


def settings_of(instance: Path | None) -> Settings:
    """The settings of the instance; from here on this process reaches loopback and the allow-list only.

    Raises ConfigurationError for a wrong setting, and for a data folder that belongs to somebody else.
    """
    settings = load_settings(instance_file(instance))
    egress.guard(settings.egress.allow)
    require_own(settings.home)
    return settings


def require_own(home: Path) -> None:
    """Refuse a data folder that this user may not look into. Raises ConfigurationError."""
    try:
        if not home.exists() or os.access(home, os.R_OK | os.X_OK, effective_ids=True):
            return
    except PermissionError:
        pass
    raise ConfigurationError(
        f"{home}: you may not read this data folder; run the command as the user whom the service runs as, as in"
        " `sudo -u assistant …`"
    )


@contextmanager
def service_of(settings: Settings) -> Iterator[ServiceClient]:
    """A client of the running service, or of one that lives as long as the block; waits for one that starts or stops.

    Raises InstanceBusy when another command holds the instance, or when the service takes longer than two minutes.
    """
    with ExitStack() as stack:
        yield _client(settings, stack)


def _client(settings: Settings, stack: ExitStack) -> ServiceClient:
    until, told = time.monotonic() + _PATIENCE_S, False
    while True:
        client = _running_service(settings, stack)
        if client:
            return client
        try:
            return _own_service(settings, stack)
        except InstanceBusy as busy:
            if not busy.by_service or time.monotonic() > until:
                raise
        if not told:
            problems.print("· the service of this instance is starting or stopping; waiting for it")
        told = True
        time.sleep(_LOOK_S)


def _running_service(settings: Settings, stack: ExitStack) -> ServiceClient | None:
    """A client of the running service until `stack` is closed; None when none answers."""
    url = announced_url(settings.home)
    client = ServiceClient(url, token=local_key(settings.home / "keys")) if url else None
    if client is None or not stack.enter_context(client).is_up():
        return None
    return client


def _own_service(settings: Settings, stack: ExitStack) -> ServiceClient:
    from assistant.build import opened
    from assistant.service.serving import serving

    parts = stack.enter_context(opened(settings))
    own = stack.enter_context(serving(parts, port=0, with_page=False, announced=False))
    client = stack.enter_context(ServiceClient(own.url, token=local_key(settings.home / "keys"), is_lasting=False))
    parts.ingestion.start()
    return client


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
