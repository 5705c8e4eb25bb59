"""Archives: each file inside becomes a document of its own, at `<the archive>!/<its path inside>`.

An archive is taken whole or not at all: one that passes a limit, or names a path that leads out of it, is rejected before any
of its files is handed in. Archives inside archives are opened in the same go, under the same limits; one that cannot be opened
is handed in as it is, so that its own entry says why.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ConfigurationError, DocumentRejected
from ingest.encoding import decoded
from ingest.manifests import MANIFEST_NAME, is_manifest, manifest_from
from ingest.names import path_inside
from ingest.parsing import Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory, detect_media_type
from ingest.sources import SIDECAR_SUFFIX, Sidecar, is_of_the_system, is_sidecar, merged, sidecar_from, sidecar_text
from ingest.transfer import new_attachment_file
from ingest.unpacking import ARCHIVE_TYPES, Allowance, Member, unpack

_MOST_NAMED = 50
"""How many files that were not taken are named one by one."""
_MOST_SIDECAR_BYTES = 1 << 20


class ContainerParser:
    """Reads archives."""

    name = "archive"
    media_types = ARCHIVE_TYPES

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """The files inside, as attachments; Rejected when the archive is unsafe, locked, damaged, too large or empty."""
        media_type = detect_media_type(path)
        try:
            content = _Content(Allowance(settings))
            content.add(path, media_type, prefix="", name=settings.handed_in_as or path.name, depth=1)
            attachments = tuple(_attachments(content))
        except DocumentRejected as error:
            return Rejected(error.category, str(error))
        except ConfigurationError as error:
            return Rejected("sidecar", f"{error}; nothing of the archive was taken")
        if not attachments:
            return Rejected(RejectionCategory.NO_TEXT, "; ".join(("the archive holds no file", *content.warnings())))
        return Parsed(
            title=None, language=settings.languages[0], date=None, media_type=media_type, text="", pages=(), blocks=(),
            parser=self.name, warnings=content.warnings(), attachments=attachments, container=True,
        )  # fmt: skip


@dataclass(slots=True)
class _Content:
    """The files of an archive and of those inside it, by path, and what was not taken."""

    allowance: Allowance
    files: dict[str, Path] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def add(self, archive: Path, media_type: str, *, prefix: str, name: str, depth: int) -> None:
        """Unpack `archive`, called `name`, and the archives in it. Raises DocumentRejected when it cannot be taken."""
        settings = self.allowance.settings
        largest = min(settings.max_file_bytes, settings.output_bytes)
        found: dict[str, Path] = {}

        def take(member: Member) -> Path | None:
            inside = path_inside(member.name or name.rpartition(".")[0])
            if _is_of_the_system(inside):
                return None
            too_large = member.size is not None and member.size > largest
            refusal = member.refusal or (f"is larger than {largest // 2**20} MB" if too_large else _hidden(inside))
            if refusal:
                self.skipped.append(f"{prefix}{inside} {refusal}")
                return None
            target = new_attachment_file()
            found[_unused(prefix + inside, found)] = target
            return target

        try:
            unpack(archive, media_type, take, self.allowance)
            for path, file in found.items():
                self._add_file(path, file, depth=depth)
        except DocumentRejected:
            for file in found.values():
                file.unlink(missing_ok=True)
            raise

    def _add_file(self, path: str, file: Path, *, depth: int) -> None:
        if not file.exists():
            raise DocumentRejected(RejectionCategory.DAMAGED, "the archive lists a file that it does not hold")
        media_type = detect_media_type(file)
        if media_type in ARCHIVE_TYPES:
            most = self.allowance.settings.max_archive_depth
            if depth >= most:
                reason = f"archives lie in it more than {most} deep; nothing of it was taken: hand in its files"
                raise DocumentRejected(RejectionCategory.TOO_LARGE, reason)
            if self._added_archive(path, file, media_type, depth=depth + 1):
                file.unlink()
                return
        self.files[path] = file

    def _added_archive(self, path: str, file: Path, media_type: str, *, depth: int) -> bool:
        inner = _Content(self.allowance)
        try:
            inner.add(file, media_type, prefix=f"{path}!/", name=posixpath.basename(path), depth=depth)
        except DocumentRejected as error:
            if error.category == RejectionCategory.TOO_LARGE:
                raise
            return False
        self.files |= inner.files
        self.skipped += inner.skipped
        return bool(inner.files)

    def warnings(self) -> tuple[str, ...]:
        """What was not taken, and why."""
        named = [f"not taken: {line}" for line in self.skipped[:_MOST_NAMED]]
        more = len(self.skipped) - len(named)
        return (*named, f"not taken: {more} more") if more else tuple(named)


def _is_of_the_system(path: str) -> bool:
    """True for what systems put beside people's files."""
    parts = path.split("/")
    return "__MACOSX" in parts or is_of_the_system(parts[-1])


def _hidden(path: str) -> str:
    """Why what a folder's walk does not look into is not taken either; empty for everything else."""
    return "is hidden" if any(part.startswith(".") for part in path.split("/")) else ""


def _unused(path: str, used: dict[str, Path]) -> str:
    """`path`, or with a number where the archive holds two files of that name."""
    stem, suffix = posixpath.splitext(path)
    number = 2
    while path in used:
        path = f"{stem} ({number}){suffix}"
        number += 1
    return path


# --- sidecars and manifests --------------------------------------------------------------------------------------


def _attachments(content: _Content) -> Iterator[Attachment]:
    """The documents among the files, each with what the sidecar beside it and the manifest above it say."""
    files = content.files
    manifests = dict(_manifests(content))
    for path, file in files.items():
        if posixpath.dirname(path) in manifests and posixpath.basename(path).lower() == MANIFEST_NAME:
            continue
        if is_sidecar(path) and path[: -len(SIDECAR_SUFFIX)] in files:
            continue
        yield Attachment(path, file, _sidecar(path, content, manifests), own_label=True)


def _manifests(content: _Content) -> Iterator[tuple[str, dict[str, Sidecar]]]:
    """What the manifests say, by the folder for whose files they speak. Raises ConfigurationError for one that is faulty."""
    for path, file in content.files.items():
        name = posixpath.basename(path)
        if name.lower() != MANIFEST_NAME or not is_manifest(file, name=name):
            continue
        folder = posixpath.dirname(path)
        manifest = manifest_from(file.read_bytes(), name=path)
        below = {posixpath.relpath(name, folder) if folder else name: name for name in content.files}
        places = {below[inside]: line for inside, line in manifest.places(below).items()}
        missing = [line for line in manifest.files if line not in places.values()]
        content.skipped += [f"{line} is named in {path} and is not there" for line in missing]
        yield folder, {name: manifest.files[line] for name, line in places.items()}


def _sidecar(path: str, content: _Content, manifests: dict[str, dict[str, Sidecar]]) -> str:
    """TOML text; what lies beside the file is handed on as it is where no manifest speaks, faults included."""
    said = Sidecar()
    for manifest in manifests.values():
        said = merged(manifest.get(path, Sidecar()), said, name=path)
    beside = content.files.get(path + SIDECAR_SUFFIX) or content.files.get(path + SIDECAR_SUFFIX.upper())
    if beside is None:
        return sidecar_text(said)
    with beside.open("rb") as file:
        text = decoded(file.read(_MOST_SIDECAR_BYTES))
    if said == Sidecar():
        return text
    return sidecar_text(merged(sidecar_from(text, name=path + SIDECAR_SUFFIX), said, name=path))
