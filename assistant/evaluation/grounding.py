"""How well sentences are told apart: those that their passages support from those that they do not.

A set is a file of lines `{"id", "lang", "claim", "passages", "supported"}`; `kind`, how a sentence was made, is used where it
stands there. Every judge, ours and the baselines, answers one question about a line: do the passages support the claim?
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.caution import Verifying
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.evaluation.labelled_lines import json_object, language_of, text_lines
from assistant.evaluation.measurement import Measurement, System
from assistant.language import sentence_spans
from assistant.lexical import Lexicon
from assistant.types import LANGUAGES, Verdict

SUPPORTED_KINDS = ("quote", "paraphrase", "merged")
STRICT_KINDS = ("figure", "date", "reference", "negation")
"""What an answer must not get wrong: these are counted together as well."""
KINDS = (
    *SUPPORTED_KINDS,
    *("figure", "unit", "date", "name", "reference", "subject", "negation", "condition", "modality"),
    *("mixed", "other_passage", "invention"),
)
OURS = "assistant"
STRICT = "strict kinds"
MEASURES = ("caught", "rightly_shown")
WITHHELD_BY_BASELINES = 0.08
"""The share of supported sentences that a baseline may withhold where its threshold is chosen: the goal set for our own check."""
_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a set: a sentence and the passages it cites."""

    id: str
    language: str
    text: str
    passages: tuple[str, ...]
    supported: bool | None
    """None: the line does not say, and only a verdict is wanted."""
    kind: str = ""
    """Empty when the line does not say."""
    numbered: bool = False
    """The line gives its id as a number."""


Judge = Callable[[Claim], bool]
"""True when the passages support the claim."""
Score = Callable[[Claim], float]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval by Wilson's score; (0, 1) of nothing.

        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

        >>> low, high = Share(60, 60).interval
        >>> (round(low, 3), round(high, 3))
        (0.94, 1.0)
        """
        if not self.of:
            return 0.0, 1.0
        share, square = self.count / self.of, _Z * _Z / self.of
        middle, reach = share + square / 2, _Z * math.sqrt((share * (1 - share) + square / 4) / self.of)
        return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))

    def as_json(self) -> dict[str, float | int | None]:
        """Count, of, share and interval."""
        low, high = self.interval
        return {"count": self.count, "of": self.of, "share": self.value, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class GroundingFigures:
    """What a judge did with a group of claims."""

    caught: Share
    """Of the unsupported ones: those that were not let through as supported."""
    withheld: Share
    """Of the supported ones: those that were not."""

    def as_json(self) -> dict[str, dict[str, float | int | None]]:
        """Both, by name."""
        return {"caught": self.caught.as_json(), "wrongly_withheld": self.withheld.as_json()}


@dataclass(frozen=True, slots=True)
class Judged:
    """A judge's verdict on each claim, by id, and how long it took in milliseconds (p50_ms, p95_ms)."""

    supported: Mapping[str, bool]
    times: Mapping[str, float]


def read_claims(file: Path) -> tuple[Claim, ...]:
    """The lines of a set, in their order. Raises ConfigurationError naming file, line and what is wrong with it."""
    claims: dict[str, Claim] = {}
    for number, line in enumerate(text_lines(file), start=1):
        if line.strip():
            claim = _claim(line, f"{file}: line {number}")
            if claim.id in claims:
                raise ConfigurationError(f"{file}: line {number}: the id {claim.id!r} stands on an earlier line too")
            claims[claim.id] = claim
    if not claims:
        raise ConfigurationError(f"{file}: no lines; one JSON object a line is expected")
    return tuple(claims.values())


def judged(claims: Iterable[Claim], judge: Judge) -> Judged:
    """The judge's verdicts; a claim without passages is not supported, and the judge is not asked."""
    supported: dict[str, bool] = {}
    milliseconds: list[float] = []
    for claim in claims:
        begun = time.perf_counter()
        supported[claim.id] = bool(claim.passages) and judge(claim)
        milliseconds.append(1000 * (time.perf_counter() - begun))
    p50, p95 = np.percentile(milliseconds or [0.0], [50, 95])
    return Judged(supported, {"p50_ms": float(p50), "p95_ms": float(p95)})


def grounding_figures(claims: Sequence[Claim], supported: Mapping[str, bool]) -> dict[str, GroundingFigures]:
    """Group → figures: `total`, each language, each kind that stands in the set, and the strict kinds together."""
    groups: dict[str, list[Claim]] = {"total": list(claims)}
    for language in dict.fromkeys((*LANGUAGES, *(claim.language for claim in claims))):
        groups[language] = [claim for claim in claims if claim.language == language]
    strict = [claim for claim in claims if claim.kind in STRICT_KINDS]
    groups[STRICT] = strict
    for kind in dict.fromkeys((*KINDS, *(claim.kind for claim in claims if claim.kind))):
        groups[kind] = [claim for claim in claims if claim.kind == kind]
    return {name: _figures(group, supported) for name, group in groups.items() if group}


def word_share(lexicon: Lexicon) -> Score:
    """The baseline `words`: the share of a claim's content words, stemmed, that stand in its passages; 0 without any."""

    def score(claim: Claim) -> float:
        words = lexicon.query_terms(claim.text, claim.language)
        found = lexicon.query_terms("\n".join(claim.passages), claim.language)
        return len(words & found) / len(words) if words else 0.0

    return score


def greatest_cosine(embedder: Embedder, claims: Iterable[Claim]) -> Score:
    """The baseline `cosine` for `claims`: that of a claim with the nearest sentence, or the nearest passage, by the encoder."""
    texts = {text for claim in claims for text in (claim.text, *_sources(claim))}
    ordered = sorted(texts)
    vectors = dict(zip(ordered, embedder.embed_passages(ordered), strict=True))

    def score(claim: Claim) -> float:
        return max((float(vectors[claim.text] @ vectors[source]) for source in _sources(claim)), default=-1.0)

    return score


def judge_above(score: Score, tuning: Iterable[Claim]) -> Judge:
    """A judge that takes a claim for supported from a score on, per language.

    That score is the highest with which no more than `WITHHELD_BY_BASELINES` of the supported claims of `tuning` are withheld:
    the baseline catches as much as it can at the price that our own check may cost. Languages that `tuning` lacks get the lowest
    threshold of all.

    Raises ConfigurationError when `tuning` has no supported claim.
    """
    scores: dict[str, list[float]] = {}
    for claim in tuning:
        if claim.supported:
            scores.setdefault(claim.language, []).append(score(claim))
    if not scores:
        raise ConfigurationError("the tuning set has no supported sentence; a baseline's threshold cannot be chosen")
    thresholds = {language: sorted(of)[int(WITHHELD_BY_BASELINES * len(of))] for language, of in scores.items()}
    lowest = min(thresholds.values())
    return lambda claim: score(claim) >= thresholds.get(claim.language, lowest)


def baselines(
    claims: Sequence[Claim], tuning: Sequence[Claim], lexicon: Lexicon, embedder: Embedder
) -> dict[str, Judge]:
    """The named baselines for `claims` with thresholds from `tuning`, by the names that reports give them."""
    cosine = greatest_cosine(embedder, (*claims, *tuning))
    scores = {"baseline:words": word_share(lexicon), "baseline:cosine": cosine}
    return {name: judge_above(score, tuning) for name, score in scores.items()}


def checked_by(verifier: Verifying) -> Judge:
    """The judge that readers get: what is only partly supported does not count as supported."""

    def judge(claim: Claim) -> bool:
        verdict = verifier.check(claim.text, claim.language, claim.passages).verdict
        return verdict in (Verdict.QUOTED, Verdict.SUPPORTED)

    return judge


def grounding_measurement(name: str, claims: Sequence[Claim], systems: Mapping[str, Judged]) -> Measurement:
    """The same as a `Measurement`, for reports and comparisons; the first of `systems` is ours, the others are its rivals."""
    ours, *rivals = systems
    found = {key: System(_scores(claims, of.supported), of.times) for key, of in systems.items()}
    for language in dict.fromkeys(claim.language for claim in claims):
        of_it = [claim for claim in claims if claim.language == language]
        found[f"language:{language}"] = System(_scores(of_it, systems[ours].supported))
    return Measurement(
        kind="grounding",
        name=name,
        languages={claim.id: claim.language for claim in claims},
        questions={claim.id: claim.text for claim in claims},
        measures=MEASURES,
        systems=found,
        ours=ours,
        rivals=tuple(rivals),
    )


def write_predictions(claims: Iterable[Claim], supported: Mapping[str, bool], file: Path) -> None:
    """Write `{"id", "verdict"}` for each claim, in their order, with the ids as they were given; all of them or no file.

    Raises ConfigurationError when the file cannot be written.
    """
    lines = [
        {
            "id": int(claim.id) if claim.numbered else claim.id,
            "verdict": "supported" if supported[claim.id] else "unsupported",
        }
        for claim in claims
    ]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f".{file.name}.unfinished")
        unfinished.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written ({error.strerror}); name another") from error


def _sources(claim: Claim) -> Iterator[str]:
    """The passages of a claim, and their sentences."""
    for passage in claim.passages:
        yield passage
        for span in sentence_spans(passage, claim.language):
            yield passage[span.start : span.end]


def _claim(line: str, place: str) -> Claim:
    value = json_object(line, place)
    identifier, text = value.get("id"), _text(value, "claim", place)
    numbered = isinstance(identifier, int) and not isinstance(identifier, bool)
    return Claim(
        id=str(identifier) if numbered else _text(value, "id", place),
        language=language_of(value, text, place),
        text=text,
        passages=_passages(value, place),
        supported=_truth(value, place),
        kind=str(value.get("kind") or ""),
        numbered=numbered,
    )


def _text(value: Mapping[str, Any], key: str, place: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found.strip():
        raise ConfigurationError(f"{place}: {key!r} is missing, or not a text")
    return found


def _passages(value: Mapping[str, Any], place: str) -> tuple[str, ...]:
    found = value.get("passages")
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ConfigurationError(f"{place}: 'passages' is not a list of texts")
    return tuple(found)


def _truth(value: Mapping[str, Any], place: str) -> bool | None:
    found = value.get("supported")
    if found is not None and not isinstance(found, bool):
        raise ConfigurationError(f"{place}: 'supported' is neither true nor false")
    return found


def _figures(claims: Iterable[Claim], supported: Mapping[str, bool]) -> GroundingFigures:
    let_through = {
        truth: [supported[claim.id] for claim in claims if claim.supported is truth] for truth in (True, False)
    }
    caught, withheld = (len(of) - sum(of) for of in (let_through[False], let_through[True]))
    return GroundingFigures(Share(caught, len(let_through[False])), Share(withheld, len(let_through[True])))


def _scores(claims: Iterable[Claim], supported: Mapping[str, bool]) -> dict[str, dict[str, float]]:
    caught, shown = MEASURES
    return {
        claim.id: {shown: float(supported[claim.id])} if claim.supported else {caught: float(not supported[claim.id])}
        for claim in claims
    }
