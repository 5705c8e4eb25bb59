import sqlite3
from pathlib import Path

import pytest

from assistant.audit import AuditLog, text_digest
from assistant.errors import AuditUnavailable
from tests.worlds import reader


def filled(folder: Path) -> AuditLog:
    log = AuditLog(folder / "audit.db")
    for number in range(3):
        log.begin(f"record-{number}", "answer", reader("public"), {"characters": number})
        log.close_record(f"record-{number}", "answer", {"outcome": "answered"})
    return log


def raw(folder: Path, *statements: str) -> None:
    """What somebody with the file in hand can do: drop the triggers, then change rows."""
    connection = sqlite3.connect(folder / "audit.db")
    connection.execute("DROP TRIGGER entries_are_not_changed")
    connection.execute("DROP TRIGGER entries_are_not_removed")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_untouched_chain_is_intact(tmp_path: Path) -> None:
    check = filled(tmp_path).verify()
    assert (check.entries, check.broken_at, check.open_records) == (6, None, 0)


def test_a_changed_entry_breaks_the_chain_at_its_place(tmp_path: Path) -> None:
    log = filled(tmp_path)
    raw(tmp_path, "UPDATE entries SET body = '{}' WHERE number = 3")
    assert log.verify().broken_at == 3


def test_a_changed_link_breaks_the_chain_at_its_place(tmp_path: Path) -> None:
    log = filled(tmp_path)
    raw(tmp_path, "UPDATE entries SET previous = 'x' WHERE number = 4")
    assert log.verify().broken_at == 4


def test_a_removed_entry_breaks_the_chain_after_it(tmp_path: Path) -> None:
    log = filled(tmp_path)
    raw(tmp_path, "DELETE FROM entries WHERE number = 2")
    assert log.verify().broken_at == 3


def test_two_swapped_entries_break_the_chain(tmp_path: Path) -> None:
    log = filled(tmp_path)
    raw(
        tmp_path,
        "UPDATE entries SET number = 99 WHERE number = 2",
        "UPDATE entries SET number = 2 WHERE number = 4",
        "UPDATE entries SET number = 4 WHERE number = 99",
    )
    assert log.verify().broken_at == 2


@pytest.mark.parametrize("statement", ["UPDATE entries SET body = '{}'", "DELETE FROM entries"])
def test_the_database_refuses_changes(tmp_path: Path, statement: str) -> None:
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / "audit.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_a_record_never_closed_is_counted(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.begin("record-9", "answer", reader("public"), {})
    assert log.verify().open_records == 1


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.close()
    (tmp_path / "audit.db").unlink()
    (tmp_path / "audit.db").mkdir()
    with pytest.raises(AuditUnavailable):
        log.begin("record-9", "answer", reader("public"), {})


def test_chain_goes_on_after_reopening(tmp_path: Path) -> None:
    filled(tmp_path).close()
    log = AuditLog(tmp_path / "audit.db")
    log.begin("later", "answer", reader("public"), {})
    assert log.verify().broken_at is None


def test_an_entry_is_hashed_as_it_was_when_old_records_were_written(tmp_path: Path) -> None:
    """A record that an earlier version wrote must verify for ever: the bytes that are hashed are a format."""
    log = AuditLog(tmp_path / "audit.db")
    log.begin("r", "answer", reader("public"), {"z": "délai", "a": "المادة"})
    log.close()
    connection = sqlite3.connect(tmp_path / "audit.db")
    at, body, previous, found = connection.execute("SELECT at, body, previous, hash FROM entries").fetchone()
    connection.close()
    assert body == '{"a":"المادة","principal":"reader-public","z":"délai"}'
    assert previous == "0" * 64
    inside = body.replace('"', '\\"')
    assert found == text_digest(f'["{at}","r","answer begun","{inside}","{previous}"]')
