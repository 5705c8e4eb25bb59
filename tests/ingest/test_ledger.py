import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.database import shown_url
from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger import Ledger
from ingest.ledger_rows import BEING_ERASED, Task, Ticket


@pytest.fixture
def ledger(tmp_path: Path, database_url: str) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db", url=database_url)
    yield opened
    opened.close()


def receive(ledger: Ledger, source: str = "/in/a.pdf", version: str = "v1", label: str = "") -> DocumentStatus:
    return ledger.receive(
        source=source, version=version, file_name="a.pdf", given_label=label, sidecar="", received_by="archivist"
    )


def finish(ledger: Ledger, state: DocumentState = DocumentState.DONE) -> bool:
    task = ledger.take()
    assert task is not None
    return ledger.settle(task, state, facts={"passages": 3, "label": "public"})


def taken(ledger: Ledger) -> Task:
    task = ledger.take("worker")
    assert task is not None
    return task


def test_same_bytes_twice_are_one_document(ledger: Ledger) -> None:
    first = receive(ledger)
    finish(ledger)
    again = receive(ledger, source="/elsewhere/b.pdf")
    assert again.document_id == first.document_id
    assert again.state is DocumentState.DONE
    assert len(ledger.statuses()) == 1


def test_copies_and_carried_files_go_with_their_document(ledger: Ledger) -> None:
    lot = receive(ledger, source="/in/lot.zip", version="z1", label="internal")
    inside = receive(ledger, source="/in/lot.zip!/a.txt", version="a1", label="internal")
    receive(ledger, source="/in/own.txt", version="a1")
    receive(ledger, source="/in/lot.zip!/again.txt", version="a1")
    ledger.settle(taken(ledger), DocumentState.DONE, facts={"label": "internal"})
    assert ledger.last_done(lot.document_id) == "z1"
    assert ledger.copy_outside(inside.document_id, "/in/lot.zip") == "/in/own.txt"
    assert ledger.carriers(inside.source) == (lot.document_id,)
    assert [child.document_id for child in ledger.inheriting(lot.document_id)] == [inside.document_id]
    assert ledger.amend(lot.document_id, {"source": "/in/b.zip"}, "moved")
    assert ledger.version_at("/in/b.zip!/a.txt") == "a1"
    assert ledger.copy_outside(inside.document_id, "/in/b.zip") == "/in/own.txt"
    receive(ledger, source="/in/b.zip!/a.txt", version="a2")
    with ledger.sparing(inside.document_id) as needed:
        assert not needed("a1")
        assert needed("z1")
    (new,) = ledger.part_with_copies(inside.document_id)
    assert (ledger.status(new).source, ledger.status(new).version) == ("/in/own.txt", "a1")
    assert ledger.part_with_copies(inside.document_id) == ()
    with ledger.sparing(inside.document_id) as needed:
        assert needed("a1")
    ledger.forget(lot.document_id)
    assert set(ledger.labels()) == {"", "internal"}
    with pytest.raises(KeyError):
        ledger.status(lot.document_id)


def test_new_bytes_at_a_known_source_are_a_new_version(ledger: Ledger) -> None:
    first = receive(ledger)
    finish(ledger)
    second = receive(ledger, version="v2")
    assert (second.document_id, second.version, second.state) == (first.document_id, "v2", DocumentState.RECEIVED)


def test_work_on_an_overtaken_version_settles_nothing(ledger: Ledger) -> None:
    receive(ledger)
    task = ledger.take()
    assert task is not None
    receive(ledger, version="v2")
    assert not ledger.settle(task, DocumentState.DONE)
    assert ledger.status(task.document_id).state is DocumentState.RECEIVED


def test_work_on_an_old_version_cannot_settle_the_new_one_that_is_in_progress(ledger: Ledger) -> None:
    receive(ledger)
    old = ledger.take()
    receive(ledger, version="v2")
    new = ledger.take()
    assert old is not None
    assert new is not None
    assert not ledger.settle(old, DocumentState.DONE)
    assert ledger.status(new.document_id).state is DocumentState.IN_PROGRESS
    assert ledger.settle(new, DocumentState.DONE)


def test_settling_one_document_leaves_the_others_alone(ledger: Ledger) -> None:
    receive(ledger)
    receive(ledger, source="/in/b.pdf", version="v2")
    first, second = ledger.take(), ledger.take()
    assert first is not None
    assert second is not None
    ledger.settle(first, DocumentState.DONE)
    assert ledger.status(second.document_id).state is DocumentState.IN_PROGRESS


def test_failed_document_handed_in_again_is_tried_again(ledger: Ledger) -> None:
    receive(ledger)
    finish(ledger, DocumentState.QUARANTINED)
    assert receive(ledger).state is DocumentState.RECEIVED


def test_done_document_with_another_label_is_worked_on_again(ledger: Ledger) -> None:
    receive(ledger)
    finish(ledger)
    assert receive(ledger, label="internal").state is DocumentState.RECEIVED
    finish(ledger)
    assert receive(ledger, label="internal").state is DocumentState.DONE


def test_work_that_was_lost_gets_a_new_run_and_the_old_one_settles_nothing(ledger: Ledger) -> None:
    receive(ledger)
    old = ledger.take("worker-a")
    assert old is not None
    renewed = ledger.renew(old.document_id, old.run)
    assert renewed is not None
    assert renewed.run == old.run + 1
    assert not ledger.settle(old, DocumentState.DONE)
    new = ledger.begin(old.document_id, renewed.run, "worker-b")
    assert new is not None
    assert ledger.settle(new, DocumentState.DONE)


def test_run_that_another_worker_took_over_is_settled_by_that_worker_only(ledger: Ledger) -> None:
    receive(ledger)
    first = ledger.take("worker-a")
    assert first is not None
    second = ledger.begin(first.document_id, first.run, "worker-b")
    assert second is not None
    assert not ledger.settle(first, DocumentState.QUARANTINED)
    assert ledger.settle(second, DocumentState.DONE)


def test_settled_run_does_not_begin_again(ledger: Ledger) -> None:
    receive(ledger)
    task = ledger.take()
    assert task is not None
    ledger.settle(task, DocumentState.DONE)
    assert ledger.begin(task.document_id, task.run, "") is None
    assert ledger.renew(task.document_id, task.run) is None
    assert ledger.ticket(task.document_id) is None


def test_progress_shows_while_a_document_is_read_and_is_cleared_when_it_is_settled(ledger: Ledger) -> None:
    document_id = receive(ledger).document_id
    ledger.progress(document_id, 1, 9)
    assert shown_progress(ledger, document_id) == (0, 0), "nobody has begun to read it"
    task = ledger.take()
    assert task is not None
    ledger.progress(document_id, 7, 500)
    assert shown_progress(ledger, document_id) == (7, 500)
    ledger.settle(task, DocumentState.DONE)
    assert shown_progress(ledger, document_id) == (0, 0)


def test_documents_are_taken_in_the_order_in_which_they_came(ledger: Ledger) -> None:
    ids = [receive(ledger, source=f"/in/{number}", version=f"v{number}").document_id for number in range(20)]
    assert [ticket.document_id for ticket in ledger.tickets()] == ids
    assert [status.document_id for status in ledger.statuses()] == ids[::-1]
    assert [task.document_id for task in iter(ledger.take, None) if task] == ids


def test_worker_that_lives_counts_up(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.beat("worker-a")
    ledger.beat("worker-b")
    assert ledger.beats() == {"worker-a": 3, "worker-b": 1}
    ledger.strike_off("worker-a")
    assert ledger.beats() == {"worker-b": 1}


def test_ledger_of_an_older_version_gets_the_columns_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    older = Ledger(file)
    receive(older)
    older.close()
    connection = sqlite3.connect(file)
    for column in ("run", "worker", "arrival", "progress_pages", "progress_of"):
        connection.execute(f"ALTER TABLE documents DROP COLUMN {column}")
    connection.execute("DROP TABLE workers")
    connection.commit()
    connection.close()
    ledger = Ledger(file)
    task = ledger.take("worker-a")
    assert task is not None
    ledger.progress(task.document_id, 1, 2)
    ledger.beat("worker-a")
    assert ledger.settle(task, DocumentState.DONE)
    ledger.close()


def test_ledger_on_a_disk_that_becomes_full_or_read_only_is_usable_again_afterwards(tmp_path: Path) -> None:
    """A page limit stands for the full disk: SQLite reports both with the same error."""
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    task = ledger.take()
    assert task is not None
    connection = ledger._database.connection()
    connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(ServiceUnavailable, match="full"):
        receive(ledger, source="/in/long", version="long" * 20_000)
    connection.execute("PRAGMA max_page_count = 1000000")
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(ServiceUnavailable, match="readonly"):
        ledger.settle(task, DocumentState.DONE)
    connection.execute("PRAGMA query_only = OFF")
    assert ledger.settle(task, DocumentState.DONE)
    ledger.close()


def test_address_of_the_database_is_shown_without_its_password() -> None:
    assert "secret" not in shown_url("postgresql://user:secret@localhost:5432/assistant")
    with pytest.raises(ConfigurationError) as raised:
        Ledger(Path("unused"), url="postgresql://user:secret@127.0.0.1:1/assistant")
    assert "secret" not in str(raised.value)


def test_two_processes_that_take_at_once_never_take_the_same(ledger: Ledger) -> None:
    for number in range(40):
        receive(ledger, source=f"/in/{number}", version=f"v{number}")
    with ThreadPoolExecutor(4) as pool:
        tickets = ledger.tickets()
        taken = list(pool.map(lambda ticket: _begin_and_settle(ledger, ticket), [*tickets, *tickets]))
    assert sum(taken) == 40


def _begin_and_settle(ledger: Ledger, ticket: Ticket) -> bool:
    worker = threading.current_thread().name
    task = ledger.begin(ticket.document_id, ticket.run, worker)
    return task is not None and ledger.settle(task, DocumentState.DONE)


def shown_progress(ledger: Ledger, document_id: str) -> tuple[int, int]:
    row = (
        ledger._database.connection()
        .execute("SELECT progress_pages, progress_of FROM documents WHERE document_id = ?", (document_id,))
        .fetchone()
    )
    return row["progress_pages"], row["progress_of"]


def test_document_that_is_being_erased_never_comes_back_to_the_queue(ledger: Ledger) -> None:
    """Who found it damaged a moment before, and asks for it to be read again, must not undo that."""
    status = receive(ledger, "/in/a.txt", "v1")
    ledger.mark_for_erasure([status.document_id])
    ledger.requeue(status.document_id, "it is read again")
    assert (ledger.tickets(), ledger.take()) == ((), None)
    assert ledger.status(status.document_id).category == BEING_ERASED


def test_unknown_document_is_a_key_error(ledger: Ledger) -> None:
    with pytest.raises(KeyError):
        ledger.status("nobody")


_OPERATIONS = st.one_of(
    st.tuples(st.just("receive"), st.integers(0, 3), st.integers(0, 4)),
    st.tuples(st.just("take"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("settle"), st.integers(0, 5), st.integers(0, 20)),
    st.tuples(st.just("begin again"), st.integers(0, 1), st.integers(0, 20)),
    st.tuples(st.just("renew"), st.just(0), st.integers(0, 20)),
    st.tuples(st.just("requeue"), st.just(0), st.integers(0, 20)),
    st.tuples(st.just("progress"), st.integers(0, 9), st.integers(0, 20)),
    st.tuples(st.just("forget"), st.just(0), st.integers(0, 20)),
    st.tuples(st.just("reopen"), st.just(0), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_OPERATIONS, max_size=30))
def test_every_document_is_in_exactly_one_state_at_every_instant(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """received = done + done with warnings + quarantined + rejected + in progress + waiting, whatever happens in what order."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledger = Ledger(file)
    handed_in: list[str] = []
    tasks: list[Task] = []
    for step, one, two in steps:
        if step == "reopen":
            ledger.close()
            ledger = Ledger(file)
        else:
            _operate(ledger, step, one, two, handed_in, tasks)
        counts = Counter(status.state for status in ledger.statuses())
        assert sum(counts[state] for state in DocumentState) == len(handed_in)
        assert {status.document_id for status in ledger.statuses()} == set(handed_in)
        assert {ticket.document_id for ticket in ledger.tickets()} == {
            status.document_id for status in ledger.statuses() if not status.state.final
        }
        assert ledger.waiting() == counts[DocumentState.RECEIVED] + counts[DocumentState.IN_PROGRESS]
    ledger.close()


def _operate(ledger: Ledger, step: str, one: int, two: int, handed_in: list[str], tasks: list[Task]) -> None:
    if step == "receive":
        document_id = receive(ledger, source=f"/in/{one}", version=f"v{two}").document_id
        handed_in += [document_id] if document_id not in handed_in else []
    elif step == "take":
        taken = ledger.take(f"worker-{one}")
        tasks += [taken] if taken else []
    elif step in ("settle", "begin again", "renew") and tasks:
        task = tasks[two % len(tasks)]
        if step == "settle":
            ledger.settle(task, list(DocumentState)[one])
        elif step == "renew":
            ledger.renew(task.document_id, task.run)
        else:
            ledger.begin(task.document_id, task.run, f"worker-{one}")
    elif step in ("requeue", "progress", "forget") and handed_in:
        chosen = handed_in[two % len(handed_in)]
        if step == "requeue":
            ledger.requeue(chosen, "again")
        elif step == "progress":
            ledger.progress(chosen, one, 9)
        else:
            ledger.forget(chosen)
            handed_in.remove(chosen)
