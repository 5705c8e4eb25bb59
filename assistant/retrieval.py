"""From a question to its evidence, and how far the evidence can be trusted.

    search → the documents that the question names first → reranked → the same words once → no section crowds out the others

Neighbouring passages are not merged: what stands between them (line ends, page furniture) is not in the index, so a merged
text would have spans that are not the document's.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

from assistant.access import Principal
from assistant.across import Bridges
from assistant.embedding import Embedder
from assistant.errors import ConfigurationError
from assistant.index import PassageIndex, Query, Route
from assistant.language import TABLE_CELL, detect_language, search_form
from assistant.lexical import Lexicon
from assistant.questions import Preference, preference, subject
from assistant.relevance import FEATURES, NO_SUPPORT, support_features
from assistant.reranking import KeepOrder, Reranker
from assistant.scope import Scope
from assistant.types import LANGUAGES, Evidence, ScoredPassage
from assistant.units import units
from assistant.wanted import question_terms

_MARGIN_DEPTH = 10
"""Passages of each route that say how far the best one stands out."""
_SPARE = 8
"""Passages fetched beyond those asked for, to stand in for repeated ones and for those of a crowded section."""
_WIDE = 500
"""Documents in a scope from which on it is asked whether it leaves out any."""
_PREFERRED_DEPTH = 50
"""Passages among which those of the documents that a question names are looked for."""
_PREFERRED_SHARE = 0.2
"""What one fitting preference adds to a fused score, which is at most 1."""
_OF_ONE_SECTION = 3
"""Passages of one section that come before the first of another that was found behind them."""
_PAGE_CHARS = 3000
_REFERENCE_DENSE_WEIGHT = 0.2
"""The most that vectors count for a question that names a reference or a date: an encoder reads digits badly."""

_WORTH_A_LOOK = 0.33
"""The share of the threshold from which on passages are shown as leads. Of the 15 tuning questions wrongly left without an answer
11 reached it, all with the right file; of 105 that nothing answers 40 did (2026-11-23)."""
_BEHIND_OWN_LANGUAGE = 0.03
"""How far, in cosine, the best passage of another language may stand behind the best one of the question's own and still be shown
as a lead. The packaged encoder places texts of one language near each other, so even the answer in another often stands behind.
Of 60 questions whose answer the demo documents have in another language only, the passage with it is led to for 39, and some
passage for 28 of 105 that nothing answers; with 0.02 for 30 and 16, with 0.04 for 39 and 42 (2026-11-24)."""


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
            reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            raise ConfigurationError(
                f"{file}: no usable calibration ({reason}); correct retrieval.calibration in the instance file, or make the"
                " file anew with `assistant evaluate calibrate`"
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

    def __init__(
        self,
        index: PassageIndex,
        embedder: Embedder,
        lexicon: Lexicon,
        calibration: Calibration,
        *,
        reranker: Reranker | None = None,
        reranker_depth: int = 20,
        reranker_weight: float = 0.5,
        bridges: Bridges | None = None,
        documents_within: Callable[[Scope, Principal], Collection[str]] | None = None,
    ) -> None:
        """`documents_within`: the ids of the documents in a scope that a principal may know of; without it, none is in any."""
        self._index = index
        self._embedder = embedder
        self._lexicon = lexicon
        self._calibration = calibration
        self._reranker = reranker or KeepOrder()
        self._reranker_depth = reranker_depth if reranker else 0
        self._reranker_weight = reranker_weight
        self._bridges = bridges
        self._documents_within = documents_within

    def evidence(
        self,
        question: str,
        language: str | None,
        principal: Principal,
        *,
        k: int,
        scope: Scope = Scope.everything,
    ) -> Evidence:
        """At most `k` passages that may answer the question, best first, with term weights and calibrated support.

        `language` None means: detect it. Without any readable passage in the scope, support is 0.
        """
        evidence, features = self._evidence_and_features(question, language, principal, k, scope)
        if not evidence.passages:
            return evidence
        return replace(evidence, support=self._calibration.support(evidence.language, features))

    def sufficient(self, evidence: Evidence) -> bool:
        """True when the evidence's support reaches the calibrated threshold of its language."""
        return bool(evidence.passages) and evidence.support >= self._calibration.threshold(evidence.language)

    def promising(self, evidence: Evidence) -> bool:
        """True when the support reaches `_WORTH_A_LOOK` of that threshold."""
        least = _WORTH_A_LOOK * self._calibration.threshold(evidence.language)
        return bool(evidence.passages) and evidence.support >= least

    def in_other_languages(
        self, evidence: Evidence, principal: Principal, *, scope: Scope = Scope.everything
    ) -> tuple[ScoredPassage, ...]:
        """Of each other language that the encoder bridges, the passage nearest to the question by meaning; nearest first.

        Only where it comes nearly as near as the nearest in the question's own language, or there is none in that. Whether there
        is an answer cannot be told by likeness alone: for leads, not for answers.
        """
        languages = self._bridges.within_reach(evidence.language) if self._bridges else ()
        if not languages:
            return ()
        within = self._within(scope, principal)
        query = self._query(evidence.question, evidence.language, "dense")

        def nearest(language: str) -> tuple[ScoredPassage, ...]:
            return self._index.search(replace(query, written_in=language), principal, 1, route="dense", within=within)

        least = max((own.score - _BEHIND_OWN_LANGUAGE for own in nearest(evidence.language)), default=-1.0)
        found = [scored for language in languages for scored in nearest(language) if scored.score >= least]
        return _ranks(sorted(found, key=lambda scored: (-scored.score, scored.passage.id)))

    def search(
        self,
        question: str,
        principal: Principal,
        k: int,
        route: Route = "hybrid",
        *,
        scope: Scope = Scope.everything,
    ) -> tuple[ScoredPassage, ...]:
        """At most `k` passages by one route, best first. The hybrid one is what `evidence` starts from, reranking included."""
        language = detect_language(question)
        query = self._query(question, language, route)
        within = self._within(scope, principal)
        if route != "hybrid":
            return self._index.search(query, principal, k, route=route, within=within)
        return self._ranked(query, principal, k, within)[0][:k]

    def features(
        self, question: str, language: str | None, principal: Principal, *, k: int, without: str = ""
    ) -> dict[str, float]:
        """What support is computed from, by name; `relevance.NO_SUPPORT` where nothing is found. For calibration.

        `without`: as if no passage had these words; what stands in for those that do comes from the `_SPARE` ones.
        """
        return self._evidence_and_features(question, language, principal, k, Scope.everything, without)[1]

    def _within(self, scope: Scope, principal: Principal) -> frozenset[str] | None:
        """The ids of the documents in the scope; None where it limits nothing, or leaves out nothing that is readable."""
        if not scope:
            return None
        if self._documents_within is None:
            return frozenset()
        within = frozenset(self._documents_within(scope, principal))
        # A long list costs the index more than all else; whether it is everything costs one look into the register.
        if len(within) >= _WIDE and within.issuperset(self._documents_within(Scope.everything, principal)):
            return None
        return within

    def _evidence_and_features(
        self, question: str, language: str | None, principal: Principal, k: int, scope: Scope, without: str = ""
    ) -> tuple[Evidence, dict[str, float]]:
        spoken = language or detect_language(question)
        query = self._query(question, spoken, "hybrid")
        within = self._within(scope, principal)
        ranked, preferred = self._ranked(query, principal, k + _SPARE, within)
        words = self._index.search(query, principal, _MARGIN_DEPTH, route="bm25", within=within)
        found = _spread(_distinct(_with_best(_lacking(ranked, without), _lacking(words, without), k)), k)
        weights = self._index.term_weights(question_terms(question, spoken, self._lexicon), principal)
        out_of_reach = self._bridges.out_of_reach(spoken) if self._bridges else ()
        evidence = Evidence(question, spoken, found, weights, preferred=preferred, out_of_reach=out_of_reach)
        if not found:
            return evidence, dict(NO_SUPPORT)
        dense = self._index.search(query, principal, _MARGIN_DEPTH, route="dense", within=within)
        return evidence, support_features(
            evidence,
            self._lexicon,
            word_scores=tuple(scored.score for scored in _lacking(words, without)),
            cosines=tuple(scored.score for scored in _lacking(dense, without)),
        )

    def _ranked(
        self, query: Query, principal: Principal, k: int, within: frozenset[str] | None
    ) -> tuple[tuple[ScoredPassage, ...], tuple[str, ...]]:
        """The hybrid ranking to at least `k` where there are so many, and which preferences of the question it followed."""
        wanted = preference(query.text)
        depth = max(k, self._reranker_depth, _PREFERRED_DEPTH if wanted else 0)
        found, followed = _preferred(self._index.search(query, principal, depth, within=within), wanted)
        head, rest = found[: self._reranker_depth], found[self._reranker_depth :]
        scores = self._reranker.scores(query.text, query.language, [scored.passage for scored in head])
        return found if scores is None else _ranks([*_reranked(head, scores, self._reranker_weight), *rest]), followed

    def _query(self, question: str, language: str, route: Route) -> Query:
        weight = self._embedder.dense_weight(language)
        if units(question):
            weight = min(weight, _REFERENCE_DENSE_WEIGHT)
        vector = (
            self._embedder.embed_query(question) if route == "dense" or (route == "hybrid" and weight > 0) else None
        )
        terms = frozenset() if route == "dense" else self._lexicon.search_terms(subject(question, language), language)
        return Query(question, language, vector, terms, weight)


def _preferred(
    found: tuple[ScoredPassage, ...], wanted: Preference
) -> tuple[tuple[ScoredPassage, ...], tuple[str, ...]]:
    """The ranking with the documents that the question names moved up, and what was followed.

    A preference is not a filter: what answers and does not fit stays. One that every passage fits, or none, moves nothing.
    """
    if not wanted:
        return found, ()
    fitting = [wanted.fitting(scored.passage) for scored in found]
    followed = sorted(
        name for name in frozenset().union(*fitting) if sum(name in names for names in fitting) < len(found)
    )
    if not followed:
        return found, ()
    raised = [
        replace(scored, score=scored.score + _PREFERRED_SHARE * len(names.intersection(followed)))
        for scored, names in zip(found, fitting, strict=True)
    ]
    return _ranks(sorted(raised, key=lambda scored: (-scored.score, scored.rank))), tuple(followed)


def _lacking(found: Sequence[ScoredPassage], words: str) -> Sequence[ScoredPassage]:
    """The ranking without the passages that have these words, white space, table borders and case aside."""
    if not words:
        return found
    return [scored for scored in found if _plain(words) not in _plain(scored.passage.text)]


def _with_best(ranked: Sequence[ScoredPassage], words: Sequence[ScoredPassage], k: int) -> Sequence[ScoredPassage]:
    """The ranking with the best passage by words as its second, where fusion has left it out of the first `k`.

    A table shares its words with a question and little else: an encoder reads "Level | Staff on site" badly. Where vectors count
    more than words, as in English, what they do not find at all would come behind all that they find.
    """
    if not words or any(scored.passage.id == words[0].passage.id for scored in ranked[:k]):
        return ranked
    first, rest = ranked[:1], [scored for scored in ranked[1:] if scored.passage.id != words[0].passage.id]
    return [*first, *(replace(words[0], score=scored.score, route=scored.route) for scored in first), *rest]


def _plain(text: str) -> str:
    return " ".join(text.replace(TABLE_CELL, " ").casefold().split())


def _reranked(head: Sequence[ScoredPassage], scores: Sequence[float], weight: float) -> list[ScoredPassage]:
    """These passages by both scores, each scaled from 0 for its worst to 1 for its best; `weight` is the share of `scores`.

    Best first; ties in the order they came.
    """
    former = _scaled([scored.score for scored in head])
    mixed = [weight * new + (1 - weight) * old for new, old in zip(_scaled(scores), former, strict=True)]
    best = sorted(zip(mixed, head, strict=True), key=lambda entry: (-entry[0], entry[1].rank))
    return [replace(scored, score=score, route="reranked") for score, scored in best]


def _scaled(scores: Sequence[float]) -> list[float]:
    """From 0 to 1; all 0 where all are equal."""
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]


def _distinct(found: Sequence[ScoredPassage]) -> list[ScoredPassage]:
    """The ranking without repeats of the same words: a text that is stored twice is evidence once."""
    seen: set[str] = set()
    kept: list[ScoredPassage] = []
    for scored in found:
        words = " ".join(search_form(scored.passage.text, scored.passage.language).casefold().split())
        if words not in seen:
            seen.add(words)
            kept.append(scored)
    return kept


def _spread(found: Sequence[ScoredPassage], k: int) -> tuple[ScoredPassage, ...]:
    """The first `k`, where the fourth passage of a section and any further one stand behind the others.

    Without headings a page is a section; of a text that has neither, as a law in a plain file may have none, a page's length is.
    """
    of_section: Counter[tuple[str, tuple[str, ...], tuple[int, ...]]] = Counter()
    first: list[ScoredPassage] = []
    later: list[ScoredPassage] = []
    for scored in found:
        passage = scored.passage
        places = () if passage.headings else passage.page_numbers or (-(passage.span.start // _PAGE_CHARS),)
        section = (passage.document_id, passage.headings, places)
        of_section[section] += 1
        (first if of_section[section] <= _OF_ONE_SECTION else later).append(scored)
    return _ranks([*first, *later][:k])


def _ranks(found: Iterable[ScoredPassage]) -> tuple[ScoredPassage, ...]:
    return tuple(replace(scored, rank=rank) for rank, scored in enumerate(found, start=1))


def _language_calibration(section: dict[str, Any]) -> LanguageCalibration:
    given = section["coefficients"]
    if set(given) != set(FEATURES):
        raise ValueError("it was fitted on other features")
    return LanguageCalibration(
        float(section["intercept"]), tuple(float(given[name]) for name in FEATURES), float(section["threshold"])
    )
