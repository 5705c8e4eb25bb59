"""What commands share: the instance, a client of its service, and how results are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assistant import egress
from assistant.client import ServiceClient, announced_url
from assistant.config import Settings, instance_file, load_settings
from assistant.sessions import local_key

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
    """The settings of the instance; from here on this process reaches loopback and the allow-list only."""
    settings = load_settings(instance_file(instance))
    egress.guard(settings.egress.allow)
    return settings


@contextmanager
def service_of(settings: Settings) -> Iterator[ServiceClient]:
    """A client of the running service, or of one that lives as long as the block.

    Raises InstanceBusy when another command holds the instance.
    """
    key = local_key(settings.home / "keys")
    url = announced_url(settings.home)
    if url:
        with ServiceClient(url, token=key) as client:
            if client.is_up():
                yield client
                return
    from assistant.build import opened
    from assistant.service.serving import serving

    with (
        opened(settings) as parts,
        serving(parts, port=0, with_page=False, announced=False) as own,
        ServiceClient(own.url, token=key, is_lasting=False) as client,
    ):
        parts.ingestion.start()
        yield client


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
