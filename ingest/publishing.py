"""From a document to what can be asked: split → embed → archive → index. The one way into archive and index.

Everything here can be repeated: ids are deterministic, and writing the same document twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant.archive import Archive
from assistant.embedding import LEAST_DENSE_WEIGHT, Embedder
from assistant.errors import ServiceUnavailable
from assistant.index import PassageIndex
from assistant.types import Document
from ingest.side_effects import side_effect
from ingest.splitting import split


class Publisher:
    """Puts documents where readers find them, one version at a time."""

    def __init__(
        self, archive: Archive, index: PassageIndex, embedder: Callable[[], Embedder], *, passage_chars: int
    ) -> None:
        self._archive = archive
        self._index = index
        self._embedder = embedder
        self._passage_chars = passage_chars

    def publish(self, document: Document) -> int:
        """Archive and index a document; the number of passages, which is the number the index holds.

        Raises ServiceUnavailable when the index holds another number than planned.
        """
        embedder = self._embedder()
        # Where the encoder is of no use, its window must not cut the passages short.
        read_by_encoder = embedder.dense_weight(document.language) >= LEAST_DENSE_WEIGHT
        fits = embedder.fits if read_by_encoder else lambda _: True
        passages = split(document, fits=fits, max_chars=self._passage_chars)
        vectors = embedder.embed_passages([passage.embedded_text() for passage in passages])
        side_effect("archive.put")
        self._archive.put(document)
        side_effect("index.replace")
        stored = self._index.replace(document.id, document.version, passages, vectors)
        if stored != len(passages):
            raise ServiceUnavailable(f"the index holds {stored} of {len(passages)} passages")
        side_effect("archive.keep_only")
        self._archive.keep_only(document.id, document.version)
        return len(passages)

    def withdraw(self, document_id: str, *, keep_version: str) -> int:
        """Take an earlier version out of the answers; the original bytes of `keep_version` stay. How many passages went.

        What is left of it in the archive goes too when a process died between the two.
        """
        side_effect("index.remove")
        removed = self._index.remove(document_id)
        side_effect("archive.keep_only")
        self._archive.keep_only(document_id, keep_version)
        return removed
