"""`assistant ingest remove`, `receipt …` and `verify`: erase, prove it, and check that the stores agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.errors import ConfigurationError, NotFound
from assistant.receipts import check_file, fingerprint
from ingest.receipts import SigningKey

receipt = typer.Typer(help="Erasure receipts: what was erased, when and by whom.", no_args_is_help=True)


def remove(
    document_ids: Annotated[list[str], typer.Argument(help="Ids, as `ingest status --json` shows them")],
    instance: Instance = None,
    with_attachments: Annotated[
        bool, typer.Option("--with-attachments", help="Erase what came attached as well; otherwise it stays")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase documents for good, every version of them, and say where the signed receipts lie."""
    settings = settings_of(instance)
    receipts = []
    with service_of(settings) as client:
        for document_id in document_ids:
            given = client.remove(document_id, with_attachments=with_attachments)
            receipts.append(given)
            if not as_json:
                _say_erased(given, settings.home / "receipts" / f"{given['receipt_id']}.json")
    if as_json:
        print_json({"receipts": receipts})


def verify(
    instance: Instance = None,
    no_mend: Annotated[bool, typer.Option("--no-mend", help="Only report; change nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that ledger, index and archive agree and that nothing stored was changed; mend what can be mended."""
    with service_of(settings_of(instance)) as client:
        report = client.verify_documents(mend=not no_mend)
    if as_json:
        print_json(report)
    else:
        _show_report(report)
    if report["unmended"] or not report["adds_up"]:
        raise typer.Exit(1)


@receipt.command("list")
def list_receipts(
    instance: Instance = None,
    search: Annotated[
        str, typer.Option("--search", help="In ids, checksums, the day such as 2024-05-31, or who erased")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the receipts, newest first, or those in which something stands."""
    with service_of(settings_of(instance)) as client:
        receipts = client.receipts(search)
    if as_json:
        print_json({"receipts": receipts})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("receipt", "erased at", "by", "document", "versions", "passages"):
        table.add_column(heading)
    for each in receipts:
        counts = (str(len(each["versions"])), str(each["passages"]))
        table.add_row(each["receipt_id"], each["erased_at"], escape(each["erased_by"]), each["document_id"], *counts)
    console.print(table if receipts else "no receipts")


@receipt.command("show")
def show(
    receipt_id: Annotated[str, typer.Argument(help="Id of the receipt")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Show one receipt."""
    settings = settings_of(instance)
    with service_of(settings) as client:
        found = client.receipt(receipt_id)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        console.print(f"[bold]{name}[/]: {escape(_shown(value))}")


@receipt.command("public-key")
def public_key(instance: Instance = None, as_json: AsJson = False) -> None:
    """Print the public key with which anybody can check receipts, on any machine."""
    key = SigningKey(settings_of(instance).home / "keys")
    if as_json:
        print_json({"public_key": key.public_pem.decode("ascii"), "fingerprint": key.fingerprint})
    else:
        typer.echo(key.public_pem.decode("ascii"), nl=False)


@receipt.command("verify")
def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt's file")],
    instance: Instance = None,
    public_key_file: Annotated[
        Path | None, typer.Option("--public-key", help="Key of the instance that erased; default: this one's")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a receipt is genuine and unchanged. Needs no service, and with --public-key no instance."""
    key_file = public_key_file or settings_of(instance).home / "keys" / "receipts.pub"
    key = _bytes_of(key_file)
    check = check_file(_bytes_of(file), key)
    if as_json:
        print_json({"valid": check.valid, "reason": check.reason, "key_fingerprint": fingerprint(key)})
    else:
        console.print(f"[{'green' if check.valid else 'red'}]{escape(str(file))}: {check.reason}[/]", soft_wrap=True)
    if not check.valid:
        raise typer.Exit(1)


def _show_report(report: dict[str, Any]) -> None:
    states = ", ".join(f"{number} {state}" for state, number in report["states"].items() if number) or "none"
    facts = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    facts.add_row("ledger", f"{report['received']} documents: {states}")
    passages = f"{report['passages_indexed']} passages of {report['documents_indexed']} documents"
    facts.add_row("index", f"{passages}; the ledger says {report['passages_expected']}")
    facts.add_row("archive", f"{report['texts_archived']} texts, {report['originals_archived']} originals")
    console.print(facts)
    if report["found"]:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("problem", "document", "what was found", "mended"):
            table.add_column(heading)
        for each in report["found"]:
            mended = escape(each["mended"]) or "[red]no[/]"
            table.add_row(each["kind"], each["document_id"], escape(each["detail"]), mended)
        console.print(table)
    if not report["adds_up"]:
        console.print("[red]there are documents in no known state[/]")
    mended = report["problems"] - report["unmended"]
    console.print(f"{report['problems']} problems, {mended} mended, in {report['seconds']:.1f} s")


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{file}: there is no such file") from None
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from error


def _say_erased(given: dict[str, Any], path: Path) -> None:
    console.print(f"erased {escape(given['document_id'])}; receipt: {escape(str(path))}", soft_wrap=True)
    if given["attachments_left"]:
        left = ", ".join(given["attachments_left"])
        console.print(f"what came attached stays as documents of its own: {escape(left)}", soft_wrap=True)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
