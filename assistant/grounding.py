"""Whether a sentence really stands where its citation points.

For a quotation the check is exact: the characters of the quote are the characters of the *stored* document at the cited
span, the span lies inside the passage that was retrieved for this reader, and what the reader is shown differs from the quote
in white space and line-end hyphens only. Nothing is shown that did not pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.language import readable_form
from assistant.types import Document, Draft, Span, Verdict


@dataclass(frozen=True, slots=True)
class Support:
    """What checking a sentence against passages found."""

    verdict: Verdict
    places: tuple[tuple[int, Span], ...]
    """(index into the passages, span in code points of that passage's text): the words that support it."""
    reason: str = ""


def check_quotation(draft: Draft, document: Document) -> Verdict:
    """QUOTED when the draft is, word for word, what the stored document says at the draft's span; else UNSUPPORTED."""
    passage = draft.passage
    same_version = (passage.document_id, passage.version) == (document.id, document.version)
    stored = document.text[draft.span.start : draft.span.end]
    stands_there = (
        passage.span.contains(draft.span) and passage.text == document.text[passage.span.start : passage.span.end]
    )
    says_it = bool(stored.strip()) and readable_form(stored) == draft.text
    return Verdict.QUOTED if same_version and stands_there and says_it else Verdict.UNSUPPORTED
