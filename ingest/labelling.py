"""A document's access label, from its marking line, its sidecar and what the archivist said when handing it in.

All that speak must agree. Where nothing speaks, or where they disagree, the document is kept out (`Unlabelled`): there
is never a default that is lower than what somebody may have meant. A sidecar or archivist may add compartments to the
level a marking line names, since marking lines carry levels only.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from pathlib import Path

from assistant.access import Label, Level
from assistant.errors import ConfigurationError, Unlabelled
from assistant.language import search_form

_BEGINNING_CHARS = 3000
"""About the first page."""
_LONGEST_MARKING = 120
_REPEATED_ON_PAGES = 2
_COLON = re.compile(r"\s*:\s*")
_DECORATION = re.compile(r"[\s*_#\[\]()<>«»\"“”|–—.]+")


@dataclass(frozen=True, slots=True)
class Markings:
    """The phrases that make a marking line, folded (see `_folded`)."""

    prefixes: frozenset[str]
    phrases: Mapping[str, Level]
    """After a prefix."""
    stand_alone: Mapping[str, Level]
    """Alone on a line."""

    @classmethod
    def load(cls, path: Path) -> Markings:
        """The markings in the TOML file at `path`. Raises ConfigurationError naming file, key and value."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"{path}: the markings cannot be read ({reason}); correct labelling.markings in the instance file, or the file"
            ) from error
        levels = table.get("levels", {})
        if not isinstance(levels, dict) or not levels:
            raise ConfigurationError(f"{path}: levels: name at least one level, as in [levels.internal]")
        phrases: dict[str, Level] = {}
        stand_alone: dict[str, Level] = {}
        for name, entry in levels.items():
            level = _level(path, name)
            _add(phrases, _texts(path, entry, f"levels.{name}", "phrases"), level, path)
            _add(stand_alone, _texts(path, entry, f"levels.{name}", "stand_alone"), level, path)
        prefixes = frozenset(_folded(text) for text in _texts(path, table, "(top level)", "prefixes"))
        return cls(prefixes, phrases, stand_alone)

    def levels_in(self, text: str) -> tuple[Level, ...]:
        """The different levels that the marking lines of `text` name, lowest first.

        Lines near the beginning count, and lines that come back further on, as those in headers and footers do.
        """
        found: set[Level] = set()
        seen_later: dict[Level, int] = {}
        position = 0
        for line in text.splitlines(keepends=True):
            level = self._level_of(line)
            if level is not None and position < _BEGINNING_CHARS:
                found.add(level)
            elif level is not None:
                seen_later[level] = seen_later.get(level, 0) + 1
            position += len(line)
        found.update(level for level, times in seen_later.items() if times >= _REPEATED_ON_PAGES)
        return tuple(sorted(found))

    def _level_of(self, line: str) -> Level | None:
        if not line.strip() or len(line) > _LONGEST_MARKING:
            return None
        whole = _folded(line)
        alone = self.stand_alone.get(whole)
        if alone is not None:
            return alone
        for folded in map(_folded, line.split("|")) if "|" in line else (whole,):
            prefix, colon, phrase = folded.partition(":")
            if colon and prefix.strip() in self.prefixes:
                return self._after_prefix(phrase.strip())
        return None

    def _after_prefix(self, phrase: str) -> Level:
        # A marking in words nobody configured must not pass for "unmarked": it counts as the highest there is.
        return self.phrases.get(phrase, max(Level))


def decide_label(
    text: str,
    *,
    sidecar_label: str | None,
    given_label: Label | None,
    markings: Markings,
    unmarked: Label | None,
) -> Label:
    """The label that every source which says something agrees on; `unmarked` when none says anything.

    Raises Unlabelled when sources disagree, when a label is not well formed, or when nothing is said and `unmarked`
    is None.
    """
    levels = markings.levels_in(text)
    try:
        return _decided(levels, sidecar_label, given_label, unmarked)
    except Unlabelled as error:
        labels = (*map(Label, levels), *labels_in(sidecar_label), *([given_label] if given_label else []))
        raise Unlabelled(str(error), at_least=above_all(labels)) from error


def above_all(labels: Iterable[Label]) -> str:
    """The canonical label that dominates all of these; empty for none."""
    found = list(labels)
    return str(functools.reduce(Label.join, found)) if found else ""


def labels_in(text: str | None) -> tuple[Label, ...]:
    """The label that `text` is, if it is one."""
    try:
        return (Label.parse(text),) if text else ()
    except ConfigurationError:
        return ()


def _decided(
    levels: Sequence[Level], sidecar_label: str | None, given_label: Label | None, unmarked: Label | None
) -> Label:
    if len(levels) > 1:
        names = " and ".join(_name(level) for level in levels)
        raise Unlabelled(f"its marking lines disagree: {names}; mend the document or hand it in in parts")
    said = [("the sidecar", _parsed(sidecar_label))] if sidecar_label is not None else []
    if given_label is not None:
        said.append(("the archivist", given_label))
    label = _agreed(said)
    if not levels:
        return _or_unmarked(label, unmarked)
    if label is None:
        return Label(levels[0])
    if label.level != levels[0]:
        source = said[0][0]
        raise Unlabelled(
            f"the marking line says {_name(levels[0])} and {source} says {label}: they disagree; "
            "mend one of them and hand the document in again"
        )
    return label


def _agreed(said: list[tuple[str, Label]]) -> Label | None:
    if not said:
        return None
    if any(label != said[0][1] for _, label in said):
        views = " and ".join(f"{source} says {label}" for source, label in said)
        raise Unlabelled(f"{views}: they disagree; mend one of them and hand the document in again")
    return said[0][1]


def _or_unmarked(label: Label | None, unmarked: Label | None) -> Label:
    if label is not None:
        return label
    if unmarked is not None:
        return unmarked
    raise Unlabelled("it carries no marking line and no label was given; hand it in again with a label")


def _parsed(text: str) -> Label:
    try:
        return Label.parse(text)
    except ConfigurationError as error:
        raise Unlabelled(f"the sidecar's label cannot be used: {error}") from error


def _name(level: Level) -> str:
    return level.name.lower()


def _folded(text: str) -> str:
    """`text` without case, accents, Arabic letter variants, decoration and double spaces; every colon is ':'."""
    plain = search_form(text, "ar").casefold()
    if not plain.isascii():
        plain = "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFD", plain)))
    if ":" in plain:
        plain = _COLON.sub(":", plain)
    return _DECORATION.sub(" ", plain).strip()


def _level(path: Path, name: str) -> Level:
    try:
        return Level[name.upper()]
    except KeyError:
        known = ", ".join(_name(level) for level in Level)
        raise ConfigurationError(f"{path}: levels.{name}: there is no such level; use one of {known}") from None


def _texts(path: Path, entry: object, where: str, key: str) -> list[str]:
    values = entry.get(key, []) if isinstance(entry, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise ConfigurationError(f"{path}: {where}.{key} {values!r}: write a list of texts")
    return values


def _add(phrases: dict[str, Level], texts: Iterable[str], level: Level, path: Path) -> None:
    for text in texts:
        folded = _folded(text)
        if phrases.setdefault(folded, level) != level:
            raise ConfigurationError(f"{path}: {text!r} stands under two levels; keep it under one")
