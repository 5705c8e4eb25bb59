"""Room on the disks, looked at before something is written that must not fail half-way.

The index's files are mapped into memory and have holes. Where a hole cannot be filled because the disk is full, the kernel ends
the whole process (SIGBUS; seen with Qdrant Edge 0.9 on a full tmpfs), so the disk must never become that full.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from assistant.errors import ServiceUnavailable


class Room:
    """Asks for `least_bytes` of free space on the disks of some folders."""

    def __init__(self, folders: tuple[Path, ...], *, least_bytes: int) -> None:
        self._folders = folders
        self._least_bytes = least_bytes

    def require(self) -> None:
        """Raises ServiceUnavailable, naming the folder, when one of the disks has less."""
        for folder in self._folders:
            free = shutil.disk_usage(folder).free
            if free < self._least_bytes:
                raise ServiceUnavailable(
                    f"the disk of {folder} is almost full ({free >> 20} MB free, {self._least_bytes >> 20} MB are"
                    " needed); check what fills it and free some space"
                )
