"""How well a sentence answers a question, and how far evidence can be trusted to hold the answer.

Both look at the question's content words, each weighed by its rarity among the passages this reader may see, and at what kind of
answer the question asks for: "how many" wants a number, "when" a date. Languages are treated alike; only the cue words differ.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from assistant.embedding import Embedder
from assistant.language import search_form, sentence_spans
from assistant.lexical import Lexicon
from assistant.types import Evidence, Passage, ScoredPassage

FEATURES = (
    "sentence_coverage",
    "passage_coverage",
    "unmatched",
    "rarest_matched",
    "pair_coverage",
    "word_margin",
    "cosine",
    "answer_kind",
    "question_terms",
)
"""What support is computed from; each is between 0 and 1."""

NO_SUPPORT = dict.fromkeys(FEATURES, 0.0) | {"unmatched": 1.0}
"""The features of a question for which nothing was found."""

_CONTEXT_SHARE = 0.5
"""What a question's word counts when it stands beside the sentence (title, headings, the sentence before) and not in it."""
_KIND_FOUND, _KIND_MISSING = 1.25, 0.8
_QUESTION_SHARE = 0.6
"""A sentence that asks seldom answers."""
_EMBEDDED_SENTENCES = 8
_TRUSTED_DENSE_WEIGHT = 0.3
_COSINE_SHARE = 0.35


class AnswerKind(StrEnum):
    """What a question asks for, as far as its words tell."""

    NUMBER = "number"
    DATE = "date"
    PLACE = "place"
    PERSON = "person"
    ANY = "any"


_ASKS = (
    (
        AnswerKind.DATE,
        r"\b(quand|quelle date|quelles dates|quel jour|quelle année|quel mois|quelle heure|quelles heures|jusqu'à quand|"
        r"when|(?:which|what) (?:day|date|year|month|time)s?)\b|متى|(?:أي|اي) (?:يوم|تاريخ|سنة|عام|شهر|ساعة)|ما (?:هو )?تاريخ",
    ),
    (
        AnswerKind.NUMBER,
        r"\b(combien|(?:quel|quelle|quels|quelles)(?: \w+){0,4} (?:montant|prix|délai|durée|taux|âge|nombre|température|tarif|"
        r"plafond|seuil|coût|note|pourcentage|somme|vitesse|hauteur|distance|superficie|population)|"
        r"how (?:many|much|long|far|old|often|quickly|soon|large|high|big|fast)|"
        r"(?:maximum|minimum|largest|smallest|amount|fee|price|fare|cost|budget|number|deadline|rate) )"
        r"|\bكم\b|بكم|ما (?:هو |هي )?(?:ال)?(?:مقدار|عدد|مدة|أجل|رسم|ثمن|سعر|نسبة|حد|عرض|مبلغ)",
    ),
    (AnswerKind.PLACE, r"\b(où|quel endroit|quel lieu|where|(?:which|what) place)\b|\bأين\b|\bاين\b"),
    (AnswerKind.PERSON, r"^\W*(?:\w+ )?(qui|who|whom)\b|\bمن (?:هو|هي|الذي|يقرر|يوقع)\b"),
)
_ASKS_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS)

_NUMBER_WORDS = (
    r"deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|quarante|cinquante|soixante|cent|mille|moitié|tiers|"
    r"gratuit\w*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundred|"
    r"thousand|half|third|free|واحد\w*|اثن\w+|ثلاث\w*|أربع\w*|اربع\w*|خمس\w*|ست\w*|سبع\w*|ثمان\w*|تسع\w*|عشر\w*|مائة|ألف|"
    r"نصف\w*|ثلث|ربع|مجان\w*|يومان|يومين|شهران|شهرين|سنتان|سنتين|مترين|متران"
)
_MONTHS = (
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|january|february|march|april|may|june|"
    r"july|august|september|october|november|december|يناير|فبراير|مارس|أبريل|ماي|مايو|يونيو|يوليوز|يوليو|غشت|أغسطس|شتنبر|سبتمبر|"
    r"أكتوبر|نونبر|نوفمبر|دجنبر|ديسمبر|رمضان"
)
_DAYS = (
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
    r"الاثنين|الإثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت|الأحد"
)
_SHOWS = {
    AnswerKind.NUMBER: re.compile(rf"\d|\b(?:{_NUMBER_WORDS})\b", re.IGNORECASE),
    AnswerKind.DATE: re.compile(
        rf"\b(?:1[0-9]|20)\d\d\b|\b\d{{1,2}}(?: ?h\b|:\d\d|/\d{{1,2}}/| ?[ap]\.?m\b)|\b(?:{_MONTHS}|{_DAYS}|midi|noon)\b",
        re.IGNORECASE,
    ),
    AnswerKind.PLACE: re.compile(
        r"\b(?:rue|place|avenue|quai|bureau|bâtiment|salle|étage|guichet|mairie|hôtel|situé\w*|sous|chez|auprès|street|road|square|"
        r"room|floor|building|office|vault|located|centre|center|near|counter|desk)\b|شارع|ساحة|مكتب|مبنى|قاعة|طابق|مقر|شباك|يقع|تقع|لدى|مدينة"
        r"|\S\s+[A-ZÀ-Ý][\w'’-]+"
    ),
    AnswerKind.PERSON: re.compile(
        r"\b(?:maire|préside\w+|direct\w+|chef\w*|préfet|ministre|commission|comité|service|agent\w*|mayor|president|director|head|"
        r"minister|committee|board|officer|council)\b|رئيس|مدير|وزير|لجنة|مصلحة|عامل|والي|مجلس|\S\s+[A-ZÀ-Ý][\w'’-]+"
    ),
}
_DIGITS = re.compile(r"\d+")
_LAYOUT = re.compile(r"[\s\-\u00ad\u2010]+")


def answer_kind(question: str) -> AnswerKind:
    """What the question asks for, by its cue words in French, Arabic or English.

    >>> answer_kind("À partir de quelle date ?").value, answer_kind("كم مدة الإجازة؟").value, answer_kind("Why?").value
    ('date', 'number', 'any')
    """
    text = question.replace("’", "'")
    return next((kind for kind, pattern in _ASKS_PATTERNS if pattern.search(text)), AnswerKind.ANY)


def shows_kind(sentence: str, kind: AnswerKind, question: str) -> bool:
    """True when the sentence holds something of this kind that the question does not say itself."""
    if kind is AnswerKind.ANY:
        return True
    said = set(_DIGITS.findall(search_form(question, "ar")))
    text = search_form(sentence, "en") if kind is AnswerKind.NUMBER else sentence
    own = _DIGITS.sub(lambda match: "" if match.group() in said else match.group(), text)
    return bool(_SHOWS[kind].search(own))


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
        surroundings = _Surroundings(evidence.passages, self._lexicon, language)
        kind = answer_kind(evidence.question)
        scores = [
            self._lexical_score(evidence, sentence, surroundings.terms(sentence), kind, language)
            for sentence in sentences
        ]
        if self._embedder.dense_weight(language) >= _TRUSTED_DENSE_WEIGHT:
            self._add_similarity(scores, evidence.question, sentences)
        return scores

    def _lexical_score(
        self, evidence: Evidence, sentence: str, beside: frozenset[int], kind: AnswerKind, language: str
    ) -> float:
        own = self._lexicon.query_terms(sentence, language)
        weights = evidence.term_weights
        score = coverage(weights, own)
        if score == 0:
            return 0.0
        score += _CONTEXT_SHARE * coverage(weights, beside - own)
        if kind is not AnswerKind.ANY:
            score *= _KIND_FOUND if shows_kind(sentence, kind, evidence.question) else _KIND_MISSING
        return score * (_QUESTION_SHARE if sentence.rstrip().endswith(("?", "؟")) else 1.0)

    def _add_similarity(self, scores: list[float], question: str, sentences: Sequence[str]) -> None:
        best = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:_EMBEDDED_SENTENCES]
        best = [i for i in best if scores[i] > 0]
        if best:
            rows = self._embedder.embed_passages([sentences[i] for i in best])
            similarities = rows @ self._embedder.embed_query(question)
            for i, similarity in zip(best, similarities, strict=True):
                scores[i] += _COSINE_SHARE * max(0.0, float(similarity))


def coverage(weights: Mapping[int, float], terms: Collection[int]) -> float:
    """The share of the question's weight that `terms` hold, from 0 to 1; 0 for a question without content words.

    >>> coverage({1: 3.0, 2: 1.0}, {1, 7})
    0.75
    """
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Match:
    """What one passage has of the question."""

    above: frozenset[int]
    """Terms of title and headings."""
    whole: frozenset[int]
    sentences: tuple[tuple[str, frozenset[int]], ...]


def support_features(
    evidence: Evidence, lexicon: Lexicon, *, word_scores: Sequence[float], cosines: Sequence[float]
) -> dict[str, float]:
    """`FEATURES` of evidence that has at least one passage.

    `word_scores` and `cosines` are the best two scores of the word and of the dense route, best first.
    """
    weights, language = evidence.term_weights, evidence.language
    matches = [_match(scored.passage, lexicon, language) for scored in evidence.passages]
    sentences = [entry for match in matches for entry in match.sentences]
    best_text, best_terms = max(sentences, key=lambda entry: coverage(weights, entry[1]), default=("", frozenset()))
    found = frozenset[int]().union(*(match.whole for match in matches))
    rarest = sorted(weights, key=lambda term: (-weights[term], term))[:2]
    kind = answer_kind(evidence.question)
    return {
        "sentence_coverage": coverage(weights, best_terms),
        "passage_coverage": max(coverage(weights, match.whole) for match in matches),
        "unmatched": 1.0 - coverage(weights, found) if weights else 1.0,
        "rarest_matched": max(sum(term in match.whole for term in rarest) for match in matches) / max(1, len(rarest)),
        "pair_coverage": _pair_coverage(evidence.question, [terms for _, terms in sentences], lexicon, language),
        "word_margin": 1.0 - word_scores[1] / word_scores[0] if len(word_scores) > 1 and word_scores[0] > 0 else 0.0,
        "cosine": max(0.0, cosines[0]) if cosines else 0.0,
        "answer_kind": float(shows_kind(best_text, kind, evidence.question)),
        "question_terms": min(1.0, len(weights) / 12),
    }


def _match(passage: Passage, lexicon: Lexicon, language: str) -> _Match:
    texts = [passage.text[span.start : span.end] for span in sentence_spans(passage.text, passage.language)]
    terms = [lexicon.query_terms(text, language) for text in texts]
    above = lexicon.query_terms("\n".join((passage.title, *passage.headings)), language)
    return _Match(above, above.union(*terms), tuple(zip(texts, terms, strict=True)))


def _pair_coverage(question: str, sentences: Sequence[frozenset[int]], lexicon: Lexicon, language: str) -> float:
    """The share of the question's neighbouring content words that stand together in a sentence."""
    in_order: list[int] = []
    for word in question.split():
        in_order += [term for term in sorted(lexicon.query_terms(word, language)) if term not in in_order]
    pairs = list(pairwise(in_order))
    return sum(any(a in s and b in s for s in sentences) for a, b in pairs) / len(pairs) if pairs else 0.0


class _Surroundings:
    """The terms around a sentence in its passage: title, headings and the sentence before it."""

    def __init__(self, passages: Sequence[ScoredPassage], lexicon: Lexicon, language: str) -> None:
        self._before: dict[str, frozenset[int]] = {}
        for scored in reversed(passages):
            match = _match(scored.passage, lexicon, language)
            previous: frozenset[int] = frozenset()
            for text, terms in match.sentences:
                self._before[_letters(text)] = match.above | previous
                previous = terms

    def terms(self, sentence: str) -> frozenset[int]:
        """Empty for a sentence that is in none of the passages. A sentence of several passages: those of the best one."""
        return self._before.get(_letters(sentence), frozenset())


def _letters(sentence: str) -> str:
    """What stays the same of a sentence when it is set in other lines: neither white space nor hyphens."""
    return _LAYOUT.sub("", sentence)
