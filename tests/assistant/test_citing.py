"""What is released to a reader: only what stands in the archive at that moment, for this reader, where it is said to stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.archive import Archive
from assistant.citing import Released
from assistant.composing import Composed
from assistant.grounding import Support
from assistant.types import Document, Draft, Passage, Sentence, Span, Verdict
from tests.worlds import INTERNAL, document, passage_of, reader

FIRST = "Le délai est de trente jours."
SECOND = "La demande est adressée à la mairie."
THIRD = "المدة ثلاثون يوما."
WHOLE = f"{FIRST} {SECOND} {THIRD}"


class World:
    """An archive with one internal document of one passage, and what is released from it."""

    def __init__(self, folder: Path, *, clearance: str = "internal", stored: str = WHOLE, pages: int = 1) -> None:
        self.archive = Archive(folder / "archive")
        self.indexed = document(WHOLE, pages=pages, label=INTERNAL)
        self.archive.put(document(stored, pages=pages, label=INTERNAL))
        self.passage = passage_of(self.indexed)
        self.released = Released(self.archive, reader(clearance))

    def draft(self, words: str) -> Draft:
        start = WHOLE.index(words)
        return Draft(words, self.passage, Span(start, start + len(words)))


def place(words: str) -> tuple[int, Span]:
    start = WHOLE.index(words)
    return 0, Span(start, start + len(words))


def composed(text: str) -> Composed:
    return Composed(text, text, (1,))


def supported(*places: tuple[int, Span], verdict: Verdict = Verdict.SUPPORTED) -> Support:
    return Support(verdict, places, "")


def test_quotation_is_released_with_a_citation_of_its_words_and_their_label(tmp_path: Path) -> None:
    world = World(tmp_path)
    ready = world.released.quote(world.draft(SECOND))
    assert ready is not None
    assert [citation.quote for citation in ready.citations] == [SECOND]
    assert ready.sentence == Sentence(SECOND, (1,), Verdict.QUOTED)
    assert (world.released.sentences, world.released.labels) == ([ready.sentence], {INTERNAL})


def test_composed_sentence_is_cited_once_for_each_place_that_supports_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    support = supported(place(FIRST), place(THIRD), place(FIRST))
    ready = world.released.state(composed("Il faut trente jours."), support, [world.passage])
    assert ready is not None
    assert [citation.quote for citation in ready.citations] == [FIRST, THIRD]
    assert ready.sentence == Sentence("Il faut trente jours.", (1, 2), Verdict.SUPPORTED)


@pytest.mark.parametrize("stored", [WHOLE.replace("trente", "quinze"), f" {WHOLE}", SECOND])
def test_nothing_is_released_of_a_passage_that_the_archive_holds_in_other_words(tmp_path: Path, stored: str) -> None:
    """A page was corrected after the search, or the index holds another text: not even the words that are the same."""
    world = World(tmp_path, stored=stored)
    assert world.released.quote(world.draft(SECOND)) is None
    assert world.released.state(composed(SECOND), supported(place(SECOND)), [world.passage]) is None
    assert world.released.leads([world.draft(SECOND)], 3) == ()
    assert (world.released.citations, world.released.withheld) == ([], 1)


def test_nothing_is_released_of_a_document_that_this_reader_may_not_read(tmp_path: Path) -> None:
    world = World(tmp_path, clearance="public")
    assert world.released.quote(world.draft(SECOND)) is None, "leaked"
    assert world.released.state(composed(SECOND), supported(place(SECOND)), [world.passage]) is None, "leaked"
    assert world.released.leads([world.draft(SECOND)], 3) == (), "leaked"
    assert (world.released.citations, world.released.labels) == ([], set())


@pytest.mark.parametrize(
    "support",
    [
        supported(),
        supported((0, Span(3, 3))),
        supported((0, Span(3, len(WHOLE) + 1))),
        supported(place(FIRST), (0, Span(5, 5))),
        supported(place(FIRST), (1, Span(0, 5))),
        supported(place(FIRST), verdict=Verdict.UNSUPPORTED),
    ],
)
def test_support_that_leads_nowhere_releases_nothing(tmp_path: Path, support: Support) -> None:
    """No place, an empty one, one beyond the passage, one of a passage that is gone, or none that supports."""
    world = World(tmp_path)
    gone = passage_of(document("Un autre texte.", name="gone.txt"))
    assert world.released.state(composed(FIRST), support, [world.passage, gone]) is None
    assert (world.released.sentences, world.released.citations) == ([], [])


def test_leads_are_two_of_a_page_at_most_and_of_as_many_pages_as_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, pages=1)
    drafts = [world.draft(words) for words in (FIRST, SECOND, THIRD)]
    assert texts(world.released.leads(drafts, 1)) == [FIRST, SECOND]
    other = World(tmp_path / "other", pages=3)
    assert texts(other.released.leads([other.draft(FIRST), other.draft(THIRD)], 1)) == [FIRST]
    assert texts(other.released.leads([other.draft(FIRST), other.draft(THIRD)], 2)) == [FIRST, THIRD]
    assert other.released.sentences == []


def texts(sentences: tuple[Sentence, ...]) -> list[str]:
    return [sentence.text for sentence in sentences]


@pytest.mark.parametrize(
    ("claim", "repeats"),
    [
        ("Le délai est de 30 jours", True),
        ("LE DÉLAI EST DE 30 JOURS.", True),
        ("Le délai est de 31 jours.", False),
        ("Le délai de recours devant le tribunal est de 30 jours.", False),
    ],
)
def test_same_words_repeat_a_sentence_and_another_figure_does_not(tmp_path: Path, claim: str, repeats: bool) -> None:
    world = World(tmp_path)
    world.released.state(composed("Le délai est de 30 jours."), supported(place(FIRST)), [world.passage])
    assert world.released.repeats(claim, "fr") is repeats


def test_another_voice_says_again_only_what_lies_wholly_where_the_first_was_cited(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.released.quote(world.draft(FIRST))
    inside, beyond = supported((0, Span(3, 8))), supported(place(FIRST), place(SECOND))
    assert not world.released.says_again(inside, [world.passage]), "the same voice may come back to its words"
    world.released.settle()
    assert world.released.says_again(inside, [world.passage])
    assert not world.released.says_again(beyond, [world.passage])
    assert not world.released.says_again(supported(), [world.passage])
    assert not world.released.says_again(inside, [of_version(world.passage, "v2")])


def test_quotation_is_covered_by_a_citation_of_the_same_version_only(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.released.quote(world.draft(FIRST))
    draft = world.draft(FIRST)
    assert world.released.covers(draft)
    assert not world.released.covers(world.draft(SECOND))
    assert not world.released.covers(replace(draft, passage=of_version(world.passage, "v2")))


def of_version(passage: Passage, version: str) -> Passage:
    return replace(passage, version=version)


def test_label_of_what_was_released_is_that_of_the_passages(tmp_path: Path) -> None:
    world = World(tmp_path)
    other: Document = document("Note publique.", name="other.txt", label=Label.parse("public"))
    world.archive.put(other)
    passage = passage_of(other)
    world.released.quote(Draft("Note publique.", passage, passage.span))
    assert world.released.labels == {Label.parse("public")}
    world.released.quote(world.draft(FIRST))
    assert world.released.labels == {Label.parse("public"), INTERNAL}
