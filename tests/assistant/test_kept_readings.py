"""Summaries and comparisons in conversations: kept, and shown again as far as the documents may be read now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.audit import AuditLog
from assistant.changes import Comparison
from assistant.comparing import Comparing
from assistant.conversations import Feedback, ReadDocument, Turn, TurnKind, TurnState
from assistant.conversations.records import turn_from, written
from assistant.errors import NotFound
from assistant.types import Document
from tests.assistant.test_conversations import CLERK, World, answer_of
from tests.worlds import INTERNAL, PUBLIC, document

OLD = "La redevance zyzomys est de dix euros. La demande est écrite. Le guichet ouvre à huit heures."
NEW = "La redevance zyzomys est de douze euros. La demande quokka est orale. Le guichet ouvre à huit heures."
SECRET = Label.parse("secret")


class Readings(World):
    """A conversation store with two texts to compare: `old`, public, and `new`, internal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.old = replace(document(OLD, name="ancien.txt", label=PUBLIC), title="Tarif ancien")
        self.new = replace(document(NEW, name="nouveau.txt", label=INTERNAL), title="Tarif wombat")
        for each in (self.old, self.new):
            self.archive.put(each)

    def comparison(self) -> Comparison:
        audit = AuditLog(self.folder / "audit.db")
        try:
            return Comparing(self.archive, audit).changes(self.old.id, CLERK, other=self.new.id)
        finally:
            audit.close()

    def compared(self) -> str:
        """A conversation in which the two texts were compared."""
        conversation, found = self.store.create(CLERK).id, self.comparison()
        assert len(found.changes) == 2
        read = (ReadDocument(self.old.id, "v1"), ReadDocument(self.new.id, "v1"))
        opened = self.store.begin(conversation, CLERK, "", searched="", kind=TurnKind.CHANGES, read=read)
        self.store.finish(opened, TurnState.DONE, None, comparison=found)
        return conversation

    def summed_up(self, of: Document, conversation: str = "") -> str:
        """A conversation in which a document was summed up."""
        conversation = conversation or self.store.create(CLERK).id
        read = (ReadDocument(of.id, of.version),)
        opened = self.store.begin(conversation, CLERK, "", searched="", kind=TurnKind.SUMMARY, read=read)
        self.store.finish(opened, TurnState.DONE, replace(answer_of(of), question=""))
        return conversation

    def only(self, conversation: str) -> Turn:
        (turn,) = self.store.one(conversation, CLERK).turns
        return turn


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Readings]:
    made = Readings(tmp_path)
    yield made
    made.store.close()
    made.archive.close()


def test_comparison_is_read_back_as_it_was_found_and_names_its_texts(world: Readings) -> None:
    turn = world.only(world.compared())
    assert turn.comparison == world.comparison()
    assert (turn.kind, turn.question, turn.hidden) == (TurnKind.CHANGES, "", 0)
    assert [each.title for each in turn.read] == ["Tarif ancien", "Tarif wombat"]
    assert turn_from(written(turn)) == turn
    (stored,) = world.store._turns(world.compared())
    assert [each.title for each in stored.read] == ["", ""], "the title is that of today"


def test_comparison_shows_nothing_once_one_of_its_texts_may_not_be_read(world: Readings) -> None:
    conversation = world.compared()
    world.archive.raise_label(world.new.id, SECRET)
    turn = world.only(conversation)
    assert (turn.comparison, turn.hidden) == (None, 2)
    assert [each.title for each in turn.read] == ["Tarif ancien", ""]
    for word in ("quokka", "wombat", "douze", "dix"):
        assert word not in str(turn), f"{word} leaked"
        assert world.store.all(CLERK, q=word) == (), f"{word} was found"


def test_change_whose_words_were_corrected_is_hidden_and_the_others_stay(world: Readings) -> None:
    conversation = world.compared()
    world.archive.put(replace(world.new, text=NEW.replace("quokka", "simple")))
    turn = world.only(conversation)
    assert turn.comparison is not None
    assert [change.after.text for change in turn.comparison.changes if change.after] == [NEW.partition(" La dem")[0]]
    assert turn.hidden == 1
    assert "quokka" not in str(turn), "leaked"


def test_comparison_bears_the_labels_that_its_texts_have_today(world: Readings) -> None:
    conversation = world.compared()
    world.archive.raise_label(world.old.id, INTERNAL)
    found = world.only(conversation).comparison
    assert found is not None
    assert found.before is not None
    assert (found.before.label, found.changes[0].before and found.changes[0].before.citation.label) == (
        "internal",
        "internal",
    )


def test_erased_document_leaves_no_word_of_a_comparison_and_its_key_goes(world: Readings) -> None:
    conversation = world.compared()
    former = {row["key"] for row in world.store._database.connection().execute("SELECT key FROM turns")}
    world.store.forget(world.new.id)
    stored = str(list(world.store._turns(conversation)))
    for word in ("quokka", "zyzomys", world.new.id):
        assert word not in stored, word
    assert not former & set(world.store._keyring.owners())
    turn = world.only(conversation)
    assert (turn.comparison, turn.hidden, [each.title for each in turn.read]) == (None, 2, ["Tarif ancien", ""])


def test_summary_is_hidden_sentence_by_sentence_and_erased_like_an_answer(world: Readings) -> None:
    conversation = world.summed_up(world.new)
    assert "quokka" in str(world.only(conversation))
    world.archive.raise_label(world.new.id, SECRET)
    turn = world.only(conversation)
    assert (turn.kind, turn.hidden, turn.answer and turn.answer.text) == (TurnKind.SUMMARY, 1, "")
    assert "quokka" not in str(turn), "leaked"
    assert "wombat" not in str(turn), "leaked"
    world.store.forget(world.new.id)
    assert world.new.id not in str(list(world.store._turns(conversation)))


def test_conversation_that_begins_with_a_summary_is_named_by_its_document_while_that_may_be_read(
    world: Readings,
) -> None:
    conversation = world.summed_up(world.new)
    (listed,) = world.store.all(CLERK)
    assert listed.title == ""
    assert listed.first is not None
    assert (listed.first.kind, listed.first.read[0].title, listed.first.answer) == (
        TurnKind.SUMMARY,
        "Tarif wombat",
        None,
    )
    assert [found.id for found in world.store.all(CLERK, q="TARIF wombat")] == [conversation]
    world.archive.raise_label(world.new.id, SECRET)
    assert "wombat" not in str(world.store.all(CLERK)), "leaked"
    assert world.store.all(CLERK, q="wombat") == ()
    world.ask(conversation, "Quel délai ?", world.open)
    assert [found.title for found in world.store.all(CLERK)] == ["Quel délai ?"]


def test_follow_up_is_understood_by_questions_alone(world: Readings) -> None:
    conversation = world.asked("Quel délai ?", world.open)
    world.summed_up(world.old, conversation)
    remembered = world.store.remembered(conversation, CLERK, before=None, most=1)
    assert [turn.number for turn in remembered.turns] == [1]
    world.ask(conversation, "Et ensuite ?", world.open)
    assert [turn.number for turn in world.store.remembered(conversation, CLERK, before=3, most=3).turns] == [1]


def test_summary_is_not_rated(world: Readings) -> None:
    conversation = world.summed_up(world.old)
    with pytest.raises(NotFound):
        world.store.rate(conversation, 1, CLERK, Feedback("up", "", "", "2026-11-23T10:00:00+00:00", "internal"))


def test_deleted_conversation_takes_its_comparison_with_it(world: Readings) -> None:
    conversation = world.compared()
    assert b"quokka" not in world.bytes_on_disk()
    world.store.remove(conversation, CLERK)
    assert list(world.store._keyring.owners()) == []
