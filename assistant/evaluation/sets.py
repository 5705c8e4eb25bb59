"""Retrieval sets in BEIR layout, and the temporary index they are measured on."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.evaluation.labelled_lines import json_object, known_language, language_of, text_lines
from assistant.index.edge import EdgePassageIndex
from assistant.types import Passage, Span, passage_id

VERSION = "1"
LABEL = Label(Level.INTERNAL, frozenset({"evaluation"}))
READER = Principal("evaluation", frozenset({Role.READER}), LABEL)
_HIGHEST_GRADE = 1000
"""Of relevance; the measures keep a table as long as the highest one."""


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Passages, queries by id, and for each query the ids of its relevant documents; one document is one passage."""

    name: str
    language: str
    """Of most queries."""
    passages: tuple[Passage, ...]
    queries: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]
    """Query id → document id → grade, positive grades only; the same queries as in `queries`, which all have some."""
    languages: Mapping[str, str]
    """Of each query."""
    remarks: tuple[str, ...] = ()
    """What an evaluator should know of the set before believing its figures."""


def load_set(folder: Path) -> RetrievalSet:
    """The set in `folder`: corpus.jsonl, queries.jsonl and qrels.tsv (query-id, corpus-id, score, with or without a header line).

    A line is in the language that its `lang` names, or else in that of its text. Judgements of a query that is not there are left
    out; a relevant document that is not there can never be found, and counts. `remarks` tells of both.

    Raises ConfigurationError naming file and line when a file is missing or malformed, an id stands twice, or two judgements of
    the same pair differ.
    """
    asked = _json_lines(folder / "queries.jsonl")
    relevant = _judgements(folder / "qrels.tsv")
    judged = [line for line in asked if line.id in relevant]
    if empty := [line.id for line in judged if not line.text.strip()]:
        raise ConfigurationError(
            f"{folder / 'queries.jsonl'}: the query {empty[0]!r} has no text; nothing can be asked"
        )
    if not judged:
        raise ConfigurationError(
            f"{folder}: no query has a relevant document; check that queries and qrels belong together"
        )
    language = Counter(line.language for line in judged).most_common(1)[0][0]
    corpus = _json_lines(folder / "corpus.jsonl", usual=language)
    return RetrievalSet(
        name=folder.name,
        language=language,
        passages=tuple(map(_passage, corpus)),
        queries={line.id: line.text for line in judged},
        relevant={line.id: relevant[line.id] for line in judged},
        languages={line.id: line.language for line in judged},
        remarks=_remarks(asked, corpus, relevant),
    )


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


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    text: str
    title: str
    language: str
    foreign: str
    """What the line names as its language when that is none of the assistant's; else empty."""


def _remarks(
    asked: Sequence[_Line], corpus: Sequence[_Line], relevant: Mapping[str, Mapping[str, int]]
) -> tuple[str, ...]:
    queries, documents = {line.id for line in asked}, {line.id for line in corpus}
    without = sorted(relevant.keys() - queries)
    missing = sorted({found for key in relevant.keys() & queries for found in relevant[key]} - documents)
    foreign = sorted({line.foreign for line in (*asked, *corpus)} - {""})
    told = (
        (without, "qrels.tsv judges {} queries that queries.jsonl lacks ({}); they are left out"),
        (
            missing,
            "qrels.tsv names {} relevant documents that corpus.jsonl lacks ({}); they count, and nothing can find them",
        ),
        (foreign, "{} languages are not the assistant's ({}); their lines are read as the nearest of its own"),
    )
    return tuple(text.format(len(names), _some(names)) for names, text in told if names)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _passage(line: _Line) -> Passage:
    span = Span(0, len(line.text))
    return Passage(
        id=passage_id(line.id, VERSION, span),
        document_id=line.id,
        version=VERSION,
        title=line.title,
        file_name=line.id,
        span=span,
        text=line.text,
        page_numbers=(),
        headings=(),
        label=LABEL,
        language=line.language,
    )


def _json_lines(file: Path, usual: str = "fr") -> list[_Line]:
    found: dict[str, _Line] = {}
    for number, text in _lines(file):
        place = f"{file}: line {number}"
        line = _line(text, place, usual)
        if line.id in found:
            raise ConfigurationError(f"{place}: the id {line.id!r} stands on an earlier line too")
        found[line.id] = line
    if not found:
        raise ConfigurationError(f"{file}: no lines; one JSON object a line is expected")
    return list(found.values())


def _line(text: str, place: str, usual: str) -> _Line:
    value = json_object(text, place)
    key = value.get("_id")
    if isinstance(key, bool) or not isinstance(key, int | str) or not str(key).strip():
        raise ConfigurationError(f"{place}: '_id' is missing, or neither a text nor a whole number")
    if not isinstance(value.get("text"), str):
        raise ConfigurationError(f"{place}: 'text' is missing, or not a text")
    if not isinstance(value.get("title") or "", str):
        raise ConfigurationError(f"{place}: 'title' is not a text")
    title = value.get("title") or ""
    language = language_of(value, f"{title} {value['text']}", place, usual=usual)
    named = value.get("lang") or ""
    return _Line(str(key), value["text"], title, language, "" if known_language(named) else named)


def _judgements(file: Path) -> dict[str, dict[str, int]]:
    """Query id → document id → grade, positive ones only. The first line is a heading unless it ends in a score."""
    grades: dict[tuple[str, str], int] = {}
    for place, (number, text) in enumerate(_lines(file)):
        cells = [cell.strip() for cell in text.split("\t")]
        grade = _grade(cells[2]) if len(cells) == 3 else None
        if grade is None and place == 0:
            continue
        if grade is None:
            raise ConfigurationError(
                f"{file}: line {number} is not query-id, corpus-id and a whole score of at most {_HIGHEST_GRADE}"
            )
        if grades.setdefault((cells[0], cells[1]), grade) != grade:
            raise ConfigurationError(f"{file}: line {number} judges a pair differently from an earlier line")
    relevant: dict[str, dict[str, int]] = {}
    for (query_id, document_id), grade in grades.items():
        if grade > 0:
            relevant.setdefault(query_id, {})[document_id] = grade
    return relevant


def _grade(cell: str) -> int | None:
    """A whole number, also one written as 2.0; None for anything else."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() and value <= _HIGHEST_GRADE else None


def _lines(file: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1 on."""
    return [(number, line) for number, line in enumerate(text_lines(file), start=1) if line.strip()]
