"""Quoted summaries of the demo's documents: how many of the facts that a reader must find in them are there.

Each line of `configs/demo/summaries.jsonl` names a document and five facts, as words of its text that were chosen before any
summary of it was looked at. A fact is found when a sentence of the summary holds its words. Two baselines get as many words as
the summary has: the document's first sentences, and sentences drawn at random (mean of 20 draws). `assistant.central` was tuned
on every other line, beginning with the first; `held out` are the others.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.evaluation.answers import normalised
from assistant.language import readable_form, sentence_spans
from assistant.types import AnswerReady, Passage
from tests.benchmarks.figures import Figures
from tests.instances import running_instance
from tests.worlds import ARCHIVIST, DEMO, instance_file

SENTENCES = (6, 12)
"""Lengths of summaries; the page asks for the second."""
_DRAWS = 20
_FEWEST_WORDS = 3
_WORD = re.compile(r"\w+")

Line = Mapping[str, Any]


def summary_figures() -> Figures:
    """The figures on an instance of its own with the demo documents and no model."""
    with tempfile.TemporaryDirectory() as folder:
        file = instance_file(Path(folder), extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
        with running_instance(file):
            pass  # the demo documents have been read
        with opened(load_settings(file)) as parts:
            documents = {status.file_name: status.document_id for status in parts.ingestion.documents(ARCHIVIST)}
            passages = {
                line["file"]: parts.index.document_passages(documents[line["file"]], ARCHIVIST) for line in lines()
            }
            return {
                f"Quoted summaries of {wanted} sentences, share of facts found": figures_of(
                    passages, {name: _summary(parts, documents[name], wanted) for name in passages}
                )
                for wanted in SENTENCES
            }


def lines() -> list[Line]:
    """The labelled documents."""
    return [json.loads(line) for line in (DEMO / "summaries.jsonl").read_text(encoding="utf-8").splitlines()]


def figures_of(
    passages: Mapping[str, Sequence[Passage]], summaries: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Share of facts found, by language and on the held-out half: of these summaries, and of the baselines with as many words."""
    shares: dict[str, dict[str, list[float]]] = {}
    for number, line in enumerate(lines()):
        sentences = list(sentences_of(passages[line["file"]]))
        missing = [fact for fact in line["facts"] if not found([fact], [" ".join(sentences)])]
        assert not missing, f"{line['file']} does not say: {missing}"
        words = sum(map(_length, summaries[line["file"]]))
        draws = [random.Random(seed).sample(sentences, len(sentences)) for seed in range(_DRAWS)]
        of_draws = [found(line["facts"], first_words(draw, words)) for draw in draws]
        for part in (line["lang"], "all", *(["held out"] if number % 2 else [])):
            rows = shares.setdefault(part, {})
            rows.setdefault("summary", []).append(found(line["facts"], summaries[line["file"]]))
            rows.setdefault("first sentences", []).append(found(line["facts"], first_words(sentences, words)))
            rows.setdefault("random sentences", []).append(sum(of_draws) / _DRAWS)
    return {
        system: {part: sum(rows[system]) / len(rows[system]) for part, rows in shares.items()}
        for system in ("summary", "first sentences", "random sentences")
    }


def sentences_of(passages: Iterable[Passage]) -> Iterable[str]:
    """Every sentence of a document as a reader sees it, in order."""
    for passage in passages:
        for span in sentence_spans(passage.text, passage.language):
            text = readable_form(passage.text[span.start : span.end])
            if _length(text) >= _FEWEST_WORDS:
                yield text


def first_words(sentences: Sequence[str], words: int) -> list[str]:
    """The first sentences that have so many words together; the one in which that number is reached is whole."""
    taken: list[str] = []
    for sentence in sentences:
        if sum(map(_length, taken)) >= words:
            break
        taken.append(sentence)
    return taken


def found(facts: Sequence[str], sentences: Sequence[str]) -> float:
    """The share of the facts that one of the sentences holds."""
    texts = [normalised(sentence) for sentence in sentences]
    return sum(any(normalised(fact) in text for text in texts) for fact in facts) / len(facts)


def _summary(parts: Parts, document_id: str, sentences: int) -> list[str]:
    *_, last = parts.summaries.stream(document_id, ARCHIVIST, sentences=sentences)
    assert isinstance(last, AnswerReady)
    return [sentence.text for sentence in last.answer.sentences]


def _length(text: str) -> int:
    return len(_WORD.findall(text))
