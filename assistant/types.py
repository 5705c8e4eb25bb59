"""What crosses module borders: documents, passages, evidence, citations, answers.

All types are frozen. Offsets are 0-based, end-exclusive, in code points of `Document.text`, which is the one string every
span refers to and which is stored unaltered. Page numbers are 1-based. Boxes are fractions of the page, origin at the top
left corner, so that they fit an image of any size.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from assistant.access import Label

PASSAGE_NAMESPACE = uuid.UUID("5f0c4c1e-6a39-4c55-9d0e-8d4f0a3b1c77")
LANGUAGES = ("fr", "ar", "en")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of `Document.text`: 0-based, end exclusive, in code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"span {self.start}:{self.end} runs backwards or starts before the text")

    def __len__(self) -> int:
        return self.end - self.start

    def contains(self, other: Span) -> bool:
        """True when `other` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """True when at least one code point is in both."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle as fractions of its page: 0 ≤ left < right ≤ 1 and 0 ≤ top < bottom ≤ 1, origin at the top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a page: its span in `Document.text` and where it stands."""

    span: Span
    box: Box


CharacterRun = tuple[int, int, int]
"""(start, end, first): the code points `start:end` of `Document.text` are the characters of a PDF page, as pdfium lists them,
from `first` on, one to one."""


class TextOrigin(StrEnum):
    """Where a page's text comes from."""

    TEXT_LAYER = "text layer"
    OCR = "ocr"
    CORRECTED = "corrected"
    """An archivist typed it in place of what was read."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. Pages tile `Document.text` in order, without gap or overlap.

    `width` and `height` are in points (1/72 inch); `confidence` is OCR's mean word confidence from 0 to 1, 1 for a text layer.
    A page of a PDF's text layer comes without `words`, with `runs` instead, one tuple for each piece of a line: the archive
    computes the words from them when the page is first looked at. Whoever changes the text of a page drops both.
    """

    number: int
    span: Span
    width: float
    height: float
    words: tuple[Word, ...] = ()
    origin: TextOrigin = TextOrigin.TEXT_LAYER
    confidence: float = 1.0
    runs: tuple[tuple[CharacterRun, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of structure found by a parser: a heading, a paragraph, a list item, a table row.

    Blocks are in reading order and do not overlap; text between them (line ends, page furniture) belongs to none.
    `heading_level` is 1-based for headings, 0 for everything else.
    """

    span: Span
    kind: BlockKind
    heading_level: int = 0


class BlockKind(StrEnum):
    """What a block is, as far as splitting needs to know."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one document, as its parser read it.

    `pages` is empty for formats that have none; `blocks` may be empty (the splitter then works from the text alone).
    """

    id: str
    version: str
    """SHA-256 of the original bytes, in hex."""
    title: str
    file_name: str
    source: str
    media_type: str
    language: str
    date: str | None
    """ISO 8601 date of the document itself, when known."""
    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    label: Label
    parser: str
    author: str | None = None
    document_type: str | None = None
    """What kind of document it is, in words: "circulaire", "arrêté", "report"."""
    references: tuple[str, ...] = ()
    """Legal references found in the text, as they are written there."""
    collection: str = ""
    """The collection an archivist put it in; empty for none."""
    warnings: tuple[str, ...] = ()
    """What reading it left out or was not sure of, as sentences for archivists."""


def passage_id(document_id: str, version: str, span: Span) -> str:
    """The same passage of the same version always has the same id, so that writing it twice changes nothing."""
    return str(uuid.uuid5(PASSAGE_NAMESPACE, f"{document_id}\n{version}\n{span.start}:{span.end}"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document that is searched and cited: `text == document.text[span.start:span.end]`."""

    id: str
    document_id: str
    version: str
    title: str
    file_name: str
    span: Span
    text: str
    page_numbers: tuple[int, ...]
    """1-based, ascending; empty for formats without pages."""
    headings: tuple[str, ...]
    """Path of headings above the passage, outermost first."""
    label: Label
    language: str
    date: str | None = None
    document_type: str | None = None

    def embedded_text(self) -> str:
        """What the encoder reads: title, heading path, text."""
        return "\n".join((self.title, *self.headings, self.text))


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage in a ranking. `score` is the score of `route` and compares with no other route's."""

    passage: Passage
    score: float
    rank: int
    """1-based."""
    route: str
    """`dense`, `bm25`, `hybrid` or `reranked`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What retrieval hands to generation for one question.

    `term_weights` maps an analysed term to its inverse document frequency among the passages this reader may see.
    `support` is the calibrated probability, from 0 to 1, that the passages answer the question. `preferred` says which documents
    were put first because the question names them, as `year 2023` or `type circular`; empty when nothing was, or nothing fitted.
    `out_of_reach` are the instance's languages whose passages this question finds only by words that they share with it.
    """

    question: str
    language: str
    passages: tuple[ScoredPassage, ...]
    term_weights: dict[int, float] = field(default_factory=dict)
    support: float = 0.0
    preferred: tuple[str, ...] = ()
    out_of_reach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that a generator proposes, and where it says the words stand."""

    text: str
    passage: Passage
    span: Span
    """In code points of the document's text."""


class Verdict(StrEnum):
    """What checking a sentence against its source found."""

    QUOTED = "quoted"
    SUPPORTED = "supported"
    PARTLY_SUPPORTED = "partly supported"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence comes from. `span` lies inside the passage; `quote == document.text[span.start:span.end]`."""

    marker: int
    """1-based; the number the reader sees."""
    passage_id: str
    document_id: str
    version: str
    title: str
    file_name: str
    page_number: int | None
    """1-based page on which the quote starts; None for formats without pages."""
    span: Span
    quote: str
    boxes: tuple[tuple[int, Box], ...]
    """(1-based page number, box) for each line of the quote; empty for formats without pages."""
    verdict: Verdict
    headings: tuple[str, ...] = ()
    date: str | None = None
    label: str = ""
    origin: TextOrigin = TextOrigin.TEXT_LAYER
    confidence: float = 1.0
    """Of the page that was read with least confidence, where the quote reaches over several; so is `origin`."""
    language: str = ""
    """Of the words; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the markers that support it."""

    text: str
    markers: tuple[int, ...]
    verdict: Verdict


class Outcome(StrEnum):
    """How an answer ended. These are expected results, so they are values and not exceptions."""

    ANSWERED = "answered"
    PARTLY_SUPPORTED = "partly_supported"
    NO_EVIDENCE = "no_evidence"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer. Every marker resolves; ANSWERED implies at least one citation that was checked."""

    id: str
    question: str
    language: str
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    """Of the sentences, and of the leads where there are any."""
    outcome: Outcome
    model: str
    """`quotes` when no language model took part."""
    prompt_version: str
    label: str
    """Canonical label: the join of the labels of the passages it used."""
    timings_ms: dict[str, float]
    withheld: int = 0
    """How many sentences were held back because their check failed."""
    notes: tuple[str, ...] = ()
    """What the reader must know of the sources, in the language of the answer: pages that OCR could hardly read."""
    searched: str = ""
    """The question that was searched and answered; `question` itself when nothing was rewritten."""
    incomplete: bool = False
    """True when the model broke off or was cut: what is here was checked, and there may be more to say."""
    fallback: str = ""
    """Why these are quotations although models are configured: `no_model` when none could be reached, `not_supported` when
    nothing that the model said held; empty otherwise."""
    leads: tuple[Sentence, ...] = ()
    """Where there is no answer: quotations to look at, nearest first. None of them is said to answer."""

    @property
    def stated(self) -> tuple[Citation, ...]:
        """The citations of its sentences."""
        markers = {marker for sentence in self.sentences for marker in sentence.markers}
        return tuple(citation for citation in self.citations if citation.marker in markers)


@dataclass(frozen=True, slots=True)
class EvidenceReady:
    """The search is done; so many passages of so many documents are being read."""

    answer_id: str
    language: str
    passages: int
    documents: int


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """One checked sentence, with the citations whose markers appear here for the first time."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerWaiting:
    """Models are busy: the question stands in line. Repeated when the place changes."""

    place: int
    """1-based."""


@dataclass(frozen=True, slots=True)
class AnswerRestarted:
    """A model broke off and another goes on; sentences that were released stay."""


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """The whole answer; always the last event."""

    answer: Answer


AnswerEvent = EvidenceReady | AnswerWaiting | AnswerRestarted | SentenceReady | AnswerReady


class DocumentState(StrEnum):
    """Where a document stands. Each document is in exactly one state."""

    RECEIVED = "received"
    IN_PROGRESS = "in progress"
    DONE = "done"
    DONE_WITH_WARNINGS = "done with warnings"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """True when nothing more happens by itself."""
        return self not in (DocumentState.RECEIVED, DocumentState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What the ledger says about one document."""

    document_id: str
    version: str
    source: str
    file_name: str
    title: str
    state: DocumentState
    category: str
    """Stable machine-readable cause, empty when there is nothing to explain (`no_text`, `needs_ocr`, `unlabelled`, …)."""
    reason: str
    """A sentence a person understands, in English; empty when all is well."""
    pages: int
    passages: int
    label: str
    """Canonical label; empty while unknown."""
    language: str
    media_type: str
    date: str | None
    received_at: str
    """UTC, ISO 8601."""
    changed_at: str
    warnings: tuple[str, ...] = ()
    author: str | None = None
    document_type: str | None = None
    collection: str = ""
    references: tuple[str, ...] = ()
    """Legal references found in the text, as they are written there."""
    hold: str = ""
    """Why it may not be erased; empty when it is not on hold."""
    progress_pages: int = 0
    """Pages read so far, while in progress."""
    progress_of: int = 0
    """Pages there are to read, while in progress; 0 while unknown."""
    doubtful_pages: tuple[int, ...] = ()
    """1-based numbers of pages read by OCR under the confidence limit."""
    notice: str = ""
    """What came of handing it in when nothing had to be done, such as "already here since …"; no sign of a failure."""


def tiles(spans: Sequence[Span], length: int) -> bool:
    """True when the spans follow each other without gap or overlap from 0 to `length`."""
    position = 0
    for span in spans:
        if span.start != position:
            return False
        position = span.end
    return position == length
