"""`assistant doctor` and `assistant audit verify`."""

from __future__ import annotations

import typer
from rich.markup import escape
from rich.table import Table

from assistant.audit import AuditLog
from assistant.client import ServiceClient, announced_url
from assistant.commands.session import AsJson, Instance, console, print_json, settings_of
from assistant.config import Settings
from assistant.diagnosis import Finding, Health, findings
from assistant.errors import ConfigurationError
from assistant.service.wire import plain
from assistant.sessions import local_key

audit = typer.Typer(help="The audit record.", no_args_is_help=True)

_MARKS = {Health.GOOD: "[green]✓[/]", Health.LIMITED: "[yellow]·[/]", Health.BROKEN: "[red]✗[/]"}


def doctor(instance: Instance = None, as_json: AsJson = False) -> None:
    """Say what is installed, configured and reachable, and how to mend what is wrong."""
    settings = settings_of(instance)
    found = (*findings(settings), _service(settings))
    if as_json:
        print_json({"findings": plain(found), "broken": sum(f.health is Health.BROKEN for f in found)})
    else:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for overflow in ("ignore", "fold", "fold"):  # a path that is cut off cannot be copied
            table.add_column(overflow=overflow)
        for finding in found:
            remedy = f"\n[bold]→ {escape(finding.remedy)}[/]" if finding.remedy else ""
            table.add_row(_MARKS[finding.health], finding.subject, escape(finding.detail) + remedy)
        console.print(table)
    if any(finding.health is Health.BROKEN for finding in found):
        raise typer.Exit(1)


@audit.command("verify")
def verify(instance: Instance = None, as_json: AsJson = False) -> None:
    """Walk the hash chain of the audit record from its first entry."""
    settings = settings_of(instance)
    file = settings.home / "audit.db"
    if not file.is_file():
        raise ConfigurationError(
            f"{file}: there is no audit record; check instance.data, or bring the record back from a backup"
        )
    log = AuditLog(file)
    check = log.verify()
    log.close()
    if as_json:
        print_json(plain(check))
    elif check.broken_at is None:
        console.print(f"{check.entries} entries, chain intact, {check.open_records} records never closed")
    else:
        console.print(f"[red]the chain breaks at entry {check.broken_at} of {check.entries}[/]")
    if check.broken_at is not None:
        raise typer.Exit(1)


def _service(settings: Settings) -> Finding:
    url = announced_url(settings.home)
    if url is None:
        return _port(settings)
    with ServiceClient(url, token=local_key(settings.home / "keys")) as client:
        if client.is_up():
            return Finding("service", Health.GOOD, f"running at {url}")
    return Finding("service", Health.LIMITED, f"{url} does not answer", "start it again with `assistant up`")


def _port(settings: Settings) -> Finding:
    """Of a service that does not run: whether it could listen."""
    from assistant.service.serving import bound

    try:
        bound(settings.service.host, settings.service.port).close()
    except ConfigurationError as error:
        return Finding("service", Health.BROKEN, f"not running, and {error}")
    return Finding("service", Health.GOOD, "not running; commands open the index themselves")
