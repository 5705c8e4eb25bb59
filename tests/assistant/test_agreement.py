import pytest

from assistant.agreement import asks_for_version, disagree, disagreements, versions_of_one
from tests.worlds import document, passage_of


@pytest.mark.parametrize(
    ("question", "one", "other", "differ"),
    [
        (
            "Dans quel délai déposer l'état de frais ?",
            "L'état de frais est déposé dans un délai de trente jours à compter du retour.",
            "L'état de frais est à déposer dans un délai de 15 jours après le retour.",
            True,
        ),
        (
            "Dans quel délai déposer l'état de frais ?",
            "L'état de frais est déposé dans un délai de trente jours à compter du retour.",
            "L'état de frais est à déposer dans un délai de 30 jours après le retour.",
            False,
        ),
        (
            "Quel est le montant de l'extrait ?",
            "L'extrait plurilingue coûte 6,00 €.",
            "Le livret de famille coûte 12,00 €.",
            False,
        ),
        (
            "Faut-il payer la carte de résident ?",
            "Population | Actes, cartes de résident | 4300",
            "Carte de résident, renouvellement | 15,00 €",
            False,
        ),
        (
            "Faut-il payer la carte de résident ?",
            "Carte de résident, renouvellement | 12,00 €",
            "Carte de résident, renouvellement | 15,00 €",
            True,
        ),
        ("How long is the leave?", "The annual leave is thirty days.", "The annual leave is 25 days.", True),
        ("كم ساعة العمل اليومية؟", "مدة العمل اليومية سبع ساعات", "مدة العمل اليومية ست ساعات", True),
        ("Pourquoi trente jours ?", "Le délai est de trente jours.", "Le délai est de dix jours.", False),
        ("Quel délai en 2021 ?", "En 2021, le délai est prolongé.", "Le délai est prolongé de dix jours.", False),
    ],
)
def test_sources_disagree_when_the_same_thing_has_another_value(
    question: str, one: str, other: str, differ: bool
) -> None:
    assert disagree(question, one, other) is differ


def test_one_document_never_disagrees_with_itself_and_two_are_told_once() -> None:
    class Quote:
        def __init__(self, document_id: str, quote: str) -> None:
            self.document_id, self.quote, self.title, self.date = document_id, quote, "t", None

    ten, twenty = "Le délai de réponse est de dix jours.", "Le délai de réponse est de vingt jours."
    assert disagreements("Quel délai ?", [Quote("a", ten), Quote("a", twenty)]) == []
    assert disagreements("Quel délai ?", [Quote("a", ten), Quote("b", twenty), Quote("b", twenty)]) == [(0, 1)]


def test_titles_that_differ_in_number_and_date_are_versions_of_one() -> None:
    assert versions_of_one(
        "Circulaire n° 2021-07 du 6 septembre 2021 relative au télétravail",
        "Circulaire n° 2024-03 du 12 mars 2024 relative au télétravail",
    )
    assert versions_of_one("Residents' Handbook 2023", "Residents' Handbook 2024")
    assert not versions_of_one("Guide de l'agent 2024", "Tarifs 2024 des services publics")
    assert not versions_of_one("Guide de l'agent", "Guide de l'agent")


def test_question_names_a_version_by_year_or_number() -> None:
    passage = passage_of(document("x"))
    assert asks_for_version("Que disait la circulaire de 2021 ?", "Circulaire n° 2021-07", passage.date)
    assert asks_for_version("Que dit-on en 2024 ?", "Circulaire", "2024-03-12")
    assert not asks_for_version("Que dit la circulaire ?", "Circulaire n° 2021-07", "2021-09-06")
