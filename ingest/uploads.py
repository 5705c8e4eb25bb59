"""What to hand in: files, folders, and what a manifest names, with sidecars and under names that can be shown anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from assistant.client import Upload
from ingest.encoding import decoded
from ingest.manifests import MANIFEST_NAME, Manifest, begins_manifest, is_manifest, manifest_from
from ingest.names import readable_path
from ingest.parsing import RejectionCategory
from ingest.sources import Sidecar, Skipped, SourceFile, merged, sidecar_from, sidecar_text, walk


def uploads_below(paths: Iterable[Path]) -> tuple[list[Upload], list[Skipped]]:
    """What to hand in from these files and folders, and what was found but will not be read.

    A manifest among them hands in the files that it names; one that lies in a folder speaks for that folder's files.
    Raises ConfigurationError when a manifest is faulty: nothing is handed in by half of one.
    """
    uploads: list[Upload] = []
    skipped: list[Skipped] = []
    for path in paths:
        manifest = _manifest_at(path)
        found_uploads, found_skipped = _named(path, manifest) if manifest else _walked(path)
        uploads += found_uploads
        skipped += found_skipped
    return uploads, skipped


def described(manifest: bytes, sidecars: Mapping[str, bytes], *, name: str) -> dict[str, str] | None:
    """What a manifest says of each file it names, with what its own sidecar says: path → text of a sidecar, empty for nothing.

    None when this is no manifest but a table like any other. Raises ConfigurationError when it, or a sidecar, is faulty.
    """
    if not begins_manifest(manifest, name=MANIFEST_NAME):
        return None
    files = manifest_from(manifest, name=name).files
    return {
        path: _together(sidecars[path], said, f"{path}.toml") if path in sidecars else sidecar_text(said)
        for path, said in files.items()
    }


def within_limit(uploads: Iterable[Upload], *, max_mb: int) -> tuple[list[Upload], list[Skipped]]:
    """Those of at most `max_mb` (of 1,048,576 bytes), and the larger ones, which the service would refuse."""
    taken: list[Upload] = []
    refused: list[Skipped] = []
    reason = f"is larger than {max_mb} MB; divide it, or have the operator raise service.max_upload_mb"
    for upload in uploads:
        try:
            size = upload.path.stat().st_size
        except OSError as error:
            refused.append(Skipped(upload.path, f"cannot be read: {error.strerror}"))
            continue
        if size > max_mb * 1024 * 1024:
            refused.append(Skipped(upload.path, reason, RejectionCategory.TOO_LARGE))
        else:
            taken.append(upload)
    return taken, refused


def source_of(path: Path) -> str:
    """How a file's place is written down: whatever bytes its name holds, as text that can be stored and shown.

    One place is written in one way, whatever detour it is named by (`a/../a/b`); links stay as they are named.
    """
    return readable_path(Path(os.path.normpath(path.absolute())))


def _manifest_at(path: Path) -> Manifest | None:
    """The manifest that `path` is; None when it is none."""
    if path.suffix.lower() != ".csv" or path.is_symlink() or not path.is_file():
        return None
    if path.name.lower() != MANIFEST_NAME and not is_manifest(path):
        return None
    return manifest_from(path.read_bytes(), name=str(path))


def _named(path: Path, manifest: Manifest) -> tuple[list[Upload], list[Skipped]]:
    """The files that a manifest names; those that are missing, and those beside them that it does not name, are reported."""
    folder = path.parent
    uploads: list[Upload] = []
    skipped: list[Skipped] = []
    there: dict[str, SourceFile] = {}
    for found in walk([folder]):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            there[found.source] = found
    places = manifest.places(there)
    by_line = {line: name for name, line in places.items()}
    uploads += [_upload(there[by_line[line]], said) for line, said in manifest.files.items() if line in by_line]
    skipped += _missing(folder, path.name, [line for line in manifest.files if line not in by_line], skipped)
    unnamed = [file for name, file in there.items() if name not in places and file.path != path]
    skipped += [
        Skipped(file.path, f"is not named in {path.name}; hand it in by itself if it is wanted") for file in unnamed
    ]
    return uploads, skipped


def _walked(path: Path) -> tuple[list[Upload], list[Skipped]]:
    """Everything below `path`; of the manifests that lie there, the nearest that names a file speaks for it."""
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    for found in walk([path]):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            files.append(found)
    tables = [file.path for file in files if path.is_dir() and file.file_name.lower() == MANIFEST_NAME]
    manifests = {table: manifest for table in tables if (manifest := _manifest_beside(table))}
    said: dict[Path, Sidecar] = {}
    for table, manifest in sorted(manifests.items(), key=lambda entry: len(entry[0].parts)):
        below = {file.path.relative_to(table.parent).as_posix(): file.path for file in _below(files, table.parent)}
        places = manifest.places(below)
        for name, line in places.items():
            farther = said.get(below[name], Sidecar())
            said[below[name]] = merged(manifest.files[line], farther, name=str(below[name]))
        named = set(places.values())
        skipped += _missing(table.parent, table.name, [line for line in manifest.files if line not in named], skipped)
    return [_upload(file, said.get(file.path)) for file in files if file.path not in manifests], skipped


def _below(files: Iterable[SourceFile], folder: Path) -> Iterable[SourceFile]:
    return (file for file in files if file.path.is_relative_to(folder))


def _manifest_beside(table: Path) -> Manifest | None:
    return _manifest_at(table) if is_manifest(table) else None


def _missing(folder: Path, manifest: str, lines: Iterable[str], skipped: Iterable[Skipped]) -> list[Skipped]:
    """For each line of a manifest without a file, that it has none; those that are skipped for another reason have theirs."""
    known = {item.path for item in skipped}
    return [
        Skipped(folder / line, f"is named in {manifest} and is not there")
        for line in lines
        if folder / line not in known
    ]


def _upload(file: SourceFile, said: Sidecar | None) -> Upload:
    """The file with what its sidecar says, and its line in a manifest, where the sidecar is silent."""
    source = source_of(file.path)
    if said is None or said == Sidecar():
        return Upload(file.path, source, file.sidecar)
    if file.sidecar is None:
        return Upload(file.path, source, sidecar_text(said).encode("utf-8"))
    return Upload(file.path, source, _together(file.sidecar.read_bytes(), said, str(file.sidecar)).encode("utf-8"))


def _together(sidecar: bytes, said: Sidecar, name: str) -> str:
    """What a sidecar and a manifest say of one file, as the text of one sidecar; where both speak, the sidecar wins."""
    return sidecar_text(merged(sidecar_from(decoded(sidecar), name=name), said, name=name))
