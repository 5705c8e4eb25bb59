"""The service watches the folders that its instance file names."""

from __future__ import annotations

import time
from pathlib import Path

from assistant.build import opened
from assistant.config import load_settings
from tests.worlds import ARCHIVIST, instance_file


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
