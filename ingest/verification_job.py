"""The check of the stores as work of its own: begun, followed, and its last report kept on disk.

One at a time in an instance. It works in the background, so that readers go first, and ends with the service: a check that
was cut off keeps no report, and the one before it stays.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from assistant.durable import write_durably
from assistant.errors import AssistantError, Conflict
from assistant.ingestion import Inconsistency, Verification, VerificationReport
from assistant.precedence import work_in_background
from ingest.receipts import now
from ingest.verification import Interrupted, Verifier

_LOG = logging.getLogger(__name__)


class VerificationJob:
    """Checks one instance when asked to; the report of the last check lies in `file`."""

    def __init__(self, verifier: Verifier, file: Path) -> None:
        self._verifier = verifier
        self._file = file
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._present, self._labels = _stored(file)

    def start(self, by: str, labels: Iterable[str], *, mend: bool) -> Verification:
        """Begin a check. Raises Conflict while one goes on, or while the service stops."""
        with self._guard:
            if self._stop.is_set():
                raise Conflict("the service is stopping; ask again when it is back")
            if self._thread and self._thread.is_alive():
                raise Conflict("the stores are being checked already; wait for that check to end")
            begun = Verification(started_at=now(), by=by, mend=mend)
            before, self._present = self._present, begun
            # Who may not know of a document that is erased since may not read of it in the last report.
            self._labels = frozenset(labels) | (self._labels if before else frozenset())
            work = (begun, before, frozenset(labels))
            self._thread = threading.Thread(target=self._work, args=work, name="verification", daemon=True)
            self._thread.start()
            return begun

    def present(self) -> Verification | None:
        """The check that goes on, else the last one; None when there was none."""
        return self._present

    def labels(self) -> frozenset[str]:
        """The labels of the documents that `present` may speak of."""
        return self._labels

    def stop(self) -> None:
        """End a check between two documents, and wait for that; no other begins."""
        with self._guard:
            self._stop.set()
            thread = self._thread
        if thread:
            thread.join()

    def _work(self, begun: Verification, before: Verification | None, labels: frozenset[str]) -> None:
        work_in_background()
        clock = time.monotonic()
        try:
            ended = replace(begun, report=self._verifier.verify(mend=begun.mend, until=self._stop.is_set))
        except Interrupted:
            self._present = before
            return
        except (AssistantError, OSError) as error:
            ended = replace(begun, problem=str(error))
        except Exception:  # who asked must hear of it; the log has the details
            _LOG.exception("the check of the stores broke off")
            ended = replace(begun, problem="something went wrong; the service's log has the details")
        ended = replace(ended, finished_at=now(), seconds=round(time.monotonic() - clock, 3))
        kept = {"verification": asdict(ended), "labels": sorted(labels)}
        try:
            write_durably(self._file, json.dumps(kept, ensure_ascii=False).encode())
        except OSError as error:
            _LOG.warning("%s: the report of the check cannot be kept (%s)", self._file, error.strerror)
        self._present, self._labels = ended, labels


def _stored(file: Path) -> tuple[Verification | None, frozenset[str]]:
    """The last check as it was kept, and the labels it speaks of; None when there is none, or none that can be read."""
    try:
        kept = json.loads(file.read_bytes())
        told = kept["verification"]
        if told["report"] is not None:
            found = tuple(Inconsistency(**each) for each in told["report"].pop("found"))
            told["report"] = VerificationReport(**told["report"], found=found)
        return Verification(**told), frozenset(kept["labels"])
    except FileNotFoundError:
        return None, frozenset()
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s: the report of the last check cannot be read (%s)", file, type(error).__name__)
        return None, frozenset()
