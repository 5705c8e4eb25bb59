from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.lexical import Lexicon
from assistant.relevance import FEATURES, NO_SUPPORT, SentenceRelevance, support_features
from assistant.testing import passages_of
from assistant.types import LANGUAGES, Evidence, ScoredPassage
from assistant.wanted import Wanted, question_terms

LEXICON = Lexicon(LANGUAGES)
WORDS_ONLY = SentenceRelevance(LEXICON)


def evidence(question: str, language: str, *texts: str) -> Evidence:
    passages = tuple(
        ScoredPassage(passage, 1.0, rank, "hybrid")
        for rank, passage in enumerate(passages_of("a", texts, language=language), start=1)
    )
    weights = dict.fromkeys(question_terms(question, language, LEXICON), 1.0)
    return Evidence(question, language, passages, weights)


@pytest.mark.parametrize(
    ("language", "question", "answer", "other"),
    [
        (
            "fr",
            "Combien de jours dure le congé annuel ?",
            "Le congé annuel dure trente jours.",
            "Le congé annuel se demande par écrit.",
        ),
        (
            "en",
            "How long is the annual leave?",
            "The annual leave is thirty days.",
            "The annual leave is asked for in writing.",
        ),
        (
            "ar",
            "كم مدة الإجازة السنوية؟",
            "مدة الإجازة السنوية ثلاثون يوما، أي 30 يوما.",
            "تطلب الإجازة السنوية كتابة.",
        ),
    ],
)
def test_sentence_that_answers_scores_above_one_that_only_speaks_of_it(
    language: str, question: str, answer: str, other: str
) -> None:
    found = evidence(question, language, f"{other} {answer}")
    first, second, none = WORDS_ONLY.score(found, [answer, other, "Zzz."], language)
    assert first > second > none == 0


def test_heading_over_a_sentence_counts_for_it() -> None:
    found = evidence("Quel est le délai de la partie ?", "fr", "Le délai est de dix jours.")
    inside, elsewhere = WORDS_ONLY.score(found, ["Le délai est de dix jours.", "Le délai est de onze jours."], "fr")
    assert inside > elsewhere


def test_question_scores_below_the_same_words_as_a_statement() -> None:
    found = evidence("Le télétravail est permis ?", "fr", "Le télétravail est permis.")
    statement, asked = WORDS_ONLY.score(found, ["Le télétravail est permis.", "Le télétravail est permis ?"], "fr")
    assert statement > asked


def test_no_sentences_give_no_scores() -> None:
    assert WORDS_ONLY.score(evidence("Quoi ?", "fr"), [], "fr") == []


def test_question_words_are_not_content() -> None:
    assert question_terms("Combien coûte le badge ?", "fr", LEXICON) == LEXICON.query_terms("coûte badge", "fr")
    assert question_terms("كم تكلف البطاقة؟", "ar", LEXICON) == LEXICON.query_terms("تكلف البطاقة", "ar")


def test_word_is_held_in_part_by_a_word_of_the_same_family() -> None:
    weights = dict.fromkeys(LEXICON.query_terms("télétravailleurs", "fr"), 2.0)
    wanted = Wanted("télétravailleurs", "fr", weights, LEXICON)
    assert 0 < wanted.coverage(wanted.held("Le télétravail est permis.")) < 1
    assert wanted.coverage(wanted.held("Un budget est décidé.")) == 0


@pytest.mark.parametrize(
    ("language", "question", "text"),
    [
        ("fr", "Quand le salaire est-il versé ?", "La paie tombe le 28."),
        ("ar", "ما عقوبة التأخر؟", "تطبق غرامة."),
        ("en", "When is the salary paid?", "Wages come on the 28th."),
    ],
)
def test_synonym_of_a_word_counts_for_half_of_it(language: str, question: str, text: str) -> None:
    wanted = Wanted(question, language, dict.fromkeys(question_terms(question, language, LEXICON), 1.0), LEXICON)
    assert 0.5 in wanted.held(text).values()


@pytest.mark.parametrize(
    ("question", "language", "lacking", "holding"),
    [
        ("Quel est le prix du badge doré ?", "fr", "Le prix du badge est de 5 €.", "Le prix du badge doré est de 5 €."),
        ("What is the price of the golden badge?", "en", "The badge price is €5.", "The golden badge price is €5."),
        ("ما هو ثمن البطاقة الذهبية؟", "ar", "ثمن البطاقة 5 يورو.", "ثمن البطاقة الذهبية 5 يورو."),
    ],
)
def test_word_that_the_evidence_lacks_is_a_feature(question: str, language: str, lacking: str, holding: str) -> None:
    missing, none = (
        support_features(evidence(question, language, text), LEXICON, word_scores=(), cosines=())["rarest_missing"]
        for text in (lacking, holding)
    )
    assert (missing, none) == (1, 0)


def test_number_that_the_evidence_lacks_is_a_feature() -> None:
    question = "What does version 1.4 say?"
    lacking, holding = (
        support_features(evidence(question, "en", text), LEXICON, word_scores=(), cosines=())["numbers_missing"]
        for text in ("Version 2.1 says so.", "Version 1.4 says so.")
    )
    assert (lacking, holding) == (1, 0)


def test_features_are_shares_and_higher_for_evidence_that_answers() -> None:
    good = evidence("Combien de jours dure le congé annuel ?", "fr", "Le congé annuel dure trente jours.")
    poor = evidence("Combien de jours dure le congé annuel ?", "fr", "Le budget annuel est voté.")
    features = [support_features(e, LEXICON, word_scores=(9.0, 3.0), cosines=(0.8, 0.2)) for e in (good, poor)]
    for found in features:
        assert tuple(found) == FEATURES
        assert all(0 <= value <= 1 for value in found.values())
    assert features[0]["sentence"] > features[1]["sentence"]
    assert features[0]["kind_missing"] < features[1]["kind_missing"]


@pytest.mark.parametrize(
    ("question", "language", "answers", "beside"),
    [
        ("Combien coûtait le badge en 2022 ?", "fr", "En 2022, le badge coûtait 5 €.", "Le badge coûte 5 €."),
        ("What was the fee in 2019?", "en", "In 2019 the fee was €5.", "The fee is €5."),
        ("كم كان الرسم سنة ٢٠١٩؟", "ar", "كان الرسم سنة 2019 خمسة يورو.", "الرسم 5 يورو."),
    ],
)
def test_year_that_the_evidence_lacks_is_a_feature(question: str, language: str, answers: str, beside: str) -> None:
    found, other = (
        support_features(evidence(question, language, text), LEXICON, word_scores=(), cosines=())
        for text in (answers, beside)
    )
    assert (found["years_missing"], other["years_missing"]) == (0, 1)


def test_kind_that_stands_in_another_sentence_is_told_from_one_in_the_sentence_asked_about() -> None:
    question = "Quel est le tarif de la salle des fêtes ?"
    together, apart = (
        support_features(evidence(question, "fr", text), LEXICON, word_scores=(), cosines=())["kind_elsewhere"]
        for text in (
            "La salle des fêtes est louée 90 €. Le badge est personnel.",
            "La salle des fêtes est louée aux associations. Le badge coûte 90 €.",
        )
    )
    assert together == 0 < apart


def test_words_that_only_put_the_question_count_little() -> None:
    weights = dict.fromkeys(LEXICON.query_terms("obtenir piscine", "fr"), 1.0)
    wanted = Wanted("obtenir piscine", "fr", weights, LEXICON)
    assert wanted.coverage(wanted.held("La piscine est ouverte.")) > 0.7


def test_sentence_in_another_language_counts_less() -> None:
    found = evidence("Quel ticket ?", "fr", "Le ticket est à garder.")
    english = evidence("Quel ticket ?", "en", "Le ticket est à garder.")
    foreign = Evidence("Quel ticket ?", "fr", english.passages, found.term_weights)
    text = "Le ticket est à garder."
    assert WORDS_ONLY.score(foreign, [text], "fr")[0] < WORDS_ONLY.score(found, [text], "fr")[0]


def test_table_row_that_the_question_names_scores_above_the_others() -> None:
    rows = ["Tranche | Prix du repas", "C | 2,70 €", "D | 3,40 €"]
    found = evidence("Quel est le prix du repas en tranche D ?", "fr", "\n".join(rows))
    _, other, named = WORDS_ONLY.score(found, rows, "fr")
    assert named > other > 0


def test_list_under_a_heading_that_says_what_is_asked_is_not_worthless() -> None:
    found = evidence("Quelles sont les conditions d'accès ?", "fr", "Être majeur ;\n\nHabiter la commune.")
    passage = replace(found.passages[0].passage, headings=("Conditions d'accès",))
    under = replace(found, passages=(replace(found.passages[0], passage=passage),))
    assert WORDS_ONLY.score(found, ["Être majeur ;"], "fr") == [0.0]
    assert WORDS_ONLY.score(under, ["Être majeur ;"], "fr")[0] > 0


@pytest.mark.parametrize(
    ("language", "question", "title", "heading", "rule", "other"),
    [
        (
            "fr",
            "Que dit l'article 22 du règlement intérieur ?",
            "Règlement intérieur des services",
            "Article 22 – Alcool",
            "La consommation de vin est interdite.",
            "Est travail de nuit la période entre 22 heures et 5 heures selon le règlement intérieur.",
        ),
        (
            "en",
            "What does article 22 of the staff regulation say?",
            "Staff regulation",
            "Article 22 – Alcohol",
            "Drinking wine is forbidden.",
            "Night work is the period from 22 hours to 5 hours under the staff regulation.",
        ),
        (
            "ar",
            "ماذا تقول المادة ٢٢ من النظام الداخلي؟",
            "النظام الداخلي",
            "المادة 22 – المشروبات",
            "يمنع تناول الخمر.",
            "العمل الليلي من الساعة 22 حسب النظام الداخلي.",
        ),
    ],
)
def test_sentences_of_the_article_that_is_asked_for_answer_before_those_that_repeat_its_number(
    language: str, question: str, title: str, heading: str, rule: str, other: str
) -> None:
    found = evidence(question, language, other, rule)
    distant, asked = (scored.passage for scored in found.passages)
    passages = (
        replace(found.passages[0], passage=replace(distant, title=title, headings=("Article 11",))),
        replace(found.passages[1], passage=replace(asked, title=title, headings=(heading,))),
    )
    found = replace(found, passages=passages)
    of_other, of_rule = WORDS_ONLY.score(found, [other, rule], language)
    assert of_rule > of_other
    assert support_features(found, LEXICON, word_scores=(1.0,), cosines=())["sentence"] > 0.9


@pytest.mark.parametrize(
    ("language", "question", "about_it", "about_something_else"),
    [
        ("fr", "Qui la calcule (paie agents) ?", "La paie des agents est calculée par lui.", "Le tarif est calculé par lui."),
        ("en", "Who prints them (water bills)?", "Water bills are printed here.", "Tickets are printed here."),
        ("ar", "من يبت فيها (الملفات الشخصية)؟", "تبت لجنة في الملفات الشخصية.", "تبت لجنة في أثمان السوق."),
    ],
)  # fmt: skip
def test_follow_up_is_not_answered_by_what_does_not_speak_of_its_subject(
    language: str, question: str, about_it: str, about_something_else: str
) -> None:
    def features(text: str) -> dict[str, float]:
        return support_features(evidence(question, language, text), LEXICON, word_scores=(1.0,), cosines=())

    assert features(about_something_else) == NO_SUPPORT
    assert features(about_it) != NO_SUPPORT


def test_sentence_with_the_number_of_the_law_is_not_the_article_that_is_asked_for() -> None:
    question = "Que prévoit l'article 5 de la loi n° 2019-1479 ?"
    named, plain = "La loi n° 2019-1479 est publiée.", "La loi sur les autoroutes est publiée."
    both = evidence(question, "fr", named, plain)
    weights = dict.fromkeys(LEXICON.query_terms("loi", "fr"), 1.0)
    of_named, of_plain = WORDS_ONLY.score(replace(both, term_weights=weights), [named, plain], "fr")
    assert of_named == of_plain > 0


def test_article_that_is_asked_for_is_found_by_the_words_it_begins_with_where_it_has_no_heading() -> None:
    question = "Que prévoit l'article 5 de la loi sur les autoroutes ?"
    asked, other = (
        "Article 5 Les terrains sont au domaine public.",
        "La loi sur les autoroutes, article 3, est publiée.",
    )
    of_asked, of_other = WORDS_ONLY.score(evidence(question, "fr", other, asked), [asked, other], "fr")
    assert of_asked > of_other
