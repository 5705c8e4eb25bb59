"""An encoder for ingestion that lets questions go first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import BATCH_TOKENS, Embedder, batch_size
from assistant.precedence import Precedence

_SMALL_BATCH_TOKENS = 768
"""The encoder has another lane for questions; beside a small batch a question has more of the processor's caches and memory."""
_BUSY_FOR_S = 30.0
_AT_MOST_S = 1.0


class PatientEmbedder:
    """See `Embedder`. While questions come, passages are embedded a few at a time, and none while one is being answered."""

    def __init__(self, embedder: Embedder, questions: Precedence) -> None:
        self._embedder = embedder
        self._questions = questions

    @property
    def dimension(self) -> int:
        """See `Embedder`."""
        return self._embedder.dimension

    @property
    def fingerprint(self) -> str:
        """See `Embedder`."""
        return self._embedder.fingerprint

    @property
    def max_tokens(self) -> int:
        """See `Embedder`."""
        return self._embedder.max_tokens

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        lengths = [min(self.count_tokens(text), self.max_tokens) for text in texts]
        left = sorted(range(len(texts)), key=lengths.__getitem__)
        while left:
            self._questions.give_way(_AT_MOST_S)
            most = _SMALL_BATCH_TOKENS if self._questions.asked_within(_BUSY_FOR_S) else BATCH_TOKENS
            size = batch_size([lengths[number] for number in left], most)
            now, left = left[:size], left[size:]
            rows[now] = self._embedder.embed_passages([texts[number] for number in now])
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder`."""
        return self._embedder.embed_query(text)

    def count_tokens(self, text: str) -> int:
        """See `Embedder`."""
        return self._embedder.count_tokens(text)

    def fits(self, text: str) -> bool:
        """See `Embedder`."""
        return self._embedder.fits(text)

    def dense_weight(self, language: str) -> float:
        """See `Embedder`."""
        return self._embedder.dense_weight(language)
