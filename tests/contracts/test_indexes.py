from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.embedding import Embedder, HashEmbedder
from assistant.index import PassageIndex
from assistant.index.edge import EdgePassageIndex
from assistant.testing import IndexContract


class TestEdgePassageIndex(IndexContract):
    @pytest.fixture(autouse=True)
    def _opened(self, tmp_path: Path) -> Iterator[None]:
        self._embedder = HashEmbedder()
        self._index = EdgePassageIndex.open(
            tmp_path, embedder_fingerprint=self._embedder.fingerprint, dimension=self._embedder.dimension
        )
        yield
        self._index.close()

    def index(self) -> PassageIndex:
        return self._index

    def embedder(self) -> Embedder:
        return self._embedder


class TestEdgePassageIndexApproximate(TestEdgePassageIndex):
    @pytest.fixture(autouse=True)
    def _opened(self, tmp_path: Path) -> Iterator[None]:
        self._embedder = HashEmbedder()
        self._index = EdgePassageIndex.open(
            tmp_path,
            embedder_fingerprint=self._embedder.fingerprint,
            dimension=self._embedder.dimension,
            exact_below=0,
        )
        yield
        self._index.close()
