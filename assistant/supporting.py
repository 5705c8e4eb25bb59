"""Which of the retrieved passages supports a sentence that a model composed.

The passages that it names first; then these with what stands right before or after them; then any other passage that was
retrieved for this reader and question. A sentence that names none is held against those with which it shares most words. What
a document says to an assistant supports nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.addressed import unaddressed
from assistant.caution import Verifying
from assistant.composing import Composed
from assistant.grounding import Support
from assistant.language import search_form
from assistant.types import Passage, Verdict

CLEAR = frozenset({Verdict.QUOTED, Verdict.SUPPORTED})

_LONGEST = 1_200
"""No sentence is so long (characters)."""
_TRIED = 4
"""Other passages that are tried."""
_TOUCHING_CHARS = 4
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s)\]»”]+|\bwww\.[^\s)\]»”]+|[\w.+-]+@[\w-]+\.[\w.-]*\w", re.IGNORECASE)
_WORD = re.compile(r"\w{4,}")


class Supporting:
    """Looks for support among the passages of one question."""

    def __init__(self, verifier: Verifying, passages: Sequence[Passage], language: str) -> None:
        self._verifier = verifier
        self._passages = passages
        self._language = language
        self._words = [_words(passage.text, passage.language) for passage in passages]

    def support(self, composed: Composed) -> tuple[Support, tuple[Passage, ...]] | None:
        """The support of a sentence and the passages in which its places lie; None when there is none.

        Of several kinds of support the clear one; partial support counts for the passages that the sentence names only.
        """
        claim = composed.claim
        if len(claim) > _LONGEST:
            return None
        cited = tuple(self._passages[number - 1] for number in composed.sources if 0 < number <= len(self._passages))
        partial = None
        if cited:
            found = self._checked(claim, cited)
            if found.verdict in CLEAR:
                return found, cited
            partial = (found, cited) if found.verdict is Verdict.PARTLY_SUPPORTED else None
        for passages in self._others(claim, cited):
            found = self._checked(claim, passages)
            if found.verdict in CLEAR:
                return found, passages
        return partial

    def _checked(self, claim: str, passages: tuple[Passage, ...]) -> Support:
        texts = [unaddressed(passage.text) for passage in passages]
        for address in _ADDRESS.findall(claim):
            if not any(address.rstrip(".,;") in text for text in texts):
                return Support(Verdict.UNSUPPORTED, (), "reference")
        return self._verifier.check(claim, self._language, texts)

    def _others(self, claim: str, cited: tuple[Passage, ...]) -> Iterator[tuple[Passage, ...]]:
        """What else may support the claim, most likely first."""
        for passage in self._passages:
            if passage not in cited and any(_touch(passage, other) for other in cited):
                yield (*cited, passage)
        words = _words(claim, self._language)
        shared = [len(words & own) for own in self._words]
        order = sorted(range(len(self._passages)), key=lambda index: -shared[index])
        rest = [self._passages[index] for index in order if shared[index]]
        yield from ((passage,) for passage in [p for p in rest if p not in cited][:_TRIED])
        if len(cited) > 1:
            yield from ((passage,) for passage in cited)


def _words(text: str, language: str) -> frozenset[str]:
    return frozenset(_WORD.findall(search_form(text, language).casefold()))


def _touch(one: Passage, other: Passage) -> bool:
    """True when two passages stand one right after the other in the same document."""
    gap = max(one.span.start - other.span.end, other.span.start - one.span.end)
    return (one.document_id, one.version) == (other.document_id, other.version) and gap <= _TOUCHING_CHARS
