"""BM25 term weights per language: what the word index stores and what a question looks up in it.

Terms are numbers (hashes made by Qdrant Edge's `Bm25`). A text yields two kinds of them: stemmed words without stop words,
and character 4-grams, which find what a stemmer misses (compounds, spelling, scripts that glue words together). Inverse
document frequency is not in here: it depends on who asks, so the index applies it per search.

Figures, nDCG@10 of BM25 alone (2026-11-22; fr-piaf, ar-xquad, en-medquad), words only → with 4-grams at weight 0.25:
0.809 → 0.831, 0.942 → 0.960, 0.467 → 0.475.

Of `qdrant_edge` this module imports `Bm25` and its settings only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.language import search_form

if TYPE_CHECKING:
    from qdrant_edge import Bm25

K1 = 1.2
B = 0.75
"""k1 and b as in Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.5."""
AVERAGE_WORDS = 120
"""Words in an average passage; between 80 and 200 no set of ours moves by more than 0.004 (2026-11-22)."""
GRAM_LENGTH = 4
GRAM_WEIGHT = 0.25
"""Of one 4-gram beside one word; 0.15 to 0.5 differ by less than 0.003 on all three sets (2026-11-22)."""

LEXICON_VERSION = "words+4-grams/1"
"""Stored with an index: raise it with any change that gives a stored text other terms or weights."""

_ANALYSERS = {"fr": "french", "ar": "arabic", "en": "english"}
_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_ARABIC_VARIANTS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬یک", "01234567890123456789.,يك")


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
        self._neutral = _unstemmed(AVERAGE_WORDS)
        self._grams = _unstemmed(AVERAGE_WORDS * 5)

    def document_vector(self, text: str, language: str) -> SparseTerms:
        """Term-frequency weights of a passage: words, and 4-grams at `GRAM_WEIGHT`."""
        words = self._analyser(language).embed_document(_word_form(text, language))
        grams = self._grams.embed_document(_grams(text, language))
        weights = dict(zip(grams.indices, (GRAM_WEIGHT * value for value in grams.values), strict=True))
        weights.update(zip(words.indices, words.values, strict=True))
        return SparseTerms(tuple(weights), tuple(weights.values()))

    def query_terms(self, text: str, language: str) -> frozenset[int]:
        """The content words of `text`, as terms. Empty when it has none."""
        return frozenset(self._analyser(language).embed_query(_word_form(text, language)).indices)

    def search_terms(self, text: str, language: str) -> frozenset[int]:
        """What a search looks up: the content words and the 4-grams of `text`."""
        return self.query_terms(text, language) | self.grams(text, language)

    def grams(self, text: str, language: str) -> frozenset[int]:
        """The 4-grams of `text` alone."""
        return frozenset(self._grams.embed_query(_grams(text, language)).indices)

    def _analyser(self, language: str) -> Bm25:
        return self._words.get(language, self._neutral)


def _word_analyser(language: str) -> Bm25:
    from qdrant_edge import Bm25, Bm25Config

    return Bm25(Bm25Config(language=_ANALYSERS[language], k=K1, b=B, avg_len=AVERAGE_WORDS, ascii_folding=True))


def _unstemmed(average_terms: int) -> Bm25:
    from qdrant_edge import Bm25, Bm25Config, DisabledStemmer, StopwordsSet, TokenizerType

    return Bm25(
        Bm25Config(
            k=K1,
            b=B,
            avg_len=average_terms,
            ascii_folding=True,
            stemmer=DisabledStemmer(),
            stopwords=StopwordsSet(),
            tokenizer=TokenizerType.Whitespace,
        )
    )


def _word_form(text: str, language: str) -> str:
    """The text as the word analyser of its language wants it.

    Edge's Arabic stemmer and stop words expect unfolded letters and fold them themselves: `search_form` before it costs
    1.5 points of nDCG@10 on ar-xquad (0.926 instead of 0.942), because teh marbuta and the stop words are lost.
    """
    if language != "ar":
        return search_form(text, language)
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_ARABIC_VARIANTS)


def _grams(text: str, language: str) -> str:
    """The 4-grams of each word, the word's edges marked; `#` keeps them apart from words of four letters."""
    grams = []
    for word in _WORD.findall(search_form(text, language).lower()):
        edged = f"_{word}_"
        grams += [f"#{edged[i : i + GRAM_LENGTH]}" for i in range(max(1, len(edged) - GRAM_LENGTH + 1))]
    return " ".join(grams)
