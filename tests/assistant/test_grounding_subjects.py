"""Who does what, what is excepted, what costs nothing: cases in three languages, each wrong one beside a right one."""

import pytest

from assistant.grounding import Verifier
from assistant.types import Verdict

VERIFIER = Verifier()
SHOWN = {Verdict.QUOTED, Verdict.SUPPORTED}
FR = (
    "Le chef de service accueille le nouvel agent et désigne un référent. Le médecin établit le certificat d'aptitude. Un jour "
    "de carence est appliqué, sauf pour un accident de service. Le duplicata du badge n'est pas facturé. L'agent perçoit "
    "ensuite un demi-traitement pendant neuf mois."
)
EN = (
    "The landlord returns the deposit within one month. The committee examines the complaints of residents. Dogs are not allowed "
    "on the beaches in July, guide dogs excepted. An absence for illness is not charged. Focused radiation carries a lower risk "
    "than open surgery."
)
AR = (
    "تقترح الوسيطة حلا وديا في أجل ثلاثة أشهر. يزور عون متنقل الأشخاص العاجزين مرتين في الشهر. ويستقبل المركز السكان كل يوم ما "
    "عدا الأحد. وتعطى الأولوية للحوامل ولمن يصطحب طفلا دون الثالثة. وإذا انقضى الأجل فلا تسجل الولادة إلا بحكم."
)
PASSAGES = {"fr": FR, "en": EN, "ar": AR}


def shown(claim: str, language: str) -> bool:
    return VERIFIER.check(claim, language, [PASSAGES[language]]).verdict in SHOWN


@pytest.mark.parametrize(
    ("right", "wrong", "language"),
    [
        ("Le médecin établit le certificat.", "Le chef de service établit le certificat.", "fr"),
        ("Le chef de service accueille le nouvel agent.", "Le médecin accueille le nouvel agent.", "fr"),
        ("The landlord returns the deposit.", "The committee returns the deposit.", "en"),
        ("Focused radiation carries a lower risk.", "Open surgery carries a lower risk.", "en"),
        ("تقترح الوسيطة حلا وديا.", "يقترح المركز حلا وديا.", "ar"),
        ("يزور عون متنقل الأشخاص العاجزين.", "يزور الأشخاص العاجزون العون المتنقل.", "ar"),
    ],
)
def test_what_another_does_is_not_supported(right: str, wrong: str, language: str) -> None:
    assert shown(right, language)
    assert not shown(wrong, language)


@pytest.mark.parametrize(
    ("claim", "language"),
    [
        ("Un jour de carence est appliqué pour un accident de service.", "fr"),
        ("Guide dogs are not allowed on the beaches in July.", "en"),
        ("يستقبل المركز السكان يوم الأحد.", "ar"),
    ],
)
def test_rule_does_not_hold_for_what_it_excepts(claim: str, language: str) -> None:
    assert not shown(claim, language)


@pytest.mark.parametrize(
    ("right", "wrong", "language"),
    [
        ("Le duplicata du badge est gratuit.", "Le duplicata du badge est facturé.", "fr"),
        ("You pay nothing for an absence for illness.", "An absence for illness is charged.", "en"),
    ],
)
def test_not_charged_and_free_are_one(right: str, wrong: str, language: str) -> None:
    assert shown(right, language)
    assert not shown(wrong, language)


@pytest.mark.parametrize(
    ("claim", "language", "expected"),
    [
        ("لا تعطى الأولوية للحوامل.", "ar", False),
        ("لا تسجل الولادة إلا بحكم إذا انقضى الأجل.", "ar", True),
        ("L'agent perçoit ensuite la moitié du traitement pendant neuf mois.", "fr", True),
    ],
)
def test_age_is_no_denial_and_half_may_be_part_of_a_word(claim: str, language: str, expected: bool) -> None:
    assert shown(claim, language) is expected
