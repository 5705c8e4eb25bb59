from __future__ import annotations

from functools import cache

from assistant.embedding import (
    Embedder,
    HashEmbedder,
    LazyEmbedder,
    SentenceTransformerEmbedder,
)
from assistant.testing import EmbedderContract
from tests.encoders import minilm_folder


@cache
def _minilm() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(minilm_folder(), dense_weights={}, threads=2)


@cache
def _lazy() -> LazyEmbedder:
    return LazyEmbedder(minilm_folder(), dense_weights={}, threads=2)


class TestHashEmbedder(EmbedderContract):
    def make(self) -> Embedder:
        return HashEmbedder()


class TestSentenceTransformerEmbedder(EmbedderContract):
    def make(self) -> Embedder:
        return _minilm()


class TestLazyEmbedder(EmbedderContract):
    def make(self) -> Embedder:
        return _lazy()
