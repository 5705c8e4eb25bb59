"""Readers who leave before their answer is finished, over a real connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn

from assistant.endpoints import ChatMessage, Ended, ModelEvent, Need, Piece, Queued, Started
from assistant.model_answers import Composer
from assistant.prompting import Prompts
from assistant.service.application import create_interface
from tests.scripted_models import ScriptedRouter, WordCheck
from tests.service.conftest import OPEN_TEXT, World

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"
SOON_S = 2.0


class Endless(ScriptedRouter):
    """Says one sentence, where it is asked to, and then nothing until it is stopped."""

    def __init__(self, *, in_line: bool = False, silent: bool = False) -> None:
        super().__init__()
        self.in_line, self.silent = in_line, silent
        self.running = 0
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]) -> Iterator[ModelEvent]:
        with self._lock:
            self.running += 1
        try:
            if self.in_line:
                yield Queued(3)
            elif not self.silent:
                yield Started("one", "tiny")
                yield Piece(f"{OPEN_TEXT.strip()} [1]\nEt")
            deadline = time.monotonic() + 60
            while not stopped() and time.monotonic() < deadline:
                time.sleep(0.02)
            yield Ended(False, "stopped")
        finally:
            with self._lock:
                self.running -= 1


@contextmanager
def served(world: World, router: ScriptedRouter) -> Iterator[str]:
    """The interface on a port of its own, with this router's models."""
    assistant = world.parts.assistant
    assistant._composer = Composer(router, WordCheck(), Prompts.load())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        application = create_interface(world.parts)
        config = uvicorn.Config(application, log_level="error", access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _wait(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            assistant._composer = None
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def _wait(until: Callable[[], bool], seconds: float = 20.0) -> float:
    began = time.monotonic()
    while not until():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(0.01)
    return time.monotonic() - began


HEADERS = {"authorization": "Bearer strong"}


def _asked(client: httpx.Client, url: str, path: str, **headers: str):  # type: ignore[no-untyped-def]
    body = (
        {"question": QUESTION}
        if path == "/answers"
        else {"model": "sovereign-assistant", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    )
    return client.stream("POST", url + path, json=body, headers=HEADERS | headers)


@pytest.mark.parametrize("path", ["/answers", "/chat/completions"])
@pytest.mark.parametrize("options", [{}, {"in_line": True}, {"silent": True}])
def test_model_is_let_go_as_soon_as_the_reader_leaves(world: World, path: str, options: dict[str, bool]) -> None:
    router = Endless(**options)
    open_before = world.parts.audit.verify().open_records
    with served(world, router) as url, httpx.Client(timeout=30) as client:
        with _asked(client, url, path) as response:
            lines = response.iter_lines()
            wanted = "data: " if options else "trente jours"
            assert any(wanted in line for line in lines)
            _wait(lambda: router.running == 1)
        assert _wait(lambda: router.running == 0) < SOON_S
        _wait(lambda: world.parts.audit.verify().open_records == open_before)


def test_reader_who_asks_for_json_and_leaves_stops_the_model_too(world: World) -> None:
    router = Endless()
    with served(world, router) as url:
        client = httpx.Client(timeout=httpx.Timeout(30, read=0.5))
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{url}/answers", json={"question": QUESTION}, headers=HEADERS | {"accept": "application/json"})
        assert router.running == 1
        client.close()
        assert _wait(lambda: router.running == 0) < SOON_S


def test_service_that_stops_lets_models_go(world: World) -> None:
    router = Endless()
    with httpx.Client(timeout=30) as client, ExitStack() as reading:
        with served(world, router) as url:
            response = reading.enter_context(_asked(client, url, "/answers"))
            assert any("trente jours" in line for line in response.iter_lines())
            assert router.running == 1
        assert _wait(lambda: router.running == 0) < SOON_S


def test_answers_that_wait_for_models_keep_nobody_from_anything_else(world: World) -> None:
    """Forty threads serve all other requests; sixty readers wait here."""
    router = Endless(in_line=True)
    limits = httpx.Limits(max_connections=100)
    with served(world, router) as url, httpx.Client(timeout=30, limits=limits) as client, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(_asked(client, url, "/answers"))
        _wait(lambda: router.running == 60)
        began = time.monotonic()
        assert client.get(f"{url}/search", params={"q": QUESTION}, headers=HEADERS).json()["results"]
        assert time.monotonic() - began < 5
    _wait(lambda: router.running == 0)
