"""Listings, counts and progress: filtered in SQL, under the asker's clearance, fast for many documents."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.access import Principal
from assistant.errors import Forbidden, NotFound
from assistant.ingestion import DocumentFilter
from assistant.scope import Scope, ScopeChoices
from assistant.types import DocumentState
from ingest.ledger import Ledger
from ingest.listing import HELD_BY, UNSEEN, Listing
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST
from tests.worlds import reader


def settled(
    ledger: Ledger,
    name: str,
    *,
    label: str = "public",
    state: DocumentState = DocumentState.DONE,
    category: str = "",
    **facts: object,
) -> str:
    status = ledger.receive(
        source=f"/in/{name}", version=name, file_name=name, given_label="", sidecar="", received_by="a"
    )
    task = ledger.take()
    assert task is not None
    ledger.settle(
        task,
        state,
        category=category,
        facts={"title": name, "label": label, **facts},
        reason="pas de texte" * state.value.startswith("q"),
    )  # type: ignore[dict-item]
    return status.document_id


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def names(ledger: Ledger, wanted: DocumentFilter, principal: object = ARCHIVIST) -> list[str]:
    return sorted(status.title for status in Listing(ledger.database).find(wanted, principal).documents)  # type: ignore[arg-type]


def test_every_filter_keeps_what_it_names(ledger: Ledger) -> None:
    settled(ledger, "ARRÊTÉ du maire", language="fr", media_type="application/pdf", date="1996-05-31")
    settled(ledger, "قرار", language="ar", label="internal", date="2001-01-01")
    settled(ledger, "50%_note", state=DocumentState.QUARANTINED)
    for wanted, found in (
        (DocumentFilter(), ["50%_note", "ARRÊTÉ du maire", "قرار"]),
        (DocumentFilter(q="arrêté MAIRE"), ["ARRÊTÉ du maire"]),
        (DocumentFilter(q="arrete"), ["ARRÊTÉ du maire"]),
        (DocumentFilter(q="%_"), ["50%_note"]),
        (DocumentFilter(q="pas de texte"), ["50%_note"]),
        (DocumentFilter(q="' OR 1=1 --"), []),
        (DocumentFilter(state=DocumentState.QUARANTINED), ["50%_note"]),
        (DocumentFilter(language="ar"), ["قرار"]),
        (DocumentFilter(label="internal"), ["قرار"]),
        (DocumentFilter(media_type="application/pdf"), ["ARRÊTÉ du maire"]),
        (DocumentFilter(date_from="1996-05-31", date_to="1996-05-31"), ["ARRÊTÉ du maire"]),
        (DocumentFilter(date_from="1997"), ["قرار"]),
        (DocumentFilter(date_to="2000-12-31"), ["ARRÊTÉ du maire"]),
        (DocumentFilter(date_to="1996"), ["ARRÊTÉ du maire"]),
    ):
        assert names(ledger, wanted) == found, wanted


def test_document_dated_by_its_year_is_found_from_every_day_of_it(ledger: Ledger) -> None:
    settled(ledger, "rapport", date="2023")
    assert names(ledger, DocumentFilter(date_from="2023-06-01")) == ["rapport"]
    assert names(ledger, DocumentFilter(date_from="2024-01-01")) == []


def test_format_of_a_document_that_nobody_could_read_goes_by_its_name(ledger: Ledger) -> None:
    settled(ledger, "lettre.PDF", state=DocumentState.QUARANTINED)
    settled(ledger, "arrêté.pdf", media_type="text/plain")
    assert names(ledger, DocumentFilter(media_type="application/pdf,text/csv")) == ["lettre.PDF"]


def test_reason_is_found_in_the_words_in_which_it_is_shown(ledger: Ledger) -> None:
    settled(ledger, "registre.pdf", state=DocumentState.QUARANTINED, category="password_needed")
    settled(ledger, "vide.pdf", state=DocumentState.QUARANTINED, category="empty_file")
    for sought in ("protégé mot de passe", "PROTEGE", "بكلمة مرور", "password"):
        assert names(ledger, DocumentFilter(q=sought)) == ["registre.pdf"], sought


def test_scope_finds_what_each_of_its_fields_names(ledger: Ledger) -> None:
    ids = {
        name: settled(ledger, name, passages=1, collection=collection, document_type=kind, date=date, label=label)
        for name, collection, kind, date, label in (
            ("day", "RH", "circulaire", "2024-03-12", "public"),
            ("month", "RH", "arrêté", "2024-02", "public"),
            ("year", "Budget", "circulaire", "2023", "public"),
            ("undated", "Budget", None, None, "public"),
            ("hidden", "RH", "secret", "2024-03-12", "internal"),
        )
    }
    listing = Listing(ledger.database)
    for scope, found in (
        (Scope.everything, {"day", "month", "year", "undated"}),
        (Scope(collections=("RH",)), {"day", "month"}),
        (Scope(collections=("RH", "Budget"), document_types=("circulaire",)), {"day", "year"}),
        (Scope(document_types=("secret",)), set()),
        (Scope(date_from="2024-02-29"), {"day", "month"}),
        (Scope(date_from="2024-03-01", date_to="2024-03-12"), {"day"}),
        (Scope(date_from="2023-12-31", date_to="2023-12-31"), {"year"}),
        (Scope(date_to="2024-02-01"), {"month", "year"}),
        (Scope(documents=(ids["year"], ids["hidden"])), {"year"}),
        (Scope(documents=("nowhere' OR 1=1 --",)), set()),
    ):
        assert listing.within(scope, CLERK) == {ids[name] for name in found}, scope
    assert ids["hidden"] in listing.within(Scope(collections=("RH",)), ARCHIVIST)


def test_choices_of_a_scope_are_those_of_readable_documents(ledger: Ledger) -> None:
    listing = Listing(ledger.database)
    assert listing.choices(CLERK) == ScopeChoices((), (), None, None)
    facts = {"passages": 1, "document_type": "circulaire"}
    settled(ledger, "a", collection="RH", date="2024-03-12", **facts)
    settled(ledger, "b", collection="Budget", date="2021", **facts)
    settled(
        ledger, "hidden", label="internal", collection="Police", date="1999-01-01", passages=1, document_type="plan"
    )
    settled(ledger, "unread", state=DocumentState.QUARANTINED, collection="Fonds", date="1980-01-01")
    settled(ledger, "none", label="", state=DocumentState.QUARANTINED, collection="Sans", date="1970-01-01")
    seen = ScopeChoices(("Budget", "RH"), ("circulaire",), "2021", "2024-03-12")
    assert listing.choices(CLERK) == seen
    assert "Police" in listing.choices(ARCHIVIST).collections


def test_pages_of_a_listing_are_the_whole_listing_newest_first(ledger: Ledger) -> None:
    for number in range(7):
        settled(ledger, f"n{number}")
    listing = Listing(ledger.database)
    whole = listing.find(DocumentFilter(), ARCHIVIST)
    assert [s.received_at for s in whole.documents] == sorted((s.received_at for s in whole.documents), reverse=True)
    parts = [listing.find(DocumentFilter(), ARCHIVIST, limit=3, offset=offset) for offset in (0, 3, 6)]
    assert tuple(status for part in parts for status in part.documents) == whole.documents
    assert {part.total for part in parts} == {7}


def test_hidden_documents_are_in_no_list_count_or_total(ledger: Ledger) -> None:
    settled(ledger, "ouvert")
    hidden = [
        settled(ledger, f"caché {label}", label=label) for label in ("internal", "public/tax", "PUBLIC", "wide open")
    ]
    settled(ledger, "sans étiquette", label="", state=DocumentState.QUARANTINED)
    listing = Listing(ledger.database)
    for principal, total in ((CLERK, 1), (WEAK_ARCHIVIST, 2)):
        found = listing.find(DocumentFilter(), principal)
        assert (len(found.documents), found.total) == (total, total), "leaked"
        assert sum(listing.counts(principal).values()) == total, "leaked"
        assert listing.find(DocumentFilter(q="caché"), principal).total == 0, "leaked"
        assert not {status.document_id for status in found.documents} & set(hidden), "leaked"


def test_progress_counts_and_estimates(ledger: Ledger) -> None:
    settled(ledger, "fini", pages=30)
    for number in range(3):
        ledger.receive(
            source=f"{number}", version=f"v{number}", file_name="f", given_label="", sidecar="", received_by="a"
        )
    ledger.take()
    received_before(ledger, 60)
    progress = Listing(ledger.database).progress(ARCHIVIST)
    assert (progress.waiting, progress.in_progress, progress.finished_recently) == (2, 1, 1)
    assert progress.pages_per_s == 0.5
    assert progress.seconds_left == 180
    assert [current.title for current in progress.current] == ["f"]


def received_before(ledger: Ledger, seconds: float) -> None:
    """As if all documents had come so long ago."""
    at = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    with ledger.database.writing() as connection:
        connection.execute("UPDATE documents SET received_at = ?", (at,))


def test_work_that_has_just_begun_is_not_measured_over_a_whole_minute(ledger: Ledger) -> None:
    settled(ledger, "fini")
    ledger.receive(source="a", version="v", file_name="f", given_label="", sidecar="", received_by="a")
    received_before(ledger, 6)
    progress = Listing(ledger.database).progress(ARCHIVIST)
    assert progress.pages_per_s == pytest.approx(1 / 6, rel=0.2)
    assert progress.seconds_left == pytest.approx(6, rel=0.2)


def test_documents_that_wait_behind_a_long_scan_are_part_of_the_time_left(ledger: Ledger) -> None:
    for number in range(101):
        ledger.receive(
            source=f"{number}", version=f"v{number}", file_name="f", given_label="", sidecar="", received_by="a"
        )
    task = ledger.take()
    assert task is not None
    ledger.progress(task.document_id, 6, 26)
    received_before(ledger, 60)
    assert Listing(ledger.database).progress(ARCHIVIST).seconds_left == 1200


def test_page_of_ten_thousand_documents_knows_how_many_there_are(ledger: Ledger) -> None:
    columns = "document_id, source, version, file_name, title, state, label, received_by, received_at, changed_at"
    rows = [
        (str(n), f"/in/{n}", f"v{n}", f"{n}.pdf", f"Arrêté nº {n}", "done", ("public", "internal")[n % 2], "a",
         f"2026-11-0{n % 9 + 1}", "2026-11-09")
        for n in range(10_000)
    ]  # fmt: skip
    with ledger.database.writing() as connection:
        connection.executemany(f"INSERT INTO documents ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    listing = Listing(ledger.database)
    found = listing.find(DocumentFilter(q="arrêté 99"), CLERK, limit=50, offset=50)
    assert found.total == sum("99" in str(n) and n % 2 == 0 for n in range(10_000))
    assert len(found.documents) == found.total - 50
    assert sum(listing.counts(CLERK).values()) == 5_000


def test_holds_name_who_held_and_since_when_and_nothing_above_the_clearance(tmp_path: Path, database_url: str) -> None:
    with closing(Ledger(tmp_path / "ledger.db", url=database_url)) as ledger:
        listing = Listing(ledger.database)
        first, second = settled(ledger, "premier"), settled(ledger, "second", label="internal")
        freed = settled(ledger, "libre")
        for document_id, name in ((freed, "ada"), (first, "ada"), (second, "bob"), (first, "cléo_100%")):
            ledger.hold(document_id, f"affaire de {name}", f"{HELD_BY}{name}")
        ledger.hold(freed, "", "released from hold by ada")
        assert [(hold.title, hold.reason, hold.by) for hold in listing.holds(ARCHIVIST)] == [
            ("premier", "affaire de cléo_100%", "cléo_100%"),
            ("second", "affaire de bob", "bob"),
        ]
        assert all(hold.since[:2] == "20" for hold in listing.holds(ARCHIVIST))
        assert [hold.title for hold in listing.holds(WEAK_ARCHIVIST)] == ["premier"]
        with pytest.raises(Forbidden):
            listing.holds(CLERK)


def test_one_document_is_told_to_whoever_may_know_of_it_and_to_others_like_one_that_is_not_there(
    ledger: Ledger,
) -> None:
    listing, hidden = Listing(ledger.database), settled(ledger, "caché", label="internal")
    open_to_all = settled(ledger, "note")
    assert listing.one(open_to_all, CLERK).title == "note"
    assert listing.one(hidden, ARCHIVIST).title == "caché"
    for document_id in (hidden, "unknown"):
        with pytest.raises(NotFound, match=f"^{UNSEEN}$"):
            listing.one(document_id, CLERK)


def test_work_on_a_document_needs_the_role_and_the_clearance(ledger: Ledger) -> None:
    listing, document_id = Listing(ledger.database), settled(ledger, "note", label="internal")
    assert listing.for_archivist(document_id, ARCHIVIST).title == "note"
    with pytest.raises(Forbidden):
        listing.for_archivist(document_id, reader("secret"))
    with pytest.raises(NotFound):
        listing.for_archivist(document_id, WEAK_ARCHIVIST)


def test_list_of_some_documents_holds_no_others_and_none_of_none(ledger: Ledger) -> None:
    first, _ = settled(ledger, "un"), settled(ledger, "deux")
    listing = Listing(ledger.database)
    for among, expected in (([first], ["un"]), ([], []), (["unknown"], [])):
        found = listing.find(DocumentFilter(), ARCHIVIST, among=among)
        assert ([status.title for status in found.documents], found.total) == (expected, len(expected))
    assert listing.find(DocumentFilter(), ARCHIVIST).total == 2


def test_bytes_and_sources_of_a_hidden_document_may_not_be_changed_by_who_may_not_know_of_it(ledger: Ledger) -> None:
    listing = Listing(ledger.database)
    settled(ledger, "caché", label="internal")
    ledger.receive(source="/in/copie", version="caché", file_name="copie", given_label="", sidecar="", received_by="a")
    for source, version in (("/in/caché", "v2"), ("/in/autre", "caché"), ("/in/copie", "v2")):
        assert not listing.may_change(source, version, WEAK_ARCHIVIST), "a stranger's label would have counted"
        assert listing.may_change(source, version, ARCHIVIST)
    assert listing.may_change("/in/autre", "v2", WEAK_ARCHIVIST)


def test_archivist_finds_a_document_by_the_name_of_a_copy(ledger: Ledger) -> None:
    settled(ledger, "décision.pdf")
    copy = {"given_label": "", "sidecar": "", "received_by": "a"}
    ledger.receive(source="/in/Double 12.pdf", version="décision.pdf", file_name="Double 12.pdf", **copy)
    assert names(ledger, DocumentFilter(q="double 12")) == ["décision.pdf"]
    assert names(ledger, DocumentFilter(q="double 12"), WEAK_ARCHIVIST) == ["décision.pdf"]
    assert names(ledger, DocumentFilter(q="double 12"), CLERK) == []
    assert names(ledger, DocumentFilter(q="double 13")) == []


@pytest.mark.parametrize(
    ("principal", "said"), [(ARCHIVIST, "/in/licenciement.zip!/b.eml!/c.txt"), (CLERK, "…!/b.eml!/c.txt")]
)
def test_file_that_came_in_a_hidden_one_does_not_tell_its_name(ledger: Ledger, principal: Principal, said: str) -> None:
    settled(ledger, "licenciement.zip", label="restricted")
    settled(ledger, "licenciement.zip!/b.eml")
    document_id = settled(ledger, "licenciement.zip!/b.eml!/c.txt")
    settled(ledger, "erased.zip!/d.txt")
    listing = Listing(ledger.database)
    assert listing.one(document_id, principal).source == said, "leaked"
    sources = {status.source for status in listing.find(DocumentFilter(), principal).documents}
    assert {said, "/in/erased.zip!/d.txt"} <= sources
