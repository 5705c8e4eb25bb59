"""What endpoints offer is asked, not assumed."""

from __future__ import annotations

import time

import pytest

from assistant.endpoints import ModelRouter, Need
from assistant.endpoints.tokens import estimated_tokens
from tests.assistant.endpoint_worlds import collected, described, need, question, router, wait_until
from tests.endpoint_server import FAULTS, Abilities, Body, EndpointServer, Script, answer

SCHEMA = {"type": "object", "properties": {"sentences": {"type": "array", "items": {"type": "string"}}}}


def asking_for_schema() -> Need:
    wanted = need()
    return Need(wanted.reader, wanted.label, wanted.language, schema=SCHEMA)


def probed(server: EndpointServer) -> ModelRouter:
    models = router(described(server.url), probing=True)
    assert wait_until(lambda: models.probed)
    return models


@pytest.mark.parametrize("obeys", [True, False])
def test_schema_is_sent_only_where_the_endpoint_keeps_to_one(obeys: bool) -> None:
    with EndpointServer(answer("{}"), Abilities(obeys_schema=obeys)) as server, probed(server) as models:
        collected(models, question(), asking_for_schema())
        assert models.states()[0].json_schema is obeys
        assert ("response_format" in server.seen[0].body) is obeys


def test_endpoint_that_refuses_this_schema_is_asked_without_one_and_from_then_on() -> None:
    def script(body: Body) -> Script:
        return Script((), status=400) if "response_format" in body else answer("Oui.")

    with EndpointServer(script, Abilities(obeys_schema=True)) as server, probed(server) as models:
        assert [collected(models, question(), asking_for_schema()).text for _ in range(3)] == ["Oui."] * 3
        assert ["response_format" in seen.body for seen in server.seen] == [True, False, False, False]
        assert models.states()[0].running == 0


def test_prompt_that_is_refused_says_nothing_against_the_schema() -> None:
    too_long = Script((), status=400)
    with EndpointServer(too_long, Abilities(obeys_schema=True)) as server, probed(server) as models:
        assert "one: rejected" in collected(models, question(), asking_for_schema()).unavailable
        assert models.states()[0].json_schema


def test_nothing_is_assumed_before_the_endpoint_was_asked() -> None:
    with EndpointServer(answer("{}"), Abilities(obeys_schema=True)) as server, router(described(server.url)) as models:
        collected(models, question(), asking_for_schema())
        assert "response_format" not in server.seen[0].body


@pytest.mark.parametrize(
    ("abilities", "context"),
    [
        (Abilities(max_model_len=2048), 2048),
        (Abilities(n_ctx=1024), 1024),
        (Abilities(tokenizer="vllm", max_model_len=3000), 3000),
        (Abilities(max_model_len=1_000_000), 4096),
        (Abilities(), 4096),
    ],
)
def test_context_is_the_smaller_of_what_is_configured_and_what_the_server_says(
    abilities: Abilities, context: int
) -> None:
    with EndpointServer(answer("Oui."), abilities) as server, probed(server) as models:
        assert models.context_tokens(need()) == context


@pytest.mark.parametrize("tokenizer", ["vllm", "llama.cpp", "llama-cpp-python"])
def test_tokens_are_counted_by_the_endpoint_once_for_each_text(tokenizer: str) -> None:
    with EndpointServer(answer("Oui."), Abilities(tokenizer=tokenizer)) as server, probed(server) as models:
        before = len(server.others)
        assert models.states()[0].tokenizer == tokenizer
        assert [models.count_tokens("un deux trois quatre", need()) for _ in range(3)] == [4, 4, 4]
        assert len(server.others) == before + 1


def test_text_is_counted_by_no_endpoint_that_may_not_see_it() -> None:
    text = "le plan zyzomys est secret"
    with (
        EndpointServer(answer("Oui."), Abilities(tokenizer="vllm")) as server,
        router(described(server.url, clearance="internal"), probing=True) as models,
    ):
        assert wait_until(lambda: models.probed)
        before = len(server.others)
        for above in ("restricted", "internal/health", "secret"):
            assert models.count_tokens(text, need(label=above)) == estimated_tokens(text)
        assert len(server.others) == before, "leaked: a text was sent to be counted"
        assert models.count_tokens(text, need(label="internal")) == 5


def test_tokens_are_estimated_when_the_tokenizer_does_not_answer() -> None:
    with EndpointServer(answer("Oui."), Abilities(tokenizer="vllm")) as server, probed(server) as models:
        server.kill()
        assert models.count_tokens("un deux trois", need()) == estimated_tokens("un deux trois") >= 3


def test_server_that_answers_probes_with_rubbish_offers_nothing_and_is_used_all_the_same() -> None:
    with EndpointServer(answer("Oui."), Abilities(models=())) as server, probed(server) as models:
        state = models.states()[0]
        assert (state.json_schema, state.tokenizer, state.context_tokens) == (False, "", 4096)
        assert collected(models).text == "Oui."


def test_absent_endpoint_is_known_to_be_away_before_anybody_asks() -> None:
    with EndpointServer(FAULTS["500"], Abilities(health_status=500)) as server:
        with router(described(server.url), probing=True) as models:
            assert wait_until(lambda: not models.available(need()))
        assert server.seen == []


def test_tokenizer_that_hangs_is_waited_for_once() -> None:
    with EndpointServer(answer("Oui."), Abilities(tokenizer="vllm")) as server, probed(server) as models:
        server.abilities = Abilities(tokenizer="hangs")
        before = len(server.others)
        assert [models.count_tokens(f"texte {number}", need()) > 0 for number in range(12)] == [True] * 12
        assert len(server.others) == before + 1


def test_closing_does_not_wait_for_a_probe() -> None:
    with EndpointServer(answer("Oui."), Abilities(tokenizer="hangs")) as server:
        models = router(described(server.url), probing=True)
        assert wait_until(lambda: any(seen.path == "/tokenize" for seen in server.others))
        began = time.monotonic()
        models.close()
        assert time.monotonic() - began < 2, "the three tokenizers would take three seconds"
