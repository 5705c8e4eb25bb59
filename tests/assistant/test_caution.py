"""One invented word in a copy, or in a short statement, is never shown as supported."""

from collections.abc import Sequence

import pytest

from assistant.caution import Cautious
from assistant.composing import Composed
from assistant.grounding import Support, Verifier
from assistant.supporting import Supporting
from assistant.types import Span, Verdict
from tests.worlds import document, passage_of

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


@pytest.mark.parametrize(("sources", "shown"), [((1,), True), ((2,), False), ((), False)])
def test_passage_that_a_sentence_did_not_name_supports_it_in_its_own_words_only(
    sources: tuple[int, ...], shown: bool
) -> None:
    stored = document(
        "Le chef de service répond par écrit, dans un délai de quinze jours, à toute demande de télétravail."
    )
    other = document("La cantine est ouverte le lundi.", name="other.txt")
    supporting = Supporting(Verifier(), (passage_of(stored), passage_of(other)), "fr")
    claim = "Toute demande de télétravail reçoit une réponse écrite sous quinze jours."
    same = "Le chef de service répond par écrit dans un délai de quinze jours à toute demande de télétravail."
    assert (supporting.support(Composed(claim, claim, sources)) is not None) is shown
    assert supporting.support(Composed(same, same, sources)) is not None


class Found:
    """A check that found these words of the passage to support whatever is claimed."""

    def __init__(self, words: str, verdict: Verdict = Verdict.SUPPORTED) -> None:
        self._words, self._verdict = words, verdict

    def check(self, claim: str, language: str, passages: Sequence[str]) -> Support:
        start = passages[0].index(self._words)
        return Support(self._verdict, ((0, Span(start, start + len(self._words))),), "")


@pytest.mark.parametrize(
    ("language", "passage", "words"),
    [
        ("fr", "Le maire vérifie si le dossier est complet.", "le dossier est complet"),
        ("fr", "Le maire vérifie si le dossier est complet.", "si le dossier est complet"),
        ("fr", "On dit que « la taxe est supprimée ».", "la taxe est supprimée"),
        ("en", "The clerk asks whether the file is complete.", "whether the file is complete"),
        ("en", "The applicant claimed that the fee is due.", "the fee is due"),
        ("ar", "يدعي البعض أن الرسم ملغى.", "الرسم ملغى"),
        ("ar", "يدعي البعض أن الرسم ملغى.", "أن الرسم ملغى"),
    ],
)
def test_words_right_behind_what_reports_or_supposes_support_nothing(language: str, passage: str, words: str) -> None:
    for verdict in (Verdict.SUPPORTED, Verdict.QUOTED, Verdict.PARTLY_SUPPORTED):
        found = Cautious(Found(words, verdict)).check(words, language, [passage])
        assert (found.verdict, found.reason) == (Verdict.UNSUPPORTED, "condition")


CONDITIONS = [
    ("fr", "Si le conseil l'approuve, la redevance est due.", "la redevance est due"),
    ("fr", "La redevance est due, sauf décision contraire.", "La redevance est due"),
    ("en", "The fee is due, unless the court waives it.", "The fee is due"),
    ("ar", "الرسم واجب، إلا بقرار مخالف.", "الرسم واجب"),
    ("ar", "إذا وافق المجلس، فالرسم واجب.", "فالرسم واجب"),
]


@pytest.mark.parametrize(("language", "passage", "words"), CONDITIONS)
def test_what_holds_on_a_condition_is_partly_supported_at_most_without_it(
    language: str, passage: str, words: str
) -> None:
    for verdict in (Verdict.SUPPORTED, Verdict.QUOTED):
        found = Cautious(Found(words, verdict)).check(words, language, [passage])
        assert (found.verdict, found.reason) == (Verdict.PARTLY_SUPPORTED, "condition")
    assert Cautious(Found(words)).check(passage, language, [passage]).verdict is Verdict.SUPPORTED, (
        "it names the condition"
    )


@pytest.mark.parametrize(("language", "passage", "words"), CONDITIONS)
def test_condition_makes_nothing_of_what_is_not_supported(language: str, passage: str, words: str) -> None:
    nothing = Found(words, Verdict.UNSUPPORTED)
    assert Cautious(nothing).check(words, language, [passage]) == nothing.check(words, language, [passage])


RANGES = [
    ("fr", "Le taux est de 10 à 15 % du prix.", "Le taux est de 10 % du prix.", "Le taux est de 10 % à 15 % du prix."),
    (
        "fr",
        "Le congé est de seize à vingt-six semaines.",
        "Le congé est de 26 semaines.",
        "Le congé est d'au moins 16 semaines.",
    ),
    (
        "fr",
        "L'amende est comprise entre 100 et 500 euros.",
        "L'amende est de 100 euros.",
        "L'amende est de 100 à 500 euros.",
    ),
    ("en", "The fine is between 100 and 500 euros.", "The fine is 500 euros.", "The fine is at most 500 euros."),
    ("en", "The period is ten to fifteen days.", "The period is 10 days.", "The period is 10 to 15 days."),
    ("ar", "تتراوح الغرامة بين 100 و500 درهم.", "الغرامة 500 درهم.", "الغرامة بين 100 و500 درهم."),
    ("ar", "الأجل من 10 إلى 15 يوما.", "الأجل 10 أيام.", "الأجل من 10 إلى 15 يوما."),
]


@pytest.mark.parametrize(("language", "passage", "cut", "whole"), RANGES)
def test_one_end_of_a_range_is_not_given_for_all_of_it(language: str, passage: str, cut: str, whole: str) -> None:
    check = Cautious(Found(passage)).check
    assert check(cut, language, [passage]).verdict is Verdict.PARTLY_SUPPORTED
    assert check(whole, language, [passage]).reason != "number"
    assert Cautious(Verifier()).check(cut, language, [passage]).verdict in FAILED


@pytest.mark.parametrize(
    ("language", "passage", "claim"),
    [
        ("fr", "Le bureau est ouvert de 9 h à 17 h.", "Le bureau ouvre à 9 h."),
        ("fr", "Les articles 10 à 15 sont abrogés.", "L'article 10 est abrogé."),
        ("fr", "Le maire a 3 adjoints et 5 agents.", "Le maire a 3 adjoints."),
        ("en", "The fee is 100 euros and the fine 500 euros.", "The fee is 100 euros."),
        ("ar", "للرئيس 3 نواب و5 أعوان.", "للرئيس 3 نواب."),
    ],
)
def test_figures_that_make_no_range_are_named_alone(language: str, passage: str, claim: str) -> None:
    assert Cautious(Found(passage)).check(claim, language, [passage]).reason != "number"


@pytest.mark.parametrize("verdict", FAILED)
def test_nothing_is_raised(verdict: Verdict) -> None:
    class Fixed:
        def check(self, claim: str, language: str, passages: object) -> Support:
            return Support(verdict, ((0, Span(0, 29)),), "reason")

    passage = "Le délai est de trente jours."
    assert Cautious(Fixed()).check(passage, "fr", [passage]) == Support(verdict, ((0, Span(0, 29)),), "reason")
