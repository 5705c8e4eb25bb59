"""The line of requests: turns between readers, places, slots."""

from __future__ import annotations

import pytest

from assistant.endpoints.breaker import Breaker
from assistant.endpoints.exchange import EndpointFailure, Fault, Stopped
from assistant.endpoints.line import Lane, Line, Ticket
from assistant.errors import ModelsUnavailable


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lane(clock: Clock, concurrency: int = 1, name: str = "one") -> Lane:
    return Lane(name, concurrency, Breaker(clock))


def place(line: Line, ticket: Ticket) -> int:
    """0: it has a slot."""
    return next(line.waiting(ticket, lambda: False), 0)


def served_in_order(line: Line, tickets: dict[str, Ticket]) -> list[str]:
    """Names of the tickets in the order in which they get the only slot, each leaving it at once."""
    order = []
    while tickets:
        name = next(name for name, ticket in tickets.items() if ticket.lane is not None)
        line.leave(tickets.pop(name))
        order.append(name)
    return order


def test_readers_take_turns_and_each_keeps_its_order() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(Clock())
    tickets = {name: line.join(name[0], [only]) for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2")}
    assert served_in_order(line, tickets) == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


def test_place_counts_those_who_go_first() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    running = line.join("a", [only])
    waiting = {name: line.join(name[0], [only]) for name in ("a2", "a3", "a4", "b1")}
    assert {name: place(line, ticket) for name, ticket in waiting.items()} == {"a2": 1, "b1": 2, "a3": 3, "a4": 4}
    line.leave(running)
    assert {name: place(line, ticket) for name, ticket in waiting.items()} == {"a2": 0, "b1": 1, "a3": 2, "a4": 3}


def test_reader_with_many_requests_does_not_delay_another_by_more_than_one() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    line.join("greedy", [only])
    for _ in range(50):
        line.join("greedy", [only])
    assert place(line, line.join("modest", [only])) == 2


def test_request_that_does_not_fit_the_free_endpoint_holds_nobody_up() -> None:
    clock = Clock()
    line, open_lane, secret_lane = Line(60, clock), lane(clock, name="open"), lane(clock, name="secret")
    line.join("a", [secret_lane])
    waits_for_secret = line.join("b", [secret_lane])
    fits_open = line.join("c", [open_lane])
    assert fits_open.lane is open_lane
    assert waits_for_secret.lane is None


def test_busy_endpoint_is_passed_over_for_the_next_one() -> None:
    clock = Clock()
    line, first, second = Line(60, clock), lane(clock), lane(clock, name="two")
    assert line.join("a", [first, second]).lane is first
    assert line.join("b", [first, second]).lane is second
    assert line.join("c", [first, second]).lane is None


def test_request_whose_endpoint_failed_goes_before_those_who_wait() -> None:
    clock = Clock()
    line, first, second = Line(60, clock), lane(clock), lane(clock, name="two")
    unlucky, other = line.join("a", [first, second]), line.join("b", [second])
    waiting = line.join("c", [second])
    line.failed(unlucky, EndpointFailure(Fault.CUT_OFF))
    line.leave(other)
    assert unlucky.lane is second
    assert waiting.lane is None


def test_waiting_ends_after_a_while_and_leaves_no_trace() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    running, late = line.join("a", [only]), line.join("b", [only])
    clock.now += 61
    with pytest.raises(ModelsUnavailable, match="free in time"):
        place(line, late)
    line.leave(late)
    line.leave(running)
    assert line.join("c", [only]).lane is only


def test_nobody_waits_for_an_endpoint_that_is_away() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    running, waiting = line.join("a", [only]), line.join("b", [only])
    only.breaker.failed(EndpointFailure(Fault.REFUSED))
    line.failed(running, EndpointFailure(Fault.REFUSED))
    with pytest.raises(ModelsUnavailable, match="one: refused"):
        place(line, waiting)


def test_reader_who_has_gone_leaves_the_line() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    line.join("a", [only])
    with pytest.raises(Stopped):
        next(line.waiting(line.join("b", [only]), lambda: True))


def test_line_has_a_limit() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock)
    for number in range(501):
        line.join(str(number), [only])
    with pytest.raises(ModelsUnavailable, match="500 requests wait"):
        line.join("one more", [only])


def test_on_trial_one_request_at_a_time() -> None:
    clock = Clock()
    line, only = Line(60, clock), lane(clock, concurrency=8)
    for _ in range(2):
        only.breaker.failed(EndpointFailure(Fault.REFUSED))
    only.breaker.probed()
    trial, second = line.join("a", [only]), line.join("b", [only])
    assert trial.lane is only
    assert second.lane is None
    with line.changed:
        only.breaker.spoke()
        line.update()
    assert second.lane is only


@pytest.mark.parametrize("fault", ["tool call", "too large", "too long", "rejected", "empty", "busy"])
def test_no_document_can_switch_an_endpoint_off_for_everybody(fault: str) -> None:
    breaker = Breaker(Clock())
    for _ in range(20):
        breaker.failed(EndpointFailure(Fault(fault)))
    assert not breaker.away


def test_breaker_waits_longer_after_each_probe_that_fails_and_forgets_after_success() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(EndpointFailure(Fault.STALLED))
    assert not breaker.away
    breaker.failed(EndpointFailure(Fault.STALLED))
    assert breaker.away
    waited = []
    for _ in range(8):
        began = clock.now
        while not breaker.probe_due:
            clock.now += 0.5
        waited.append(clock.now - began)
        breaker.probed(EndpointFailure(Fault.REFUSED))
    assert waited == [1, 2, 4, 8, 16, 32, 60, 60]
    breaker.probed()
    breaker.spoke()
    assert breaker.state == "ready"
    breaker.failed(EndpointFailure(Fault.STALLED))
    assert breaker.away, "after an absence one failure is enough"
    breaker.probed()
    breaker.succeeded()
    breaker.failed(EndpointFailure(Fault.STALLED))
    assert not breaker.away
