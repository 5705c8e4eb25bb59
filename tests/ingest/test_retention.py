"""Retention: only what a rule names, only when it is due, never what is held, and nothing at all in a dry run."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from assistant.access import Principal
from assistant.config import RetentionRule, load_settings
from assistant.errors import ConfigurationError, Conflict, Forbidden, NotFound
from assistant.ingestion import ErasedDocument, Found
from assistant.receipts import ErasureReceipt
from assistant.types import DocumentState
from ingest.ledger import Ledger
from ingest.listing import Listing
from ingest.retention import Retention, described
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, office
from tests.ingest.test_listing import settled
from tests.worlds import instance_file

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEN_YEARS = RetentionRule(collection="Marchés", keep_years=10)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def receipt_of(name: str) -> ErasureReceipt:
    """A receipt of which only the id matters."""
    empty = {"str": "", "int": 0, "tuple[str, ...]": ()}
    values = {field.name: empty[str(field.type)] for field in fields(ErasureReceipt)}
    return ErasureReceipt(**values | {"receipt_id": f"receipt-{name}"})  # type: ignore[arg-type]


def due(ledger: Ledger, *rules: RetentionRule, principal: Principal = ARCHIVIST) -> dict[str, str]:
    report = Retention(Listing(ledger.database), rules).report(principal, now=NOW)
    return {entry.title: entry.since for entry in report.due}


@pytest.mark.parametrize(
    ("dated", "since"),
    [
        ("2016-11-23", "2026-11-23"),
        ("2016-11-24", None),
        ("2016-10", "2026-10-31"),
        ("2016", None),
        ("2015", "2025-12-31"),
        ("2012-02-29", "2022-02-28"),
        (None, None),
        ("on a monday", None),
    ],
)
def test_due_on_the_day_the_time_is_over(ledger: Ledger, dated: str | None, since: str | None) -> None:
    settled(ledger, "marché", collection="marchés", date=dated)
    assert due(ledger, TEN_YEARS) == ({"marché": since} if since else {})


@pytest.mark.parametrize(
    ("days", "dated", "since"),
    [
        (30, "2026-10-24", "2026-11-23"),
        (30, "2026-10-25", None),
        (0, "2026-11-23", "2026-11-23"),
        (365_000, "2026-11-23", None),
        (365_000, "9999", None),
    ],
)
def test_kept_as_many_days_as_the_rule_says(ledger: Ledger, days: int, dated: str, since: str | None) -> None:
    settled(ledger, "marché", collection="Marchés", date=dated)
    rule = RetentionRule(collection="Marchés", keep_days=days)
    assert due(ledger, rule) == ({"marché": since} if since else {})


def test_rule_for_a_type_says_nothing_of_documents_without_one(ledger: Ledger) -> None:
    settled(ledger, "sans type", date="1900-01-01")
    settled(ledger, "facture", document_type="facture", date="1900-01-01")
    assert set(due(ledger, RetentionRule(document_type="facture", keep_years=1))) == {"facture"}


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"keep_years": 1}, "1 year"),
        ({"keep_days": 1}, "1 day"),
        ({"keep_years": 10}, "10 years"),
        ({"keep_days": 0}, "0 days"),
    ],
)
def test_rule_is_told_in_words(kept: dict[str, int], words: str) -> None:
    rule = RetentionRule.model_validate({"collection": "Marchés", **kept})
    assert described(rule) == f"collection Marchés, kept {words} from its date"


def test_only_what_the_first_fitting_rule_says(ledger: Ledger) -> None:
    settled(ledger, "a", collection="Marchés", document_type="facture", date="2020-01-01")
    settled(ledger, "b", collection="Marchés", document_type="contrat", date="2020-01-01")
    settled(ledger, "c", collection="", document_type="facture", date="2020-01-01")
    keep = RetentionRule(collection="Marchés", document_type="contrat", keep_years=100)
    assert set(due(ledger, keep, RetentionRule(collection="Marchés", keep_years=1))) == {"a"}
    assert set(due(ledger, RetentionRule(document_type="facture", keep_days=1))) == {"a", "c"}
    assert due(ledger) == {}


def test_accents_fit_however_they_are_stored(ledger: Ledger) -> None:
    settled(ledger, "a", collection="marche\u0301s", date="2000-01-01")
    assert set(due(ledger, TEN_YEARS)) == {"a"}


def test_counted_from_the_day_it_was_handed_in(ledger: Ledger) -> None:
    settled(ledger, "ancien", collection="Marchés", date="1900-01-01")
    rule = RetentionRule.model_validate({"collection": "Marchés", "keep_years": 1, "from": "received"})
    assert due(ledger, rule) == {}


def test_documents_above_the_archivists_clearance_are_not_named(ledger: Ledger) -> None:
    settled(ledger, "caché", label="internal", collection="Marchés", date="1900-01-01")
    assert due(ledger, TEN_YEARS, principal=WEAK_ARCHIVIST) == {}
    with pytest.raises(Forbidden):
        due(ledger, TEN_YEARS, principal=CLERK)


def test_held_documents_are_named_and_stay(ledger: Ledger) -> None:
    held = settled(ledger, "tenu", collection="Marchés", date="1900-01-01")
    free = settled(ledger, "libre", collection="Marchés", date="1900-01-01")
    ledger.hold(held, "procès", "put on hold")
    report = Retention(Listing(ledger.database), [TEN_YEARS]).report(
        ARCHIVIST, erase=lambda document_id, _: receipt_of(document_id), now=NOW
    )
    assert {entry.title: entry.held for entry in report.due} == {"tenu": True, "libre": False}
    assert report.erased == (ErasedDocument(free, f"receipt-{free}"),)
    assert report.rules == ("collection Marchés, kept 10 years from its date",)


def test_only_what_was_agreed_to_is_erased(ledger: Ledger) -> None:
    seen = settled(ledger, "vu", collection="Marchés", date="1900-01-01")
    settled(ledger, "dû depuis", collection="Marchés", date="1900-01-01")
    settled(ledger, "pas dû", collection="Autre", date="1900-01-01")
    report = Retention(Listing(ledger.database), [TEN_YEARS]).report(
        ARCHIVIST, erase=lambda document_id, _: receipt_of(document_id), only=[seen, "unknown"], now=NOW
    )
    assert [erased.document_id for erased in report.erased] == [seen]
    assert [entry.document_id for entry in report.due] == [seen], "a small piece of a run does not read the others"


def test_documents_that_are_erased_by_name_are_the_only_ones_read(ledger: Ledger) -> None:
    named = settled(ledger, "vu", collection="Marchés", date="1900-01-01")
    for number in range(40):
        settled(ledger, f"autre {number}", collection="Marchés", date="1900-01-01")
    read: list[int] = []

    class CountingListing(Listing):
        def find(self, *arguments: object, **more: object) -> Found:
            found = super().find(*arguments, **more)  # type: ignore[arg-type]
            read.append(len(found.documents))
            return found

    retention = Retention(CountingListing(ledger.database), [TEN_YEARS])
    retention.report(ARCHIVIST, erase=lambda document_id, _: receipt_of(document_id), only=[named], now=NOW)
    retention.report(ARCHIVIST, erase=lambda document_id, _: receipt_of(document_id), only=[], now=NOW)
    assert read == [1]


def test_receipts_are_told_and_a_refusal_does_not_stop_the_rest(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        settled(ledger, name, collection="Marchés", date="1900-01-01")

    def erase(document_id: str, _: Principal) -> ErasureReceipt:
        title = ledger.status(document_id).title
        if title == "a":
            raise Conflict("held meanwhile")
        if title == "b":
            raise NotFound("gone")
        return receipt_of(title)

    report = Retention(Listing(ledger.database), [TEN_YEARS]).report(ARCHIVIST, erase=erase, now=NOW)
    assert [erased.receipt_id for erased in report.erased] == ["receipt-c"]


def test_unfinished_work_is_not_due(ledger: Ledger) -> None:
    document_id = settled(ledger, "a", collection="Marchés", date="1900-01-01")
    ledger.requeue(document_id, "")
    assert ledger.status(document_id).state is DocumentState.RECEIVED
    assert due(ledger, TEN_YEARS) == {}


def test_dry_run_changes_nothing_and_applying_erases(tmp_path: Path) -> None:
    rule = '[[ingest.retention]]\ncollection = "Marchés"\nkeep_years = 10\n'
    with office(tmp_path, extra=rule) as world:
        from assistant.ingestion import MetadataEdit

        status = world.hand_in("marché.txt", "Le marché de fournitures est attribué à la société.")
        edit = MetadataEdit(collection="Marchés", date="2001-01-01")
        world.ingestion.edit(status.document_id, ARCHIVIST, edit)
        world.settled(status.document_id)
        dry = world.ingestion.retention(ARCHIVIST)
        assert ([entry.document_id for entry in dry.due], dry.erased) == ([status.document_id], ())
        assert world.found("fournitures")
        (erased,) = world.ingestion.retention(ARCHIVIST, apply=True).erased
        (receipt,) = world.ingestion.receipts(ARCHIVIST)
        assert erased == ErasedDocument(status.document_id, receipt.receipt_id)
        assert not world.found("fournitures")
        assert world.ingestion.retention(ARCHIVIST).due == ()


@pytest.mark.parametrize(
    "rule", ['collection = "x"', "keep_years = 1", 'collection = "x"\nkeep_years = 1\nkeep_days = 1',
             'collection = "x"\nkeep_years = 1\nfrom = "birth"']
)  # fmt: skip
def test_a_rule_that_says_too_little_or_too_much_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ingest\.retention"):
        load_settings(instance_file(tmp_path, extra=f"[[ingest.retention]]\n{rule}\n"))


@pytest.mark.parametrize(
    ("east_h", "received", "now", "since"),
    [
        (2, "2026-11-22T22:30", "2026-12-22T21:59", None),
        (2, "2026-11-22T22:30", "2026-12-22T22:01", "2026-12-23"),
        (-5, "2026-11-23T04:30", "2026-12-22T04:59", None),
        (-5, "2026-11-23T04:30", "2026-12-22T05:01", "2026-12-22"),
        (0, "2026-11-22T23:59", "2026-12-22T00:00", "2026-12-22"),
    ],
)
def test_days_are_those_of_the_place(ledger: Ledger, east_h: int, received: str, now: str, since: str | None) -> None:
    """Handed in on 23 November by the clock on the wall, it may go on 23 December by that clock."""
    settled(ledger, "marché", collection="Marchés")
    with ledger.database.writing() as connection:
        connection.execute("UPDATE documents SET received_at = ?", (f"{received}:00.000+00:00",))
    rule = RetentionRule.model_validate({"collection": "Marchés", "keep_days": 30, "from": "received"})
    retention = Retention(Listing(ledger.database), [rule], zone=timezone(timedelta(hours=east_h)))
    report = retention.report(ARCHIVIST, now=datetime.fromisoformat(f"{now}+00:00"))
    assert [entry.since for entry in report.due] == ([since] if since else [])
