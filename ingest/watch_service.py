"""The folders that the instance file names, watched by the service itself: what appears in them is handed in.

It acts under a principal of its own, `watched-folder`, an archivist with the clearance that the instance file gives: whoever can
put a file into such a folder can hand it in, so the rights of the folder are for the operator to set.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from assistant.access import Label, Principal, Role
from assistant.client import Upload
from assistant.config import Settings
from assistant.errors import AssistantError
from assistant.types import DocumentStatus
from ingest.names import readable_path
from ingest.watching import Watcher

_LOG = logging.getLogger(__name__)


class FolderWatch:
    """Looks into the folders of `settings` until it is stopped; `accept` is `Ingestion.accept`."""

    def __init__(self, settings: Settings, accept: Callable[..., DocumentStatus]) -> None:
        self._folders = settings.ingest.watch
        self._every_s = settings.ingest.watch_every_s
        self._remembered = settings.home / "watched-by-service.db"
        self._owner = Principal("watched-folder", frozenset({Role.ARCHIVIST}), Label.parse(settings.access.clearance))
        self._accept = accept
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._until_stopped, name="watch", daemon=True)

    def start(self) -> None:
        """Begin, when there is a folder to watch."""
        if self._folders:
            self._thread.start()

    def stop(self) -> None:
        """End after the look in hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _hand_in(self, upload: Upload) -> str:
        sidecar = upload.sidecar.read_bytes() if isinstance(upload.sidecar, Path) else upload.sidecar
        return self._accept(upload.path, source=upload.source, principal=self._owner, sidecar=sidecar).document_id

    def _until_stopped(self) -> None:
        watcher = Watcher(self._folders, self._remembered, self._hand_in)
        try:
            while not self._stop.is_set():
                self._look(watcher)
                self._stop.wait(self._every_s)
        finally:
            watcher.close()

    def _look(self, watcher: Watcher) -> None:
        try:
            found = watcher.look()
        except (AssistantError, OSError) as error:
            _LOG.warning("watched folder: %s", error)
            return
        for problem in found.problems:
            _LOG.warning("watched folder: %s", problem.encode("utf-8", "replace").decode())
        for path in found.gone:
            _LOG.warning("watched folder: %s is gone; its document stays", readable_path(path))
