"""What answers cite, and when they abstain, over labelled questions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import ConfigurationError
from assistant.evaluation.labelled_lines import json_object, language_of, text_lines
from assistant.evaluation.measurement import Measurement, System
from assistant.language import TABLE_CELL
from assistant.types import LANGUAGES, Answer, Outcome

Ask = Callable[[str, str], Answer | Mapping[str, Any]]
"""(question, its language) → the answer, or its JSON as the service sends it: the same field names."""

OURS = "assistant"
MEASURES = (
    "span_found",
    "page_hit",
    "file_hit",
    "citation_precision",
    "citation_recall",
    "abstained_unanswerable",
    "abstained_answerable",
    "led_to_place",
)
_COUNTED = ("file_hit", "page_hit", "span_found", "abstained_unanswerable", "abstained_answerable", "led_to_place")
_PRECISE = ("citation_precision", "citation_recall")

_LINE_HYPHEN = re.compile(r"(?<=\w)[-\u00ad\u2010]\s*\n\s*(?=\w)")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
_ABSTAINED = frozenset({Outcome.NO_EVIDENCE, Outcome.DECLINED})


def question_lines(file: Path) -> list[dict[str, Any]]:
    """The lines of a file of questions, each with its language in `lang`.

    Raises ConfigurationError naming file and line when one is not as `measure_answers` wants it, or when there are none.
    """
    numbered = [(number, line) for number, line in enumerate(text_lines(file), start=1) if line.strip()]
    if not numbered:
        raise ConfigurationError(f"{file}: no lines; one JSON object a line is expected")
    return [_question_line(line, f"{file}: line {number}") for number, line in numbered]


def _question_line(text: str, place: str) -> dict[str, Any]:
    line = json_object(text, place)
    answerable = line.get("label") != "unanswerable"
    wanted = ["question", *(("answer_span", "document_id" if "document_id" in line else "file") if answerable else ())]
    for key in wanted:
        if not isinstance(line.get(key), str) or not line[key].strip():
            raise ConfigurationError(f"{place}: {key!r} is missing, or not a text")
    page = line.get("page")
    if page is not None and (isinstance(page, bool) or not isinstance(page, int) or page < 1):
        raise ConfigurationError(
            f"{place}: 'page' is not a whole number from 1 on; leave it out for formats without pages"
        )
    return line | {"lang": language_of(line, line["question"], place)}


def evaluate_answers(lines: Iterable[Mapping[str, Any]], ask: Ask) -> dict[str, dict[str, float | None]]:
    """Shares from 0 to 1, in total and by language of the question; None where there is nothing to take a share of.

    See `measure_answers` for what they are shares of.
    """
    return answer_figures(measure_answers(lines, ask, name=""))


def measure_answers(lines: Iterable[Mapping[str, Any]], ask: Ask, *, name: str) -> Measurement:
    """Every question asked once, and what its answer got right.

    A line is `{"question", "lang", "file", "page", "answer_span"}` or `{"question", "lang", "label": "unanswerable"}`.
    Where the line has a `document_id` too, citations are held against that and not against the file's name.
    `file_hit`, `span_found` and `abstained_answerable` are told of the answerable questions, `page_hit` of those of them whose
    line has a page, `abstained_unanswerable` of the others. A hit counts when any citation has it.

    `citation_recall`: the place that answers is cited (the page, or the file where the line has no page). `citation_precision`,
    of answerable questions whose answer cites something: the share of its citations that lead to that place. `led_to_place`, of
    answerable questions that were answered by silence: a lead is from that place.

    The systems are `assistant` and, for each language that has questions, `language:` and its name.
    """
    questions: dict[str, str] = {}
    languages: dict[str, str] = {}
    scores: dict[str, dict[str, float]] = {}
    milliseconds: list[float] = []
    for line in lines:
        key = _key(str(line["question"]), questions)
        questions[key], languages[key] = str(line["question"]), str(line["lang"])
        given = ask(questions[key], languages[key])
        answer = asdict(given) if isinstance(given, Answer) else given
        scores[key] = _scores(line, answer)
        milliseconds.append(float(answer.get("timings_ms", {}).get("total", 0.0)))
    times = dict(zip(("p50_ms", "p95_ms"), map(float, np.percentile(milliseconds or [0.0], [50, 95])), strict=True))
    systems = {OURS: System(scores, times)}
    for language in dict.fromkeys((*LANGUAGES, *languages.values())):
        of_it = {key: score for key, score in scores.items() if languages[key] == language}
        if of_it:
            systems[f"language:{language}"] = System(of_it)
    return Measurement("answers", name, languages, questions, MEASURES, systems, OURS)


def answer_figures(measured: Measurement) -> dict[str, dict[str, float | None]]:
    """Group (`total` and each language) → `questions`, their number, and the mean of each measure, None without any."""
    groups = {"total": OURS} | {
        language: f"language:{language}" for language in dict.fromkeys((*LANGUAGES, *measured.languages.values()))
    }
    figures: dict[str, dict[str, float | None]] = {}
    for group, name in groups.items():
        system = measured.systems.get(name, System({}))
        shares = {measure: system.mean(measure) for measure in (*_COUNTED, *_PRECISE)}
        figures[group] = {"questions": len(system.scores), **shares}
    return figures


def _key(question: str, taken: Mapping[str, str]) -> str:
    """The same question has the same id in every file; asked twice in one, it has another the second time."""
    digest = hashlib.sha256(question.encode()).hexdigest()[:12]
    repeats = 1 + sum(key.split("-")[0] == digest for key in taken)
    return digest if repeats == 1 else f"{digest}-{repeats}"


def normalised(text: str) -> str:
    """Text for comparison: words broken at a line end rejoined, plain apostrophes, single spaces, no case, no cell borders.

    >>> normalised("L’agent est\\ndispo-\\nnible") == normalised("l'agent  est disponible")
    True
    """
    text = unicodedata.normalize("NFKC", _LINE_HYPHEN.sub("", text)).translate(_APOSTROPHES)
    return " ".join(text.casefold().replace(TABLE_CELL, " ").split())


def _scores(line: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, float]:
    abstained = answer["outcome"] in _ABSTAINED
    if line.get("label") == "unanswerable":
        return {"abstained_unanswerable": float(abstained)}
    page = line.get("page")
    place, field = (line["document_id"], "document_id") if "document_id" in line else (line["file"], "file_name")
    from_file = [citation for citation in answer["citations"] if citation[field] == place]
    right = [citation for citation in from_file if page is None or _stands_on(citation, int(page))]
    said = not abstained  # what is cited in silence are leads, and they state nothing
    scores = {
        "file_hit": float(said and bool(from_file)),
        "span_found": float(said and _says(answer["text"], str(line["answer_span"]))),
        "abstained_answerable": float(abstained),
        "citation_recall": float(said and bool(right)),
    }
    if page is not None:
        scores["page_hit"] = scores["citation_recall"]
    if abstained:
        scores["led_to_place"] = float(bool(right))
    elif answer["citations"]:
        scores["citation_precision"] = len(right) / len(answer["citations"])
    return scores


def _says(text: str, words: str) -> bool:
    """True when the words stand in the text; figures at their ends as whole ones."""
    wanted = normalised(words)
    before, after = (r"(?<!\d)" if wanted[:1].isdigit() else ""), (r"(?!\d)" if wanted[-1:].isdigit() else "")
    return bool(re.search(f"{before}{re.escape(wanted)}{after}", normalised(text)))


def _stands_on(citation: Mapping[str, Any], page_number: int) -> bool:
    """True when the quote begins on the page or some of it stands there."""
    return citation["page_number"] == page_number or any(number == page_number for number, _ in citation["boxes"])
