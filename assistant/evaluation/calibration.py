"""From which support on an answer is given: fitted and checked on labelled questions.

Two sources, which complete each other:

* Retrieval sets. Each judged query is asked twice: as it is (answerable), and with its relevant passages taken out of the
  index (unanswerable; what is left is what the same collection says beside the point). A set on which the two cannot be told
  apart (`USABLE_AUC`) is left out of the fit: with en-medquad, what is left of a disease after its answer is gone answers much
  the same.
* Asked questions (`AskedQuestion`), put to the documents they are about, some of which those documents do not answer: the
  right topic and a missing fact, another year, a false premise. They are what people ask, so most of the weight is theirs. The
  answerable ones are asked once more with the passages that answer them taken away.

A logistic model of `relevance.FEATURES` is fitted to all languages, since features are shares and margins and mean the same in
each; a language's own model is drawn towards that one, and its threshold is its own. Every error rate told is of questions that
their model was not fitted on; asked questions of one document are in one fold.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.evaluation.sets import READER, VERSION, RetrievalSet, indexed
from assistant.index import PassageIndex
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES
from assistant.retrieval import Calibration, LanguageCalibration, Retriever

WRONGLY_ABSTAINED = 0.06
"""The share of answerable questions that the threshold leaves unanswered; the goal is 0.10 on questions never seen,
where more are: word lists were made with the tuning questions at hand."""
USABLE_AUC = 0.7
ASKED_SHARE = 0.8
"""What asked questions weigh in the fit beside retrieval sets. On the tuning half of the demo questions, out of fold, 0.5 to 1
differ by 0.007 in AUC, and with 1 the retrieval sets lose 0.04 (2026-11-23)."""
HIDDEN_SHARE = 0.3
"""What the questions whose answer was taken away weigh among the unanswerable ones. 0 to 0.3 differ by 0.005 in AUC on the tuning
questions, and 0.3 gains 0.01 where the answer is taken away (2026-11-23)."""
QUERIES = 700
"""Of each set, evenly spread; more change no coefficient by as much as the halves differ."""
PASSAGES = 12
FOLDS = 10
FEW = 60
"""Answerable questions from which on a language's own threshold counts more than that of all languages together."""
COMMON_RIDGE, LANGUAGE_RIDGE = 10.0, 50.0
"""How strongly coefficients of standardised features are drawn to 0, and those of a language to the common ones. Out of fold on
the tuning questions, 1 to 30 and 30 to 100 differ by 0.003 in AUC (2026-11-23)."""
_WEIGHT = 400.0
"""What all questions of a fit weigh together, so that the ridge means the same however large the sets are."""
_STEPS = 100


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question put to the documents it is about, as `relevance.FEATURES` see what was found."""

    features: Mapping[str, float]
    answerable: bool
    language: str
    document: str = ""
    """What it is about: questions about one document are fitted on together or not at all. Empty: about none in particular."""
    hidden: bool = False
    """True where the passages that answer it were taken away."""


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
    hidden: NDArray[np.bool_]
    """Asked questions whose answer was taken away: fitted on, and no part of the figures."""


@dataclass(frozen=True, slots=True)
class _Model:
    intercept: float
    coefficients: NDArray[np.float64]

    def support(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-(self.intercept + features @ self.coefficients))))


class _Models:
    """The models of the languages, and the common one for a language that had nothing to fit on."""

    def __init__(self, common: _Model, by_language: Mapping[str, _Model]) -> None:
        self._common = common
        self._by_language = by_language

    def of(self, language: str) -> _Model:
        return self._by_language.get(language, self._common)

    def support(self, sample: _Sample) -> NDArray[np.float64]:
        values = np.zeros(len(sample.answerable))
        for language in sorted(set(sample.languages.tolist())):
            rows = sample.languages == language
            values[rows] = self.of(language).support(sample.features[rows])
        return values


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
    models, support = _fitted(samples), _out_of_fold(samples)
    beyond = [models.support(sample) for sample in unusable]
    return _reports(
        models, [*samples, *unusable], [*support, *beyond], fitted_on=tuple(sample.name for sample in samples)
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
    rows, answerable, folds, languages = [], [], [], []
    with indexed(collection, embedder) as (index, vectors):
        retriever = Retriever(index, embedder, lexicon, Calibration({}))
        for number, query_id in enumerate(_spread(list(collection.queries), QUERIES)):
            question, language = collection.queries[query_id], collection.languages[query_id]
            for hidden in ((), tuple(collection.relevant[query_id])):
                with _without(index, collection, vectors, hidden):
                    features = retriever.features(question, language, READER, k=PASSAGES)
                rows.append([features[name] for name in FEATURES])
                answerable.append(not hidden)
                folds.append(number % FOLDS)
                languages.append(language)
    return _Sample(
        collection.name,
        np.array(rows),
        np.array(answerable),
        np.array(languages),
        np.array(folds),
        1.0,
        np.zeros(len(rows), bool),
    )


def _asked_sample(asked: Sequence[AskedQuestion]) -> _Sample:
    return _Sample(
        "asked questions",
        np.array([[question.features[name] for name in FEATURES] for question in asked]),
        np.array([question.answerable for question in asked]),
        np.array([question.language for question in asked]),
        np.array(_folds(asked)),
        ASKED_SHARE,
        np.array([question.hidden for question in asked]),
    )


def _folds(asked: Sequence[AskedQuestion]) -> list[int]:
    """A fold for each question: documents whole, the largest first, each into the fold that has fewest questions so far."""
    groups: dict[str, list[int]] = {}
    for position, question in enumerate(asked):
        groups.setdefault(question.document or f"#{position}", []).append(position)
    sizes = [0] * FOLDS
    folds = [0] * len(asked)
    for _, positions in sorted(groups.items(), key=lambda group: (-len(group[1]), group[1])):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(positions)
        for position in positions:
            folds[position] = fold
    return folds


def _with_share(sample: _Sample, share: float) -> _Sample:
    return replace(sample, share=share)


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


def _fitted(samples: Sequence[_Sample], *, without_fold: int = -1) -> _Models:
    """Logistic models of the samples, answerable and unanswerable questions weighing the same in each sample."""
    kept = [_part(sample, sample.fold != without_fold) for sample in samples]
    features = np.concatenate([sample.features for sample in kept])
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    common = _ridge(kept, mean, scale, np.zeros(len(FEATURES) + 1), COMMON_RIDGE)
    languages = sorted({str(name) for sample in kept for name in sample.languages})
    own = {}
    for language in languages:
        parts = [_part(sample, sample.languages == language) for sample in kept]
        fitted = _ridge([part for part in parts if len(part.answerable)], mean, scale, common, LANGUAGE_RIDGE)
        own[language] = _model(fitted, mean, scale)
    return _Models(_model(common, mean, scale), own)


def _part(sample: _Sample, rows: NDArray[np.bool_]) -> _Sample:
    return replace(
        sample,
        features=sample.features[rows],
        answerable=sample.answerable[rows],
        languages=sample.languages[rows],
        fold=sample.fold[rows],
        hidden=sample.hidden[rows],
    )


def _ridge(
    samples: Sequence[_Sample],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    towards: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    """Coefficients of the standardised features, then the intercept: logistic regression with a ridge around `towards`.

    Newton's method, Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, section 4.4.1. The
    intercept is not drawn anywhere.
    """
    features = np.concatenate([sample.features for sample in samples])
    answerable = np.concatenate([sample.answerable for sample in samples]).astype(np.float64)
    weights = np.concatenate([_weights(sample) for sample in samples])
    weights = weights * (_WEIGHT / weights.sum())
    rows = np.column_stack([(features - mean) / scale, np.ones(len(features))])
    penalty = np.append(np.full(features.shape[1], ridge), 1e-6)
    found = towards.copy()
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-(rows @ found)))
        slope = rows.T @ (weights * (likely - answerable)) + penalty * (found - towards)
        curvature = (rows * (weights * likely * (1 - likely))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        found = found - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return np.asarray(found)


def _model(found: NDArray[np.float64], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> _Model:
    """The same model over features as they are."""
    coefficients = found[:-1] / scale
    return _Model(float(found[-1] - coefficients @ mean), coefficients)


def _weights(sample: _Sample) -> NDArray[np.float64]:
    """Half of the sample's share for the answerable ones, half for the others, of which `HIDDEN_SHARE` for the hidden ones."""
    unanswerable = ~sample.answerable & ~sample.hidden
    parts = [(sample.answerable, 0.5), (unanswerable, 0.5 * (1 - HIDDEN_SHARE)), (sample.hidden, 0.5 * HIDDEN_SHARE)]
    weights = np.zeros(len(sample.answerable))
    for rows, share in parts:
        weights[rows] = sample.share * share / max(1, int(rows.sum()))
    return weights


def _out_of_fold(samples: Sequence[_Sample]) -> list[NDArray[np.float64]]:
    """The support of every question by models that have not seen its fold."""
    support = [np.zeros(len(sample.answerable)) for sample in samples]
    for fold in range(FOLDS):
        if not any((sample.fold == fold).any() for sample in samples):
            continue
        models = _fitted(samples, without_fold=fold)
        for sample, values in zip(samples, support, strict=True):
            rows = sample.fold == fold
            values[rows] = models.support(_part(sample, rows))
    return support


def _auc(support: Sequence[NDArray[np.float64]], samples: Sequence[_Sample]) -> float:
    return _area(np.concatenate([s.answerable for s in samples]), np.concatenate(support))


def _area(answerable: NDArray[np.bool_], support: NDArray[np.float64]) -> float:
    """The chance that an answerable question has more support than an unanswerable one; ties count half.

    >>> _area(np.array([True, True, False]), np.array([0.9, 0.3, 0.3]))
    0.75
    """
    yes, no = support[answerable][:, None], support[~answerable][None, :]
    return float(((yes > no) + 0.5 * (yes == no)).mean())


def _reports(
    models: _Models, samples: Sequence[_Sample], support: Sequence[NDArray[np.float64]], *, fitted_on: tuple[str, ...]
) -> dict[str, LanguageReport]:
    """Thresholds and error rates: of asked questions where a language has them, else of its retrieval sets."""
    judging = {
        language: _judging(language, samples) for language in sorted({str(n) for s in samples for n in s.languages})
    }
    pooled_rows = {position for positions in judging.values() for position in positions}
    pooled = np.concatenate([support[position][samples[position].answerable] for position in sorted(pooled_rows)])
    reports = {}
    for language, positions in judging.items():
        own = [(samples[p].languages == language) & ~samples[p].hidden for p in positions]
        values = np.concatenate([support[p][rows] for p, rows in zip(positions, own, strict=True)])
        truth = np.concatenate([samples[p].answerable[rows] for p, rows in zip(positions, own, strict=True)])
        threshold = _threshold(values[truth], pooled)
        model = models.of(language)
        reports[language] = LanguageReport(
            LanguageCalibration(model.intercept, tuple(float(c) for c in model.coefficients), threshold),
            fitted_on=fitted_on,
            judged_on=tuple(samples[position].name for position in positions),
            queries=int(truth.sum()),
            wrongly_abstained=float((values[truth] < threshold).mean()),
            rightly_abstained=float((values[~truth] < threshold).mean()),
            auc=_area(truth, values),
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
