"""Why a document stands where it stands, in French, Arabic and English.

The ledger records reasons and warnings in English, once, as they are found. This says them again to whoever reads: the page and
the command line take their words from here. What has no words here is given as it was recorded.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assistant.types import LANGUAGES

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a recorded sentence is recognised, and the entry that says it."""

    key: str
    says: str
    hidden: bool = False
    """True for a warning of what somebody may have hidden on purpose."""


@cache
def patterns(table: str) -> tuple[Pattern, ...]:
    """The patterns of `cause`, `category` or `remark`; the first that fits counts."""
    return tuple(Pattern(**entry) for entry in _read("patterns")[table])


@cache
def words(language: str) -> dict[str, dict[str, str]]:
    """All sentences in `language`: by `category`, `cause` (which says more), `remark`, and the `remedy` of each."""
    tables: dict[str, dict[str, str]] = _read(language)
    return tables


def reason(recorded: str, category: str, language: str) -> str:
    """Why, in `language`; `recorded` itself where there are no words for it.

    >>> reason("a RAR archive is not read yet; unpack it and hand in its files", "unsupported_type", "fr")
    'C’est une archive RAR, qui n’est pas lue.'
    >>> reason("the file is empty", "empty_file", "ar")
    'الملف فارغ.'
    """
    return _told(recorded, "cause", language) or words(language)["category"].get(category) or recorded


def advice(recorded: str, language: str) -> str:
    """What to do about a reason that says more than its category, as a sentence; empty where nothing is said of that one alone.

    >>> advice("a RAR archive is not read yet; unpack it and hand in its files", "fr")
    'Décompressez-la et remettez les fichiers qu’elle contient.'
    """
    key = next((each.key for each in patterns("cause") if re.search(each.says, recorded)), "")
    said = words(language)["remedy"].get(key, "")
    return said[:1].upper() + said[1:]


def remark(recorded: str, language: str) -> str:
    """A warning in `language`; `recorded` itself where there are no words for it.

    >>> remark("page 3: OCR found no words", "en")
    'Page 3: no word was recognised.'
    """
    return _told(recorded, "remark", language) or recorded


def categories_saying(word: str, plain: Callable[[str], str]) -> tuple[str, ...]:
    """The categories whose sentence, in any language, holds `word`, both in the form that `plain` gives a text."""
    return tuple(
        dict.fromkeys(
            category
            for language in LANGUAGES
            for category, sentence in words(language)["category"].items()
            if word in plain(sentence)
        )
    )


def _told(recorded: str, table: str, language: str) -> str | None:
    for pattern in patterns(table):
        found = re.search(pattern.says, recorded)
        if found:
            return words(language)[table][pattern.key].format(**found.groupdict())
    return None


@cache
def _read(name: str) -> dict[str, Any]:
    with (_FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)
