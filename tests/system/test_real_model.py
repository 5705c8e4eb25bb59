"""A real small language model behind a real server, from its registration to the answer that a reader gets.

SmolLM2-135M-Instruct invents most of what it says. So these tests are about what happens around the model, not about its words.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from assistant.access import Label
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.endpoints import (
    Broken,
    ChatMessage,
    Ended,
    EndpointDescription,
    Limits,
    ModelRouter,
    Need,
    Piece,
    Started,
)
from assistant.service.serving import serving
from assistant.sessions import local_key
from tests.endpoint_server import MODEL, EndpointServer, answer
from tests.instances import running_instance
from tests.model_server import NAME, ModelServer, served_model, streamed
from tests.system.tracing import loopback_only, outside_attempts, trace_command
from tests.worlds import instance_file

pytestmark = pytest.mark.system

Json = dict[str, Any]
STORY = "Tell me a long story about a harbour."


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return instance_file(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def server(instance: Path) -> Iterator[ModelServer]:
    with served_model(instance) as running:
        yield running


def test_server_streams_under_the_name_it_was_asked_for_and_says_that_it_ended(server: ModelServer) -> None:
    answer = streamed(server, "Say in one sentence what a passport is for.", max_tokens=60)
    assert len(answer.pieces) > 5
    assert "passport" in answer.text.lower()
    assert (answer.finish, answer.done, answer.models) == ("stop", True, {NAME})


def test_answer_that_is_cut_says_so(server: ModelServer) -> None:
    answer = streamed(server, STORY, max_tokens=8)
    assert (answer.finish, answer.done) == ("length", True)


def test_french_question_gets_french_words(server: ModelServer) -> None:
    answer = streamed(server, "Quelle est la capitale de la France ?")
    assert answer.text.startswith("La capitale de la France")


def test_server_stops_generating_when_its_client_goes(server: ModelServer) -> None:
    timed = streamed(server, STORY, max_tokens=24)
    whole_s = timed.total_s / 24 * 800
    stopped = streamed(server, STORY, max_tokens=800, stop_after=3)
    assert len(stopped.pieces) == 3
    after = streamed(server, "Say yes.", max_tokens=2)
    assert after.first_s < whole_s / 4, f"{after.first_s:.1f} s until the next answer; 800 tokens take {whole_s:.0f} s"


def test_long_prompt_is_read_and_one_that_does_not_fit_is_refused_at_once(server: ModelServer) -> None:
    words = "The harbour master keeps the register of the boats. "
    count = httpx.post(f"{server.url.removesuffix('/v1')}/tokenize", json={"model": NAME, "prompt": words}).json()
    assert count["max_model_len"] == 8192
    fitting = streamed(server, words * (1500 // count["count"]) + "Who keeps the register?", max_tokens=12)
    assert fitting.pieces
    began = time.monotonic()
    request = {
        "model": NAME,
        "messages": [{"role": "user", "content": words * (9000 // count["count"])}],
        "stream": True,
    }
    refused = httpx.post(f"{server.url}/chat/completions", json=request, timeout=30)
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert time.monotonic() - began < 5


def test_server_listens_on_loopback_only_and_offers_nothing_but_its_model(server: ModelServer) -> None:
    listening = [each for each in server.server.net_connections("inet") if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
    models = httpx.get(f"{server.url}/models").json()["data"]
    assert [(each["id"], each["max_model_len"]) for each in models] == [(NAME, 8192)]
    root = server.url.removesuffix("/v1")
    for path in ("/load_model", "/reset", "/v1/responses", "/docs"):
        assert httpx.post(f"{root}{path}", json={"model": "other"}).status_code == httpx.codes.NOT_FOUND
    assert _status(server, "other") == httpx.codes.NOT_FOUND


def _status(server: ModelServer, model: str) -> int:
    request = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    return httpx.post(f"{server.url}/chat/completions", json=request, timeout=60).status_code


def _description(name: str, url: str, model: str) -> EndpointDescription:
    limits = Limits(connect_s=2, first_token_s=60, between_tokens_s=60, total_s=120)
    everything = frozenset({"fr", "ar", "en"})
    return EndpointDescription(name, url, model, everything, 4096, Label.parse("secret"), concurrency=1, limits=limits)


def _need(max_tokens: int) -> Need:
    return Need("reader", Label.parse("internal"), "en", max_tokens=max_tokens)


def test_router_learns_how_the_server_counts_and_how_much_it_reads(server: ModelServer) -> None:
    with ModelRouter([_description("real", server.url, NAME)]) as router:
        deadline = time.monotonic() + 60
        while not router.probed and time.monotonic() < deadline:
            time.sleep(0.1)
        state = router.states()[0]
        assert (state.state, state.tokenizer, state.context_tokens) == ("ready", "vllm", 4096)
        assert not state.json_schema
        assert router.count_tokens("The harbour master keeps the register.", _need(1)) == 7


def test_router_streams_the_whole_answer_of_the_server(server: ModelServer) -> None:
    with ModelRouter([_description("real", server.url, NAME)], probing=False) as router:
        events = list(router.stream([ChatMessage("user", "Say in one sentence what a passport is for.")], _need(60)))
    assert events[0] == Started("real", NAME)
    assert events[-1] == Ended(complete=True, reason="stop")
    assert "passport" in "".join(event.text for event in events if isinstance(event, Piece)).lower()


DOCUMENTS = {
    "library.txt": "Library. The library is closed on Sundays. A reader may borrow five books for four weeks.",
    "harbour.txt": "Harbour cameras. Recordings of the harbour cameras are kept for thirty days.",
    "teletravail.txt": "Télétravail. Un agent à temps plein peut télétravailler trois jours par semaine. "
    "La demande de télétravail est adressée au chef de service deux mois avant la date souhaitée.",
}
QUESTIONS = (
    "When is the library closed?",
    "How long are recordings of the harbour cameras kept?",
    "Combien de jours par semaine un agent à temps plein peut-il télétravailler ?",
)


@dataclass(frozen=True)
class World:
    parts: Parts
    url: str
    key: str

    def events(self, question: str, *, stop_after_s: float = 0.0) -> list[tuple[str, Json]]:
        """The events of an answer, by name; the reader leaves after so many seconds, if any are given."""
        found: list[tuple[str, Json]] = []
        name, headers = "", {"authorization": f"Bearer {self.key}"}
        timeout = httpx.Timeout(90, read=stop_after_s or 90)
        with (
            suppress(httpx.ReadTimeout),
            httpx.stream(
                "POST", f"{self.url}/v1/answers", json={"question": question}, headers=headers, timeout=timeout
            ) as reply,
        ):
            for line in reply.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
        return found

    def wait_until(self, running: int) -> None:
        """Until so many requests run at the model."""
        assert self.parts.router is not None
        deadline = time.monotonic() + 60
        while self.parts.router.states()[0].running != running:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="module")
def world(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An instance that asks the real model, and a scripted one when that is away."""
    folder = tmp_path_factory.mktemp("world")
    with EndpointServer(answer("The library is closed on Sundays [1].")) as other:
        limits = 'clearance = "secret"\nfirst_token_s = 60\nbetween_tokens_s = 60\ntotal_s = 25\nconcurrency = 1\n'
        limits += "context_tokens = 1280\n"
        real = f'[[models.endpoints]]\nname = "real"\nurl = "{server.url}"\nmodel = "{NAME}"\n{limits}'
        second = f'[[models.endpoints]]\nname = "other"\nurl = "{other.url}"\nmodel = "{MODEL}"\n{limits}'
        settings = load_settings(instance_file(folder, extra=real + second))
        with opened(settings) as parts:
            parts.ingestion.start()
            key = local_key(settings.home / "keys")
            for name, text in DOCUMENTS.items():
                (folder / name).write_text(text, encoding="utf-8")
                reader = parts.sign_in.principal(key)
                parts.ingestion.accept(folder / name, source=f"/in/{name}", principal=reader)
            assert parts.ingestion.wait_idle(120)
            with serving(parts, port=0, with_page=False, announced=False) as running:
                yield World(parts, running.url, key)


@pytest.mark.parametrize("question", QUESTIONS)
def test_reader_sees_nothing_that_no_document_says_whatever_the_model_makes_of_it(world: World, question: str) -> None:
    events = world.events(question)
    names = [name for name, _ in events]
    assert (names[0], names[-1]) == ("evidence", "answer")
    reply = events[-1][1]
    assert reply["outcome"] in ("answered", "partly_supported")
    assert (reply["model"], reply["fallback"]) in ((NAME, ""), ("quotes", "not_supported"))
    assert [event["sentence"]["text"] for name, event in events if name == "sentence"] == [
        sentence["text"] for sentence in reply["sentences"]
    ]
    for citation in reply["citations"]:
        assert any(citation["quote"] in text for text in DOCUMENTS.values())
    assert all(sentence["markers"] for sentence in reply["sentences"])


def test_reader_who_leaves_frees_the_model(world: World, server: ModelServer) -> None:
    world.wait_until(0)
    world.events(QUESTIONS[2], stop_after_s=0.5)
    world.wait_until(0)
    assert streamed(server, "Say yes.", max_tokens=2).first_s < 10


def test_server_does_not_try_to_leave(server: ModelServer, instance: Path, tmp_path: Path) -> None:
    del server  # it has registered and converted the model
    trace = tmp_path / "trace"
    strace, *options = trace_command(trace)
    # A stop at every call of the system would cost a minute. Nothing here has a filter of its own that would hide a call.
    with served_model(instance, prefix=[*loopback_only(), strace, "--seccomp-bpf", *options]):
        pass
    assert "connect(" in trace.read_text(encoding="utf-8", errors="replace")
    assert outside_attempts(trace) == []


def test_one_command_starts_service_and_model_and_ends_both(server: ModelServer, instance: Path) -> None:
    del server  # it has registered and converted the model
    with running_instance(instance, options=("--model", NAME)) as running:
        below = psutil.Process(running.process.pid).children(recursive=True)
        (own,) = [child for child in below if "assistant.modelfiles.transformers_server" in child.cmdline()]
        command = own.cmdline()
        port, context = (command[command.index(option) + 1] for option in ("--port", "--context"))
        assert httpx.get(f"http://127.0.0.1:{port}/v1/models").json()["data"][0]["id"] == NAME
        assert context == "1280"
    assert running.process.returncode == 0
    assert psutil.wait_procs([own], timeout=30)[1] == []


def test_answer_goes_on_elsewhere_when_the_server_is_killed_in_its_middle(world: World, server: ModelServer) -> None:
    """The last test: nothing is served after it."""
    world.wait_until(0)
    assert world.parts.router is not None
    events = []
    for event in world.parts.router.stream([ChatMessage("user", STORY)], _need(400)):
        events.append(event)
        if len(events) == 4:
            server.kill()
    assert [type(event) for event in events[:4]] == [Started, Piece, Piece, Piece]
    broken = next(place for place, event in enumerate(events) if isinstance(event, Broken))
    assert events[broken + 1] == Started("other", MODEL)
    pieces = [event.text for event in events[broken + 2 : -1] if isinstance(event, Piece)]
    assert "".join(pieces) == "The library is closed on Sundays [1]."
    assert events[-1] == Ended(complete=True, reason="stop")
    reply = world.events(QUESTIONS[0])[-1][1]
    assert (reply["model"], reply["fallback"], reply["incomplete"]) == (MODEL, "", False)
    assert [sentence["text"] for sentence in reply["sentences"]] == ["The library is closed on Sundays."]
    server.process.wait(timeout=30)
    assert server.process.returncode == 2  # the command says that its server ended by itself
