"""Watched folders: a file is handed in when it has stopped changing, once, and again when it has changed.

Folders are looked through at intervals, which works on every file system, network shares included. What was handed in is
remembered by path, size and time of change, so that a restart hands nothing in twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.client import Upload
from assistant.database import Database
from assistant.errors import AssistantError, ConfigurationError, NotFound, ServiceUnavailable
from ingest.sources import Skipped
from ingest.uploads import uploads_below

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path        BLOB PRIMARY KEY,
    signature   TEXT NOT NULL,
    document_id TEXT NOT NULL,
    device      TEXT NOT NULL DEFAULT '' -- of the file system it lay on when it was last seen
);
"""

Signature = str
HandIn = Callable[[Upload], str]
"""Hands a file in and says its document's id; raises AssistantError when it is not taken."""
Remove = Callable[[str], None]
"""Removes a document."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the folders found. Every path is reported once."""

    handed_in: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    """Of those handed in: files that were handed in before with other content."""
    gone: tuple[Path, ...] = ()
    """Handed in earlier, no longer there, and remembered no more."""
    removed: tuple[Path, ...] = ()
    """Of those gone: their documents were removed."""
    problems: tuple[str, ...] = ()


class Watcher:
    """Watches some folders. Not for use by several threads at once."""

    def __init__(self, folders: Iterable[Path], memory: Path, hand_in: HandIn, *, remove: Remove | None = None) -> None:
        """`memory` is the file in the data folder that remembers; without `remove` documents outlive their files."""
        self._folders = tuple(Path(os.path.normpath(folder.absolute())) for folder in folders)
        self._database = Database(memory, _SCHEMA)
        self._hand_in = hand_in
        self._remove = remove
        self._before: dict[Path, Signature] = {}
        self._told: set[str] = set()

    def look(self) -> Round:
        """Look through the folders once, and hand in what has not changed since the last look and is written by nobody."""
        found, problems, hidden = self._found()
        known = self._known()
        signatures = {path: _signature(upload) for path, upload in found.items()}
        waiting = {
            path: found[path]
            for path, signature in signatures.items()
            if signature and self._before.get(path) == signature and known.get(path, ("", ""))[0] != signature
        }
        self._before = {path: signature for path, signature in signatures.items() if signature}
        for path in being_written(waiting):
            del waiting[path]
        handed_in = [path for path, upload in waiting.items() if self._taken(path, upload, signatures[path], problems)]
        self._note_devices(found.keys() & known.keys())
        missing = [path for path in known if path not in found and self._is_gone(path, hidden, found, problems)]
        removed: list[Path] = []
        gone = [path for path in missing if self._forgotten(path, known[path][1], removed, problems)]
        fresh = [problem for problem in problems if problem not in self._told]
        self._told = set(problems)
        return Round(
            tuple(handed_in), tuple(path for path in handed_in if path in known), tuple(gone), tuple(removed), tuple(fresh)
        )  # fmt: skip

    @property
    def problems(self) -> tuple[str, ...]:
        """What the last look found wrong, told before or not."""
        return tuple(sorted(self._told))

    def documents(self) -> dict[Path, tuple[str, ...]]:
        """Folder → the document of each file that is one and was there at the last look."""
        taken: dict[Path, list[str]] = {folder: [] for folder in self._folders}
        for path, (_, document_id) in self._known().items():
            if document_id:
                taken[next(folder for folder in self._folders if path.is_relative_to(folder))].append(document_id)
        return {folder: tuple(documents) for folder, documents in taken.items()}

    def close(self) -> None:
        """Close the memory."""
        self._database.close()

    def _found(self) -> tuple[dict[Path, Upload], list[str], set[Path]]:
        """The files there, what is wrong, and the places that cannot be looked into."""
        found: dict[Path, Upload] = {}
        problems: list[str] = []
        hidden: set[Path] = set()
        for folder in self._folders:
            if not folder.is_dir():
                problems.append(f"{folder}: is not a folder, or cannot be reached; it is looked for again")
                hidden.add(folder)
                continue
            try:
                uploads, skipped = uploads_below([folder])
            except (ConfigurationError, OSError) as error:
                problems.append(str(error))
                hidden.add(folder)
                continue
            found |= {upload.path: upload for upload in uploads}
            problems += [f"{item.path}: {item.reason}" for item in skipped]
            hidden |= {item.path for item in skipped if isinstance(item, Skipped)}
        return found, problems, hidden

    def _known(self) -> dict[Path, tuple[Signature, str]]:
        rows = self._database.connection().execute("SELECT path, signature, document_id FROM files")
        known = {Path(os.fsdecode(row["path"])): (row["signature"], row["document_id"]) for row in rows}
        return {path: entry for path, entry in known.items() if any(path.is_relative_to(f) for f in self._folders)}

    def _taken(self, path: Path, upload: Upload, signature: Signature, problems: list[str]) -> bool:
        """True when the file was handed in; one that the service refuses is remembered until it changes."""
        document_id = ""
        try:
            document_id = self._hand_in(upload)
        except (ServiceUnavailable, OSError) as error:
            problems.append(f"{upload.source}: not handed in yet, tried again at the next look ({error})")
            return False
        except AssistantError as error:
            problems.append(f"{upload.source}: not taken: {error}")
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO files (path, signature, document_id, device) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET signature = excluded.signature, document_id = excluded.document_id,"
                " device = excluded.device",
                (os.fsencode(path), signature, document_id, _device_at(path)),
            )
        return bool(document_id)

    def _is_gone(self, path: Path, hidden: set[Path], found: dict[Path, Upload], problems: list[str]) -> bool:
        """True when the file is certainly no longer there: a folder that is suddenly empty may just not be mounted."""
        if any(path.is_relative_to(place) for place in hidden):
            return False
        folder = next(folder for folder in self._folders if path.is_relative_to(folder))
        if not any(other.is_relative_to(folder) for other in found):
            problems.append(f"{folder}: holds no file any more; its documents are kept in case it is only not mounted")
            return False
        query = "SELECT device FROM files WHERE path = ?"
        device = self._database.connection().execute(query, (os.fsencode(path),)).fetchone()["device"]
        if device and device != _device_at(path):
            problems.append(
                f"{path.parent}: is on another disk than before; its documents are kept in case one is not mounted"
            )
            return False
        return True

    def _note_devices(self, paths: Iterable[Path]) -> None:
        rows = self._database.connection().execute("SELECT path, device FROM files")
        before = {Path(os.fsdecode(row["path"])): row["device"] for row in rows}
        moved = [(device, os.fsencode(path)) for path in paths if (device := _device_at(path)) != before.get(path)]
        if moved:
            with self._database.writing() as connection:
                connection.executemany("UPDATE files SET device = ? WHERE path = ?", moved)

    def _forgotten(self, path: Path, document_id: str, removed: list[Path], problems: list[str]) -> bool:
        """False when its document could not be removed: the file is then remembered, and that is tried again."""
        try:
            if self._remove is not None and document_id and not self._has_copy(path, document_id, problems):
                self._remove(document_id)
                removed.append(path)
        except NotFound:
            pass  # somebody else has erased it
        except AssistantError as error:
            problems.append(f"{path}: its document was not removed, tried again at the next look ({error})")
            return False
        with self._database.writing() as connection:
            connection.execute("DELETE FROM files WHERE path = ?", (os.fsencode(path),))
        return True

    def _has_copy(self, path: Path, document_id: str, problems: list[str]) -> bool:
        """True when another remembered file is this document too: the same bytes are one document, wherever they lie."""
        rows = self._database.connection().execute(
            "SELECT path FROM files WHERE document_id = ? AND path != ?", (document_id, os.fsencode(path))
        )
        copies = [Path(os.fsdecode(copy["path"])) for copy in rows]
        problems += [f"{path}: its document stays, {copy} is the same" for copy in copies[:1] if os.path.lexists(copy)]
        return bool(copies)


def _signature(upload: Upload) -> Signature:
    """Size and time of change of the file and its sidecar; empty when the file is gone by now."""
    try:
        state = upload.path.stat()
        parts = [state.st_size, state.st_mtime_ns]
        if isinstance(upload.sidecar, Path):
            beside = upload.sidecar.stat()
            parts += [beside.st_size, beside.st_mtime_ns]
    except OSError:
        return ""
    said = f" {upload.sidecar.decode()}" if isinstance(upload.sidecar, bytes) else ""
    return " ".join(map(str, parts)) + said


def _device_at(path: Path) -> str:
    """The file system of a file, or where it is gone of the nearest folder above it that is there."""
    for place in (path, *path.parents):
        with suppress(OSError):
            return str(place.lstat().st_dev)
    return ""


def being_written(paths: Iterable[Path]) -> set[Path]:
    """Those of `paths` that a process of this machine has open for writing, as far as /proc shows its files."""
    wanted = {os.path.realpath(path): path for path in paths}
    if not wanted:
        return set()
    writing: set[Path] = set()
    for process in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for handle in process.iterdir():
                with suppress(OSError):
                    path = wanted.get(str(handle.readlink()))
                    if path is not None and _writes(process.with_name("fdinfo") / handle.name):
                        writing.add(path)
    return writing


def _writes(information: Path) -> bool:
    flags = next(line for line in information.read_text(encoding="ascii").splitlines() if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & (os.O_WRONLY | os.O_RDWR))
