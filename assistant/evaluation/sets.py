"""Retrieval sets in BEIR layout, and the temporary index they are measured on."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.index.edge import EdgePassageIndex
from assistant.language import detect_language
from assistant.types import Passage, Span, passage_id

VERSION = "1"
LABEL = Label(Level.INTERNAL, frozenset({"evaluation"}))
READER = Principal("evaluation", frozenset({Role.READER}), LABEL)


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Passages, queries by id, and for each query the ids of its relevant documents; one document is one passage."""

    name: str
    language: str
    passages: tuple[Passage, ...]
    queries: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]
    """Query id → document id → grade, positive grades only; only queries that have some are in `queries`."""


def load_set(folder: Path) -> RetrievalSet:
    """The set in `folder`: corpus.jsonl, queries.jsonl and qrels.tsv (query-id, corpus-id, score, with a header line).

    Raises ConfigurationError naming file and line when a file is missing or malformed.
    """
    queries = {str(line["_id"]): str(line["text"]) for line in _json_lines(folder / "queries.jsonl", {"_id", "text"})}
    relevant = _judgements(folder / "qrels.tsv")
    judged = {query_id: text for query_id, text in queries.items() if query_id in relevant}
    if not judged:
        raise ConfigurationError(
            f"{folder}: no query has a relevant document; check that queries and qrels belong together"
        )
    language = detect_language(" ".join(list(judged.values())[:50]))
    corpus = _json_lines(folder / "corpus.jsonl", {"_id", "text"})
    return RetrievalSet(folder.name, language, tuple(_passage(line, language) for line in corpus), judged, relevant)


def set_hash(folder: Path) -> str:
    """SHA-256 of the set's three files: equal when documents, questions and labels are equal."""
    digest = hashlib.sha256()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def indexed(collection: RetrievalSet, embedder: Embedder) -> Iterator[tuple[EdgePassageIndex, NDArray[np.float32]]]:
    """A temporary index of the set, readable by `READER`, and the vectors of its passages in their order."""
    vectors = embedder.embed_passages([passage.embedded_text() for passage in collection.passages])
    with tempfile.TemporaryDirectory(prefix="assistant-evaluation-") as folder:
        index = EdgePassageIndex.open(
            Path(folder), embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension
        )
        try:
            for passage, vector in zip(collection.passages, vectors, strict=True):
                index.replace(passage.document_id, VERSION, [passage], vector[None, :])
            yield index, vectors
        finally:
            index.close()


def _passage(line: Mapping[str, Any], language: str) -> Passage:
    document_id, text, title = str(line["_id"]), str(line["text"]), str(line.get("title") or "")
    span = Span(0, len(text))
    return Passage(
        id=passage_id(document_id, VERSION, span),
        document_id=document_id,
        version=VERSION,
        title=title,
        file_name=document_id,
        span=span,
        text=text,
        page_numbers=(),
        headings=(),
        label=LABEL,
        language=language,
    )


def _json_lines(file: Path, keys: set[str]) -> list[dict[str, Any]]:
    found = []
    for number, text in enumerate(_lines(file), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"{file}: line {number} is not JSON; one object a line is expected") from error
        if not isinstance(line, dict) or not keys <= line.keys():
            raise ConfigurationError(f"{file}: line {number} lacks one of {', '.join(sorted(keys))}")
        found.append(line)
    return found


def _judgements(file: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    for number, text in enumerate(_lines(file)[1:], start=2):
        try:
            query_id, document_id, grade = text.split("\t")
            if int(grade) > 0:
                relevant.setdefault(query_id, {})[document_id] = int(grade)
        except ValueError as error:
            raise ConfigurationError(f"{file}: line {number} is not query-id, corpus-id and a whole score") from error
    return relevant


def _lines(file: Path) -> Sequence[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read ({error}); a retrieval set has it in UTF-8") from error
