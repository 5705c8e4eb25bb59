"""`assistant model …`: language models on this machine. Works on the instance's files; no service need run."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.commands.session import AsJson, Instance, console, print_json, problems, settings_of
from assistant.errors import ServiceUnavailable

if TYPE_CHECKING:
    from assistant.modelfiles.running import RunningServer
    from assistant.modelfiles.servers import ServerKind
    from assistant.modelfiles.store import LanguageModel, LanguageModelStore

model = typer.Typer(help="Language models: register, verify and serve them on this machine.", no_args_is_help=True)

_DEFAULT_PORT = 8511
Name = Annotated[str, typer.Argument(help="A model as `model list` names it")]


@model.command("add")
def add(
    source: Annotated[Path, typer.Argument(help="Folder with safetensors, a LoRA adapter's folder, or a GGUF file")],
    instance: Instance = None,
    name: Annotated[str, typer.Option("--name", help="Default: made from the file's or folder's")] = "",
    linked: Annotated[bool, typer.Option("--link", help="Hard-link the files instead of copying them")] = False,
    as_json: AsJson = False,
) -> None:
    """Register a model, with the checksum of every file."""
    added = _store(instance).add(source.expanduser().absolute(), name=name, linked=linked)
    if as_json:
        print_json(_plain(added))
        return
    console.print(f"{added.name}: {added.kind}, {added.architecture}, {added.size_bytes / 1e6:,.0f} MB", markup=False)
    console.print(f"checksum {added.checksum}; compare it with that of whoever gave you the model", markup=False)


@model.command("list")
def list_models(instance: Instance = None, as_json: AsJson = False) -> None:
    """Show the models that are registered."""
    found = _store(instance).all()
    if as_json:
        print_json({"models": [_plain(each) for each in found]})
        return
    table = Table("model", "form", "architecture", "context", "MB", "added", "checksum", box=None)
    for each in found:
        facts = (each.kind, each.architecture, str(each.context_tokens or ""), f"{each.size_bytes / 1e6:,.0f}")
        table.add_row(each.name, *facts, each.added_at[:10], each.checksum[:12])
    console.print(table)


@model.command("verify")
def verify(
    names: Annotated[list[str], typer.Argument(help="Models as `model list` names them")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Read every file of models and compare it with what was registered."""
    store = _store(instance)
    found = []
    for name in names:
        result = store.verify(name)
        found.append(_plain(result.model) | {"seconds": round(result.seconds, 3)})
        if not as_json:
            size = result.model.size_bytes / 1e6
            line = f"{name}: {size:,.0f} MB in {result.seconds:.1f} s, as registered: {result.model.checksum}"
            console.print(line, markup=False, soft_wrap=True)
    if as_json:
        print_json({"models": found})


@model.command("remove")
def remove(name: Name, instance: Instance = None, as_json: AsJson = False) -> None:
    """Delete a model from this instance. What it was registered from stays where it is."""
    _store(instance).remove(name)
    if as_json:
        print_json({"removed": name})


@model.command("serve")
def serve(
    name: Name,
    instance: Instance = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="On loopback; 0 takes a free one")
    ] = _DEFAULT_PORT,
    server: Annotated[
        str,
        typer.Option(
            "--server", help="vllm, llama-server, llama-cpp-python or transformers; default: the best there is"
        ),
    ] = "",
    vllm_python: Annotated[
        Path | None,
        typer.Option("--vllm-python", help="The python of vLLM's own environment; default: that of `vllm` in PATH"),
    ] = None,
    context: Annotated[
        int, typer.Option("--context", min=0, help="Tokens; default: the model's, at most 8192 without GPU")
    ] = 0,
    threads: Annotated[int, typer.Option("--threads", min=0, max=256, help="Default: every core")] = 0,
    adapter: Annotated[
        list[str] | None,
        typer.Option("--adapter", help="A registered LoRA adapter to serve beside the model; repeatable"),
    ] = None,
) -> None:
    """Verify a model and serve it on loopback with the right server for this machine, until Ctrl+C."""
    from assistant.modelfiles.servers import Wanted, this_machine
    from assistant.modelfiles.serving import served

    store = _store(instance)
    adapters = tuple(store.model(each) for each in adapter or ())
    wanted = Wanted(port, context, threads, _kind(server), adapters)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    machine = this_machine(vllm_python)
    with served(store, name, machine, wanted, tell=_tell, stopped=stop.is_set) as running:
        console.print(_endpoint(running), markup=False, soft_wrap=True)
        while not stop.wait(0.5):
            if running.process.poll() is not None:
                raise ServiceUnavailable(f"the server of {name} ended by itself; see {running.log}")


def _store(instance: Path | None) -> LanguageModelStore:
    from assistant.modelfiles.store import LanguageModelStore

    return LanguageModelStore.of(settings_of(instance).home)


def _kind(server: str) -> ServerKind | None:
    from assistant.modelfiles.servers import ServerKind

    try:
        return ServerKind(server) if server else None
    except ValueError:
        raise typer.BadParameter(f"{server!r} is none of {', '.join(ServerKind)}", param_hint="--server") from None


def _endpoint(running: RunningServer) -> str:
    """What to write into the instance file, so that the service asks this server."""
    plan = running.plan
    return (
        f'\n[[models.endpoints]]\nname = "{plan.kind}"\nurl = "{plan.url}"\nmodel = "{plan.model}"\n'
        f"context_tokens = {plan.context_tokens}\nconcurrency = {plan.concurrency}\n"
        'clearance = "public"      # raise it to the highest label that this server may be sent\n\nStop with Ctrl+C.'
    )


def _tell(line: str) -> None:
    problems.print(f"· {line}", markup=False)


def _plain(found: LanguageModel) -> dict[str, Any]:
    return {
        "name": found.name,
        "kind": found.kind.value,
        "architecture": found.architecture,
        "context_tokens": found.context_tokens,
        "bytes": found.size_bytes,
        "added_at": found.added_at,
        "checksum": found.checksum,
        "files": dict(found.files),
    }
