"""How many tokens texts have for an encoder, counted from the words it has met before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_COUNTS_KEPT = 20_000
_WORDS_KEPT, _LONGEST_KEPT = 50_000, 40
"""Words whose tokens are remembered, and the letters of the longest: a file may consist of endless ones."""
_WORD_PIECES = ("BertNormalizer", "BertPreTokenizer", "WordPiece")
"""Normaliser, pre-tokeniser and model of tokenizers that cut at white space first: a count is the sum over the words."""
_SENTENCE_PIECES = ("Metaspace", "Unigram")
"""Pre-tokeniser and model of those that cut at the spaces of the normalised text."""
_NORMALISES_WORD_BY_WORD = frozenset({"Nmt", "NFKC", "NFC", "Replace", "Precompiled", "Sequence"})
_SPACE_MARK = "▁"

_Words = Callable[[str], Sequence[str] | None]
"""The words whose counts add up to that of a text; None where they do not."""


class TokenCounts:
    """How many tokens texts have after `prompt`, special ones included, by a tokenizer that neither cuts nor pads.

    A passage is counted when it is cut, sentence by sentence, and again when it is embedded. So texts are remembered and,
    where a count is the sum over the words, words: counting a text of known words takes a tenth of tokenising it.
    """

    def __init__(self, tokenizer: Tokenizer, *, prompt: str = "") -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._words_of = _cutting(tokenizer) if not prompt or prompt.endswith(" ") else None
        self._before = len(tokenizer.encode(prompt.rstrip()).ids)
        self._texts: dict[int, int] = {}
        self._words: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Tokens of one text."""
        key = hash(text)
        count = self._texts.get(key)
        if count is None:
            words = self._words_of(text) if self._words_of and text else None
            count = len(self._tokenizer.encode(self._prompt + text).ids) if words is None else self._sum(words)
            if len(self._texts) >= _COUNTS_KEPT:
                self._texts.clear()
            self._texts[key] = count
        return count

    def _sum(self, words: Sequence[str]) -> int:
        counts = [*map(self._words.get, words)]
        if None not in counts:
            return self._before + sum(counts)  # type: ignore[arg-type]  # none is None
        missing = list({word for word, count in zip(words, counts, strict=True) if count is None})
        pieces = Counter(self._tokenizer.encode(missing, is_pretokenized=True, add_special_tokens=False).word_ids)
        counted = {word: pieces[place] for place, word in enumerate(missing)}
        if len(self._words) >= _WORDS_KEPT:
            self._words.clear()
        self._words.update({word: count for word, count in counted.items() if len(word) <= _LONGEST_KEPT})
        return self._before + sum(
            counted[word] if count is None else count for word, count in zip(words, counts, strict=True)
        )


def _cutting(tokenizer: Tokenizer) -> _Words | None:
    """How this tokenizer's texts are cut into words that count by themselves; None where it is not known to be so."""
    parts = json.loads(tokenizer.to_str())
    normalizer, pre_tokenizer, model = (parts[part] or {} for part in ("normalizer", "pre_tokenizer", "model"))
    added = tuple(token["content"] for token in parts["added_tokens"])
    kinds = (pre_tokenizer.get("type"), model.get("type"))
    if (normalizer.get("type"), *kinds) == _WORD_PIECES and not any(" " in token for token in added):
        # At these two only: what else Python calls white space, such as U+0085, the tokenizer may drop, joining what it parted.
        return lambda text: text.replace("\n", " ").split(" ")
    if (
        kinds == _SENTENCE_PIECES
        and pre_tokenizer.get("prepend_scheme") == "always"
        and pre_tokenizer.get("split")
        and _NORMALISES_WORD_BY_WORD.issuperset(_kinds(normalizer))
    ):
        return _words_of_sentence_pieces(tokenizer, added)
    return None


def _kinds(normalizer: dict[str, Any]) -> Iterator[str]:
    yield normalizer.get("type", "")
    for part in normalizer.get("normalizers", ()):
        yield from _kinds(part)


def _words_of_sentence_pieces(tokenizer: Tokenizer, added: Sequence[str]) -> _Words:
    normalizer = tokenizer.normalizer

    def words(text: str) -> Sequence[str] | None:
        # Tokens of the tokenizer's own are found before the text is normalised.
        if _SPACE_MARK in text or any(token in text for token in added):
            return None
        plain = normalizer.normalize_str(text).lstrip(" ")
        whole = not plain or plain.endswith(" ") or "  " in plain or _SPACE_MARK in plain
        return None if whole else plain.split(" ")

    return words
