"""What a model writes, piece by piece → sentences with the sources that it names, each as soon as it is complete.

Sentences, list items and table rows remain; Markdown, links, images, HTML, code fences and what a model thinks aloud do not.
Nothing here judges whether a sentence is true: that is `grounding`, on what comes out of this.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.language import sentence_spans
from assistant.lines import MAX_SOURCE, SPACE, Kind, Line, ends_with_marker, markers_alone, prose, read_line, settled
from assistant.types import Span

MAX_CHARS = 60_000
"""A model that has written so much is not answering any more."""
_MAX_PENDING = 3_000
"""Characters without the end of a sentence, a list item or an object: no sentence is that long."""


@dataclass(frozen=True, slots=True)
class Composed:
    """One sentence as the model wrote it, without its markers."""

    text: str
    claim: str
    """`text` without the bullet or number of a list item: what is to be checked."""
    sources: tuple[int, ...]
    """The numbers that it names, 1-based, in order, each once. They may lead nowhere."""
    kind: Kind = Kind.SENTENCE


_TRAILER = re.compile(
    r"\W*(?:sources?|références?|references?|citations?|bibliographie|المصادر|المراجع|notes?)\W*$", re.IGNORECASE
)
_BARE_REPLY = re.compile(r"\W*(?:oui|non|yes|no|نعم|لا|كلا)\W*$", re.IGNORECASE)

_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning|analysis|reflection)>", re.IGNORECASE)
_THOUGHT = re.compile(r"</(?:think|thinking|thought|reasoning|analysis|reflection)>", re.IGNORECASE)
_MAYBE_TAG = re.compile(r"</?[a-z]{0,10}$", re.IGNORECASE)
_LOOP = re.compile(r"(.{2,120}?)\1{7,}.{0,120}$", re.DOTALL)
_LOOP_CHARS = 1_000


class SentenceReader:
    """Reads one stream of a model. `looping` turns true when it writes without end and nothing more should be read."""

    def __init__(self, language: str) -> None:
        self.looping = False
        self._language = language
        self._thoughts = _Thoughts()
        self._form: _Text | _Objects | None = None
        self._head = ""
        self._chars = 0

    def feed(self, piece: str) -> list[Composed]:
        """The sentences that this piece completes."""
        self._chars += len(piece)
        said = self._thoughts.feed(piece)
        if said.forget:
            self._form, self._head = None, ""
        found = self._read(said.text)
        if self._chars > MAX_CHARS or (self._form and self._form.looping):
            self.looping = True
        return found

    def finish(self, *, complete: bool) -> list[Composed]:
        """The sentences that were waiting for what comes after them.

        Of a stream that was cut, not the last one: it may be half a sentence, or half a number.
        """
        found = self._read(self._thoughts.rest())
        if self._form is None:
            self._form = _Text(self._language)
            found += self._form.feed(self._head)
        return found + self._form.finish(complete=complete)

    def _read(self, text: str) -> list[Composed]:
        if self._form is None:
            self._head += text
            self._form = _form_of(self._head, self._language)
            if self._form is None:
                return []
            text, self._head = self._head, ""
        return self._form.feed(text)


def _form_of(head: str, language: str) -> _Text | _Objects | None:
    """How the model answers, text or JSON; None while that is open."""
    bare = head.lstrip()
    if len(bare) < 2 or ("```json".startswith(bare.lower()) and len(bare) < 7):
        return None
    if bare.lower().startswith("```json") or bare.startswith("{") or re.match(r"\[\s*\{", bare):
        return _Objects(language)
    return None if re.fullmatch(r"\[\s*", bare) else _Text(language)


# --- thoughts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    forget: bool = False
    """True when everything before was thinking, too: some servers leave out the tag that opens it."""


class _Thoughts:
    """Takes what a model thinks aloud out of what it says."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def feed(self, piece: str) -> _Said:
        held, self._held = self._held + piece, ""
        said, forget = "", False
        while True:
            if self._thinking:
                end = _THOUGHT.search(held)
                if end is None:
                    self._held = held[-16:]
                    return _Said(said, forget)
                held, self._thinking = held[end.end() :], False
                continue
            begin, end = _THINKING.search(held), _THOUGHT.search(held)
            if begin and (end is None or begin.start() < end.start()):
                said, held, self._thinking = said + held[: begin.start()], held[begin.end() :], True
            elif end:
                said, held, forget = "", held[end.end() :], True
            else:
                break
        maybe = _MAYBE_TAG.search(held)
        if maybe:
            held, self._held = held[: maybe.start()], maybe.group()
        return _Said(said + held, forget)

    def rest(self) -> str:
        """What was held back because it could have become a tag."""
        return "" if self._thinking else self._held


# --- text --------------------------------------------------------------------------------------------------------


class _Text:
    """Lines of prose, lists and tables, with markers such as [1]."""

    def __init__(self, language: str) -> None:
        self.looping = False
        self._language = language
        self._pending = ""
        self._begun = False
        """True when the beginning of the first pending line is no longer there."""
        self._told = 0
        """Sentences of what is there of it that were given out already."""
        self._over = False

    def feed(self, text: str) -> list[Composed]:
        self._pending += text
        found: list[Composed] = []
        while not self._over:
            line, broken, rest = self._pending.partition("\n")
            if not broken:
                break
            markers = markers_alone(rest)
            if markers is None:
                break  # whether a marker on the next line belongs to this one is not known yet
            found += self._of_line(line + rest[:markers])
            self._pending, self._told, self._begun = rest[markers:], 0, False
        if self._over:
            self._pending = ""
        elif "\n" not in self._pending:
            found += self._of_beginning()
        self.looping = len(self._pending) > _MAX_PENDING or _is_loop(self._pending[-_LOOP_CHARS:])
        return found

    def finish(self, *, complete: bool) -> list[Composed]:
        found: list[Composed] = []
        for line in self._pending.split("\n"):
            if not self._over:
                found += self._of_line(line)
                self._told, self._begun = 0, False
        if not complete and found and not ends_with_marker(self._pending):
            found.pop()
        self._pending = ""
        return found

    def _of_line(self, line: str) -> list[Composed]:
        """The sentences of a whole line, without those given out before."""
        read = self._read(line)
        if read is None:
            return []
        if _TRAILER.match(read.text) and not self._begun:
            self._over = True
            return []
        sentences = list(_sentences(read, _spans(read, self._language)))
        return [sentence for sentence in sentences[self._told :] if sentence.claim]

    def _of_beginning(self) -> list[Composed]:
        """The sentences of the unfinished line that nothing that comes can change."""
        line = settled(self._pending)
        read = self._read(line)
        if read is None or read.kind in (Kind.ROW, Kind.LEAD):
            return []
        spans = _spans(read, self._language)
        # A word that is still growing can change what the stop before it means: only what holds either way is sure.
        longer = {span.end for span in sentence_spans(read.text + "zz", self._language)}
        sure = next((i for i, span in enumerate(spans[:-1]) if span.end not in longer), len(spans) - 1)
        if sure <= self._told:
            return []
        found = list(_sentences(read, spans))[self._told : sure]
        self._told = sure
        cut = self._place_of(spans[sure - 1].end, line)
        if cut:
            self._pending, self._told, self._begun = self._pending[cut:], 0, True
        return [sentence for sentence in found if sentence.claim]

    def _read(self, line: str) -> Line | None:
        return prose(line) if self._begun else read_line(line)

    def _place_of(self, end: int, line: str) -> int:
        """Where in the line as written the first `end` characters of its text end, markers included; 0 when that is not plain."""
        places = [match.end() for match in SPACE.finditer(line)]

        def length(place: int) -> int:
            read = self._read(line[:place])
            return len(read.text) if read else 0

        place = bisect_right(places, end, key=length) - 1
        return places[place] if place >= 0 and length(places[place]) == end else 0


def _is_loop(text: str) -> bool:
    return len(text) == _LOOP_CHARS and bool(_LOOP.search(text))


def _spans(line: Line, language: str) -> list[Span]:
    whole = [Span(0, len(line.text))]
    return whole if line.kind is Kind.ROW else list(sentence_spans(line.text, language)) or whole


def _sentences(line: Line, spans: list[Span]) -> Iterator[Composed]:
    """The sentences of a line, each with the markers that stand in it or right after it."""
    starts = [span.start for span in spans]
    sources: list[list[int]] = [[] for _ in spans]
    for offset, named in line.markers:
        sources[max(0, bisect_left(starts, offset) - 1)] += named
    for number, span in enumerate(spans):
        claim = line.text[span.start : span.end]
        if _BARE_REPLY.match(claim) or not re.search(r"\w", claim):
            claim = ""
        kind = Kind.SENTENCE if line.kind is Kind.ITEM and number else line.kind
        if kind is Kind.SENTENCE and claim.endswith(":"):
            kind = Kind.LEAD
        text = f"{line.bullet}{claim}" if number == 0 and claim else claim
        yield Composed(text, claim, tuple(dict.fromkeys(sources[number])), kind)


# --- structured output -------------------------------------------------------------------------------------------


class _Objects:
    """`{"sentences": [{"text": …, "sources": [1]}]}`, object by object; what is not of this form says nothing."""

    def __init__(self, language: str) -> None:
        self.looping = False
        self._language = language
        self._pending = ""
        self._inside = False

    def feed(self, text: str) -> list[Composed]:
        self._pending += text
        found: list[Composed] = []
        if not self._inside:
            begin = re.search(r'"sentences"\s*:\s*\[|^\s*(?:```json)?\s*\[', self._pending)
            if begin is None:
                self.looping = len(self._pending) > _MAX_PENDING
                return []
            self._pending, self._inside = self._pending[begin.end() :], True
        while (end := _object_end(self._pending)) is not None:
            found += self._of_object(self._pending[:end])
            self._pending = self._pending[end:]
        self.looping = len(self._pending) > _MAX_PENDING
        return found

    def finish(self, *, complete: bool) -> list[Composed]:  # noqa: ARG002 - an object is whole, or it is not there
        self._pending = ""
        return []

    def _of_object(self, written: str) -> list[Composed]:
        try:
            value = json.loads(written[written.index("{") :], strict=False)
        except (ValueError, RecursionError):
            return []
        text, sources = value.get("text"), _named_sources(value.get("sources"))
        if not isinstance(text, str):
            return []
        lines = _Text(self._language)
        read = lines.feed(text) + lines.finish(complete=True)
        return [Composed(one.text, one.claim, tuple(dict.fromkeys((*one.sources, *sources))), one.kind) for one in read]


def _named_sources(value: Any) -> tuple[int, ...]:
    """The numbers in a list of sources, whether written as numbers or as text."""
    entries = value if isinstance(value, list) else [value]
    numbers = [
        number for entry in entries if isinstance(entry, (int, str)) for number in re.findall(r"\d+", str(entry))
    ]
    return tuple(dict.fromkeys(int(number) for number in numbers if 0 < int(number) <= MAX_SOURCE))


def _object_end(text: str) -> int | None:
    """Where the first object in `text` ends; None while it is open."""
    depth, quoted, position = 0, False, text.find("{")
    while 0 <= position < len(text):
        letter = text[position]
        if quoted:
            if letter == "\\":
                position += 1
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return None
