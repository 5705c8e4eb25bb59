"""Who may read what.

The rules, in full:

1. Every passage carries a `Label`: a level, and a set of compartments (possibly empty).
2. Every reader is a `Principal` with a clearance, which is a label as well.
3. A principal may read a label when the clearance *dominates* it: level at least as high, and every compartment held.
4. Dominance is a partial order. Two labels can be incomparable; then neither reads the other.
5. What an index stores is the label's canonical string. A missing or unknown string is readable by nobody.
6. An answer's label is the join of the labels it used: the lowest label that dominates them all.

There is no anonymous principal and no "system" principal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from assistant.errors import ConfigurationError

_COMPARTMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Level(IntEnum):
    """Ordered sensitivity; a higher number is more sensitive."""

    PUBLIC = 0
    INTERNAL = 1
    RESTRICTED = 2
    SECRET = 3


@dataclass(frozen=True, slots=True)
class Label:
    """A level and the compartments a reader must hold.

    >>> str(Label(Level.INTERNAL, frozenset({"tax", "health"})))
    'internal/health,tax'
    >>> Label.parse("internal/health,tax").dominates(Label(Level.PUBLIC))
    True
    """

    level: Level
    compartments: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in self.compartments:
            if not _COMPARTMENT.fullmatch(name):
                raise ConfigurationError(
                    f"compartment {name!r} is not usable; write lower-case letters, digits and hyphens (at most 64)"
                )

    @classmethod
    def parse(cls, text: str) -> Label:
        """The label whose canonical string is `text`, as in `internal` or `internal/health,tax`.

        Raises ConfigurationError when the level is unknown or a compartment is not well formed.
        """
        level_name, _, compartments = text.strip().partition("/")
        try:
            level = Level[level_name.strip().upper()]
        except KeyError:
            known = ", ".join(level.name.lower() for level in Level)
            raise ConfigurationError(f"label {text!r} has no known level; use one of {known}") from None
        names = frozenset(part.strip() for part in compartments.split(",") if part.strip())
        return cls(level, names)

    def __str__(self) -> str:
        level = self.level.name.lower()
        return f"{level}/{','.join(sorted(self.compartments))}" if self.compartments else level

    def dominates(self, other: Label) -> bool:
        """True when a reader cleared for `self` may read what is labelled `other`."""
        return self.level >= other.level and self.compartments >= other.compartments

    def join(self, other: Label) -> Label:
        """The lowest label that dominates both."""
        return Label(max(self.level, other.level), self.compartments | other.compartments)


def join_labels(labels: Iterable[Label]) -> Label:
    """The lowest label that dominates all of `labels`; public when there are none."""
    joined = Label(Level.PUBLIC)
    for label in labels:
        joined = joined.join(label)
    return joined


class Role(IntEnum):
    """What a principal may do. Rights are not cumulative: each role is granted by name."""

    READER = 1
    ARCHIVIST = 2
    OPERATOR = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """A reader known to the service. Made by sign-in only; never optional, never defaulted."""

    id: str
    roles: frozenset[Role]
    clearance: Label

    def may_read(self, label: Label) -> bool:
        """True when this principal's clearance dominates `label`."""
        return self.clearance.dominates(label)


def readable_labels(principal: Principal, stored: Iterable[str]) -> tuple[str, ...]:
    """Those of the `stored` canonical label strings that `principal` may read, sorted.

    A string that does not parse is readable by nobody.
    """
    readable = []
    for text in set(stored):
        try:
            label = Label.parse(text)
        except ConfigurationError:
            continue
        if str(label) == text and principal.may_read(label):
            readable.append(text)
    return tuple(sorted(readable))
