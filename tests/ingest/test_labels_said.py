"""Labels that somebody says when handing in: who may know meanwhile, what rises at once, what a carrier may not change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import AssistantError, NotFound, ServiceUnavailable
from assistant.ingestion import MetadataEdit
from assistant.types import DocumentState
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, Office, mail_with, office, zip_of
from tests.worlds import reader

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"
MARKED = "Mention de diffusion : RESTREINT\n" + TEXT


def carried(world: Office, end: str) -> str:
    """The id of the one document whose source ends so."""
    (found,) = [d.document_id for d in world.ingestion.documents(ARCHIVIST) if d.source.endswith(end)]
    return found


@pytest.mark.parametrize("said", ["label", "sidecar"])
def test_label_that_rises_by_handing_in_again_counts_at_once(tmp_path: Path, said: str) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", TEXT + "caribou")
        assert world.found("caribou", CLERK)
    with office(tmp_path, started=False) as world:
        sidecar = 'label = "restricted"' if said == "sidecar" else None
        world.hand_in(
            "note.txt", TEXT + "caribou", label=None if sidecar else "restricted", sidecar=sidecar, wait=False
        )
        assert not world.found("caribou", CLERK)
        assert not world.ingestion.documents(CLERK)
        with pytest.raises(NotFound):
            world.archive.document(status.document_id, CLERK)
        world.hand_in("note.txt", TEXT + "caribou", label="restricted", wait=False)
    with office(tmp_path) as world:
        after = world.settled(status.document_id)
        if said == "label":
            assert (after.state, after.label) == (DocumentState.DONE, "restricted")
        assert not world.found("caribou", CLERK)


def test_other_label_counts_while_the_document_still_waits(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        status = world.hand_in("note.txt", TEXT, label="public", wait=False)
        again = world.hand_in("note.txt", TEXT, label="restricted", wait=False)
        assert (again.document_id, again.notice) == (status.document_id, "")
    with office(tmp_path) as world:
        assert world.settled(status.document_id).label == "restricted"


def test_what_is_said_of_a_label_hides_the_document_until_it_is_decided(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        world.hand_in("nom-secret.txt", TEXT, label=None, sidecar='label = "restricted"\n', wait=False)
        assert world.ingestion.documents(WEAK_ARCHIVIST) == ()
        assert sum(world.ingestion.counts(WEAK_ARCHIVIST).values()) == 0


@pytest.mark.parametrize("before", [False, True])
def test_archivist_below_a_marking_cannot_publish_what_it_marks(tmp_path: Path, before: bool) -> None:
    with office(tmp_path) as world:
        if before:
            world.hand_in("note.txt", TEXT + "une première version")
        status = world.hand_in("note.txt", MARKED + "koala", label="public")
        assert (status.state, status.category) == (DocumentState.QUARANTINED, "conflicting_labels")
        assert world.ingestion.documents(WEAK_ARCHIVIST) == ()
        with pytest.raises(NotFound):
            world.ingestion.edit(status.document_id, WEAK_ARCHIVIST, MetadataEdit(label="public"))
        world.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="restricted"))
        assert world.settled(status.document_id).state is DocumentState.DONE
        assert not world.found("koala", CLERK)


def test_label_given_unread_does_not_overrule_a_marking_above_its_givers_clearance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", b"%PDF-1.4 nothing that could be read", label=None)
        original = world.archive.original_path(status.version)
        world.ingestion.edit(status.document_id, WEAK_ARCHIVIST, MetadataEdit(label="public"))
        assert world.settled(status.document_id).label == ""
        original.write_bytes((MARKED + "lama").encode())  # as if a password had opened it, or OCR were there now
        world.ingestion.retry(status.document_id, WEAK_ARCHIVIST)
        after = world.settled(status.document_id)
        assert (after.state, after.category) == (DocumentState.QUARANTINED, "conflicting_labels")
        assert world.ingestion.documents(WEAK_ARCHIVIST) == ()
        assert not world.found("lama")


def test_attachment_changes_no_label_of_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        known = world.hand_in("connu.txt", TEXT + "daim", label="internal")
        world.hand_in("envoi.eml", mail_with(("copie.txt", TEXT + "daim")), label="public")
        assert world.settled(known.document_id).label == "internal"
        assert not world.found("daim", CLERK)
        world.hand_in(
            "envoi-2.eml", mail_with(("copie.txt", TEXT + "daim"), body="Un second envoi."), label="restricted"
        )
        assert world.settled(known.document_id).label == "internal"


def test_files_in_an_archive_change_nothing_above_the_clearance_of_who_handed_it_in(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        sidecar = 'label = "restricted"\n'
        world.hand_in("lot.zip", zip_of({"a.txt": TEXT + "élan", "a.txt.toml": sidecar, "b.txt": TEXT}), label=None)
        hidden = carried(world, "lot.zip!/a.txt")
        changed = zip_of({"a.txt": "Un tout autre texte, assez long.", "copie.txt": TEXT + "élan", "c.txt": TEXT + "c"})
        weak = world.hand_in("lot.zip", changed, label="public", principal=WEAK_ARCHIVIST)
        after = world.settled(hidden)
        assert (after.label, after.state) == ("restricted", DocumentState.DONE)
        assert world.found("élan")
        assert not world.found("élan", CLERK)
        assert [line.split(" belongs")[0] for line in weak.warnings] == ["not taken: a.txt", "not taken: copie.txt"]
        assert carried(world, "lot.zip!/c.txt")


def test_raised_label_of_a_mail_takes_its_attachments_along_at_once(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        mail = world.hand_in("envoi.eml", mail_with(("note.txt", TEXT + "mouflon"), ("b.txt", TEXT + "b")))
        lot = world.hand_in("lot.zip", zip_of({"c.txt": TEXT + "nandou"}))
        own = carried(world, "!/b.txt")
        world.ingestion.edit(own, ARCHIVIST, MetadataEdit(label="internal"))
        world.settled(own)
        assert world.found("mouflon", CLERK)
        assert world.found("nandou", CLERK)
    with office(tmp_path, started=False) as world:
        for carrier in (mail, lot):
            world.ingestion.edit(carrier.document_id, ARCHIVIST, MetadataEdit(label="restricted"))
        assert not world.found("mouflon", CLERK)
        assert not world.found("nandou", CLERK)
    with office(tmp_path) as world:
        assert world.settled(carried(world, "!/note.txt")).label == "restricted"
        assert world.settled(carried(world, "!/c.txt")).label == "restricted"
        assert world.settled(own).label == "internal"
        assert {d.state for d in world.ingestion.documents(ARCHIVIST)} == {DocumentState.DONE}


def test_reader_without_the_compartment_is_not_told_of_it(tmp_path: Path) -> None:
    other = reader("restricted/health")
    with office(tmp_path) as world:
        world.hand_in("note.txt", MARKED + "okapi", label="restricted/tax")
        with pytest.raises(AssistantError):
            world.ingestion.document(carried(world, "note.txt"), other)
        assert not world.found("okapi", other)


@pytest.mark.parametrize("by", ["edit", "hand-in"])
def test_label_whose_hiding_failed_is_made_good_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", TEXT + "panda")

    def full(_: str) -> int:
        raise ServiceUnavailable("the disk is full")

    with office(tmp_path, started=False) as world:
        monkeypatch.setattr(world.index, "remove", full)
        edit = MetadataEdit(label="restricted")
        ways: dict[str, Callable[[], object]] = {
            "edit": lambda: world.ingestion.edit(status.document_id, ARCHIVIST, edit),
            "hand-in": lambda: world.hand_in("note.txt", TEXT + "panda", label="restricted", wait=False),
        }
        with pytest.raises(ServiceUnavailable):
            ways[by]()
    with office(tmp_path, started=False) as world:
        assert world.found("panda", CLERK)
        world.ingestion._life.hide_what_rose()
        assert not world.found("panda", CLERK)
        with pytest.raises(NotFound):
            world.archive.document(status.document_id, CLERK)
    with office(tmp_path) as world:
        assert world.settled(status.document_id).label == "restricted"
