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

from assistant.access import Label
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
from tests.endpoint_server import MODEL, EndpointServer, answer
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
        assert router.count_tokens("The harbour master keeps the register.") == 7


def test_router_streams_the_whole_answer_of_the_server(server: ModelServer) -> None:
    with ModelRouter([_description("real", server.url, NAME)], probing=False) as router:
        events = list(router.stream([ChatMessage("user", "Say in one sentence what a passport is for.")], _need(60)))
    assert events[0] == Started("real", NAME)
    assert events[-1] == Ended(complete=True, reason="stop")
    assert "passport" in "".join(event.text for event in events if isinstance(event, Piece)).lower()


def test_neither_conversion_nor_server_tries_to_leave(server: ModelServer, instance: Path, tmp_path: Path) -> None:
    del server  # it has registered and converted the model
    trace = tmp_path / "trace"
    with served_model(instance, prefix=[*loopback_only(), *trace_command(trace)]):
        pass
    assert "connect(" in trace.read_text(encoding="utf-8", errors="replace")
    assert outside_attempts(trace) == []


def test_answer_goes_on_elsewhere_when_the_server_is_killed_in_its_middle(server: ModelServer) -> None:
    """The last test: nothing is served after it."""
    with EndpointServer(answer("The harbour is open [1].")) as other:
        both = [_description("real", server.url, NAME), _description("other", other.url, MODEL)]
        with ModelRouter(both, probing=False) as router:
            events = []
            for event in router.stream([ChatMessage("user", STORY)], _need(400)):
                events.append(event)
                if len(events) == 4:
                    server.kill()
    assert [type(event) for event in events[:4]] == [Started, Piece, Piece, Piece]
    broken = next(place for place, event in enumerate(events) if isinstance(event, Broken))
    assert events[broken + 1] == Started("other", MODEL)
    assert (
        "".join(event.text for event in events[broken + 2 : -1] if isinstance(event, Piece))
        == "The harbour is open [1]."
    )
    assert events[-1] == Ended(complete=True, reason="stop")
    server.process.wait(timeout=30)
    assert server.process.returncode == 2
