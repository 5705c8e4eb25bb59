"""The store of conversations: whose they are, what is shown again, and that what is deleted cannot be read from any file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.access import Label, Role
from assistant.archive import Archive
from assistant.conversations import Conversations, Feedback, TurnState
from assistant.conversations.records import turn_from, written
from assistant.errors import ChangedElsewhere, Conflict, Forbidden, InvalidRequest, NotFound
from assistant.types import Answer, Box, Citation, Document, Outcome, Sentence, Span, Verdict
from tests.worlds import INTERNAL, PUBLIC, document, reader

CLERK = replace(reader("internal"), id="clerk")
COLLEAGUE = replace(reader("internal"), id="colleague")
HERE, THERE = "Le délai zyzomys est de trente jours.", "La demande quokka est adressée à la mairie."
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def answer_of(*documents: Document, language: str = "fr") -> Answer:
    """An answer with one quotation of each document, and a note on each."""
    citations = tuple(
        Citation(
            number, f"passage-{number}", each.id, each.version, each.title, each.file_name, 1, Span(0, len(each.text)),
            each.text, ((1, Box(0.1, 0.1, 0.9, 0.2)),), Verdict.QUOTED, ("Titre",), each.date, str(each.label),
        )
        for number, each in enumerate(documents, 1)
    )  # fmt: skip
    return Answer(
        id="answer",
        question="Quel délai ?",
        language=language,
        text=" ".join(f"{each.quote} [{each.marker}]" for each in citations),
        sentences=tuple(Sentence(each.quote, (each.marker,), Verdict.QUOTED) for each in citations),
        citations=citations,
        outcome=Outcome.ANSWERED,
        model="quotes",
        prompt_version="test",
        label="internal",
        timings_ms={"search": 1.5},
        searched="Quel délai ?",
        notes=tuple(f"La source [{each.marker}] est douteuse." for each in citations),
    )


class World:
    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, NOON
        self.archive = Archive(folder / "archive")
        self.open = document(HERE, name="open.txt", label=PUBLIC)
        self.inner = document(THERE, name="inner.txt", label=INTERNAL)
        for each in (self.open, self.inner):
            self.archive.put(each)
        self.store = self.opened()

    def opened(self, keep_days: int = 365) -> Conversations:
        return Conversations(self.folder / "kept", self.archive, keep_days=keep_days, now=lambda: self.time)

    def asked(self, question: str = "Quel délai ?", *documents: Document, searched: str = "", **more: object) -> str:
        """A new conversation with one answered question."""
        conversation = self.store.create(CLERK).id
        self.ask(conversation, question, *documents, searched=searched, **more)
        return conversation

    def ask(self, conversation: str, question: str, *documents: Document, searched: str = "", **more: object) -> None:
        opened = self.store.begin(conversation, CLERK, question, searched=searched or question, **more)  # type: ignore[arg-type]
        self.store.finish(opened, TurnState.DONE, answer_of(*(documents or (self.open, self.inner))))

    def bytes_on_disk(self) -> bytes:
        return b"".join(file.read_bytes() for file in (self.folder / "kept").rglob("*") if file.is_file())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()
    made.archive.close()


def test_turn_is_read_back_as_it_was_written(world: World) -> None:
    conversation = world.asked()
    turn = world.store.one(conversation, CLERK).turns[0]
    assert turn.answer == answer_of(world.open, world.inner)
    assert (turn.number, turn.state, turn.hidden, turn.asked_at) == (
        1,
        TurnState.DONE,
        0,
        NOON.isoformat(timespec="milliseconds"),
    )
    assert turn_from(written(turn)) == turn


def test_conversation_takes_the_first_question_as_its_title_and_the_last_asked_comes_first(world: World) -> None:
    first = world.asked("Quel est le premier délai ?")
    world.time += timedelta(minutes=1)
    second = world.asked("mot " * 60)
    titles = {found.id: found.title for found in world.store.all(CLERK)}
    assert list(titles) == [second, first]
    assert titles[first] == "Quel est le premier délai ?"
    assert titles[second].endswith("mot …")
    assert len(titles[second]) < 90
    world.store.change(first, CLERK, title="Mes délais")
    assert {found.title for found in world.store.all(CLERK)} >= {"Mes délais"}


def test_title_taken_from_a_question_goes_with_it_and_a_given_one_stays(world: World) -> None:
    taken, given = world.asked("Quel délai zyzomys ?", world.open), world.asked("Quel délai ?", world.open)
    world.store.change(given, CLERK, title="Logement")
    for conversation in (taken, given):
        world.store.begin(conversation, CLERK, "Quelle aide ?", searched="Quelle aide ?", replaces=1)
    titles = {each.id: each.title for each in world.store.all(CLERK)}
    assert titles == {taken: "Quelle aide ?", given: "Logement"}


def test_conversation_in_which_nothing_was_asked_is_not_listed_unless_it_was_named(world: World) -> None:
    empty, named = world.store.create(CLERK).id, world.store.create(CLERK, title="Logement").id
    assert [each.id for each in world.store.all(CLERK)] == [named]
    world.store.begin(empty, CLERK, "Quel délai ?", searched="Quel délai ?")
    assert {each.id for each in world.store.all(CLERK)} == {empty, named}


def test_another_reader_finds_nothing_and_changes_nothing(world: World) -> None:
    conversation = world.asked()
    store = world.store
    opinion = Feedback("up", "", "", NOON.isoformat(), "internal")
    for attempt in (
        lambda: store.one(conversation, COLLEAGUE),
        lambda: store.change(conversation, COLLEAGUE, title="x"),
        lambda: store.remove(conversation, COLLEAGUE),
        lambda: store.begin(conversation, COLLEAGUE, "x", searched="x"),
        lambda: store.rate(conversation, 1, COLLEAGUE, opinion),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert store.all(COLLEAGUE) == store.all(COLLEAGUE, q="délai") == ()
    assert len(store.one(conversation, CLERK).turns) == 1


def test_sentence_whose_source_may_not_be_read_any_more_is_gone_with_its_words(world: World) -> None:
    conversation = world.asked()
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    turn = world.store.one(conversation, CLERK).turns[0]
    assert turn.hidden == 1
    assert "quokka" not in str(turn), "leaked"
    assert turn.answer is not None
    assert turn.answer.text == f"{HERE} [1]"
    assert [citation.marker for citation in turn.answer.citations] == [1]
    assert turn.answer.notes == ("La source [1] est douteuse.",)
    assert turn.answer.label == "public"


def test_sentence_with_several_sources_and_one_without_go_with_the_first_that_may_not_be_read(world: World) -> None:
    conversation = world.store.create(CLERK).id
    opened = world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?")
    sentences = (
        Sentence("Trente jours.", (1,), Verdict.SUPPORTED),
        Sentence("Trente jours, selon quokka.", (1, 2), Verdict.SUPPORTED),
        Sentence("Voilà tout sur quokka.", (), Verdict.PARTLY_SUPPORTED),
    )
    world.store.finish(opened, TurnState.DONE, replace(answer_of(world.open, world.inner), sentences=sentences))
    assert world.store.one(conversation, CLERK).turns[0].hidden == 0
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    turn = world.store.one(conversation, CLERK).turns[0]
    assert turn.hidden == 2
    assert turn.answer is not None
    assert turn.answer.text == "Trente jours. [1]"
    assert "quokka" not in str(turn), "leaked"


def silent(*documents: Document) -> Answer:
    """No answer, but a lead to each document."""
    told = answer_of(*documents)
    return replace(
        told, sentences=(), leads=told.sentences, outcome=Outcome.NO_EVIDENCE, text="Aucun passage.", notes=()
    )


def test_lead_is_gone_with_its_source_and_the_rest_of_the_silence_stays(world: World) -> None:
    conversation = world.store.create(CLERK).id
    world.store.finish(
        world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?"),
        TurnState.DONE,
        silent(world.open, world.inner),
    )
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    turn = world.store.one(conversation, CLERK).turns[0]
    assert turn.answer is not None
    assert (turn.answer.text, turn.answer.label) == ("Aucun passage.", "public")
    assert [lead.text for lead in turn.answer.leads] == [each.quote for each in turn.answer.citations] == [HERE]
    assert "quokka" not in str(turn), "leaked"
    world.store.forget(world.open.id)
    turn = world.store.one(conversation, CLERK).turns[0]
    assert turn.answer is not None
    assert (turn.answer.text, turn.answer.leads, turn.answer.citations) == ("Aucun passage.", (), ())
    assert "zyzomys" not in str(turn), "leaked"


def test_lowered_clearance_hides_what_was_once_shown_and_raised_again_shows_it(world: World) -> None:
    conversation = world.asked()
    lowered = replace(CLERK, clearance=PUBLIC)
    assert world.store.one(conversation, lowered).turns[0].hidden == 1
    assert world.store.one(conversation, CLERK).turns[0].hidden == 0


def test_version_that_is_gone_and_words_that_were_corrected_are_not_shown(world: World) -> None:
    conversation = world.asked()
    world.archive.put(replace(world.open, text=HERE.replace("trente", "vingt")))
    world.archive.put(replace(world.inner, version="v2"))
    world.archive.keep_only(world.inner.id, "v2")
    turn = world.store.one(conversation, CLERK).turns[0]
    assert (turn.hidden, turn.answer and turn.answer.text, turn.answer and turn.answer.outcome) == (
        2,
        "",
        "no_evidence",
    )


def test_label_that_rose_within_reach_is_shown_as_it_is_today(world: World) -> None:
    conversation = world.asked("Quel délai ?", world.open)
    world.archive.raise_label(world.open.id, INTERNAL)
    answer = world.store.one(conversation, CLERK).turns[0].answer
    assert answer is not None
    assert (answer.label, answer.citations[0].label) == ("internal", "internal")


def test_hidden_words_are_not_found_and_shown_ones_are_whatever_their_accents(world: World) -> None:
    conversation = world.asked("Où écrire أحمد ؟")
    for words in ("ECRIRE", "quokka", "delai zyzomys", "احمد", "où mairie"):
        assert [found.id for found in world.store.all(CLERK, q=words)] == [conversation], words
    assert world.store.all(CLERK, q="absent") == ()
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    assert world.store.all(CLERK, q="quokka") == ()
    assert len(world.store.all(CLERK, q="zyzomys")) == 1


def test_searched_question_made_with_hidden_words_is_shown_as_it_was_asked(world: World) -> None:
    conversation = world.asked(
        "Et en 2023 ?", world.open, searched="En 2023 (quokka) ?", drawn_from=[(world.inner.id, "v1")]
    )
    assert world.store.one(conversation, CLERK).turns[0].searched == "En 2023 (quokka) ?"
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    assert world.store.one(conversation, CLERK).turns[0].searched == "Et en 2023 ?"
    assert world.store.all(CLERK, q="quokka") == ()


def test_deleted_conversation_cannot_be_read_from_any_byte_that_was_kept(world: World) -> None:
    conversation, other = world.asked("Une question sur le wombat ?"), world.asked("Une autre ?")
    for word in (b"wombat", b"zyzomys"):
        assert word not in world.bytes_on_disk()
    keys = world.store._keyring
    owners = {row["key"] for row in world.store._database.connection().execute("SELECT key FROM turns")}
    assert owners | {conversation, other} == set(keys.owners())
    world.store.remove(conversation, CLERK)
    with pytest.raises(NotFound):
        world.store.one(conversation, CLERK)
    assert conversation not in set(keys.owners())
    assert len(list(keys.owners())) == 2
    assert len(world.store.one(other, CLERK).turns) == 1


def test_erased_document_leaves_every_turn_and_its_key_goes(world: World) -> None:
    conversation = world.asked()
    world.ask(
        conversation,
        "Et la suite ?",
        world.open,
        searched="Et la suite (quokka) ?",
        drawn_from=[(world.inner.id, "v1")],
    )
    former = {row["key"] for row in world.store._database.connection().execute("SELECT key FROM turns")}
    world.store.forget(world.inner.id)
    world.store.forget(world.inner.id)
    first, second = world.store.one(conversation, CLERK).turns
    assert (first.hidden, second.searched, second.hidden) == (1, "Et la suite ?", 0)
    stored = str(list(world.store._turns(conversation)))
    assert "quokka" not in stored
    assert "zyzomys" in stored
    assert not former & set(world.store._keyring.owners())


def test_document_that_is_erased_while_it_is_being_quoted_is_not_kept(world: World) -> None:
    conversation = world.store.create(CLERK).id
    opened = world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?")
    world.archive.erase(world.inner.id, ["v1"])
    world.store.forget(world.inner.id)
    world.store.finish(opened, TurnState.DONE, answer_of(world.open, world.inner))
    assert "quokka" not in str(list(world.store._turns(conversation)))
    assert opened.key not in set(world.store._keyring.owners())
    assert world.store.one(conversation, CLERK).turns[0].hidden == 1


def test_version_that_is_replaced_while_it_is_being_quoted_takes_nothing_from_other_turns(world: World) -> None:
    newer = replace(world.inner, version="v2")
    world.archive.put(newer)
    other = world.asked("Quel délai ?", newer)
    conversation = world.store.create(CLERK).id
    opened = world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?")
    world.archive.keep_only(world.inner.id, "v2")
    world.store.finish(opened, TurnState.DONE, answer_of(world.inner))
    hidden = [world.store.one(each, CLERK).turns[0].hidden for each in (conversation, other)]
    assert hidden == [1, 0]


def test_replaced_turn_and_all_after_it_are_deleted(world: World) -> None:
    conversation = world.asked("Une ?")
    world.ask(conversation, "Deux ?")
    world.ask(conversation, "Trois ?")
    world.ask(conversation, "Deux bis ?", replaces=2)
    assert [(turn.number, turn.question) for turn in world.store.one(conversation, CLERK).turns] == [
        (1, "Une ?"),
        (2, "Deux bis ?"),
    ]
    assert len(list(world.store._keyring.owners())) == 3
    with pytest.raises(InvalidRequest, match="no turn 9"):
        world.ask(conversation, "Neuf ?", replaces=9)


def test_turn_that_came_since_is_not_dropped_with_the_one_that_is_replaced(world: World) -> None:
    conversation = world.asked("Une ?")
    seen = world.store.one(conversation, CLERK)
    world.time += timedelta(seconds=1)
    later = world.store.begin(conversation, CLERK, "Deux ?", searched="Deux ?").turn
    with pytest.raises(ChangedElsewhere):
        world.store.begin(conversation, CLERK, "Autre ?", searched="Autre ?", replaces=1, as_of=seen.changed_at)
    assert [turn.question for turn in world.store.one(conversation, CLERK).turns] == ["Une ?", "Deux ?"]
    world.store.begin(conversation, CLERK, "Autre ?", searched="Autre ?", replaces=1, as_of=later.asked_at)
    assert [turn.question for turn in world.store.one(conversation, CLERK).turns] == ["Autre ?"]


def test_turn_that_was_begun_and_never_ended_counts_as_stopped_after_a_restart(world: World) -> None:
    conversation = world.store.create(CLERK).id
    world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?")
    world.store.close()
    world.store = world.opened()
    (turn,) = world.store.one(conversation, CLERK).turns
    assert (turn.question, turn.state, turn.answer) == ("Quel délai ?", TurnState.STOPPED, None)


def test_answer_to_a_deleted_conversation_leaves_nothing_behind(world: World) -> None:
    conversation = world.store.create(CLERK).id
    opened = world.store.begin(conversation, CLERK, "Quel délai ?", searched="Quel délai ?")
    world.store.remove(conversation, CLERK)
    world.store.finish(opened, TurnState.DONE, answer_of(world.open))
    assert list(world.store._keyring.owners()) == []


def test_conversation_is_deleted_when_its_days_are_over_and_not_shown_before_that(world: World) -> None:
    old = world.asked("Ancienne ?")
    world.time += timedelta(days=364)
    young = world.asked("Récente ?")
    world.time += timedelta(days=1, seconds=1)
    assert [found.id for found in world.store.all(CLERK)] == [young]
    with pytest.raises(NotFound):
        world.store.one(old, CLERK)
    assert world.store.expire() == 1
    assert len(list(world.store._keyring.owners())) == 2


def test_clock_that_is_wrong_at_the_start_deletes_nothing(world: World) -> None:
    kept = world.asked()
    world.store.close()
    right, world.time = world.time, world.time + timedelta(days=20_000)
    world.store = world.opened()
    assert world.store.all(CLERK) == ()
    world.time = right
    assert [found.id for found in world.store.all(CLERK)] == [kept]
    world.time += timedelta(days=20_000)
    assert world.store.expire() == 1, "an hour later it counts"


def test_instance_that_keeps_nothing_has_no_conversation_even_from_before(world: World) -> None:
    world.asked()
    world.store.close()
    world.store = world.opened(keep_days=0)
    assert world.store.all(CLERK) == ()
    made = world.store.create(CLERK)
    turn = world.store.finish(
        world.store.begin(made.id, CLERK, "Q ?", searched="Q ?"), TurnState.DONE, answer_of(world.open)
    )
    assert turn.answer is not None
    with pytest.raises(NotFound):
        world.store.one(made.id, CLERK)
    assert list(world.store._keyring.owners()) == []


def test_limits_are_refused_with_what_to_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.conversations.store.MOST_TURNS", 1)
    monkeypatch.setattr("assistant.conversations.store.MOST_CONVERSATIONS", 1)
    conversation = world.asked()
    with pytest.raises(Conflict, match="begin a new one"):
        world.ask(conversation, "Encore ?")
    with pytest.raises(Conflict, match="delete some"):
        world.store.create(CLERK)
    with pytest.raises(InvalidRequest, match="201 characters"):
        world.store.change(conversation, CLERK, title="x" * 201)


def test_feedback_is_for_archivists_cleared_for_its_author_and_for_every_source(world: World) -> None:
    conversation = world.asked()
    world.store.rate(conversation, 1, CLERK, Feedback("down", "wrong", "mauvaise page", NOON.isoformat(), "internal"))
    archivist = reader("internal", Role.READER, Role.ARCHIVIST)
    (given,) = world.store.feedback(archivist)
    assert given.turn.feedback is not None
    assert given.turn.feedback.comment == "mauvaise page"
    assert world.store.feedback(replace(archivist, clearance=PUBLIC)) == ()
    with pytest.raises(Forbidden):
        world.store.feedback(CLERK)
    world.archive.raise_label(world.inner.id, Label.parse("secret"))
    assert world.store.feedback(archivist) == ()
    assert world.store.feedback(replace(archivist, clearance=Label.parse("secret"))) != ()
    world.store.rate(conversation, 1, CLERK, None)
    assert world.store.feedback(replace(archivist, clearance=Label.parse("secret"))) == ()
    with pytest.raises(NotFound):
        world.store.rate(conversation, 2, CLERK, None)
