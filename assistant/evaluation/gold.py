"""Gold questions: what archivists know the answer of, kept in the instance, to measure it by.

Each names the document, the page and the words that answer, or says that nothing answers. Only archivists see them, and of them
only those who may read the document; one that nothing answers is seen by those cleared for as much as its author. When a
document is erased, its questions are: `forget`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.access import Label, Principal, Role
from assistant.archive import Archive
from assistant.database import Database
from assistant.errors import Forbidden, InvalidRequest, NotFound
from assistant.evaluation.answers import normalised
from assistant.index import PassageIndex
from assistant.language import detect_language
from assistant.types import LANGUAGES, Document, Passage

MOST_CHARACTERS = 2000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS gold (
    id TEXT PRIMARY KEY,
    question TEXT NOT NULL,
    language TEXT NOT NULL,
    document_id TEXT NOT NULL, -- empty: nothing answers it
    page INTEGER, -- 1-based
    words TEXT NOT NULL,
    label TEXT NOT NULL, -- of its author
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '', -- of the document, when the words were copied from it
    version_label TEXT NOT NULL DEFAULT '' -- the label that this version had
);
"""


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and where it is answered."""

    id: str
    question: str
    language: str
    document_id: str | None
    """None: no document answers it."""
    file_name: str
    title: str
    page: int | None
    """1-based; None for formats without pages, and where the page does not matter."""
    words: str
    """The words that answer, as they stand there."""
    added_at: str
    added_by: str

    def line(self) -> dict[str, Any]:
        """The line of it in a file for `assistant evaluate answers`."""
        asked = {"id": self.id, "question": self.question, "lang": self.language}
        if self.document_id is None:
            return asked | {"label": "unanswerable"}
        place = {"file": self.file_name, "document_id": self.document_id, "page": self.page}
        return asked | place | {"answer_span": self.words}


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """Where an archivist says that a question is answered."""

    document_id: str
    words: str
    page: int | None = None
    """None takes the first page on which the words stand."""


class GoldQuestions:
    """The gold questions of one instance. Every call but `forget` requires the archivist role (Forbidden)."""

    def __init__(self, file: Path, archive: Archive) -> None:
        self._database = Database(file, _SCHEMA)
        self._archive = archive

    def add(
        self, question: str, answer: GoldAnswer | None, principal: Principal, *, language: str | None = None
    ) -> GoldQuestion:
        """Keep a question; `answer` None says that no document answers it.

        Kept before of the same document, it is changed. Raises NotFound for a document that is not there for this principal,
        InvalidRequest for an empty or overlong question, an unknown language, a page that is not there, and words that do not
        stand on it.
        """
        _require_archivist(principal)
        asked = " ".join(question.split())
        if not 0 < len(asked) <= MOST_CHARACTERS:
            raise InvalidRequest(f"the question has {len(asked)} characters; write between 1 and {MOST_CHARACTERS}")
        spoken = language or detect_language(asked)
        if spoken not in LANGUAGES:
            raise InvalidRequest(f"language {spoken!r} is not known here; use one of {', '.join(LANGUAGES)}")
        document_id, page, words, version, version_label = "", None, "", "", ""
        if answer is not None:
            document = self._archive.document(answer.document_id, principal)
            document_id, page, words = document.id, _page_of(document, answer), answer.words.strip()
            version, version_label = document.version, str(document.label)
        key = hashlib.sha256(f"{asked}\n{document_id}".encode()).hexdigest()[:12]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        written = (key, asked, spoken, document_id, page, words, str(principal.clearance), now, principal.id)
        row = (*written, version, version_label)
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO gold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.one(key, principal)

    def all(self, principal: Principal) -> tuple[GoldQuestion, ...]:
        """The questions that this principal may know of, newest first."""
        _require_archivist(principal)
        rows = self._database.connection().execute("SELECT * FROM gold ORDER BY added_at DESC, id").fetchall()
        return tuple(found for found in (self._readable(row, principal) for row in rows) if found is not None)

    def one(self, key: str, principal: Principal) -> GoldQuestion:
        """One question. Raises NotFound when there is none, or none this principal may know of."""
        _require_archivist(principal)
        row = self._database.connection().execute("SELECT * FROM gold WHERE id = ?", (key,)).fetchone()
        found = self._readable(row, principal) if row else None
        if found is None:
            raise NotFound("there is no such question")
        return found

    def remove(self, key: str, principal: Principal) -> None:
        """Forget a question. Raises NotFound like `one`."""
        self.one(key, principal)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM gold WHERE id = ?", (key,))

    def forget(self, document_id: str, versions: frozenset[str] = frozenset()) -> None:
        """Forget every question of a document that is being erased; no word of them is left in the file. Can be repeated."""
        del versions  # they do not matter here: the questions go with the document
        with self._database.writing() as connection:
            gone = connection.execute("DELETE FROM gold WHERE document_id = ?", (document_id,)).rowcount
        if gone:
            self._database.scrub()
            self._database.truncate_log()

    def require(self, principal: Principal) -> None:
        """Raise Forbidden unless this principal may have to do with gold questions."""
        _require_archivist(principal)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _readable(self, row: Any, principal: Principal) -> GoldQuestion | None:
        file_name = title = ""
        if row["document_id"]:
            try:
                document = self._archive.document(row["document_id"], principal)
            except NotFound:
                return None
            former = row["version_label"] or row["label"]  # of the words: a later version may say less, to more people
            if row["version"] != document.version and not principal.may_read(Label.parse(former)):
                return None
            file_name, title = document.file_name, document.title
        elif not principal.may_read(Label.parse(row["label"])):
            return None
        return GoldQuestion(
            row["id"],
            row["question"],
            row["language"],
            row["document_id"] or None,
            file_name,
            title,
            row["page"],
            row["words"],
            row["added_at"],
            row["added_by"],
        )


def retrieval_set(
    questions: Iterable[GoldQuestion], index: PassageIndex, documents: Iterable[str], principal: Principal
) -> dict[str, list[dict[str, Any]]]:
    """`corpus`, `queries` and `qrels` in the layout of `assistant evaluate retrieval`.

    The corpus is what of `documents` this principal may read. Relevant are the passages that hold the words, else those that
    stand on the page. A question without any, and one that nothing answers, is left out.
    """
    corpus: dict[str, tuple[Passage, ...]] = {}
    for document_id in documents:
        try:
            corpus[document_id] = index.document_passages(document_id, principal)
        except NotFound:
            continue
    queries, qrels = [], []
    for gold in questions:
        relevant = relevant_passages(gold, corpus.get(gold.document_id or "", ()))
        if relevant:
            queries.append({"_id": gold.id, "text": gold.question, "lang": gold.language})
            qrels += [{"query": gold.id, "corpus": passage.id, "score": 1} for passage in relevant]
    lines = [
        {
            "_id": passage.id,
            "title": " · ".join((passage.title, *passage.headings)),
            "text": passage.text,
            "lang": passage.language,
        }
        for passages in corpus.values()
        for passage in passages
    ]
    return {"corpus": lines, "queries": queries, "qrels": qrels}


def relevant_passages(gold: GoldQuestion, passages: Sequence[Passage]) -> list[Passage]:
    """Those of a document's passages that answer: with the words in them, else from the page; without a page, none."""
    words = normalised(gold.words)
    holding = [passage for passage in passages if words and words in normalised(passage.text)]
    here = [passage for passage in holding if gold.page is None or gold.page in passage.page_numbers]
    return here or holding or [passage for passage in passages if gold.page in passage.page_numbers]


def _page_of(document: Document, answer: GoldAnswer) -> int | None:
    """The page of the answer, where its words must stand."""
    words = normalised(answer.words)
    if not words:
        raise InvalidRequest("the words that answer are missing; copy them from the document")
    if not document.pages:
        if answer.page is not None:
            raise InvalidRequest("this document has no pages; leave the page out")
        if words not in normalised(document.text):
            raise InvalidRequest("these words do not stand in the document; copy them from its text")
        return None
    texts = {page.number: normalised(document.text[page.span.start : page.span.end]) for page in document.pages}
    if answer.page is not None and answer.page not in texts:
        raise InvalidRequest(f"page {answer.page} is not there; the document has pages 1 to {len(texts)}")
    wanted = [answer.page] if answer.page is not None else list(texts)
    found = [number for number in wanted if words in texts[number]]
    if not found:
        where = f"on page {answer.page}" if answer.page is not None else "on any page"
        raise InvalidRequest(f"these words do not stand {where} of the document; copy them from its text")
    return found[0]


def _require_archivist(principal: Principal) -> None:
    if Role.ARCHIVIST not in principal.roles:
        raise Forbidden("gold questions are for archivists")
