"""Running the application: bind, announce, serve, stop."""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from assistant.build import Parts
from assistant.client import ANNOUNCEMENT
from assistant.errors import ConfigurationError
from assistant.installed import part
from assistant.service.application import create_interface, is_wildcard, protected
from assistant.sessions import local_key

_LOG = logging.getLogger(__name__)
_START_TIMEOUT_S = 60.0
_KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection (httpx 5 s, as uvicorn by default; nginx 60): the one that closes first
must be the one that sends, or a request meets a connection that has just been closed."""
_BACKLOG = 128
"""Also how often asyncio tries, and complains, in a row when it may open no further connection."""
_OPEN_FILES = 65_536
_OWN_FILES = 256
"""Databases in each thread, the index, logs, parsers."""
_SWITCH_S = 0.0005
"""How long a thread may keep the interpreter while another waits. A question takes it up some dozens of times, each time after
a call into the index or the encoder; with Python's 5 ms beside a document that is being split it waits that long each time."""

_ELSEWHERE = "service.host must be an address of this machine"
_TO_LISTEN = {
    errno.EADDRINUSE: "another program does; end it, or choose another port with --port or service.port",
    errno.EACCES: "choose a port from 1024 on with --port or service.port, and let a proxy take the other",
}


@dataclass(frozen=True, slots=True)
class Serving:
    """A running service. `url` is how this machine reaches it; `enter_url` signs a browser in."""

    url: str
    enter_url: str
    server: uvicorn.Server
    thread: threading.Thread


@contextmanager
def serving(parts: Parts, *, port: int | None = None, with_page: bool, announced: bool) -> Iterator[Serving]:
    """The service, answering in a background thread for the length of the block.

    `port` overrides the instance file; 0 takes a free one. `announced` writes `service.json` into the data folder, so that
    commands find the service. Raises ConfigurationError when the address is taken.
    """
    settings = parts.settings
    listener = bound(settings.service.host, settings.service.port if port is None else port)
    url = _loopback_url(settings.service.host, listener.getsockname()[1])
    page = part("pages")(url, settings.home) if with_page else None
    application = protected(create_interface(parts), page, parts)
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ws_max_size=2**25,
        limit_concurrency=_most_connections(),
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="service", daemon=True)
    announcement = settings.home / ANNOUNCEMENT
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    thread.start()
    try:
        _wait_until_started(server, thread)
        if announced:
            _announce(announcement, url)
        key = local_key(settings.home / "keys")
        yield Serving(url, f"{settings.service.public_url or url}/enter?key={key}", server, thread)
    finally:
        if announced:
            announcement.unlink(missing_ok=True)
        server.should_exit = True
        thread.join(timeout=15)
        sys.setswitchinterval(usual)
        listener.close()


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ConfigurationError when that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without it each reply waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be listened on ({error.strerror}); {_TO_LISTEN.get(error.errno or 0, _ELSEWHERE)}"
        ) from error
    listener.listen(_BACKLOG)
    return listener


def _most_connections() -> int:
    """How many can be open while each upload still finds a file to lie in; who comes after is told to try again (503).

    A process that may open no further file accepts nobody, and nothing in it works. So it asks for as many as it may have:
    1,024 is what most systems give a process that does not ask.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max((wanted - _OWN_FILES) // 2, 16)


def _loopback_url(host: str, port: int) -> str:
    name = "127.0.0.1" if is_wildcard(host) else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(int(_START_TIMEOUT_S / 0.05)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.05)
    raise ConfigurationError("the service did not start; the lines above say why")


def _announce(file: Path, url: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    partial.replace(file)
