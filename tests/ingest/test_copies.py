"""The same bytes in several places: one document, of which nothing is lost when the bytes in one place change."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.types import DocumentState
from tests.ingest.archiving import ARCHIVIST, CLERK, Office, mail_with, office

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"


def test_copy_stays_searchable_when_the_first_place_gets_new_bytes(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        first = world.hand_in("rapport.txt", TEXT + "alpaga d'hier", label="restricted")
        copy = world.hand_in("rapport-ancien.txt", TEXT + "alpaga d'hier", label=None)
        further = world.hand_in("sauvegarde/rapport.txt", TEXT + "alpaga d'hier", label=None)
        assert {copy.document_id, further.document_id} == {first.document_id}
        new = world.hand_in("rapport.txt", TEXT + "alpaga du jour", label="public")
        assert (new.document_id, new.source) == (first.document_id, "/in/rapport.txt")
        kept = {d.source: d for d in world.ingestion.documents(ARCHIVIST)}["/in/rapport-ancien.txt"]
        assert (kept.state, kept.version, kept.label) == (DocumentState.DONE, first.version, "restricted")
        assert [p.document_id for p in world.found("alpaga d'hier")] == [kept.document_id]
        assert not world.found("alpaga d'hier", CLERK)
        assert world.hand_in("sauvegarde/rapport.txt", TEXT + "alpaga d'hier").document_id == kept.document_id
        assert world.archive.original_path(first.version).is_file()


def test_copies_that_change_together_stay_one_document(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        for place in ("a.txt", "b.txt"):
            world.hand_in(place, TEXT + "bison d'hier")
    with office(tmp_path, started=False) as world:
        for place in ("a.txt", "b.txt"):
            world.hand_in(place, TEXT + "bison du jour", wait=False)
    with office(tmp_path) as world:
        assert world.ingestion.wait_idle(60)
        assert [(d.source, d.state) for d in world.ingestion.documents(ARCHIVIST)] == [
            ("/in/a.txt", DocumentState.DONE)
        ]
        assert not world.found("bison d'hier")


def test_old_bytes_that_come_back_elsewhere_are_not_removed_with_the_old_version(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        world.hand_in("note.txt", TEXT + "caribou d'hier")
    with office(tmp_path, started=False) as world:
        world.hand_in("note.txt", TEXT + "caribou du jour", wait=False)
        moved = world.hand_in("note-ancienne.txt", TEXT + "caribou d'hier", wait=False)
    with office(tmp_path) as world:
        assert world.settled(moved.document_id).state is DocumentState.DONE
        assert world.archive.original_path(moved.version).is_file()
        assert world.found("caribou d'hier")
        assert world.found("caribou du jour")


def test_bytes_known_elsewhere_replace_what_lay_at_their_place(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        world.hand_in("modele.txt", TEXT + "daim du jour")
        old = world.hand_in("en-vigueur.txt", TEXT + "daim d'hier")
        new = world.hand_in("en-vigueur.txt", TEXT + "daim du jour")
        assert new.document_id == old.document_id
        assert not world.found("daim d'hier")
        assert len(world.found("daim du jour")) == 2
        receipt = world.ingestion.remove(new.document_id, ARCHIVIST)
        assert receipt.originals_kept == (new.version,)
        assert len(world.found("daim du jour")) == 1
        assert world.archive.original_path(new.version).is_file()


def test_bytes_handed_in_while_their_former_document_is_erased_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(tmp_path) as world:
        old = world.hand_in("erased.txt", TEXT + "élan d'hier")
        world.hand_in("erased.txt", TEXT + "élan du jour")
        erase, late = world.index.erase, []

        def hand_in_then_erase(document_id: str) -> int:
            late.append(world.hand_in("late.txt", TEXT + "élan d'hier"))
            return erase(document_id)

        monkeypatch.setattr(world.index, "erase", hand_in_then_erase)
        receipt = world.ingestion.remove(old.document_id, ARCHIVIST)
        assert late[0].version in receipt.originals_kept
        assert late[0].version not in receipt.originals
        assert world.archive.original_path(late[0].version).is_file()
        assert world.found("élan d'hier")


def test_no_original_is_lost_however_old_and_new_bytes_follow_each_other(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        for number in range(6):
            world.hand_in("journal.txt", f"{TEXT}furet {number}", wait=False)
            world.hand_in(f"journal.{number}.txt", f"{TEXT}furet {number}", wait=False)
        assert world.ingestion.wait_idle(60)
        assert {d.state for d in world.ingestion.documents(ARCHIVIST)} == {DocumentState.DONE}
        assert [number for number in range(6) if not world.found(f"furet {number}")] == []


@pytest.mark.parametrize("with_attachments", [False, True])
def test_attachment_that_was_handed_in_by_itself_too_outlives_its_carrier(
    tmp_path: Path, with_attachments: bool
) -> None:
    with office(tmp_path) as world:
        carrier = world.hand_in("envoi.eml", mail_with(("note.txt", TEXT + "gnou")))
        own = world.hand_in("propre/note.txt", TEXT + "gnou")
        receipt = world.ingestion.remove(carrier.document_id, ARCHIVIST, with_attachments=with_attachments)
        assert (receipt.attachments_left, receipt.attachments_erased) == ((own.document_id,), ())
        assert _sources(world) == ["/in/propre/note.txt"]
        assert world.archive.document(own.document_id, ARCHIVIST).source == "/in/propre/note.txt"
        assert world.found("gnou")


def test_erased_document_leaves_no_name_of_a_copy(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        document = world.hand_in("note.txt", TEXT + "hibou")
        world.hand_in("zyzomys.txt", TEXT + "hibou")
        world.hand_in("numbat.eml", mail_with(("note.txt", TEXT + "hibou")))
        world.ingestion.remove(document.document_id, ARCHIVIST)
        carrier = next(d for d in world.ingestion.documents(ARCHIVIST) if d.source.endswith(".eml"))
        world.ingestion.remove(carrier.document_id, ARCHIVIST)
        assert _sources(world) == []
    names = [file for file in (tmp_path / "data").glob("ledger.db*") if b"zyzomys" in file.read_bytes()]
    assert names == []


def _sources(world: Office) -> list[str]:
    return sorted(document.source for document in world.ingestion.documents(ARCHIVIST))
