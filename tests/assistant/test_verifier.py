"""The check of a sentence against passages: tables of cases in three languages, and properties on the texts of the demo."""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assistant.grounding import Entailment, Verifier
from assistant.grounding.folding import folded, words
from assistant.grounding.numerals import numerals
from assistant.language import sentence_spans
from assistant.types import Verdict

VERIFIER = Verifier()
SHOWN = {Verdict.QUOTED, Verdict.SUPPORTED}
FR = (
    "Article 9. L'état de frais, accompagné des justificatifs, est déposé dans un délai de trente jours à compter du retour "
    "de mission. La nuitée est remboursée dans la limite de 75 €. Le télétravail depuis l'étranger n'est pas autorisé. Le chef "
    "de service répond dans un délai d'un mois. L'agent peut saisir la commission administrative dans les deux mois. Le badge "
    "est remis par la direction des ressources humaines, sauf pour les agents saisonniers. L'indemnité est versée par mois."
)
EN = (
    "The first resident card costs €25.00 and is ready in fifteen days. A lost card must be reported before a duplicate can be "
    "ordered. Noisy works are forbidden on Sundays and public holidays. The landlord returns the deposit within one month. "
    "Residents may register online. Dogs are admitted in the park, except near the playground. The committee meets in Heron Hall."
)
AR = (
    "يصرح بالولادة في أجل خمسة أيام تلي يوم الوضع لدى ضابط الحالة المدنية. ويؤدى عن البطاقة رسم قدره 25 يورو. "
    "ولا يجوز رفض تسجيل طفل بسبب نقص وثيقة. ويجوز للمدير أن يمدد الأجل. وتسلم الرخصة مجانا ما عدا لأصحاب الشركات. "
    "ويجتمع المجلس في مكتبة الملاحات كل شهر."
)
PASSAGES = {"fr": FR, "en": EN, "ar": AR}


def verdict(claim: str, language: str) -> Verdict:
    return VERIFIER.check(claim, language, [PASSAGES[language]]).verdict


@pytest.mark.parametrize(
    ("claim", "language"),
    [
        ("La nuitée est remboursée dans la limite de 75 €.", "fr"),
        ("le télétravail depuis l’étranger n’est pas autorisé", "fr"),
        ("The first resident card costs €25.00 and is ready in fifteen days.", "en"),
        ("يُصرَّح بالولادة في أجل خمسة أيام تلي يوم الوضع لدى ضابط الحالة المدنية.", "ar"),
    ],
)
def test_words_that_stand_in_the_passage_are_quoted(claim: str, language: str) -> None:
    assert verdict(claim, language) is Verdict.QUOTED


@pytest.mark.parametrize(
    ("claim", "language"),
    [
        ("L'état de frais est à remettre dans les 30 jours qui suivent le retour de mission.", "fr"),
        ("Le remboursement de la nuitée est plafonné à 75 euros.", "fr"),
        ("Il est interdit de télétravailler depuis l'étranger.", "fr"),
        ("Le chef de service a un mois pour répondre.", "fr"),
        ("The first resident card costs 25 euros and is ready in 15 days.", "en"),
        ("Noisy works are not allowed on Sundays and public holidays.", "en"),
        ("The deposit is given back by the landlord within one month.", "en"),
        ("يجب التصريح بالولادة خلال خمسة أيام بعد الوضع لدى ضابط الحالة المدنية.", "ar"),
        ("رسم البطاقة هو 25 يورو.", "ar"),
    ],
)
def test_the_same_in_other_words_is_supported(claim: str, language: str) -> None:
    assert verdict(claim, language) in SHOWN


@pytest.mark.parametrize(
    ("claim", "language", "reasons"),
    [
        ("L'état de frais est déposé dans un délai de vingt jours.", "fr", "duration"),
        ("L'état de frais est déposé dans un délai de 30 mois.", "fr", "duration"),
        ("La nuitée est remboursée dans la limite de 85 €.", "fr", "amount"),
        ("L'indemnité est versée par an.", "fr", "duration"),
        ("Le télétravail depuis l'étranger est autorisé.", "fr", "negation"),
        ("La nuitée n'est pas remboursée.", "fr", "negation"),
        ("L'agent doit saisir la commission administrative dans les deux mois.", "fr", "modality"),
        ("Le préfet répond dans un délai d'un mois.", "fr", "subject"),
        ("Le badge est remis par la direction des ressources humaines dans tous les cas.", "fr", "condition"),
        ("La nuitée est remboursée au moins 75 €.", "fr", "number"),
        ("The first resident card costs €35.00.", "en", "amount"),
        ("The first resident card is ready in fifteen weeks.", "en", "duration"),
        ("Noisy works are allowed on Sundays and public holidays.", "en", "negation"),
        ("A lost card may be reported before a duplicate can be ordered.", "en", "modality subject"),
        ("Residents must register online.", "en", "modality"),
        ("The tenant returns the deposit within one month.", "en", "subject"),
        ("Dogs are admitted in the park, even near the playground.", "en", "condition"),
        ("The committee meets in Falcon Hall.", "en", "name"),
        ("يصرح بالولادة في أجل ستة أيام تلي يوم الوضع.", "ar", "duration"),
        ("يصرح بالولادة في أجل خمسة أسابيع تلي يوم الوضع.", "ar", "duration"),
        ("ويؤدى عن البطاقة رسم قدره 35 يورو.", "ar", "amount"),
        ("يجوز رفض تسجيل طفل بسبب نقص وثيقة.", "ar", "negation"),
        ("يجب على المدير أن يمدد الأجل.", "ar", "modality"),
        ("تسلم الرخصة مجانا ولو لأصحاب الشركات.", "ar", "condition"),
        ("يجتمع المجلس في مكتبة القصبة كل شهر.", "ar", "name"),
    ],
)
def test_what_is_changed_is_not_supported(claim: str, language: str, reasons: str) -> None:
    support = VERIFIER.check(claim, language, [PASSAGES[language]])
    assert support.verdict not in SHOWN
    assert support.reason in reasons.split()


@pytest.mark.parametrize(
    ("passage", "claim", "language"),
    [
        (
            "La demande est déposée quinze jours avant le départ.",
            "La demande est déposée quinze jours après le départ.",
            "fr",
        ),
        ("Le congé ne peut excéder cinq jours.", "Le congé peut excéder cinq jours.", "fr"),
        ("Le quorum est de trois membres au moins.", "Le quorum est de trois membres au plus.", "fr"),
        ("L'amende est de 40 €, sauf récidive.", "L'amende est de 40 € dans tous les cas.", "fr"),
        ("L'ascenseur coûte 96 000 €.", "L'ascenseur ne coûte pas 96 000 €.", "fr"),
        ("Le loyer est payé par le locataire au bailleur.", "Le loyer est payé par le bailleur au locataire.", "fr"),
        ("The request is made before 30 November.", "The request is made after 30 November.", "en"),
        ("The stay may not exceed ten days.", "The stay may exceed ten days.", "en"),
        ("Parking is free on Sundays.", "Parking is not free on Sundays.", "en"),
        ("You may bring a guest.", "You must bring a guest.", "en"),
        ("The permit is never transferable.", "The permit is transferable.", "en"),
        ("يودع الطلب قبل فاتح أكتوبر.", "يودع الطلب بعد فاتح أكتوبر.", "ar"),
        ("لا يتجاوز المبلغ 500 درهم.", "يتجاوز المبلغ 500 درهم.", "ar"),
        ("تسلم الرخصة للتاجر في أجل شهر.", "لا تسلم الرخصة للتاجر في أجل شهر.", "ar"),
        ("يجب على البائع أن يدلي بالبطاقة.", "يجوز للبائع أن يدلي بالبطاقة.", "ar"),
        ("يعاقب المخالف بغرامة قدرها 135 يورو.", "يعاقب المخالف بغرامة قدرها 153 يورو.", "ar"),
        ("تقع المصلحة في شارع الرصيف.", "تقع المصلحة في شارع القصبة.", "ar"),
    ],
)
def test_one_changed_word_is_enough(passage: str, claim: str, language: str) -> None:
    assert VERIFIER.check(passage, language, [passage]).verdict is Verdict.QUOTED
    assert VERIFIER.check(claim, language, [passage]).verdict not in SHOWN


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_another_topic_is_not_supported(language: str) -> None:
    claims = {
        "fr": "La médiathèque ouvre le samedi matin.",
        "en": "The library opens on Saturday mornings.",
        "ar": "تفتح المكتبة أبوابها صباح السبت.",
    }
    assert verdict(claims[language], language) is Verdict.UNSUPPORTED


def test_a_fragment_that_loses_its_exception_is_no_quotation() -> None:
    claim = "Le badge est remis par la direction des ressources humaines."
    assert verdict(claim, "fr") is not Verdict.QUOTED


def test_a_figure_of_the_neighbouring_sentence_does_not_support() -> None:
    assert verdict("L'agent peut saisir la commission administrative dans le délai d'un mois.", "fr") not in SHOWN


def test_two_facts_of_two_passages_are_supported_in_two_places() -> None:
    passages = ["La carte de résident coûte 25 €.", "Rien ici. L'extrait plurilingue coûte 8 € la copie."]
    claim = "La carte de résident coûte 25 € et l'extrait plurilingue coûte 8 €."
    support = VERIFIER.check(claim, "fr", passages)
    assert support.verdict is Verdict.SUPPORTED
    assert [number for number, _ in support.places] == [0, 1]


def test_the_value_of_one_fact_does_not_support_the_other() -> None:
    passages = ["La carte de résident coûte 25 €. L'extrait plurilingue coûte 8 € la copie."]
    assert VERIFIER.check("La carte de résident coûte 8 €.", "fr", passages).verdict not in SHOWN


def test_the_place_is_the_sentence_that_says_it() -> None:
    support = VERIFIER.check("La nuitée est remboursée dans la limite de 75 €.", "fr", ["Rien ici.", FR])
    ((number, span),) = support.places
    assert (number, FR[span.start : span.end]) == (1, "La nuitée est remboursée dans la limite de 75 €")


def test_nothing_is_supported_by_no_passage() -> None:
    assert VERIFIER.check("Le délai est de trente jours.", "fr", []).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("claim", ["…", "", "—", "|----|----|"])
def test_a_claim_that_says_nothing_is_not_supported(claim: str) -> None:
    assert VERIFIER.check(claim, "fr", [FR]).reason == "nothing_said"


class Opinion:
    """An entailment model that always says the same."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def entails(self, premise: str, claim: str) -> float:
        return self.probability


def test_a_second_opinion_withholds_and_overrules_no_figure() -> None:
    doubtful: Entailment = Opinion(0.1)
    sure: Entailment = Opinion(1.0)
    said = "Le chef de service a un mois pour répondre."
    assert Verifier(doubtful).check(said, "fr", [FR]).verdict is Verdict.PARTLY_SUPPORTED
    changed = "Le chef de service a deux mois pour répondre."
    assert Verifier(sure).check(changed, "fr", [FR]).verdict is Verdict.UNSUPPORTED


# --- on the labelled set -----------------------------------------------------------------------------------------------------

LET_THROUGH = words("""
    fr-t006 fr-t141 fr-t148 fr-t166 fr-t178 fr-t189 fr-t191 fr-t198 fr-t206 fr-t233
    ar-t089 ar-t128 ar-t152 ar-t162 ar-t167 ar-t197 ar-t212 ar-t239 ar-t241 ar-t244
    en-t043 en-t069 en-t163 en-t181 en-t190 en-t218
""")
"""Unsupported sentences of the tuning set that the check does not see. Take out what it comes to see; add none."""


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_unsupported_sentence_that_is_withheld_stays_withheld(language: str) -> None:
    file = Path(__file__).parents[2] / "configs/demo/grounding/tuning.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    wrong = [line for line in lines if line["lang"] == language and not line["supported"]]
    assert len(wrong) > 100
    shown = {line["id"] for line in wrong if VERIFIER.check(line["claim"], language, line["passages"]).verdict in SHOWN}
    assert shown <= LET_THROUGH, sorted(shown - LET_THROUGH)


# --- on the texts of the demo ------------------------------------------------------------------------------------------------

SOURCES = Path(__file__).parents[2] / "configs/demo/sources"


@cache
def sentences() -> list[tuple[str, str, str, str]]:
    """(language, file, sentence, some of the text around it) of every sentence of the demo that has a word."""
    found = []
    for file in sorted(SOURCES.glob("??/*.md")):
        text = file.read_text(encoding="utf-8").split("---", 2)[-1]
        for span in sentence_spans(text, file.parent.name):
            if sum(letter.isalpha() for letter in text[span.start : span.end]) > 20:
                around = text[max(0, span.start - 300) : span.end + 300]
                found.append((file.parent.name, file.name, text[span.start : span.end], around))
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_sentence_is_quoted_from_its_passage(data: st.DataObject) -> None:
    language, _, sentence, around = data.draw(st.sampled_from(sentences()))
    support = VERIFIER.check(sentence, language, [around])
    assert support.verdict is Verdict.QUOTED
    ((_, span),) = support.places
    assert "".join(filter(str.isalnum, around[span.start : span.end])) == "".join(filter(str.isalnum, sentence))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_digit_is_never_supported(data: st.DataObject) -> None:
    numbered = [item for item in sentences() if any(letter.isdigit() for letter in item[2])]
    language, _, sentence, _ = data.draw(st.sampled_from(numbered))
    at = data.draw(st.sampled_from([place for place, letter in enumerate(sentence) if letter.isdigit()]))
    digit = data.draw(st.sampled_from([digit for digit in "123456789" if digit != sentence[at]]))
    changed = sentence[:at] + digit + sentence[at + 1 :]
    stands = {numeral.value for numeral in numerals(folded(sentence).text)}
    assume(
        not {numeral.value for numeral in numerals(folded(changed).text)} <= stands
    )  # the other value stands there too
    assert VERIFIER.check(changed, language, [sentence]).verdict not in SHOWN


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_sentence_is_not_quoted_from_another_document(data: st.DataObject) -> None:
    language, file, sentence, _ = data.draw(st.sampled_from(sentences()))
    others = [item for item in sentences() if item[0] == language and item[1] != file and sentence not in item[3]]
    *_, around = data.draw(st.sampled_from(others))
    assert VERIFIER.check(sentence, language, [around]).verdict is not Verdict.QUOTED


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=120), st.sampled_from(["fr", "ar", "en", "de"]))
def test_any_text_is_checked(claim: str, passage: str, language: str) -> None:
    support = VERIFIER.check(claim, language, [passage, ""])
    for number, span in support.places:
        assert number == 0
        assert passage[span.start : span.end].strip()


@pytest.mark.parametrize(
    ("language", "claim", "passage", "place"),
    [
        (
            "fr",
            "Un agent peut télétravailler jusqu'à trois jours par semaine depuis le 1er mai 2024.",
            "Depuis le 1er mai 2024, un agent peut télétravailler jusqu'à trois jours par semaine, avec deux jours de présence.",
            "Depuis le 1er mai 2024, un agent peut télétravailler jusqu'à trois jours par semaine,",
        ),
        (
            "en",
            "Staff may work from home three days a week as of 1 May 2024.",
            "As of 1 May 2024, staff may work from home three days a week, with two days in the office.",
            "As of 1 May 2024, staff may work from home three days a week,",
        ),
        (
            "ar",
            "يجوز للموظف العمل عن بعد ثلاثة أيام في الأسبوع ابتداء من فاتح ماي 2024.",
            "ابتداء من فاتح ماي 2024، يجوز للموظف العمل عن بعد ثلاثة أيام في الأسبوع، مع يومين من الحضور.",
            "ابتداء من فاتح ماي 2024، يجوز للموظف العمل عن بعد ثلاثة أيام في الأسبوع،",
        ),
    ],
)
def test_place_holds_every_figure_that_the_claim_states(language: str, claim: str, passage: str, place: str) -> None:
    found = VERIFIER.check(claim, language, [passage])
    assert found.verdict is Verdict.SUPPORTED
    assert [passage[span.start : span.end] for _, span in found.places] == [place]


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_denial_is_seen_through_the_words_that_stand_between_it_and_what_it_denies(language: str) -> None:
    claim, form, between = {
        "fr": (
            "La taxe de balayage est due par les locataires.",
            "La taxe de balayage n'est {} due par les locataires. Le propriétaire la paie.",
            ("plus", "toutefois pas", "en effet pas", "nullement", "point", "guère", "pas toujours", "à ce jour pas",
             "juridiquement pas"),
        ),
        "en": (
            "The chimney tax is due from tenants.",
            "The chimney tax is {} due from tenants. The owner pays it.",
            ("no longer", "in no case", "under no circumstances", "not always", "not yet"),
        ),
        "ar": (
            "رسم المداخن مستحق على المكتري.",
            "{} مستحقا على المكتري. ويؤديه المالك.",
            ("لم يعد رسم المداخن", "ليس رسم المداخن حاليا", "ليس رسم المداخن"),
        ),
    }[language]  # fmt: skip
    for words_between in between:
        found = VERIFIER.check(claim, language, [form.format(words_between)])
        assert found.verdict is Verdict.UNSUPPORTED, words_between


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("L'agent perçoit une prime de nuit.", "L'agent ne perçoit plus de prime de nuit."),
        ("La taxe n'est plus due par les locataires.", "La taxe est due par les locataires."),
    ],
)
def test_no_more_of_something_is_a_denial_and_no_bound(claim: str, passage: str) -> None:
    assert VERIFIER.check(claim, "fr", [passage]).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Le congé ne dure pas plus de dix jours.", "Le congé dure dix jours au plus."),
        ("Le congé ne peut durer plus d'un mois.", "Le congé dure un mois au plus."),
        ("La taxe n'est pas due par les locataires.", "La taxe n'est toutefois pas due par les locataires."),
    ],
)
def test_bound_and_denial_said_otherwise_stay_supported(claim: str, passage: str) -> None:
    assert VERIFIER.check(claim, "fr", [passage]).verdict in SHOWN
