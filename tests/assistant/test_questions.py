from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.questions import preference, subject
from assistant.testing import passages_of


@pytest.mark.parametrize(
    ("question", "language", "left"),
    [
        ("Quel est le délai ?", "fr", "est le délai ?"),
        ("Jusqu’à quand la salle est-elle ouverte ?", "fr", "la salle ouverte ?"),
        ("How long is the notice?", "en", "long the notice?"),
        ("ما هي مدة الإجازة؟", "ar", "ما هي مدة الإجازة؟"),
    ],
)
def test_subject_of_a_question_is_what_is_left_of_it(question: str, language: str, left: str) -> None:
    assert subject(question, language).split() == left.split()


def test_question_of_nothing_but_question_words_stays() -> None:
    assert subject("Comment ?", "fr") == "Comment ?"


@pytest.mark.parametrize(
    ("question", "years", "kinds"),
    [
        ("Que prévoit la circulaire de 2021 ?", {"2021"}, {"circular"}),
        ("Combien de naissances en 2023 ?", {"2023"}, set()),
        ("Que dit l'arrêté n° 2023-118 ?", set(), {"order"}),
        ("What does the report say?", set(), {"report"}),
        ("How quickly must staff report an incident?", set(), set()),
        ("Quelle note faut-il obtenir ?", set(), set()),
        ("ماذا ينص عليه المرسوم لسنة ٢٠٢٢؟", {"2022"}, {"decree"}),
        ("كم ساعة حسب تعميم 2024؟", {"2024"}, {"circular"}),
        ("Le congé annuel", set(), set()),
    ],
)
def test_question_names_the_documents_it_wants(question: str, years: set[str], kinds: set[str]) -> None:
    found = preference(question)
    assert (found.years, found.kinds) == (years, kinds)


def test_document_fits_by_its_date_its_type_or_its_title() -> None:
    plain = passages_of("a", ["Texte."])[0]
    wanted = preference("Que prévoit la circulaire de 2021 ?")
    assert wanted.fitting(plain) == frozenset()
    assert wanted.fitting(replace(plain, date="2021-09-06")) == {"year 2021"}
    assert wanted.fitting(replace(plain, document_type="circular")) == {"type circular"}
    assert wanted.fitting(replace(plain, document_type="Circulaire interne")) == {"type circular"}
    assert wanted.fitting(replace(plain, title="Circulaire de septembre 2021")) == {"year 2021", "type circular"}
    assert wanted.fitting(replace(plain, title="Réponse à la circulaire", date="2024-01-01")) == frozenset()
