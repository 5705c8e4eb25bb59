"""A real small language model behind a real server, from its registration to the answer that a reader gets.

SmolLM2-135M-Instruct invents most of what it says. So these tests are about what happens around the model, not about its words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.model_server import NAME, ModelServer, served_model, streamed
from tests.system.tracing import loopback_only, outside_attempts, trace_command
from tests.worlds import instance_file

pytestmark = pytest.mark.system

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


def test_neither_conversion_nor_server_tries_to_leave(server: ModelServer, instance: Path, tmp_path: Path) -> None:
    del server  # it has registered and converted the model
    trace = tmp_path / "trace"
    with served_model(instance, prefix=[*loopback_only(), *trace_command(trace)]):
        pass
    assert "connect(" in trace.read_text(encoding="utf-8", errors="replace")
    assert outside_attempts(trace) == []
