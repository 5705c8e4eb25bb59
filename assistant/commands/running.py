"""`assistant up` and `assistant serve`."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assistant.client import ServiceClient, announced_url
from assistant.commands.session import Instance, console, problems, settings_of
from assistant.config import EndpointSettings, Settings
from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.installed import part
from assistant.sessions import local_key

if TYPE_CHECKING:
    from assistant.access import Principal
    from assistant.build import Parts
    from assistant.service.serving import Serving
    from assistant.types import DocumentStatus

_CONTEXT_BESIDE = 4096
_THREADS_BESIDE = 4
"""Of a model that shares its processor with the service, as is its context."""

Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Overrides service.port; 0 takes a free one")
]


def up(
    instance: Instance = None,
    port: Port = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", help="Serve this language model beside the service, as `model list` names it, or `demo`"
        ),
    ] = "",
) -> None:
    """Start everything: service, page, ingestion; hand in the demo documents at the first start."""
    from assistant.build import opened
    from assistant.diagnosis import missing_parts
    from assistant.service.serving import serving

    settings = settings_of(instance)
    for line in missing_parts(settings):
        problems.print(f"[yellow]·[/] {line}")
    with _with_model(settings, model) as settings, opened(settings, for_service=True) as parts:
        parts.warm_up()
        with serving(parts, port=port, with_page=True, announced=True) as running:
            parts.ingestion.start()
            _hand_in_demo(parts, running)
            _show_progress(parts)
            console.print(f"\n[bold]{settings.instance.name}[/] is ready. Open this address in a browser:\n")
            console.print(f"  {running.enter_url}\n", soft_wrap=True)
            console.print("Stop with Ctrl+C.")
            _until_stopped(running)


def serve(instance: Instance = None, port: Port = None) -> None:
    """Start service, page and ingestion, for a service manager: no demo documents, one log line at start."""
    from assistant.build import opened
    from assistant.diagnosis import missing_parts
    from assistant.service.serving import serving

    # The command line has set logging up already, for somebody who sits before it.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("assistant").setLevel(logging.INFO)
    settings = settings_of(instance)
    for line in missing_parts(settings):
        logging.getLogger(__name__).warning("%s", line)
    with opened(settings, for_service=True) as parts:
        parts.warm_up()
        with serving(parts, port=port, with_page=True, announced=True) as running:
            parts.ingestion.start()
            logging.getLogger(__name__).info("serving %s at %s", settings.instance.name, running.url)
            _until_stopped(running)


def address(instance: Instance = None) -> None:
    """Print the address that signs this machine's owner in."""
    settings = settings_of(instance)
    url = announced_url(settings.home)
    if url is None:
        raise ConfigurationError(
            f"{settings.file}: no service of this instance is running; start it with `assistant up`, or name another instance"
            " file with --instance"
        )
    key = local_key(settings.home / "keys")
    with ServiceClient(url, token=key) as client:
        if not client.is_up():
            raise ServiceUnavailable(f"the service at {url} does not answer; start it with `assistant up`")
    typer.echo(f"{settings.service.public_url or url}/enter?key={key}")


@contextmanager
def _with_model(settings: Settings, name: str) -> Iterator[Settings]:
    """The settings with the endpoint of a server of this model in front, for as long as it runs; without a name as they are."""
    if not name:
        yield settings
        return
    from assistant.modelfiles.demonstration import DEMO, DEMO_CONTEXT_TOKENS, demo_model
    from assistant.modelfiles.servers import Wanted, this_machine
    from assistant.modelfiles.serving import served
    from assistant.modelfiles.store import LanguageModelStore

    store = LanguageModelStore.of(settings.home)
    is_demo = name == DEMO
    if is_demo:
        demo_model(store)
    machine = this_machine()
    context = DEMO_CONTEXT_TOKENS if is_demo else _CONTEXT_BESIDE
    wanted = Wanted(port=0, context_tokens=context, threads=min(machine.cores, _THREADS_BESIDE))
    with served(store, name, machine, wanted, tell=lambda line: problems.print(f"· {line}", markup=False)) as running:
        own = EndpointSettings(
            name=running.plan.model,
            url=running.plan.url,
            model=running.plan.model,
            languages=("fr", "en") if is_demo else (),
            context_tokens=running.plan.context_tokens,
            clearance=settings.access.clearance,
            concurrency=running.plan.concurrency,
            first_token_s=60,
            between_tokens_s=30,
            total_s=60 if is_demo else 240,
        )
        models = settings.models.model_copy(update={"endpoints": (own, *settings.models.endpoints)})
        yield settings.model_copy(update={"models": models})


def _hand_in_demo(parts: Parts, running: Serving) -> None:
    """Hand in the demo documents once: a document that somebody removed later must not come back."""
    demo = parts.settings.demo
    done = parts.settings.home / "demo-handed-in"
    if demo is None or done.exists():
        return
    if not demo.documents.is_dir():
        raise ConfigurationError(f"{parts.settings.file}: demo.documents {str(demo.documents)!r} is not a folder")
    with ServiceClient(running.url, token=local_key(parts.settings.home / "keys")) as client:
        uploads, _ = part("uploads")([demo.documents])
        client.hand_in(uploads)
    done.touch()


def _show_progress(parts: Parts) -> None:
    reader = parts.sign_in.principal(local_key(parts.settings.home / "keys"))
    statuses = _statuses(parts, reader)
    waiting = [status for status in statuses if not status.state.final]
    if not waiting:
        return
    columns = (TextColumn("Reading documents"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("documents", total=len(statuses))
        while waiting:
            progress.update(bar, completed=len(statuses) - len(waiting), total=len(statuses))
            time.sleep(0.1)
            statuses = _statuses(parts, reader) or statuses
            waiting = [status for status in statuses if not status.state.final]
        progress.update(bar, completed=len(statuses), total=len(statuses))
    for status in statuses:
        if status.reason:
            problems.print(f"[yellow]·[/] {status.file_name}: {status.state}: {status.reason}")


def _statuses(parts: Parts, reader: Principal) -> Sequence[DocumentStatus]:
    """What has become of the documents; nothing while the database is away, which must not end the service."""
    try:
        return parts.ingestion.documents(reader)
    except ServiceUnavailable:
        return ()


def _until_stopped(running: Serving) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` means it
            signal.signal(number, lambda *_: stop.set())
    while running.thread.is_alive() and not stop.wait(0.5):
        pass
    if not stop.is_set():
        raise ServiceUnavailable("the service stopped by itself; the lines above say why")
