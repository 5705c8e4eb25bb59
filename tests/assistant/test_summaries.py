"""A document summed up: quoted or composed, cited, bounded, on record, and only for whoever may read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.access import Label
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.embedding import HashEmbedder
from assistant.endpoints import Ended, Piece, Started
from assistant.errors import AuditUnavailable, InvalidRequest, ModelsUnavailable, NotFound
from assistant.index.edge import EdgePassageIndex
from assistant.lexical import Lexicon
from assistant.model_answers import Composer
from assistant.prompting import Prompts
from assistant.summaries import NOTHING_TO_SUM_UP, PROMPTS, Summaries
from assistant.types import (
    LANGUAGES,
    Answer,
    AnswerReady,
    Document,
    EvidenceReady,
    Outcome,
    SentenceReady,
    Verdict,
)
from ingest.splitting import split
from tests.scripted_models import ScriptedRouter, WordCheck, breaks_after, says
from tests.worlds import INTERNAL, PUBLIC, document, reader

FRENCH = """Article 1 – Congés

L'agent peut prendre trente jours de congé par année civile complète. La demande est déposée auprès du chef de service.

Article 2 – Silence

Le silence gardé pendant deux mois par l'administration vaut refus de la demande.

Article 3 – Prime

Le montant de la prime annuelle est fixé à 300 euros pour chaque agent titulaire.
"""
ARABIC = """المادة 1 – الإجازات

يجوز للعون أن يأخذ ثلاثين يوما من الإجازة في كل سنة مدنية كاملة.

المادة 2 – السكوت

يعد سكوت الإدارة بعد أجل شهرين كاملين رفضا للطلب المقدم إليها.
"""
ENGLISH = """Section 1 – Leave

Staff may take thirty days of leave in each complete calendar year.

Section 2 – Silence

The silence of the administration after two months must be read as refusal.
"""
READER = reader("internal")


class World:
    def __init__(self, folder: Path, *, models: bool = False) -> None:
        self.archive, self.audit = Archive(folder / "archive"), AuditLog(folder / "audit.db")
        self.embedder = HashEmbedder()
        self.index = EdgePassageIndex.open(
            folder / "index", embedder_fingerprint=self.embedder.fingerprint, dimension=self.embedder.dimension
        )
        self.router = ScriptedRouter()
        self.summaries = Summaries(
            self.index,
            self.archive,
            self.audit,
            Lexicon(LANGUAGES).query_terms,
            composer=Composer(self.router, WordCheck(), Prompts.load(PROMPTS)) if models else None,
        )

    def put(self, text: str, *, name: str = "note.txt", label: Label = PUBLIC, language: str = "fr") -> Document:
        stored = document(text, name=name, label=label, language=language, pages=2)
        self.archive.put(stored)
        passages = split(stored, fits=lambda text: len(text) < 900)
        vectors = self.embedder.embed_passages([passage.embedded_text() for passage in passages])
        self.index.replace(stored.id, stored.version, passages, np.asarray(vectors, dtype=np.float32))
        return stored

    def summary(self, document_id: str, **asked: object) -> Answer:
        *_, last = self.summaries.stream(document_id, READER, **asked)  # type: ignore[arg-type]
        assert isinstance(last, AnswerReady)
        return last.answer

    def records(self) -> list[tuple[str, dict[str, object]]]:
        rows = self.audit._database.connection().execute("SELECT kind, body FROM entries ORDER BY number")
        return [(row["kind"], json.loads(row["body"])) for row in rows]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.index.close()


@pytest.fixture
def composing(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, models=True)
    yield made
    made.index.close()


@pytest.mark.parametrize(("language", "text", "parts"), [("fr", FRENCH, 3), ("ar", ARABIC, 2), ("en", ENGLISH, 2)])
def test_without_a_model_each_section_is_quoted_with_its_page(
    world: World, language: str, text: str, parts: int
) -> None:
    stored = world.put(text, language=language)
    events = list(world.summaries.stream(stored.id, READER))
    assert isinstance(events[0], EvidenceReady)
    assert (events[0].documents, events[0].language) == (1, language)
    assert all(isinstance(event, SentenceReady) for event in events[1:-1])
    last = events[-1]
    assert isinstance(last, AnswerReady)
    answer = last.answer
    assert (answer.outcome, answer.model, answer.fallback, answer.withheld) == (Outcome.ANSWERED, "quotes", "", 0)
    assert len({citation.headings for citation in answer.citations}) == parts
    starts = [citation.span.start for citation in answer.citations]
    assert starts == sorted(starts)
    for sentence, citation in zip(answer.sentences, answer.citations, strict=True):
        assert sentence.markers == (citation.marker,)
        assert stored.text[citation.span.start : citation.span.end] == citation.quote
        assert citation.page_number in (1, 2)


def test_no_more_sentences_than_asked_for(world: World) -> None:
    text = "".join(
        f"Article {n} – Règle\n\nLe service numéro {n} doit répondre à la demande en {n} jours.\n\n"
        for n in range(1, 60)
    )
    stored = world.put(text)
    for wanted in (3, 7, 40):
        assert len(world.summary(stored.id, sentences=wanted).sentences) == wanted


def test_document_that_may_not_be_read_does_not_exist(world: World) -> None:
    hidden = world.put(FRENCH, label=INTERNAL)
    world.put(ENGLISH, name="open.txt", language="en")
    for document_id in (hidden.id, "nowhere"):
        with pytest.raises(NotFound, match="there is no such document"):
            next(world.summaries.stream(document_id, reader("public")))
    assert [kind for kind, _ in world.records()] == ["summary begun", "summary closed"] * 2


def test_hidden_neighbour_changes_nothing_in_a_summary(world: World, tmp_path: Path) -> None:
    alone = World(tmp_path / "alone")
    expected = alone.summary(alone.put(FRENCH).id)
    alone.index.close()
    stored = world.put(FRENCH)
    world.put(FRENCH.replace("trente", "quarante"), name="hidden.txt", label=Label.parse("secret"))
    found = world.summary(stored.id)
    assert (found.sentences, found.citations, found.label) == (expected.sentences, expected.citations, expected.label)


def test_document_with_nothing_to_say_says_so(world: World) -> None:
    stored = world.put("Oui.\n")
    answer = world.summary(stored.id)
    assert (answer.outcome, answer.text, answer.sentences) == (Outcome.NO_EVIDENCE, NOTHING_TO_SUM_UP["fr"], ())


def test_summary_is_on_record_and_refused_without_one(world: World, tmp_path: Path) -> None:
    stored = world.put(FRENCH)
    answer = world.summary(stored.id)
    (begun, about), (closed, closing) = world.records()
    assert (begun, closed) == ("summary begun", "summary closed")
    assert about == {"principal": READER.id, "document": stored.id}
    assert closing["passages"] == sorted({citation.passage_id for citation in answer.citations})
    given_up = world.summaries.stream(stored.id, READER)
    next(given_up)
    next(given_up)
    given_up.close()
    assert world.records()[-1][1]["outcome"] == "interrupted"
    world.audit.close()
    (tmp_path / "audit.db").unlink()
    (tmp_path / "audit.db").mkdir()
    with pytest.raises(AuditUnavailable):
        next(world.summaries.stream(stored.id, READER))


def test_impossible_wishes_are_refused(world: World) -> None:
    stored = world.put(FRENCH)
    for asked in ({"sentences": 2}, {"sentences": 41}, {"language": "de"}):
        with pytest.raises(InvalidRequest):
            next(world.summaries.stream(stored.id, READER, **asked))  # type: ignore[arg-type]


def test_model_is_asked_section_by_section_and_what_it_says_is_checked(composing: World) -> None:
    stored = composing.put(FRENCH)
    composing.router.events_of_next = tuple(says("Trente jours de congé. [1] Le silence vaut acceptation totale. [1]"))
    answer = composing.summary(stored.id)
    assert len(composing.router.asked) == 3
    asked = [messages[1].text for messages, _ in composing.router.asked]
    assert all(heading in text for heading, text in zip(("Congés", "Silence", "Prime"), asked, strict=True))
    assert "300 euros" not in asked[0]
    assert [need.label for _, need in composing.router.asked] == [PUBLIC] * 3
    said = [(sentence.text, sentence.verdict) for sentence in answer.sentences]
    assert said[0] == ("Trente jours de congé.", Verdict.SUPPORTED)
    assert all(verdict is Verdict.QUOTED for _, verdict in said[1:]), "what does not hold is replaced by quotations"
    assert "acceptation" not in answer.text
    assert (answer.model, answer.fallback) == ("tiny", "")
    assert answer.withheld > 0


def test_without_any_endpoint_the_summary_is_quoted_and_says_so(composing: World) -> None:
    stored = composing.put(FRENCH)
    composing.router.is_available = False
    quoted = composing.summary(stored.id)
    assert (quoted.model, quoted.fallback, len(composing.router.asked)) == ("quotes", "no_model", 0)
    composing.router.is_available = True
    composing.router.events_of_next = (Started("one", "tiny"), ModelsUnavailable)
    lost = composing.summary(stored.id)
    assert (lost.sentences, lost.fallback) == (quoted.sentences, "no_model")
    assert len(composing.router.asked) == 1, "once all endpoints are gone, nobody waits for them again"


def test_model_that_breaks_leaves_quotations_in_its_place(composing: World) -> None:
    stored = composing.put(FRENCH)
    for script in (breaks_after("Trente jours"), [Started("one", "tiny"), Piece("x"), Ended(False, "length")]):
        composing.router.events_of_next = tuple(script)
        answer = composing.summary(stored.id)
        assert answer.outcome is Outcome.ANSWERED
        assert all(sentence.verdict is Verdict.QUOTED for sentence in answer.sentences)


def test_talkative_model_is_cut_at_the_sections_share(composing: World) -> None:
    stored = composing.put(FRENCH)
    said = ("Trente jours de congé.", "La demande est déposée auprès du chef de service.", "L'agent peut prendre.")
    composing.router.events_of_next = tuple(says(" ".join(f"{sentence} [1]" for sentence in said)))
    answer = composing.summary(stored.id, sentences=3)
    assert len(answer.sentences) == 3
    assert not answer.incomplete
    assert composing.router.closed == len(composing.router.asked)


def test_reader_who_leaves_ends_the_summary(composing: World) -> None:
    stored = composing.put(FRENCH)
    composing.router.events_of_next = tuple(says("Trente jours de congé. [1]"))
    left = False
    events = composing.summaries.stream(stored.id, READER, stopped=lambda: left)
    assert isinstance(next(events), EvidenceReady)
    left = True
    assert list(events) == []
    assert composing.records()[-1][1]["outcome"] == "interrupted"


def test_long_document_is_bounded_in_what_a_model_reads(composing: World) -> None:
    article = "Le service doit répondre à la demande de congé en trente jours au plus. " * 60
    stored = composing.put("".join(f"Article {n} – Règle\n\n{article}\n\n" for n in range(1, 30)))
    composing.router.events_of_next = tuple(says("Le service doit répondre. [1]"))
    composing.summary(stored.id, sentences=6)
    assert len(composing.router.asked) <= 6
    assert all(len(messages[1].text) < 12_000 for messages, _ in composing.router.asked)


def test_superseded_text_is_not_quoted(world: World) -> None:
    stored = world.put(FRENCH)
    world.archive.put(replace(stored, version="v2", text="Rien."))
    world.archive.keep_only(stored.id, "v2")
    answer = world.summary(stored.id)
    assert (answer.sentences, answer.outcome) == ((), Outcome.NO_EVIDENCE)
