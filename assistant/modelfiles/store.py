"""The language models of an instance: one folder each below `language-models/` in the data folder, and a manifest beside it.

The manifest (`NAME.json`) holds the SHA-256 of every file. It is written last, so a folder without one is what a registration
left that was cut short. Before a model is served every file is read and compared, whatever its size and dates say: a file that
was changed on purpose has the size and the dates of the other one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.durable import write_json_durably
from assistant.errors import ConfigurationError, NotFound
from assistant.modelfiles.forms import FoundModel, ModelKind, found_model, model_name_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RESERVED = frozenset({"base", "quotes", "cache", "converted", "making"})
"""What the service calls an encoder and an answer without a model, and the folders that stand beside those of models."""
_BLOCK = 4 << 20
_READERS = 4
"""Files that are read at the same time. Hashing lets go of the interpreter."""
_SPARE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A registered model, as its manifest describes it."""

    name: str
    kind: ModelKind
    folder: Path
    architecture: str
    context_tokens: int
    """0 when the model does not say."""
    files: Mapping[str, str]
    """Name below the folder → SHA-256."""
    size_bytes: int
    added_at: str
    made_from: str = ""
    """Checksum of the model that this one was converted from; empty for one that was registered."""

    @property
    def checksum(self) -> str:
        """SHA-256 over names and checksums of all files: two models are the same exactly when this is."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def gguf(self) -> Path | None:
        """Its GGUF file, if it is one."""
        names = [name for name in self.files if name.endswith(".gguf")]
        return self.folder / names[0] if self.kind is ModelKind.GGUF else None


@dataclass(frozen=True, slots=True)
class Verified:
    """That every file is what was registered, and what it took to find out."""

    model: LanguageModel
    seconds: float


class LanguageModelStore:
    """The models below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, home: Path) -> LanguageModelStore:
        """The models of the instance whose data folder is `home`."""
        return cls(home / "language-models")

    @property
    def converted(self) -> LanguageModelStore:
        """What was made from these models for a server that reads another format; of the same names."""
        return LanguageModelStore(self.folder / "converted")

    def all(self) -> tuple[LanguageModel, ...]:
        """Every model, by name. Raises ConfigurationError for a manifest that cannot be read."""
        return tuple(_read(file) for file in sorted(self.folder.glob("*.json")))

    def model(self, name: str) -> LanguageModel:
        """The model of this name. Raises NotFound when there is none."""
        file = self.folder / f"{name}.json"
        if not _NAME.fullmatch(name) or not file.is_file():
            raise NotFound(_ABSENT.format(name))
        return _read(file)

    def add(self, source: Path, *, name: str = "", linked: bool = False, made_from: str = "") -> LanguageModel:
        """Register the folder or GGUF file at `source`, copied, or hard-linked with `linked`.

        A hard link takes no space and needs the same file system; whoever may write the original may then change the model, which
        shows at the next start. Raises ConfigurationError for a name or a folder that will not do.
        """
        found = found_model(source)
        name = name or model_name_of(source)
        self._require_free(name)
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o700)
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        _require_room(found, self.folder, linked=linked)
        try:
            taken = {part: _take(found.folder / part, target / part, linked=linked) for part in found.files}
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise ConfigurationError(
                f"{error.filename or source}: cannot be taken in: {error.strerror or error}"
            ) from error
        manifest = {
            "name": name,
            "kind": found.kind.value,
            "architecture": found.architecture,
            "context_tokens": found.context_tokens,
            "added_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "bytes": sum((target / part).stat().st_size for part in taken),
            "made_from": made_from,
            "files": taken,
        }
        write_json_durably(self.folder / f"{name}.json", manifest)
        return self.model(name)

    def verify(self, name: str) -> Verified:
        """Read every file of a model. Raises ConfigurationError naming the first that is missing, changed or one too many."""
        began = time.monotonic()
        model = self.model(name)
        present = {
            path.relative_to(model.folder).as_posix()
            for path in model.folder.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }
        if model.folder.is_symlink():
            raise ConfigurationError(f"{model.folder} is a link; {_ADVICE.format(name)}")
        for verdict, names in (("is missing", set(model.files) - present), ("was added", present - set(model.files))):
            if names:
                raise ConfigurationError(f"{model.folder / min(names)} {verdict}; {_ADVICE.format(name)}")
        with ThreadPoolExecutor(_READERS) as readers:
            digests = readers.map(lambda part: _digest(model.folder / part), model.files)
            for part, digest in zip(model.files, digests, strict=True):
                if digest != model.files[part]:
                    raise ConfigurationError(
                        f"{model.folder / part} is not what was registered; {_ADVICE.format(name)}"
                    )
        return Verified(model, time.monotonic() - began)

    def remove(self, name: str) -> None:
        """Delete a model and what was made from it. Raises NotFound when there is none."""
        if not _NAME.fullmatch(name) or not (self.folder / f"{name}.json").is_file():
            raise NotFound(_ABSENT.format(name))
        for folder in (self.folder, self.converted.folder):
            (folder / f"{name}.json").unlink(missing_ok=True)
            shutil.rmtree(folder / name, ignore_errors=True)

    def _require_free(self, name: str) -> None:
        if not _NAME.fullmatch(name) or name in _RESERVED or name.endswith((".json", ".new", ".log")):
            raise ConfigurationError(
                f"{name!r} cannot be a model's name; use small letters, digits, '.', '_' and '-', at most 64, with --name"
            )
        if (self.folder / f"{name}.json").exists():
            raise ConfigurationError(
                f"there is a language model {name!r} already; remove it first, or choose another --name"
            )


_ABSENT = "there is no language model {0!r}; `assistant model list` shows those there are"
_ADVICE = "the model is not served. Find out who changed it, then remove and add it again: `assistant model remove {0}`"


def _take(source: Path, target: Path, *, linked: bool) -> str:
    """Copy or link one file, and its SHA-256 as it now lies there."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if linked:
        os.link(source.resolve(), target)
        return _digest(target)
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    target.chmod(0o400)
    return digest.hexdigest()


def _digest(file: Path) -> str:
    """SHA-256 of an ordinary file; empty for anything else, a link included, which no file of a manifest has."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _require_room(found: FoundModel, folder: Path, *, linked: bool) -> None:
    needed = 0 if linked else sum((found.folder / name).stat().st_size for name in found.files)
    free = shutil.disk_usage(folder).free
    if needed and free < needed + _SPARE_BYTES:
        raise ConfigurationError(
            f"{folder}: {needed >> 20} MB are needed and {free >> 20} MB are free; make room, or use --link on the same disk"
        )


def _read(file: Path) -> LanguageModel:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        files = {str(name): str(digest) for name, digest in manifest["files"].items()}
        if not files or any(Path(name).is_absolute() or ".." in Path(name).parts for name in files):
            raise ValueError("its files are not below the model's folder")
        return LanguageModel(
            name=file.stem,
            kind=ModelKind(manifest["kind"]),
            folder=file.parent / file.stem,
            architecture=str(manifest["architecture"]),
            context_tokens=int(manifest["context_tokens"]),
            files=files,
            size_bytes=int(manifest["bytes"]),
            added_at=str(manifest["added_at"]),
            made_from=str(manifest["made_from"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{file}: no usable manifest; remove this file and add the model again") from error
