"""Small files that are whole or not there at all, whatever happens while they are written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json_durably(file: Path, content: Mapping[str, Any]) -> None:
    """Put `content` in the place of what `file` held; when this returns it is on the disk, its name included."""
    written = file.with_suffix(".new")
    with written.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    written.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
