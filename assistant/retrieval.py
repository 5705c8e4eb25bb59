"""From a question to its evidence: search, near-duplicates merged, term weights, and how far the evidence can be trusted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

from assistant.access import Principal
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.index import PassageIndex, Query, Route
from assistant.language import detect_language, search_form
from assistant.lexical import Lexicon
from assistant.relevance import FEATURES, NO_SUPPORT, question_terms, support_features
from assistant.types import LANGUAGES, Evidence, ScoredPassage

_MARGIN_DEPTH = 10
"""Passages of each route that say how far the best one stands out."""
_SPARE = 8
"""Passages fetched beyond those asked for, to stand in for merged ones."""


@dataclass(frozen=True, slots=True)
class LanguageCalibration:
    """How features become a probability in one language, and from which probability on an answer is given."""

    intercept: float
    coefficients: tuple[float, ...]
    """In the order of `relevance.FEATURES`."""
    threshold: float

    def support(self, features: Mapping[str, float]) -> float:
        """Probability from 0 to 1 that the evidence answers the question: a logistic model of the features."""
        logit = self.intercept + sum(
            weight * features[name] for weight, name in zip(self.coefficients, FEATURES, strict=True)
        )
        return 1 / (1 + exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted by `evaluation.calibrate`, read from TOML; no learning library is needed to use it."""

    languages: Mapping[str, LanguageCalibration]

    @classmethod
    def load(cls, file: Path) -> Calibration:
        """The calibration in `file`.

        Raises ConfigurationError when it is missing, unreadable, or was fitted on other features.
        """
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            languages = {name: _language_calibration(content[name]) for name in LANGUAGES}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{file}: no usable calibration ({type(error).__name__}: {error}); run the calibration command again"
            ) from error
        return cls(languages)

    def support(self, language: str, features: Mapping[str, float]) -> float:
        """Probability that evidence with these features answers a question in this language."""
        return self.languages[language].support(features)

    def threshold(self, language: str) -> float:
        """The least support with which a question in this language is answered."""
        return self.languages[language].threshold


class Retriever:
    """Finds evidence for questions in one index."""

    def __init__(self, index: PassageIndex, embedder: Embedder, lexicon: Lexicon, calibration: Calibration) -> None:
        self._index = index
        self._embedder = embedder
        self._lexicon = lexicon
        self._calibration = calibration

    def evidence(self, question: str, language: str | None, principal: Principal, *, k: int) -> Evidence:
        """At most `k` passages that may answer the question, best first, with term weights and calibrated support.

        `language` None means: detect it. Without any readable passage, support is 0.
        """
        evidence, features = self._evidence_and_features(question, language, principal, k)
        if not evidence.passages:
            return evidence
        return replace(evidence, support=self._calibration.support(evidence.language, features))

    def sufficient(self, evidence: Evidence) -> bool:
        """True when the evidence's support reaches the calibrated threshold of its language."""
        return bool(evidence.passages) and evidence.support >= self._calibration.threshold(evidence.language)

    def search(self, question: str, principal: Principal, k: int, route: Route = "hybrid") -> tuple[ScoredPassage, ...]:
        """At most `k` passages by one route, as ranked by the index."""
        query = self._query(question, detect_language(question), route)
        return self._index.search(query, principal, k, route=route)

    def features(self, question: str, language: str | None, principal: Principal, *, k: int) -> dict[str, float]:
        """What support is computed from, by name; `relevance.NO_SUPPORT` where nothing is found. For calibration."""
        return self._evidence_and_features(question, language, principal, k)[1]

    def _evidence_and_features(
        self, question: str, language: str | None, principal: Principal, k: int
    ) -> tuple[Evidence, dict[str, float]]:
        spoken = language or detect_language(question)
        query = self._query(question, spoken, "hybrid")
        found = _distinct(self._index.search(query, principal, k + _SPARE), k)
        weights = self._index.term_weights(question_terms(question, spoken, self._lexicon), principal)
        evidence = Evidence(question, spoken, found, weights)
        if not found:
            return evidence, dict(NO_SUPPORT)
        words = self._index.search(query, principal, _MARGIN_DEPTH, route="bm25")
        dense = self._index.search(query, principal, _MARGIN_DEPTH, route="dense")
        return evidence, support_features(
            evidence,
            self._lexicon,
            word_scores=tuple(scored.score for scored in words),
            cosines=tuple(scored.score for scored in dense),
        )

    def _query(self, question: str, language: str, route: Route) -> Query:
        weight = self._embedder.dense_weight(language)
        vector = (
            self._embedder.embed_query(question) if route == "dense" or (route == "hybrid" and weight > 0) else None
        )
        terms = frozenset() if route == "dense" else self._lexicon.search_terms(question, language)
        return Query(question, language, vector, terms, weight)


def _distinct(found: tuple[ScoredPassage, ...], k: int) -> tuple[ScoredPassage, ...]:
    """The first `k` without repeats of the same words, ranked anew: a text that is stored twice is evidence once."""
    seen: set[str] = set()
    kept: list[ScoredPassage] = []
    for scored in found:
        words = " ".join(search_form(scored.passage.text, scored.passage.language).casefold().split())
        if words not in seen and len(kept) < k:
            seen.add(words)
            kept.append(replace(scored, rank=len(kept) + 1))
    return tuple(kept)


def _language_calibration(section: dict[str, Any]) -> LanguageCalibration:
    given = section["coefficients"]
    if set(given) != set(FEATURES):
        raise ValueError("it was fitted on other features")
    return LanguageCalibration(
        float(section["intercept"]), tuple(float(given[name]) for name in FEATURES), float(section["threshold"])
    )
