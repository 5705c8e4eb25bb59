"""Sections and central sentences: in order, within their number, and what rules before what does not."""

from __future__ import annotations

from dataclasses import replace

from assistant.central import CentralSentences, Section, sections
from assistant.lexical import Lexicon
from assistant.testing import passages_of
from assistant.types import LANGUAGES, Passage

TERMS = Lexicon(LANGUAGES).query_terms


def under(heading: tuple[str, ...], *texts: str, language: str = "fr") -> list[Passage]:
    return [
        replace(p, headings=heading) for p in passages_of(heading[-1] if heading else "x", texts, language=language)
    ]


def central(found: tuple[Section, ...]) -> CentralSentences:
    return CentralSentences(found, TERMS)


def test_sections_go_as_deep_down_the_headings_as_their_number_allows() -> None:
    passages = [p for part in "AB" for n in "123" for p in under((part, f"{part}{n}"), f"Texte {part}{n}.")]
    assert [section.heading for section in sections(passages, 6)] == ["A1", "A2", "A3", "B1", "B2", "B3"]
    assert [section.heading for section in sections(passages, 3)] == ["A", "B"]
    for most in (1, 2, 3, 4, 5, 6, 40):
        found = sections(passages, most)
        assert len(found) <= most
        assert [p for section in found for p in section.passages] == passages


def test_document_without_headings_is_cut_by_its_length() -> None:
    passages = under((), *["Une règle parmi d'autres. " * 40] * 30)
    assert 2 <= len(sections(passages, 5)) <= 5
    assert len(sections(under((), "Une seule règle."), 12)) == 1
    assert sections([], 12) == ()


def test_shares_add_up_to_what_was_asked_and_skip_what_says_nothing() -> None:
    found = (
        Section("a", tuple(under(("a",), *[f"L'agent du service {n} doit déposer la demande." for n in range(9)]))),
        Section("b", tuple(under(("b",), "Fait à Montclair, le 3 mars 2024."))),
        Section("c", tuple(under(("c",), "Le montant de la prime est fixé à 300 euros par an."))),
    )
    for wanted in (1, 2, 3, 4, 5):
        given = central(found).shares(wanted)
        assert sum(given) == min(wanted, 5)
        assert given[1] == 0
    assert central(found).shares(3) == (2, 0, 1)


def test_rule_of_the_subject_comes_before_an_aside() -> None:
    texts = (
        "Le télétravail est autorisé dans la limite de trois jours par semaine pour chaque agent.",
        "Elle a été accueillie avec intérêt par les collègues de la direction voisine en son temps.",
        "L'agent en télétravail dépose sa demande de jours de télétravail auprès du chef de service.",
    )
    (draft,) = central((Section("t", tuple(under(("t",), *texts))),)).of(0, 1)
    assert draft.text == texts[0]


def test_sentences_come_in_the_order_of_the_text_and_stand_where_they_say() -> None:
    for language, texts in (
        (
            "fr",
            (
                "Le délai est de trente jours pour toute demande écrite.",
                "Le recours est formé dans les deux mois au plus.",
            ),
        ),
        (
            "en",
            (
                "The request must be made in writing within thirty days.",
                "The appeal may be lodged within two months.",
            ),
        ),
        (
            "ar",
            ("يجب تقديم الطلب كتابة إلى رئيس المصلحة في أجل شهر.", "يجوز الطعن في القرار أمام المحكمة في أجل شهرين."),
        ),
    ):
        section = Section("s", tuple(under(("s",), " ".join(texts), language=language)))
        drafts = central((section,)).of(0, 5)
        assert [draft.text for draft in drafts] == list(texts)
        for draft in drafts:
            start = draft.passage.span.start
            assert draft.passage.text[draft.span.start - start : draft.span.end - start] == draft.text


def test_same_rule_is_not_taken_twice_while_another_is_left() -> None:
    same = "La demande de congé doit être déposée par écrit auprès du chef de service."
    other = "Le badge perdu est remplacé au poste de garde contre une caution de douze euros."
    section = Section("s", tuple(under(("s",), same, same + " ", other)))
    assert other in [draft.text for draft in central((section,)).of(0, 2)]


def test_table_alone_is_summed_up_by_its_rows() -> None:
    section = Section("s", tuple(under(("s",), "Copie d'acte | Gratuit\nExtrait plurilingue | 8,00 €")))
    assert [draft.text for draft in central((section,)).of(0, 2)] == [
        "Copie d'acte | Gratuit",
        "Extrait plurilingue | 8,00 €",
    ]


def test_first_sentence_under_a_heading_says_what_the_others_detail() -> None:
    texts = (
        "The town pays the costs of a mission of its staff.",
        "The staff must show the costs of a mission to the town.",
    )
    section = Section("Orders", tuple(under(("Orders",), *texts, language="en")))
    assert [draft.text for draft in central((section,)).of(0, 1)] == [texts[0]]


def test_sentence_that_names_its_own_document_leans_on_no_other() -> None:
    texts = (
        "This plan sets out how the services of the town keep running.",
        "This keeps the services of the town running as it should be.",
    )
    section = Section("", tuple(under((), *texts, language="en")))
    plan, leaning = central((section,))._candidates[0]
    assert plan.bonus > 0
    assert leaning.bonus < 0
