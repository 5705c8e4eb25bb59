"""One invented word in a copy, or in a short statement, is never shown as supported."""

import pytest

from assistant.caution import Cautious
from assistant.grounding import Support, Verifier
from assistant.types import Span, Verdict

PASSAGES = {
    "fr": "Télétravail. Le nombre de jours de télétravail est de trois par semaine pour un agent à temps plein. La demande de "
    "télétravail est adressée au chef de service deux mois avant la date souhaitée. Le chef de service répond par écrit dans un "
    "délai de quinze jours.",
    "en": "Harbour cameras. Recordings of the harbour cameras are kept for thirty days. The harbour master may keep a recording "
    "for longer when a court asks for it.",
    "ar": "العمل عن بعد. يقدم طلب رخصة البناء إلى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال. يجب على رئيس الجماعة أن يرد "
    "كتابة في أجل خمسة عشر يوما.",
}
FAILED = (Verdict.UNSUPPORTED, Verdict.PARTLY_SUPPORTED)
INVENTED = [
    ("fr", "Le télétravail est interdit aux agents."),
    ("fr", "Le télétravail est obligatoire."),
    ("fr", "Le télétravail est gratuit pour les agents."),
    ("fr", "La demande est refusée par le chef de service."),
    ("fr", "Le télétravail est réservé aux cadres."),
    ("fr", "Le chef de service annule la demande."),
    ("fr", "Le chef de service répond par courriel."),
    ("fr", "La demande de télétravail est annulée par le chef de service deux mois avant la date souhaitée."),
    ("fr", "La demande de télétravail est refusée au chef de service deux mois avant la date souhaitée."),
    ("fr", "Le chef de service licencie par écrit dans un délai de quinze jours."),
    ("fr", "Le nombre de jours de vacances est de trois par semaine pour un agent à temps plein."),
    ("en", "The harbour cameras are forbidden."),
    ("en", "Recordings are deleted."),
    ("en", "The recordings are public."),
    ("en", "Harbour cameras are free of charge."),
    ("en", "Recordings of the harbour cameras are destroyed."),
    ("en", "Recordings of the harbour cameras are deleted for thirty days."),
    ("en", "Recordings of the harbour cameras are sold for thirty days."),
    ("en", "The harbour master may destroy a recording for longer when a court asks for it."),
    ("ar", "رخصة البناء ممنوعة."),
    ("ar", "رخصة البناء مجانية."),
    ("ar", "يرفض رئيس الجماعة الطلب."),
    ("ar", "يرفض طلب رخصة البناء إلى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال."),
]
SUPPORTED = [
    ("fr", "Pour un agent à temps plein, le nombre de jours de télétravail est de 3 par semaine."),
    ("fr", "Le chef de service répond dans les quinze jours, par écrit."),
    ("fr", "La demande est adressée au chef de service."),
    ("en", "The recordings of the harbour cameras are kept for 30 days."),
    ("en", "When a court asks for it, the harbour master may keep a recording for longer."),
    ("ar", "طلب رخصة البناء يقدم إلى رئيس الجماعة قبل 30 يوما من بدء الأشغال."),
]


@pytest.mark.parametrize(("language", "claim"), INVENTED)
def test_invented_word_is_never_shown_as_supported(language: str, claim: str) -> None:
    found = Cautious(Verifier()).check(claim, language, [PASSAGES[language]])
    assert found.verdict in FAILED


@pytest.mark.parametrize(("language", "claim"), [one for one in INVENTED if len(one[1].split()) <= 8])
def test_short_statement_with_an_invented_word_is_not_shown_at_all(language: str, claim: str) -> None:
    assert Cautious(Verifier()).check(claim, language, [PASSAGES[language]]).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(("language", "claim"), SUPPORTED)
def test_sentence_of_the_words_of_its_source_stays_supported(language: str, claim: str) -> None:
    assert Cautious(Verifier()).check(claim, language, [PASSAGES[language]]).verdict in (
        Verdict.SUPPORTED,
        Verdict.QUOTED,
    )


@pytest.mark.parametrize(
    ("language", "passage", "claim"),
    [
        ("fr", "Certains croient que la taxe est supprimée. La taxe est maintenue.", "La taxe est supprimée."),
        ("fr", "Le maire vérifie si le dossier est complet.", "Le dossier est complet."),
        ("en", "The applicant claimed that the fee is 900 euros.", "The fee is 900 euros."),
        ("ar", "يدعي البعض أن الرسم ملغى. الرسم قائم.", "الرسم ملغى."),
    ],
)
def test_what_a_source_only_reports_is_not_shown_as_fact(language: str, passage: str, claim: str) -> None:
    assert Cautious(Verifier()).check(claim, language, [passage]).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("language", "passage", "claim"),
    [
        ("fr", "Si le conseil l'approuve, la redevance est de 900 euros.", "La redevance est de 900 euros."),
        ("en", "If the court agrees, the fee is 900 euros.", "The fee is 900 euros."),
        ("en", "The fee is 900 euros, unless the court waives it.", "The fee is 900 euros."),
    ],
)
def test_statement_without_the_condition_of_its_source_is_not_supported(
    language: str, passage: str, claim: str
) -> None:
    whole = Cautious(Verifier()).check(passage, language, [passage]).verdict
    assert (Cautious(Verifier()).check(claim, language, [passage]).verdict in FAILED, whole) == (True, Verdict.QUOTED)


@pytest.mark.parametrize("verdict", FAILED)
def test_nothing_is_raised(verdict: Verdict) -> None:
    class Fixed:
        def check(self, claim: str, language: str, passages: object) -> Support:
            return Support(verdict, ((0, Span(0, 29)),), "reason")

    passage = "Le délai est de trente jours."
    assert Cautious(Fixed()).check(passage, "fr", [passage]) == Support(verdict, ((0, Span(0, 29)),), "reason")
