"""What archivists, erasure and verification write into the ledger and ask of it, one entry at a time, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import Conflict
from assistant.types import DocumentState, DocumentStatus
from ingest.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path, database_url: str) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db", url=database_url)
    yield opened
    opened.close()


def receive(ledger: Ledger, source: str, version: str) -> DocumentStatus:
    return ledger.receive(
        source=source, version=version, file_name="a", given_label="", sidecar="", received_by="archivist"
    )


def done(ledger: Ledger, source: str = "/in/a", version: str = "v1") -> DocumentStatus:
    receive(ledger, source, version)
    task = ledger.take()
    assert task is not None
    ledger.settle(task, DocumentState.DONE, facts={"label": "public"})
    return ledger.status(task.document_id)


def test_settled_document_taken_in_hand_is_in_progress_and_no_worker_takes_it(ledger: Ledger) -> None:
    status = done(ledger)
    assert ledger.amend(status.document_id, {"title": "Titre", "author": None}, "edited")
    after = ledger.status(status.document_id)
    assert (after.state, after.title, after.author) == (DocumentState.IN_PROGRESS, "Titre", None)
    assert ledger.take() is None
    ledger.requeue(status.document_id, "waiting for its changes")
    task = ledger.take()
    assert task is not None
    assert task.attempts == 1


def test_document_that_waits_or_is_worked_on_is_not_amended(ledger: Ledger) -> None:
    status = receive(ledger, "/in/a", "v1")
    assert not ledger.amend(status.document_id, {"title": "x"}, "edited")
    assert ledger.take() is not None
    assert not ledger.amend(status.document_id, {"title": "x"}, "edited")
    assert not ledger.amend("unknown", {}, "edited")
    assert ledger.status(status.document_id).title != "x"


def test_document_that_has_changed_since_the_archivist_looked_is_not_amended(ledger: Ledger) -> None:
    status = done(ledger)
    assert not ledger.amend(status.document_id, {"title": "x"}, "edited", as_of="2020-01-01T00:00:00.000+00:00")
    assert not ledger.amend(status.document_id, {"title": "x"}, "edited", as_of="")
    assert ledger.status(status.document_id) == status
    assert ledger.amend(status.document_id, {"title": "x"}, "edited", as_of=status.changed_at)


def test_document_moves_to_no_source_that_another_has_or_stands_in(ledger: Ledger) -> None:
    status = done(ledger)
    done(ledger, "/in/b", "v2")
    done(ledger, "/in/c!/inside", "v3")
    for taken in ("/in/b", "/in/c"):
        with pytest.raises(Conflict, match="another document has this source"):
            ledger.amend(status.document_id, {"source": taken}, "moved")
    assert ledger.amend(status.document_id, {"source": "/in/a"}, "stays"), "its own source is no conflict"
    ledger.requeue(status.document_id, "")
    assert ledger.version_at("/in/a") == "v1"


def test_hold_stands_until_it_is_released_whatever_becomes_of_the_document(ledger: Ledger) -> None:
    status = done(ledger)
    assert not ledger.is_held(status.document_id)
    assert not ledger.is_held("unknown")
    ledger.hold(status.document_id, "procès", "put on hold")
    ledger.requeue(status.document_id, "again")
    receive(ledger, "/in/a", "v2")
    assert ledger.is_held(status.document_id)
    assert ledger.status(status.document_id).hold == "procès"
    ledger.hold(status.document_id, "", "released")
    assert not ledger.is_held(status.document_id)


def test_what_is_being_erased_is_neither_held_nor_amended(ledger: Ledger) -> None:
    status = done(ledger)
    ledger.mark_for_erasure([status.document_id])
    with pytest.raises(Conflict, match="being erased"):
        ledger.hold(status.document_id, "procès", "put on hold")
    with pytest.raises(Conflict, match="being erased"):
        ledger.amend(status.document_id, {}, "edited")


def test_password_is_kept_until_the_document_is_settled_and_only_the_last_one(ledger: Ledger) -> None:
    status = receive(ledger, "/in/a", "v1")
    assert ledger.password(status.document_id) is None
    for password in ("faux", "sésame"):
        ledger.keep_password(status.document_id, password)
    task = ledger.take()
    assert task is not None
    ledger.settle(task, DocumentState.RECEIVED, reason="a disk is full")
    assert ledger.password(status.document_id) == "sésame"
    task = ledger.take()
    assert task is not None
    ledger.settle(task, DocumentState.QUARANTINED)
    assert ledger.password(status.document_id) is None


def test_all_are_marked_for_erasure_or_none(ledger: Ledger) -> None:
    free, held, busy = done(ledger), done(ledger, "/in/b", "v2"), receive(ledger, "/in/c", "v3")
    ledger.hold(held.document_id, "procès", "put on hold")
    assert ledger.take() is not None
    for other, said in ((held, "legal hold"), (busy, "worked on")):
        with pytest.raises(Conflict, match=said):
            ledger.mark_for_erasure([free.document_id, other.document_id])
        assert ledger.status(free.document_id).state is DocumentState.DONE
    ledger.mark_for_erasure(["unknown", free.document_id])
    assert ledger.status(free.document_id).category == "being_erased"


def test_forgotten_document_leaves_events_that_say_nothing_of_it(ledger: Ledger) -> None:
    status, other = done(ledger), done(ledger, "/in/b", "v2")
    ledger.amend(status.document_id, {}, "title edited by zyzomys")
    ledger.amend(other.document_id, {}, "title edited by somebody")
    ledger.forget(status.document_id)
    ledger.forget("unknown")
    query = "SELECT document_id, reason FROM events WHERE reason != ''"
    rows = [(row["document_id"], row["reason"]) for row in ledger.database.connection().execute(query)]
    assert rows == [(other.document_id, "title edited by somebody")]
    assert not ledger.knows(status.document_id)
    assert ledger.knows(other.document_id)


def test_versions_and_their_owners(ledger: Ledger) -> None:
    status = done(ledger)
    done(ledger, "/in/a", "v2")
    assert ledger.versions(status.document_id) == {"v1", "v2"}
    assert (ledger.owns(status.document_id, "v2"), ledger.owns(status.document_id, "v1")) == (True, False)
    assert [ledger.owner_of(version) for version in ("v1", "v2", "v3")] == [status.document_id] * 2 + [None]
    assert ledger.used_elsewhere("v2", ["another"])
    assert not ledger.used_elsewhere("v2", [status.document_id])
    assert not ledger.used_elsewhere("v1", ["another"]), "it has other bytes now"
    ledger.mark_for_erasure([status.document_id])
    assert not ledger.used_elsewhere("v2", ["another"]), "what is being erased needs nothing"
    ledger.forget(status.document_id)
    assert ledger.owner_of("v2") is None


def test_document_stands_unchanged_until_something_happens_to_it(ledger: Ledger) -> None:
    status = done(ledger)
    assert ledger.unchanged(status)
    ledger.requeue(status.document_id, "again")
    assert not ledger.unchanged(status)


def test_ledger_adds_up_unless_a_row_is_in_no_state_that_there_is(ledger: Ledger) -> None:
    status = done(ledger)
    assert ledger.adds_up()
    with ledger.database.writing() as connection:
        connection.execute("UPDATE documents SET state = 'lost' WHERE document_id = ?", (status.document_id,))
    assert not ledger.adds_up()


def test_each_document_is_gone_through_once_in_the_order_of_ids(ledger: Ledger) -> None:
    ids = {done(ledger, f"/in/{number}", f"v{number}").document_id for number in range(5)}
    assert [status.document_id for status in ledger.each_status()] == sorted(ids)


def test_attached_is_what_lies_in_a_document_at_any_depth_and_nothing_beside_it(ledger: Ledger) -> None:
    lot = done(ledger, "/in/lot.zip", "v1")
    inside = done(ledger, "/in/lot.zip!/a.eml", "v2")
    deep = done(ledger, "/in/lot.zip!/a.eml!/b.txt", "v3")
    for number, beside in enumerate(("/in/lot.zip2", "/in/lot.zip2!/a", "/in/other!/lot.zip!/a", "/in/lot")):
        done(ledger, beside, f"w{number}")
    assert [child.document_id for child in ledger.attached(lot.document_id)] == [inside.document_id, deep.document_id]
    assert [child.document_id for child in ledger.attached(inside.document_id)] == [deep.document_id]
    assert ledger.attached(deep.document_id) == ()
    assert ledger.attached("unknown") == ()
    assert ledger.carriers(deep.source) == (lot.document_id, inside.document_id)
    assert ledger.carriers(lot.source) == ()


def test_label_is_inherited_by_what_was_handed_in_under_it_inside(ledger: Ledger) -> None:
    lot = done(ledger, "/in/lot.zip", "v1")
    for number, (source, label) in enumerate(
        (("/in/lot.zip!/heir", "public"), ("/in/lot.zip!/own", "internal"), ("/in/beside", "public"))
    ):
        ledger.receive(
            source=source, version=f"w{number}", file_name="a", given_label=label, sidecar="", received_by="archivist"
        )
    assert [child.source for child in ledger.inheriting(lot.document_id)] == ["/in/lot.zip!/heir"]


def test_what_archivists_do_stands_in_the_history_under_the_version_it_was_done_to(ledger: Ledger) -> None:
    status = done(ledger)
    assert ledger.amend(status.document_id, {"edits": '{"title": "x"}'}, "title edited by a")
    ledger.hold(status.document_id, "procès", "put on hold by b")
    query = "SELECT version, reason FROM events WHERE document_id = ? AND reason != '' ORDER BY number"
    rows = ledger.database.connection().execute(query, (status.document_id,))
    assert [(row["version"], row["reason"]) for row in rows] == [
        ("v1", "title edited by a"),
        ("v1", "put on hold by b"),
    ]
    assert (ledger.edits(status.document_id), ledger.edits("unknown")) == ('{"title": "x"}', "{}")
