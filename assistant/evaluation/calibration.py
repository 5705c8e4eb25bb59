"""From which support on an answer is given: fitted and checked on labelled questions.

Two sources, which complete each other:

* Retrieval sets. Each judged query is asked twice: as it is (answerable), and with its relevant passages taken out of the
  index (unanswerable; what is left is what the same collection says beside the point). A set on which the two cannot be told
  apart (`USABLE_AUC`) is left out of the fit: with en-medquad, what is left of a disease after its answer is gone answers much
  the same.
* Asked questions (`AskedQuestion`), put to the documents they are about, some of which those documents do not answer: the
  right topic and a missing fact, another year, a false premise. They are what people ask, so most of the weight is theirs.

One logistic model of `relevance.FEATURES` serves every language, since features are shares and margins and mean the same in
each; the threshold is the language's own. Every error rate told is of questions that their model was not fitted on.

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

WRONGLY_ABSTAINED = 0.09
"""The share of answerable questions that the threshold leaves unanswered; the goal is 0.10 on questions never seen."""
USABLE_AUC = 0.7
ASKED_SHARE = 0.8
"""What asked questions weigh in the fit beside retrieval sets. On the tuning half of the demo questions, out of fold, 0.5 to 1
differ by 0.007 in AUC, and with 1 the retrieval sets lose 0.04 (2026-11-23)."""
QUERIES = 700
"""Of each set, evenly spread; more change no coefficient by as much as the halves differ."""
PASSAGES = 12
FOLDS = 10
FEW = 60
"""Answerable questions from which on a language's own threshold counts more than that of all languages together."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question put to the documents it is about, as `relevance.FEATURES` see what was found."""

    features: Mapping[str, float]
    answerable: bool
    language: str


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """A fitted calibration and how it does on questions it has not seen."""

    calibration: LanguageCalibration
    fitted_on: tuple[str, ...]
    judged_on: tuple[str, ...]
    queries: int
    """Unseen answerable ones of this language."""
    wrongly_abstained: float
    rightly_abstained: float
    auc: float
    """Chance that an answerable question gets more support than an unanswerable one."""


@dataclass(frozen=True, slots=True)
class _Sample:
    name: str
    features: NDArray[np.float64]
    """(n, len(FEATURES))"""
    answerable: NDArray[np.bool_]
    languages: NDArray[np.str_]
    fold: NDArray[np.int_]
    """A query of a retrieval set is in the same fold with and without its answer."""
    share: float
    """Of the whole fit."""


@dataclass(frozen=True, slots=True)
class _Model:
    intercept: float
    coefficients: NDArray[np.float64]

    def support(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-(self.intercept + features @ self.coefficients))))


def calibrate(
    sets: Iterable[RetrievalSet], embedder: Embedder, lexicon: Lexicon, *, asked: Sequence[AskedQuestion] = ()
) -> dict[str, LanguageReport]:
    """One report for each language that the sets and the asked questions have."""
    measured = [_sample(collection, embedder, lexicon) for collection in sets]
    samples = [sample for sample in measured if _auc(_out_of_fold([sample]), [sample]) >= USABLE_AUC] or measured
    if asked:
        share = (1 - ASKED_SHARE) / max(1, len(samples))
        samples = [_with_share(sample, share) for sample in samples] + [_asked_sample(asked)]
    unusable = [sample for sample in measured if sample.name not in {used.name for used in samples}]
    model, support = _fitted(samples), _out_of_fold(samples)
    beyond = [model.support(sample.features) for sample in unusable]
    return _reports(
        model, [*samples, *unusable], [*support, *beyond], fitted_on=tuple(sample.name for sample in samples)
    )


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
            f"judged_on = {_toml_strings(report.judged_on)}   # on questions that were not used for fitting:",
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


# --- samples -----------------------------------------------------------------------------------------------------


def _sample(collection: RetrievalSet, embedder: Embedder, lexicon: Lexicon) -> _Sample:
    rows, answerable, folds = [], [], []
    with indexed(collection, embedder) as (index, vectors):
        retriever = Retriever(index, embedder, lexicon, Calibration({}))
        for number, query_id in enumerate(_spread(list(collection.queries), QUERIES)):
            for hidden in ((), tuple(collection.relevant[query_id])):
                with _without(index, collection, vectors, hidden):
                    features = retriever.features(collection.queries[query_id], collection.language, READER, k=PASSAGES)
                rows.append([features[name] for name in FEATURES])
                answerable.append(not hidden)
                folds.append(number % FOLDS)
    languages = np.full(len(rows), collection.language)
    return _Sample(collection.name, np.array(rows), np.array(answerable), languages, np.array(folds), 1.0)


def _asked_sample(asked: Sequence[AskedQuestion]) -> _Sample:
    """Folds go round among the questions of one language and kind, so that each has its part of both."""
    counts: dict[tuple[str, bool], int] = {}
    folds = []
    for question in asked:
        key = (question.language, question.answerable)
        folds.append(counts.get(key, 0) % FOLDS)
        counts[key] = counts.get(key, 0) + 1
    return _Sample(
        "asked questions",
        np.array([[question.features[name] for name in FEATURES] for question in asked]),
        np.array([question.answerable for question in asked]),
        np.array([question.language for question in asked]),
        np.array(folds),
        ASKED_SHARE,
    )


def _with_share(sample: _Sample, share: float) -> _Sample:
    return _Sample(sample.name, sample.features, sample.answerable, sample.languages, sample.fold, share)


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


def _spread(ids: Sequence[str], at_most: int) -> list[str]:
    """At most so many of `ids`, evenly spread over them."""
    step = max(1.0, len(ids) / at_most)
    return [ids[int(i * step)] for i in range(min(len(ids), at_most))]


# --- fitting -----------------------------------------------------------------------------------------------------


def _fitted(samples: Sequence[_Sample], *, without_fold: int = -1) -> _Model:
    """A logistic model of the samples, answerable and unanswerable questions weighing the same in each."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

    kept = [sample.fold != without_fold for sample in samples]
    features = np.concatenate([s.features[k] for s, k in zip(samples, kept, strict=True)])
    answerable = np.concatenate([s.answerable[k] for s, k in zip(samples, kept, strict=True)])
    weights = np.concatenate([_weights(s.answerable[k], s.share) for s, k in zip(samples, kept, strict=True)])
    mean = features.mean(axis=0)
    scale = np.maximum(features.std(axis=0), 1e-9)
    normal = (features - mean) / np.where(scale > 1e-6, scale, 1.0)
    fit = LogisticRegression(C=1.0, max_iter=5000).fit(normal, answerable, weights * len(weights) / weights.sum())
    coefficients = fit.coef_[0] / np.where(scale > 1e-6, scale, 1.0)
    return _Model(float(fit.intercept_[0] - coefficients @ mean), coefficients)


def _weights(answerable: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
    yes, no = max(1, int(answerable.sum())), max(1, int((~answerable).sum()))
    return np.where(answerable, share / 2 / yes, share / 2 / no)


def _out_of_fold(samples: Sequence[_Sample]) -> list[NDArray[np.float64]]:
    """The support of every question by a model that has not seen its fold."""
    support = [np.zeros(len(sample.answerable)) for sample in samples]
    for fold in range(FOLDS):
        if not any((sample.fold == fold).any() for sample in samples):
            continue
        model = _fitted(samples, without_fold=fold)
        for sample, values in zip(samples, support, strict=True):
            values[sample.fold == fold] = model.support(sample.features[sample.fold == fold])
    return support


def _auc(support: Sequence[NDArray[np.float64]], samples: Sequence[_Sample]) -> float:
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no types

    return float(roc_auc_score(np.concatenate([s.answerable for s in samples]), np.concatenate(support)))


def _reports(
    model: _Model, samples: Sequence[_Sample], support: Sequence[NDArray[np.float64]], *, fitted_on: tuple[str, ...]
) -> dict[str, LanguageReport]:
    """Thresholds and error rates: of asked questions where a language has them, else of its retrieval sets."""
    from sklearn.metrics import roc_auc_score

    judging = {
        language: _judging(language, samples) for language in sorted({str(n) for s in samples for n in s.languages})
    }
    pooled_rows = {position for positions in judging.values() for position in positions}
    pooled = np.concatenate([support[position][samples[position].answerable] for position in sorted(pooled_rows)])
    reports = {}
    for language, positions in judging.items():
        own = [samples[position].languages == language for position in positions]
        values = np.concatenate([support[p][rows] for p, rows in zip(positions, own, strict=True)])
        truth = np.concatenate([samples[p].answerable[rows] for p, rows in zip(positions, own, strict=True)])
        threshold = _threshold(values[truth], pooled)
        reports[language] = LanguageReport(
            LanguageCalibration(model.intercept, tuple(float(c) for c in model.coefficients), threshold),
            fitted_on=fitted_on,
            judged_on=tuple(samples[position].name for position in positions),
            queries=int(truth.sum()),
            wrongly_abstained=float((values[truth] < threshold).mean()),
            rightly_abstained=float((values[~truth] < threshold).mean()),
            auc=float(roc_auc_score(truth, values)),
        )
    return reports


def _judging(language: str, samples: Sequence[_Sample]) -> list[int]:
    """Positions of the samples that set this language's threshold: the last, asked questions, outweighs retrieval sets."""
    having = [position for position, sample in enumerate(samples) if (sample.languages == language).any()]
    asked = [position for position in having if samples[position].name == "asked questions"]
    return asked or having


def _threshold(own: NDArray[np.float64], pooled: NDArray[np.float64]) -> float:
    """The support that `WRONGLY_ABSTAINED` of the answerable questions miss; few of them lean on all languages together."""
    trust = len(own) / (len(own) + FEW)
    return float(trust * np.quantile(own, WRONGLY_ABSTAINED) + (1 - trust) * np.quantile(pooled, WRONGLY_ABSTAINED))
