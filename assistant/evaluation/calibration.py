"""From which support on an answer is given: fitted and checked on labelled sets, per language.

Each judged query is asked twice: as it is (answerable), and with its relevant passages taken out of the index (unanswerable; what
is left is what the same collection says beside the point). Queries are split into halves by their order: one half fits a
logistic model of `relevance.FEATURES` and sets the threshold, the other tells the error rates that are recorded.

A language whose own sets cannot tell the two kinds of question apart (`USABLE_AUC`) takes model and threshold from the sets of
the languages that can; the features are shares and margins and mean the same in each. So it is with en-medquad: what is
left of a disease after its answer is gone answers much the same, and its questions repeat the words of the text as no
citizen's would (the model fitted on it let 3 of the 14 answerable English demo questions through, this one 13; 2026-11-22).

The only module that imports scikit-learn, and only here, at calibration.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.evaluation.sets import READER, VERSION, RetrievalSet, indexed
from assistant.index import PassageIndex
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES
from assistant.retrieval import Calibration, LanguageCalibration, Retriever

WRONGLY_ABSTAINED = 0.10
"""The share of answerable questions of the fitting half that the threshold leaves unanswered."""
USABLE_AUC = 0.7
QUERIES = 700
"""Of each set, evenly spread; more change no coefficient by as much as the halves differ."""
PASSAGES = 12


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """A fitted calibration and how it does on queries it has not seen."""

    calibration: LanguageCalibration
    fitted_on: tuple[str, ...]
    judged_on: tuple[str, ...]
    queries: int
    """Unseen ones, each judged with and without its answer."""
    wrongly_abstained: float
    rightly_abstained: float
    auc: float
    """Chance that an answerable question gets more support than an unanswerable one."""


@dataclass(frozen=True, slots=True)
class _Sample:
    sets: tuple[str, ...]
    features: NDArray[np.float64]
    """(n, len(FEATURES))"""
    answerable: NDArray[np.bool_]
    fitting: NDArray[np.bool_]


def calibrate(sets: Iterable[RetrievalSet], embedder: Embedder, lexicon: Lexicon) -> dict[str, LanguageReport]:
    """One report for each language that the sets have; sets of one language are fitted together."""
    samples: dict[str, list[_Sample]] = {}
    for collection in sets:
        samples.setdefault(collection.language, []).append(_sample(collection, embedder, lexicon))
    own = {language: _report(_joined(group), _joined(group)) for language, group in samples.items()}
    usable = [sample for language, group in samples.items() if own[language].auc >= USABLE_AUC for sample in group]
    return {
        language: report
        if report.auc >= USABLE_AUC or not usable
        else _report(_joined(usable), _joined(samples[language]))
        for language, report in own.items()
    }


def calibration_toml(reports: Mapping[str, LanguageReport], *, date: datetime.date, embedder: Embedder) -> str:
    """The calibration file: what `Calibration.load` reads, and for people the figures that it was chosen by."""
    lines = [
        "# From which support on the assistant answers. Written by the calibration command; do not edit by hand.",
        f"date = {date.isoformat()}",
        f'embedder = "{embedder.fingerprint}"',
        f"wrongly_abstained_target = {WRONGLY_ABSTAINED}",
    ]
    for language in sorted(reports):
        report = reports[language]
        lines += [
            f"\n[{language}]",
            f"threshold = {report.calibration.threshold:.4f}",
            f"intercept = {report.calibration.intercept:.4f}",
            f"fitted_on = {_toml_strings(report.fitted_on)}",
            f"judged_on = {_toml_strings(report.judged_on)}   # on queries that were not used for fitting:",
            f"queries = {report.queries}",
            f"wrongly_abstained = {report.wrongly_abstained:.3f}",
            f"rightly_abstained = {report.rightly_abstained:.3f}",
            f"auc = {report.auc:.3f}",
            f"\n[{language}.coefficients]",
        ]
        pairs = zip(FEATURES, report.calibration.coefficients, strict=True)
        lines += [f"{name} = {value:.4f}" for name, value in pairs]
    return "\n".join(lines) + "\n"


def _toml_strings(names: Sequence[str]) -> str:
    return "[" + ", ".join(json.dumps(name) for name in names) + "]"


def _sample(collection: RetrievalSet, embedder: Embedder, lexicon: Lexicon) -> _Sample:
    rows, answerable, fitting = [], [], []
    with indexed(collection, embedder) as (index, vectors):
        retriever = Retriever(index, embedder, lexicon, Calibration({}))
        for number, query_id in enumerate(_spread(list(collection.queries), QUERIES)):
            for hidden in ((), tuple(collection.relevant[query_id])):
                with _without(index, collection, vectors, hidden):
                    features = retriever.features(collection.queries[query_id], collection.language, READER, k=PASSAGES)
                rows.append([features[name] for name in FEATURES])
                answerable.append(not hidden)
                fitting.append(number % 2 == 0)
    return _Sample((collection.name,), np.array(rows), np.array(answerable), np.array(fitting))


@contextmanager
def _without(
    index: PassageIndex, collection: RetrievalSet, vectors: NDArray[np.float32], hidden: Sequence[str]
) -> Iterator[None]:
    """The index for the length of the block without these documents."""
    for document_id in hidden:
        index.remove(document_id)
    try:
        yield
    finally:
        for position, passage in enumerate(collection.passages):
            if passage.document_id in hidden:
                index.replace(passage.document_id, VERSION, [passage], vectors[position][None, :])


def _report(fitted_on: _Sample, judged_on: _Sample) -> LanguageReport:
    """Model and threshold from the fitting half of one sample, error rates from the other half of the other."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no types

    rows = fitted_on.fitting
    model = LogisticRegression(max_iter=2000).fit(fitted_on.features[rows], fitted_on.answerable[rows])
    answerable = fitted_on.features[rows & fitted_on.answerable]
    threshold = float(np.quantile(model.predict_proba(answerable)[:, 1], WRONGLY_ABSTAINED))
    unseen = ~judged_on.fitting
    support, truth = model.predict_proba(judged_on.features[unseen])[:, 1], judged_on.answerable[unseen]
    return LanguageReport(
        LanguageCalibration(float(model.intercept_[0]), tuple(float(c) for c in model.coef_[0]), threshold),
        fitted_on=fitted_on.sets,
        judged_on=judged_on.sets,
        queries=len(truth) // 2,
        wrongly_abstained=float((support[truth] < threshold).mean()),
        rightly_abstained=float((support[~truth] < threshold).mean()),
        auc=float(roc_auc_score(truth, support)),
    )


def _joined(samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        tuple(name for sample in samples for name in sample.sets),
        np.concatenate([sample.features for sample in samples]),
        np.concatenate([sample.answerable for sample in samples]),
        np.concatenate([sample.fitting for sample in samples]),
    )


def _spread(ids: Sequence[str], at_most: int) -> list[str]:
    """At most so many of `ids`, evenly spread over them."""
    step = max(1.0, len(ids) / at_most)
    return [ids[int(i * step)] for i in range(min(len(ids), at_most))]
