"""Where conversations lie: one SQLite file of sealed rows, and the keys to them in a file of their own.

Each turn has a key, and so has what is said of the conversation itself (title, scope). A turn that loses words, by an erasure or
because its feedback changes, is sealed anew under another key and the former key is destroyed: bytes that the database has not
yet overwritten open no more. Ids, times, the reader's id, and which documents a turn rests on lie in clear.

A search opens the reader's own turns and compares: a word index would keep in clear what is sealed here.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from assistant.access import Label, Principal, Role
from assistant.archive import Archive
from assistant.changes import Comparison
from assistant.conversations.records import (
    Conversation,
    Feedback,
    GivenFeedback,
    ReadDocument,
    SourceVersion,
    Summary,
    Turn,
    TurnKind,
    TurnState,
    turn_from,
    words_in,
    words_of,
    written,
)
from assistant.conversations.shown import ReadableSources, without_sources
from assistant.database import Database
from assistant.errors import AssistantError, ChangedElsewhere, Conflict, Forbidden, InvalidRequest, NotFound
from assistant.language import readable_line
from assistant.sealing import Keyring, SealBroken
from assistant.types import Answer

_LOG = logging.getLogger(__name__)
MOST_CONVERSATIONS = 5000
"""Of one reader."""
MOST_TURNS = 200
"""Of one conversation."""
MOST_TITLE_CHARS = 200
_TITLE_FROM_QUESTION_CHARS = 80
_EXPIRE_EVERY_S = 3600.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id         TEXT PRIMARY KEY,
    reader     TEXT NOT NULL,
    about      BLOB NOT NULL, -- sealed under the conversation's id
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS conversations_by_reader ON conversations (reader, changed_at);
CREATE TABLE IF NOT EXISTS turns (
    conversation TEXT NOT NULL,
    number       INTEGER NOT NULL,
    key          TEXT NOT NULL, -- whose key `content` is sealed under
    content      BLOB NOT NULL,
    rated        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, number),
    FOREIGN KEY (conversation) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS sources (
    document_id  TEXT NOT NULL,
    conversation TEXT NOT NULL,
    number       INTEGER NOT NULL,
    PRIMARY KEY (document_id, conversation, number),
    FOREIGN KEY (conversation, number) REFERENCES turns (conversation, number) ON DELETE CASCADE
);
"""
_UNSEEN = "there is no such conversation"


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A turn whose answer is being given."""

    conversation_id: str
    number: int
    key: str
    turn: Turn


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Conversations:
    """The conversations of one instance, in `folder`. `keep_days` 0 keeps nothing: every list is empty."""

    def __init__(
        self, folder: Path, archive: Archive, *, keep_days: int = 365, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._archive = archive
        self._keep_days = keep_days
        self._now = now
        self._database = Database(folder / "conversations.db", _SCHEMA)
        self._keyring = Keyring(folder / "keys.db")
        self._stop = threading.Event()
        self._expirer: threading.Thread | None = None
        self._destroy_stray_keys()
        if self._all_are_due():
            _LOG.warning(
                "all conversations are to be deleted in an hour, as kept long enough; check this machine's clock"
            )
        else:
            self.expire()

    @property
    def keeps(self) -> bool:
        """False when the instance keeps no conversations at all."""
        return self._keep_days > 0

    # For the reader whose conversations they are. Everybody else gets NotFound.

    def create(self, principal: Principal, *, title: str = "", scope: Mapping[str, Any] | None = None) -> Conversation:
        """A new, empty conversation. Raises Conflict when this reader has as many as are kept."""
        made = Conversation(str(uuid4()), _valid_title(title), self._at(), self._at(), dict(scope or {}))
        if not self.keeps:
            return made
        with self._database.writing() as connection:
            counted = connection.execute("SELECT COUNT(*) FROM conversations WHERE reader = ?", (principal.id,))
            if counted.fetchone()[0] >= MOST_CONVERSATIONS:
                raise Conflict(
                    f"you have {MOST_CONVERSATIONS} conversations, the most that are kept; delete some first"
                )
            about = self._sealed_about(made.id, made.title, made.scope)
            row = (made.id, principal.id, about, made.created_at, made.changed_at)
            connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?)", row)
        return made

    def all(self, principal: Principal, *, q: str = "") -> tuple[Summary, ...]:
        """This reader's conversations, the one changed last first; with `q`, those that say all its words.

        One without a title in which nothing was asked yet is left out: there is nothing to know it by.
        Capitals, accents and Arabic letter forms do not matter. What the reader may not read any more is not found.
        """
        words = self._database.sought(q).split()
        query = (
            "SELECT *, (SELECT COUNT(*) FROM turns WHERE conversation = id) AS turns FROM conversations"
            " WHERE reader = ? AND changed_at >= ? ORDER BY changed_at DESC, id"
        )
        rows = self._database.connection().execute(query, (principal.id, self._oldest())).fetchall()
        sources, found = ReadableSources(self._archive, principal), []
        for row in rows:
            title, _ = self._about(row)
            if not title and not row["turns"]:
                continue  # its first question was refused, or never came
            if not words or self._says(row["id"], title, words, sources):
                first = None if title else self._first(row["id"], sources)
                found.append(Summary(row["id"], title, row["created_at"], row["changed_at"], row["turns"], first))
        return tuple(found)

    def one(self, conversation_id: str, principal: Principal) -> Conversation:
        """A conversation as its reader may see it now."""
        return self._shown(conversation_id, principal, list(self._turns(conversation_id)))

    def remembered(self, conversation_id: str, principal: Principal, *, before: int | None, most: int) -> Conversation:
        """What a next question is understood by: the last `most` questions, those from turn `before` on left out."""
        stored = [
            turn
            for turn in self._turns(conversation_id)
            if turn.kind is TurnKind.QUESTION and (before is None or turn.number < before)
        ]
        return self._shown(conversation_id, principal, stored[-most:])

    def shown(self, turn: Turn, principal: Principal) -> Turn:
        """A turn as its reader may see it now."""
        return ReadableSources(self._archive, principal).shown(turn)

    def label_of(self, sources: Iterable[SourceVersion], principal: Principal) -> Label:
        """The label of words from these versions of documents, as far as this principal may read them."""
        return ReadableSources(self._archive, principal).label(sources)

    def change(
        self,
        conversation_id: str,
        principal: Principal,
        *,
        title: str | None = None,
        scope: Mapping[str, Any] | None = None,
    ) -> None:
        """Give it another title or another scope; None leaves it as it is."""
        with self._database.writing() as connection:
            row = self._row(conversation_id, principal)
            former_title, former_scope = self._about(row)
            new_title = former_title if title is None else _valid_title(title)
            about = self._sealed_about(conversation_id, new_title, former_scope if scope is None else scope)
            connection.execute("UPDATE conversations SET about = ? WHERE id = ?", (about, conversation_id))

    def remove(self, conversation_id: str, principal: Principal) -> None:
        """Delete it for good: its words cannot be read from any file when this returns."""
        self._row(conversation_id, principal)
        self._remove([conversation_id])

    # The turn in hand.

    def begin(
        self,
        conversation_id: str,
        principal: Principal,
        question: str,
        *,
        searched: str,
        drawn_from: Iterable[SourceVersion] = (),
        kind: TurnKind = TurnKind.QUESTION,
        read: tuple[ReadDocument, ...] = (),
        replaces: int | None = None,
        as_of: str | None = None,
    ) -> OpenTurn:
        """Keep what is asked for; until `finish`, its turn counts as stopped.

        With `replaces`, that turn and all after it are deleted. Raises InvalidRequest when there is no such turn, Conflict when
        the conversation is full, and ChangedElsewhere when turns would go that came after `as_of`, its `changed_at` then.
        """
        asked = Turn(
            1, question, searched, TurnState.STOPPED, self._at(), drawn_from=tuple(drawn_from), kind=kind, read=read
        )
        if not self.keeps:
            return OpenTurn(conversation_id, 1, "", asked)
        with self._database.writing() as connection:
            row = self._row(conversation_id, principal)
            query = "SELECT number, key FROM turns WHERE conversation = ? ORDER BY number"
            there = {each["number"]: each["key"] for each in connection.execute(query, (conversation_id,))}
            if replaces is not None and replaces not in there:
                raise InvalidRequest(f"there is no turn {replaces} to replace; the last one is {max(there, default=0)}")
            if replaces is not None and as_of not in (None, row["changed_at"]):
                raise ChangedElsewhere("something was asked in this conversation since; read it again, then replace")
            number = replaces or max(there, default=0) + 1
            if number > MOST_TURNS:
                raise Conflict(f"this conversation has {MOST_TURNS} questions, the most there can be; begin a new one")
            opened = OpenTurn(conversation_id, number, uuid4().hex, replace(asked, number=number))
            title, scope = self._about(row)
            if number == 1 and title in {_title_of(each.question) for each in self._turns(conversation_id)}:
                title = ""  # the words of a question that is replaced go with it
            connection.execute("DELETE FROM turns WHERE conversation = ? AND number >= ?", (conversation_id, number))
            self._insert(connection, opened)
            about = self._sealed_about(conversation_id, title or _title_of(question), scope)
            connection.execute(
                "UPDATE conversations SET changed_at = ?, about = ? WHERE id = ?",
                (asked.asked_at, about, conversation_id),
            )
        self._keyring.destroy_all(key for other, key in there.items() if other >= number)
        return opened

    def finish(
        self, opened: OpenTurn, state: TurnState, answer: Answer | None, *, comparison: Comparison | None = None
    ) -> Turn:
        """Keep how the turn ended; the turn. Nothing is kept of one that was deleted or replaced meanwhile."""
        turn = replace(opened.turn, state=state, answer=answer, comparison=comparison)
        with self._database.writing() as connection:
            where = (opened.conversation_id, opened.number, opened.key)
            query = "DELETE FROM turns WHERE conversation = ? AND number = ? AND key = ?"
            if not connection.execute(query, where).rowcount:
                return turn
            self._insert(connection, replace(opened, turn=turn))
        # What was erased while the answer was being given: the archive lost it before `forget` looked here.
        gone = {source for source in turn.sources() if not self._archive.has(*source)}
        if not gone:
            return turn
        turn = without_sources(turn, gone.__contains__)
        with self._database.writing() as connection:
            for kept in self._open_turns("conversation = ? AND number = ? AND key = ?", where):
                self._rewrite(connection, kept, turn)
        self._keyring.destroy_all([where[2]])
        return turn

    # Feedback.

    def rate(self, conversation_id: str, number: int, principal: Principal, feedback: Feedback | None) -> None:
        """Keep what the reader says of an answer, or with None nothing. NotFound for a turn that is no answered question."""
        with self._database.writing() as connection:
            self._row(conversation_id, principal)
            found = list(self._open_turns("conversation = ? AND number = ?", (conversation_id, number)))
            if not found or found[0].turn.answer is None or found[0].turn.kind is not TurnKind.QUESTION:
                raise NotFound("there is no such answer in this conversation")
            self._rewrite(connection, found[0], replace(found[0].turn, feedback=feedback))
        self._keyring.destroy_all([found[0].key])

    def feedback(self, principal: Principal) -> tuple[GivenFeedback, ...]:
        """What readers said of answers, newest first, as far as this archivist may know it.

        Only of readers whose clearance the archivist's dominates, and only answers of which every source may be read by the
        archivist. Raises Forbidden for anybody but archivists.
        """
        if Role.ARCHIVIST not in principal.roles:
            raise Forbidden("feedback is for archivists")
        sources, found = ReadableSources(self._archive, principal), []
        for opened in self._open_turns("rated = 1", ()):
            given = opened.turn.feedback
            turn = sources.shown(opened.turn)
            whole = turn.hidden == 0 and turn.searched == opened.turn.searched
            if given is not None and whole and principal.may_read(Label.parse(given.clearance)):
                found.append(GivenFeedback(opened.conversation_id, turn))
        return tuple(
            sorted(found, key=lambda each: each.turn.feedback.given_at if each.turn.feedback else "", reverse=True)
        )

    # For ingestion and the clock, which show nobody anything.

    def forget(self, document_id: str, versions: frozenset[str] = frozenset()) -> None:
        """Take every word of a document that is being erased out of every turn. Can be repeated."""
        del versions  # the words go with the document
        with self._database.writing() as connection:
            query = "SELECT conversation, number FROM sources WHERE document_id = ?"
            for place in connection.execute(query, (document_id,)).fetchall():
                for opened in self._open_turns("conversation = ? AND number = ?", tuple(place)):
                    turn = without_sources(opened.turn, lambda source: source[0] == document_id)
                    self._rewrite(connection, opened, turn)
        self._destroy_stray_keys()

    def expire(self) -> int:
        """Delete the conversations in which nothing was asked for `keep_days`; how many."""
        query = "SELECT id FROM conversations WHERE changed_at < ?"
        due = [row["id"] for row in self._database.connection().execute(query, (self._oldest(),))]
        if due:
            self._remove(due)
        return len(due)

    def start(self) -> None:
        """Look every hour for what has been kept long enough."""
        self._expirer = threading.Thread(target=self._expire_hourly, name="conversations", daemon=True)
        self._expirer.start()

    def close(self) -> None:
        """Stop looking and close the files."""
        self._stop.set()
        if self._expirer is not None:
            self._expirer.join()
        self._database.close()
        self._keyring.close()

    def _all_are_due(self) -> bool:
        """True when nothing would be left: the clock of a machine that has just been started may be years ahead."""
        newest = self._database.connection().execute("SELECT MAX(changed_at) FROM conversations").fetchone()[0]
        return self.keeps and newest is not None and newest < self._oldest()

    def _expire_hourly(self) -> None:
        while not self._stop.wait(_EXPIRE_EVERY_S):
            try:
                self.expire()
            except AssistantError as error:
                _LOG.warning("conversations that were kept long enough could not be deleted: %s", error)

    def _says(self, conversation_id: str, title: str, words: list[str], sources: ReadableSources) -> bool:
        def found_in(texts: Iterable[str]) -> bool:
            text = self._database.sought("\n".join((title, *texts)))
            return all(word in text for word in words)

        stored = [content for _, content in self._opened("conversation = ?", (conversation_id,))]
        in_turns = [words_in(content) for content in stored]
        # Only where the stored words may fit, and the reader's own do not, is it looked up what may be read.
        named = any(names for *_, names in in_turns)
        if not named and not found_in(text for own, others, _ in in_turns for text in (own, others)):
            return False
        if found_in(own for own, *_ in in_turns):
            return True
        return found_in(words_of(sources.shown(turn_from(content))) for content in stored)

    def _first(self, conversation_id: str, sources: ReadableSources) -> Turn | None:
        for opened in self._open_turns("conversation = ? AND number = 1", (conversation_id,)):
            return replace(sources.shown(opened.turn), answer=None, comparison=None)
        return None

    def _shown(self, conversation_id: str, principal: Principal, stored: Iterable[Turn]) -> Conversation:
        row = self._row(conversation_id, principal)
        title, scope = self._about(row)
        turns = tuple(map(ReadableSources(self._archive, principal).shown, stored))
        return Conversation(row["id"], title, row["created_at"], row["changed_at"], scope, turns)

    def _remove(self, ids: list[str]) -> None:
        keys = list(ids)
        with self._database.writing() as connection:
            for conversation_id in ids:
                rows = connection.execute("SELECT key FROM turns WHERE conversation = ?", (conversation_id,))
                keys += [row["key"] for row in rows.fetchall()]
                connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
        self._keyring.destroy_all(keys)

    def _row(self, conversation_id: str, principal: Principal) -> sqlite3.Row:
        query = "SELECT * FROM conversations WHERE id = ? AND reader = ? AND changed_at >= ?"
        where = (conversation_id, principal.id, self._oldest())
        row: sqlite3.Row | None = self._database.connection().execute(query, where).fetchone()
        if row is None:
            raise NotFound(_UNSEEN)
        return row

    def _turns(self, conversation_id: str) -> Iterator[Turn]:
        return (opened.turn for opened in self._open_turns("conversation = ?", (conversation_id,)))

    def _open_turns(self, where: str, parameters: tuple[Any, ...]) -> Iterator[OpenTurn]:
        for row, content in self._opened(where, parameters):
            yield OpenTurn(row["conversation"], row["number"], row["key"], turn_from(content))

    def _opened(self, where: str, parameters: tuple[Any, ...]) -> Iterator[tuple[sqlite3.Row, bytes]]:
        """Rows of `turns` with their content unsealed; one that does not open is left out."""
        query = f"SELECT * FROM turns WHERE {where} ORDER BY conversation, number"  # noqa: S608 - `where` is written here
        for row in self._database.connection().execute(query, parameters).fetchall():
            place = f"{row['conversation']} {row['number']}"
            try:
                content = self._keyring.unseal(row["key"], row["content"], place=place)
            except SealBroken as error:
                _LOG.error("turn %s of conversation %s cannot be read: %s", row["number"], row["conversation"], error)
                continue
            yield row, content

    def _insert(self, connection: sqlite3.Connection, opened: OpenTurn) -> None:
        """Write a turn whose row is not there. Inside `writing`, so that no key is taken for a stray one."""
        place = (opened.conversation_id, opened.number)
        content = self._keyring.seal(opened.key, written(opened.turn), place=f"{place[0]} {place[1]}")
        rated = int(opened.turn.feedback is not None)
        connection.execute("INSERT INTO turns VALUES (?, ?, ?, ?, ?)", (*place, opened.key, content, rated))
        documents = {document_id for document_id, _ in opened.turn.sources()}
        connection.executemany("INSERT INTO sources VALUES (?, ?, ?)", [(each, *place) for each in documents])

    def _rewrite(self, connection: sqlite3.Connection, opened: OpenTurn, turn: Turn) -> None:
        """Put `turn` in the place of an open one, under another key; the former key is the caller's to destroy."""
        place = (opened.conversation_id, opened.number)
        connection.execute("DELETE FROM turns WHERE conversation = ? AND number = ?", place)
        self._insert(connection, replace(opened, key=uuid4().hex, turn=turn))

    def _destroy_stray_keys(self) -> None:
        """Destroy the keys of what is not here any more, also of what a process that died was about to delete."""
        with self._database.writing() as connection:
            rows = connection.execute("SELECT key FROM turns UNION SELECT id FROM conversations").fetchall()
            used = {row[0] for row in rows}
            stray = [owner for owner in self._keyring.owners() if owner not in used]
            if stray:
                self._keyring.destroy_all(stray)

    def _sealed_about(self, conversation_id: str, title: str, scope: Mapping[str, Any]) -> bytes:
        clear = json.dumps({"title": title, "scope": dict(scope)}, ensure_ascii=False)
        return self._keyring.seal(conversation_id, clear.encode("utf-8", "surrogatepass"), place="about")

    def _about(self, row: sqlite3.Row) -> tuple[str, dict[str, Any]]:
        """(title, scope); empty ones where the key is gone."""
        try:
            stored = self._keyring.unseal(row["id"], row["about"], place="about")
            clear = json.loads(stored.decode("utf-8", "replace"))  # half a character in an old title hides no list
        except SealBroken as error:
            _LOG.error("conversation %s cannot be read: %s", row["id"], error)
            return "", {}
        return clear["title"], clear["scope"]

    def _at(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="milliseconds")

    def _oldest(self) -> str:
        """Conversations that changed before this are not kept."""
        if not self.keeps:
            return "9999"
        return (self._now().astimezone(UTC) - timedelta(days=self._keep_days)).isoformat(timespec="milliseconds")


def _valid_title(title: str) -> str:
    title = readable_line(title)
    if len(title) > MOST_TITLE_CHARS:
        raise InvalidRequest(f"the title has {len(title)} characters; write at most {MOST_TITLE_CHARS}")
    return title


def _title_of(question: str) -> str:
    title = readable_line(question)
    if len(title) <= _TITLE_FROM_QUESTION_CHARS:
        return title
    return title[:_TITLE_FROM_QUESTION_CHARS].rsplit(" ", 1)[0] + " …"
