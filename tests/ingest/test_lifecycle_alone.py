"""The life of a document where a test needs an office of its own: raised labels, restarts, passwords, versions."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.errors import ConfigurationError, Conflict, NotFound
from assistant.ingestion import MetadataEdit
from assistant.types import DocumentState, TextOrigin, tiles
from ingest.sources import Sidecar, sidecar_text
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, Office, changes_to, office, pdf
from tests.worlds import reader

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"
INTERNAL = Label.parse("internal")


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


def test_title_and_author_are_one_line_of_visible_characters_whoever_said_them(tmp_path: Path) -> None:
    odd = "Note \u202efdp.exe\u202c\x1b\x07\u200b\r\nsuite\U000e0041"
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", TEXT, sidecar=sidecar_text(Sidecar(title=odd, author=odd)))
        found = world.archive.document(status.document_id, ARCHIVIST)
        assert (found.title, found.author, status.title) == ("Note fdp.exe suite",) * 3


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
    with office(tmp_path, started=False) as world:  # and it outlives a restart and a new index
        world.ingestion._ledger.requeue(status.document_id, "indexed anew")
        world.ingestion.start()
        world.settled(status.document_id)
        assert world.found("ornithorynque")
        stored = world.archive.document(status.document_id, CLERK)
        assert [page.origin for page in stored.pages] == [
            TextOrigin.TEXT_LAYER, TextOrigin.CORRECTED, TextOrigin.TEXT_LAYER,
        ]  # fmt: skip


def test_lost_key_costs_the_corrections_and_not_the_document(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("page.pdf", pdf(tmp_path / "page.pdf", ["Une page sur le lynx."]))
        world.ingestion.correct_page(status.document_id, 1, "Une page sur le loup.", ARCHIVIST)
        assert world.settled(status.document_id).state is DocumentState.DONE
        world.archive._keyring.destroy(status.document_id)
        world.ingestion._ledger.requeue(status.document_id, "indexed anew")
        world.ingestion._queue.submit(status.document_id)
        after = world.settled(status.document_id)
        assert after.state is DocumentState.DONE_WITH_WARNINGS
        assert "correct them again" in after.warnings[0]
        assert [passage.text for passage in world.found("lynx")]
        assert not world.found("loup")


def test_collection_in_a_sidecar_is_the_documents_collection(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", TEXT, sidecar='collection = "rh"\n')
        assert status.collection == "rh"


def test_document_waits_while_the_encoder_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with office(tmp_path, extra="[ingest]\nretry_s = 0.2\nattempts = 2\n") as world:

        def away(texts: object) -> None:
            raise ConfigurationError("embedding.path does not load; restore the model folder")

        with monkeypatch.context() as patch:
            patch.setattr(world.embedder, "embed_passages", away)
            status = world.hand_in("note.txt", TEXT, wait=False)
            deadline = time.monotonic() + 30
            while "restore the model folder" not in status.reason:
                assert time.monotonic() < deadline, status
                status = world.ingestion.document(status.document_id, ARCHIVIST)
        assert (status.state, status.category) == (DocumentState.RECEIVED, "retry")
        assert world.settled(status.document_id).state is DocumentState.DONE


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


def test_a_document_that_is_being_read_refuseschanges_to(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        status = world.hand_in("waiting.txt", TEXT, wait=False)
        for change in changes_to(world, status.document_id, ARCHIVIST):
            with pytest.raises(Conflict, match="is being read; try again when it is done"):
                change()


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


def test_label_given_for_an_unread_document_hides_it_from_weaker_archivists(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        world.hand_in("unread.txt", TEXT, label="restricted/tax", wait=False)
        assert len(world.ingestion.documents(ARCHIVIST)) == 1
        assert not world.ingestion.documents(WEAK_ARCHIVIST)
        assert sum(world.ingestion.counts(WEAK_ARCHIVIST).values()) == 0
        assert world.ingestion.progress(WEAK_ARCHIVIST).waiting == 0
        assert world.ingestion.progress(ARCHIVIST).waiting == 1


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
    for number in range(1, len(stored.pages) + 1):
        page = world.archive.page(document_id, number, ARCHIVIST)
        assert page.words
        assert all(page.span.contains(word.span) for word in page.words)
