"""The life of a document: handed in again, renamed, relabelled, corrected, held, and who may do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.errors import Conflict, Forbidden, InvalidRequest, NotFound
from assistant.ingestion import DocumentFilter, MetadataEdit
from assistant.types import DocumentState
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, Office, changes_to, office, pdf

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"
INTERNAL = Label.parse("internal")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("office")) as world:
        yield world


def test_same_bytes_again_do_nothing_and_say_so(shared: Office) -> None:
    first = shared.hand_in("again.txt", TEXT + "zibeline")
    embedded = len(shared.embedder.embedded)
    again = shared.hand_in("elsewhere/copy.txt", TEXT + "zibeline", wait=False)
    assert (first.state, first.notice) == (DocumentState.DONE, "")
    assert (again.document_id, again.state, again.reason) == (first.document_id, DocumentState.DONE, "")
    assert re.fullmatch(r"already here since \d{1,2} \w+ \d{4} as again\.txt; nothing was done", again.notice)
    assert len(shared.embedder.embedded) == embedded


def test_rename_reads_and_embeds_nothing_and_shows_everywhere(shared: Office) -> None:
    status = shared.hand_in("circulaire.txt", TEXT + "hermine")
    shared.archive.original_path(status.version).write_bytes(b"what is read again would show this")
    shared.embedder.embedded.clear()
    shared.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(source="/rangement/1996/note.txt"))
    after = shared.settled(status.document_id)
    assert (after.source, after.file_name, after.state) == ("/rangement/1996/note.txt", "note.txt", DocumentState.DONE)
    assert [passage.file_name for passage in shared.found("hermine")] == ["note.txt"]
    assert shared.archive.document(status.document_id, CLERK).file_name == "note.txt"
    assert shared.embedder.embedded == []


def test_a_source_belongs_to_one_document(shared: Office) -> None:
    one = shared.hand_in("one.txt", TEXT + "loutre")
    two = shared.hand_in("two.txt", TEXT + "putois")
    with pytest.raises(Conflict, match="another document"):
        shared.ingestion.edit(two.document_id, ARCHIVIST, MetadataEdit(source=one.source))
    assert shared.settled(two.document_id).source == "/in/two.txt"


def test_a_moved_document_leaves_its_old_place_free(shared: Office) -> None:
    moved = shared.hand_in("place.txt", TEXT + "un")
    shared.ingestion.edit(moved.document_id, ARCHIVIST, MetadataEdit(source="/in/moved.txt"))
    shared.settled(moved.document_id)
    assert shared.hand_in("moved.txt", TEXT + "deux").document_id == moved.document_id
    assert shared.hand_in("place.txt", TEXT + "un").document_id != moved.document_id


def test_edits_win_over_the_sidecar_also_for_the_next_version(shared: Office) -> None:
    status = shared.hand_in("edited.txt", TEXT + "v1", sidecar='title = "Ancien"\nauthor = "Service"')
    assert (status.title, status.author) == ("Ancien", "Service")
    edit = MetadataEdit(
        title="Circulaire", date="1996-05-31", author="", document_type="circulaire", collection="Marchés"
    )
    shared.ingestion.edit(status.document_id, ARCHIVIST, edit)
    for content in (None, TEXT + "v2"):
        after = shared.hand_in("edited.txt", content) if content else shared.settled(status.document_id)
        assert (after.title, after.date, after.author) == ("Circulaire", "1996-05-31", None)
        assert (after.document_type, after.collection) == ("circulaire", "Marchés")
        stored = shared.archive.document(status.document_id, ARCHIVIST)
        assert (stored.title, stored.date, stored.author, stored.collection) == (
            "Circulaire", "1996-05-31", None, "Marchés",
        )  # fmt: skip


@pytest.mark.parametrize(
    "edit",
    [
        MetadataEdit(),
        MetadataEdit(title="  "),
        MetadataEdit(date="31/05/1996"),
        MetadataEdit(language="de"),
        MetadataEdit(label="top"),
        MetadataEdit(source="a\nb"),
        MetadataEdit(author="x" * 2000),
    ],
)
def test_unusable_edits_change_nothing(shared: Office, edit: MetadataEdit) -> None:
    status = shared.hand_in("unusable.txt", TEXT + "unusable")
    with pytest.raises(InvalidRequest):
        shared.ingestion.edit(status.document_id, ARCHIVIST, edit)
    assert shared.ingestion.document(status.document_id, ARCHIVIST) == status


def test_lowered_label_opens_the_document_without_embedding_it_again(shared: Office) -> None:
    status = shared.hand_in("declassified.txt", TEXT + "belette", label="restricted")
    shared.embedder.embedded.clear()
    shared.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="public"))
    assert shared.settled(status.document_id).label == "public"
    assert shared.found("belette", CLERK)
    assert shared.embedder.embedded == []


def test_an_archivist_can_declassify_a_marked_document_but_not_its_next_version(shared: Office) -> None:
    marked = "Mention de diffusion : INTERNE\n\n"
    status = shared.hand_in("marked.txt", f"{marked}{TEXT} furet", label=None)
    assert status.label == "internal"
    shared.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="public"))
    assert shared.settled(status.document_id).label == "public"
    after = shared.hand_in("marked.txt", f"{marked}{TEXT} furet deux", label=None)
    assert (after.state, after.category) == (DocumentState.QUARANTINED, "conflicting_labels")
    assert not shared.found("furet", CLERK)


def test_a_label_can_be_given_to_a_document_that_has_none(shared: Office) -> None:
    status = shared.hand_in("unlabelled.txt", TEXT + "fouine", label=None)
    assert status.state is DocumentState.QUARANTINED
    shared.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="public"))
    assert shared.settled(status.document_id).state is DocumentState.DONE
    assert shared.found("fouine", CLERK)


def test_no_label_above_ones_own_clearance(shared: Office) -> None:
    status = shared.hand_in("mine.txt", TEXT + "martre")
    with pytest.raises(Forbidden):
        shared.ingestion.edit(status.document_id, WEAK_ARCHIVIST, MetadataEdit(label="internal"))


def test_correction_survives_being_parsed_anew(shared: Office, tmp_path: Path) -> None:
    status = shared.hand_in("two.pdf", pdf(tmp_path / "two.pdf", ["La première page."], ["La seconde page."]))
    shared.ingestion.correct_page(status.document_id, 2, "La deuxième feuille.", ARCHIVIST)
    shared.settled(status.document_id)
    with shared.archive._database.writing() as connection:
        connection.execute("DELETE FROM documents WHERE document_id = ?", (status.document_id,))
    shared.ingestion._ledger.requeue(status.document_id, "the text was lost")
    shared.settled(status.document_id)
    assert shared.found("feuille")


def test_correction_neither_brings_in_nor_takes_away_a_marking_line(shared: Office, tmp_path: Path) -> None:
    content = pdf(tmp_path / "m.pdf", ["Mention de diffusion : INTERNE", "Une phrase du texte."])
    status = shared.hand_in("m.pdf", content, label=None)
    for text in ("Une phrase du texte.", "Mention de diffusion : SECRET\nUne phrase du texte."):
        with pytest.raises(InvalidRequest, match="marking line"):
            shared.ingestion.correct_page(status.document_id, 1, text, ARCHIVIST)
    assert shared.settled(status.document_id) == status


@pytest.mark.parametrize("text", ["", " \n "])
def test_a_page_is_not_emptied(shared: Office, tmp_path: Path, text: str) -> None:
    status = shared.hand_in("one.pdf", pdf(tmp_path / "one.pdf", ["Une page de texte."]))
    with pytest.raises(InvalidRequest):
        shared.ingestion.correct_page(status.document_id, 1, text, ARCHIVIST)
    with pytest.raises(NotFound):
        shared.ingestion.correct_page(status.document_id, 2, "x", ARCHIVIST)


def test_what_is_done_is_not_tried_again(shared: Office) -> None:
    status = shared.hand_in("done.txt", TEXT + "done")
    with pytest.raises(Conflict):
        shared.ingestion.retry(status.document_id, ARCHIVIST)


def test_hold_blocks_erasure_until_released(shared: Office) -> None:
    status = shared.hand_in("held.txt", TEXT + "vison")
    held = shared.ingestion.hold(status.document_id, ARCHIVIST, "procès 12/2024")
    assert (held.hold, shared.ingestion.document(status.document_id, CLERK).hold) == ("procès 12/2024", "")
    with pytest.raises(Conflict, match="hold"):
        shared.ingestion.remove(status.document_id, ARCHIVIST)
    assert shared.found("vison", CLERK)
    assert shared.ingestion.release(status.document_id, ARCHIVIST).hold == ""
    shared.ingestion.remove(status.document_id, ARCHIVIST)
    assert not shared.found("vison")


def test_reader_may_do_none_of_it_and_weak_archivist_learns_nothing(shared: Office) -> None:
    hidden = shared.hand_in("hidden.txt", TEXT + "genette", label="restricted/tax").document_id
    absent = "00000000-0000-0000-0000-000000000000"
    for change in changes_to(shared, hidden, CLERK):
        with pytest.raises(Forbidden):
            change()
    for one, other in zip(
        changes_to(shared, hidden, WEAK_ARCHIVIST), changes_to(shared, absent, WEAK_ARCHIVIST), strict=True
    ):
        with pytest.raises(NotFound) as of_hidden:
            one()
        with pytest.raises(NotFound) as of_absent:
            other()
        assert str(of_hidden.value) == str(of_absent.value)
    assert not shared.ingestion.find(DocumentFilter(q="hidden"), WEAK_ARCHIVIST).documents


def test_weak_archivist_cannot_replace_what_is_above_their_clearance(shared: Office) -> None:
    hidden = shared.hand_in("above.txt", TEXT + "civette", label="restricted/tax")
    for name, content in (("above.txt", "autre texte"), ("copy.txt", TEXT + "civette")):
        with pytest.raises(Conflict) as refused:
            shared.hand_in(name, content, principal=WEAK_ARCHIVIST, wait=False)
        assert hidden.title not in str(refused.value).replace("/in/above.txt", "")
    assert shared.settled(hidden.document_id).version == hidden.version
