"""The one sequence from a question to a checked answer. Every Outcome is decided here.

    audit record opened → evidence found → enough? → sentences composed by a model, where there is one, and quoted → each checked
    against the stored text → released → audit record closed

No principal, no call. No audit record, no answer. Evidence below the calibrated threshold: NO_EVIDENCE, in words that are the
same whether nothing exists or nothing is visible, and no model is asked. Quotations are the floor: they take the place of what a
model could not say, or said without support.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from assistant.access import Label, Level, Principal, join_labels
from assistant.agreement import disagreements
from assistant.answer_text import answer_text
from assistant.archive import Archive
from assistant.audit import AuditLog, text_digest
from assistant.citing import Released
from assistant.dates import written_date
from assistant.errors import InvalidRequest
from assistant.generation import Generator as Quoter
from assistant.language import detect_language
from assistant.model_answers import Composer, Course
from assistant.precedence import QUESTIONS
from assistant.remarks import is_remark
from assistant.scope import Scope
from assistant.types import (
    LANGUAGES,
    Answer,
    AnswerEvent,
    AnswerReady,
    Citation,
    Evidence,
    EvidenceReady,
    Outcome,
    ScoredPassage,
    Sentence,
    TextOrigin,
    Verdict,
)

MAX_QUESTION_CHARS = 2000
OWN_WORDS = Label(Level.PUBLIC)
"""Of a question that says nothing but what its reader typed: that is the reader's to send."""
_MOST_ADDED = 3
"""Quotations that may stand in for composed sentences which nothing supports."""
_PAGES_LED_TO = 3
"""Pages to look at where there is no answer, and of each other language one."""

NO_EVIDENCE_TEXT = {
    "fr": "Je n’ai trouvé, dans les documents que vous pouvez consulter, aucun passage qui réponde à cette question.",
    "ar": "لم أجد في الوثائق المتاحة لكم أي مقطع يجيب عن هذا السؤال.",
    "en": "I found no passage that answers this question in the documents you may read.",
}

NO_EVIDENCE_IN_SCOPE_TEXT = {
    "fr": "Je n’ai trouvé aucun passage qui réponde à cette question dans les documents auxquels vous avez limité la recherche.",
    "ar": "لم أجد أي مقطع يجيب عن هذا السؤال في الوثائق التي حصرتم البحث فيها.",
    "en": "I found no passage that answers this question in the documents to which you limited the search.",
}
"""Said whenever a scope was set, whatever is in it: it tells of the reader's own choice and of nothing else."""

REMARK_TEXT = {
    "fr": "Je réponds seulement aux questions sur les documents. Pour vérifier une réponse, ouvrez les sources numérotées ; "
    "pour la préciser, posez une nouvelle question.",
    "ar": "أجيب فقط عن الأسئلة المتعلقة بالوثائق. للتحقق من جواب افتحوا المصادر المرقمة، ولتوضيحه اطرحوا سؤالا جديدا.",
    "en": "I only answer questions about the documents. To check an answer, open its numbered sources; to make it more exact, "
    "ask a new question.",
}
"""Said to thanks, to "are you sure?", and to what else asks nothing of the documents."""

OUTSIDE_SCOPE_TEXT = {
    "fr": "D’autres documents que vous pouvez consulter semblent y répondre : posez la question sans limite.",
    "ar": "يبدو أن وثائق أخرى متاحة لكم تجيب عنه؛ اطرحوا السؤال دون حصر.",
    "en": "Other documents that you may read seem to answer it: ask without the limit.",
}

DOUBTFUL_PAGE_TEXT = {
    "fr": "La source [{marker}] a été lue par OCR avec une confiance de {percent} % : vérifiez-la sur la page.",
    "ar": "قُرئ المصدر [{marker}] آليًا (OCR) بدرجة ثقة {percent}٪؛ يُرجى التحقق منه على الصفحة.",
    "en": "Source [{marker}] was read by OCR with {percent} % confidence: check it on the page.",
}


DISAGREEMENT_TEXT = {
    "fr": "Les sources [{first}] ({first_date}) et [{second}] ({second_date}) ne disent pas la même chose : "
    "vérifiez laquelle s’applique.",
    "ar": "لا يتفق المصدران [{first}] ({first_date}) و[{second}] ({second_date})؛ يُرجى التحقق من أيهما يُطبَّق.",
    "en": "Sources [{first}] ({first_date}) and [{second}] ({second_date}) do not say the same: check which one applies.",
}
UNREACHED_TEXT = {
    "fr": "Les documents {languages} ne sont trouvés que par les mots qu’ils ont en commun avec la question : "
    "posez-la aussi {languages}.",
    "ar": "الوثائق المكتوبة {languages} لا يُعثر عليها إلا بالكلمات المشتركة مع السؤال؛ اطرحوه {languages} أيضًا.",
    "en": "Documents {languages} are found only by words that they share with the question: ask it {languages} as well.",
}
_IN_LANGUAGE = {
    "fr": {"ar": "en arabe", "en": "en anglais", "or": " ou "},
    "ar": {"fr": "بالفرنسية", "en": "بالإنجليزية", "or": " أو "},
    "en": {"fr": "in French", "ar": "in Arabic", "or": " or "},
}
UNDATED = {"fr": "sans date", "ar": "بلا تاريخ", "en": "undated"}


class EvidenceSource(Protocol):
    """What answering needs of retrieval."""

    def evidence(
        self, question: str, language: str | None, principal: Principal, *, k: int, scope: Scope = Scope.everything
    ) -> Evidence:
        """The passages in the scope that may answer the question, best first, with their support."""
        ...

    def sufficient(self, evidence: Evidence) -> bool:
        """True when the evidence's support reaches the calibrated threshold of its language."""
        ...

    def promising(self, evidence: Evidence) -> bool:
        """True when it comes near enough to that threshold to be worth a look."""
        ...

    def in_other_languages(
        self, evidence: Evidence, principal: Principal, *, scope: Scope = Scope.everything
    ) -> tuple[ScoredPassage, ...]:
        """Passages in the scope, of other languages than the question's, that are worth a look as well; nearest first."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question on its way."""

    answer_id: str
    question: str
    searched: str
    """What is searched and answered in its place."""
    searched_label: Label
    language: str
    principal: Principal
    scope: Scope
    stopped: Callable[[], bool]
    """Asked between two steps: true once the reader has left."""


def _never() -> bool:
    return False


class Assistant:
    """Answers questions with checked sentences.

    With a `composer` they are composed by a model, and quotations stand where it fails; without one they are all quotations.
    With `abroad`, which picks sentences of a passage in another language than the question's, silence leads to such ones too.
    """

    def __init__(
        self,
        retriever: EvidenceSource,
        archive: Archive,
        generator: Quoter,
        audit: AuditLog,
        *,
        composer: Composer | None = None,
        abroad: Quoter | None = None,
        passages: int = 12,
        ocr_confidence: float = 0.7,
    ) -> None:
        self._retriever = retriever
        self._archive = archive
        self._generator = generator
        self._audit = audit
        self._composer = composer
        self._abroad = abroad
        self._passages = passages
        self._ocr_confidence = ocr_confidence

    def ask(
        self,
        question: str,
        principal: Principal,
        *,
        language: str | None = None,
        searched: str | None = None,
        scope: Scope | None = None,
    ) -> Answer:
        """The finished answer. Raises what `stream` raises."""
        *_, last = self.stream(question, principal, language=language, searched=searched, scope=scope)
        assert isinstance(last, AnswerReady)
        return last.answer

    def stream(
        self,
        question: str,
        principal: Principal,
        *,
        language: str | None = None,
        searched: str | None = None,
        searched_label: Label = OWN_WORDS,
        scope: Scope | None = None,
        stopped: Callable[[], bool] = _never,
    ) -> Generator[AnswerEvent, None, None]:
        """Evidence, then checked sentences, then the whole answer; from the documents in `scope` alone.

        `searched` is the question as it is to be searched and answered, where it was rewritten, and `searched_label` that of the
        documents whose words went into it: the answer's label, and who may be sent the question, heed it as well.

        Once `stopped` is true, whatever the reader's thread is waiting for is given up, the model's connection included, and the
        stream ends without an answer; closing it does the same. Raises InvalidRequest for an empty or overlong question or an
        unknown language, AuditUnavailable when the record cannot be written: before the first event when it cannot be opened.
        """
        question = _valid_question(question, language)
        searched = _valid_question(searched, language) if searched else question
        spoken = language or detect_language(searched)
        limit = scope or Scope.everything
        asked = _Asked(str(uuid.uuid4()), question, searched, searched_label, spoken, principal, limit, stopped)
        about = {"question_sha256": text_digest(question), "characters": len(question), "language": spoken}
        if searched != question:
            about["searched_sha256"] = text_digest(searched)
        if scope:
            about["scope_sha256"] = text_digest(json.dumps(scope.to_json(), sort_keys=True))
        self._audit.begin(asked.answer_id, "answer", principal, about)
        released, course = Released(self._archive, principal), Course()
        closing: dict[str, object] = {"outcome": "interrupted"}
        event: AnswerEvent | None = None
        try:
            for event in self._events(asked, released, course):
                if isinstance(event, AnswerReady):
                    closing = closing_of(event.answer, course)
                    break
                yield event
            else:
                closing = {"outcome": "interrupted", **shown(released, course)}
        except GeneratorExit:
            closing = {"outcome": "interrupted", **shown(released, course)}
            raise
        except Exception as error:
            closing = {"outcome": "failed", "error": type(error).__name__}
            raise
        finally:
            self._audit.close_record(asked.answer_id, "answer", closing)
        if isinstance(event, AnswerReady):
            yield event

    def _events(self, asked: _Asked, released: Released, course: Course) -> Iterator[AnswerEvent]:
        if is_remark(asked.question):
            yield EvidenceReady(asked.answer_id, asked.language, 0, 0)
            yield AnswerReady(_declined(asked, self._generator.name))
            return
        began = time.perf_counter()
        with QUESTIONS.answering():
            evidence = self._evidence(asked, asked.scope)
            enough = self._retriever.sufficient(evidence)
        found = time.perf_counter()
        documents = len({scored.passage.document_id for scored in evidence.passages})
        yield EvidenceReady(asked.answer_id, asked.language, len(evidence.passages), documents)
        if enough and self._composer:
            yield from self._composer.events(evidence, released, course, asked.stopped, asked.searched_label)
        if asked.stopped():
            return
        composed = len(released.sentences)
        if enough:
            yield from self._quotations(evidence, released, course)
        leads = () if released.sentences else self._leads(asked, evidence, released)
        elsewhere = not released.sentences and self._answered_elsewhere(asked)
        timings = {"search": (found - began) * 1000, "total": (time.perf_counter() - began) * 1000}
        if course.first_sentence_at is not None:
            timings["first_sentence"] = (course.first_sentence_at - began) * 1000
        yield AnswerReady(
            self._finished(
                asked, evidence, released, course, timings, leads, composed=composed > 0, elsewhere=elsewhere
            )
        )

    def _evidence(self, asked: _Asked, scope: Scope) -> Evidence:
        return self._retriever.evidence(asked.searched, asked.language, asked.principal, k=self._passages, scope=scope)

    def _answered_elsewhere(self, asked: _Asked) -> bool:
        """True when the scope alone keeps back what would be answered to this reader."""
        if not asked.scope:
            return False
        with QUESTIONS.answering():
            return self._retriever.sufficient(self._evidence(asked, Scope.everything))

    def _quotations(self, evidence: Evidence, released: Released, course: Course) -> Iterator[AnswerEvent]:
        """All quotations when nothing else was said; else those that stand in for what was not supported or not said."""
        with QUESTIONS.answering():
            if not released.sentences:
                events = [released.quote(draft) for draft in self._generator.drafts(evidence)]
            else:
                wanted = _MOST_ADDED if course.unavailable else min(course.failed, _MOST_ADDED)
                new = (draft for draft in self._generator.drafts(evidence) if not released.covers(draft))
                events = [released.quote(draft) for draft in islice(new, wanted)]
        yield from (event for event in events if event)

    def _leads(self, asked: _Asked, evidence: Evidence, released: Released) -> tuple[Sentence, ...]:
        """Where to look when nothing was said: readers find there most of what is wrongly kept silent about."""
        leads: tuple[Sentence, ...] = ()
        with QUESTIONS.answering():
            if self._retriever.promising(evidence):
                leads = released.leads(self._generator.drafts(evidence), _PAGES_LED_TO)
            if self._abroad:
                for scored in self._retriever.in_other_languages(evidence, asked.principal, scope=asked.scope):
                    drafts = self._abroad.drafts(replace(evidence, passages=(scored,)))
                    leads += released.leads((draft for draft in drafts if not released.covers(draft)), 1)
        return leads

    def _finished(
        self,
        asked: _Asked,
        evidence: Evidence,
        released: Released,
        course: Course,
        timings_ms: dict[str, float],
        leads: tuple[Sentence, ...],
        *,
        composed: bool,
        elsewhere: bool,
    ) -> Answer:
        answered = bool(released.sentences)
        return Answer(
            id=asked.answer_id,
            question=asked.question,
            language=asked.language,
            text=answer_text(released.sentences) if answered else _no_evidence(asked),
            sentences=tuple(released.sentences),
            citations=tuple(released.citations),
            outcome=outcome_of(released.sentences),
            model=course.model if composed else self._generator.name,
            prompt_version=course.prompt_version if composed else self._generator.prompt_version,
            label=str(join_labels({*released.labels, asked.searched_label})),
            timings_ms={name: round(value, 2) for name, value in timings_ms.items()},
            withheld=released.withheld + course.failed,
            notes=(
                *(_disagreements(asked.searched, released.citations, asked.language) if answered else []),
                *doubtful_pages(released.citations, asked.language, self._ocr_confidence),
                *([] if answered else _unreached(evidence.out_of_reach, asked.language)),
                *([OUTSIDE_SCOPE_TEXT[asked.language]] if elsewhere else []),
            ),
            searched=asked.searched,
            incomplete=composed and course.incomplete,
            fallback="" if composed or not course.prompt_version else course.why_quoted,
            leads=leads,
        )


def _declined(asked: _Asked, model: str) -> Answer:
    return Answer(
        id=asked.answer_id,
        question=asked.question,
        language=asked.language,
        text=REMARK_TEXT[asked.language],
        sentences=(),
        citations=(),
        outcome=Outcome.DECLINED,
        model=model,
        prompt_version="",
        label=str(OWN_WORDS),
        timings_ms={},
        searched=asked.question,
    )


def _no_evidence(asked: _Asked) -> str:
    return (NO_EVIDENCE_IN_SCOPE_TEXT if asked.scope else NO_EVIDENCE_TEXT)[asked.language]


def outcome_of(sentences: Sequence[Sentence]) -> Outcome:
    """How an answer of these sentences ended."""
    if not sentences:
        return Outcome.NO_EVIDENCE
    partly = all(sentence.verdict is Verdict.PARTLY_SUPPORTED for sentence in sentences)
    return Outcome.PARTLY_SUPPORTED if partly else Outcome.ANSWERED


def _disagreements(question: str, citations: Sequence[Citation], language: str) -> Iterator[str]:
    """A sentence for each two documents that answer with different values."""
    for first, second in disagreements(question, citations):
        one, other = citations[first], citations[second]
        yield DISAGREEMENT_TEXT[language].format(
            first=one.marker,
            first_date=_day(one, language),
            second=other.marker,
            second_date=_day(other, language),
        )


def _day(citation: Citation, language: str) -> str:
    return written_date(citation.date, language) if citation.date else UNDATED[language]


def _unreached(languages: Sequence[str], language: str) -> Iterator[str]:
    """That documents in these languages are found by shared words at most; nothing when there are none."""
    if languages:
        names = _IN_LANGUAGE[language]
        yield UNREACHED_TEXT[language].format(languages=names["or"].join(names[other] for other in languages))


def doubtful_pages(citations: Iterable[Citation], language: str, limit: float) -> Iterator[str]:
    """A sentence for each citation of a page that OCR read with less confidence than `limit`."""
    for citation in citations:
        if citation.origin is TextOrigin.OCR and citation.confidence < limit:
            yield DOUBTFUL_PAGE_TEXT[language].format(marker=citation.marker, percent=round(citation.confidence * 100))


def _valid_question(question: str, language: str | None) -> str:
    question = question.strip()
    if not question:
        raise InvalidRequest("the question is empty")
    if len(question) > MAX_QUESTION_CHARS:
        raise InvalidRequest(f"the question has {len(question)} characters; at most {MAX_QUESTION_CHARS} are read")
    if language is not None and language not in LANGUAGES:
        raise InvalidRequest(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    return question


def closing_of(answer: Answer, course: Course) -> dict[str, object]:
    """What the record of a finished answer is closed with."""
    return (
        {
            "outcome": answer.outcome.value,
            "label": answer.label,
            "model": answer.model,
            "prompt_version": answer.prompt_version,
            "answer_sha256": text_digest(answer.text),
            "passages": sorted({citation.passage_id for citation in answer.citations}),
            "withheld": answer.withheld,
            **_told(course),
        }
        | ({"fallback": answer.fallback} if answer.fallback else {})
        | ({"incomplete": True} if answer.incomplete else {})
    )


def shown(released: Released, course: Course) -> dict[str, object]:
    """What a reader who left had been shown."""
    return {
        "label": str(join_labels(released.labels)),
        "passages": sorted({citation.passage_id for citation in released.citations}),
        "withheld": released.withheld + course.failed,
        **_told(course),
    }


def _told(course: Course) -> dict[str, object]:
    """Which model was asked, where one was."""
    return {"asked_model": course.model, "endpoint": course.endpoint} if course.endpoint else {}
