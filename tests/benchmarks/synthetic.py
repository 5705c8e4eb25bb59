"""Documents of any number, made from the texts of the retrieval sets: their words at their frequencies, in runs as they stood.

Half the runs of a passage come from one real passage, its topic; its vector is that passage's own embedding and noise beside it.
A label is drawn for each document so that readers exist who may see a thousandth, a hundredth, a tenth, half, and all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from assistant.access import Label, Level, Principal, Role
from assistant.embedding import Embedder
from assistant.evaluation import RetrievalSet, load_set
from assistant.index import Query
from assistant.lexical import Lexicon
from assistant.types import LANGUAGES, Passage, Span, passage_id
from tests.shared import shared_data

PER_DOCUMENT = 10
SHARES = {"a": 0.001, "b": 0.01, "c": 0.1, "d": 0.5, "e": 1.0}
"""A reader who holds every compartment up to this one may see so much."""
_NOISE = 0.9
"""Length of the noise beside an embedding of length 1: passages of one topic have cosine 0.55 on average."""
_TOPICS, _QUESTIONS = 100, 60
"""Embedded for each set."""
_LOG_MEAN_WORDS, _LOG_DEVIATION, _FEWEST, _MOST = 4.75, 0.45, 25, 180


@dataclass(frozen=True, slots=True)
class SyntheticDocument:
    """One document and the vectors of its passages."""

    id: str
    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32]


class Synthesis:
    """Makes documents one after the other; the same seed makes the same ones."""

    def __init__(self, embedder: Embedder) -> None:
        sets = [load_set(folder) for folder in sorted((shared_data() / "retrieval").iterdir())]
        self._languages = [one.language for one in sets]
        self._words = [[passage.text.split() for passage in _topics(one)] for one in sets]
        self._all = [[passage.text.split() for passage in one.passages] for one in sets]
        self._centres = [embedder.embed_passages([p.embedded_text() for p in _topics(one)]) for one in sets]
        self.queries = _interleaved([_queries(one, embedder) for one in sets])

    def document(self, number: int, length: int = PER_DOCUMENT) -> SyntheticDocument:
        """The document of this number, of `length` passages; which others were made before changes nothing."""
        random = np.random.default_rng((7, number))
        language = int(random.integers(len(self._languages)))
        topic = int(random.integers(len(self._words[language])))
        drawn = int(np.searchsorted(list(SHARES.values()), random.random(), side="right"))
        label = Label(Level.INTERNAL, frozenset({list(SHARES)[drawn]}))
        texts = [self._text(random, language, topic) for _ in range(length)]
        rows = random.standard_normal((length, self._centres[language].shape[1]))
        vectors = unit(self._centres[language][topic] + _NOISE * unit(rows)).astype(np.float32)
        passages = _passages(f"document-{number}", texts, label, self._languages[language])
        return SyntheticDocument(f"document-{number}", passages, vectors)

    def _text(self, random: np.random.Generator, language: int, topic: int) -> str:
        wanted = int(np.clip(random.lognormal(_LOG_MEAN_WORDS, _LOG_DEVIATION), _FEWEST, _MOST))
        words: list[str] = []
        corpus = self._all[language]
        while len(words) < wanted:
            source = self._words[language][topic] if random.random() < 0.5 else corpus[random.integers(len(corpus))]
            start = int(random.integers(max(1, len(source) - 5)))
            words += source[start : start + int(random.integers(3, 12))]
        return " ".join(words[:wanted])


def reader(compartment: str) -> Principal:
    """Who may see the share of this compartment."""
    names = list(SHARES)
    held = frozenset(names[: names.index(compartment) + 1])
    return Principal("reader", frozenset({Role.READER}), Label(Level.INTERNAL, held))


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows at length 1."""
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


def _topics(one: RetrievalSet) -> Sequence[Passage]:
    return one.passages[:: max(1, len(one.passages) // _TOPICS)][:_TOPICS]


def _queries(one: RetrievalSet, embedder: Embedder) -> list[Query]:
    lexicon = Lexicon(LANGUAGES)
    return [
        Query(text, one.language, embedder.embed_query(text), lexicon.search_terms(text, one.language), 0.5)
        for text in islice(one.queries.values(), _QUESTIONS)
    ]


def _interleaved(lists: Sequence[list[Query]]) -> list[Query]:
    return [query for group in zip(*lists, strict=True) for query in group]


def _passages(document_id: str, texts: Sequence[str], label: Label, language: str) -> tuple[Passage, ...]:
    passages, start = [], 0
    for number, text in enumerate(texts):
        span = Span(start, start + len(text))
        start = span.end + 1
        passages.append(
            Passage(
                id=passage_id(document_id, "1", span),
                document_id=document_id,
                version="1",
                title=f"Document {document_id}",
                file_name=f"{document_id}.pdf",
                span=span,
                text=text,
                page_numbers=(number // 3 + 1,),
                headings=("Partie",),
                label=label,
                language=language,
            )
        )
    return tuple(passages)
