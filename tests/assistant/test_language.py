"""Language, sentences and search form on the kinds of text that administrations write."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.language import detect_language, direction, search_form, sentence_spans
from tests.shared import shared_data


def sentences(text: str, language: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text, language)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Quel est le délai de recours ?", "fr"),
        ("congés payés", "fr"),
        ("What is the deadline for an appeal?", "en"),
        ("parental leave", "en"),
        ("ما هو أجل الطعن؟", "ar"),
        ("ما هو GPS؟", "ar"),
        ("أين يقع Energiprojekt AB؟", "ar"),
    ],
)
def test_language_of_a_short_question_is_found(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_text_without_letters_gets_the_default() -> None:
    assert detect_language("12 ? !", default="en") == "en"
    assert detect_language("", default="de", among=("ar", "fr")) == "ar"


def test_answer_is_always_one_of_those_asked_for() -> None:
    assert detect_language("Das ist ein deutscher Satz.", among=("fr", "ar")) == "fr"


@pytest.mark.parametrize(("name", "language"), [("fr-piaf", "fr"), ("en-medquad", "en"), ("ar-xquad", "ar")])
def test_real_questions_are_recognised(name: str, language: str) -> None:
    lines = (shared_data() / "retrieval" / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    wrong = [text for line in lines if detect_language(text := json.loads(line)["text"]) != language]
    assert wrong == []


def test_importing_the_module_loads_no_model() -> None:
    code = "import sys, assistant.language; sys.exit(bool({'py3langid', 'numpy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("language", "expected"), [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")])
def test_direction(language: str, expected: str) -> None:
    assert direction(language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["L'art. L. 2123-1 du code de la commande publique s'applique.", "M. Dupont signe."]),
        ("fr", ["Le décret n° 2019-1479, p. ex., fixe 3.5 M€ etc. par an.", "Voir l'art. 5 al. 2.", "Cf. p. 12."]),
        ("fr", ["Il a dit : « Le quorum est atteint. »", "Puis la séance est levée à 17 h 05."]),
        ("fr", ["C'est une œuvre d'art.", "Elle date du 1er mars.", "J.-C. Martin et Mme B. Durand l'ont vue."]),
        ("fr", ["« Quoi ? » dit-il.", "Vraiment !", "Non... peut-être.", "Le S.M.I.C. est relevé."]),
        ("fr", ["Réunion du 31 déc. 2023.", "Tél. 01.02.03.04.05.", "Courriel : a.b@c.example."]),
        ("en", ["The U.S. Department acted.", "See s. 12(2) of the Act, e.g. Sched. 3.", "Mr. Smith paid $3.50."]),
        ("en", ["He said no.", "The sun shone.", "Then “stop.”", "Next, cf. Art. 5."]),
        ("ar", ["ما هي المادة 5؟", "تنص المادة 5 على ما يلي.", "يعين د. محمد رئيسا۔", "ثم قال: «نعم.»", "وانصرف!"]),
    ],
)
def test_sentences_of_legal_prose(language: str, expected: list[str]) -> None:
    assert sentences(" ".join(expected), language) == expected


def test_line_breaks_inside_a_paragraph_end_nothing() -> None:
    assert sentences("Le délai est de 412 000\n€ par an. Il\ncourt.", "fr") == [
        "Le délai est de 412 000\n€ par an.",
        "Il\ncourt.",
    ]


def test_blank_lines_headings_and_list_items_are_on_their_own() -> None:
    text = "Arrête :\n\nArticle 1 – Objet\nLe présent arrêté vise :\n- les agents ;\n- les élus."
    text += "\n1. Objet\nالمادة الأولى\nتحدث مؤسسة"
    assert sentences(text, "fr") == [
        "Arrête :", "Article 1 – Objet", "Le présent arrêté vise :", "- les agents ;", "- les élus.", "1. Objet",
        "المادة الأولى", "تحدث مؤسسة",
    ]  # fmt: skip


@given(st.text(st.sampled_from('aÉ .!?…؟»«"\n\t-•1م۔()M'), max_size=200), st.sampled_from(["fr", "ar", "en"]))
def test_sentences_are_ordered_trimmed_and_cover_everything(text: str, language: str) -> None:
    end = 0
    for span in sentence_spans(text, language):
        piece = text[span.start : span.end]
        assert piece == piece.strip() != ""
        assert not text[end : span.start].strip()
        end = span.end
    assert not text[end:].strip()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "L’usager qu’on aide aujourd’hui", "usager on aide aujourd'hui"),
        ("fr", "lorsqu'il télé-\ntravaille", "lorsque il télétravaille"),
        ("fr", "2123-\n1 oﬃce co\u00adopé\u200bration", "2123-\n1 office coopération"),
        ("en", "the agency’s l'article", "the agency's l'article"),
        ("ar", "المُؤسَّسة إلى الآن", "المؤسسه الي الان"),
        ("ar", "كتـــاب ١٢٣ ﻻ", "كتاب 123 لا"),
        ("ar", "األوقاف باإلدارة", "الاوقاف بالاداره"),
    ],
)
def test_search_form(language: str, text: str, expected: str) -> None:
    assert search_form(text, language) == expected
