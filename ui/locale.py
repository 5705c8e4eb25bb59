"""The page's words in each language, and which language a reader meets first."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TypeAlias

from assistant import reasons

LANGUAGES = ("fr", "ar", "en")
FALLBACK = "fr"

Words: TypeAlias = "dict[str, str | list[str] | Words]"

_FOLDER = Path(__file__).with_name("locales")


@cache
def words(language: str) -> Words:
    """All words of the page in `language`, nested as in `locales/<language>.toml`, with those for reasons and warnings."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return {**tomllib.load(file), **reasons.words(language)}


def all_words() -> dict[str, Words]:
    """The words of every language, so that the page can switch without asking again."""
    return {language: words(language) for language in LANGUAGES}


def patterns() -> dict[str, list[tuple[str, str, bool]]]:
    """How recorded reasons and warnings are recognised, as JavaScript writes patterns: entry, pattern, hidden or not."""
    tables = {table: reasons.patterns(table) for table in ("cause", "category", "remark")}
    return {
        table: [(each.key, each.says.replace("(?P<", "(?<"), each.hidden) for each in entries]
        for table, entries in tables.items()
    }


def language_of_request(*wishes: str | None) -> str:
    """The first language we speak among `wishes`, each a code or an `Accept-Language` list; French when none is.

    >>> language_of_request(None, "xx", "de-DE,ar;q=0.8,en;q=0.5")
    'ar'
    """
    for wish in wishes:
        for part in (wish or "").split(","):
            code = part.split(";")[0].strip().lower()[:2]
            if code in LANGUAGES:
                return code
    return FALLBACK
