from collections.abc import Sequence

from assistant.generation import QuoteGenerator
from assistant.types import Document, Draft, Evidence, ScoredPassage
from tests.worlds import document, passage_of


def by_words(evidence: Evidence, sentences: Sequence[str], language: str) -> list[float]:
    """How many of the question's words of four letters or more a sentence has."""
    wanted = {word for word in evidence.question.lower().split() if len(word) > 3}
    return [float(sum(word in sentence.lower() for word in wanted)) for sentence in sentences]


def drafts(question: str, *documents: Document, **options: float) -> list[Draft]:
    passages = tuple(ScoredPassage(passage_of(d), 1.0, rank, "hybrid") for rank, d in enumerate(documents, start=1))
    return list(QuoteGenerator(by_words, **options).drafts(Evidence(question, "fr", passages)))  # type: ignore[arg-type]


RULE = document(
    "Le congé annuel est de vingt-cinq jours ouvrés. Toutefois, il est de trente jours pour les agents de nuit. "
    "Le chat du bureau dort beaucoup trop souvent. Le congé annuel se demande au chef de service.",
    name="regle.txt",
)


def test_each_draft_is_a_slice_of_its_document() -> None:
    for draft in drafts("congé annuel jours", RULE):
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
