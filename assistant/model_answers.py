"""The part of an answer that a model composes: every sentence checked before it is released, as soon as it is complete.

Nothing that a model or its server does raises here. What is not supported is not shown; whether there is enough left for an
answer is decided by `answering`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.access import Label, join_labels
from assistant.caution import Verifying
from assistant.citing import Released
from assistant.composing import Composed, SentenceReader
from assistant.endpoints import Broken, ChatMessage, Ended, ModelEvent, Need, Piece, Queued, Started
from assistant.errors import ModelsUnavailable
from assistant.lines import Kind
from assistant.precedence import QUESTIONS
from assistant.prompting import SCHEMA, Prompt, Prompts
from assistant.supporting import Supporting
from assistant.types import AnswerEvent, AnswerRestarted, AnswerWaiting, Evidence

_MOST_SENTENCES = 60
"""Sentences that are read of one stream; who writes more is not answering."""
_MOST_REPEATED = 4
"""Repetitions after which a stream is taken for a loop."""
_MOST_ASTRAY = 8
"""Sentences one after the other that nothing supports: whoever invents so many will not come back to the sources. The
demonstration model went on for 47, a minute and a half on two busy cores, before the reader got the quotations."""

_DENIAL = re.compile(
    r"\bje ne (?:sais|trouve|peux|dispose)|\bje n[’']ai (?:pas|trouvé)"
    r"|\baucun(?:e)? (?:des )?(?:passages?|documents?|informations?|réponse)"
    r"|\b(?:passages?|documents?|textes?|extraits?)\b.{0,40}\bne? (?:contien|permet|précis|mention|répond|donn|indiqu|fourni)"
    r"|\b(?:pas|aucune) (?:d[’'])?(?:information|réponse|mention)|n[’']est pas (?:précisé|indiqué|mentionné)"
    r"|\bI (?:do not|don[’']t|cannot|can[’']t|am unable|could not)\b|\bno (?:passage|information|answer|document)"
    r"|\b(?:passages?|documents?|texts?|context|sources?)\b.{0,40}\b(?:do(?:es)? not|don[’']t|doesn[’']t)\b"
    r"|\bnot (?:specified|mentioned|stated)|لم (?:أجد|أعثر|يرد|ترد|تذكر|يذكر)|ليس(?:ت)? (?:لدي|هناك)"
    r"|لا (?:أعرف|أعلم|أستطيع|يمكنني|تتضمن|يتضمن|توجد|يوجد|تحتوي|تذكر|يذكر|تجيب|يجيب)",
    re.IGNORECASE,
)
"""How models say that they do not know. It says nothing of the documents, so it is neither shown nor counted."""


class Router(Protocol):
    """What is needed of `endpoints.ModelRouter`."""

    def stream(
        self, messages: Sequence[ChatMessage], need: Need, stopped: Callable[[], bool]
    ) -> Iterator[ModelEvent]: ...
    def available(self, need: Need) -> bool: ...
    def context_tokens(self, need: Need) -> int: ...
    def count_tokens(self, text: str, need: Need) -> int: ...


@dataclass
class Course:
    """How it went with the models."""

    model: str = ""
    endpoint: str = ""
    prompt_version: str = ""
    incomplete: bool = False
    unavailable: bool = False
    """No model could answer, or none could go on."""
    failed: int = 0
    """Sentences of the last stream that nothing supports."""
    first_sentence_at: float | None = None
    """By `time.perf_counter`."""

    @property
    def why_quoted(self) -> str:
        """`Answer.fallback` where nothing that a model said is shown."""
        return "no_model" if self.unavailable else "not_supported"


class Composer:
    """Has models compose sentences from evidence."""

    def __init__(self, router: Router, verifier: Verifying, prompts: Prompts, *, max_tokens: int = 700) -> None:
        self._router = router
        self._verifier = verifier
        self._prompts = prompts
        self._max_tokens = max_tokens

    def events(
        self,
        evidence: Evidence,
        released: Released,
        course: Course,
        stopped: Callable[[], bool],
        question_label: Label,
    ) -> Generator[AnswerEvent, None, None]:
        """The sentences that hold, as they come; how it went is noted in `course`.

        `question_label` is that of the documents whose words the question holds: a model is told those as well.
        Closing it closes the connection to the model.
        """
        course.prompt_version = self._prompts.version
        with QUESTIONS.answering():
            passages = [scored.passage for scored in evidence.passages]
            label = join_labels([question_label, *(passage.label for passage in passages)])
            need = Need(released.principal.id, label, evidence.language, SCHEMA, self._max_tokens)
            if not self._router.available(need):
                course.unavailable = True
                return
            need, prompt = self._prompt(evidence, need)
        if not prompt.passages:
            course.unavailable = True
            return
        reading = _Reading(evidence.language, released, Supporting(self._verifier, passages, evidence.language), course)
        try:
            with _closed(self._router.stream(prompt.messages, need, stopped)) as stream:
                yield from reading.events(stream, self._prompts.none)
        except ModelsUnavailable:
            course.unavailable = course.incomplete = True

    def _prompt(self, evidence: Evidence, need: Need) -> tuple[Need, Prompt]:
        """What is sent, and with how much room for the answer: at most a third of what the model can hold."""
        context = self._router.context_tokens(need)
        need = replace(need, max_tokens=min(self._max_tokens, context // 3))
        prompt = self._prompts.about(
            evidence.question,
            [scored.passage for scored in evidence.passages],
            evidence.language,
            budget_tokens=context - need.max_tokens,
            count_tokens=lambda text: self._router.count_tokens(text, need),
        )
        return need, prompt


class _Reading:
    """Reads the streams of one answer, one after the other."""

    def __init__(self, language: str, released: Released, supporting: Supporting, course: Course) -> None:
        self._language = language
        self._released = released
        self._supporting = supporting
        self._course = course
        self._reader = SentenceReader(language)
        self._read = self._repeated = self._astray = 0
        self._heard = False

    def events(self, stream: Iterable[ModelEvent], none: str) -> Iterator[AnswerEvent]:
        """What the reader sees of a stream; `none` is what the model was told to write when nothing answers."""
        course = self._course
        course.incomplete = True  # until the stream says that it is whole
        for event in stream:
            match event:
                case Queued(place):
                    yield AnswerWaiting(place)
                case Started(endpoint, model):
                    if self._heard:
                        yield AnswerRestarted()
                    course.endpoint, course.model = endpoint, model
                case Piece(text):
                    self._heard = True
                    yield from self._released_of(self._reader.feed(text), none)
                    if self._reader.looping or self._is_hopeless():
                        return
                case Broken():
                    self._begin_again()
                case Ended(complete):
                    yield from self._released_of(self._reader.finish(complete=complete), none)
                    course.incomplete = not complete

    def _begin_again(self) -> None:
        self._reader = SentenceReader(self._language)
        self._released.settle()
        self._read = self._repeated = self._astray = self._course.failed = 0

    def _is_hopeless(self) -> bool:
        """True when what is still to come is not worth a reader's wait."""
        return self._read > _MOST_SENTENCES or self._repeated > _MOST_REPEATED or self._astray >= _MOST_ASTRAY

    def _released_of(self, sentences: Iterable[Composed], none: str) -> Iterator[AnswerEvent]:
        for composed in sentences:
            self._read += 1
            if _letters(none) in _letters(composed.claim) or self._read > _MOST_SENTENCES:
                continue
            with QUESTIONS.answering():
                event = self._checked(composed)
            if event is not None:
                if self._course.first_sentence_at is None:
                    self._course.first_sentence_at = time.perf_counter()
                yield event

    def _checked(self, composed: Composed) -> AnswerEvent | None:
        """The sentence with its citations when it is supported and new."""
        if self._released.repeats(composed.claim, self._language):
            self._repeated += 1
            return None
        if composed.claim.rstrip(' *_»”"').endswith(("?", "؟")):
            self._astray += 1  # small models give the question back; its words are those of the passages
            return None
        found = self._supporting.support(composed)
        if found is not None:
            support, passages = found
            if self._released.says_again(support, passages):
                return None
            event = self._released.state(composed, support, passages)
            if event is not None:
                self._astray = 0
                return event
        if composed.kind is not Kind.LEAD and not _DENIAL.search(composed.claim):
            self._course.failed += 1
            self._astray += 1
        return None


def _letters(text: str) -> str:
    """A text without capitals, spaces and signs: models write `No answer` for `NO_ANSWER`."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@contextmanager
def _closed(stream: Iterator[ModelEvent]) -> Iterator[Iterator[ModelEvent]]:
    """The stream, closed at the end of the block: an iterator that has nothing to close is left as it is."""
    try:
        yield stream
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
