"""Checked sentences get their citations here: the one place where something is released to a reader.

A quotation is released when the stored text has exactly its words where it says they stand; a composed sentence with the
support that `grounding` found for it. In both cases the document is read again as it is stored, with this reader's rights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.access import Label, Principal
from assistant.answer_kinds import values
from assistant.archive import Archive
from assistant.citations import citation_of
from assistant.composing import Composed
from assistant.errors import NotFound
from assistant.grounding import Support, check_quotation
from assistant.language import search_form
from assistant.types import Citation, Document, Draft, Passage, Sentence, SentenceReady, Span, Verdict

_WORD = re.compile(r"\w+")
_SAME_WORDS = 0.85
"""The share of the words of both sentences that both have, from which on one repeats the other."""
_OF_ONE_PAGE = 2
"""Leads of one page."""

Place = tuple[Passage, Span]
"""A span of a document's text, and the passage that it lies in."""


class Released:
    """What has been released so far for one question."""

    def __init__(self, archive: Archive, principal: Principal) -> None:
        self.principal = principal
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self.labels: set[Label] = set()
        self.withheld = 0
        """Sentences whose check failed."""
        self._archive = archive
        self._documents: dict[tuple[str, str], Document | None] = {}
        self._settled: list[Citation] = []

    def quote(self, draft: Draft) -> SentenceReady | None:
        """The quotation with its citation; None, and one more withheld, when its words do not stand there."""
        document = self._stored(draft.passage)
        verdict = check_quotation(draft, document) if document else Verdict.UNSUPPORTED
        if verdict is Verdict.UNSUPPORTED:
            self.withheld += 1
            return None
        return self._release(draft.text, verdict, [(draft.passage, draft.span)])

    def leads(self, drafts: Iterable[Draft], pages: int) -> tuple[Sentence, ...]:
        """Quotations that stand where they are said to, of the first pages that have some, cited but not released as an answer.

        Of each page two at most: a table's header and the row, a rule and its condition.
        """
        found: dict[tuple[str, int | None], list[Sentence]] = {}
        for draft in drafts:
            document = self._stored(draft.passage)
            if document is None or check_quotation(draft, document) is Verdict.UNSUPPORTED:
                continue
            number = next((page.number for page in document.pages if page.span.overlaps(draft.span)), None)
            of_page = found.get((document.id, number), [])
            if len(of_page) < _OF_ONE_PAGE and (of_page or len(found) < pages):
                marker = self._cited(draft.passage, draft.span, Verdict.QUOTED)
                found[document.id, number] = [*of_page, Sentence(draft.text, (marker,), Verdict.QUOTED)]
        return tuple(sentence for of_page in found.values() for sentence in of_page)

    def state(self, composed: Composed, support: Support, passages: Sequence[Passage]) -> SentenceReady | None:
        """The composed sentence, cited where it is supported; None when nothing that is stored supports it.

        The places of `support` are places in `passages`.
        """
        places = [
            (passages[index], Span(passages[index].span.start + span.start, passages[index].span.start + span.end))
            for index, span in dict.fromkeys(support.places)
        ]
        stands = all(passage.span.contains(span) and len(span) and self.stands(passage) for passage, span in places)
        if support.verdict is Verdict.UNSUPPORTED or not places or not stands:
            return None
        return self._release(composed.text, support.verdict, places)

    def stands(self, passage: Passage) -> bool:
        """True when the archive holds this passage word for word, and shows it to this reader."""
        document = self._stored(passage)
        return document is not None and document.text[passage.span.start : passage.span.end] == passage.text

    def settle(self) -> None:
        """What was released so far stays, and another voice begins: it is not to say the same again."""
        self._settled = list(self.citations)

    def repeats(self, claim: str, language: str) -> bool:
        """True for a sentence that was released already, in nearly the same words."""
        words, numbers = _words(claim, language), set(values(claim))
        return any(
            numbers == set(values(sentence.text)) and _alike(words, _words(sentence.text, language)) >= _SAME_WORDS
            for sentence in self.sentences
        )

    def says_again(self, support: Support, passages: Sequence[Passage]) -> bool:
        """True when the support lies wholly where an earlier voice's sentences were cited."""
        return bool(support.places) and all(
            _lies_in(passages[index], span, self._settled) for index, span in support.places
        )

    def covers(self, draft: Draft) -> bool:
        """True when words of this quotation are cited already."""
        return any(
            (citation.document_id, citation.version) == (draft.passage.document_id, draft.passage.version)
            and citation.span.overlaps(draft.span)
            for citation in self.citations
        )

    def _stored(self, passage: Passage) -> Document | None:
        """The stored version that a passage came from; None when it was removed between search and answer."""
        key = (passage.document_id, passage.version)
        if key not in self._documents:
            try:
                self._documents[key] = self._archive.document(key[0], self.principal, version=key[1])
            except NotFound:
                self._documents[key] = None
        return self._documents[key]

    def _release(self, text: str, verdict: Verdict, places: Iterable[Place]) -> SentenceReady:
        """The sentence, and those of its citations that are new: the same words keep their number."""
        known = len(self.citations)
        markers = dict.fromkeys(self._cited(passage, span, verdict) for passage, span in places)
        sentence = Sentence(text, tuple(markers), verdict)
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[known:]))

    def _cited(self, passage: Passage, span: Span, verdict: Verdict) -> int:
        """The marker of the citation of these words."""
        key = (passage.document_id, passage.version, span)
        for citation in self.citations:
            if (citation.document_id, citation.version, citation.span) == key:
                return citation.marker
        document = self._stored(passage)
        assert document is not None
        self.labels.add(passage.label)
        self.citations.append(self._citation(passage, span, document, verdict))
        return len(self.citations)

    def _citation(self, passage: Passage, span: Span, document: Document, verdict: Verdict) -> Citation:
        return citation_of(
            document,
            span,
            marker=len(self.citations) + 1,
            passage_id=passage.id,
            headings=passage.headings,
            boxes=self._archive.boxes(document, span, self.principal),
            verdict=verdict,
            language=passage.language,
        )


def _words(text: str, language: str) -> frozenset[str]:
    return frozenset(_WORD.findall(search_form(text, language).casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _lies_in(passage: Passage, span: Span, citations: Iterable[Citation]) -> bool:
    """True when one of the citations holds the `span` of this passage's text."""
    start = passage.span.start
    return any(
        (citation.document_id, citation.version) == (passage.document_id, passage.version)
        and citation.span.contains(Span(start + span.start, start + span.end))
        for citation in citations
    )
