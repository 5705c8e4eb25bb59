"""How well a sentence answers a question, and how far evidence can be trusted to hold the answer.

Both look at the question's content words, each weighed by its rarity among the passages this reader may see, and at what kind of
answer the question asks for: "how many" wants a number, "when" a date. Languages are treated alike; only the cue words differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from assistant.embedding import Embedder
from assistant.language import search_form, sentence_spans
from assistant.lexical import Lexicon
from assistant.types import Evidence, Passage

FEATURES = (
    "sentence_coverage",
    "passage_coverage",
    "unmatched",
    "rarest_matched",
    "pair_coverage",
    "word_margin",
    "cosine",
    "cosine_margin",
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
_LIKE, _LIKE_SHARE, _LEAST_GRAMS = 0.6, 0.8, 4
"""A word of so many 4-grams is held in part, at this share, by a text that has at least this share of them."""
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

_QUESTION_WORDS = re.compile(
    r"\b(?:combien|comment|pourquoi|quand|où|qui|que|quoi|quels?|quelles?|lequel|laquelle|est-ce|y a-t-il|peut-on|doit-on|"
    r"faut-il|jusqu'à|selon|d'après|how|many|much|what|which|when|where|who|whom|whose|why|does|did|do|is|are|can|may|must|should|say|"
    r"according|كم|بكم|متى|أين|اين|كيف|لماذا|ماذا|هل|ما|من|أي|اي|حسب)\b",
    re.IGNORECASE,
)

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
_WORD = re.compile(r"\w+")
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


class Wanted:
    """What a question asks about: its content words, each with its rarity, and how much of them a text holds.

    A word counts as held when its stem is, and in part when most of its 4-grams are: "télétravailleurs" by "le télétravail".
    """

    def __init__(self, question: str, language: str, weights: Mapping[int, float], lexicon: Lexicon) -> None:
        self.weights = dict(weights)
        self.total = sum(weights.values())
        self._lexicon = lexicon
        self._language = language
        self._grams = {term: lexicon.grams(word, language) for word, term in _words(question, language, lexicon)}

    def held(self, text: str) -> dict[int, float]:
        """Term → how far `text` holds it, above 0 up to 1; terms it does not hold are absent."""
        terms = self._lexicon.query_terms(text, self._language)
        missing = [term for term in self.weights if term not in terms]
        held = {term: 1.0 for term in self.weights if term in terms}
        grams = self._lexicon.grams(text, self._language) if missing else frozenset()
        for term in missing:
            own = self._grams.get(term, frozenset())
            share = len(own & grams) / len(own) if len(own) >= _LEAST_GRAMS else 0.0
            if share >= _LIKE:
                held[term] = _LIKE_SHARE * share
        return held

    def coverage(self, held: Mapping[int, float]) -> float:
        """The share of the question's weight in `held`, from 0 to 1; 0 for a question without content words."""
        found = sum(weight * held.get(term, 0.0) for term, weight in self.weights.items())
        return found / self.total if self.total > 0 else 0.0


def question_terms(question: str, language: str, lexicon: Lexicon) -> frozenset[int]:
    """The content words of a question, as terms, without the words that only make it a question.

    A question of nothing else keeps them.
    """
    bare = _QUESTION_WORDS.sub(" ", question.replace("’", "'"))
    return lexicon.query_terms(bare, language) or lexicon.query_terms(question, language)


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
        scores = [_lexical_score(evidence.question, text, wanted, surroundings.held(text)) for text in sentences]
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


def _lexical_score(question: str, sentence: str, wanted: Wanted, beside: Mapping[int, float]) -> float:
    own = wanted.held(sentence)
    score = wanted.coverage(own)
    if score == 0:
        return 0.0
    together = {term: max(own.get(term, 0.0), _CONTEXT_SHARE * share) for term, share in beside.items()}
    score = wanted.coverage({**own, **together})
    kind = answer_kind(question)
    if kind is not AnswerKind.ANY:
        score *= _KIND_FOUND if shows_kind(sentence, kind, question) else _KIND_MISSING
    return score * (_QUESTION_SHARE if sentence.rstrip().endswith(("?", "؟")) else 1.0)


@dataclass(frozen=True, slots=True)
class _Match:
    """What one passage holds of the question."""

    above: dict[int, float]
    """In title and headings."""
    sentences: tuple[tuple[str, dict[int, float]], ...]

    def whole(self) -> dict[int, float]:
        """In all of it."""
        return _union([self.above, *(held for _, held in self.sentences)])


def support_features(
    evidence: Evidence, lexicon: Lexicon, *, word_scores: Sequence[float], cosines: Sequence[float]
) -> dict[str, float]:
    """`FEATURES` of evidence that has at least one passage.

    `word_scores` and `cosines` are the best scores of the word and of the dense route, best first.
    """
    wanted = Wanted(evidence.question, evidence.language, evidence.term_weights, lexicon)
    matches = [_match(scored.passage, wanted) for scored in evidence.passages]
    wholes = [match.whole() for match in matches]
    sentences = [(text, _union([held, _scaled(match.above)])) for match in matches for text, held in match.sentences]
    best_text, best = max(sentences, key=lambda entry: wanted.coverage(entry[1]), default=("", {}))
    rarest = sorted(wanted.weights, key=lambda term: (-wanted.weights[term], term))[:2]
    kind = answer_kind(evidence.question)
    return {
        "sentence_coverage": wanted.coverage(best),
        "passage_coverage": max(wanted.coverage(whole) for whole in wholes),
        "unmatched": 1.0 - wanted.coverage(_union(wholes)),
        "rarest_matched": max(sum(whole.get(term, 0.0) for term in rarest) for whole in wholes) / max(1, len(rarest)),
        "pair_coverage": _pair_coverage(evidence.question, [held for _, held in sentences], evidence.language, lexicon),
        "word_margin": _margin(word_scores),
        "cosine": max(0.0, cosines[0]) if cosines else 0.0,
        "cosine_margin": _margin(cosines),
        "answer_kind": float(shows_kind(best_text, kind, evidence.question)),
        "question_terms": min(1.0, len(wanted.weights) / 12),
    }


def _match(passage: Passage, wanted: Wanted) -> _Match:
    texts = [passage.text[span.start : span.end] for span in sentence_spans(passage.text, passage.language)]
    above = wanted.held("\n".join((passage.title, *passage.headings)))
    return _Match(above, tuple((text, wanted.held(text)) for text in texts))


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


def _pair_coverage(question: str, sentences: Sequence[Mapping[int, float]], language: str, lexicon: Lexicon) -> float:
    """The share of the question's neighbouring content words that stand together in a sentence."""
    in_order = list(dict.fromkeys(term for _, term in _words(question, language, lexicon)))
    pairs = list(pairwise(in_order))
    return sum(any(a in held and b in held for held in sentences) for a, b in pairs) / len(pairs) if pairs else 0.0


class _Surroundings:
    """What stands around a sentence in its passage: title, headings and the sentence before it."""

    def __init__(self, matches: Sequence[_Match]) -> None:
        self._beside: dict[str, dict[int, float]] = {}
        for match in reversed(matches):
            previous: dict[int, float] = {}
            for text, held in match.sentences:
                self._beside[_letters(text)] = _union([match.above, previous])
                previous = held

    def held(self, sentence: str) -> dict[int, float]:
        """Empty for a sentence that is in none of the passages. A sentence of several passages: those of the best one."""
        return self._beside.get(_letters(sentence), {})


def _letters(sentence: str) -> str:
    """What stays the same of a sentence when it is set in other lines: neither white space nor hyphens."""
    return _LAYOUT.sub("", sentence)
