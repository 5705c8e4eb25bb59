"""From which support on an answer is given: fitted and checked on labelled sets, per language.

Each judged query is asked twice: as it is (answerable), and with its relevant passages taken out of the index (unanswerable; what
is left is what the same collection says beside the point). Queries are split into halves by their order: one half fits a
logistic model of `relevance.FEATURES` and sets the threshold, the other tells the error rates that are recorded.

The only module that imports scikit-learn, and only here, at calibration.
"""

from __future__ import annotations

import datetime
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
"""The share of answerable questions that the threshold may leave unanswered, on the fitting half."""
QUERIES = 700
"""Of each set, evenly spread; more change no coefficient by as much as the halves differ."""
PASSAGES = 12


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """A fitted calibration and how it does on queries it has not seen."""

    calibration: LanguageCalibration
    sets: tuple[str, ...]
    queries: int
    wrongly_abstained: float
    rightly_abstained: float
    auc: float
    """Chance that an answerable question gets more support than an unanswerable one."""


@dataclass(frozen=True, slots=True)
class _Sample:
    features: NDArray[np.float64]
    """(n, len(FEATURES))"""
    answerable: NDArray[np.bool_]
    fitting: NDArray[np.bool_]


def calibrate(sets: Iterable[RetrievalSet], embedder: Embedder, lexicon: Lexicon) -> dict[str, LanguageReport]:
    """One report for each language that the sets have; sets of one language are fitted together."""
    by_language: dict[str, list[RetrievalSet]] = {}
    for collection in sets:
        by_language.setdefault(collection.language, []).append(collection)
    return {
        language: _report(_joined([_sample(one, embedder, lexicon) for one in group]), group)
        for language, group in by_language.items()
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
        names = ", ".join(f'"{name}"' for name in report.sets)
        lines += [
            f"\n[{language}]",
            f"threshold = {report.calibration.threshold:.4f}",
            f"intercept = {report.calibration.intercept:.4f}",
            f"sets = [{names}]",
            f"queries = {report.queries}",
            "# on the half of the queries that was not used for fitting:",
            f"wrongly_abstained = {report.wrongly_abstained:.3f}",
            f"rightly_abstained = {report.rightly_abstained:.3f}",
            f"auc = {report.auc:.3f}",
            f"\n[{language}.coefficients]",
        ]
        pairs = zip(FEATURES, report.calibration.coefficients, strict=True)
        lines += [f"{name} = {value:.4f}" for name, value in pairs]
    return "\n".join(lines) + "\n"


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
    return _Sample(np.array(rows), np.array(answerable), np.array(fitting))


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


def _report(sample: _Sample, sets: Sequence[RetrievalSet]) -> LanguageReport:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no types

    fitting, held_out = sample.fitting, ~sample.fitting
    model = LogisticRegression(max_iter=2000).fit(sample.features[fitting], sample.answerable[fitting])
    support = model.predict_proba(sample.features)[:, 1]
    threshold = float(np.quantile(support[fitting & sample.answerable], WRONGLY_ABSTAINED))
    abstained = support < threshold
    return LanguageReport(
        LanguageCalibration(float(model.intercept_[0]), tuple(float(c) for c in model.coef_[0]), threshold),
        sets=tuple(one.name for one in sets),
        queries=len(sample.answerable) // 2,
        wrongly_abstained=float(abstained[held_out & sample.answerable].mean()),
        rightly_abstained=float(abstained[held_out & ~sample.answerable].mean()),
        auc=float(roc_auc_score(sample.answerable[held_out], support[held_out])),
    )


def _joined(samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        np.concatenate([sample.features for sample in samples]),
        np.concatenate([sample.answerable for sample in samples]),
        np.concatenate([sample.fitting for sample in samples]),
    )


def _spread(ids: Sequence[str], at_most: int) -> list[str]:
    """At most so many of `ids`, evenly spread over them."""
    step = max(1.0, len(ids) / at_most)
    return [ids[int(i * step)] for i in range(min(len(ids), at_most))]
