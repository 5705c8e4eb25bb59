"""What a question asks about, as weighed terms, and how much of it a text holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from assistant.answer_kinds import CALENDAR
from assistant.articles import asked_articles
from assistant.designations import designations
from assistant.language import search_form, skeleton
from assistant.lexical import Lexicon
from assistant.questions import content
from assistant.synonyms import synonyms

_LIKE, _LIKE_SHARE, _LEAST_GRAMS = 0.6, 0.8, 4
"""A word of so many 4-grams is held in part, at this share, by a text that has at least this share of them."""
_SAME_ROOT_SHARE = 0.6
"""What a text holds of an Arabic word that it has another form of: "الحراس" of "حارسا", "يطلع" of "الاطلاع"."""
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
_WORD = re.compile(r"\w+")
_CAPITALISED = re.compile(r"(?<![\w'’-])(?:[dlDL]['’])?[A-ZÀ-Ý][\w'’-]*[a-zà-ÿ]\w*")
_THING = re.compile(
    r"\b(?:quel(?:le)?s?(?: sont| est)?(?: les?| la| l')?|(?:which|what)(?: are| is)?(?: the)?)\s*"
    r"(?:\b(?:grande|main|principale)s?\s+)?(?P<thing>[^\W\d_]{3,})|"
    r"\b(?:ما (?:هي|هو)|ما)\s+(?P<chose>ال[^\W\d_]{3,}|[^\W\d_]{4,})",
    re.IGNORECASE,
)


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
        self.articles = asked_articles(question)
        """Articles, sections and the like that the question names; a law's own number is no part of it."""
        self.designations = designations(question)
        """Things that the question names by number."""
        asked = _THING.search(question.replace("’", "'"))
        self.thing = (
            lexicon.query_terms(asked["thing"] or asked["chose"], language) & self.weights.keys()
            if asked
            else frozenset()
        )
        """What the question asks for by name: "quelles pièces", "what are the conditions"."""
        self.names = frozenset(
            term for name in _names(question) for term in lexicon.query_terms(name, language) & self.weights.keys()
        )
        """What the question calls by a proper name, where capitals tell."""
        self._lexicon = lexicon
        self.language = language
        self._grams = {term: lexicon.grams(word, language) for word, term in _words(question, language, lexicon)}
        known = synonyms(language, lexicon)
        self._synonyms = {term: known[term] for term in weights if term in known}
        self._held: dict[str, dict[int, float]] = {}
        words = _words(question, language, lexicon) if language == "ar" else []
        self._skeletons = {term: found for word, term in words if (found := skeleton(word))}

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
        skeletons = {skeleton(word) for word in _WORD.findall(text)} if missing and self._skeletons else set()
        for term in missing:
            own = self._grams.get(term, frozenset())
            share = len(own & grams) / len(own) if len(own) >= _LEAST_GRAMS else 0.0
            if share >= _LIKE:
                held[term] = _LIKE_SHARE * share
            if self._skeletons.get(term) in skeletons:
                held[term] = max(_SAME_ROOT_SHARE, held.get(term, 0.0))
            if not terms.isdisjoint(self._synonyms.get(term, ())):
                held[term] = max(_SYNONYM_SHARE, held.get(term, 0.0))
        return held

    def is_heading_of_thing(self, heading: str) -> bool:
        """True when a heading names the very thing that the question asks for."""
        held = self.held(heading) if self.thing else {}
        return bool(self.thing) and all(held.get(term, 0.0) >= _SYNONYM_SHARE for term in self.thing)

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


def _names(question: str) -> list[str]:
    """Words with a capital that do not begin the question: "à Saint-Malo", "in Brighton"; neither months nor abbreviations.

    >>> _names("Combien coûte le bac à Marseille en Juin ?"), _names("Quelle est la TVA ?")
    (['Marseille'], [])
    """
    words = [match.group() for match in _CAPITALISED.finditer(question) if match.start() > 0]
    return [word for word in words if not CALENDAR.search(word)]


@lru_cache(maxsize=16)
def _light_terms(language: str, lexicon: Lexicon) -> frozenset[int]:
    return lexicon.query_terms(_LIGHT_WORDS.get(language, ""), language)


def question_terms(question: str, language: str, lexicon: Lexicon) -> frozenset[int]:
    """The content words of a question, as terms, without the words that only make it a question.

    A question of nothing else keeps them.
    """
    return lexicon.query_terms(content(question, language), language) or lexicon.query_terms(question, language)


def _words(question: str, language: str, lexicon: Lexicon) -> list[tuple[str, int]]:
    """(word, term) of the question's words in their order; a word of several terms comes once for each."""
    return [
        (word, term)
        for word in _WORD.findall(
            search_form(question, "fr" if language == "fr" else "en") if language != "ar" else question
        )
        for term in sorted(lexicon.query_terms(word, language))
    ]
