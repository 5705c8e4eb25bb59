"""Who is served next: slots of endpoints, and one line of requests that is fair between readers.

A request takes the first of its endpoints that has a free slot. When none has, it waits. Readers take turns, in the order in
which they came; a reader's own requests are served in their order. A request whose endpoint failed goes before the others: it
has had its turn.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.endpoints.breaker import Breaker
from assistant.endpoints.exchange import EndpointFailure, Fault, Stopped
from assistant.errors import ModelsUnavailable

_LOOK_S = 0.2
_MOST_WAITING = 500
_BUSY_RETRIES = 3
"""So many 429 one request bears from one endpoint."""


class Lane:
    """The slots of one endpoint."""

    def __init__(self, name: str, concurrency: int, breaker: Breaker) -> None:
        self.name = name
        self.concurrency = concurrency
        self.breaker = breaker
        self.running = 0

    @property
    def free(self) -> bool:
        """A request could start now."""
        slots = 1 if self.breaker.on_trial else self.concurrency
        return not self.breaker.away and self.breaker.pause_s == 0 and self.running < slots


@dataclass(eq=False)
class Ticket:
    """One request in the line, or in a slot."""

    reader: str
    lanes: list[Lane]
    """Where it may go, in order of preference; those that failed it are taken out."""
    until: float
    """When it stops waiting."""
    lane: Lane | None = None
    busy: int = 0
    faults: list[str] = field(default_factory=list)


class Line:
    """All lanes and everybody who waits for one. `wait_s` is how long a request waits at most."""

    def __init__(self, wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_s = wait_s
        self._clock = clock
        self.changed = threading.Condition()
        """Its lock guards everything here, and the breakers."""
        self._turns: OrderedDict[str, deque[Ticket]] = OrderedDict()

    def join(self, reader: str, lanes: Sequence[Lane]) -> Ticket:
        """A place in the line, or at once a slot. Raises ModelsUnavailable when the line is too long to make sense."""
        ticket = Ticket(reader, list(lanes), self._clock() + self._wait_s)
        with self.changed:
            if self.length >= _MOST_WAITING:
                raise ModelsUnavailable(f"{_MOST_WAITING} requests wait for a language model; try again later")
            self._turns.setdefault(reader, deque()).append(ticket)
            self._hand_out()
        return ticket

    @property
    def length(self) -> int:
        """How many wait."""
        return sum(map(len, list(self._turns.values())))

    def waiting(self, ticket: Ticket, stopped: Callable[[], bool]) -> Iterator[int]:
        """The place of the ticket each time it changes, until it has a slot.

        Raises ModelsUnavailable when none will come, Stopped once the reader has gone.
        """
        told = 0
        while True:
            with self.changed:
                place = self._place(ticket)
                if place and place == told:
                    self.changed.wait(_LOOK_S)
                    place = self._place(ticket)
            if place == 0:
                return
            if stopped():
                raise Stopped
            if place != told:
                told = place
                yield place

    def failed(self, ticket: Ticket, failure: EndpointFailure) -> None:
        """The lane of this ticket failed it: its slot is free, and the ticket waits for another lane, before all others."""
        with self.changed:
            lane = self._freed(ticket)
            lane.breaker.failed(failure)
            ticket.faults.append(f"{lane.name}: {failure.fault.value}")
            ticket.busy += failure.fault is Fault.BUSY
            if failure.fault is not Fault.BUSY:
                ticket.until = self._clock() + self._wait_s
            if failure.fault is not Fault.BUSY or ticket.busy > _BUSY_RETRIES:
                ticket.lanes.remove(lane)
            self._turns.setdefault(ticket.reader, deque()).appendleft(ticket)
            self._turns.move_to_end(ticket.reader, last=False)
            self._hand_out()

    def leave(self, ticket: Ticket) -> None:
        """The ticket is done with, wherever it stands: in the line or in a slot."""
        with self.changed:
            if ticket.lane is not None:
                self._freed(ticket)
            else:
                self._unlist(ticket)
            self._hand_out()

    def update(self) -> None:
        """Something about a breaker has changed. Call with the lock held."""
        self._hand_out()

    def _freed(self, ticket: Ticket) -> Lane:
        lane, ticket.lane = ticket.lane, None
        assert lane is not None
        lane.running -= 1
        return lane

    def _unlist(self, ticket: Ticket) -> None:
        own = self._turns.get(ticket.reader)
        if own is not None and ticket in own:
            own.remove(ticket)
            if not own:
                del self._turns[ticket.reader]

    def _hand_out(self) -> None:
        """Give free slots to those whose turn it is, one a turn, until nobody at the head of a reader's requests fits."""
        while (ticket := self._next()) is not None:
            self._unlist(ticket)
            if ticket.reader in self._turns:
                self._turns.move_to_end(ticket.reader)
        self.changed.notify_all()

    def _next(self) -> Ticket | None:
        for own in self._turns.values():
            ticket = own[0]
            ticket.lane = next((lane for lane in ticket.lanes if lane.free), None)
            if ticket.lane is not None:
                ticket.lane.running += 1
                return ticket
        return None

    def _place(self, ticket: Ticket) -> int:
        """0 once it has a slot, else its 1-based place. Raises ModelsUnavailable when waiting is in vain."""
        if ticket.lane is None:
            self._hand_out_after_pause()
        if ticket.lane is not None:
            return 0
        left = ticket.until - self._clock()
        if left <= 0:
            raise ModelsUnavailable("no language model was free in time; try again later")
        if not any(not lane.breaker.away and lane.breaker.pause_s <= left for lane in ticket.lanes):
            raise ModelsUnavailable(_why(ticket))
        before = 0
        own = self._turns[ticket.reader]
        depth = own.index(ticket)
        mine = list(self._turns).index(ticket.reader)
        for number, others in enumerate(self._turns.values()):
            before += min(len(others), depth + (number < mine))
        return before + 1

    def _hand_out_after_pause(self) -> None:
        """Nobody tells when a pause is over, so whoever waits looks."""
        if any(lane.free for own in self._turns.values() for lane in own[0].lanes):
            self._hand_out()


def _why(ticket: Ticket) -> str:
    away = [f"{lane.name}: {lane.breaker.last_fault}" for lane in ticket.lanes if lane.breaker.away]
    reasons = [*ticket.faults, *away] or ["none is described for this label and language"]
    return f"no language model can answer now ({'; '.join(dict.fromkeys(reasons))})"
