"""Follow-up questions: completed by rules, by a model whose words are checked, and left alone where nothing is missing."""

from __future__ import annotations

import json

import pytest

from assistant.endpoints import Ended
from assistant.errors import ModelsUnavailable
from assistant.followups import FollowUps, holds
from assistant.remarks import is_remark
from assistant.rewriting import Exchange, standalone
from tests.scripted_models import ScriptedRouter, breaks_after, says
from tests.worlds import DEMO, reader

LEAVE = Exchange(
    "Combien de jours de congé pour les titulaires ?",
    "Combien de jours de congé pour les titulaires ?",
    "Les titulaires ont droit à vingt-sept jours de congé annuel. [1]",
    "fr",
    "internal",
)
CLERK = reader("restricted")


@pytest.mark.parametrize(
    ("before", "question", "language", "searched"),
    [
        ("Quel congé pour les titulaires ?", "Et pour les contractuels ?", "fr", "Quel congé pour les contractuels ?"),
        ("Combien de jours en 2024 ?", "Et en 2021 ?", "fr", "Combien de jours en 2021 ?"),
        ("Que faire d'un badge perdu ?", "Combien cela coûte-t-il ?", "fr", "Combien cela coûte-t-il (badge perdu) ?"),
        ("What do full-time staff get?", "What about part-time staff?", "en", "What do part-time staff get?"),
        ("What is the resident card for?", "Does it replace a visa?", "en", "Does it replace a visa (resident card)?"),
        ("كم سنة تصلح بطاقة المقيم للبالغين؟", "وللقاصرين؟", "ar", "كم سنة تصلح بطاقة المقيم للقاصرين؟"),
        ("كيف تحسب فاتورة الماء؟", "متى ترسل؟", "ar", "متى ترسل (تحسب فاتورة الماء)؟"),
        ("ما الرسم الجديد؟", "وماذا عن المتعاقدين؟", "ar", "ما الرسم الجديد – المتعاقدين؟"),
    ],
)  # fmt: skip
def test_follow_up_takes_what_it_lacks_from_the_question_before(
    before: str, question: str, language: str, searched: str
) -> None:
    made = standalone(question, [Exchange(before, before, language=language)], language=language)
    assert (made.question, made.rewritten) == (searched, True)


@pytest.mark.parametrize(
    ("before", "question", "language", "searched"),
    [
        ("Quel congé en 2024 ?", "Non, je parlais de la note de 2021", "fr", "Quel congé en 2021 – la note de 2021 ?"),
        ("Quel congé pour les titulaires ?", "Non, pour les contractuels", "fr", "Quel congé pour les contractuels ?"),
        ("Quel congé pour les titulaires ?", "Plutôt pour les contractuels", "fr", "Quel congé pour les contractuels ?"),
        ("How long are they kept in 2023?", "No, I meant in 2022", "en", "How long are they kept in 2022?"),
        ("What do full-time staff get?", "Sorry, part-time staff", "en", "What do part-time staff get?"),
        ("كم سنة تصلح بطاقة المقيم في 2023؟", "لا، أقصد في 2021", "ar", "كم سنة تصلح بطاقة المقيم في 2021؟"),
        ("كم ساعة عمل في رمضان؟", "لا، في شعبان", "ar", "كم ساعة عمل في شعبان؟"),
        ("Quel congé pour les titulaires ?", "Non, combien coûte le repas ?", "fr", "combien coûte le repas ?"),
    ],
)  # fmt: skip
def test_correction_takes_the_place_of_what_was_meant_otherwise(
    before: str, question: str, language: str, searched: str
) -> None:
    made = standalone(question, [Exchange(before, before, language=language)])
    assert (made.question, made.language) == (searched, language)


@pytest.mark.parametrize(
    ("before", "question", "searched"),
    [
        (
            "Combien coûte une concession de trente ans ?",
            "et de quinze ?",
            "Combien coûte une concession de quinze ans ?",
        ),
        (
            "Combien coûte une concession de 30 ans ?",
            "Et pour cinquante ans ?",
            "Combien coûte une concession de cinquante ans ?",
        ),
        ("What does a permit for two years cost?", "And for five?", "What does a permit for five years cost?"),
        ("كم تكلف بطاقة لمدة عشر سنوات؟", "وخمس سنوات؟", "كم تكلف بطاقة لمدة خمس سنوات؟"),
    ],
)
def test_number_written_out_takes_the_place_of_another(before: str, question: str, searched: str) -> None:
    language = "fr" if "oû" in before else "en" if "cost" in before else "ar"
    assert standalone(question, [Exchange(before, before, language=language)]).question == searched


@pytest.mark.parametrize(
    ("before", "question", "searched"),
    [
        ("Quelle est la durée du congé de paternité ?", "Et de maternité ?", "Quelle est la durée du congé de maternité ?"),
        ("Quelle est la durée du congé de paternité ?", "De maternité ?", "Quelle est la durée du congé De maternité ?"),
        ("Quelle est la durée du congé de paternité ?", "Et d'adoption ?", "Quelle est la durée du congé d'adoption ?"),
        ("Combien dure un congé de paternité ?", "Et le congé de maternité ?", "Combien dure un congé de maternité ?"),
        ("Le congé de paternité est-il payé ?", "Et de maternité ?", "Le congé de maternité est-il payé ?"),
        ("Quel congé de paternité pour un contractuel ?", "Et de maternité ?", "Quel congé de maternité pour un contractuel ?"),
        ("Quel est le prix du repas de cantine à l'école ?", "Et du goûter ?", "Quel est le prix du goûter à l'école ?"),
        ("Où est le service des impôts ?", "Et des archives ?", "Où est le service des archives ?"),
        ("La taxe de séjour ?", "Et de stationnement ?", "La taxe de stationnement ?"),
        ("What is the duration of paternity leave?", "And of maternity leave?", "What is the duration of maternity leave?"),
        ("What is the fee of a residence card in 2024?", "And of a passport?", "What is the fee of a passport in 2024?"),
        ("How long is paternity leave?", "And maternity leave?", "How long is maternity leave?"),
        ("ما مدة رخصة الأبوة للمتعاقدين؟", "ورخصة الأمومة؟", "ما مدة رخصة الأمومة للمتعاقدين؟"),
        ("هل رخصة الأبوة مدفوعة الأجر؟", "وماذا عن رخصة الأمومة؟", "هل رخصة الأمومة مدفوعة الأجر؟"),
    ],
)  # fmt: skip
def test_what_is_asked_about_instead_is_not_searched_beside_what_it_replaces(
    before: str, question: str, searched: str
) -> None:
    language = "fr" if question.startswith(("Et", "De")) else "en" if question.startswith("And") else "ar"
    assert standalone(question, [Exchange(before, before, language=language)]).question == searched


@pytest.mark.parametrize(
    ("before", "question", "searched"),
    [
        ("Quel est le prix du repas ?", "Et des contractuels ?", "Quel est le prix du repas – des contractuels ?"),
        ("What is the fee?", "And of a passport?", "What is the fee – of a passport?"),
        ("ما مدة الرخصة؟", "ورخصة الأمومة؟", "ما مدة الرخصة – رخصة الأمومة؟"),
    ],
)  # fmt: skip
def test_what_may_belong_to_the_question_before_stands_beside_it(before: str, question: str, searched: str) -> None:
    language = "fr" if question.startswith("Et") else "en" if question.startswith("And") else "ar"
    assert standalone(question, [Exchange(before, before, language=language)]).question == searched


@pytest.mark.parametrize(
    ("former", "question", "searched", "spoken"),
    [
        ("en", "Et de maternité ?", "de maternité (paternity leave) ?", "fr"),
        ("en", "Pour les contractuels ?", "Pour les contractuels (paternity leave) ?", "fr"),
        ("en", "والأمومة؟", "الأمومة (paternity leave)؟", "ar"),
        ("fr", "And maternity?", "maternity (congé paternité)?", "en"),
        ("fr", "For contractors?", "For contractors (congé paternité)?", "en"),
        ("fr", "وماذا عن الأمومة؟", "الأمومة (congé paternité)؟", "ar"),
        ("ar", "Et pour la maternité ?", "pour la maternité (رخصة الأبوة) ?", "fr"),
        ("ar", "What about maternity?", "maternity (رخصة الأبوة)?", "en"),
    ],
)
def test_fragment_in_another_language_is_not_woven_into_a_sentence_of_the_former(
    former: str, question: str, searched: str, spoken: str
) -> None:
    before = {
        "fr": "Quelle est la durée du congé de paternité ?",
        "en": "How long is paternity leave?",
        "ar": "ما مدة رخصة الأبوة؟",
    }[former]
    made = standalone(question, [Exchange(before, before, language=former)])
    assert (made.question, made.language) == (searched, spoken)


@pytest.mark.parametrize(
    ("former", "question", "spoken"),
    [
        ("fr", "What is the fee in the harbour?", "en"),
        ("fr", "Who pays?", "en"),
        ("en", "Combien coûte le repas ?", "fr"),
        ("en", "Qui paie ?", "fr"),
        ("fr", "Le forfait ?", "fr"),
        ("en", "Nice harbour fees", "en"),
        ("ar", "Who pays?", "en"),
        ("en", "Pour les contractuels ?", "fr"),
        ("en", "Avec un enfant ?", "fr"),
        ("fr", "En hiver ?", "fr"),
        ("fr", "With a child?", "en"),
        ("en", "من يدفع؟", "ar"),
        ("ar", "2021 ?", "ar"),
    ],
)
def test_short_question_in_another_language_is_understood_in_that_language(
    former: str, question: str, spoken: str
) -> None:
    before = {"fr": "Combien de jours ?", "en": "How many days?", "ar": "كم عدد الأيام؟"}[former]
    assert standalone(question, [Exchange(before, before, language=former)]).language == spoken


def test_subject_is_taken_by_the_rules_of_the_language_it_was_said_in() -> None:
    before = "Combien de jours de télétravail par semaine ?"
    assert standalone("Who pays?", [Exchange(before, before, language="fr")]).question == "Who pays (télétravail)?"


@pytest.mark.parametrize(
    "said", ["Merci !", "Es-tu sûr ?", "Traduis en anglais", "Are you sure?", "شكرا", "هل أنت متأكد؟", "👍", "?"]
)
def test_remark_is_not_completed_and_is_told_from_a_question(said: str) -> None:
    assert is_remark(said)
    assert not standalone(said, [LEAVE]).rewritten


def test_no_question_of_the_demo_is_a_remark() -> None:
    files = [*sorted(DEMO.glob("questions*.jsonl")), DEMO / "followups.jsonl"]
    asked = [json.loads(line)["question"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(asked) > 500
    assert not [question for question in asked if is_remark(question)]


@pytest.mark.parametrize(
    ("question", "language", "searched"),
    [
        ("Qui peut les consulter ?", "fr", "Qui peut les consulter (images caméras) ?"),
        ("Qui la calcule ?", "fr", "Qui la calcule (images caméras) ?"),
        ("Où les envoyer ?", "fr", "Où les envoyer (images caméras) ?"),
        ("Qui répond ?", "fr", "Qui répond (images caméras) ?"),
        ("Who may see them?", "en", "Who may see them (camera recordings)?"),
        ("Who pays?", "en", "Who pays (camera recordings)?"),
        ("By when?", "en", "By when (camera recordings kept)?"),
    ],
)  # fmt: skip
def test_follow_up_about_the_same_thing_takes_the_thing_and_not_what_was_asked_of_it(
    question: str, language: str, searched: str
) -> None:
    before = {
        "fr": "Combien de temps sont conservées les images des caméras ?",
        "en": "How long are camera recordings kept?",
    }
    asked = Exchange(before[language], before[language], language=language)
    assert standalone(question, [asked], language=language).question == searched


@pytest.mark.parametrize(
    "question",
    [
        "Comment le maire est-il élu ?",
        "Qui signe la lettre ?",
        "Qui préside la commission ?",
        "Que doit le registre contenir ?",
        "Qui est le maire ?",
        "Qui le conseil nomme-t-il ?",
        "Qui peut consulter le dossier de l'agent ?",
    ],
)
def test_article_is_not_taken_for_a_pronoun(question: str) -> None:
    assert not standalone(question, [LEAVE], language="fr").rewritten


def test_question_that_stands_alone_and_a_first_question_are_left_alone() -> None:
    lines = [json.loads(line) for line in (DEMO / "followups.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        assert not standalone(line["question"], [], language=line["lang"]).rewritten
        before = [Exchange(line["before"], line["before"], language=line["lang"])]
        whole = standalone(line["standalone"], before, language=line["lang"])
        if line["kind"] == "alone":
            assert not whole.rewritten, line["id"]


def test_short_question_is_taken_to_be_in_the_language_of_the_answer_before() -> None:
    assert standalone("Et en 2023 ?", [LEAVE]).language == "fr"
    assert standalone("Who decides on part-time work requests in 2024?", [LEAVE]).language == "en"
    assert standalone("وماذا عن المتعاقدين؟", [LEAVE]).language == "ar"


def test_long_question_is_not_cut() -> None:
    long = "Et " + "une demande de logement très circonstanciée " * 20 + "?"
    assert standalone(long, [LEAVE]).question == " ".join(long.split())


def understood(router: ScriptedRouter | None, question: str = "Et pour les contractuels ?") -> str:
    return FollowUps(router).understood(question, [LEAVE], CLERK, language=None, stopped=lambda: False).question


BY_RULES = "Combien de jours de congé pour les contractuels ?"


def test_model_is_asked_with_the_label_of_what_it_reads_and_its_question_is_searched() -> None:
    router = ScriptedRouter(*says("« À combien de jours de congé annuel les contractuels ont-ils droit ? »"))
    assert understood(router) == "À combien de jours de congé annuel les contractuels ont-ils droit ?"
    ((messages, need),) = router.asked
    assert (str(need.label), need.reader, need.language) == ("internal", CLERK.id, "fr")
    assert "vingt-sept jours" in messages[1].text


def test_model_may_leave_out_of_a_correction_that_it_is_one() -> None:
    made = "Combien de jours de congé pour les contractuels ?"
    assert holds(made, "Non, je parlais des contractuels", [LEAVE], "fr")
    assert not holds(made, "Non, je parlais des vacataires", [LEAVE], "fr")


def test_nobody_is_asked_about_a_question_that_stands_alone() -> None:
    router = ScriptedRouter(*says("Autre chose ?"))
    question = "Quelle amende risque une entreprise qui enfreint les restrictions d'eau ?"
    assert understood(router, question) == question
    assert router.asked == []


@pytest.mark.parametrize(
    "said",
    [
        "Combien de jours de congé pour les contractuels en 2019 ?",
        "Combien de jours de congé à Tombouctou pour les contractuels ?",
        "Combien de jours de congé pour les titulaires ?",
        "How many days of annual leave do the contractuels get in this administration, please?",
        "Les contractuels ont vingt-sept jours ? Et les titulaires ?",
        "Combien de jours pour les contractuels stagiaires apprentis vacataires ?",
        "contractuels " * 60,
        "",
    ],
)
def test_question_of_a_model_that_does_not_hold_is_replaced_by_the_rules(said: str) -> None:
    assert not holds(" ".join(said.split()), "Et pour les contractuels ?", [LEAVE], "fr")
    assert understood(ScriptedRouter(*says(said))) == BY_RULES


def test_model_that_is_away_breaks_off_or_is_cut_is_replaced_by_the_rules() -> None:
    whole = "Combien de jours de congé annuel ont les contractuels ?"
    for router in (
        ScriptedRouter(*says(whole), available=False),
        ScriptedRouter(ModelsUnavailable),
        ScriptedRouter(*breaks_after(whole)),
        ScriptedRouter(*says(whole)[:-1], Ended(complete=False, reason="length")),
        None,
    ):
        assert understood(router) == BY_RULES


def test_model_that_broke_and_began_anew_is_heard_once() -> None:
    whole = "Combien de jours de congé annuel ont les contractuels ?"
    assert understood(ScriptedRouter(*breaks_after("Combien de jours"), *says(whole))) == whole


def test_model_that_takes_too_long_is_not_waited_for() -> None:
    times = iter(range(0, 1000, 3))
    slow = FollowUps(ScriptedRouter(*says("Combien de jours ?")), wait_s=5, clock=lambda: float(next(times)))
    made = slow.understood("Et pour les contractuels ?", [LEAVE], CLERK, language=None, stopped=lambda: False)
    assert made.question == BY_RULES
