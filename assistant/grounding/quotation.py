"""Whether a sentence stands, word for word, where its citation points.

The check of a quotation is exact: the characters of the quote are the characters of the *stored* document at the cited
span, the span lies inside the passage that was retrieved for this reader, and what the reader is shown differs from the quote
in white space and line-end hyphens only. Nothing is shown that did not pass.
"""

from __future__ import annotations

import re

from assistant.grounding.reading import Reading
from assistant.language import readable_form
from assistant.types import Document, Draft, Span, Verdict

_WORD = re.compile(r"[^\W_]+")
_SIGNS = re.compile(r"(?<=\d)[.,:/%-](?=\d)|[%€$£]")
"""Signs that carry meaning: a decimal comma, a slash, a dash between digits, per cent, a currency."""


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


def quoted_place(claim: Reading, passage: Reading) -> tuple[int, int] | None:
    """Where in the folded passage the claim's words stand in their order, white space, quotes, case and punctuation aside."""
    wanted = _WORD.findall(claim.folded.text)
    if not wanted:
        return None
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(passage.folded.text)]
    for first in range(len(words) - len(wanted) + 1):
        if words[first][0] == wanted[0] and [word for word, _, _ in words[first : first + len(wanted)]] == wanted:
            place = _with_signs(passage.folded.text, words[first][1], words[first + len(wanted) - 1][2])
            if _SIGNS.findall(claim.folded.text) == _SIGNS.findall(passage.folded.text[slice(*place)]):
                return place
    return None


def _with_signs(text: str, start: int, end: int) -> tuple[int, int]:
    """The place of a quote with the sign of a currency or of per cent that belongs to its first or last word."""
    before = re.search(r"[€$£]\s?$", text[max(0, start - 2) : start])
    after = re.match(r"\s?[%€$£]", text[end : end + 2])
    return start - len(before.group()) if before else start, end + len(after.group()) if after else end


def place_span(passage: Reading, start: int, end: int) -> Span:
    """The span in the passage's text of `start:end` of its folded form, without blanks at its ends."""
    text = passage.folded.text[start:end]
    left = start + len(text) - len(text.lstrip())
    right = max(left + 1, end - (len(text) - len(text.rstrip())))
    return passage.folded.span(left, right)
