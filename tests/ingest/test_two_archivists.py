"""Two archivists at one document: what the first has done is never undone by what the second did not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import Conflict
from assistant.ingestion import MetadataEdit
from ingest import side_effects
from tests.ingest.archiving import ARCHIVIST, CLERK, office, pdf

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"


def test_edit_of_one_who_has_not_seen_the_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with office(tmp_path) as world:
        life, status = world.ingestion, world.hand_in("note.pdf", pdf(tmp_path / "n.pdf", ["Le loutre dort ici."]))
        ledger = life._ledger
        amend: Callable[..., bool] = ledger.amend

        def amend_after_another(*arguments: object, **named: object) -> bool:
            monkeypatch.setattr(ledger, "amend", amend)
            life.edit(status.document_id, ARCHIVIST, MetadataEdit(label="restricted"))
            world.settled(status.document_id)
            return amend(*arguments, **named)

        for late in (
            lambda: life.edit(status.document_id, ARCHIVIST, MetadataEdit(title="Titre")),
            lambda: life.correct_page(status.document_id, 1, "Le loutre dort.", ARCHIVIST),
        ):
            monkeypatch.setattr(ledger, "amend", amend_after_another)
            with pytest.raises(Conflict, match="has changed meanwhile"):
                late()
        after = world.settled(status.document_id)
        assert (after.label, after.title) == ("restricted", status.title)
        assert not world.found("loutre", CLERK)
        life.edit(status.document_id, ARCHIVIST, MetadataEdit(title="Titre"))
        after = world.settled(status.document_id)
        assert (after.label, after.title) == ("restricted", "Titre")


def test_label_that_rises_while_the_document_is_written_hides_it_before_its_next_turn(tmp_path: Path) -> None:
    seen: list[object] = []
    with office(tmp_path) as world:

        def listener(name: str) -> None:
            if name == "index.replace" and not seen:
                seen.append("handed in again")
                world.hand_in("note.txt", TEXT, label="restricted", wait=False)
            elif name == "ledger.begin" and seen:
                seen.append([passage.text for passage in world.found("trente jours", CLERK)])

        side_effects.listen(listener)
        try:
            status = world.hand_in("note.txt", TEXT, label="public")
        finally:
            side_effects.stop_listening()
        assert seen[:2] == ["handed in again", []], "leaked: readable under its former label until its turn came"
        assert status.label == "restricted"
        assert world.found("trente jours")
        assert not world.found("trente jours", CLERK)


def test_label_that_rose_while_a_process_that_died_wrote_the_document_hides_it_at_the_start(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        status = world.hand_in("note.txt", TEXT, label="public")
        vectors = world.index.vectors(status.document_id)
        passages = world.found("trente jours")
    with office(tmp_path, started=False) as world:
        world.hand_in("note.txt", TEXT, label="restricted", wait=False)  # hides it, in archive and index
        assert not world.found("trente jours", CLERK)
        rows = np.stack([vectors[passage.embedded_text()] for passage in passages])
        world.index.replace(status.document_id, status.version, passages, rows)  # as the run does that was overtaken
        assert world.found("trente jours", CLERK)
        world.ingestion._life.hide_what_rose()
        assert not world.found("trente jours", CLERK), "leaked"
