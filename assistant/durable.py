"""Files that are whole or not there at all, whatever happens while they are written, and stay when the power goes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_durably(file: Path, content: bytes) -> None:
    """Put `content` in the place of what `file` held; when this returns it is on the disk, its name included."""
    written = file.with_name(f".{file.name}.new")
    with written.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    written.replace(file)
    flush_folder(file.parent)


def write_json_durably(file: Path, content: Mapping[str, Any]) -> None:
    """`write_durably`, for a table."""
    write_durably(file, json.dumps(content, ensure_ascii=False, indent=1).encode())


def flush_folder(folder: Path) -> None:
    """Have the names in this folder on the disk: a file that was flushed can still lose its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
