from __future__ import annotations

import pytest

from assistant.embedding import HashEmbedder
from assistant.lexical import Lexicon
from assistant.relevance import (
    FEATURES,
    AnswerKind,
    SentenceRelevance,
    Wanted,
    answer_kind,
    question_terms,
    shows_kind,
    support_features,
)
from assistant.testing import passages_of
from assistant.types import LANGUAGES, Evidence, ScoredPassage

LEXICON = Lexicon(LANGUAGES)
WORDS_ONLY = SentenceRelevance(LEXICON, HashEmbedder(dense_weights=dict.fromkeys(LANGUAGES, 0.0)))


def evidence(question: str, language: str, *texts: str) -> Evidence:
    passages = tuple(
        ScoredPassage(passage, 1.0, rank, "hybrid")
        for rank, passage in enumerate(passages_of("a", texts, language=language), start=1)
    )
    weights = dict.fromkeys(question_terms(question, language, LEXICON), 1.0)
    return Evidence(question, language, passages, weights)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Combien de jours ?", AnswerKind.NUMBER),
        ("Quel est le montant de la prime ?", AnswerKind.NUMBER),
        ("How long is the leave?", AnswerKind.NUMBER),
        ("كم عدد أيام الإجازة؟", AnswerKind.NUMBER),
        ("À partir de quelle date ?", AnswerKind.DATE),
        ("Jusqu’à quand ?", AnswerKind.DATE),
        ("When does it start?", AnswerKind.DATE),
        ("متى يبدأ التسجيل؟", AnswerKind.DATE),
        ("Où se trouve la vanne ?", AnswerKind.PLACE),
        ("Where is it stored?", AnswerKind.PLACE),
        ("أين يوجد المكتب؟", AnswerKind.PLACE),
        ("Qui signe l'arrêté ?", AnswerKind.PERSON),
        ("Who decides?", AnswerKind.PERSON),
        ("من هو المسؤول؟", AnswerKind.PERSON),
        ("Pourquoi ?", AnswerKind.ANY),
        ("Is it allowed?", AnswerKind.ANY),
        ("هل يجوز ذلك؟", AnswerKind.ANY),
    ],
)
def test_cue_words_tell_what_is_asked_for(question: str, kind: AnswerKind) -> None:
    assert answer_kind(question) is kind


@pytest.mark.parametrize(
    ("sentence", "kind", "shown"),
    [
        ("Le délai est de trente jours.", AnswerKind.NUMBER, True),
        ("Le délai est prolongé.", AnswerKind.NUMBER, False),
        ("أجل خمسة أيام", AnswerKind.NUMBER, True),
        ("Au plus tard le 31 mai.", AnswerKind.DATE, True),
        ("Late opening is on Wednesday.", AnswerKind.DATE, True),
        ("يبدأ في مارس", AnswerKind.DATE, True),
        ("Le plus tôt possible.", AnswerKind.DATE, False),
        ("La vanne est sous l'escalier.", AnswerKind.PLACE, True),
        ("La présidente décide.", AnswerKind.PERSON, True),
    ],
)
def test_sentence_shows_the_kind_or_does_not(sentence: str, kind: AnswerKind, shown: bool) -> None:
    assert shows_kind(sentence, kind, "?") is shown


def test_number_that_the_question_says_itself_shows_nothing() -> None:
    assert not shows_kind("En 2021, le délai fut prolongé.", AnswerKind.NUMBER, "Combien de jours en 2021 ?")


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


def test_trusted_encoder_joins_in() -> None:
    found = evidence("annual leave", "en", "The annual leave.")
    trusted = SentenceRelevance(LEXICON, HashEmbedder(dense_weights={"en": 0.7}))
    assert trusted.score(found, ["The annual leave."], "en") > WORDS_ONLY.score(found, ["The annual leave."], "en")


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


def test_features_are_shares_and_higher_for_evidence_that_answers() -> None:
    good = evidence("Combien de jours dure le congé annuel ?", "fr", "Le congé annuel dure trente jours.")
    poor = evidence("Combien de jours dure le congé annuel ?", "fr", "Le budget annuel est voté.")
    features = [support_features(e, LEXICON, word_scores=(9.0, 3.0), cosines=(0.8, 0.2)) for e in (good, poor)]
    for found in features:
        assert tuple(found) == FEATURES
        assert all(0 <= value <= 1 for value in found.values())
    assert features[0]["sentence_coverage"] > features[1]["sentence_coverage"]
    assert features[0]["unmatched"] < features[1]["unmatched"]
