"""Between languages: whether the encoder finds a passage in another one than the question's, and which of its sentences is meant.

Words of two languages rarely meet, so only vectors can do it. It is measured rather than assumed: each of a few administrative
sentences is looked for by its translation among the others; from `ENOUGH` found on, a pair of languages counts as bridged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from assistant.embedding import Embedder
from assistant.types import Evidence

ENOUGH = 0.9

_SENTENCES = {
    "fr": (
        "Le congé annuel dure trente jours ouvrables.",
        "La demande doit être signée par le chef de service.",
        "L'eau du robinet est contrôlée chaque semaine.",
        "Les enfants de moins de six ans voyagent gratuitement.",
        "Le permis de construire est affiché sur le terrain.",
        "Le vol d'un badge est signalé le jour même.",
        "La bibliothèque est fermée le dimanche.",
        "Les ordures ménagères sont ramassées le mardi.",
        "Le retard de paiement entraîne une amende.",
        "Toute personne malade fournit un certificat médical.",
        "Les mariages sont célébrés à l'hôtel de ville.",
        "Le chauffage des écoles est réparé avant l'hiver.",
    ),
    "ar": (
        "مدة الإجازة السنوية ثلاثون يوم عمل.",
        "يجب أن يوقع رئيس المصلحة على الطلب.",
        "تُراقب مياه الصنبور كل أسبوع.",
        "يسافر الأطفال دون السادسة مجانا.",
        "تُعلق رخصة البناء في موقع الأشغال.",
        "يُبلغ عن سرقة الشارة في اليوم نفسه.",
        "المكتبة مغلقة يوم الأحد.",
        "تُجمع النفايات المنزلية يوم الثلاثاء.",
        "يترتب على التأخر في الأداء غرامة.",
        "يقدم كل مريض شهادة طبية.",
        "تُعقد مراسم الزواج في مقر البلدية.",
        "تُصلح تدفئة المدارس قبل الشتاء.",
    ),
    "en": (
        "Annual leave lasts thirty working days.",
        "The request must be signed by the head of department.",
        "Tap water is tested every week.",
        "Children under six travel free of charge.",
        "The building permit is displayed on the site.",
        "The theft of a badge is reported the same day.",
        "The library is closed on Sundays.",
        "Household waste is collected on Tuesdays.",
        "Late payment leads to a fine.",
        "Anyone who is ill provides a medical certificate.",
        "Weddings are held at the town hall.",
        "School heating is repaired before winter.",
    ),
}
_KNOWN: dict[str, dict[tuple[str, str], float]] = {
    "7ed484c94700ee26b3898634eff5acc36bceafddcc0944dad904a63f63d85987": {
        ("fr", "ar"): 1.0, ("fr", "en"): 1.0, ("ar", "fr"): 1.0, ("ar", "en"): 1.0, ("en", "fr"): 1.0, ("en", "ar"): 1.0,
    },
}  # fmt: skip
"""By fingerprint of the encoder, so that the packaged one need not be loaded to be asked."""


def found_across(embedder: Embedder) -> Mapping[tuple[str, str], float]:
    """(language of the question, language of the passage) → the share of sentences whose translation is the nearest, 0 to 1."""
    known = _KNOWN.get(embedder.fingerprint)
    return known if known is not None else measured_across(embedder)


def measured_across(embedder: Embedder) -> dict[tuple[str, str], float]:
    """See `found_across`; always measured."""
    rows = {language: embedder.embed_passages(sentences) for language, sentences in _SENTENCES.items()}
    places = range(len(_SENTENCES["fr"]))
    return {
        (asked, written): sum((rows[asked] @ rows[written].T).argmax(axis=1) == places).item() / len(places)
        for asked in rows
        for written in rows
        if asked != written
    }


class Bridges:
    """Which languages of an instance a question reaches by meaning; an unknown encoder is measured at the first question."""

    def __init__(self, embedder: Embedder, languages: Sequence[str]) -> None:
        self._embedder = embedder
        self._languages = tuple(languages)
        self._lock = threading.Lock()
        self._found: Mapping[tuple[str, str], float] | None = None

    def out_of_reach(self, language: str) -> tuple[str, ...]:
        """The other languages whose passages a question in `language` finds only by words they share, such as names."""
        reached = self.within_reach(language)
        return tuple(other for other in self._languages if other not in {language, *reached})

    def within_reach(self, language: str) -> tuple[str, ...]:
        """The other languages whose passages a question in `language` finds by what they mean."""
        with self._lock:
            if self._found is None:
                self._found = found_across(self._embedder)
            found = self._found
        return tuple(
            other for other in self._languages if other != language and found.get((language, other), 0.0) >= ENOUGH
        )


class Likeness:
    """Scores sentences by how near the encoder places them to the question, whatever language they are in."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def score(self, evidence: Evidence, sentences: Sequence[str], _language: str) -> list[float]:
        """For each sentence, from 0 to 1; (1 + cosine) / 2. See `SentenceScores`."""
        rows = self._embedder.embed_passages(sentences) @ self._embedder.embed_query(evidence.question)
        return [(1 + cosine) / 2 for cosine in rows.tolist()]
