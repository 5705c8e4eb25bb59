"""A question that names a thing by number is answered about that thing or not at all."""

from __future__ import annotations

import pytest

from assistant.designations import designations, speaks_of_another
from assistant.relevance import NO_SUPPORT, support_features
from tests.assistant.test_relevance import LEXICON, WORDS_ONLY, evidence

NAMED = [
    ("fr", "Quel est le code du dossier {} ?", "Le code du dossier {} est QX12."),
    ("en", "What is the code of file {}?", "The code of file {} is QX12."),
    ("ar", "ما هو رمز الملف {}؟", "رمز الملف {} هو QX12."),
]


@pytest.mark.parametrize(("language", "question", "sentence"), NAMED)
def test_sentence_about_another_number_neither_answers_nor_supports(
    language: str, question: str, sentence: str
) -> None:
    asked, right, wrong = question.format(1067), sentence.format(1067), sentence.format(1071)
    found = evidence(asked, language, f"{wrong} {right}")
    of_another, of_this = WORDS_ONLY.score(found, [wrong, right], language)
    assert of_this > of_another == 0
    only_wrong = support_features(evidence(asked, language, wrong), LEXICON, word_scores=[1.0], cosines=[])
    assert only_wrong == NO_SUPPORT
    assert support_features(found, LEXICON, word_scores=[1.0], cosines=[]) != NO_SUPPORT


@pytest.mark.parametrize(
    "question",
    [
        "Combien paie un couple avec 3 enfants ?",
        "Quel est le tarif à partir de 70 ans ?",
        "Quelle est la règle depuis mars 2024 ?",
        "Quel est le prix au-delà de 120 m³ ?",
        "Que dit l'article 22 du règlement ?",
        "How much is a pass for someone aged 70?",
        "How should data on 200 people be sent?",
        "What was agreed in the 1990s, and at 4:51?",
        "كم مدة العمل لمدة 5 أيام؟",
        "ماذا تقول المادة 5 من القرار؟",
        "ما الميزانية سنة 2023؟",
    ],
)
def test_quantities_years_dates_and_articles_name_no_thing(question: str) -> None:
    assert designations(question) == ()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Quand passe la ligne 12 ?", "Les lignes 12 et 14 passent toutes les heures."),
        ("Qui décide au niveau 3 ?", "Au niveau trois, le maire décide."),
        ("Qui décide au niveau 3 ?", "Au niveau III, le maire décide."),
        ("Quel tarif en zone 3 ?", "Les zones 1 à 4 paient deux euros."),
        ("What is in room 4?", "Rooms 2 to 6 hold the archives."),
        ("أين الخط 4؟", "يمر الخط ٤ قرب الميناء."),
    ],
)
def test_number_is_found_in_words_in_roman_numerals_and_within_a_range(question: str, text: str) -> None:
    (wanted,) = designations(question)
    assert wanted.is_in(text)
    assert not speaks_of_another(text, [wanted])


def test_two_things_named_are_both_spoken_of() -> None:
    wanted = designations("La ligne 12 ou la ligne 14 va-t-elle au port ?")
    assert [one.number for one in wanted] == ["12", "14"]
    assert not speaks_of_another("La ligne 14 va au port.", wanted)
    assert speaks_of_another("La ligne 9 va au port.", wanted)
