from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.lexical import LEXICON_VERSION, Lexicon
from assistant.types import LANGUAGES

LEXICON = Lexicon(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("fr", "municipaux", "municipale"),
        ("fr", "télétravail", "teletravail"),
        ("fr", "l’agent", "agents"),
        ("fr", "TÉLÉTRAVAIL", "télétravail"),
        ("en", "employees' holidays", "employee holiday"),
        ("ar", "الموظفين", "موظف"),
        ("ar", "المكتبات", "بالمكتبة"),
        ("ar", "الإجازة", "اجازة"),
        ("ar", "المُؤسَّسة", "المؤسسة"),
        ("ar", "سنة ٢٠٢٤", "سنة 2024"),
    ],
)
def test_forms_of_one_word_are_one_term(language: str, one: str, other: str) -> None:
    assert LEXICON.query_terms(one, language) == LEXICON.query_terms(other, language) != frozenset()


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "le de la et"), ("en", "the of and"), ("ar", "في من إلى على"), ("fr", ""), ("fr", " ?!")],
)
def test_stop_words_are_no_terms(language: str, text: str) -> None:
    assert LEXICON.query_terms(text, language) == frozenset()


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("fr", "télétravailleurs", "télétravail"), ("ar", "والموظفون", "الموظفين"), ("en", "bilingualism", "bilingual")],
)
def test_grams_join_what_the_stemmer_leaves_apart(language: str, one: str, other: str) -> None:
    assert len(LEXICON.grams(one, language) & LEXICON.grams(other, language)) >= 3


def test_word_of_four_letters_is_not_its_own_gram() -> None:
    assert not LEXICON.query_terms("taxe", "fr") & LEXICON.grams("taxe", "fr")


def test_repeated_word_weighs_more_but_less_than_twice() -> None:
    (term,) = LEXICON.query_terms("congé", "fr")
    once, twice = (
        dict(zip(v.indices, v.values, strict=True))[term]
        for v in (LEXICON.document_vector("congé annuel", "fr"), LEXICON.document_vector("congé congé", "fr"))
    )
    assert once < twice < 2 * once


@given(st.text(max_size=80), st.sampled_from((*LANGUAGES, "de")))
def test_any_text_has_each_term_once_with_a_positive_weight(text: str, language: str) -> None:
    vector = LEXICON.document_vector(text, language)
    assert len(set(vector.indices)) == len(vector.indices) == len(vector.values)
    assert all(value > 0 for value in vector.values)


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_question_finds_the_passage_of_the_same_words(text: str, language: str) -> None:
    assert LEXICON.search_terms(text, language) == frozenset(LEXICON.document_vector(text, language).indices)


def test_neighbouring_words_are_a_term_of_their_own() -> None:
    both = LEXICON.search_terms("congé annuel", "fr")
    assert len(both - LEXICON.search_terms("annuel congé", "fr")) == 1


def test_reference_is_found_in_any_typography_and_no_other() -> None:
    asked = LEXICON.unit_terms("l'article L2123-1")
    assert asked & set(LEXICON.document_vector("Article L.\u00a02123-1. - Les agents", "fr").indices)
    assert not asked & set(LEXICON.document_vector("Article L. 2123-10. - Les agents", "fr").indices)


@pytest.mark.parametrize(
    ("language", "text", "digest"),
    [
        (
            "fr",
            "Aux termes de l’article L. 2123-1, les com-\nmunes versent 1 500 € avant le 24 décembre 2019, jusqu’à l’été.",
            "ab3ed6bf61b4db1b",
        ),
        ("ar", "تحدد المادة ٥ من القانون رقم ١٢.٩٠ المُؤسَّسات الملزمة بالأداء في ديسمبر ٢٠١٩.", "dd0f52125e202d8a"),
        (
            "en",
            "Section 4.2: employees’ holidays are 25 days; see schedule 1 of May 3rd, 2004 and EC-02.",
            "9d0831c787ef69c8",
        ),
    ],
)
def test_stored_terms_change_only_with_the_version_of_the_lexicon(language: str, text: str, digest: str) -> None:
    vector = LEXICON.document_vector(text, language)
    found = hashlib.sha256(repr((vector.indices, vector.values)).encode()).hexdigest()[:16]
    assert (LEXICON_VERSION, found) == ("words+pairs+4-grams+units/2", digest)


def test_very_long_word_has_the_grams_of_its_parts() -> None:
    assert LEXICON.grams("abcd" * 30, "en") == LEXICON.grams("abcd" * 5, "en")
