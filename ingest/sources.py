"""Files to hand in: what a person names on the command line, with the sidecars that lie beside them.

Only regular files are ever opened. A link is not followed (it can lead out of the folder), a pipe is not read (it blocks for
good), and both are reported rather than passed over in silence.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path

from assistant.access import Label
from assistant.errors import ConfigurationError
from assistant.types import LANGUAGES

SIDECAR_SUFFIX = ".toml"
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".directory", ".localized"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What an archivist says about a document in `<file>.toml` beside it. None: not said."""

    title: str | None = None
    date: str | None = None
    """ISO 8601 date of the document itself."""
    author: str | None = None
    language: str | None = None
    label: str | None = None
    document_type: str | None = None
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file to hand in. `source` says where it comes from, relative to the folder that was named."""

    path: Path
    source: str
    file_name: str
    sidecar: Path | None
    """The sidecar beside it, when there is one; what it says is read with the document."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was found and will not be read, and why."""

    path: Path
    reason: str
    category: str = "skipped"


def walk(paths: Iterable[Path]) -> Iterator[SourceFile | Skipped]:
    """Every file under `paths`, in the order given and sorted by name inside each folder.

    Hidden files and folders are not looked into; sidecars come with their document.
    """
    for path in paths:
        base = path if path.is_dir() and not path.is_symlink() else path.parent
        yield from _under(path, base)


def is_sidecar(name: str) -> bool:
    """True for the name of a sidecar, whichever case a system gave it."""
    return name.lower().endswith(SIDECAR_SUFFIX)


def is_of_the_system(name: str) -> bool:
    """True for what systems and programs put beside people's files: their own notes, locks, and a Mac's second halves."""
    return name.lower() in _SYSTEM_FILES or name.startswith(("._", ".~lock."))


def sidecar_from(text: str, *, name: str) -> Sidecar:
    """The sidecar written in `text` as TOML; `name` is how messages call it.

    Raises ConfigurationError naming file, key, value and remedy.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: not valid TOML: {error}") from error
    known = {field.name for field in fields(Sidecar)}
    values: dict[str, str] = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigurationError(f"{name}: {key}: there is no such key; use {', '.join(sorted(known))}")
        values[key] = _checked(name, key, value)
    return Sidecar(**values)


def label_in_sidecar(text: str) -> str | None:
    """The label that a sidecar says, whatever else is wrong with it; None when it says none."""
    try:
        label = tomllib.loads(text).get("label")
    except tomllib.TOMLDecodeError:
        return None
    return label.strip() if isinstance(label, str) else None


def sidecar_text(sidecar: Sidecar) -> str:
    """`sidecar` as TOML; `sidecar_from` reads it back."""
    said = ((field.name, getattr(sidecar, field.name)) for field in fields(sidecar))
    return "".join(f"{key} = {_toml_text(value)}\n" for key, value in said if value is not None)


def merged(nearer: Sidecar, farther: Sidecar, *, name: str) -> Sidecar:
    """What two sidecars say of the document `name`: the nearer one wins, but about the label they must agree.

    Raises ConfigurationError when they do not.
    """
    if nearer.label and farther.label and nearer.label != farther.label:
        raise ConfigurationError(
            f"{name}: label {nearer.label!r} and label {farther.label!r} disagree; mend one of them"
        )
    return Sidecar(**{f.name: getattr(nearer, f.name) or getattr(farther, f.name) for f in fields(Sidecar)})


def sidecar_value(key: str, value: str) -> str:
    """A sidecar's value without white space around it. Raises ConfigurationError naming value and remedy."""
    value = value.strip()
    if key == "date" and not _is_date(value):
        raise ConfigurationError(f"{value!r}: write it as in 2024-05-31")
    if key == "language" and value not in LANGUAGES:
        raise ConfigurationError(f"{value!r}: use one of {', '.join(LANGUAGES)}")
    if key == "label":
        _check_label(value)
    return value


def _check_label(value: str) -> None:
    try:
        Label.parse(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{value!r}: {error}") from error


def _toml_text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # apart from this character JSON is TOML


def _checked(name: str, key: str, value: object) -> str:
    if isinstance(value, datetime):
        value = value.date()
    if key == "date" and isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name}: {key} {value!r}: write a text between quotes")
    if key == "date" and not _is_date(value.strip()):
        raise ConfigurationError(f"{name}: date {value!r}: write it as in 2024-05-31")
    return value.strip()


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return bool(_DATE.fullmatch(value))


def _under(path: Path, base: Path) -> Iterator[SourceFile | Skipped]:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        yield Skipped(path, f"cannot be read: {error.strerror}")
        return
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, base)
    elif stat.S_ISREG(mode) and is_sidecar(path.name) and path.with_suffix("").is_file():
        return  # a sidecar comes with its document
    elif stat.S_ISREG(mode):
        yield SourceFile(path, path.relative_to(base).as_posix(), path.name, _sidecar_beside(path))
    else:
        yield Skipped(path, _why_not(mode))


def _in_folder(folder: Path, base: Path) -> Iterator[SourceFile | Skipped]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names only
    except OSError as error:
        yield Skipped(folder, f"cannot be read: {error.strerror}")
        return
    for name in names:
        if not name.startswith("."):
            yield from _under(folder / name, base)
        elif not is_of_the_system(name):
            yield Skipped(folder / name, "is hidden: its name begins with a dot; rename it if it is wanted")


def _sidecar_beside(path: Path) -> Path | None:
    """The sidecar of the document at `path`; None when there is no regular file of that name."""
    named = (path.with_name(path.name + suffix) for suffix in (SIDECAR_SUFFIX, SIDECAR_SUFFIX.upper()))
    return next((beside for beside in named if _is_regular(beside)), None)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _why_not(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "is a link; hand in the file it leads to"
    if stat.S_ISFIFO(mode):
        return "is a named pipe, not a file"
    if stat.S_ISSOCK(mode):
        return "is a socket, not a file"
    return "is a device, not a file"
