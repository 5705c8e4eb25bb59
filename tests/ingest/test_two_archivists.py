"""Two archivists at one document: what the first has done is never undone by what the second did not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import Conflict
from assistant.ingestion import MetadataEdit
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
