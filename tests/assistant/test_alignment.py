"""Sentences of two texts find each other, and only words that differ are marked."""

from __future__ import annotations

import random

import pytest

from assistant.alignment import Line, Matched, aligned, tokens


def lines(*sentences: str, by_ocr: bool = False) -> list[Line]:
    return [Line(tokens(sentence), by_ocr) for sentence in sentences]


def marked(sentences: tuple[str, ...], found: Matched) -> tuple[list[str], list[str]]:
    old, new = sentences
    return [old[m.start : m.end] for m in found.old_marks], [new[m.start : m.end] for m in found.new_marks]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("Le délai est de trente jours.", "Le délai est de quinze jours.", ["trente"], ["quinze"]),
        ("Le montant est de 1 500 €.", "Le montant est de 1 550 €.", ["1 500"], ["1 550"]),
        ("Article L. 2123-1 du code.", "Article L. 2123-10 du code.", ["1"], ["10"]),
        ("The form may be sent by post.", "The form shall be sent by post.", ["may"], ["shall"]),
        ("L'agent est tenu de répondre.", "L'agent n'est pas tenu de répondre.", [], ["n", "pas"]),
        ("يجوز للعون أن يطلب ذلك.", "لا يجوز للعون أن يطلب ذلك.", [], ["لا"]),
        ("الأجل ثلاثون يوما من التبليغ.", "الأجل ستون يوما من التبليغ.", ["ثلاثون"], ["ستون"]),
    ],
)
def test_words_that_differ_are_marked_and_no_others(old: str, new: str, before: list[str], after: list[str]) -> None:
    (found,) = aligned(lines(old), lines(new))
    assert marked((old, new), found) == (before, after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Le  délai court\nde la notifica-\ntion.", "Le délai court de la notification."),
        ("L'agent d’astreinte.", "L’agent d'astreinte"),
        ("ARRÊTÉ DU MAIRE", "Arrêté du maire"),
        ("Une somme de 1 500,50 €", "Une somme de 1500,50 euros"),
        ("en sous-traitance", "en sous traitance"),
        ("المادّة ٥ من القانون", "المادة 5 من القانون"),
        ("to\u00adgether we \ufb01nd", "together we find"),
    ],
)
def test_how_a_text_is_set_is_no_change(old: str, new: str) -> None:
    (found,) = aligned(lines(old), lines(new))
    assert found.is_same


def test_letter_that_ocr_misread_is_no_change_but_a_digit_is() -> None:
    old = "La demande est adressée à la commission avant le 15 juin."
    (found,) = aligned(lines(old), lines(old.replace("commission", "commlssion"), by_ocr=True))
    assert found.is_same
    (found,) = aligned(lines(old), lines(old.replace("15", "18"), by_ocr=True))
    assert [mark.is_number for mark in found.new_marks] == [True]
    (found,) = aligned(lines(old), lines(old.replace("commission", "commlssion")))
    assert not found.is_same, "a text layer has no misread letters"


def test_word_that_stands_elsewhere_is_not_taken_for_a_misread_one() -> None:
    old = lines("La redevance est annuelle pour tous.", "La taxe est annuelles ici.")
    new = lines("La redevance est annuelles pour tous.", "La taxe est annuelles ici.", by_ocr=True)
    assert not aligned(old, new)[0].is_same


def test_sentence_cut_in_two_is_found_whole() -> None:
    whole = "La demande est déposée au guichet et reçoit une réponse dans le mois."
    halves = ("La demande est déposée au guichet et reçoit", "une réponse dans le mois.")
    for old, new in (((whole,), halves), (halves, (whole,))):
        (found,) = aligned(lines("Avant.", *old, "Après."), lines("Avant.", *new, "Après."))[1:-1]
        assert found.is_same
        assert len(found.old) + len(found.new) == 3


def test_moved_sentence_is_no_change_and_says_that_it_moved() -> None:
    sentences = [f"La règle numéro {n} vaut pour le service {n} de la ville." for n in range(6)]
    found = aligned(lines(*sentences), lines(*sentences[1:], sentences[0]))
    assert all(match.is_same for match in found)
    assert [match.new for match in found if match.moved] == [(5,)]


def test_heading_moves_with_the_section_below_it() -> None:
    tools = ("Outils", "Chaque outil est rendu propre le soir même.", "La clé de la cabane est chez la gardienne.")
    water = (
        "Arrosage",
        "L'arrosage est permis de sept heures à neuf heures.",
        "L'eau de pluie est gratuite pour tous.",
    )
    waste = ("Compost", "Le compost est ouvert à tous les jardiniers.", "Les restes de viande sont refusés au compost.")
    found = aligned(lines(*water, *waste, *tools), lines(*tools, *water, *waste))
    assert all(match.is_same for match in found)
    assert sorted(match.new for match in found if match.moved) == [(0,), (1,), (2,)]


def test_removed_sentence_stands_behind_what_it_followed() -> None:
    found = aligned(
        lines("Un seul texte.", "Cela disparaît tout.", "La fin vient."), lines("Un seul texte.", "La fin vient.")
    )
    assert [(match.old, match.new) for match in found] == [((0,), (0,)), ((1,), ()), ((2,), (1,))]


def test_empty_sides_are_all_added_or_all_removed() -> None:
    some = lines("Un texte.", "Deux textes.")
    assert aligned([], []) == ()
    assert [match.new for match in aligned([], some)] == [(0,), (1,)]
    assert [match.old for match in aligned(some, [])] == [(0,), (1,)]


def test_every_sentence_is_in_exactly_one_match_in_the_order_of_the_new_text() -> None:
    chance = random.Random(7)
    words = (
        "la",
        "le",
        "règle",
        "service",
        "délai",
        "agent",
        "jour",
        "demande",
        "ville",
        "eau",
        "budget",
        "12",
        "2024",
    )
    for _ in range(60):
        old = [" ".join(chance.choices(words, k=chance.randint(1, 9))) for _ in range(chance.randint(0, 12))]
        new = [
            " ".join(chance.choices(words, k=4)) if chance.random() < 0.3 else chance.choice(old or ["seul texte"])
            for _ in range(chance.randint(0, 12))
        ]
        found = aligned(lines(*old), lines(*new))
        assert sorted(i for match in found for i in match.old) == list(range(len(old)))
        placed = [j for match in found for j in match.new]
        assert placed == sorted(placed) == list(range(len(new)))


def test_line_repeated_thousands_of_times_costs_no_more_than_others() -> None:
    same = lines("Néant.")
    found = aligned(same * 4000, same * 3900)
    assert sum(match.is_same for match in found) == 3900
