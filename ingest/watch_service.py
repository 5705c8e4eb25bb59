"""The folders that the instance file names, watched by the service itself: what appears in them is handed in.

It acts under a principal of its own, `watched-folder`, an archivist with the clearance that the instance file gives: whoever can
put a file into such a folder can hand it in, so the rights of the folder are for the operator to set.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from assistant.access import Label, Principal, Role
from assistant.client import Upload
from assistant.config import Settings
from assistant.errors import AssistantError, ConfigurationError
from assistant.ingestion import WatchedFolder
from assistant.types import DocumentStatus
from ingest.ledger_rows import now
from ingest.names import readable_path
from ingest.watching import Watcher

_LOG = logging.getLogger(__name__)
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class _Look:
    at: str | None
    documents: tuple[str, ...]
    """The document of each file."""
    problems: tuple[str, ...]


class FolderWatch:
    """Looks into the folders of `settings` until it is stopped; `accept` is `Ingestion.accept`.

    Raises ConfigurationError for a folder that holds the data folder or lies in it.
    """

    def __init__(self, settings: Settings, accept: Callable[..., DocumentStatus]) -> None:
        for folder in settings.ingest.watch:
            if settings.home.is_relative_to(folder) or folder.is_relative_to(settings.home):
                raise ConfigurationError(
                    f"{settings.file}: ingest.watch {str(folder)!r} and the data folder lie in each other: the service would"
                    " hand in its own files; name another folder"
                )
        self._folders = settings.ingest.watch
        self._every_s = settings.ingest.watch_every_s
        self._remembered = settings.home / "watched-by-service.db"
        self._owner = Principal("watched-folder", frozenset({Role.ARCHIVIST}), Label.parse(settings.access.clearance))
        self._accept = accept
        self._looks = {folder: _Look(None, (), ()) for folder in self._folders}
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

    def folders(self, principal: Principal, known: Callable[[Collection[str]], set[str]]) -> tuple[WatchedFolder, ...]:
        """What was last seen of each folder. Problems name files, whatever their label: they are told to whoever may read all.

        Only those files are counted whose documents are among `known`, those that the principal may know of.
        """
        may_hear = principal.may_read(self._owner.clearance)
        looks = dict(self._looks)
        own = known({document for look in looks.values() for document in look.documents})
        return tuple(
            WatchedFolder(
                readable_path(folder),
                self._every_s,
                look.at,
                sum(document in own for document in look.documents),
                look.problems if may_hear else (),
            )
            for folder, look in looks.items()
        )

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
            self._note(watcher, (str(error),))
            return
        self._note(watcher, watcher.problems)
        for problem in found.problems:
            _LOG.warning("watched folder: %s", problem.encode("utf-8", "replace").decode())
        for path in found.gone:
            _LOG.warning("watched folder: %s is gone; its document stays", readable_path(path))

    def _note(self, watcher: Watcher, problems: tuple[str, ...]) -> None:
        """Remember what was seen; a problem that names no folder belongs to each."""
        documents = watcher.documents()
        shown = {folder: readable_path(folder) for folder in self._folders}
        for folder, name in shown.items():
            own = [said for said in problems if said.startswith(name) or not said.startswith(tuple(shown.values()))]
            self._looks[folder] = _Look(now(), documents[folder], tuple(own[:_MOST_PROBLEMS]))
