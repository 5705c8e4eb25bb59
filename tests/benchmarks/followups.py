"""Follow-up questions of the demo: is the answer found by what was typed, by the rewritten question, by one written by hand?

Each line of `configs/demo/followups.jsonl` has the question before, the follow-up, the standalone question a person made of it,
and the document and words that answer it. Evidence is searched as for an answer. `document@5`: the document is among the first
five passages; `recall@5` and `ndcg@10` are of the passages that hold the words. Lines of the kind `alone` need no rewriting;
`unchanged` is the share of them that are left as they are.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.access import Principal
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.evaluation.answers import normalised
from assistant.rewriting import Exchange, standalone
from tests.benchmarks.figures import Figures
from tests.instances import running_instance
from tests.worlds import ARCHIVIST, DEMO, instance_file

Line = Mapping[str, Any]


_PARTS: Mapping[str, Callable[[Line], bool]] = {
    "fr": lambda line: line["lang"] == "fr",
    "ar": lambda line: line["lang"] == "ar",
    "en": lambda line: line["lang"] == "en",
    "all": lambda _: True,
    "held out": lambda line: line["held_out"],
}


def followup_figures() -> Figures:
    """The figures on an instance of its own with the demo documents."""
    with tempfile.TemporaryDirectory() as folder:
        file = instance_file(Path(folder), extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
        with running_instance(file):
            pass  # the demo documents have been read
        return figures_of(file)


def figures_of(file: Path) -> Figures:
    """The figures on the instance of this file, which holds the demo documents."""
    lines = [json.loads(line) for line in (DEMO / "followups.jsonl").read_text(encoding="utf-8").splitlines()]
    with opened(load_settings(file)) as parts:
        before = {text: _exchange(parts, text) for text in sorted({line["before"] for line in lines})}
        ways: dict[str, Callable[[Line], str]] = {
            "as typed": lambda line: line["question"],
            "rules": lambda line: (
                standalone(line["question"], [before[line["before"]]], language=line["lang"]).question
            ),
            "by hand": lambda line: line["standalone"],
        }
        scored = {way: [_scores(parts, line, made(line)) for line in lines] for way, made in ways.items()}
    figures: Figures = {}
    for name, belongs in _PARTS.items():
        chosen = [n for n, line in enumerate(lines) if line["kind"] != "alone" and belongs(line)]
        title = f"Follow-up questions, {name} ({len(chosen)})"
        figures[title] = {way: _means([scores[n] for n in chosen]) for way, scores in scored.items()}
    alone = [line for line in lines if line["kind"] == "alone"]
    kept = sum(ways["rules"](line) == line["question"] for line in alone) / len(alone)
    figures[f"Questions that stand alone ({len(alone)})"] = {"rules": {"unchanged": kept}}
    return figures


def _exchange(parts: Parts, question: str) -> Exchange:
    answer = parts.assistant.ask(question, ARCHIVIST)
    return Exchange(question, question, answer.text, language=answer.language)


def _scores(parts: Parts, line: Line, searched: str) -> dict[str, float]:
    found = parts.retriever.evidence(searched, line["lang"], ARCHIVIST, k=10).passages
    relevant = _relevant(parts, line, ARCHIVIST)
    ranks = [scored.rank for scored in found if scored.passage.id in relevant]
    best = sum(1 / math.log2(1 + rank) for rank in range(1, min(10, len(relevant)) + 1))
    return {
        "document@5": float(any(scored.passage.file_name == line["file"] for scored in found[:5])),
        "recall@5": sum(rank <= 5 for rank in ranks) / len(relevant),
        "ndcg@10": sum(1 / math.log2(1 + rank) for rank in ranks) / best,
    }


def _relevant(parts: Parts, line: Line, principal: Principal) -> set[str]:
    """Ids of the passages that hold the words; there is at least one."""
    status = next(each for each in parts.ingestion.documents(principal) if each.file_name == line["file"])
    words = normalised(line["words"])
    passages = parts.index.document_passages(status.document_id, principal)
    holding = {passage.id for passage in passages if words in normalised(passage.text)}
    assert holding, f"{line['id']}: no passage of {line['file']} holds the words"
    return holding


def _means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in scores) / len(scores) for name in scores[0]}
