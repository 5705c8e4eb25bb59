"""What of a stored turn its reader may see now.

A citation is shown again when its very version may be read by this principal, under the label it carries today, and the quoted
words still stand there. A sentence is shown again when all its citations are. One without citations is shown only while nothing
of its answer is hidden: nobody knows what it rests on. A comparison is shown while both texts may be read: what was added to one
says what the other lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from assistant.access import Label, Principal, join_labels
from assistant.answer_text import answer_text
from assistant.archive import Archive
from assistant.changes import Change, Compared, Comparison
from assistant.conversations.records import ReadDocument, SourceVersion, Turn
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
        turn = replace(turn, read=tuple(map(self._titled, turn.read)))
        if turn.comparison is not None:
            return self._comparison_shown(turn, turn.comparison)
        if turn.answer is None:
            return turn
        answer = replace(turn.answer, citations=tuple(map(self._labelled, turn.answer.citations)))
        gone = {citation.marker for citation in answer.citations if not self._stands(citation)}
        turn = without(replace(turn, answer=answer), gone)
        if turn.answer is None or turn.searched == turn.question:
            return turn
        label = Label.parse(turn.answer.label).join(self.label(turn.drawn_from))
        return replace(turn, answer=replace(turn.answer, label=str(label)))

    def label(self, sources: Iterable[SourceVersion]) -> Label:
        """The label of words from these versions: the join of theirs today, those left out that may not be read any more."""
        return join_labels(document.label for document in map(self._document, sources) if document)

    def _comparison_shown(self, turn: Turn, comparison: Comparison) -> Turn:
        """With the changes whose words still stand; none of them, unless both texts may be read: each tells of the other."""
        texts = [text for text in (comparison.before, comparison.after) if text]
        documents = [self._document((text.document_id, text.version)) for text in texts]
        if not all(documents):
            return without_comparison(turn)
        before, after = (self._told(text) if text else None for text in (comparison.before, comparison.after))
        assert after is not None
        changes = tuple(map(self._relabelled, filter(self._still_says, comparison.changes)))
        kept = replace(comparison, before=before, after=after, changes=changes)
        return replace(turn, comparison=kept, hidden=turn.hidden + len(comparison.changes) - len(changes))

    def _still_says(self, change: Change) -> bool:
        return all(self._stands(side.citation) for side in (change.before, change.after) if side)

    def _relabelled(self, change: Change) -> Change:
        before, after = (
            replace(side, citation=self._labelled(side.citation)) if side else None
            for side in (change.before, change.after)
        )
        return replace(change, before=before, after=after)

    def _told(self, text: Compared) -> Compared:
        """With the title and the label that its document has today."""
        document = self._document((text.document_id, text.version))
        assert document is not None
        return replace(text, title=document.title, file_name=document.file_name, label=str(document.label))

    def _titled(self, read: ReadDocument) -> ReadDocument:
        document = self._document((read.document_id, read.version))
        return replace(read, title=(document.title or document.file_name) if document else "")

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
    leads = tuple(lead for lead in answer.leads if not set(lead.markers) & set(gone))
    cited = {marker for sentence in (*sentences, *leads) for marker in sentence.markers}
    rest = replace(
        answer,
        sentences=sentences,
        citations=tuple(citation for citation in kept if citation.marker in cited),
        text=answer_text(sentences) if answer.sentences else answer.text,
        notes=tuple(note for note in answer.notes if not {int(n) for n in _MARKER.findall(note)} & set(gone)),
        outcome=answer.outcome if sentences else Outcome.NO_EVIDENCE,
        label=label,
        leads=leads,
    )
    return replace(turn, answer=rest, hidden=turn.hidden + len(answer.sentences) - len(sentences))


def without_comparison(turn: Turn) -> Turn:
    """The turn without every word of the texts that it compares; `hidden` counts the changes that are gone."""
    if turn.comparison is None:
        return turn
    return replace(turn, comparison=None, hidden=turn.hidden + len(turn.comparison.changes))


def without_sources(turn: Turn, is_gone: Callable[[SourceVersion], bool]) -> Turn:
    """The turn without every word that these versions of documents may have given it."""
    if any(map(is_gone, turn.drawn_from)):
        turn = replace(_as_asked(turn), drawn_from=tuple(each for each in turn.drawn_from if not is_gone(each)))
    if any(is_gone((each.document_id, each.version)) for each in turn.read):
        left = (ReadDocument("", "") if is_gone((each.document_id, each.version)) else each for each in turn.read)
        turn = without_comparison(replace(turn, read=tuple(left)))
    citations = turn.answer.citations if turn.answer else ()
    return without(turn, {each.marker for each in citations if is_gone((each.document_id, each.version))})


def _as_asked(turn: Turn) -> Turn:
    """The turn as if its question had been searched as it was typed."""
    answer = replace(turn.answer, searched=turn.question) if turn.answer else None
    return replace(turn, searched=turn.question, answer=answer)
