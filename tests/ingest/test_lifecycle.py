"""The life of a document: handed in again, renamed, relabelled, corrected, held, and who may do it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.errors import Conflict, Forbidden, InvalidRequest, NotFound
from assistant.ingestion import DocumentFilter, MetadataEdit
from assistant.types import DocumentState, TextOrigin, tiles
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, Office, office, pdf
from tests.worlds import reader

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


def test_raised_label_is_seen_by_nobody_below_it_from_the_moment_edit_returns(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("secret.txt", (TEXT + "zyzomys\n\n") * 40)
        assert world.found("zyzomys", CLERK)
        seen: list[bool] = []
        stop = threading.Event()

        def look() -> None:
            while not stop.is_set():
                found = bool(world.found("zyzomys", CLERK))
                seen.append(found or _reads(world, status.document_id))

        watcher = threading.Thread(target=look)
        watcher.start()
        world.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="internal"))
        returned = len(seen) + 1  # the look in progress may have begun before
        assert not world.found("zyzomys", CLERK), "leaked"
        assert not _reads(world, status.document_id), "leaked"
        assert not world.ingestion.documents(CLERK), "leaked"
        assert world.settled(status.document_id).label == "internal"
        stop.set()
        watcher.join()
        assert not any(seen[returned:]), "leaked"
        assert world.found("zyzomys", reader("internal"))


def test_raised_label_stays_hidden_when_the_work_is_interrupted(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("secret.txt", TEXT + "zyzomys")
    with office(tmp_path, started=False) as world:  # nobody works: as if killed right after
        world.ingestion.edit(status.document_id, ARCHIVIST, MetadataEdit(label="internal"))
        assert not world.found("zyzomys", CLERK)
    with office(tmp_path) as world:
        assert world.settled(status.document_id).label == "internal"
        assert not world.found("zyzomys", CLERK)
        assert world.found("zyzomys", reader("internal"))


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


def test_corrected_page_is_found_by_its_new_words_and_only_it_is_embedded(tmp_path: Path) -> None:
    pages = [[f"Article {n}", f"La page {n} parle de animal{n} et du delai de {n} jours."] for n in (1, 2, 3)]
    with office(tmp_path) as world:
        status = world.hand_in("three.pdf", pdf(tmp_path / "three.pdf", *pages))
        before = world.archive.stored_document(status.document_id, status.version)
        assert before is not None
        world.embedder.embedded.clear()
        new = before.text[before.pages[1].span.start : before.pages[1].span.end].replace(
            "animal2", "l’ornithorynque bleu"
        )
        world.ingestion.correct_page(status.document_id, 2, new, ARCHIVIST)
        after = world.settled(status.document_id)
        assert (after.state, after.passages) == (DocumentState.DONE, status.passages)
        assert len(world.embedder.embedded) == 1, "one passage changed"
        assert not world.found("animal2")
        assert [passage.page_numbers for passage in world.found("ornithorynque")] == [(2,)]
        _check_consistent(world, status.document_id)
    with office(tmp_path) as world:  # and it outlives a restart and a new index
        world.ingestion._ledger.requeue(status.document_id, "indexed anew")
        world.settled(status.document_id)
        assert world.found("ornithorynque")
        stored = world.archive.document(status.document_id, CLERK)
        assert [page.origin for page in stored.pages] == [
            TextOrigin.TEXT_LAYER, TextOrigin.CORRECTED, TextOrigin.TEXT_LAYER,
        ]  # fmt: skip


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


def test_failed_document_can_be_tried_again_and_its_password_is_gone_afterwards(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("broken.pdf", b"%PDF-1.4 nothing that could be read")
        assert status.state in (DocumentState.REJECTED, DocumentState.QUARANTINED)
        world.ingestion.retry(status.document_id, ARCHIVIST, password="mot-de-passe-zyzomys")
        after = world.settled(status.document_id)
        assert after.state is status.state
        events = world.ingestion.history(status.document_id, ARCHIVIST)
        assert [event.state for event in events].count(DocumentState.RECEIVED) == 2
        assert "zyzomys" not in f"{after}{events}"
    left = [file for file in tmp_path.rglob("*") if file.is_file() and b"zyzomys" in file.read_bytes()]
    assert left == []


def test_a_password_is_there_while_the_document_waits(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("broken.pdf", b"%PDF-1.4 nothing that could be read")
    with office(tmp_path, started=False) as world:
        world.ingestion.retry(status.document_id, ARCHIVIST, password="sésame")
        assert world.ingestion._ledger.password(status.document_id) == "sésame"


def test_what_is_done_is_not_tried_again(shared: Office) -> None:
    status = shared.hand_in("done.txt", TEXT + "done")
    with pytest.raises(Conflict):
        shared.ingestion.retry(status.document_id, ARCHIVIST)


def test_a_document_that_is_being_read_refuses_changes(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        status = world.hand_in("waiting.txt", TEXT, wait=False)
        for change in _changes(world, status.document_id, ARCHIVIST):
            with pytest.raises(Conflict, match="is being read; try again when it is done"):
                change()


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


@pytest.mark.parametrize(("keep", "held", "kept"), [("newest", False, 1), ("newest", True, 2), ("all", False, 2)])
def test_older_versions_are_kept_by_rule_for_archivists_alone(tmp_path: Path, keep: str, held: bool, kept: int) -> None:
    with office(tmp_path, extra=f'[ingest]\nkeep_versions = "{keep}"\n') as world:
        old = world.hand_in("versions.txt", TEXT + "premier mouflon")
        if held:
            world.ingestion.hold(old.document_id, ARCHIVIST, "procès")
        new = world.hand_in("versions.txt", TEXT + "second mouflon")
        assert [passage.version for passage in world.found("mouflon")] == [new.version]
        versions = world.ingestion.versions(old.document_id, ARCHIVIST)
        assert [(v.version, v.newest, v.kept) for v in versions] == [
            (old.version, False, kept == 2),
            (new.version, True, True),
        ]
        with pytest.raises(NotFound):
            world.archive.document(old.document_id, CLERK, version=old.version)
        assert world.archive.document(old.document_id, CLERK).version == new.version
        if kept == 2:
            assert "premier" in world.archive.document(old.document_id, ARCHIVIST, version=old.version).text
            assert world.archive.original(old.document_id, ARCHIVIST, version=old.version)[0].is_file()
            world.ingestion.edit(old.document_id, ARCHIVIST, MetadataEdit(label="restricted"))
            with pytest.raises(NotFound):
                world.archive.document(old.document_id, WEAK_ARCHIVIST, version=old.version)


def test_reader_may_do_none_of_it_and_weak_archivist_learns_nothing(shared: Office) -> None:
    hidden = shared.hand_in("hidden.txt", TEXT + "genette", label="restricted/tax").document_id
    absent = "00000000-0000-0000-0000-000000000000"
    for change in _changes(shared, hidden, CLERK):
        with pytest.raises(Forbidden):
            change()
    for one, other in zip(
        _changes(shared, hidden, WEAK_ARCHIVIST), _changes(shared, absent, WEAK_ARCHIVIST), strict=True
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


def test_label_given_for_an_unread_document_hides_it_from_weaker_archivists(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        world.hand_in("unread.txt", TEXT, label="restricted/tax", wait=False)
        assert len(world.ingestion.documents(ARCHIVIST)) == 1
        assert not world.ingestion.documents(WEAK_ARCHIVIST)
        assert sum(world.ingestion.counts(WEAK_ARCHIVIST).values()) == 0
        assert world.ingestion.progress(WEAK_ARCHIVIST).waiting == 0
        assert world.ingestion.progress(ARCHIVIST).waiting == 1


def _changes(world: Office, document_id: str, who: object) -> list[Callable[[], object]]:
    life, principal = world.ingestion, who
    changes: list[Callable[[], object]] = [
        lambda: life.retry(document_id, principal),  # type: ignore[arg-type]
        lambda: life.edit(document_id, principal, MetadataEdit(title="x")),  # type: ignore[arg-type]
        lambda: life.correct_page(document_id, 1, "x", principal),  # type: ignore[arg-type]
    ]
    if principal is not ARCHIVIST:
        changes += [
            lambda: life.history(document_id, principal),  # type: ignore[arg-type]
            lambda: life.versions(document_id, principal),  # type: ignore[arg-type]
            lambda: life.hold(document_id, principal, "x"),  # type: ignore[arg-type]
            lambda: life.release(document_id, principal),  # type: ignore[arg-type]
            lambda: life.remove(document_id, principal),  # type: ignore[arg-type]
        ]
    return changes


def _reads(world: Office, document_id: str) -> bool:
    try:
        world.archive.document(document_id, CLERK)
    except NotFound:
        return False
    return True


def _check_consistent(world: Office, document_id: str) -> None:
    stored = world.archive.stored_document(document_id, world.ingestion.document(document_id, ARCHIVIST).version)
    assert stored is not None
    assert tiles([page.span for page in stored.pages], len(stored.text))
    for passage in world.index.document_passages(document_id, ARCHIVIST):
        assert passage.text == stored.text[passage.span.start : passage.span.end]
    for page in stored.pages:
        assert page.words
        assert all(page.span.contains(word.span) for word in page.words)
