"""Taking erased operations out of Qdrant Edge's write-ahead log.

Edge drops a log file of 32 MB only when it is full, acknowledged, and another full one lies behind it; nothing asks it to do so
earlier, and removing the files by hand would start its numbering anew, behind the numbers in the segments. So the log is
filled with operations that touch no point until every file that was there before is gone: some 70 MB and half a second.
"""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import qdrant_edge as edge

from assistant.errors import ServiceUnavailable

_FILLER = "0" * 1_000_000
_FILLS_A_ROUND = 34
_ROUNDS = 6
_CLOSED = re.compile(r"closed-(\d+)")


def turn_over(shard: edge.EdgeShard, log: Path) -> None:
    """Return when nothing that was logged before this call is in the log's files any more.

    Raises ServiceUnavailable when Edge kept a file after all; another call may help.
    """
    last = _acknowledged(log)
    nobody = edge.Filter(must=[edge.HasIdCondition({str(uuid.uuid4())})])
    for _ in range(_ROUNDS):
        for _ in range(_FILLS_A_ROUND):
            shard.update(edge.UpdateOperation.set_payload_by_filter(nobody, {"filler": _FILLER}))
        shard.flush()
        closed = [int(found[1]) for file in log.iterdir() if (found := _CLOSED.fullmatch(file.name))]
        if closed and min(closed) > last:
            return
    raise ServiceUnavailable("the index's log still holds what was removed; it is tried again later")


def _acknowledged(log: Path) -> int:
    """The number of the last operation that is in the segments, and so of the last that a file to be dropped can hold."""
    number: int = json.loads((log / "first-index").read_text(encoding="ascii"))["ack_index"]
    return number
