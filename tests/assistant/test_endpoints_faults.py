"""Everything a model server can do wrong, one real server for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.endpoints import Broken, Ended, Started
from tests.assistant.endpoint_worlds import SHORT, collected, described, need, question, router
from tests.endpoint_server import BEGINNING, FAULTS, MODEL, EndpointServer, answer, refused_url, unreachable_url

LONGEST_S = 10.0
"""No fault takes longer with these limits, on a busy machine either."""

BEFORE_ANY_TEXT = {
    "black hole": "slow",
    "headers only": "slow",
    "slow first token": "slow",
    "comments before the first token": "slow",
    "empty chunks before the first token": "slow",
    "HTML page": "not a stream",
    "HTML page that claims to be a stream": "broken stream",
    "JSON instead of a stream": "not a stream",
    "empty choices": "empty",
    "empty answer": "empty",
    "nothing at all": "cut off",
    "500": "server error",
    "429": "busy",
    "401": "not permitted",
    "redirect": "not permitted",
    "compressed": "not a stream",
    "50 MB in one event": "too large",
    "50 MB of comments": "too large",
    "another model": "wrong model",
    "tool calls": "tool call",
    "wrong JSON": "broken stream",
    "wrong types": "broken stream",
    "nested JSON": "broken stream",
    "drip": "slow",
    "usage alone": "empty",
}
IN_THE_MIDDLE = {
    "stall": "stalled",
    "stall with comments": "stalled",
    "stall with empty chunks": "stalled",
    "killed in the middle": "cut off",
    "half a character": "broken stream",
    "half a character, then cut": "cut off",
    "broken events": "broken stream",
    "event cut in two": "broken stream",
    "neither finish_reason nor [DONE]": "cut off",
    "500 in the middle": "server error",
    "50 MB": "too large",
    "another model in the middle": "wrong model",
    "tool calls in the middle": "tool call",
    "duplicate chunks": "repeated",
    "text after the end": "broken stream",
    "drip in the middle": "stalled",
    "another role": "broken stream",
}
ENDS = {
    "never ending": Ended(complete=False, reason="too long"),
    "no [DONE]": Ended(complete=False, reason="no [DONE]"),
    "no finish_reason": Ended(complete=False, reason="no finish_reason"),
    "length": Ended(complete=False, reason="length"),
    "content filter": Ended(complete=False, reason="content_filter"),
    "half a surrogate pair": Ended(complete=True, reason="stop"),
    "control characters": Ended(complete=True, reason="stop"),
    "end that is kept open": Ended(complete=False, reason="no [DONE]"),
    "text after [DONE]": Ended(complete=True, reason="stop"),
    "null for text": Ended(complete=True, reason="stop"),
    "second choice": Ended(complete=True, reason="stop"),
}


def test_every_fault_of_the_server_is_expected_here() -> None:
    assert sorted([*BEFORE_ANY_TEXT, *IN_THE_MIDDLE, *ENDS]) == sorted(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_becomes_events_in_bounded_time_and_frees_slot_and_connection(fault: str) -> None:
    with EndpointServer(FAULTS[fault]) as server, router(described(server.url)) as models:
        came = collected(models)
        assert came.seconds < LONGEST_S
        assert models.states()[0].running == 0
        assert all(seen.gone.wait(10) for seen in server.seen)
    if fault in ENDS:
        assert came.events == [Started("one", MODEL), ENDS[fault]]
        assert not came.unavailable
    elif fault in IN_THE_MIDDLE:
        assert came.events == [Started("one", MODEL), Broken(IN_THE_MIDDLE[fault])]
        assert f"one: {IN_THE_MIDDLE[fault]}" in came.unavailable
    else:
        assert [event for event in came.events if isinstance(event, Started | Broken | Ended)] == []
        assert came.text == ""
        assert f"one: {BEFORE_ANY_TEXT[fault]}" in came.unavailable


@pytest.mark.parametrize("fault", sorted(BEFORE_ANY_TEXT | IN_THE_MIDDLE))
def test_next_endpoint_answers_from_the_beginning(fault: str) -> None:
    whole = "Le délai est de dix jours."
    with (
        EndpointServer(FAULTS[fault]) as bad,
        EndpointServer(answer(whole)) as good,
        router(described(bad.url, "bad"), described(good.url, "good")) as models,
    ):
        came = collected(models)
    broken = [Started("bad", MODEL), Broken(IN_THE_MIDDLE[fault])] if fault in IN_THE_MIDDLE else []
    assert came.events == [*broken, Started("good", MODEL), Ended(complete=True, reason="stop")]
    assert came.text == whole


def test_refused_connection_is_over_at_once() -> None:
    with router(described(refused_url())) as models:
        came = collected(models)
    assert "one: refused" in came.unavailable
    assert came.seconds < SHORT.connect_s


def test_connection_that_never_comes_about_takes_connect_s() -> None:
    with unreachable_url() as url, router(described(url)) as models:
        came = collected(models)
    assert "one: unreachable" in came.unavailable
    assert SHORT.connect_s <= came.seconds < SHORT.connect_s + 2


def test_text_is_clean_of_what_deceives_readers_and_terminals() -> None:
    with EndpointServer(FAULTS["control characters"]) as server, router(described(server.url)) as models:
        assert collected(models).text == "Dix jours rouges abc."


def test_half_a_surrogate_pair_can_be_stored_and_sent() -> None:
    with EndpointServer(FAULTS["half a surrogate pair"]) as server, router(described(server.url)) as models:
        assert collected(models).text.encode("utf-8") == f"{BEGINNING}dix ".encode()


def test_only_the_choice_that_was_asked_for_is_read() -> None:
    with EndpointServer(FAULTS["second choice"]) as server, router(described(server.url)) as models:
        assert collected(models).text == f"{BEGINNING}dix."


def test_redirect_to_another_server_is_not_followed() -> None:
    with EndpointServer(answer("Trois mois.")) as other:
        away = replace(FAULTS["redirect"], headers=(("Location", f"{other.url}/chat/completions"),))
        with EndpointServer(away) as server, router(described(server.url, key="secret-key")) as models:
            came = collected(models)
        assert "one: not permitted" in came.unavailable
        assert other.seen == []


def test_endless_answer_is_not_read_to_its_end() -> None:
    with EndpointServer(FAULTS["50 MB"]) as server, router(described(server.url)) as models:
        came = collected(models)
        assert server.seen[0].gone.wait(10)
        assert not server.seen[0].served
    assert len(came.text) < 2_000_000


def test_server_killed_in_the_middle_is_replaced() -> None:
    whole = "Le délai est de dix jours."
    with (
        EndpointServer(answer(whole * 50, per_second=50)) as first,
        EndpointServer(answer(whole)) as second,
        router(described(first.url, "first"), described(second.url, "second")) as models,
    ):
        kinds: list[str] = []
        for event in models.stream(question(), need()):
            kinds.append(type(event).__name__)
            if kinds.count("Piece") == 3:
                first.kill()
    assert kinds.count("Started") == 2
    assert kinds.count("Broken") == 1
    assert kinds[-1] == "Ended"
