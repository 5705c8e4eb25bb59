"""The adapted models of an instance: one folder each below `models/` in the data folder, and which of them is in use.

A folder is written once, complete, and never changed: its manifest (`adaptation.json`) says what it was made of and how it was
judged, and holds the SHA-256 of every other file. `in-use.json` names the model in use; without it that is the base model, the
one that the settings name. Each encoder has an index folder of its own, since vectors of two encoders do not compare.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.durable import write_json_durably
from assistant.embedding import ADAPTATION_MANIFEST, ModelFolder
from assistant.errors import ConfigurationError, NotFound

_LOG = logging.getLogger(__name__)
BASE = "base"
"""Names the model of the settings."""
_PREFIX = "adapted-"
_INDEX_FILES = ("keys.db", "keys.db-wal", "keys.db-shm", "index.json", "points", "terms")
"""What the index of the base model consists of, keys first: without them the rest says nothing."""


@dataclass(frozen=True, slots=True)
class AdaptedModel:
    """A model folder and what its manifest says."""

    name: str
    folder: Path
    base: str
    """Fingerprint of the encoder that it was made from."""
    created_at: str
    label: str
    """The lowest label that dominates every passage it was made from: what it learned may show in it."""
    dense_weights: Mapping[str, float]
    manifest: Mapping[str, Any]


class ModelStore:
    """The models of the instance whose data folder is `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "models"
        self._pointer = self._folder / "in-use.json"

    def folder(self) -> Path:
        """Where models lie; made, for nobody but its owner, when it is not there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        return self._folder

    def all(self) -> tuple[AdaptedModel, ...]:
        """Every model, oldest first. One whose manifest cannot be read is left out."""
        found = []
        for file in sorted(self._folder.glob(f"{_PREFIX}*/{ADAPTATION_MANIFEST}")):
            try:
                found.append(_read(file))
            except ConfigurationError as error:
                _LOG.warning("%s", error)
        return tuple(sorted(found, key=lambda model: (model.created_at, model.name)))

    def model(self, name: str) -> AdaptedModel:
        """The model of this name. Raises NotFound when there is none."""
        for model in self.all():
            if model.name == name:
                return model
        raise NotFound(f"there is no model {name!r}; `assistant adapt list` shows those there are")

    def keep(self, made: Path, facts: Mapping[str, Any]) -> AdaptedModel:
        """Take in the model folder `made`, which is moved, with a manifest of these facts and its checksums."""
        files = {str(file.relative_to(made)): _sha256(file) for file in sorted(made.rglob("*")) if file.is_file()}
        created = datetime.now(UTC)
        whole = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        manifest = {"created_at": created.isoformat(timespec="seconds"), **facts, "files": files}
        write_json_durably(made / ADAPTATION_MANIFEST, manifest)
        name = f"{_PREFIX}{created:%Y-%m-%d}-{whole[:12]}"
        target = self.folder() / name
        if not target.exists():
            made.rename(target)
        return self.model(name)

    def require_intact(self, model: AdaptedModel) -> None:
        """Raises ConfigurationError, naming the file, when one is not what was kept."""
        for name, expected in model.manifest["files"].items():
            file = model.folder / name
            if not file.is_file() or _sha256(file) != expected:
                raise ConfigurationError(f"{file} is missing or was changed; remove {model.name} and adapt again")

    def remove(self, name: str) -> None:
        """Delete a model that is not in use, also one whose manifest cannot be read.

        Raises NotFound, and ConfigurationError for the one in use.
        """
        folder = next((each for each in self._folder.glob(f"{_PREFIX}*") if each.name == name and each.is_dir()), None)
        if folder is None:
            raise NotFound(f"there is no model {name!r}; `assistant adapt list` shows those there are")
        if self.in_use() == name:
            raise ConfigurationError(f"{name} is in use; change to another first: `assistant adapt use base`")
        shutil.rmtree(folder)

    def in_use(self) -> str:
        """The name of the model in use. Raises ConfigurationError when the file that names it is damaged."""
        if not self._pointer.exists():
            return BASE
        try:
            return str(json.loads(self._pointer.read_text(encoding="utf-8"))["model"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{self._pointer}: damaged; remove it to return to the base model") from error

    def active(self, base_folder: Path) -> AdaptedModel | None:
        """The adapted model in use; None for the base model.

        A model that was made from another base than `base_folder` is passed over, with a warning. Raises ConfigurationError when
        it is not there any more.
        """
        name = self.in_use()
        if name == BASE:
            return None
        try:
            model = self.model(name)
        except NotFound as error:
            raise ConfigurationError(
                f"the model in use, {name}, is not in {self._folder}; put it back, or remove {self._pointer.name} there"
                " to return to the base model"
            ) from error
        if model.base != ModelFolder(base_folder).fingerprint:
            _LOG.warning("%s was made from another encoder than embedding.path; the base model is used", name)
            return None
        return model

    def use(self, name: str) -> None:
        """Name the model in use, durably. The index folder of it must be complete."""
        self.folder()
        write_json_durably(self._pointer, {"model": name})

    def index_folder(self, name: str) -> Path:
        """Where the index with this model's vectors lies."""
        return self._home / "index" if name == BASE else self._home / "index" / name

    def discard_index(self, name: str) -> None:
        """Delete the index of a model that is not in use."""
        folder = self.index_folder(name)
        if name != BASE:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for part in _INDEX_FILES:
            place = folder / part
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)

    def discard_other_indexes(self, name: str) -> None:
        """Delete what indexes there are beside that of `name`: left of a change that was cut short, or completed."""
        if name != BASE:
            self.discard_index(BASE)
        for folder in (self._home / "index").glob(f"{_PREFIX}*"):
            if folder.name != name:
                self.discard_index(folder.name)


def _read(file: Path) -> AdaptedModel:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        weights = {str(language): float(weight) for language, weight in manifest["dense_weights"].items()}
        about = (str(manifest["base"]), str(manifest["created_at"]), str(manifest["label"]))
        return AdaptedModel(file.parent.name, file.parent, *about, weights, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{file}: no usable manifest; remove this folder and adapt again") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
