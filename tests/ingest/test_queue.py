"""The durable queue inside one process: order, retries and their bound, several instances one after another."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import InstanceBusy, ServiceUnavailable
from assistant.types import DocumentState
from ingest import side_effects
from ingest.ledger import Ledger, Task
from ingest.queue import DocumentQueue, QueueSettings
from ingest.workflow import Step


class World:
    """A ledger, and a queue whose work is `work`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.ledger = Ledger(folder / "ledger.db", url=url)
        self.settings = QueueSettings(
            folder / "queue.db", "worker", url, retry_s=0.05, heartbeat_s=0.1, dead_after_s=1.0, sweep_s=0.3
        )
        self._number = 0

    def receive(self) -> str:
        self._number += 1
        return self.ledger.receive(
            source=f"/in/{self._number}", version=f"{self._number:064}", file_name="a.txt", given_label="", sidecar="",
            received_by="archivist",
        ).document_id  # fmt: skip

    def done(self, task: Task, step: Step) -> None:
        step("settle", lambda: str(self.ledger.settle(task, DocumentState.DONE)))

    def queue(self, work: Callable[[Task, Step], None]) -> DocumentQueue:
        return DocumentQueue(self.ledger, work, self.settings)

    def states(self) -> Counter[DocumentState]:
        return Counter(status.state for status in self.ledger.statuses())

    def wait_until_settled(self) -> None:
        deadline = time.monotonic() + 60
        while self.ledger.waiting():
            assert time.monotonic() < deadline, [status.reason for status in self.ledger.statuses()]
            time.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database_url)
    yield made
    made.ledger.close()


def test_what_was_received_before_the_queue_opened_is_worked_on(world: World) -> None:
    ids = [world.receive() for _ in range(5)]
    queue = world.queue(world.done)
    queue.open()
    late = world.receive()
    queue.submit(late)
    world.wait_until_settled()
    queue.close()
    assert world.states() == {DocumentState.DONE: len([*ids, late])}


def test_each_document_is_worked_on_once(world: World) -> None:
    worked: list[str] = []

    def work(task: Task, step: Step) -> None:
        worked.append(task.document_id)
        world.done(task, step)

    queue = world.queue(work)
    queue.open()
    ids = [world.receive() for _ in range(20)]
    for document_id in [*ids, *ids]:
        queue.submit(document_id)
    world.wait_until_settled()
    queue.close()
    assert Counter(worked) == Counter(ids)


def test_document_that_must_wait_is_tried_again_until_it_passes(world: World) -> None:
    def work(task: Task, step: Step) -> None:
        if task.attempts < 4:
            world.ledger.settle(
                task, DocumentState.RECEIVED, category="retry", reason="waiting to be tried again: away"
            )
        else:
            world.done(task, step)

    document_id = world.receive()
    queue = world.queue(work)
    queue.open()
    world.wait_until_settled()
    queue.close()
    assert world.ledger.status(document_id).state is DocumentState.DONE


def test_document_that_could_not_be_queued_is_looked_for_soon(world: World) -> None:
    """A queue that was full or locked for an instant: not only at the next sweep, which may be far."""
    world.settings = replace(world.settings, sweep_s=3600.0)
    refused: list[str] = []

    def full_once(happening: str) -> None:
        if happening == "queue.enqueue" and not refused:
            refused.append(happening)
            raise OSError(errno.ENOSPC, "No space left on device")

    queue = world.queue(world.done)
    queue.open()
    try:
        side_effects.listen(full_once)
        queue.submit(world.receive())
        world.wait_until_settled()
    finally:
        side_effects.stop_listening()
        queue.close()
    assert refused


def test_document_that_waits_is_tried_again_though_the_clock_was_set_back(world: World) -> None:
    from dbos import DBOS

    def work(task: Task, step: Step) -> None:
        if task.attempts == 1:
            world.ledger.settle(
                task, DocumentState.RECEIVED, category="retry", reason="waiting to be tried again: away"
            )
        else:
            world.done(task, step)

    def put_off() -> None:
        """What was seconds away is a day away, as on a clock of yesterday."""
        deadline = time.monotonic() + 30
        while not (asleep := DBOS.list_workflows(status="DELAYED")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        DBOS.set_workflow_delay(asleep[0].workflow_id, delay_seconds=86_400)

    world.receive()
    world.settings = replace(world.settings, retry_s=200)
    queue = world.queue(work)
    queue.open()
    try:
        with ThreadPoolExecutor(
            1
        ) as elsewhere:  # a browser's tests leave an event loop in the main thread, which DBOS minds
            elsewhere.submit(put_off).result(60)
        world.wait_until_settled()
    finally:
        queue.close()


def test_step_that_was_done_is_not_done_again_by_the_next_process(world: World) -> None:
    """The ledger is away in the last step: the workflow stays pending, and is resumed after its first step."""
    done: list[str] = []
    away = [True]

    def work(task: Task, step: Step) -> None:
        step("parse", lambda: done.append("parse") or "path hash")
        if away[0]:
            raise ServiceUnavailable("the ledger cannot be written; check its disk")
        world.done(task, step)

    document_id = world.receive()
    first = world.queue(work)
    first.open()
    deadline = time.monotonic() + 30
    while not first.trouble(document_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "check its disk" in first.trouble(document_id)
    first.close()
    away[0] = False
    second = world.queue(work)
    second.open()
    world.wait_until_settled()
    second.close()
    assert done == ["parse"]


def test_run_that_takes_another_way_than_before_begins_anew(world: World) -> None:
    """A step was recorded, the process died, and now another step comes first, as for one that was interrupted too often."""
    ways = ["parse", "withdraw"]
    runs: list[int] = []

    def work(task: Task, step: Step) -> None:
        runs.append(task.run)
        step(ways[0], lambda: ways[0])
        if ways[0] == "parse":
            raise ServiceUnavailable("the ledger cannot be written; check its disk")
        world.done(task, step)

    document_id = world.receive()
    first = world.queue(work)
    first.open()
    deadline = time.monotonic() + 30
    while not first.trouble(document_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.close()
    ways.pop(0)
    second = world.queue(work)
    second.open()
    world.wait_until_settled()
    second.close()
    assert world.ledger.status(document_id).state is DocumentState.DONE
    assert runs[-1] == runs[0] + 1


def test_closing_in_the_middle_settles_nothing_and_costs_no_attempt(world: World) -> None:
    """However often somebody runs a short command beside a long document: each starts the work and breaks it off."""
    begun = threading.Event()
    broken: list[bool] = []

    def work(task: Task, step: Step) -> None:
        assert task.attempts == 1
        try:
            step("embed", lambda: embedded(task))
        except Exception:
            broken.append(True)
            world.ledger.settle(task, DocumentState.QUARANTINED, category="unexpected")
        else:
            world.done(task, step)

    def embedded(task: Task) -> str:
        if rounds:
            begun.set()
            while not closing.is_set():
                time.sleep(0.01)
            time.sleep(0.1)  # until `close` has been called
            raise RuntimeError("cannot schedule new futures after shutdown")
        return "3"

    document_id = world.receive()
    rounds = [1, 2, 3]
    while rounds:
        closing = threading.Event()
        begun.clear()
        queue = world.queue(work)
        queue.open()
        assert begun.wait(30)
        closing.set()
        queue.close()
        rounds.pop()
    assert broken == []
    last = world.queue(work)
    last.open()
    world.wait_until_settled()
    last.close()
    assert world.ledger.status(document_id).state is DocumentState.DONE


@pytest.mark.parametrize(("pages", "attempts"), [((), [1, 2, 3]), ((3, 4, 9), [1, 1, 1]), ((3, 3, 3), [1, 1, 2])])
def test_what_could_not_be_stopped_counts_as_an_attempt_unless_it_read_another_page(
    world: World, pages: tuple[int, ...], attempts: list[int]
) -> None:
    """Else a file on which a parser hangs would be begun at every start, for ever."""
    begun, ending = threading.Event(), threading.Event()
    seen: list[int] = []
    world.settings = replace(world.settings, patience_s=0.1)

    def hanging(task: Task, step: Step) -> None:
        seen.append(task.attempts)
        if len(seen) <= len(pages):
            world.ledger.progress(task.document_id, pages[len(seen) - 1], 20)
        begun.set()
        step("parse", until_broken_off)

    def until_broken_off() -> str:
        assert ending.wait(30)
        raise ServiceUnavailable("broken off")

    document_id = world.receive()
    for _ in range(3):
        begun.clear(), ending.clear()
        queue = DocumentQueue(world.ledger, hanging, world.settings, break_off=ending.set)
        queue.open()
        assert begun.wait(30)
        queue.close()
    assert seen == attempts
    assert world.ledger.status(document_id).state is DocumentState.IN_PROGRESS


def test_queues_open_one_after_another_but_never_two_at_once(world: World) -> None:
    for _ in range(3):
        queue = world.queue(world.done)
        queue.open()
        with pytest.raises(InstanceBusy):
            world.queue(world.done).open()
        world.receive()
        queue.close()


def test_queue_is_silent(world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    queue = world.queue(world.done)
    with caplog.at_level(logging.WARNING):
        queue.open()
        world.receive()
        world.receive()
        queue.close()
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_queue_stores_no_name_and_no_word_of_a_document(tmp_path: Path) -> None:
    world = World(tmp_path, "")

    def work(task: Task, step: Step) -> None:
        step("parse", lambda: "work/parsed.json 0123")
        world.done(task, step)

    queue = world.queue(work)
    queue.open()
    queue.submit(world.receive())
    world.wait_until_settled()
    queue.close()
    world.ledger.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("queue.db*"))
    assert b"/in/1" not in stored
    assert b"a.txt" not in stored
