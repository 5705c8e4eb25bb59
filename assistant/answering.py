"""The one sequence from a question to a checked answer. Every Outcome is decided here.

    audit record opened → evidence found → enough? → sentences drafted → each checked against the stored text → released →
    audit record closed

No principal, no call. No audit record, no answer. Evidence below the calibrated threshold: NO_EVIDENCE, in words that are the
same whether nothing exists or nothing is visible.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from assistant.access import Label, Principal, join_labels
from assistant.agreement import disagreements
from assistant.archive import Archive
from assistant.audit import AuditLog, text_digest
from assistant.dates import written_date
from assistant.errors import InvalidRequest, NotFound
from assistant.generation import Generator
from assistant.grounding import check_quotation
from assistant.language import detect_language
from assistant.precedence import QUESTIONS
from assistant.types import (
    LANGUAGES,
    Answer,
    AnswerEvent,
    AnswerReady,
    Citation,
    Document,
    Draft,
    Evidence,
    EvidenceReady,
    Outcome,
    Sentence,
    SentenceReady,
    TextOrigin,
    Verdict,
)

MAX_QUESTION_CHARS = 2000

NO_EVIDENCE_TEXT = {
    "fr": "Je n’ai trouvé, dans les documents que vous pouvez consulter, aucun passage qui réponde à cette question.",
    "ar": "لم أجد في الوثائق المتاحة لكم أي مقطع يجيب عن هذا السؤال.",
    "en": "I found no passage that answers this question in the documents you may read.",
}

DOUBTFUL_PAGE_TEXT = {
    "fr": "La source [{marker}] a été lue par OCR avec une confiance de {percent} % : vérifiez-la sur la page.",
    "ar": "قُرئ المصدر [{marker}] آليًا (OCR) بدرجة ثقة {percent}٪؛ يُرجى التحقق منه على الصفحة.",
    "en": "Source [{marker}] was read by OCR with {percent} % confidence: check it on the page.",
}


DISAGREEMENT_TEXT = {
    "fr": "Les sources [{first}] ({first_date}) et [{second}] ({second_date}) ne disent pas la même chose : "
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

    def evidence(self, question: str, language: str | None, principal: Principal, *, k: int) -> Evidence:
        """The passages that may answer the question, best first, with their support."""
        ...

    def sufficient(self, evidence: Evidence) -> bool:
        """True when the evidence's support reaches the calibrated threshold of its language."""
        ...


@dataclass
class _Progress:
    """What has been released so far for one question."""

    principal: Principal
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    labels: set[Label] = field(default_factory=set)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    withheld: int = 0
    unreached: tuple[str, ...] = ()
    """Languages of documents that the question finds only by shared words."""


class Assistant:
    """Answers questions with checked sentences."""

    def __init__(
        self,
        retriever: EvidenceSource,
        archive: Archive,
        generator: Generator,
        audit: AuditLog,
        *,
        passages: int = 12,
        ocr_confidence: float = 0.7,
    ) -> None:
        self._retriever = retriever
        self._archive = archive
        self._generator = generator
        self._audit = audit
        self._passages = passages
        self._ocr_confidence = ocr_confidence

    def ask(self, question: str, principal: Principal, *, language: str | None = None) -> Answer:
        """The finished answer. Raises what `stream` raises."""
        *_, last = self.stream(question, principal, language=language)
        assert isinstance(last, AnswerReady)
        return last.answer

    def stream(self, question: str, principal: Principal, *, language: str | None = None) -> Iterator[AnswerEvent]:
        """Evidence, then checked sentences, then the whole answer.

        Raises InvalidRequest for an empty or overlong question or an unknown language, AuditUnavailable when the record
        cannot be written: before the first event when it cannot be opened.
        """
        question = _valid_question(question, language)
        answer_id = str(uuid.uuid4())
        spoken = language or detect_language(question)
        about = {"question_sha256": text_digest(question), "characters": len(question), "language": spoken}
        self._audit.begin(answer_id, "answer", principal, about)
        closing: dict[str, object] = {"outcome": "interrupted"}
        try:
            with QUESTIONS.answering():
                for event in self._events(answer_id, question, spoken, principal):
                    if isinstance(event, AnswerReady):
                        closing = _closing(event.answer)
                        break
                    yield event
        except Exception as error:
            closing = {"outcome": "failed", "error": type(error).__name__}
            raise
        finally:
            self._audit.close_record(answer_id, "answer", closing)
        yield event

    def _events(self, answer_id: str, question: str, language: str, principal: Principal) -> Iterator[AnswerEvent]:
        began = time.perf_counter()
        evidence = self._retriever.evidence(question, language, principal, k=self._passages)
        searched = time.perf_counter()
        documents = len({scored.passage.document_id for scored in evidence.passages})
        yield EvidenceReady(answer_id, language, len(evidence.passages), documents)
        progress = _Progress(principal, unreached=evidence.out_of_reach)
        if self._retriever.sufficient(evidence):
            for draft in self._generator.drafts(evidence):
                event = self._checked(draft, progress)
                if event:
                    yield event
        ended = time.perf_counter()
        timings = {"search": (searched - began) * 1000, "total": (ended - began) * 1000}
        yield AnswerReady(self._finished(answer_id, question, language, progress, timings))

    def _checked(self, draft: Draft, progress: _Progress) -> SentenceReady | None:
        """The sentence with its citation when the check holds; None, and one more withheld, when it does not."""
        document = self._stored_document(draft, progress)
        verdict = check_quotation(draft, document) if document else Verdict.UNSUPPORTED
        if document is None or verdict is Verdict.UNSUPPORTED:
            progress.withheld += 1
            return None
        citation = self._citation(draft, document, verdict, progress)
        sentence = Sentence(draft.text, (citation.marker,), verdict)
        progress.citations.append(citation)
        progress.sentences.append(sentence)
        progress.labels.add(draft.passage.label)
        return SentenceReady(sentence, (citation,))

    def _stored_document(self, draft: Draft, progress: _Progress) -> Document | None:
        """The stored version that the passage came from; None when it was removed between search and answer."""
        key = (draft.passage.document_id, draft.passage.version)
        if key not in progress.documents:
            try:
                progress.documents[key] = self._archive.document(key[0], progress.principal, version=key[1])
            except NotFound:
                return None
        return progress.documents[key]

    def _citation(self, draft: Draft, document: Document, verdict: Verdict, progress: _Progress) -> Citation:
        boxes = self._archive.boxes(document, draft.span, progress.principal)
        pages = [page for page in document.pages if page.span.overlaps(draft.span)]
        weakest = min(pages, key=lambda page: page.confidence, default=None)
        return Citation(
            marker=len(progress.citations) + 1,
            passage_id=draft.passage.id,
            document_id=document.id,
            version=document.version,
            title=document.title,
            file_name=document.file_name,
            page_number=pages[0].number if pages else None,
            span=draft.span,
            quote=document.text[draft.span.start : draft.span.end],
            boxes=boxes,
            verdict=verdict,
            headings=draft.passage.headings,
            date=document.date,
            label=str(document.label),
            origin=weakest.origin if weakest else TextOrigin.TEXT_LAYER,
            confidence=weakest.confidence if weakest else 1.0,
        )

    def _finished(
        self, answer_id: str, question: str, language: str, progress: _Progress, timings_ms: dict[str, float]
    ) -> Answer:
        answered = bool(progress.sentences)
        text = with_markers(progress.sentences)
        return Answer(
            id=answer_id,
            question=question,
            language=language,
            text=text if answered else NO_EVIDENCE_TEXT[language],
            sentences=tuple(progress.sentences),
            citations=tuple(progress.citations),
            outcome=Outcome.ANSWERED if answered else Outcome.NO_EVIDENCE,
            model=self._generator.name,
            prompt_version=self._generator.prompt_version,
            label=str(join_labels(progress.labels)),
            timings_ms={name: round(value, 2) for name, value in timings_ms.items()},
            withheld=progress.withheld,
            notes=(
                *_disagreements(question, progress.citations, language),
                *_doubts(progress.citations, language, self._ocr_confidence),
                *([] if answered else _unreached(progress.unreached, language)),
            ),
        )


def with_markers(sentences: Iterable[Sentence]) -> str:
    """The sentences as one text, each with its markers after it."""
    return " ".join(sentence.text + "".join(f" [{marker}]" for marker in sentence.markers) for sentence in sentences)


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


def _doubts(citations: Iterable[Citation], language: str, limit: float) -> Iterator[str]:
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


def _closing(answer: Answer) -> dict[str, object]:
    return {
        "outcome": answer.outcome.value,
        "label": answer.label,
        "model": answer.model,
        "prompt_version": answer.prompt_version,
        "answer_sha256": text_digest(answer.text),
        "passages": sorted({citation.passage_id for citation in answer.citations}),
        "withheld": answer.withheld,
    }
