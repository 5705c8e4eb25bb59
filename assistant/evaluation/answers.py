"""What answers cite, and when they abstain, over labelled questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from assistant.language import TABLE_CELL
from assistant.types import LANGUAGES, Answer, Outcome

Ask = Callable[[str, str], Answer | Mapping[str, Any]]
"""(question, its language) → the answer, or its JSON as the service sends it: the same field names."""

_LINE_HYPHEN = re.compile(r"(?<=\w)[-\u00ad\u2010]\s*\n\s*(?=\w)")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
_ABSTAINED = frozenset({Outcome.NO_EVIDENCE, Outcome.DECLINED})


def evaluate_answers(lines: Iterable[Mapping[str, Any]], ask: Ask) -> dict[str, dict[str, float | None]]:
    """Shares from 0 to 1, in total and by language of the question; None where there is nothing to take a share of.

    A line is `{"question", "lang", "file", "page", "answer_span"}` or `{"question", "lang", "label": "unanswerable"}`.
    `file_hit`, `span_found` and `abstained_answerable` are shares of the answerable questions, `page_hit` of those of
    them whose line has a page, `abstained_unanswerable` of the others. A hit counts when any citation has it.
    """
    outcomes: dict[str, list[dict[str, bool]]] = {group: [] for group in ("total", *LANGUAGES)}
    for line in lines:
        language = str(line["lang"])
        answer = ask(str(line["question"]), language)
        outcome = _outcome(line, asdict(answer) if isinstance(answer, Answer) else answer)
        outcomes["total"].append(outcome)
        outcomes.setdefault(language, []).append(outcome)
    return {group: _shares(found) for group, found in outcomes.items()}


def normalised(text: str) -> str:
    """Text for comparison: words broken at a line end rejoined, plain apostrophes, single spaces, no case, no cell borders.

    >>> normalised("L’agent est\\ndispo-\\nnible") == normalised("l'agent  est disponible")
    True
    """
    text = unicodedata.normalize("NFKC", _LINE_HYPHEN.sub("", text)).translate(_APOSTROPHES)
    return " ".join(text.casefold().replace(TABLE_CELL, " ").split())


def _outcome(line: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, bool]:
    abstained = answer["outcome"] in _ABSTAINED
    if line.get("label") == "unanswerable":
        return {"abstained_unanswerable": abstained}
    cited = [citation for citation in answer["citations"] if citation["file_name"] == line["file"]]
    found = {
        "file_hit": bool(cited),
        "span_found": not abstained and normalised(str(line["answer_span"])) in normalised(answer["text"]),
        "abstained_answerable": abstained,
    }
    if line.get("page") is not None:
        found["page_hit"] = any(_stands_on(citation, int(line["page"])) for citation in cited)
    return found


def _stands_on(citation: Mapping[str, Any], page_number: int) -> bool:
    """True when the quote begins on the page or some of it stands there."""
    return citation["page_number"] == page_number or any(number == page_number for number, _ in citation["boxes"])


def _shares(outcomes: list[dict[str, bool]]) -> dict[str, float | None]:
    figures: dict[str, float | None] = {"questions": len(outcomes)}
    for name in ("file_hit", "page_hit", "span_found", "abstained_unanswerable", "abstained_answerable"):
        counted = [outcome[name] for outcome in outcomes if name in outcome]
        figures[name] = sum(counted) / len(counted) if counted else None
    return figures
