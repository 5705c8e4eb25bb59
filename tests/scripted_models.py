"""Models that say what a test tells them to, behind the interface of the router, and a simple honest check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from assistant.endpoints import Broken, ChatMessage, Ended, ModelEvent, Need, Piece, Started
from assistant.errors import ModelsUnavailable
from assistant.grounding import Support
from assistant.language import search_form, sentence_spans
from assistant.types import Span, Verdict


class ScriptedRouter:
    """Plays its events to whoever asks; `ModelsUnavailable` stands for the end of all endpoints."""

    def __init__(
        self, *events: ModelEvent | type[ModelsUnavailable], available: bool = True, tokens: int = 8_000
    ) -> None:
        self.events_of_next: tuple[ModelEvent | type[ModelsUnavailable], ...] = events
        self.is_available, self.tokens = available, tokens
        self.asked: list[tuple[tuple[ChatMessage, ...], Need]] = []
        self.closed = 0

    def stream(self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]) -> Iterator[ModelEvent]:
        self.asked.append((tuple(messages), need))
        try:
            for event in self.events_of_next:
                if stopped():
                    yield Ended(False, "stopped")
                    return
                if isinstance(event, type):
                    raise event("no endpoint is left")
                yield event
        finally:
            self.closed += 1

    def available(self, need: Need) -> bool:
        return self.is_available

    def context_tokens(self, need: Need) -> int:
        return self.tokens

    def count_tokens(self, text: str, need: Need) -> int:
        return len(text) // 3 + 1


def says(
    text: str, *, size: int = 5, model: str = "tiny", endpoint: str = "one", complete: bool = True
) -> list[ModelEvent]:
    """A stream that says this text, `size` characters at a time."""
    pieces = [Piece(text[start : start + size]) for start in range(0, len(text), size)]
    return [Started(endpoint, model), *pieces, Ended(complete, "stop" if complete else "length")]


def breaks_after(text: str, *, model: str = "tiny", endpoint: str = "one") -> list[ModelEvent]:
    """A stream that breaks once it has said this."""
    return [*says(text, model=model, endpoint=endpoint)[:-1], Broken("the connection was closed")]


class WordCheck:
    """QUOTED for a sentence of a passage, SUPPORTED when one sentence has all its words, PARTLY_SUPPORTED for most of them."""

    def check(self, claim: str, language: str, passages: Sequence[str]) -> Support:
        partly = None
        for index, text in enumerate(passages):
            for span in sentence_spans(text, language):
                shared = _share(_words(claim), _words(text[span.start : span.end]))
                if shared == 1.0:
                    quoted = text[span.start : span.end] == claim
                    return Support(Verdict.QUOTED if quoted else Verdict.SUPPORTED, ((index, span),), "")
                if shared >= 0.75 and not re.search(r"\d", claim):
                    partly = Support(Verdict.PARTLY_SUPPORTED, ((index, Span(span.start, span.end)),), "")
        return partly or Support(Verdict.UNSUPPORTED, (), "uncovered")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", search_form(text, "fr").casefold()))


def _share(own: set[str], other: set[str]) -> float:
    return len(own & other) / len(own) if own else 0.0
