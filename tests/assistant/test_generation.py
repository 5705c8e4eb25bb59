from collections.abc import Sequence
from dataclasses import replace

import pytest

from assistant.generation import QuoteGenerator
from assistant.types import Document, Draft, Evidence, ScoredPassage
from tests.worlds import document, passage_of


def by_words(evidence: Evidence, sentences: Sequence[str], language: str) -> list[float]:
    """How many of the question's words of four letters or more a sentence has."""
    wanted = {word for word in evidence.question.lower().split() if len(word) > 3}
    return [float(sum(word in sentence.lower() for word in wanted)) for sentence in sentences]


def dated(text: str, *, name: str, date: str, title: str) -> Document:
    return replace(document(text, name=name), date=date, title=title)


def drafts(question: str, *documents: Document, **options: float) -> list[Draft]:
    passages = tuple(ScoredPassage(passage_of(d), 1.0, rank, "hybrid") for rank, d in enumerate(documents, start=1))
    return list(QuoteGenerator(by_words, **options).drafts(Evidence(question, "fr", passages)))  # type: ignore[arg-type]


RULE = document(
    "Le congé annuel est de vingt-cinq jours ouvrés. Toutefois, il est de trente jours pour les agents de nuit. "
    "Le chat du bureau dort beaucoup trop souvent. Le congé annuel se demande au chef de service.",
    name="regle.txt",
)


def test_each_draft_is_a_slice_of_its_document() -> None:
    found = drafts("congé annuel jours", RULE)
    assert found
    for draft in found:
        assert RULE.text[draft.span.start : draft.span.end] == draft.text


def test_sentence_about_something_else_is_left_out() -> None:
    assert not any("chat" in draft.text for draft in drafts("congé annuel jours", RULE))


def test_sentence_that_leans_on_another_brings_it_along() -> None:
    found = [draft.text for draft in drafts("trente agents nuit", RULE, share_of_best=0.9)]
    assert found == [
        "Le congé annuel est de vingt-cinq jours ouvrés.",
        "Toutefois, il est de trente jours pour les agents de nuit.",
    ]


def test_sentences_read_in_the_order_of_the_text() -> None:
    found = drafts("congé annuel chef service demande", RULE, share_of_best=0.1)
    assert [draft.span for draft in found] == sorted(draft.span for draft in found)


def test_table_row_brings_its_header_along() -> None:
    table = document(
        "Prestation | Tarif | Délai\nCopie d'acte | Gratuit | 5 jours\nExtrait plurilingue | 8,00 € | 10 jours\n"
    )
    assert [draft.text for draft in drafts("extrait plurilingue", table)] == [
        "Prestation | Tarif | Délai",
        "Extrait plurilingue | 8,00 € | 10 jours",
    ]


def test_at_most_five_sentences() -> None:
    many = document(" ".join(f"Le congé numéro {n} est accordé par le service {n} seulement." for n in range(20)))
    assert len(drafts("congé accordé service", many, share_of_best=0.0)) == 5


def test_same_words_in_two_documents_are_quoted_once() -> None:
    copy = document(RULE.text, name="copie.txt")
    texts = [draft.text for draft in drafts("congé annuel jours", RULE, copy)]
    assert len(texts) == len(set(texts))


def test_nothing_relevant_gives_nothing() -> None:
    assert drafts("astrophysique quantique", RULE) == []


def test_no_passage_gives_nothing() -> None:
    assert drafts("congé annuel") == []


def test_exception_right_after_a_rule_comes_with_it() -> None:
    found = [draft.text for draft in drafts("congé annuel jours ouvrés", RULE, share_of_best=0.9)]
    assert found == [
        "Le congé annuel est de vingt-cinq jours ouvrés.",
        "Toutefois, il est de trente jours pour les agents de nuit.",
    ]


@pytest.mark.parametrize(
    ("rule", "exception"),
    [
        ("The deposit is one month of rent.", "Unless the flat is furnished, nothing more is due."),
        ("Le chef de service répond dans un délai d'un mois.", "Le silence gardé vaut refus."),
        ("يصرح بالولادة في أجل خمسة أيام.", "إلا إذا كان المسكن بعيدا فيمدد الأجل."),
    ],
)
def test_exception_or_consequence_comes_along_in_every_language(rule: str, exception: str) -> None:
    text = document(f"{rule} {exception}", language="ar" if "ي" in rule else "en")
    assert [draft.text for draft in drafts(rule, text, share_of_best=0.9)] == [rule, exception]


LIST = document(
    "Ne peuvent être exercées à distance les fonctions suivantes :\n- l'accueil du public ;\n- l'entretien des réseaux ;\n"
    "- la surveillance du port.\n\nLe chat du bureau dort beaucoup trop souvent."
)


def test_list_item_brings_the_sentence_that_opens_the_list() -> None:
    assert [draft.text for draft in drafts("l'entretien des réseaux", LIST, share_of_best=0.9)] == [
        "Ne peuvent être exercées à distance les fonctions suivantes :",
        "- l'entretien des réseaux ;",
    ]


def test_question_for_the_list_gets_all_of_it_and_nothing_after() -> None:
    found = [draft.text for draft in drafts("Quelles fonctions sont exercées à distance ?", LIST, share_of_best=0.9)]
    assert found == [
        "Ne peuvent être exercées à distance les fonctions suivantes :",
        "- l'accueil du public ;",
        "- l'entretien des réseaux ;",
        "- la surveillance du port.",
    ]


def test_sentence_that_ends_in_a_colon_brings_what_it_announces() -> None:
    announced = document(
        "Vous pouvez obtenir la copie si vous êtes :\n\nLa personne concernée par l'acte.\n\nLe chat dort."
    )
    assert [draft.text for draft in drafts("obtenir la copie", announced)] == [
        "Vous pouvez obtenir la copie si vous êtes :",
        "La personne concernée par l'acte.",
    ]


def test_sentence_that_a_page_break_cut_is_quoted_whole() -> None:
    cut = document(
        "L'accident survenu pendant une mission ou sur le trajet habituel est déclaré sans tarder par\n\n"
        "la personne qui en est victime. Le badge est vert."
    )
    (found,) = drafts("accident trajet mission", cut)
    assert found.text.endswith("déclaré sans tarder par la personne qui en est victime.")
    assert cut.text[found.span.start : found.span.end].split() == found.text.split()


def test_heading_before_a_paragraph_is_not_joined_to_it() -> None:
    text = document("Le congé annuel des agents\n\nle congé annuel est de trente jours.")
    assert "le congé annuel est de trente jours." in [draft.text for draft in drafts("congé annuel trente", text)]


OLD = dated(
    "Le télétravail est autorisé dans la limite de deux jours par semaine.",
    name="2021.txt",
    date="2021-09-06",
    title="Circulaire n° 2021-07 relative au télétravail",
)
NEW = dated(
    "Le télétravail est autorisé dans la limite de trois jours par semaine.",
    name="2024.txt",
    date="2024-03-12",
    title="Circulaire n° 2024-03 relative au télétravail",
)


def test_later_version_comes_first_and_the_earlier_is_shown_too() -> None:
    found = drafts("Combien de jours de télétravail par semaine ?", OLD, NEW)
    assert [draft.passage.date for draft in found] == ["2024-03-12", "2021-09-06"]


def test_version_that_the_question_names_comes_first() -> None:
    found = drafts("Combien de jours de télétravail par semaine en 2021 ?", NEW, OLD)
    assert found[0].passage.date == "2021-09-06"


def test_later_of_two_that_disagree_comes_first_whatever_their_titles() -> None:
    guide = dated(OLD.text, name="guide.txt", date="2022-01-01", title="Guide de l'agent")
    found = drafts("Combien de jours de télétravail par semaine ?", guide, NEW)
    assert [draft.passage.date for draft in found] == ["2024-03-12", "2022-01-01"]


def test_later_version_comes_first_where_no_value_of_the_two_differs() -> None:
    former = dated(
        "Le préavis de fin est de quinze jours, puis de deux mois pour mettre fin au télétravail.",
        name="2021.pdf",
        date="2021-09-06",
        title="Circulaire n° 2021-07 du 6 septembre 2021 relative au télétravail",
    )
    later = dated(
        "Il peut y être mis fin avec un préavis réduit à quinze jours.",
        name="2024.pdf",
        date="2024-03-12",
        title="Circulaire n° 2024-03 du 12 mars 2024 relative au télétravail",
    )
    found = drafts("Quel préavis pour mettre fin au télétravail ?", former, later, share_of_best=0.1)
    assert [draft.passage.document_id for draft in found] == [later.id, former.id]


@pytest.mark.parametrize(("heading", "complete"), [("2.2 Étude", True), ("", False)])
def test_list_that_a_page_break_parts_from_its_opening_is_quoted_whole_within_its_section(
    heading: str, complete: bool
) -> None:
    opening = "Une étude est requise quand deux critères sont remplis :"
    items = ("• des données de santé ;", "• plus de cinq mille personnes ;", "• des personnes mineures.")
    whole = document(opening + " " * 60 + "\n" + "\n".join(items), pages=2)
    cut = whole.text.index("•")
    passages = (passage_of(whole, 0, len(opening)), passage_of(whole, cut))
    assert [passage.page_numbers for passage in passages] == [(1,), (2,)]
    scored = tuple(
        ScoredPassage(replace(passage, headings=(heading,) if heading else ()), 1.0, rank, "hybrid")
        for rank, passage in enumerate(passages, start=1)
    )
    question = "Quels critères pour qu'une étude soit requise ?"
    found = list(QuoteGenerator(by_words).drafts(Evidence(question, "fr", scored)))
    assert [draft.text for draft in found] == [opening, *(items if complete else ())]
