"""The check of a sentence against passages: tables of cases in three languages, and properties on the documents of the demo."""

import pytest

from assistant.grounding import Verifier
from assistant.types import Verdict

VERIFIER = Verifier()
FRENCH = (
    "Article 9. L'état de frais, accompagné des justificatifs, est déposé dans un délai de trente jours à compter du retour "
    "de mission. La nuitée est remboursée dans la limite de 75 €. Le télétravail depuis l'étranger n'est pas autorisé."
)
ENGLISH = (
    "The first resident card costs €25.00 and is ready in fifteen days. A lost card must be reported before a duplicate can be "
    "ordered. Noisy works are forbidden on Sundays and public holidays."
)
ARABIC = (
    "يصرح بالولادة في أجل خمسة أيام تلي يوم الوضع لدى ضابط الحالة المدنية. ويؤدى عن البطاقة رسم قدره 25 يورو. "
    "ولا يجوز رفض تسجيل طفل بسبب نقص وثيقة."
)


def verdict(claim: str, language: str, passage: str) -> Verdict:
    return VERIFIER.check(claim, language, [passage]).verdict


@pytest.mark.parametrize(
    ("claim", "language", "passage"),
    [
        ("La nuitée est remboursée dans la limite de 75 €.", "fr", FRENCH),
        ("le télétravail depuis l’étranger n’est pas autorisé", "fr", FRENCH),
        ("The first resident card costs €25.00 and is ready in fifteen days.", "en", ENGLISH),
        ("يُصرَّح بالولادة في أجل خمسة أيام تلي يوم الوضع لدى ضابط الحالة المدنية.", "ar", ARABIC),
    ],
)
def test_words_that_stand_in_the_passage_are_quoted(claim: str, language: str, passage: str) -> None:
    assert verdict(claim, language, passage) is Verdict.QUOTED


@pytest.mark.parametrize(
    ("claim", "language", "passage"),
    [
        ("L'état de frais est déposé dans un délai de 30 jours après le retour de mission.", "fr", FRENCH),
        ("The first resident card costs 25 euros and is ready in 15 days.", "en", ENGLISH),
    ],
)
def test_other_words_and_forms_of_numbers_are_supported(claim: str, language: str, passage: str) -> None:
    assert verdict(claim, language, passage) is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "language", "passage", "reason"),
    [
        ("L'état de frais est déposé dans un délai de vingt jours.", "fr", FRENCH, "duration"),
        ("L'état de frais est déposé dans un délai de 30 mois.", "fr", FRENCH, "duration"),
        ("La nuitée est remboursée dans la limite de 85 €.", "fr", FRENCH, "amount"),
        ("The first resident card costs €35.00.", "en", ENGLISH, "amount"),
        ("The first resident card is ready in fifteen weeks.", "en", ENGLISH, "duration"),
        ("يصرح بالولادة في أجل ستة أيام تلي يوم الوضع.", "ar", ARABIC, "duration"),
        ("ويؤدى عن البطاقة رسم قدره 35 يورو.", "ar", ARABIC, "amount"),
    ],
)
def test_another_figure_is_never_supported(claim: str, language: str, passage: str, reason: str) -> None:
    support = VERIFIER.check(claim, language, [passage])
    assert (support.verdict, support.reason) == (Verdict.UNSUPPORTED, reason)


def test_nothing_is_supported_by_no_passage() -> None:
    assert VERIFIER.check("Le délai est de trente jours.", "fr", []).verdict is Verdict.UNSUPPORTED


def test_a_claim_that_says_nothing_is_not_supported() -> None:
    assert VERIFIER.check("…", "fr", [FRENCH]).reason == "nothing_said"


def test_the_place_is_the_sentence_that_says_it() -> None:
    support = VERIFIER.check("La nuitée est remboursée dans la limite de 75 €.", "fr", ["Rien ici.", FRENCH])
    ((number, span),) = support.places
    assert (number, FRENCH[span.start : span.end]) == (1, "La nuitée est remboursée dans la limite de 75 €")
