"""Which model answers questions now, and the change to another one while they go on being answered.

Everything that belongs to one encoder (its index, its retriever, the assistant that asks it) is one `Generation`. Whoever takes a
question takes the present generation once and stays with it. A change that is cut short leaves the model that was in use;
`ModelStore.discard_other_indexes` clears up at the next start.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.adaptation.models import BASE, ModelStore
from assistant.adaptation.rebuilding import ChangingIndex
from assistant.answering import Assistant
from assistant.embedding import Embedder
from assistant.errors import Conflict, ServiceUnavailable
from assistant.index import PassageIndex
from assistant.precedence import work_in_background
from assistant.retrieval import Retriever

_LOG = logging.getLogger(__name__)
_QUESTIONS_END_S = 60.0
"""How long a former index stays open for the questions that began with it."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What answers questions with one encoder."""

    name: str
    """Of the model: `base` or that of an adapted one."""
    embedder: Embedder
    index: PassageIndex
    retriever: Retriever
    assistant: Assistant


@dataclass(frozen=True, slots=True)
class ModelState:
    """Which model is in use, and how far a change is."""

    in_use: str
    changing_to: str = ""
    """Empty when there is no change in progress."""
    done: int = 0
    """Documents copied."""
    total: int = 0
    problem: str = ""
    """Why the last change failed; empty when it did not."""


class ModelInUse:
    """The present generation of an instance, and the way to another one. `made` opens one by its model's name."""

    def __init__(
        self,
        store: ModelStore,
        index: ChangingIndex,
        first: Generation,
        made: Callable[[str], Generation],
        *,
        spare_bytes: int = 0,
    ) -> None:
        self._store = store
        self._index = index
        self._made = made
        self._spare_bytes = spare_bytes
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = ModelState(first.name)
        self.current = first

    def state(self) -> ModelState:
        """Where things stand."""
        with self._lock:
            return self._state

    def change_to(self, name: str) -> ModelState:
        """Begin to change to another model, in the background.

        Raises NotFound for a model that is not there, ConfigurationError for one whose files were changed, Conflict while another
        change is in progress, ServiceUnavailable when there is no room for a second index.
        """
        if name != BASE:
            self._store.require_intact(self._store.model(name))
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise Conflict("a change of model is in progress, or has just ended; try again in a minute")
            if name == self._state.in_use:
                return self._state
            self._require_room()
            self._state = ModelState(self._state.in_use, changing_to=name)
            self._thread = threading.Thread(target=self._change, args=(name,), name="change of model", daemon=True)
            self._thread.start()
            return self._state

    def stop(self) -> None:
        """Give up a change that is in progress; the model that was in use stays."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _change(self, name: str) -> None:
        work_in_background()
        try:
            former = self._filled_and_changed(name)
        except Exception as error:  # the outermost of this thread: the model that was in use goes on answering
            _LOG.warning("the model was not changed to %s: %s", name, error)
            self._tell(changing_to="", problem=str(error))
            return
        if former is not None:
            self._stop.wait(_QUESTIONS_END_S)
            self._index.drop(former.index)
            self._store.discard_index(former.name)

    def _filled_and_changed(self, name: str) -> Generation | None:
        """The former generation; None when it is still in use because the service stops."""
        self._store.discard_index(name)
        made = self._made(name)
        try:
            filled = self._index.fill(
                made.index, made.embedder, told=lambda done, total: self._tell(done=done, total=total),
                stopped=self._stop.is_set,
            )  # fmt: skip
            if not filled:
                self._index.drop(made.index)
                return None
            former = self.current
            self._index.change_to(made.index, made.embedder, settled=lambda: self._settle(made))
        except BaseException:
            self._index.drop(made.index)
            raise
        return former

    def _settle(self, made: Generation) -> None:
        self._store.use(made.name)
        self.current = made
        self._tell(in_use=made.name, changing_to="", done=0, total=0)

    def _tell(self, **changes: str | int) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]  # names and types are the caller's

    def _require_room(self) -> None:
        folder = self._store.index_folder(BASE)
        taken = sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
        free = shutil.disk_usage(folder).free
        if free < 2 * taken + self._spare_bytes:
            raise ServiceUnavailable(
                f"the disk of {folder} has {free >> 20} MB free; a second index takes up to {2 * taken >> 20} MB more: free some"
            )
