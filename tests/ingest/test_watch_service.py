"""The service watches the folders that its instance file names."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assistant.access import Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.errors import Forbidden
from tests.worlds import ARCHIVIST, instance_file, reader


def test_service_takes_in_what_appears_in_the_folders_of_its_instance_file(tmp_path: Path) -> None:
    folder = tmp_path / "entrée"
    folder.mkdir()
    (folder / "lettre.txt").write_text("Marking: INTERNAL\n\nUne lettre déposée.")
    extra = f'[ingest]\nwatch = ["{folder}"]\nwatch_every_s = 0.1\n'
    with opened(load_settings(instance_file(tmp_path, extra=extra))) as built:
        built.ingestion.start()
        deadline = time.monotonic() + 60
        while not (found := built.ingestion.documents(ARCHIVIST)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert built.ingestion.wait_idle(60)
        found = built.ingestion.documents(ARCHIVIST)
        assert [(status.source, status.state.value, status.label) for status in found] == [
            (str(folder / "lettre.txt"), "done", "internal")
        ]


def test_archivists_see_what_was_last_seen_in_each_folder(tmp_path: Path) -> None:
    folder, absent = tmp_path / "entrée", tmp_path / "absent"
    folder.mkdir()
    (folder / "lettre.txt").write_text("Marking: INTERNAL\n\nUne lettre déposée.")
    (folder / "lettre.txt.toml").write_text('label = "internal"')
    extra = f'[ingest]\nwatch = ["{folder}", "{absent}"]\nwatch_every_s = 0.1\n'
    with opened(load_settings(instance_file(tmp_path, extra=extra))) as built:
        before = built.ingestion.watched(ARCHIVIST)
        assert [(each.folder, each.looked_at, each.files) for each in before] == [
            (str(folder), None, 0), (str(absent), None, 0),
        ]  # fmt: skip
        built.ingestion.start()
        deadline = time.monotonic() + 60
        while not (seen := built.ingestion.watched(ARCHIVIST))[0].files and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [(each.files, each.every_s) for each in seen] == [(1, 0.1), (0, 0.1)]
        assert all(each.looked_at for each in seen)
        assert (seen[0].problems, len(seen[1].problems)) == ((), 1)
        assert "cannot be reached" in seen[1].problems[0]
        weak = built.ingestion.watched(reader("public", Role.ARCHIVIST))
        assert [(each.files, each.problems) for each in weak] == [(0, ()), (0, ())]
        with pytest.raises(Forbidden):
            built.ingestion.watched(reader("secret"))
