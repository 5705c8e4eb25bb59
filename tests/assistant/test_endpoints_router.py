"""The router over real scripted servers: who is asked, in what order, and what stopping does."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.endpoints import ChatMessage, Ended, Need, Piece, Queued, Started
from assistant.errors import ModelsUnavailable
from tests.assistant.endpoint_worlds import PATIENT, collected, described, need, question, router, wait_until
from tests.endpoint_server import (
    FAULTS,
    MODEL,
    Abilities,
    Body,
    EndpointServer,
    Script,
    answer,
    last_user_message,
    refused_url,
)

COMPLETE = Ended(complete=True, reason="stop")


def asked_of(server: EndpointServer) -> int:
    return len(server.seen)


def test_answer_comes_in_pieces_as_it_is_written() -> None:
    text = "Le délai est de dix jours [1]. يجب تقديم الطلب. 😀"
    with EndpointServer(answer(text, per_second=50)) as server, router(described(server.url)) as models:
        came = collected(models)
        assert server.seen[0].body["messages"][1] == {"role": "user", "content": "Quel est le délai ?"}
    assert came.events == [Started("one", MODEL), COMPLETE]
    assert came.text == text


def test_first_endpoint_of_the_list_is_preferred() -> None:
    with EndpointServer(answer("Un.")) as first, EndpointServer(answer("Deux.")) as second:
        with router(described(first.url), described(second.url, "two")) as models:
            assert collected(models).text == "Un."
        assert asked_of(second) == 0


@pytest.mark.parametrize("label", ["restricted", "internal/health", "secret/health,tax"])
def test_endpoint_without_the_clearance_never_sees_the_prompt(label: str) -> None:
    with EndpointServer(answer("Non.")) as low, EndpointServer(answer("Oui.")) as high:
        models = router(
            described(low.url, "low", clearance="internal"), described(high.url, "high", clearance="secret/health,tax")
        )
        with models:
            assert collected(models, of=need(label=label)).text == "Oui."
            assert models.available(need(label=label))
        assert asked_of(low) == 0


def test_without_an_endpoint_that_is_cleared_nobody_is_asked_even_when_all_others_are_there() -> None:
    with EndpointServer(answer("Non.")) as server, router(described(server.url, clearance="internal")) as models:
        secret = need(label="secret")
        assert "no language model is described" in collected(models, of=secret).unavailable
        assert not models.available(secret)
        with pytest.raises(ModelsUnavailable):
            models.context_tokens(secret)
        assert asked_of(server) == 0


def test_failover_does_not_lead_to_an_endpoint_without_the_clearance() -> None:
    with EndpointServer(FAULTS["stall"]) as high, EndpointServer(answer("Non.")) as low:
        with router(described(high.url, clearance="secret"), described(low.url, "low", clearance="public")) as models:
            assert "one: stalled" in collected(models, of=need(label="restricted")).unavailable
        assert asked_of(low) == 0


def test_endpoint_is_asked_only_in_languages_it_is_listed_for() -> None:
    with EndpointServer(answer("Hello.")) as english, EndpointServer(answer("Bonjour.")) as french:
        models = router(
            described(english.url, "en", languages=frozenset({"en"})),
            described(french.url, "fr", languages=frozenset({"fr"})),
        )
        with models:
            assert collected(models).text == "Bonjour."
            assert collected(models, of=need(language="ar")).unavailable
        assert asked_of(english) == 0
        assert asked_of(french) == 1


def test_never_more_streams_than_the_endpoint_has_slots_and_everybody_gets_their_own_answer() -> None:
    def echo(body: Body) -> Script:
        return answer(f"Pour {last_user_message(body)} rien.", per_second=100)

    with EndpointServer(echo) as server, router(described(server.url, concurrency=3, limits=PATIENT)) as models:

        def one(number: int) -> str:
            return collected(models, [ChatMessage("user", f"canari-{number}")], need(f"reader-{number}")).text

        with ThreadPoolExecutor(20) as pool:
            texts = list(pool.map(one, range(20)))
        assert texts == [f"Pour canari-{number} rien." for number in range(20)]
        assert server.most_streaming == 3


def test_who_waits_is_told_the_place_and_each_change_of_it() -> None:
    script = answer("un deux trois quatre", per_second=10)
    with EndpointServer(script) as server, router(described(server.url, concurrency=1, limits=PATIENT)) as models:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(collected, models, None, need("a"))
            assert wait_until(lambda: asked_of(server) == 1)
            second = pool.submit(collected, models, None, need("b"))
            assert wait_until(lambda: models.waiting == 1)
            third = pool.submit(collected, models, None, need("c"))
        assert first.result().events == [Started("one", MODEL), COMPLETE]
        assert second.result().events == [Queued(1), Started("one", MODEL), COMPLETE]
        assert third.result().events == [Queued(2), Queued(1), Started("one", MODEL), COMPLETE]


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_closing_frees_the_slot_and_the_endpoint_sees_it(pieces: int) -> None:
    script = answer("mot " * 500, per_second=50)
    with EndpointServer(script) as server, router(described(server.url, limits=PATIENT)) as models:
        events = models.stream(question(), need())
        list(itertools.islice(events, pieces + 1))
        assert models.states()[0].running == 1
        began = time.monotonic()
        events.close()
        assert models.states()[0].running == 0
        assert server.seen[0].gone.wait(10)
        assert time.monotonic() - began < 2
        assert not server.seen[0].served


def test_closing_while_waiting_leaves_the_line() -> None:
    with EndpointServer(answer("mot " * 100, per_second=50)) as server:
        with router(described(server.url, concurrency=1, limits=PATIENT)) as models:
            running = models.stream(question(), need("a"))
            next(running)
            waiting = models.stream(question(), need("b"))
            assert next(waiting) == Queued(1)
            waiting.close()
            assert models.waiting == 0
            running.close()
            assert collected(models, of=need("c")).events[0] == Started("one", MODEL)
        assert asked_of(server) == 2


@pytest.mark.parametrize(
    "fault", ["black hole", "slow first token", "comments before the first token", "stall", "never ending"]
)
def test_stopping_is_noticed_while_the_server_is_silent(fault: str) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with EndpointServer(FAULTS[fault]) as server, router(described(server.url, limits=PATIENT)) as models:
        came = collected(models, stopped=stop.is_set)
        assert came.events[-1] == Ended(complete=False, reason="stopped")
        assert 0.4 < came.seconds < 3, "long before any limit"
        assert all(seen.gone.wait(10) for seen in server.seen)
        assert models.states()[0].running == 0
        assert models.states()[0].last_fault == "", "a reader who stops says nothing about the endpoint"


def test_stopping_while_waiting_asks_nobody() -> None:
    with EndpointServer(answer("mot " * 500, per_second=50)) as server:
        with router(described(server.url, concurrency=1, limits=PATIENT)) as models:
            running = models.stream(question(), need("a"))
            next(running)
            stop = threading.Event()
            threading.Timer(0.3, stop.set).start()
            came = collected(models, of=need("b"), stopped=stop.is_set)
            running.close()
        assert came.events == [Queued(1), Ended(complete=False, reason="stopped")]
        assert asked_of(server) == 1


def test_a_stream_may_be_read_by_a_different_thread_each_time() -> None:
    with EndpointServer(answer("un deux trois", per_second=20)) as server, router(described(server.url)) as models:
        events = models.stream(question(), need())
        came = []
        with ThreadPoolExecutor(4) as pool:
            while (event := pool.submit(next, events, None).result()) is not None:
                came.append(event)
    assert "".join(event.text for event in came if isinstance(event, Piece)) == "un deux trois"


def test_a_slow_reader_is_no_stall_of_the_server() -> None:
    with (
        EndpointServer(answer("un deux trois quatre", per_second=8)) as server,
        router(described(server.url)) as models,
    ):
        text = ""
        for event in models.stream(question(), need()):
            text += event.text if isinstance(event, Piece) else ""
            if text == "un ":
                time.sleep(1.3)
    assert text == "un deux trois quatre"


def test_endpoint_that_fails_twice_is_left_alone_until_the_probe_finds_it_back() -> None:
    with EndpointServer(FAULTS["500"]) as first, EndpointServer(answer("Deux.")) as second:
        first.abilities = Abilities(health_status=503)
        with router(described(first.url), described(second.url, "two"), probing=True) as models:
            assert wait_until(lambda: models.states()[0].state == "away")
            before = asked_of(first)
            assert [collected(models).text for _ in range(5)] == ["Deux."] * 5
            assert asked_of(first) == before, "nobody is sent to an endpoint that is away"
            first.script, first.abilities = answer("Un."), Abilities()
            assert wait_until(lambda: models.states()[0].state == "on trial")
            assert collected(models).text == "Un."
            assert models.states()[0].state == "ready"


def test_requests_open_the_breaker_without_any_probe() -> None:
    with EndpointServer(FAULTS["500"]) as server, router(described(server.url)) as models:
        assert [models.available(need()), collected(models).unavailable != ""] == [True, True]
        assert [models.available(need()), collected(models).unavailable != ""] == [True, True]
        assert not models.available(need())
        assert "one: server error" in collected(models).unavailable
        assert asked_of(server) == 2


def test_endpoint_that_starts_well_and_breaks_each_time_is_left_alone() -> None:
    with EndpointServer(FAULTS["killed in the middle"]) as server, router(described(server.url)) as models:
        for _ in range(4):
            collected(models)
        assert asked_of(server) == 2
        assert models.states()[0].state == "away"


def test_retry_after_is_waited_for() -> None:
    scripts = iter([FAULTS["429"], answer("Oui.")])
    with EndpointServer(lambda _: next(scripts)) as server, router(described(server.url)) as models:
        came = collected(models)
        first, second = server.seen
    assert came.events == [Queued(1), Started("one", MODEL), COMPLETE]
    assert came.text == "Oui."
    assert second.began - first.began >= 1.0


def test_retry_after_of_no_time_is_tried_again_at_once() -> None:
    scripts = iter([Script((), status=429, headers=(("Retry-After", "0"),)), answer("Oui.")])
    with EndpointServer(lambda _: next(scripts)) as server, router(described(server.url)) as models:
        came = collected(models)
    assert came.text == "Oui."
    assert came.seconds < 2


def test_retry_after_that_is_too_long_is_not_waited_for() -> None:
    hour = Script((), status=429, headers=(("Retry-After", "3600"),))
    with EndpointServer(hour) as server, router(described(server.url)) as models:
        came = collected(models)
        assert came.seconds < 2
        assert "one: busy" in came.unavailable
        assert asked_of(server) == 1


def test_busy_endpoint_is_passed_over_and_not_taken_for_broken() -> None:
    with EndpointServer(FAULTS["429"]) as busy, EndpointServer(answer("Deux.")) as second:
        with router(described(busy.url), described(second.url, "two")) as models:
            assert [collected(models).text for _ in range(3)] == ["Deux."] * 3
            assert models.states()[0].state == "paused"
        assert asked_of(busy) == 1


def test_requests_carry_the_key_and_nothing_that_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Leak: yes")
    monkeypatch.setenv("OPENAI_ORG_ID", "leak")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "leak")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, refused_url())
    with EndpointServer(answer("Oui.")) as server, router(described(server.url, key="clef-secrete")) as models:
        assert collected(models).text == "Oui."
        headers = server.seen[0].headers
    assert headers["authorization"] == "Bearer clef-secrete"
    assert sorted(headers) == [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
    ]


def test_without_a_key_no_authorization_is_sent() -> None:
    with EndpointServer(answer("Oui.")) as server, router(described(server.url)) as models:
        collected(models)
        assert "authorization" not in server.seen[0].headers


def test_messages_about_failures_hold_neither_question_nor_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="assistant")
    with EndpointServer(FAULTS["500"]) as server, router(described(server.url, key="clef-secrete")) as models:
        came = collected(models, question("Le dossier de Karim Haddad"))
        said = came.unavailable + caplog.text + repr(models.states()) + repr(described(server.url, key="clef-secrete"))
    assert "Haddad" not in said
    assert "clef-secrete" not in said


def test_need_is_made_with_a_reader_and_a_label() -> None:
    with pytest.raises(TypeError):
        Need(language="fr")  # type: ignore[call-arg]


def test_question_with_half_a_character_is_sent_without_it() -> None:
    with EndpointServer(answer("Oui.")) as server, router(described(server.url)) as models:
        assert collected(models, question("dix \ud83d jours")).text == "Oui."
        assert last_user_message(server.seen[0].body) == "dix ? jours"
