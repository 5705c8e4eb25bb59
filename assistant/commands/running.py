"""`assistant up` and `assistant serve`."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assistant.client import ServiceClient, announced_url
from assistant.commands.session import Instance, console, problems, settings_of
from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.installed import part
from assistant.sessions import local_key

if TYPE_CHECKING:
    from assistant.build import Parts
    from assistant.service.serving import Serving

Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Overrides service.port; 0 takes a free one")
]


def up(instance: Instance = None, port: Port = None) -> None:
    """Start everything: service, page, ingestion; hand in the demo documents at the first start."""
    from assistant.build import opened
    from assistant.diagnosis import missing_parts
    from assistant.service.serving import serving

    settings = settings_of(instance)
    for line in missing_parts(settings):
        problems.print(f"[yellow]·[/] {line}")
    with opened(settings) as parts:
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

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = settings_of(instance)
    for line in missing_parts(settings):
        logging.getLogger(__name__).warning("%s", line)
    with opened(settings) as parts:
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
        raise ConfigurationError("no service of this instance is running; start it with `assistant up`")
    key = local_key(settings.home / "keys")
    with ServiceClient(url, token=key) as client:
        if not client.is_up():
            raise ServiceUnavailable(f"the service at {url} does not answer; start it with `assistant up`")
    typer.echo(f"{url}/enter?key={key}")


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
    statuses = parts.ingestion.documents(reader)
    waiting = [status for status in statuses if not status.state.final]
    if not waiting:
        return
    columns = (TextColumn("Reading documents"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("documents", total=len(statuses))
        while waiting:
            progress.update(bar, completed=len(statuses) - len(waiting), total=len(statuses))
            time.sleep(0.1)
            statuses = parts.ingestion.documents(reader)
            waiting = [status for status in statuses if not status.state.final]
        progress.update(bar, completed=len(statuses), total=len(statuses))
    for status in statuses:
        if status.reason:
            problems.print(f"[yellow]·[/] {status.file_name}: {status.state}: {status.reason}")


def _until_stopped(running: Serving) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while running.thread.is_alive() and not stop.wait(0.5):
        pass
    if not stop.is_set():
        raise ServiceUnavailable("the service stopped by itself; the lines above say why")
