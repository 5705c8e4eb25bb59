"""What is stored with each passage, and with the index as a whole."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.access import Label
from assistant.durable import write_json_durably
from assistant.errors import AccessViolation, ConfigurationError, IndexMismatch
from assistant.lexical import LEXICON_VERSION
from assistant.sealing import Keyring
from assistant.types import Passage, Span

SCHEMA_VERSION = 4

LABEL = "label"
DOCUMENT = "document_id"
VERSION = "version"
LANGUAGE = "language"
SEALED = "sealed"
"""Everything a person could read, under the document's own key: erasing a document destroys the key."""
SUPERSEDED = "superseded"
"""Stands where the label was on a passage about to be deleted. It parses as no label, so nobody may read it."""


def payload(passage: Passage, keyring: Keyring) -> dict[str, Any]:
    """The stored fields of a passage; the label as its canonical string, the words sealed."""
    words = {
        "title": passage.title,
        "file_name": passage.file_name,
        "text": passage.text,
        "headings": list(passage.headings),
        "date": passage.date,
        "document_type": passage.document_type,
    }
    clear = json.dumps(words, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return {
        LABEL: str(passage.label),
        DOCUMENT: passage.document_id,
        VERSION: passage.version,
        "start": passage.span.start,
        "end": passage.span.end,
        "page_numbers": list(passage.page_numbers),
        LANGUAGE: passage.language,
        SEALED: b64encode(keyring.seal(passage.document_id, clear, place=passage.id)).decode("ascii"),
    }


def stored_passage(passage_id: str, stored: Mapping[str, Any], keyring: Keyring) -> Passage:
    """The passage that was stored under this id.

    Raises AccessViolation when it has no well-formed label: such a point must not have been found at all; SealBroken when its
    words cannot be read any more.
    """
    try:
        label = Label.parse(str(stored.get(LABEL, "")))
    except ConfigurationError as error:
        raise AccessViolation(f"passage {passage_id} was found without a usable label") from error
    clear = keyring.unseal(stored[DOCUMENT], b64decode(stored[SEALED]), place=passage_id)
    words = json.loads(clear.decode("utf-8", "surrogatepass"))
    return Passage(
        id=passage_id,
        document_id=stored[DOCUMENT],
        version=stored[VERSION],
        title=words["title"],
        file_name=words["file_name"],
        span=Span(stored["start"], stored["end"]),
        text=words["text"],
        page_numbers=tuple(stored["page_numbers"]),
        headings=tuple(words["headings"]),
        label=label,
        language=stored[LANGUAGE],
        date=words["date"],
        document_type=words["document_type"],
    )


@dataclass(frozen=True, slots=True)
class IndexIdentity:
    """What an index was built with; another encoder or analyser cannot search it."""

    schema: int
    lexicon: str
    embedder: str
    dimension: int

    @classmethod
    def of(cls, embedder_fingerprint: str, dimension: int) -> IndexIdentity:
        """The identity that this code and this encoder give an index."""
        return cls(SCHEMA_VERSION, LEXICON_VERSION, embedder_fingerprint, dimension)

    def claim(self, file: Path) -> None:
        """Write the identity to `file`, or check that it is the one written there.

        Raises IndexMismatch when it is another, ConfigurationError when the file cannot be read.
        """
        if not file.exists():
            write_json_durably(file, asdict(self))
            return
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{file}: damaged; {REBUILD}") from error
        for name, expected in asdict(self).items():
            if not isinstance(found, dict) or found.get(name) != expected:
                raise IndexMismatch(f"{file}: the index was built with another {name}; {REBUILD}")


REBUILD = "run `assistant index rebuild` and start again: the documents are indexed anew from the archive"


def require_consistent(
    document_id: str, version: str, passages: Sequence[Passage], vectors: NDArray[np.float32], dimension: int
) -> None:
    """Raises ValueError when passages and vectors do not belong together, or not to this version."""
    if vectors.shape != (len(passages), dimension):
        raise ValueError(f"vectors are {vectors.shape}, expected {(len(passages), dimension)}")
    if not np.isfinite(vectors).all():
        raise ValueError("a vector has a value that is not a number")
    if any((passage.document_id, passage.version) != (document_id, version) for passage in passages):
        raise ValueError(f"not every passage is of document {document_id}, version {version}")
