"""BM25 term weights per language: what the word index stores and what a question looks up in it.

Terms are numbers (hashes made by Qdrant Edge's `Bm25`). A text yields four kinds of them: stemmed words without stop words;
pairs of neighbouring ones; character 4-grams, which find what a stemmer misses (compounds, spelling, scripts that glue words
together); and units, which match as a whole or not at all (`assistant.units`). Inverse document frequency is not in here: it
depends on who asks, so the index applies it per search.

Figures are in `docs/retrieval.md`. Of `qdrant_edge` this module imports `Bm25` and its settings only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant.language import search_form
from assistant.units import plain_form, units

if TYPE_CHECKING:
    from qdrant_edge import Bm25

K1, B = 0.9, 0.9
GRAM_K1, GRAM_B = 0.6, 0.9
"""k1 and b of Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.5, for words and pairs, and for
4-grams. Best on one half of the questions of all three sets, nDCG@10 on the other half (fr-piaf, ar-xquad, en-medquad) with 1.2
and 0.75 for both: 0.821, 0.962, 0.458; with these: 0.826, 0.964, 0.473 (2026-11-23). No language wants others."""
AVERAGE_WORDS = 120
"""Words in an average passage. A constant, since the true average would tell of passages that a reader may not see; it would
change nDCG@10 by -0.001, -0.001 and +0.003."""
AVERAGE_GRAMS = 5 * AVERAGE_WORDS
GRAM_LENGTH = 4
GRAM_WEIGHT = 0.3
PAIR_WEIGHT = 0.3
UNIT_WEIGHT = 3.0
"""Of one 4-gram, one pair, one unit beside one word. Without pairs -0.003, -0.002, -0.007 nDCG@10 (2026-11-23). Units change
nothing there; in passages that each head one reference and mention two more, the one asked for in another typography is among the
first three in 0.22 of the cases without them and 0.88 with them (dates 0.10 and 0.88; weight 1: 0.68 and 0.66; 4: as 3)."""

LEXICON_VERSION = "words+pairs+4-grams+units/2"
"""Stored with an index: raise it with any change that gives a stored text other terms or weights."""

_ANALYSERS = {"fr": "french", "ar": "arabic", "en": "english"}
_WORD = re.compile(r"\w+")
_WORDS_KEPT = 50_000
_LONGEST_KEPT = 40
"""Letters of the longest word in a text whose 4-grams are remembered: a file may consist of endless ones."""


@dataclass(frozen=True, slots=True)
class SparseTerms:
    """Term numbers, each once, and the weight of each; same order, same length."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class Lexicon:
    """Analyses texts in the given languages; other languages are indexed unstemmed.

    >>> lexicon = Lexicon(("fr", "en"))
    >>> lexicon.query_terms("les congés municipaux", "fr") == lexicon.query_terms("congé municipal", "fr")
    True
    """

    def __init__(self, languages: Iterable[str]) -> None:
        self._words = {language: _word_analyser(language) for language in languages if language in _ANALYSERS}
        self._neutral = _unstemmed(K1, B, AVERAGE_WORDS)
        self._grams = _unstemmed(GRAM_K1, GRAM_B, AVERAGE_GRAMS)
        self._stems = lru_cache(_WORDS_KEPT)(self._stems_of)

    def document_vector(self, text: str, language: str) -> SparseTerms:
        """Term weights of a passage: of words, of pairs, 4-grams and units by their share."""
        weights: dict[int, float] = {}
        form = search_form(text, language)
        word_form = _word_form(text, language, form)
        for analyser, terms, share in (
            (self._grams, _grams(form), GRAM_WEIGHT),
            (self._neutral, self._pairs(word_form, language), PAIR_WEIGHT),
        ):
            vector = analyser.embed_document(terms)
            weights.update(zip(vector.indices, [share * value for value in vector.values], strict=True))
        weights.update(dict.fromkeys(self.unit_terms(text), UNIT_WEIGHT))
        words = self._analyser(language).embed_document(word_form)
        weights.update(zip(words.indices, words.values, strict=True))
        return SparseTerms(tuple(weights), tuple(weights.values()))

    def query_terms(self, text: str, language: str) -> frozenset[int]:
        """The content words of `text`, as terms. Empty when it has none."""
        return frozenset(self._analyser(language).embed_query(_word_form(text, language)).indices)

    def search_terms(self, text: str, language: str) -> frozenset[int]:
        """What a search looks up: the content words, their pairs, the 4-grams and the units of `text`."""
        pairs = frozenset(self._neutral.embed_query(self._pairs(_word_form(text, language), language)).indices)
        return self.query_terms(text, language) | pairs | self.grams(text, language) | self.unit_terms(text)

    def grams(self, text: str, language: str) -> frozenset[int]:
        """The 4-grams of `text` alone."""
        return frozenset(self._grams.embed_query(_grams(search_form(text, language))).indices)

    def unit_terms(self, text: str) -> frozenset[int]:
        """The units of `text` alone."""
        return frozenset(self._neutral.embed_query(" ".join(f"={unit}" for unit in units(text))).indices)

    def _pairs(self, word_form: str, language: str) -> str:
        """Each two neighbouring content words as one term; `+` keeps them apart from words."""
        stems = [stem for word in _WORD.findall(word_form) for stem in self._stems(word, language)]
        return " ".join(f"{one}+{other}" for one, other in pairwise(stems))

    def _stems_of(self, word: str, language: str) -> tuple[int, ...]:
        return tuple(self._analyser(language).embed_query(word).indices)

    def _analyser(self, language: str) -> Bm25:
        return self._words.get(language, self._neutral)


def _word_analyser(language: str) -> Bm25:
    from qdrant_edge import Bm25, Bm25Config

    return Bm25(Bm25Config(language=_ANALYSERS[language], k=K1, b=B, avg_len=AVERAGE_WORDS, ascii_folding=True))


def _unstemmed(k1: float, b: float, average_terms: int) -> Bm25:
    from qdrant_edge import Bm25, Bm25Config, DisabledStemmer, StopwordsSet, TokenizerType

    return Bm25(
        Bm25Config(
            k=k1,
            b=b,
            avg_len=average_terms,
            ascii_folding=True,
            stemmer=DisabledStemmer(),
            stopwords=StopwordsSet(),
            tokenizer=TokenizerType.Whitespace,
        )
    )


def _word_form(text: str, language: str, form: str | None = None) -> str:
    """The text as the word analyser of its language wants it; `form` is its search form where that is known.

    Edge's Arabic stemmer and stop words expect unfolded letters and fold them themselves: `search_form` before it costs
    1.5 points of nDCG@10 on ar-xquad (0.926 instead of 0.942), because teh marbuta and the stop words are lost.
    """
    if language == "ar":
        return plain_form(text)
    return search_form(text, language) if form is None else form


def _grams(form: str) -> str:
    """The 4-grams of each word of a text in search form."""
    words = _WORD.findall(form.lower())
    remembered = max(map(len, words), default=0) <= _LONGEST_KEPT
    return " ".join(map(_grams_of if remembered else _grams_of.__wrapped__, words))


@lru_cache(_WORDS_KEPT)
def _grams_of(word: str) -> str:
    """The word's edges marked; `#` keeps its 4-grams apart from words of four letters."""
    edged = f"_{word}_"
    return " ".join(f"#{edged[i : i + GRAM_LENGTH]}" for i in range(max(1, len(edged) - GRAM_LENGTH + 1)))
