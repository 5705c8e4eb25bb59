"""Where a gold question's words must stand, and which passages answer it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Label, Role
from assistant.archive import Archive
from assistant.errors import Forbidden, InvalidRequest, NotFound
from assistant.evaluation.gold import GoldAnswer, GoldQuestions, relevant_passages
from assistant.types import Document
from tests.worlds import ARCHIVIST, document, passage_of, reader

PAGES = ("Le badge se retire au rez-de-chaussée. ", "La cantine ferme à quinze heures trente")


@pytest.fixture
def paged() -> Document:
    """Two pages of the same length; the second one holds `quinze heures`."""
    return document("".join(page.ljust(40) for page in PAGES), name="guide.pdf", pages=2)


@pytest.fixture
def questions(tmp_path: Path, paged: Document) -> GoldQuestions:
    archive = Archive(tmp_path / "archive")
    archive.put(paged)
    return GoldQuestions(tmp_path / "gold.db", archive)


def test_page_is_the_first_on_which_the_words_stand(questions: GoldQuestions, paged: Document) -> None:
    kept = questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "QUINZE heures"), ARCHIVIST)
    assert (kept.page, kept.language, kept.file_name) == (2, "fr", "guide.pdf")
    assert questions.all(ARCHIVIST) == (kept,)


def test_same_question_of_the_same_document_is_changed_and_not_doubled(
    questions: GoldQuestions, paged: Document
) -> None:
    questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "quinze heures"), ARCHIVIST)
    questions.add("Quand  ferme la cantine ?", GoldAnswer(paged.id, "quinze heures trente"), ARCHIVIST)
    assert [kept.words for kept in questions.all(ARCHIVIST)] == ["quinze heures trente"]


@pytest.mark.parametrize(
    ("words", "page", "message"),
    [
        ("quinze heures", 1, "do not stand on page 1"),
        ("dix heures", None, "do not stand on any page"),
        ("quinze heures", 3, "pages 1 to 2"),
        (" ", 2, "the words that answer are missing"),
    ],
)
def test_words_must_stand_where_they_are_said_to(
    questions: GoldQuestions, paged: Document, words: str, page: int | None, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        questions.add("Quand ?", GoldAnswer(paged.id, words, page), ARCHIVIST)


def test_only_archivists(questions: GoldQuestions) -> None:
    plain = reader("secret/tax,health")
    for call in (
        lambda: questions.all(plain),
        lambda: questions.add("Où ?", None, plain),
        lambda: questions.remove("x", plain),
    ):
        with pytest.raises(Forbidden):
            call()


def test_forgotten_with_its_document(questions: GoldQuestions, paged: Document) -> None:
    kept = questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "quinze heures"), ARCHIVIST)
    beside = questions.add("Où est le coffre ?", None, ARCHIVIST)
    questions.forget(paged.id, frozenset({paged.version}))
    questions.forget(paged.id)
    assert questions.all(ARCHIVIST) == (beside,)
    with pytest.raises(NotFound):
        questions.one(kept.id, ARCHIVIST)


def test_relevant_are_the_passages_with_the_words_else_those_of_the_page(
    questions: GoldQuestions, paged: Document
) -> None:
    first, second = passage_of(paged, 0, 40), passage_of(paged, 40)
    halves = [passage_of(paged, 40, 60), passage_of(paged, 60)]
    kept = questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "ferme à quinze heures"), ARCHIVIST)
    assert relevant_passages(kept, [first, second]) == [second]
    assert relevant_passages(kept, [first, *halves]) == halves
    assert relevant_passages(kept, [first]) == []


def test_words_of_an_earlier_version_are_not_shown_below_its_label(tmp_path: Path, paged: Document) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put(replace(paged, label=Label.parse("restricted/tax")))
    questions = GoldQuestions(tmp_path / "gold.db", archive)
    strong, weak = (reader(clearance, Role.ARCHIVIST) for clearance in ("restricted/tax", "public"))
    kept = questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "quinze heures trente"), strong)
    archive.put(document("La cantine ferme tard.", name="guide.pdf", version="v2"))
    archive.keep_only(paged.id, "v2")
    assert questions.all(weak) == (), "leaked"
    with pytest.raises(NotFound):
        questions.one(kept.id, weak)
    assert [each.id for each in questions.all(strong)] == [kept.id]
    archive.put(document("La cantine ferme à seize heures.", name="guide.pdf", version="v3"))
    archive.keep_only(paged.id, "v3")
    questions.add("Quand ferme la cantine ?", GoldAnswer(paged.id, "seize heures"), weak)
    assert [each.words for each in questions.all(weak)] == ["seize heures"]
