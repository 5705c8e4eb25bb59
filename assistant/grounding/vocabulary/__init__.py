"""Words of administrative language that mean the same, exclude each other, or name persons and bodies.

One file for each language.
The files are written by hand, from the language and not from the sets that measure the check.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from assistant.grounding.folding import folded
from assistant.grounding.stems import stem

Phrase = tuple[str, ...]
_ARABIC_ARTICLE = re.compile(r"^[وف]?(?:[بك]?ال|لل|[بلك](?=[ء-ي]{4}))")


@dataclass(slots=True)
class Vocabulary:
    """What is known of the words of one language. Words are folded; phrases are the stems of their words."""

    language: str
    stop: frozenset[str]
    light: frozenset[str]
    meanings: dict[Phrase, set[str]] = field(default_factory=dict)
    """Names of the lines of synonyms in which a word or phrase stands."""
    sides: dict[Phrase, set[tuple[int, bool]]] = field(default_factory=dict)
    """(pair of opposites, whether on its left side)."""
    roles: dict[str, str] = field(default_factory=dict)
    """What person or body a word form names."""
    longest: int = 1

    def role(self, word: str) -> str:
        """The person or body that a folded word names; empty for none."""
        return self.roles.get(word) or self.roles.get(_bare_noun(word), "")


@cache
def vocabulary(language: str) -> Vocabulary:
    """The vocabulary of `fr`, `ar` or `en`; that of another language is empty."""
    source = files(__package__).joinpath(f"{language}.toml")
    if not source.is_file():
        return Vocabulary(language, frozenset(), frozenset())
    tables = tomllib.loads(source.read_text(encoding="utf-8"))
    words = Vocabulary(
        language,
        frozenset(folded(tables["stop"]).text.split()),
        frozenset(stem(word, language) for word in folded(tables["light"]).text.split()),
    )
    for number, line in enumerate(tables["synonyms"]):
        for phrase in _phrases(line, language):
            words.meanings.setdefault(phrase, set()).add(f"m{number}")
    for number, sides in enumerate(tables["opposites"]):
        for left, line in ((True, sides[0]), (False, sides[1])):
            for phrase in _phrases(line, language):
                words.sides.setdefault(phrase, set()).add((number, left))
    for number, line in enumerate(tables["roles"]):
        for word in folded(line).text.split():
            words.roles.setdefault(word, f"r{number}")
    words.longest = max(map(len, (*words.meanings, *words.sides)), default=1)
    return words


def _phrases(line: str, language: str) -> Sequence[Phrase]:
    return [
        tuple(stem(word, language) for word in re.findall(r"[^\W_]+", entry)) for entry in folded(line).text.split()
    ]


def _bare_noun(word: str) -> str:
    if "\u0600" <= word[0] <= "\u06ff":
        bare = _ARABIC_ARTICLE.sub("", word)
        return bare if len(bare) > 2 else word
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
