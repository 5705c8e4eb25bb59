"""What may be asked of a document while it is being erased: nothing that would bring it back or promise to keep it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import AssistantError, Conflict, ServiceUnavailable
from assistant.ingestion import MetadataEdit
from assistant.receipts import PURGE
from tests.ingest.archiving import ARCHIVIST, office

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification. Hibou.\n"


def test_document_is_not_brought_back_while_it_is_being_erased(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        life, status = world.ingestion, world.hand_in("note.txt", TEXT)
        refused: list[type[AssistantError]] = []

        def meanwhile(document_id: str, _: frozenset[str]) -> None:
            asked: tuple[Callable[[], object], ...] = (
                lambda: world.hand_in("note.txt", TEXT, wait=False),
                lambda: world.hand_in("copie.txt", TEXT, label="internal", wait=False),
                lambda: world.hand_in("note.txt", "autre texte", wait=False),
                lambda: life.retry(document_id, ARCHIVIST),
                lambda: life.edit(document_id, ARCHIVIST, MetadataEdit(title="x")),
                lambda: life.hold(document_id, ARCHIVIST, "procès"),
            )
            for ask in asked:
                with pytest.raises(AssistantError) as error:
                    ask()
                refused.append(error.type)

        life._eraser._others["meanwhile"] = meanwhile
        receipt = life.remove(status.document_id, ARCHIVIST)
        assert refused == [ServiceUnavailable] * 3 + [Conflict] * 3
        assert life.wait_idle(30)
        assert (life.documents(ARCHIVIST), world.index.held()) == ((), {})
        assert receipt.originals == (status.version,)
        life._eraser._others.clear()
        again = world.hand_in("note.txt", TEXT)
        assert again.passages == world.index.held()[again.document_id]


def test_what_was_read_before_the_work_was_cut_short_goes_too(tmp_path: Path) -> None:
    with office(tmp_path, started=False) as world:
        other, status = (world.hand_in(f"{n}.txt", f"{TEXT}{n}", wait=False) for n in ("autre", "note"))
        work = tmp_path / "data" / "work"
        for document in (other, status):
            for name in (f"pages-{document.document_id}.{document.version[:16]}", f"{document.document_id}.abc.1"):
                (work / name).mkdir(parents=True)
                (work / name / "page-1.json").write_text("un mot de zyzomys", encoding="utf-8")
        world.ingestion.remove(status.document_id, ARCHIVIST)
        assert {folder.name.removeprefix("pages-").partition(".")[0] for folder in work.iterdir()} == {
            other.document_id
        }


def test_erasure_that_was_asked_for_again_is_purged_like_any_other(tmp_path: Path) -> None:
    """What stopped the first time was finished the second, and left vectors in the files until another was erased."""
    with office(tmp_path) as world:
        eraser, status = world.ingestion._eraser, world.hand_in("note.txt", TEXT)

        def away(*_: object) -> None:
            raise ServiceUnavailable("the conversations are away")

        eraser._others["conversations"] = away
        with pytest.raises(ServiceUnavailable):
            world.ingestion.remove(status.document_id, ARCHIVIST)
        del eraser._others["conversations"]
        receipt = world.ingestion.remove(status.document_id, ARCHIVIST)
        deadline = time.monotonic() + 60
        while not (records := purge_records(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [record["covers"] for record in records] == [[receipt.receipt_id]]


def purge_records(folder: Path) -> list[dict[str, object]]:
    found = [json.loads(file.read_bytes()) for file in (folder / "data" / "receipts").glob("*.json")]
    return [record for record in found if record["format"] == PURGE]
