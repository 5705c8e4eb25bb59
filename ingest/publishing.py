"""From a document to what can be asked: split → embed → archive → index. The one way into archive and index.

Everything here can be repeated: ids are deterministic, and writing the same document twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from assistant.archive import Archive
from assistant.embedding import LEAST_DENSE_WEIGHT, Embedder
from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.index import PassageIndex
from assistant.types import Document
from ingest.side_effects import side_effect
from ingest.splitting import split


class Publisher:
    """Puts documents where readers find them, one version at a time."""

    def __init__(
        self,
        archive: Archive,
        index: PassageIndex,
        embedder: Callable[[], Embedder],
        *,
        passage_chars: int,
        keeps_older: Callable[[str], bool] = lambda _: False,
        past_versions: Callable[[str], Collection[str]] = lambda _: (),
        retiring: Callable[[str], None] = lambda _: None,
        sparing: Callable[[str], AbstractContextManager[Callable[[str], bool]]] = lambda _: nullcontext(
            lambda _: False
        ),
        changed: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._archive = archive
        self._index = index
        self._embedder = embedder
        self._passage_chars = passage_chars
        self._keeps_older = keeps_older
        self._past_versions = past_versions
        self._retiring = retiring
        self._sparing = sparing
        self._changed = changed

    def publish(self, document: Document, *, before: Callable[[], None] = lambda: None) -> int:
        """Archive and index a document; the number of passages, which is the number the index holds.

        `before` is called once everything is computed and nothing written; what it raises stops the work.

        Raises ServiceUnavailable when the index holds another number than planned.
        """
        with self._index.steady():
            embedder = self._embedder()
            # Where the encoder is of no use, its window must not cut the passages short.
            read_by_encoder = embedder.dense_weight(document.language) >= LEAST_DENSE_WEIGHT
            fits = embedder.fits if read_by_encoder else lambda _: True
            passages = split(document, fits=fits, max_chars=self._passage_chars)
            vectors = self._vectors(document.id, [passage.embedded_text() for passage in passages], embedder)
            before()
            side_effect("archive.put")
            self._archive.put(document)
            side_effect("index.replace")
            stored = self._index.replace(document.id, document.version, passages, vectors)
        self._changed(len(passages))
        if stored != len(passages):
            raise ServiceUnavailable(f"the index holds {stored} of {len(passages)} passages")
        side_effect("archive.keep_only")
        self._retire_others(document.id, document.version)
        return len(passages)

    def withdraw(self, document_id: str, *, keep_version: str) -> int:
        """Take an earlier version out of the answers; the original bytes of `keep_version` stay. How many passages went.

        What text remains in the archive is for archivists until it is published again. What is left of it elsewhere goes too when
        a process died between the steps.
        """
        side_effect("index.remove")
        removed = self._index.remove(document_id)
        self._changed(removed)
        side_effect("archive.keep_only")
        self._retire_others(document_id, keep_version)
        self._archive.supersede(document_id, "")
        return removed

    def _retire_others(self, document_id: str, version: str) -> None:
        """Remove the other versions from the archive, or leave them to archivists where they are kept."""
        self._retiring(document_id)
        if self._keeps_older(document_id):
            self._archive.supersede(document_id, version)
        else:
            with self._sparing(document_id) as needed:
                self._archive.keep_only(document_id, version, past=self._past_versions(document_id), spare=needed)

    def _vectors(self, document_id: str, texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
        """A row for each text; only those that this document did not hold before are embedded."""
        known = self._index.vectors(document_id)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        try:
            known.update(zip(missing, embedder.embed_passages(missing), strict=True))
        except (
            ConfigurationError
        ) as error:  # the model went after the start; it is the operator's to put back, not the file's fault
            raise ServiceUnavailable(str(error)) from error
        rows = [known[text] for text in texts]
        return np.stack(rows) if rows else np.zeros((0, embedder.dimension), dtype=np.float32)
