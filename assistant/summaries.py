"""A document summed up, section by section: by a model, every sentence checked, or by its own central sentences, quoted.

    audit record opened → the document's passages → sections → for each: composed by a model where there is one, quoted where
    there is none or nothing that it said held → audit record closed

The events are those of an answer and come as each section is done, so a document of five hundred pages begins to be summed up at
once. However long it is, a model is asked at most once for each of a bounded number of sections, and reads of each no more than
the passages that hold its central sentences. Rights are those of an answer: whoever may not read the document gets what somebody
gets who asks for one that does not exist.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from assistant.access import Principal, join_labels
from assistant.answer_text import answer_text
from assistant.answering import closing_of, doubtful_pages, outcome_of, shown
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.central import CentralSentences, Section, Terms, sections
from assistant.citing import Released
from assistant.errors import InvalidRequest
from assistant.generation import QuoteGenerator
from assistant.index import PassageIndex
from assistant.model_answers import Composer, Course
from assistant.precedence import QUESTIONS
from assistant.types import (
    LANGUAGES,
    Answer,
    AnswerEvent,
    AnswerReady,
    Evidence,
    EvidenceReady,
    Passage,
    ScoredPassage,
)

PROMPTS = Path(__file__).parent / "prompts" / "summary.toml"
"""What a model is told that sums up a section."""
FEWEST, MOST = 3, 40
_PASSAGES = 8
"""Passages of a section that a model reads."""

NOTHING_TO_SUM_UP = {
    "fr": "Ce document ne contient aucune phrase qui puisse le résumer.",
    "ar": "لا تتضمن هذه الوثيقة أي جملة يمكن أن تلخصها.",
    "en": "This document has no sentence that could sum it up.",
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One summary on its way."""

    answer_id: str
    document_id: str
    sentences: int
    language: str | None
    """None for that of the document."""
    principal: Principal
    stopped: Callable[[], bool]


def _never() -> bool:
    return False


class Summaries:
    """Sums documents up. With a `composer` a model does, and quotations stand where it fails."""

    def __init__(
        self,
        index: PassageIndex,
        archive: Archive,
        audit: AuditLog,
        terms: Terms,
        *,
        composer: Composer | None = None,
        ocr_confidence: float = 0.7,
    ) -> None:
        self._index = index
        self._archive = archive
        self._audit = audit
        self._terms = terms
        self._composer = composer
        self._ocr_confidence = ocr_confidence

    def stream(
        self,
        document_id: str,
        principal: Principal,
        *,
        sentences: int = 12,
        language: str | None = None,
        stopped: Callable[[], bool] = _never,
    ) -> Generator[AnswerEvent, None, None]:
        """The summary in about so many sentences, in the order of the document: `evidence`, sentences, the whole.

        `language` is the one in which a model writes; quotations are in the document's. Raises NotFound for a document that this
        principal may not read, InvalidRequest for an impossible number or language, AuditUnavailable when there can be no record:
        before the first event.
        """
        if not FEWEST <= sentences <= MOST or (language is not None and language not in LANGUAGES):
            raise InvalidRequest(f"ask for {FEWEST} to {MOST} sentences, in one of {', '.join(LANGUAGES)} or in none")
        wanted = _Wanted(str(uuid.uuid4()), document_id, sentences, language, principal, stopped)
        self._audit.begin(wanted.answer_id, "summary", principal, {"document": document_id})
        released, course = Released(self._archive, principal), Course()
        record: dict[str, object] = {"outcome": "interrupted"}
        event: AnswerEvent | None = None
        try:
            for event in self._events(wanted, released, course):
                if isinstance(event, AnswerReady):
                    record = closing_of(event.answer, course)
                    break
                yield event
            else:
                record = {"outcome": "interrupted", **shown(released, course)}
        except GeneratorExit:
            record = {"outcome": "interrupted", **shown(released, course)}
            raise
        except Exception as error:
            record = {"outcome": "failed", "error": type(error).__name__}
            raise
        finally:
            self._audit.close_record(wanted.answer_id, "summary", record)
        if isinstance(event, AnswerReady):
            yield event

    def _events(self, wanted: _Wanted, released: Released, course: Course) -> Iterator[AnswerEvent]:
        began = time.perf_counter()
        with QUESTIONS.answering():
            passages = self._index.document_passages(wanted.document_id, wanted.principal)
            found = sections(passages, wanted.sentences)
            central = CentralSentences(found, self._terms)
        language = wanted.language or passages[0].language
        yield EvidenceReady(wanted.answer_id, language, len(passages), 1)
        composed = False
        for number, share in enumerate(central.shares(wanted.sentences)):
            if wanted.stopped():
                return
            before = len(released.sentences)
            if share and self._composer and not course.unavailable:
                chosen = central.passages_of(found[number], number, _PASSAGES)
                yield from self._composed(found[number], chosen, language, share, released, course, wanted.stopped)
            if len(released.sentences) > before:
                composed = True
            else:
                yield from self._quoted(central, number, share, released)
        timings = {"total": (time.perf_counter() - began) * 1000}
        yield AnswerReady(self._finished(wanted, language, released, course, timings, composed=composed))

    def _composed(
        self,
        section: Section,
        passages: Sequence[Passage],
        language: str,
        sentences: int,
        released: Released,
        course: Course,
        stopped: Callable[[], bool],
    ) -> Iterator[AnswerEvent]:
        """What a model says of a section and its passages support, at most so many sentences of it."""
        assert self._composer is not None
        heading = section.heading or passages[0].title
        scored = tuple(ScoredPassage(passage, 1.0, rank, "bm25") for rank, passage in enumerate(passages, start=1))
        evidence = Evidence(heading, language, scored, support=1.0)
        went = Course()
        before = len(released.sentences)
        label = join_labels(passage.label for passage in passages)
        with closing(self._composer.events(evidence, released, went, stopped, label)) as events:
            for event in events:
                yield event
                if len(released.sentences) - before >= sentences:
                    went.incomplete = False
                    break
        course.failed += went.failed
        course.unavailable = went.unavailable
        course.incomplete = course.incomplete or went.incomplete
        course.prompt_version = went.prompt_version
        course.model, course.endpoint = went.model or course.model, went.endpoint or course.endpoint

    def _quoted(self, central: CentralSentences, number: int, share: int, released: Released) -> Iterator[AnswerEvent]:
        with QUESTIONS.answering():
            events = [released.quote(draft) for draft in central.of(number, share)]
        yield from (event for event in events if event)

    def _finished(
        self,
        wanted: _Wanted,
        language: str,
        released: Released,
        course: Course,
        timings_ms: dict[str, float],
        *,
        composed: bool,
    ) -> Answer:
        fallback = "" if composed or not self._composer else "no_model" if course.unavailable else "not_supported"
        return Answer(
            id=wanted.answer_id,
            question="",
            language=language,
            text=answer_text(released.sentences) if released.sentences else NOTHING_TO_SUM_UP[language],
            sentences=tuple(released.sentences),
            citations=tuple(released.citations),
            outcome=outcome_of(released.sentences),
            model=course.model if composed else QuoteGenerator.name,
            prompt_version=course.prompt_version if composed else QuoteGenerator.prompt_version,
            label=str(join_labels(released.labels)),
            timings_ms={name: round(value, 2) for name, value in timings_ms.items()},
            withheld=released.withheld + course.failed,
            notes=tuple(doubtful_pages(released.citations, language, self._ocr_confidence)),
            incomplete=composed and course.incomplete,
            fallback=fallback,
        )
