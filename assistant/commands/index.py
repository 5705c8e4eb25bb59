"""`assistant index …`: the index of passages, as files."""

from __future__ import annotations

import typer

from assistant.build import discard_index
from assistant.commands.session import AsJson, Instance, console, print_json, settings_of

index = typer.Typer(help="The index of passages.", no_args_is_help=True)


@index.callback()
def _about() -> None:
    """A group, though it has one command yet."""


@index.command("rebuild")
def rebuild(instance: Instance = None, as_json: AsJson = False) -> None:
    """Delete the index; the next start makes it anew from the archive.

    For an index that another version of this program or another encoder built, or a damaged one. The service must not run.
    Nothing that was handed in is touched. Until everything is indexed again, answers miss documents.
    """
    freed = discard_index(settings_of(instance))
    if as_json:
        print_json({"freed_bytes": freed})
    else:
        console.print(f"the index is deleted ({freed >> 20} MB); start the service, and every document is indexed anew")
