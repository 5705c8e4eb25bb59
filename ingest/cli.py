"""`assistant ingest …`: hand documents in and see where each one stands."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from assistant.client import ServiceClient, Upload
from assistant.commands.session import AsJson, Instance, console, print_json, problems, service_of, settings_of
from assistant.errors import ConfigurationError
from assistant.types import DocumentState
from ingest import cli_receipts
from ingest.life_commands import add_life_commands
from ingest.names import readable_path
from ingest.sources import Skipped
from ingest.telling import Language, fault_of, reasons_of
from ingest.uploads import uploads_below, within_limit
from ingest.watching import Round, Watcher

app = typer.Typer(help="Hand documents in and see where each one stands.", no_args_is_help=True)
add_life_commands(app)
app.command("remove")(cli_receipts.remove)
app.command("verify")(cli_receipts.verify)
app.add_typer(cli_receipts.receipt, name="receipt")

_FAILED = {DocumentState.QUARANTINED.value, DocumentState.REJECTED.value}
_UNFINISHED = {state.value for state in DocumentState if not state.final}


@app.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders")],
    instance: Instance = None,
    label: Annotated[str | None, typer.Option("--label", help="Label for all of them, such as internal/health")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when every document has its final state")] = False,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Hand in files, folders, and what a manifest (CSV) names. What cannot be read is listed with its reason."""
    settings = settings_of(instance)
    found, skipped = _named_by(paths, language)
    uploads, too_large = within_limit(found, max_mb=settings.service.max_upload_mb)
    with service_of(settings) as client:
        reply = client.hand_in(uploads, label=label)
        ids = list(dict.fromkeys(document["document_id"] for document in reply["documents"]))
        # A service of our own ends with this command, so the work must be done before it does.
        documents = _settled(client, ids, quiet=as_json) if wait or not client.is_lasting else reply["documents"]
        told = {document["document_id"]: document for document in reply["documents"]}
        documents = [_with_what_was_told(document, told.get(document["document_id"], {})) for document in documents]
    refused = [Skipped(Path(each["source"]), each["reason"], "refused") for each in reply["refused"]]
    documents += [_skipped_entry(item) for item in (*skipped, *too_large, *refused)]
    if as_json:
        print_json({"documents": [_public(d) for d in documents], "counts": _counts(documents)})
    else:
        _show(documents, language)
    if any(document["state"] in _FAILED for document in documents):  # whoever removes files afterwards looks at this
        raise typer.Exit(1)


@app.command("status")
def status(
    instance: Instance = None,
    state: Annotated[DocumentState | None, typer.Option("--state", help="Only documents in this state")] = None,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """List the documents with their states and reasons."""
    with service_of(settings_of(instance)) as client:
        listing = client.documents(state=state.value if state else None)
    if as_json:
        print_json({"documents": [_public(d) for d in listing["documents"]], "counts": listing["counts"]})
    else:
        _show(listing["documents"], language)


@app.command("watch")
def watch(
    folders: Annotated[list[Path], typer.Argument(help="Folders")],
    instance: Instance = None,
    every: Annotated[float, typer.Option("--every", help="Seconds between two looks", min=0.1)] = 10.0,
    label: Annotated[str | None, typer.Option("--label", help="Label for all of them, such as internal/health")] = None,
    remove_gone: Annotated[bool, typer.Option("--remove", help="Remove the documents of files that are gone")] = False,
    looks: Annotated[
        int, typer.Option("--looks", help="End after so many looks; 0: go on until interrupted", min=0)
    ] = 0,
) -> None:
    """Hand in what appears in folders, when it has stopped changing; a changed file is a new version."""
    settings = settings_of(instance)
    with service_of(settings) as client:

        def hand_in(upload: Upload) -> str:
            return str(client.hand_in([upload], label=label)["documents"][0]["document_id"])

        def removed(document_id: str) -> None:
            client.remove(document_id)

        watcher = Watcher(folders, settings.home / "watched.db", hand_in, remove=removed if remove_gone else None)
        number = 0
        with contextlib.suppress(KeyboardInterrupt), contextlib.closing(watcher):
            while True:
                _report(watcher.look())
                number += 1
                if number == looks:
                    break
                time.sleep(every)
        if not client.is_lasting:
            _settled(client, [document["document_id"] for document in client.documents()["documents"]], quiet=True)


def _report(found: Round) -> None:
    """One line for each thing that happened."""
    lines = [("new version" if path in found.changed else "handed in", path) for path in found.handed_in]
    lines += [("removed" if path in found.removed else "gone", path) for path in found.gone]
    for what, path in lines:
        console.print(f"{what} {escape(readable_path(path))}", soft_wrap=True)
    for problem in found.problems:
        problems.print(escape(problem.encode("utf-8", "replace").decode("utf-8")), soft_wrap=True)


def _settled(client: ServiceClient, ids: list[str], *, quiet: bool) -> list[dict[str, Any]]:
    """The documents' statuses, and those of their attachments, once all are final."""
    columns = (TextColumn("Reading documents"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=problems, disable=quiet) as progress:
        bar = progress.add_task("documents", total=len(ids))
        while True:
            listed = client.documents()["documents"]
            by_id = {document["document_id"]: document for document in listed}
            mine = [by_id[document_id] for document_id in ids if document_id in by_id]
            sources = tuple(f"{document['source']}!/" for document in mine)
            attached = [
                d for d in listed if sources and d["source"].startswith(sources) and d["document_id"] not in ids
            ]
            unfinished = sum(document["state"] in _UNFINISHED for document in (*mine, *attached))
            progress.update(bar, completed=len(mine) + len(attached) - unfinished, total=len(mine) + len(attached))
            if not unfinished:
                return mine + attached
            time.sleep(max(0.1, len(listed) / 2000))  # a long listing is not asked for all the time


def _named_by(paths: list[Path], language: str | None) -> tuple[list[Upload], list[Skipped]]:
    """`uploads_below`; the fault of a manifest is said in `language` where there are words for it."""
    try:
        return uploads_below(paths)
    except ConfigurationError as error:
        raise ConfigurationError(fault_of(str(error), language)) from error


def _with_what_was_told(document: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The document with what was said of it, and of it alone, when it was handed in."""
    warnings = dict.fromkeys((*document.get("warnings", ()), *told.get("warnings", ())))
    return {**document, "notice": told.get("notice", ""), "warnings": list(warnings)}


def _public(document: dict[str, Any]) -> dict[str, Any]:
    """The documented part of a status, see docs/command-line.md."""
    names = (
        "source", "state", "reason", "pages", "passages", "label",
        "document_id", "version", "file_name", "title", "category", "language", "media_type", "date", "warnings",
        "author", "document_type", "collection", "references", "hold", "doubtful_pages", "notice",
    )  # fmt: skip
    return {name: document[name] for name in names if name in document}


def _skipped_entry(item: Skipped) -> dict[str, Any]:
    return {
        "source": readable_path(item.path),
        "state": DocumentState.REJECTED.value,
        "reason": item.reason,
        "pages": 0,
        "passages": 0,
        "label": "",
        "category": item.category,
        "file_name": readable_path(Path(item.path.name)),
        "title": readable_path(Path(item.path.name)),
    }


def _counts(documents: list[dict[str, Any]]) -> dict[str, int]:
    found = Counter(document["state"] for document in documents)
    return {state.value: found.get(state.value, 0) for state in DocumentState}


def _show(documents: list[dict[str, Any]], language: str | None) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("state", "document", "label", "pages", "passages", "reason"):
        table.add_column(heading)
    for document in documents:
        reason = "; ".join(filter(None, (document.get("notice", ""), reasons_of(document, language))))
        table.add_row(
            document["state"], escape(document["file_name"]), document["label"],
            str(document["pages"]), str(document["passages"]), escape(reason),
        )  # fmt: skip
    console.print(table)
    counts = _counts(documents)
    console.print(", ".join(f"{number} {state}" for state, number in counts.items() if number) or "no documents")
