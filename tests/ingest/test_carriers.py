"""Archives and mails whose files live on as documents of their own: edited, renamed, erased, handed in again."""

from __future__ import annotations

from pathlib import Path

from assistant.ingestion import MetadataEdit
from assistant.types import DocumentState
from tests.ingest.archiving import ARCHIVIST, Office, mail_with, office, zip_of

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"


def sources(world: Office) -> list[str]:
    return sorted(document.source for document in world.ingestion.documents(ARCHIVIST))


def id_at(world: Office, source: str) -> str:
    return next(d.document_id for d in world.ingestion.documents(ARCHIVIST) if d.source == source)


def test_edited_archive_brings_back_nothing_that_was_erased_or_changed_since(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        lot = world.hand_in(
            "lot.zip", zip_of({"a.txt": TEXT + "furet", "b.txt": TEXT + "gnou", "c.txt": TEXT + "hermine"})
        )
        world.ingestion.remove(id_at(world, "/in/lot.zip!/a.txt"), ARCHIVIST)
        world.hand_in("lot.zip!/b.txt", TEXT + "gnou corrigé")
        for edit in (MetadataEdit(title="Lot de 1996"), MetadataEdit(label="internal")):
            world.ingestion.edit(lot.document_id, ARCHIVIST, edit)
            assert world.settled(lot.document_id).state is DocumentState.DONE
        assert sources(world) == ["/in/lot.zip", "/in/lot.zip!/b.txt", "/in/lot.zip!/c.txt"]
        assert not world.found("furet")
        assert world.found("gnou corrigé")
        assert [passage.label.level.name for passage in world.found("hermine")] == ["INTERNAL"]


def test_new_version_of_an_archive_brings_its_files_again(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        first = zip_of({"a.txt": TEXT + "ibis", "b.txt": TEXT + "jaguar", "m.eml": mail_with(("c.txt", TEXT)).decode()})
        world.hand_in("lot.zip", first)
        second = world.hand_in(
            "lot.zip", zip_of({"a.txt": TEXT + "ibis nouveau", "m.eml": mail_with(("c.txt", TEXT)).decode()})
        )
        assert second.warnings == ("no longer in this archive, and kept: b.txt",)
        assert world.found("ibis nouveau")
        assert world.found("jaguar")
        assert world.hand_in("lot.zip", first).warnings == ()
        assert not world.found("ibis nouveau")
        assert world.found("ibis")


def test_new_version_of_an_archive_names_no_file_above_its_label(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        inside = {"a.txt": TEXT + "kiwi", "a.txt.toml": 'label = "restricted"\n', "b.txt": TEXT}
        inside |= {"b.txt.toml": 'label = "public"\n', "c.txt": TEXT + "c", "c.txt.toml": 'label = "public"\n'}
        world.hand_in("lot.zip", zip_of(inside), label=None)
        after = world.hand_in("lot.zip", zip_of({"c.txt": inside["c.txt"]}), label=None)
        assert after.warnings == ("no longer in this archive, and kept: b.txt",)


def test_renamed_archive_keeps_its_files(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        lot = world.hand_in("zyzomys.zip", zip_of({"a.txt": TEXT + "koala"}))
        world.ingestion.edit(lot.document_id, ARCHIVIST, MetadataEdit(source="/in/lot.zip"))
        world.settled(lot.document_id)
        assert sources(world) == ["/in/lot.zip", "/in/lot.zip!/a.txt"]
        inside = id_at(world, "/in/lot.zip!/a.txt")
        assert world.archive.document(inside, ARCHIVIST).source == "/in/lot.zip!/a.txt"
        changed = world.hand_in("lot.zip", zip_of({"a.txt": TEXT + "lynx"}))
        assert changed.document_id == lot.document_id
        assert [passage.document_id for passage in world.found("lynx")] == [inside]
        receipt = world.ingestion.remove(lot.document_id, ARCHIVIST)
        assert receipt.attachments_left == (inside,)
        assert sources(world) == [f"erased:{lot.document_id}!/a.txt"]


def test_receipt_of_an_attachment_says_that_its_carrier_still_holds_it(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        mail = world.hand_in("envoi.eml", mail_with(("note.txt", TEXT + "mulot")))
        receipt = world.ingestion.remove(id_at(world, "/in/envoi.eml!/note.txt"), ARCHIVIST)
        assert receipt.not_covered[0] == f"the original of document {mail.document_id}, in which it was handed in"
        last = world.ingestion.remove(mail.document_id, ARCHIVIST)
        assert not [line for line in last.not_covered if line.startswith("the original of")]
