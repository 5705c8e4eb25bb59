"""Words that may stand for one another, as terms: people ask for the "salaire", the guide speaks of the "paie".

The lists are in `synonyms.toml`. They count where evidence is weighed (`relevance`); a search does not use them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from assistant.lexical import Lexicon

_FILE = Path(__file__).with_suffix(".toml")


@lru_cache(maxsize=16)
def synonyms(language: str, lexicon: Lexicon) -> Mapping[int, frozenset[int]]:
    """Term of a word → terms of the words that may stand for it; empty for a language without a list.

    >>> lexicon = Lexicon(("fr",))
    >>> [of] = lexicon.query_terms("salaires", "fr")
    >>> lexicon.query_terms("paie", "fr") <= synonyms("fr", lexicon)[of]
    True
    """
    found: dict[int, frozenset[int]] = {}
    for line in _lines().get(language, "").splitlines():
        terms = lexicon.query_terms(line, language)
        for term in terms:
            found[term] = found.get(term, frozenset()) | (terms - {term})
    return found


@lru_cache(maxsize=1)
def _lines() -> dict[str, str]:
    return {name: str(lines) for name, lines in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()}
