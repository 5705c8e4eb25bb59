"""What of a stored turn its reader may see now.

A citation is shown again when its very version may be read by this principal, under the label it carries today, and the quoted
words still stand there. A sentence is shown again when all its citations are. One without citations is shown only while nothing
of its answer is hidden: nobody knows what it rests on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from assistant.access import Label, Principal, join_labels
from assistant.answer_text import answer_text
from assistant.archive import Archive
from assistant.conversations.records import SourceVersion, Turn
from assistant.errors import NotFound
from assistant.types import Citation, Document, Outcome

_MARKER = re.compile(r"\[(\d+)\]")


class ReadableSources:
    """The documents that this principal may read, looked up once each. Make one for each request."""

    def __init__(self, archive: Archive, principal: Principal) -> None:
        self._archive = archive
        self._principal = principal
        self._found: dict[SourceVersion, Document | None] = {}

    def shown(self, turn: Turn) -> Turn:
        """The turn without what its reader may not read any more; `hidden` counts the sentences that are gone."""
        if not all(map(self._document, turn.drawn_from)):
            turn = _as_asked(turn)
        if turn.answer is None:
            return turn
        answer = replace(turn.answer, citations=tuple(map(self._labelled, turn.answer.citations)))
        gone = {citation.marker for citation in answer.citations if not self._stands(citation)}
        return without(replace(turn, answer=answer), gone)

    def _document(self, source: SourceVersion) -> Document | None:
        if source not in self._found:
            try:
                self._found[source] = self._archive.document(source[0], self._principal, version=source[1])
            except NotFound:
                self._found[source] = None
        return self._found[source]

    def _stands(self, citation: Citation) -> bool:
        document = self._document((citation.document_id, citation.version))
        return document is not None and document.text[citation.span.start : citation.span.end] == citation.quote

    def _labelled(self, citation: Citation) -> Citation:
        """With the label that its document has today."""
        document = self._document((citation.document_id, citation.version))
        return replace(citation, label=str(document.label)) if document else citation


def without(turn: Turn, gone: Collection[int]) -> Turn:
    """The turn without the citations that have these markers, and without every word that rests on them."""
    if turn.answer is None:
        return turn
    answer = turn.answer
    kept = tuple(citation for citation in answer.citations if citation.marker not in gone)
    label = str(join_labels(Label.parse(citation.label) for citation in kept))
    if not gone:
        return replace(turn, answer=replace(answer, label=label) if kept else answer)
    sentences = tuple(
        sentence for sentence in answer.sentences if sentence.markers and not set(sentence.markers) & set(gone)
    )
    cited = {marker for sentence in sentences for marker in sentence.markers}
    rest = replace(
        answer,
        sentences=sentences,
        citations=tuple(citation for citation in kept if citation.marker in cited),
        text=answer_text(sentences),
        notes=tuple(note for note in answer.notes if not {int(n) for n in _MARKER.findall(note)} & set(gone)),
        outcome=answer.outcome if sentences else Outcome.NO_EVIDENCE,
        label=label,
    )
    return replace(turn, answer=rest, hidden=turn.hidden + len(answer.sentences) - len(sentences))


def without_sources(turn: Turn, is_gone: Callable[[SourceVersion], bool]) -> Turn:
    """The turn without every word that these versions of documents may have given it."""
    if any(map(is_gone, turn.drawn_from)):
        turn = replace(_as_asked(turn), drawn_from=tuple(each for each in turn.drawn_from if not is_gone(each)))
    citations = turn.answer.citations if turn.answer else ()
    return without(turn, {each.marker for each in citations if is_gone((each.document_id, each.version))})


def _as_asked(turn: Turn) -> Turn:
    """The turn as if its question had been searched as it was typed."""
    answer = replace(turn.answer, searched=turn.question) if turn.answer else None
    return replace(turn, searched=turn.question, answer=answer)
