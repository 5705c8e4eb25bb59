"""Questions put to small documents: what is quoted, from evidence to sentences, and what is said to be without support."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.generation import QuoteGenerator
from assistant.lexical import Lexicon
from assistant.relevance import NO_SUPPORT, SentenceRelevance, support_features
from assistant.types import LANGUAGES, Document, Evidence, Passage, ScoredPassage
from assistant.wanted import question_terms
from tests.worlds import document, passage_of

LEXICON = Lexicon(LANGUAGES)
QUOTES = QuoteGenerator(SentenceRelevance(LEXICON).score)


def evidence(question: str, language: str, *passages: Passage) -> Evidence:
    ranked = tuple(ScoredPassage(passage, 1.0, rank, "hybrid") for rank, passage in enumerate(passages, start=1))
    return Evidence(question, language, ranked, dict.fromkeys(question_terms(question, language, LEXICON), 1.0))


def text(content: str, language: str = "fr", *, name: str = "texte.txt", headings: tuple[str, ...] = ()) -> Passage:
    return replace(passage_of(document(content, name=name, language=language)), headings=headings)


def quoted(question: str, language: str, *passages: Passage) -> list[str]:
    return [draft.text for draft in QUOTES.drafts(evidence(question, language, *passages))]


def features(question: str, language: str, *passages: Passage) -> dict[str, float]:
    return support_features(evidence(question, language, *passages), LEXICON, word_scores=(), cosines=())


# --- tables ------------------------------------------------------------------------------------------------------

BERTHS = (
    "Longueur du bateau | Quai, par mois | Bouée, par mois\n"
    "Moins de 6 m | 62 € | 28 €\nDe 6 à 8,99 m | 98 € | 44 €\n12 m et plus | 240 € | –\n"
)


def test_row_whose_range_has_the_figure_of_the_question_is_quoted_with_the_header_and_no_other() -> None:
    assert quoted("Combien coûte un quai par mois pour un bateau de 7 mètres ?", "fr", text(BERTHS)) == [
        "Longueur du bateau | Quai, par mois | Bouée, par mois",
        "De 6 à 8,99 m | 98 € | 44 €",
    ]


def test_row_is_chosen_by_a_range_in_english_where_it_shares_no_word_with_the_question() -> None:
    table = "Length of vessel | Per night | Per week\nUp to 6 m | £14 | £80\n6 m to 10 m | £19 | £112\nOver 15 m | £41 | £240\n"
    found = quoted("How much does it cost to moor an 8 metre boat for a week?", "en", text(table, "en"))
    assert found[-1] == "6 m to 10 m | £19 | £112"


def test_header_of_a_table_answers_nothing_by_itself() -> None:
    table = "Zone | Première heure (€) | Abonnement mensuel (€)\nCentre | 2,4 | 75\nGare | 1,8 | 60\n"
    question = "Quel est le prix de l'abonnement mensuel dans la zone Gare ?"
    assert quoted(question, "fr", text(table)) == [
        "Zone | Première heure (€) | Abonnement mensuel (€)",
        "Gare | 1,8 | 60",
    ]


# --- articles ----------------------------------------------------------------------------------------------------

DECREE = (
    "Décret n° 2021-442 relatif à la voirie. Vu la loi n° 4-89 relative au domaine public, notamment son article 2 ;\n\n"
    "Article 1er. – La permission est délivrée par le maire.\n\n"
    "Article 2. – La demande est déposée quinze jours avant. Ce délai est de deux jours en cas d'urgence.\n\n"
    "Article 3. – Le décret prend effet en mai."
)
LAW = (
    "قانون رقم 12.07 يتعلق بالجمعيات.\n\nالمادة 1: الجمعية هي كل جماعة منظمة.\n\n"
    "المادة 2: ترفع الجمعية تقريرا ماليا. وتعفى منه الجمعيات المدرسية.\n\nالمادة 3: يعاقب من خالف أحكام المادة 2 بغرامة."
)
ACT = (
    "Public Records Act 2019 (Act No. 7 of 2019).\n\nSection 1. This Act may be cited as the Public Records Act 2019.\n\n"
    "Section 2. Records are kept for seven years. Court records are kept for thirty years.\n\n"
    "Section 3. Section 2 binds the courts."
)


@pytest.mark.parametrize(
    ("question", "language", "law", "answer"),
    [
        (
            "Que dit l'article 2 du décret n° 2021-442 ?",
            "fr",
            DECREE,
            [
                "Article 2. – La demande est déposée quinze jours avant.",
                "Ce délai est de deux jours en cas d'urgence.",
            ],
        ),
        (
            "ماذا تنص عليه المادة 2 من القانون رقم 12.07؟",
            "ar",
            LAW,
            ["المادة 2: ترفع الجمعية تقريرا ماليا.", "وتعفى منه الجمعيات المدرسية."],
        ),
        (
            "What does section 2 of the Public Records Act 2019 say?",
            "en",
            ACT,
            ["Section 2. Records are kept for seven years.", "Court records are kept for thirty years."],
        ),
    ],
)
def test_whole_article_that_is_asked_for_is_quoted_and_nothing_that_only_names_it(
    question: str, language: str, law: str, answer: list[str]
) -> None:
    assert quoted(question, language, text(law, language)) == answer


def test_article_of_the_text_that_is_named_is_quoted_and_not_that_of_a_text_which_cites_it() -> None:
    law = text("Loi n° 4-89 sur le domaine public.\n\nArticle 2. – Le domaine est inaliénable.", name="loi.txt")
    found = quoted("Que dit l'article 2 de la loi n° 4-89 ?", "fr", text(DECREE, name="decret.txt"), law)
    assert found == ["Article 2. – Le domaine est inaliénable."]


@pytest.mark.parametrize(
    ("question", "language", "law"),
    [
        ("Que dit l'article 9 du décret n° 2021-442 ?", "fr", DECREE),
        ("Que dit l'article 2 du décret n° 1999-17 ?", "fr", DECREE),
        ("ماذا تنص عليه المادة 12 من القانون رقم 12.07؟", "ar", LAW),
        ("What does section 11 of the Public Records Act 2019 say?", "en", ACT),
    ],
)
def test_article_that_is_not_there_has_no_support(question: str, language: str, law: str) -> None:
    assert features(question, language, text(law, language)) == NO_SUPPORT


def test_numbered_section_is_found_by_its_number_alone() -> None:
    section = text("Le congé ne peut dépasser dix-huit mois.", headings=("2. Durée",))
    assert features("Que dit la section 2 de la circulaire ?", "fr", section) != NO_SUPPORT


# --- questions that no document answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "language"),
    [("Bonjour, comment vas-tu ?", "fr"), ("هل أنت إنسان أم آلة؟", "ar"), ("Which language model are you?", "en")],
)
def test_small_talk_and_questions_to_the_machine_have_no_support(question: str, language: str) -> None:
    everything = text(f"{question} Bonjour. Model: Toyota. أنت إنسان.", language)
    assert features(question, language, everything) == NO_SUPPORT


def test_greeting_before_a_question_changes_nothing() -> None:
    hours = text("Le guichet ferme à dix heures.")
    assert features("Bonjour, à quelle heure ferme le guichet ?", "fr", hours) != NO_SUPPORT


def test_reason_that_is_asked_for_and_not_given_is_missing() -> None:
    question = "Why was the request refused?"
    given = features(question, "en", text("The request was refused because its accounts were missing.", "en"))
    missing = features(question, "en", text("The request was refused on 6 March.", "en"))
    assert (given["kind_missing"], missing["kind_missing"]) == (0.0, 1.0)


def test_place_that_nothing_found_names_is_a_feature() -> None:
    pass_price = text("The monthly ferry pass costs €28.00 in Montclair.", "en")
    assert features("How much is a ferry pass in Montclair?", "en", pass_price)["names_missing"] == 0.0
    assert features("How much is a ferry pass in Marseille?", "en", pass_price)["names_missing"] == 1.0


def test_number_of_other_things_does_not_count_what_is_asked_for_in_arabic() -> None:
    guards = text("تشغيل 120 حارسا موسميا.", "ar")
    assert features("كم يبلغ عدد الحراس؟", "ar", guards)["counts_otherwise"] == 0.0
    assert features("كم يبلغ عدد السيارات؟", "ar", guards)["counts_otherwise"] == 1.0


# --- what stands beside the answer ---------------------------------------------------------------------------------


def test_sentence_without_a_sum_is_left_out_where_another_has_the_sum_that_is_asked_for() -> None:
    leave = text(
        "Tout agent peut demander un congé de formation. Pendant le congé, l'agent perçoit 85 % de son traitement."
    )
    assert quoted("Combien touche un agent pendant son congé de formation ?", "fr", leave) == [
        "Pendant le congé, l'agent perçoit 85 % de son traitement."
    ]


def test_list_under_the_heading_that_names_what_is_asked_for_answers() -> None:
    papers = text(
        "- le dernier avis d'imposition ;\n- deux devis ;\n- un titre de propriété.\n", headings=("Pièces à fournir",)
    )
    amount = text("L'aide couvre 40 % du montant des travaux.", headings=("Aide",), name="aide.txt")
    found = quoted("Quelles pièces faut-il joindre pour une aide ?", "fr", amount, papers)
    assert {"- deux devis ;", "- un titre de propriété."} <= set(found)


def test_broken_plural_is_found_by_its_singular() -> None:
    plan = text("تشغيل 120 حارسا موسميا من يونيو إلى أكتوبر.", "ar")
    assert features("كم يبلغ عدد الحراس الموسميين؟", "ar", plan)["sentence"] > 0.4


def test_of_two_undated_versions_the_one_with_the_later_year_in_its_title_comes_first() -> None:
    def version(year: int, price: str) -> Document:
        title = f"Règlement de la cantine {year}"
        return replace(document(f"Le prix du repas est de {price} €.", name=f"{year}.txt"), title=title, date=None)

    older, newer = passage_of(version(2022, "3,60")), passage_of(version(2025, "4,10"))
    found = quoted("Quel est le prix du repas ?", "fr", older, newer)
    assert found == ["Le prix du repas est de 4,10 €.", "Le prix du repas est de 3,60 €."]
