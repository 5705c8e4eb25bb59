"""llama.cpp's two servers, where they are installed: from `assistant model serve` to the answer that a reader gets.

Neither belongs to the assistant's dependencies, so these tests skip where there is none; the server of transformers, which is
everywhere, has `test_real_model`. Install `llama-cpp-python[server]` beside the assistant for the one, put llama.cpp's own
`llama-server` in PATH for the other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

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
from assistant.modelfiles.servers import ServerKind, this_machine
from tests.endpoint_server import MODEL, EndpointServer, answer
from tests.model_server import NAME, ModelServer, served_model, streamed
from tests.worlds import instance_file

pytestmark = pytest.mark.system

STORY = "Tell me a long story about a harbour."
WORDS = "The harbour master keeps the register of the boats. "
SCHEMA = {"type": "object", "properties": {"bird": {"type": "string", "enum": ["owl", "kite"]}}, "required": ["bird"]}
_INSTALL = {
    ServerKind.LLAMA_PYTHON: "llama-cpp-python[server] is not installed; pip install it beside the assistant to run this",
    ServerKind.LLAMA_SERVER: "llama-server is not in PATH; build llama.cpp to run this",
}


@pytest.fixture(scope="module", params=list(_INSTALL), ids=str)
def kind(request: pytest.FixtureRequest) -> ServerKind:
    machine, asked = this_machine(), ServerKind(request.param)
    if not (machine.llama_python if asked is ServerKind.LLAMA_PYTHON else machine.llama_server):
        pytest.skip(_INSTALL[asked])
    return asked


@pytest.fixture(scope="module")
def server(kind: ServerKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    instance = instance_file(tmp_path_factory.mktemp("llama"))
    with served_model(instance, server=kind) as running:
        yield running


def _described(server: ModelServer, context_tokens: int = 8192) -> EndpointDescription:
    limits = Limits(connect_s=2, first_token_s=60, between_tokens_s=60, total_s=120)
    everything = frozenset({"fr", "ar", "en"})
    label = Label.parse("secret")
    return EndpointDescription(
        "llama", server.url, NAME, everything, context_tokens, label, concurrency=1, limits=limits
    )


@pytest.fixture(scope="module")
def router(server: ModelServer) -> Iterator[ModelRouter]:
    with ModelRouter([_described(server, 99_999)]) as models:
        deadline = time.monotonic() + 60
        while not models.probed and time.monotonic() < deadline:
            time.sleep(0.1)
        yield models


def _need(max_tokens: int, language: str = "en", **more: object) -> Need:
    return Need("reader", Label.parse("internal"), language, max_tokens=max_tokens, **more)  # type: ignore[arg-type] # schema


def _asked(router: ModelRouter, text: str, need: Need) -> tuple[str, object]:
    events = list(router.stream([ChatMessage("user", text)], need))
    return "".join(event.text for event in events if isinstance(event, Piece)), events[-1]


def test_command_prints_what_the_server_serves_and_the_server_stays_on_loopback(
    server: ModelServer, kind: ServerKind
) -> None:
    command = server.server.cmdline()
    assert ("llama_cpp.server" in command) is (kind is ServerKind.LLAMA_PYTHON)
    listening = [each for each in server.server.net_connections("inet") if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
    assert [each["id"] for each in httpx.get(f"{server.url}/models").json()["data"]] == [NAME]


def test_page_of_a_browser_may_not_read_what_the_server_says(server: ModelServer, kind: ServerKind) -> None:
    if kind is ServerKind.LLAMA_PYTHON:
        pytest.skip("llama-cpp-python lets every page in and has no option against it")
    reply = httpx.get(f"{server.url}/models", headers={"origin": "https://elsewhere.example"})
    assert reply.headers.get("access-control-allow-origin") in (None, "")


def test_server_streams_under_the_name_it_was_asked_for_and_says_that_it_ended(server: ModelServer) -> None:
    said = streamed(server, "Say in one sentence what a passport is for.", max_tokens=60)
    assert "passport" in said.text.lower()
    assert (said.finish, said.done, said.models) == ("stop", True, {NAME})


@pytest.mark.parametrize(
    ("language", "question"), [("fr", "Quelle est la capitale de la France ?"), ("ar", "ما هي عاصمة فرنسا؟")]
)
def test_every_language_goes_in_and_comes_out_whole(router: ModelRouter, language: str, question: str) -> None:
    text, ended = _asked(router, question, _need(24, language))
    assert isinstance(ended, Ended)
    assert text.startswith("La capitale de la France") if language == "fr" else any("\u0600" <= c <= "ۿ" for c in text)
    assert "\ufffd" not in text


def test_router_learns_what_the_server_offers(router: ModelRouter, kind: ServerKind) -> None:
    state = router.states()[0]
    own = kind is ServerKind.LLAMA_SERVER
    assert (state.state, state.tokenizer) == ("ready", "llama.cpp" if own else "llama-cpp-python")
    assert state.context_tokens == (8192 if own else 99_999)  # llama-cpp-python does not say how much it reads
    assert state.json_schema is own  # llama-cpp-python knows none under the name that OpenAI gives it
    assert router.count_tokens("The harbour master keeps the register.", _need(1)) == 7
    if own:
        assert json.loads(_asked(router, "Name a bird.", _need(30, schema=SCHEMA))[0])["bird"] in ("owl", "kite")


def test_long_prompt_is_read_and_takes_no_more_memory_than_its_tokens(router: ModelRouter, server: ModelServer) -> None:
    before = server.server.memory_info().rss
    text, _ = _asked(router, WORDS * 100 + "Who keeps the register?", _need(12))
    assert text
    # Chances of each word of the vocabulary for each token would be 200 MB for these thousand.
    assert server.server.memory_info().rss - before < 100e6


def test_prompt_that_does_not_fit_is_over_at_once_and_takes_nothing_with_it(router: ModelRouter) -> None:
    began = time.monotonic()
    with pytest.raises(Exception, match="no language model can answer"):
        _asked(router, WORDS * 1200, _need(12))
    assert time.monotonic() - began < 10
    assert router.states()[0].running == 0
    assert _asked(router, "Say yes.", _need(2))[0]


def test_server_stops_generating_when_its_reader_goes(router: ModelRouter, server: ModelServer) -> None:
    events = router.stream([ChatMessage("user", STORY)], _need(2000))
    for _ in range(5):
        next(events)
    events.close()
    assert router.states()[0].running == 0
    used = sum(server.server.cpu_times()[:2])
    time.sleep(1)
    assert sum(server.server.cpu_times()[:2]) - used < 0.5
    assert _asked(router, "Say yes.", _need(2))[0]


def test_answer_goes_on_elsewhere_when_the_server_is_killed_in_its_middle(server: ModelServer) -> None:
    """The last test: nothing is served after it."""
    other = answer("The library is closed on Sundays [1].")
    with EndpointServer(other) as second:
        everything = frozenset({"fr", "ar", "en"})
        spare = EndpointDescription("other", second.url, MODEL, everything, 4096, Label.parse("secret"))
        with ModelRouter([_described(server), spare], probing=False) as router:
            events = []
            for event in router.stream([ChatMessage("user", STORY)], _need(400)):
                events.append(event)
                if len(events) == 4:
                    server.kill()
    broken = next(place for place, event in enumerate(events) if isinstance(event, Broken))
    assert events[broken + 1] == Started("other", MODEL)
    assert events[-1] == Ended(complete=True, reason="stop")
    server.process.wait(timeout=30)
    assert server.process.returncode == 2  # the command says that its server ended by itself
