from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Principal
from assistant.answering import (
    MAX_QUESTION_CHARS,
    NO_EVIDENCE_IN_SCOPE_TEXT,
    NO_EVIDENCE_TEXT,
    OUTSIDE_SCOPE_TEXT,
    Assistant,
)
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.errors import AuditUnavailable, InvalidRequest
from assistant.scope import Scope
from assistant.types import (
    LANGUAGES,
    AnswerReady,
    Draft,
    Evidence,
    EvidenceReady,
    Outcome,
    ScoredPassage,
    SentenceReady,
    Span,
    TextOrigin,
)
from tests.worlds import INTERNAL, document, passage_of, reader

ABROAD = "الأجل ثلاثون يوما."
TEXT = "Le délai est de trente jours. La demande est adressée à la mairie."


class Fixed:
    """Evidence that is what the test says: one passage, sufficient or not."""

    def __init__(self, passages: tuple[ScoredPassage, ...], *, enough: bool = True) -> None:
        self.passages, self.enough = passages, enough
        self.out_of_reach: tuple[str, ...] = ()
        self.near = False
        self.abroad: tuple[ScoredPassage, ...] = ()
        self.in_scope = True

    def evidence(
        self, question: str, language: str | None, principal: Principal, *, k: int, scope: Scope = Scope.everything
    ) -> Evidence:
        if scope and not self.in_scope:
            return Evidence(question, language or "fr", ())
        return Evidence(question, language or "fr", self.passages, {}, 1.0, out_of_reach=self.out_of_reach)

    def sufficient(self, evidence: Evidence) -> bool:
        return self.enough and bool(evidence.passages)

    def promising(self, evidence: Evidence) -> bool:
        return self.near and bool(evidence.passages)

    def in_other_languages(
        self, evidence: Evidence, principal: Principal, *, scope: Scope = Scope.everything
    ) -> tuple[ScoredPassage, ...]:
        return self.abroad


class Scripted:
    """Proposes exactly the drafts it was given."""

    name, prompt_version = "scripted", "test"

    def __init__(self, *drafts: Draft) -> None:
        self._drafts = drafts

    def drafts(self, evidence: Evidence) -> Iterator[Draft]:
        yield from self._drafts


class World:
    def __init__(self, folder: Path, *drafts_of: tuple[str, int, int], enough: bool = True) -> None:
        self.archive, self.audit = Archive(folder / "archive"), AuditLog(folder / "audit.db")
        stored = document(TEXT, pages=1, label=INTERNAL)
        self.archive.put(stored)
        self.passage = passage_of(stored)
        drafts = [Draft(text, self.passage, Span(start, end)) for text, start, end in drafts_of]
        self.found = Fixed((ScoredPassage(self.passage, 1.0, 1, "hybrid"),), enough=enough)
        self.drafts = drafts
        self.assistant = Assistant(self.found, self.archive, Scripted(*drafts), self.audit)

    def with_one_abroad(self) -> None:
        """An Arabic document is near as well, and its first sentence is nearest."""
        stored = document(ABROAD, name="abroad", pages=1, label=INTERNAL, language="ar")
        self.archive.put(stored)
        passage = passage_of(stored)
        self.found.abroad = (ScoredPassage(passage, 0.9, 1, "dense"),)
        picks = Scripted(Draft(ABROAD, passage, Span(0, len(ABROAD))))
        self.assistant = Assistant(self.found, self.archive, Scripted(*self.drafts), self.audit, abroad=picks)


FIRST = ("Le délai est de trente jours.", 0, 29)
SECOND = ("La demande est adressée à la mairie.", 30, len(TEXT))
FORGED = ("Le délai est de soixante jours.", 0, 29)


def test_events_come_in_order_and_the_answer_last(tmp_path: Path) -> None:
    events = list(World(tmp_path, FIRST, SECOND).assistant.stream("Quel délai ?", reader("internal")))
    assert [type(event) for event in events] == [EvidenceReady, SentenceReady, SentenceReady, AnswerReady]


def test_every_marker_resolves_to_a_citation_with_the_stored_words(tmp_path: Path) -> None:
    answer = World(tmp_path, FIRST, SECOND).assistant.ask("Quel délai ?", reader("internal"))
    assert answer.outcome is Outcome.ANSWERED
    cited = {citation.marker: citation for citation in answer.citations}
    for sentence in answer.sentences:
        for marker in sentence.markers:
            assert TEXT[cited[marker].span.start : cited[marker].span.end] == cited[marker].quote
            assert cited[marker].page_number == 1
    assert answer.label == "internal"


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "OCR avec une confiance de 62 %"), ("ar", "62٪"), ("en", "OCR with 62 % confidence")]
)
def test_answer_that_rests_on_a_doubtful_scan_says_so(tmp_path: Path, language: str, words: str) -> None:
    world = World(tmp_path, FIRST, SECOND)
    stored = document(TEXT, pages=1, label=INTERNAL)
    for origin, confidence, noted in (
        (TextOrigin.OCR, 0.62, 2),
        (TextOrigin.OCR, 0.7, 0),
        (TextOrigin.CORRECTED, 1.0, 0),
        (TextOrigin.TEXT_LAYER, 1.0, 0),
    ):
        page = replace(stored.pages[0], origin=origin, confidence=confidence)
        world.archive.put(replace(stored, pages=(page,)))
        answer = world.assistant.ask("Quel délai ?", reader("internal"), language=language)
        assert len(answer.notes) == noted
        assert all(words in note for note in answer.notes)
        assert {(c.origin, c.confidence) for c in answer.citations} == {(origin, confidence)}


@pytest.mark.parametrize(
    ("language", "note"),
    [
        (
            "fr",
            "Les sources [1] (12 mars 2024) et [2] (sans date) ne disent pas la même chose\u00a0: vérifiez laquelle s’applique.",
        ),
        ("ar", "لا يتفق المصدران [1] (12 مارس 2024) و[2] (بلا تاريخ)؛ يُرجى التحقق من أيهما يُطبَّق."),
        ("en", "Sources [1] (12 March 2024) and [2] (undated) do not say the same: check which one applies."),
    ],
)
def test_answer_says_that_its_sources_disagree_and_shows_both_dates(tmp_path: Path, language: str, note: str) -> None:
    world = World(tmp_path, FIRST)
    other = replace(document("Le délai est de dix jours.", name="other.txt", label=INTERNAL), date=None)
    world.archive.put(other)
    passage = passage_of(other)
    world.assistant._generator = Scripted(
        Draft(*FIRST[:1], world.passage, Span(0, 29)), Draft(other.text, passage, passage.span)
    )
    assert world.assistant.ask("Quel délai ?", reader("internal"), language=language).notes == (note,)


def test_quote_over_two_pages_has_the_confidence_of_the_worse_one(tmp_path: Path) -> None:
    world = World(tmp_path, (TEXT, 0, len(TEXT)))
    stored = document(TEXT, pages=2, label=INTERNAL)
    scanned = replace(stored.pages[1], origin=TextOrigin.OCR, confidence=0.4)
    world.archive.put(replace(stored, pages=(stored.pages[0], scanned)))
    answer = world.assistant.ask("Quel délai ?", reader("internal"), language="en")
    assert [(c.page_number, c.origin, c.confidence) for c in answer.citations] == [(1, TextOrigin.OCR, 0.4)]
    assert len(answer.notes) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_answer_that_the_scope_kept_back_says_so(tmp_path: Path, language: str) -> None:
    world, scope = World(tmp_path, FIRST), Scope(collections=("RH",))
    assert world.assistant.ask("Quel délai ?", reader("internal"), language=language, scope=scope).citations
    world.found.in_scope = False
    answer = world.assistant.ask("Quel délai ?", reader("internal"), language=language, scope=scope)
    assert (answer.outcome, answer.text) == (Outcome.NO_EVIDENCE, NO_EVIDENCE_IN_SCOPE_TEXT[language])
    assert answer.notes == (OUTSIDE_SCOPE_TEXT[language],)


def test_scope_is_named_as_the_limit_whatever_lies_outside(tmp_path: Path) -> None:
    answer = World(tmp_path, FIRST, enough=False).assistant.ask(
        "Quel délai ?", reader("internal"), language="fr", scope=Scope(date_from="2024-01-01")
    )
    assert (answer.text, answer.notes) == (NO_EVIDENCE_IN_SCOPE_TEXT["fr"], ())


def test_forged_sentence_is_withheld_and_counted(tmp_path: Path) -> None:
    answer = World(tmp_path, FORGED, SECOND).assistant.ask("Quel délai ?", reader("internal"))
    assert [sentence.text for sentence in answer.sentences] == [SECOND[0]]
    assert answer.withheld == 1


def test_nothing_but_forged_sentences_is_no_evidence(tmp_path: Path) -> None:
    answer = World(tmp_path, FORGED).assistant.ask("Quel délai ?", reader("internal"))
    assert (answer.outcome, answer.citations) == (Outcome.NO_EVIDENCE, ())


def test_abstention_leads_to_what_comes_near_and_states_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, FORGED, SECOND, FIRST, FIRST, enough=False)
    world.found.near = True
    answer = world.assistant.ask("Quel délai ?", reader("internal"), language="fr")
    assert (answer.outcome, answer.text, answer.sentences) == (Outcome.NO_EVIDENCE, NO_EVIDENCE_TEXT["fr"], ())
    assert [(lead.text, lead.markers) for lead in answer.leads] == [(SECOND[0], (1,)), (FIRST[0], (2,))], "none forged"
    assert [(each.marker, each.quote) for each in answer.citations] == [(1, SECOND[0]), (2, FIRST[0])]
    assert (answer.stated, answer.label, answer.withheld) == ((), "internal", 0)
    row = world.audit._database.connection().execute("SELECT body FROM entries ORDER BY number DESC").fetchone()
    assert world.passage.id in row["body"]


def test_abstention_leads_nowhere_the_reader_may_not_go(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST, enough=False)
    world.found.near = True
    answer = world.assistant.ask("Quel délai ?", reader("public"))
    assert (answer.leads, answer.citations, answer.label) == ((), (), "public")


def test_abstention_far_from_everything_and_an_answer_lead_nowhere(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST, enough=False)
    assert world.assistant.ask("Quel délai ?", reader("internal")).leads == ()
    world.found.near = world.found.enough = True
    assert world.assistant.ask("Quel délai ?", reader("internal")).leads == ()


def test_abstention_leads_to_other_languages_after_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST, enough=False)
    world.with_one_abroad()
    world.found.near = True
    answer = world.assistant.ask("Quel délai ?", reader("internal"), language="fr")
    assert (answer.outcome, answer.sentences) == (Outcome.NO_EVIDENCE, ())
    assert [(lead.text, lead.markers) for lead in answer.leads] == [(FIRST[0], (1,)), (ABROAD, (2,))]
    assert [citation.language for citation in answer.citations] == ["fr", "ar"]
    world.found.near = False
    alone = world.assistant.ask("Quel délai ?", reader("internal"), language="fr")
    assert [lead.text for lead in alone.leads] == [ABROAD]


def test_an_answer_and_a_hidden_document_lead_to_no_other_language(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST)
    world.with_one_abroad()
    assert world.assistant.ask("Quel délai ?", reader("internal")).leads == ()
    world.found.enough = False
    assert world.assistant.ask("Quel délai ?", reader("public")).leads == ()


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_abstention_speaks_the_language_of_the_question(tmp_path: Path, language: str) -> None:
    answer = World(tmp_path, FIRST, enough=False).assistant.ask("Quel délai ?", reader("internal"), language=language)
    assert (answer.outcome, answer.text) == (Outcome.NO_EVIDENCE, NO_EVIDENCE_TEXT[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_abstention_says_which_languages_the_question_does_not_reach(tmp_path: Path, language: str) -> None:
    world = World(tmp_path, FIRST, enough=False)
    others = [other for other in LANGUAGES if other != language]
    told = set()
    for unreached in ((), *((other,) for other in others), tuple(others)):
        world.found.out_of_reach = unreached
        notes = world.assistant.ask("Quel délai ?", reader("internal"), language=language).notes
        assert len(notes) == bool(unreached)
        told.update(notes)
    assert len(told) == 3
    world.found.enough = True
    assert world.assistant.ask("Quel délai ?", reader("internal"), language=language).notes == ()


def test_passage_that_the_archive_withholds_is_withheld(tmp_path: Path) -> None:
    """Even a wrong index shows nothing: the archive checks the reader again."""
    answer = World(tmp_path, FIRST).assistant.ask("Quel délai ?", reader("public"))
    assert (answer.outcome, answer.citations, answer.withheld) == (Outcome.NO_EVIDENCE, (), 1)


def test_document_removed_between_search_and_answer_is_not_shown(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST)
    world.archive.remove(world.passage.document_id, version=world.passage.version)
    assert world.assistant.ask("Quel délai ?", reader("internal")).outcome is Outcome.NO_EVIDENCE


def test_no_record_no_answer(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST)
    world.audit.close()
    (tmp_path / "audit.db").unlink()
    (tmp_path / "audit.db").mkdir()
    with pytest.raises(AuditUnavailable):
        next(world.assistant.stream("Quel délai ?", reader("internal")))


def test_every_answer_opens_and_closes_a_record(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST)
    world.assistant.ask("Quel délai ?", reader("internal"))
    check = world.audit.verify()
    assert (check.entries, check.open_records) == (2, 0)


def test_abandoned_answer_closes_its_record(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST, SECOND)
    events = world.assistant.stream("Quel délai ?", reader("internal"))
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert world.audit.verify().open_records == 0


def test_question_is_not_written_into_the_record(tmp_path: Path) -> None:
    world = World(tmp_path, FIRST)
    world.assistant.ask("Où est zyzomys ?", reader("internal"))
    world.audit.close()
    assert b"zyzomys" not in (tmp_path / "audit.db").read_bytes()


@pytest.mark.parametrize("question", ["", "  \n", "x" * (MAX_QUESTION_CHARS + 1)])
def test_unusable_question_is_refused_with_a_reason(tmp_path: Path, question: str) -> None:
    with pytest.raises(InvalidRequest):
        World(tmp_path, FIRST).assistant.ask(question, reader("internal"))
