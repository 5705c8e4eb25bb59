"""What documents held before they were touched, written down before they are: from it, counts are put right after a crash."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEAD = struct.Struct("<II")
"""Length and CRC-32 of what follows. A record that is cut short was never acted upon."""


def _no_terms() -> NDArray[np.uint32]:
    return np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What the passages with one label hold: how many they are, and the terms of each, one after the other."""

    passages: int = 0
    terms: NDArray[np.uint32] = field(default_factory=_no_terms)


HeldByLabel = Mapping[str, Held]


class Journal:
    """One file of records, in the order in which documents were first touched."""

    def __init__(self, file: Path) -> None:
        """The journal in `file`, made when there is none; an incomplete last record is cut off."""
        self.found: dict[str, HeldByLabel] = {}
        self._stream = file.open("a+b", buffering=0)
        self._stream.seek(0)
        self._end = self._read(self._stream.read())
        self._stream.truncate(self._end)
        self._noted = set(self.found)

    def note(self, document_id: str, held: HeldByLabel) -> None:
        """Return when it is on disk what this document held when it was touched for the first time."""
        if document_id in self._noted:
            return
        labels = [[label, part.passages, len(part.terms)] for label, part in held.items()]
        head = json.dumps({"document": document_id, "labels": labels}).encode("ascii") + b"\n"
        record = head + b"".join(part.terms.astype("<u4").tobytes() for part in held.values())
        try:
            self._stream.write(_HEAD.pack(len(record), zlib.crc32(record)) + record)
            os.fsync(self._stream.fileno())
        except OSError:
            self._stream.truncate(self._end)  # what comes after half a record could not be read
            raise
        self._end += _HEAD.size + len(record)
        self._noted.add(document_id)

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _read(self, content: bytes) -> int:
        """Take in every whole record; where the last of them ends."""
        end = 0
        while end + _HEAD.size <= len(content):
            length, checksum = _HEAD.unpack_from(content, end)
            record = content[end + _HEAD.size : end + _HEAD.size + length]
            if len(record) < length or zlib.crc32(record) != checksum:
                break
            self._take(record)
            end += _HEAD.size + length
        return end

    def _take(self, record: bytes) -> None:
        head, _, rest = record.partition(b"\n")
        about = json.loads(head)
        held, start = {}, 0
        for label, passages, length in about["labels"]:
            held[label] = Held(passages, np.frombuffer(rest, "<u4", length, start).astype(np.uint32))
            start += 4 * length
        self.found[about["document"]] = held
