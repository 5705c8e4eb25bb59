"""How well a sentence answers a question, and how far evidence can be trusted to hold the answer.

Both look at the question's content words, each weighed by its rarity among the passages this reader may see, and at what kind of
answer the question asks for: "how many" wants a number, "when" a date. Languages are treated alike; only the cue words differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.answer_kinds import AnswerKind, answer_kind, counts_otherwise, lacks_kind, shows_kind, values, years
from assistant.designations import designations, speaks_of_another
from assistant.embedding import Embedder
from assistant.language import TABLE_CELL, search_form, sentence_spans
from assistant.lexical import Lexicon
from assistant.questions import content
from assistant.synonyms import synonyms
from assistant.types import Evidence, Passage
from assistant.units import references

FEATURES = (
    "sentence",
    "passage",
    "rarest_missing",
    "kind_missing",
    "kind_elsewhere",
    "counts_otherwise",
    "years_missing",
    "numbers_missing",
    "word_margin",
    "cosine",
    "question_terms",
)
"""What support is computed from; each is between 0 and 1."""

NO_SUPPORT = dict.fromkeys(FEATURES, 0.0) | {"rarest_missing": 1.0, "kind_missing": 1.0, "kind_elsewhere": 1.0}
"""The features of a question for which nothing was found."""

_CONTEXT_SHARE = 0.5
"""What a question's word counts when it stands beside the sentence (title, headings, the sentence before) and not in it."""
_KIND_FOUND, _KIND_MISSING = 1.25, 0.8
_UNDER_HEADING = 0.75
"""A sentence without a word of the question may answer it where title and headings above it hold this much of it."""
_QUESTION_SHARE = 0.6
"""A sentence that asks seldom answers."""
_LIKE, _LIKE_SHARE, _LEAST_GRAMS = 0.6, 0.8, 4
"""A word of so many 4-grams is held in part, at this share, by a text that has at least this share of them."""
_SYNONYM_SHARE = 0.5
"""What a text holds of a word that it has a synonym of."""
_LIGHT_SHARE = 0.3
"""What a word counts that says how a question is put rather than what it is about."""
_LIGHT_WORDS = {
    "fr": "a à ai as ont est sont été être avoir eu peut peuvent peux puis pouvoir dois doit doivent devoir "
    "faut falloir faire fait fais font "
    "arrive passe devient vaut très trop encore aussi quand après avant chez mon ma mes son sa ses fois sert "
    "obtenir prendre donner "
    "toucher touche droit possible existe trouve "
    "dit dire disent prévoit prévoient dispose stipule énonce combien délai durée temps montant prix coût coûte coûter tarif "
    "date jour heure nombre "
    "numéro âge lieu adresse endroit personne quelqu'un quelque chose",
    "en": "do does did done can could may must should will would have has had get gets go goes give gives take "
    "takes put back need needs want "
    "say says said state states provide provides "
    "there somebody someone anybody anyone something happen happens over long time soon far often much many day "
    "date number amount cost "
    "costs price ask",
    "ar": "يمكن يجب يجوز للحصول الحصول تستطيع يستطيع أستطيع أدفع يدفع تدفع يقع يحدث عنها عنه عند بدون هناك لدي "
    "عندي كان كانت تكون يكون يبلغ "
    "تقول يقول ينص تنص "
    "تبلغ تعد يعد مدة أجل عدد مبلغ ثمن تاريخ وقت يوم ساعة رقم حسب مقابل",
}
_OTHER_LANGUAGE_SHARE = 0.6
"""What a sentence in another language than the question counts: what the two share are names and chance likenesses."""
_ROW_NAME = re.compile(r"\b(?:[A-Z]|\d{1,2})\b(?!['’])")
_NAMED_ROW = 1.5
_NAMED_ARTICLE = 2.0
"""What a sentence counts that begins the article whose text is asked for, where articles have no headings. Of a question for a
sum or a period the answer may stand in another article that refers to this one."""
_OPENING_CHARS = 100
_LEAST_OF_A_GIVEN_SUBJECT = 0.3
_EMBEDDED_SENTENCES = 8
_TRUSTED_DENSE_WEIGHT = 0.3
_COSINE_SHARE = 0.35


_WORD = re.compile(r"\w+")
_GIVEN_SUBJECT = re.compile(r"\(([^()]+)\)\W*$")
_LAYOUT = re.compile(r"[\s\-\u00ad\u2010]+")


class Wanted:
    """What a question asks about: its content words, each with its rarity, and how much of them a text holds.

    A word counts as held when its stem is, and in part when most of its 4-grams are: "télétravailleurs" by "le télétravail".
    """

    def __init__(self, question: str, language: str, weights: Mapping[int, float], lexicon: Lexicon) -> None:
        light = _light_terms(language, lexicon)
        if set(weights) <= light:
            light = frozenset()
        self.weights = {term: weight * (_LIGHT_SHARE if term in light else 1) for term, weight in weights.items()}
        self.total = sum(self.weights.values())
        self.articles = frozenset(unit for unit in references(question) if not unit.startswith("no:"))
        """Articles, sections and the like that the question names; a law's own number is no part of it."""
        self.designations = designations(question)
        self._lexicon = lexicon
        self.language = language
        self._grams = {term: lexicon.grams(word, language) for word, term in _words(question, language, lexicon)}
        known = synonyms(language, lexicon)
        self._synonyms = {term: known[term] for term in weights if term in known}
        self._held: dict[str, dict[int, float]] = {}

    def held(self, text: str) -> dict[int, float]:
        """Term → how far `text` holds it, above 0 up to 1; terms it does not hold are absent."""
        if text not in self._held:
            self._held[text] = self._looked_up(text)
        return self._held[text]

    def _looked_up(self, text: str) -> dict[int, float]:
        terms = self._lexicon.query_terms(text, self.language)
        missing = [term for term in self.weights if term not in terms]
        held = {term: 1.0 for term in self.weights if term in terms}
        grams = self._lexicon.grams(text, self.language) if missing else frozenset()
        for term in missing:
            own = self._grams.get(term, frozenset())
            share = len(own & grams) / len(own) if len(own) >= _LEAST_GRAMS else 0.0
            if share >= _LIKE:
                held[term] = _LIKE_SHARE * share
            if not terms.isdisjoint(self._synonyms.get(term, ())):
                held[term] = max(_SYNONYM_SHARE, held.get(term, 0.0))
        return held

    def weights_of(self, words: str, language: str) -> dict[int, float]:
        """The weights of those of the question's content words that are among these."""
        terms = self._lexicon.query_terms(words, language)
        return {term: weight for term, weight in self.weights.items() if term in terms}

    def coverage(self, held: Mapping[int, float]) -> float:
        """The share of the question's weight in `held`, from 0 to 1; 0 for a question without content words."""
        found = sum(weight * held.get(term, 0.0) for term, weight in self.weights.items())
        return found / self.total if self.total > 0 else 0.0

    def rarest_missing(self, held: Mapping[int, float]) -> float:
        """How much the weightiest word that `held` lacks weighs beside the weightiest of all, from 0 to 1."""
        missing = max((weight * (1 - held.get(term, 0.0)) for term, weight in self.weights.items()), default=0.0)
        heaviest = max(self.weights.values(), default=0.0)
        return missing / heaviest if heaviest > 0 else 0.0


@lru_cache(maxsize=16)
def _light_terms(language: str, lexicon: Lexicon) -> frozenset[int]:
    return lexicon.query_terms(_LIGHT_WORDS.get(language, ""), language)


def question_terms(question: str, language: str, lexicon: Lexicon) -> frozenset[int]:
    """The content words of a question, as terms, without the words that only make it a question.

    A question of nothing else keeps them.
    """
    return lexicon.query_terms(content(question, language), language) or lexicon.query_terms(question, language)


class SentenceRelevance:
    """Scores sentences against a question."""

    def __init__(self, lexicon: Lexicon, embedder: Embedder) -> None:
        self._lexicon = lexicon
        self._embedder = embedder

    def score(self, evidence: Evidence, sentences: Sequence[str], language: str) -> list[float]:
        """How well each sentence answers `evidence.question`, in their order; 0 is not at all, good ones come near 1.

        The rarity-weighted share of the question's words that the sentence holds (half for those beside it in its
        passage), more where the sentence shows the kind of thing asked for. Where the encoder is trusted in this language,
        its similarity joins in for the best few.
        """
        if not sentences:
            return []
        wanted = Wanted(evidence.question, language, evidence.term_weights, self._lexicon)
        surroundings = _Surroundings([_match(scored.passage, wanted) for scored in evidence.passages])
        scores = [
            _lexical_score(evidence.question, text, surroundings.own(text, wanted), wanted, surroundings.held(text))
            * surroundings.share(text)
            for text in sentences
        ]
        if self._embedder.dense_weight(language) >= _TRUSTED_DENSE_WEIGHT:
            self._add_similarity(scores, evidence.question, sentences)
        return scores

    def _add_similarity(self, scores: list[float], question: str, sentences: Sequence[str]) -> None:
        best = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:_EMBEDDED_SENTENCES]
        best = [i for i in best if scores[i] > 0]
        if best:
            rows = self._embedder.embed_passages([sentences[i] for i in best])
            similarities = rows @ self._embedder.embed_query(question)
            for i, similarity in zip(best, similarities, strict=True):
                scores[i] += _COSINE_SHARE * max(0.0, float(similarity))


def _lexical_score(
    question: str, sentence: str, own: Mapping[int, float], wanted: Wanted, beside: Mapping[int, float]
) -> float:
    if not own and wanted.coverage(beside) < _UNDER_HEADING:
        return 0.0
    if wanted.designations and speaks_of_another(sentence, wanted.designations):
        return 0.0
    together = {term: max(own.get(term, 0.0), _CONTEXT_SHARE * share) for term, share in beside.items()}
    score = wanted.coverage({**own, **together})
    kind = answer_kind(question)
    if kind is not AnswerKind.ANY:
        score *= _KIND_FOUND if shows_kind(sentence, kind, question) else _KIND_MISSING
    elif wanted.articles and not wanted.articles.isdisjoint(references(sentence[:_OPENING_CHARS])):
        score *= _NAMED_ARTICLE
    return score * _row_share(question, sentence) * (_QUESTION_SHARE if sentence.rstrip().endswith(("?", "؟")) else 1.0)


def _row_share(question: str, sentence: str) -> float:
    """More for the table row that the question names by its letter or number ("tranche D", "level 3"), less for the others."""
    first = sentence.split(TABLE_CELL, 1)[0].strip()
    named = set(_ROW_NAME.findall(question))
    if TABLE_CELL not in sentence or not named or not _ROW_NAME.fullmatch(first):
        return 1.0
    return _NAMED_ROW if first in named else 1 / _NAMED_ROW


@dataclass(frozen=True, slots=True)
class _Match:
    """What one passage holds of the question."""

    above: dict[int, float]
    """In title and headings."""
    is_named: bool
    """True when the question names the very article that its headings are those of: all its sentences are then about it."""
    share: float
    """What its sentences count for the language they are in."""
    around: str
    """The passage with its title, headings and date."""
    sentences: tuple[tuple[str, dict[int, float]], ...]

    def with_surroundings(self) -> Iterator[tuple[str, dict[int, float], dict[int, float]]]:
        """(sentence, what it holds, what stands beside it): title, headings, and the sentence before it.

        Of a table row not the row before it but the table's header, of a list item the sentence that opens the list.
        """
        previous: dict[int, float] = {}
        opening: dict[int, float] | None = None
        in_table = False
        for text, held in self.sentences:
            is_row = TABLE_CELL in text
            if is_row != in_table:
                opening, in_table = (held if is_row else None), is_row
            yield text, held, _union([self.above, previous if opening is None or opening is held else opening])
            if text.endswith(":"):
                opening = held
            elif opening is not None and not is_row and text.endswith((".", "؟", "?", "!")):
                opening = None
            previous = held

    def whole(self) -> dict[int, float]:
        """In all of it."""
        return _union([self.above, *(held for _, held in self.sentences)])


def support_features(
    evidence: Evidence, lexicon: Lexicon, *, word_scores: Sequence[float], cosines: Sequence[float]
) -> dict[str, float]:
    """`FEATURES` of evidence that has at least one passage.

    They are about the best sentence, as `SentenceRelevance` scores without an encoder, and what stands around it.
    They are `NO_SUPPORT` for a follow-up question about something that the best passage does not speak of, and for one that
    names a thing by a number ("dossier 1067") where the passage has only other numbers of it.
    `word_scores` and `cosines` are the best scores of the word and of the dense route, best first.
    """
    question = evidence.question
    wanted = Wanted(question, evidence.language, evidence.term_weights, lexicon)
    matches = [_match(scored.passage, wanted) for scored in evidence.passages]
    best = _best_sentence(question, matches, wanted)
    kind = answer_kind(question)
    whole = best.match.whole()
    if _misses_its_subject(question, evidence.language, wanted, whole) or _names_another(wanted, best.match):
        return dict(NO_SUPPORT)
    asked_years = years(question)
    asked_numbers = [number for number in values(question) if number not in asked_years]
    return {
        "sentence": wanted.coverage(best.held),
        "passage": wanted.coverage(whole),
        "rarest_missing": wanted.rarest_missing(whole),
        "kind_missing": float(lacks_kind(best.text, kind, question, evidence.language)),
        "kind_elsewhere": _kind_elsewhere(question, kind, matches, wanted),
        "counts_otherwise": float(counts_otherwise(best.text, question)),
        "years_missing": _share_missing(asked_years, years(best.match.around)),
        "numbers_missing": _share_missing(asked_numbers, values(best.match.around)),
        "word_margin": _margin(word_scores),
        "cosine": max(0.0, cosines[0]) if cosines else 0.0,
        "question_terms": min(1.0, len(wanted.weights) / 12),
    }


def _misses_its_subject(question: str, language: str, wanted: Wanted, whole: Mapping[int, float]) -> bool:
    """True when a question that was given a subject in brackets (`rewriting`) finds less than a third of it."""
    given = _GIVEN_SUBJECT.search(question)
    weights = wanted.weights_of(given[1], language) if given else {}
    return sum(weight * whole.get(term, 0.0) for term, weight in weights.items()) < _LEAST_OF_A_GIVEN_SUBJECT * sum(
        weights.values()
    )


def _names_another(wanted: Wanted, match: _Match) -> bool:
    return bool(wanted.designations) and speaks_of_another(match.around, wanted.designations)


@dataclass(frozen=True, slots=True)
class _Best:
    """The sentence that answers best, what it holds of the question, and its passage."""

    text: str
    held: dict[int, float]
    match: _Match


def _best_sentence(question: str, matches: Sequence[_Match], wanted: Wanted) -> _Best:
    best, best_score = _Best("", {}, matches[0]), -1.0
    for rank, match in enumerate(matches):
        for text, held, beside in match.with_surroundings():
            score = _lexical_score(question, text, held, wanted, beside) * match.share * _rank_prior(rank + 1)
            if score > best_score:
                best, best_score = _Best(text, held, match), score
    return best


def _kind_elsewhere(question: str, kind: AnswerKind, matches: Sequence[_Match], wanted: Wanted) -> float:
    """By how much the sentence that holds most of the question outdoes the best that shows what is asked for; 0 to 1."""
    best = showing = 0.0
    for match in matches:
        for text, held in match.sentences:
            coverage = wanted.coverage(_union([held, _scaled(match.above)]))
            best = max(best, coverage)
            if coverage > showing and not lacks_kind(text, kind, question, wanted.language):
                showing = coverage
    return 1 - showing / best if best > 0 else 1.0


def _rank_prior(rank: int) -> float:
    """How far a sentence is believed for the place of its passage, 1-based: a good passage speaks for its sentences."""
    return 1 / (1 + 0.04 * (rank - 1))


def _share_missing(asked: Sequence[str], around: Sequence[str]) -> float:
    """The share of the question's numbers that neither the passage nor its title, headings or date have."""
    return sum(number not in around for number in asked) / len(asked) if asked else 0.0


def _match(passage: Passage, wanted: Wanted) -> _Match:
    texts = [passage.text[span.start : span.end] for span in sentence_spans(passage.text, passage.language)]
    heading = "\n".join((passage.title, *passage.headings))
    around = "\n".join((heading, passage.date or "", passage.text))
    share = 1.0 if passage.language == wanted.language else _OTHER_LANGUAGE_SHARE
    above = wanted.held(heading)
    is_named = not wanted.articles.isdisjoint(references("\n".join(passage.headings)))
    sentences = ((text, wanted.held(text)) for text in texts)
    return _Match(
        above,
        is_named,
        share,
        around,
        tuple((text, _union([held, above]) if is_named else held) for text, held in sentences),
    )


def _union(parts: Sequence[Mapping[int, float]]) -> dict[int, float]:
    joined: dict[int, float] = {}
    for part in parts:
        for term, share in part.items():
            joined[term] = max(share, joined.get(term, 0.0))
    return joined


def _scaled(held: Mapping[int, float]) -> dict[int, float]:
    return {term: _CONTEXT_SHARE * share for term, share in held.items()}


def _margin(scores: Sequence[float]) -> float:
    """By how much the best stands out from the rest, as a share of itself."""
    if len(scores) < 2 or scores[0] <= 0:
        return 0.0
    return max(0.0, 1.0 - sum(scores[1:]) / (len(scores) - 1) / scores[0])


def _words(question: str, language: str, lexicon: Lexicon) -> list[tuple[str, int]]:
    """(word, term) of the question's words in their order; a word of several terms comes once for each."""
    return [
        (word, term)
        for word in _WORD.findall(
            search_form(question, "fr" if language == "fr" else "en") if language != "ar" else question
        )
        for term in sorted(lexicon.query_terms(word, language))
    ]


class _Surroundings:
    """What stands around a sentence in its passage, title, headings and the sentence before it, and what it holds itself."""

    def __init__(self, matches: Sequence[_Match]) -> None:
        self._own: dict[str, dict[int, float]] = {}
        self._beside: dict[str, dict[int, float]] = {}
        self._share: dict[str, float] = {}
        for match in reversed(matches):
            for text, own, beside in match.with_surroundings():
                self._own[_letters(text)] = own
                self._beside[_letters(text)] = beside
                self._share[_letters(text)] = match.share

    def held(self, sentence: str) -> dict[int, float]:
        """Empty for a sentence that is in none of the passages. A sentence of several passages: those of the best one."""
        return self._beside.get(_letters(sentence), {})

    def own(self, sentence: str, wanted: Wanted) -> dict[int, float]:
        """What the sentence holds itself; with the names of its article, where that is asked for."""
        known = self._own.get(_letters(sentence))
        return wanted.held(sentence) if known is None else known

    def share(self, sentence: str) -> float:
        """What the sentence counts for the language it is in, as the best of its passages has it."""
        return self._share.get(_letters(sentence), 1.0)


def _letters(sentence: str) -> str:
    """What stays the same of a sentence when it is set in other lines: neither white space nor hyphens."""
    return _LAYOUT.sub("", sentence)
