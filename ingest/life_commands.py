"""`assistant ingest retry | edit | correct | history | hold | release | holds | retention | watched | progress`.

What becomes of a document, and what archivists answer for over all of them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assistant.client import Json, ServiceClient
from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.errors import InvalidRequest
from assistant.types import DocumentState
from ingest.telling import Language, reasons_of

DocumentId = Annotated[str, typer.Argument(help="Id, as `ingest status --json` shows it")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when the change has been applied")]
_FINAL = {state.value for state in DocumentState if state.final}
_FAILED = {DocumentState.QUARANTINED.value, DocumentState.REJECTED.value}


def retry(
    document_id: DocumentId,
    instance: Instance = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the file's password from the first line of standard input")
    ] = False,
    wait: Wait = False,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Try a quarantined or rejected document again, with a password if it needs one."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password_stdin and not password:
        raise InvalidRequest("there is no password on standard input; give it on the first line")
    with service_of(settings_of(instance)) as client:
        status = _applied(client, client.retry(document_id, password=password), wait=wait)
    _tell(status, as_json=as_json, language=language)
    if wait and status["state"] in _FAILED:
        raise typer.Exit(1)


def edit(
    document_id: DocumentId,
    instance: Instance = None,
    title: Annotated[str | None, typer.Option("--title")] = None,
    date: Annotated[str | None, typer.Option("--date", help="As in 2024-05-31")] = None,
    author: Annotated[str | None, typer.Option("--author")] = None,
    language: Annotated[str | None, typer.Option("--language", help="fr, ar or en")] = None,
    document_type: Annotated[str | None, typer.Option("--document-type", help="Such as circulaire")] = None,
    collection: Annotated[str | None, typer.Option("--collection")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Such as internal/health")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Where it comes from now; ends in its file name")
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Change what is said about a document. The file is not read again; an empty text says that there is none."""
    given = {
        "title": title, "date": date, "author": author, "language": language, "document_type": document_type,
        "collection": collection, "label": label, "source": source,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    with service_of(settings_of(instance)) as client:
        _tell(_applied(client, client.edit(document_id, changes), wait=wait), as_json=as_json)


def correct(
    document_id: DocumentId,
    page_number: Annotated[int, typer.Argument(min=1, help="Page, from 1")],
    text_file: Annotated[Path, typer.Argument(help="UTF-8 file with the whole text of the page")],
    instance: Instance = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Put your own text in the place of what was read on a page."""
    try:
        text = text_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{text_file}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    with service_of(settings_of(instance)) as client:
        _tell(_applied(client, client.correct_page(document_id, page_number, text), wait=wait), as_json=as_json)


def history(document_id: DocumentId, instance: Instance = None, as_json: AsJson = False) -> None:
    """Show what happened to a document, oldest first, and its versions."""
    with service_of(settings_of(instance)) as client:
        told = client.history(document_id)
    if as_json:
        print_json(told)
        return
    console.print(_table(told["events"], ("at", "state", "version", "reason")))
    for version in told["versions"]:
        kept = "kept" if version["kept"] else "not kept"
        newest = ", the newest" if version["newest"] else ""
        console.print(
            f"version {version['version'][:16]} of {version['stored'][:10]}: {version['pages']} pages, {kept}{newest}"
        )


def hold(
    document_id: DocumentId,
    reason: Annotated[str, typer.Option("--reason", help="Why it may not be erased")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Keep a document from being erased, by anybody or any rule."""
    with service_of(settings_of(instance)) as client:
        _tell(client.hold(document_id, reason), as_json=as_json)


def release(document_id: DocumentId, instance: Instance = None, as_json: AsJson = False) -> None:
    """End a hold."""
    with service_of(settings_of(instance)) as client:
        _tell(client.release(document_id), as_json=as_json)


def holds(instance: Instance = None, as_json: AsJson = False) -> None:
    """List the documents on hold, the one held last first: why, by whom and since when."""
    with service_of(settings_of(instance)) as client:
        held = client.holds()
    if as_json:
        print_json({"holds": held})
        return
    console.print(_table(held, ("document_id", "title", "reason", "by", "since")) if held else "no document is on hold")


def watched(instance: Instance = None, as_json: AsJson = False) -> None:
    """List the folders that the service watches, and what it last saw in them."""
    with service_of(settings_of(instance)) as client:
        folders = client.watched()
    if as_json:
        print_json({"folders": folders})
        return
    if not folders:
        console.print("no folder is watched; name some under ingest.watch in the instance file")
        return
    table = _table(folders, ("folder", "looked_at", "files", "every_s"))
    table.columns[0].overflow = "fold"  # a path that is cut off says nothing
    console.print(table)
    for folder in folders:
        for problem in folder["problems"]:
            console.print(f"[red]{escape(problem)}[/]", soft_wrap=True)


def retention(
    instance: Instance = None,
    apply: Annotated[bool, typer.Option("--apply", help="Erase what is due; without it nothing is changed")] = False,
    as_json: AsJson = False,
) -> None:
    """List what the retention rules no longer keep; erase it with --apply."""
    with service_of(settings_of(instance)) as client:
        report = client.retention(apply=apply)
    if as_json:
        print_json(report)
        return
    console.print(_table(report["due"], ("document_id", "title", "rule", "since", "held")))
    held = sum(entry["held"] for entry in report["due"])
    done = f"{len(report['erased'])} erased" if apply else "nothing erased; add --apply to erase"
    console.print(f"{len(report['due'])} due, {held} of them on hold; {done}")


def progress(instance: Instance = None, as_json: AsJson = False) -> None:
    """Show how far the work is."""
    with service_of(settings_of(instance)) as client:
        told = client.progress()
    if as_json:
        print_json(told)
        return
    left = "unknown" if told["seconds_left"] is None else f"{told['seconds_left']:.0f} s"
    console.print(
        f"{told['waiting']} waiting, {told['in_progress']} in progress, {told['finished_recently']} finished in the last"
        f" minute, {told['pages_per_s']:.1f} pages per second, time left: {left}"
    )
    for document in told["current"]:
        pages = f", page {document['progress_pages']} of {document['progress_of']}" if document["progress_of"] else ""
        console.print(f"  {escape(document['title'])}{pages}")


def add_life_commands(app: typer.Typer) -> None:
    """Make these commands part of `app`."""
    for command in (retry, edit, correct, history, hold, release, holds, retention, watched, progress):
        app.command(command.__name__)(command)


def _applied(client: ServiceClient, status: Json, *, wait: bool) -> Json:
    """The status once it is final, where somebody waits or the service ends with this command."""
    while (wait or not client.is_lasting) and status["state"] not in _FINAL:
        time.sleep(0.1)
        status = client.document(status["document_id"])
    return status


def _tell(status: Json, *, as_json: bool, language: str | None = None) -> None:
    if as_json:
        print_json(status)
        return
    reason = reasons_of({**status, "warnings": ()}, language)
    said = [status["state"], status["label"], reason, f"on hold: {status['hold']}" if status["hold"] else ""]
    console.print(escape(f"{status['title']} ({status['file_name']}): {', '.join(filter(None, said))}"))


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Table:
    table = Table(*(name.replace("_", " ") for name in names), box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(escape(_shown(row[name])) for name in names))
    return table


def _shown(value: object) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)
