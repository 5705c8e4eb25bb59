"""Upkeep beside the work: memory that was freed goes back to the system, and what was indexed is packed.

One thread of its own. While documents come in it only returns freed memory: glibc keeps what texts of all lengths leave in
the encoder, some 400 MB. When nothing has been changed for a while, or after very many changes, it has the index packed:
10,000 passages then take 110 MB less, and what was removed is gone from the files as well. Readers do not wait for that, but
writers do (`assistant.index.packing`), so at most a sixth of the time goes into it.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections.abc import Callable

from assistant.index import PassageIndex
from ingest import isolation

_LOG = logging.getLogger(__name__)
_EVERY_S = 5.0
_QUIET_S = 4.0
_RELEASE_S = 30.0
"""Memory is released so often when nothing comes in: questions, too, leave some behind."""
_IDLE_BEFORE_LETTING_GO_S = 30.0
"""How long the preloaded parser process, some 450 MB, is kept when there is nothing to do."""
_SHARE = 5.0
"""Times as long as a packing took, until the next: packing rewrites whatever there is, so it takes longer the more there is."""
_MANY = 4_000
"""Changed passages after which the index is packed even while documents keep coming. Unpacked they take 15 KB each: reading
10,000 documents without packing, the service grew from 1.3 to 2.1 GB (2026-11-23)."""


class Upkeep:
    """Looks after one index until it is stopped; `idle_s` says for how many seconds no document has been worked on."""

    def __init__(self, index: PassageIndex, *, idle_s: Callable[[], float]) -> None:
        self._index = index
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._changed = 0
        self._changed_at = 0.0
        self._not_before = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._until_stopped, name="upkeep", daemon=True)

    def changed(self, passages: int) -> None:
        """Take note that so many passages were written or removed."""
        with self._lock:
            self._changed += passages
            self._changed_at = time.monotonic()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the packing in hand, if there is one."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def pack_if_due(self) -> bool:
        """Pack the index when enough has changed and it is quiet; True when it was packed."""
        began = time.monotonic()
        with self._lock:
            quiet = began - self._changed_at >= _QUIET_S
            if began < self._not_before or not self._changed or not (quiet or self._changed >= _MANY):
                return False
            self._changed = 0
        self._index.optimize()
        self._index.flush()
        ended = time.monotonic()
        self._not_before = ended + _SHARE * (ended - began)
        return True

    def _until_stopped(self) -> None:
        released_at = 0.0
        while not self._stop.wait(_EVERY_S):
            busy = self._changed > 0
            try:
                packed = self.pack_if_due()
            except (
                Exception
            ) as error:  # the outermost loop of this thread: an index that cannot be packed still answers
                _LOG.warning("the index could not be packed (%s: %s)", type(error).__name__, error)
                continue
            if packed or busy or time.monotonic() - released_at > _RELEASE_S:
                _release_memory()
                released_at = time.monotonic()
            if self._idle_s() > _IDLE_BEFORE_LETTING_GO_S:
                isolation.close()


def _release_memory() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
