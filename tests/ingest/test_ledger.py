from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.types import DocumentState, DocumentStatus
from ingest.ledger import Ledger


def receive(ledger: Ledger, source: str = "/in/a.pdf", version: str = "v1", label: str = "") -> DocumentStatus:
    return ledger.receive(
        source=source, version=version, file_name="a.pdf", given_label=label, sidecar="", received_by="archivist"
    )


def finish(ledger: Ledger, state: DocumentState = DocumentState.DONE) -> bool:
    task = ledger.take()
    assert task is not None
    return ledger.settle(task, state, facts={"passages": 3, "label": "public"})


def test_same_bytes_twice_are_one_document(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    first = receive(ledger)
    finish(ledger)
    again = receive(ledger, source="/elsewhere/b.pdf")
    assert again.document_id == first.document_id
    assert again.state is DocumentState.DONE
    assert len(ledger.statuses()) == 1


def test_new_bytes_at_a_known_source_are_a_new_version(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    first = receive(ledger)
    finish(ledger)
    second = receive(ledger, version="v2")
    assert (second.document_id, second.version, second.state) == (first.document_id, "v2", DocumentState.RECEIVED)


def test_work_on_an_overtaken_version_settles_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    task = ledger.take()
    assert task is not None
    receive(ledger, version="v2")
    assert not ledger.settle(task, DocumentState.DONE)
    assert ledger.status(task.document_id).state is DocumentState.RECEIVED


def test_work_on_an_old_version_cannot_settle_the_new_one_that_is_in_progress(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    old = ledger.take()
    receive(ledger, version="v2")
    new = ledger.take()
    assert old is not None
    assert new is not None
    assert not ledger.settle(old, DocumentState.DONE)
    assert ledger.status(new.document_id).state is DocumentState.IN_PROGRESS
    assert ledger.settle(new, DocumentState.DONE)


def test_settling_one_document_leaves_the_others_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    receive(ledger, source="/in/b.pdf", version="v2")
    first, second = ledger.take(), ledger.take()
    assert first is not None
    assert second is not None
    ledger.settle(first, DocumentState.DONE)
    assert ledger.status(second.document_id).state is DocumentState.IN_PROGRESS


def test_failed_document_handed_in_again_is_tried_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    finish(ledger, DocumentState.QUARANTINED)
    assert receive(ledger).state is DocumentState.RECEIVED


def test_done_document_with_another_label_is_worked_on_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    finish(ledger)
    assert receive(ledger, label="internal").state is DocumentState.RECEIVED
    finish(ledger)
    assert receive(ledger, label="internal").state is DocumentState.DONE


def test_unfinished_work_is_taken_up_after_a_crash(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    receive(ledger)
    ledger.take()
    ledger.close()
    reopened = Ledger(tmp_path / "ledger.db")
    assert reopened.take() is None
    assert reopened.take_up_unfinished() == 1
    assert reopened.take() is not None


def test_unknown_document_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Ledger(tmp_path / "ledger.db").status("nobody")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("receive"), st.integers(0, 3), st.integers(0, 4)),
            st.tuples(st.just("take"), st.just(0), st.just(0)),
            st.tuples(st.just("settle"), st.sampled_from([2, 3, 4, 5]), st.just(0)),
            st.tuples(st.just("crash"), st.just(0), st.just(0)),
        ),
        max_size=25,
    )
)
def test_every_document_is_in_exactly_one_state(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    handed_in: set[str] = set()
    tasks = []
    states = list(DocumentState)
    for step, one, two in steps:
        if step == "receive":
            handed_in.add(receive(ledger, source=f"/in/{one}", version=f"v{two}").document_id)
        elif step == "take" and (task := ledger.take()):
            tasks.append(task)
        elif step == "settle" and tasks:
            ledger.settle(tasks.pop(), states[one])
        elif step == "crash":
            tasks.clear()
            ledger.take_up_unfinished()
        assert {status.document_id for status in ledger.statuses()} == handed_in
    ledger.close()
