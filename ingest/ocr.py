"""Scans, one page at a time: words, boxes and confidence.

Most pages are read once, with the one model that their document's first page called for: a second model costs a tenth
of the time on Latin script and doubles it on Arabic, where it also loses words (0.87 down to 0.83 of them; demo pages, 2026-11).
Only where the first reading is doubtful are other directions, scripts and sizes tried; the reading with the most certain
letters is kept. Tesseract's own detection of direction and script takes as long as a reading, so it waits for a doubt, too.

tesseract is an optional system part. Without it a page that is only a picture is reported as needing OCR; nothing is
passed over in silence.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.language import TABLE_CELL, detect_language
from assistant.types import Box
from ingest import tesseract
from ingest.ink import LEAST_CELLS, is_specked, unread_part, without_ink, without_specks
from ingest.layout import Line
from ingest.ocrfigures import read_again
from ingest.ocrlines import OcrWord, Row, rows
from ingest.parsing import ParsingSettings
from ingest.posture import Frame, Posture, densest_band, posture_of, turned
from ingest.tesseract import OcrFailed

if TYPE_CHECKING:
    from PIL import Image

NOT_INSTALLED = "tesseract is not installed; install the package tesseract-ocr with fra and ara"
SWITCHED_OFF = "the page is a picture and OCR is switched off; set ingest.ocr = true"
READER = 5
"""Raised whenever the same picture would be read otherwise; pages that an earlier one kept are then read again."""

_MODELS = {"fr": "fra", "ar": "ara", "en": "eng"}
_LANGUAGES = {model: language for language, model in _MODELS.items()}
_ARABIC = "ara"
_PAGE_TIMEOUT_S = 120.0
"""For all readings of a page together."""
_DOUBT_TIMEOUT_S, _DOUBT_READINGS = 30.0, 8.0
"""Once a page has been read, other ways of reading it may take so long, or so many times as long as that, if that is more."""
_UNREAD = "part of it has ink but no legible words, as under a stamp; please check it"
_LEAST_CONFIDENCE = 20.0
"""Of 100. Below this tesseract reads specks and lines of drawings as letters."""
_CERTAIN = 60.0
_DOUBTFUL = 70.0
"""Mean confidence. The wrong script, or a page upside down, gives 25 to 45; a fair page 85 (Arabic) to 96 (demo, 2026-11)."""
_FOREIGN = 45.0
"""Mean confidence of a reading in the wrong script; a fair reading of a bad page has more."""
_MANY_UNCERTAIN = 0.25
"""Share of the words. Arabic demo pages have 0.08 to 0.15 without any Latin word on them; a page in two scripts has 0.4."""
_FEW_WORDS = 8
_SMALL_WORD = {_ARABIC: 20.0}
_SMALL_LATIN_WORD = 16.0
"""Pixels of median word height: 11-point text at 110 dpi. Below, 0.87 to 0.99 of the words are right, 0.99 once enlarged."""
_GOOD_WORD = 28.0
_MOST_ENLARGED = 4.0
_MOST_PIXELS = 60_000_000
_INDIC_FIGURE = re.compile("[١-٩۱-۹]|[٠۰]{2}")
_UNSURE = 0.5
"""What a page with Arabic-Indic digits is worth at most: the Arabic model has hardly one of their numbers right (2026-11-23), and
is sure of many. A lone zero is no digit but how it reads the dot before an item."""
_LEAST_SOUNDED = 1000
"""Pixels of height. A smaller picture is read whole as quickly as in part."""
_SOUNDED_SHARE = 0.07
"""Of the height: three or four lines of a letter."""


@dataclass(frozen=True, slots=True)
class Hint:
    """How the first scanned page of a document was read; its other pages are tried like that first."""

    models: str
    turns: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a page; no lines when nothing is legible.

    `confidence` is the mean of its words, from 0 to 1; 0.5 at most where it has Arabic-Indic digits, which are mostly misread.
    """

    lines: tuple[Line, ...]
    confidence: float
    hint: Hint | None
    note: str = ""
    """What the archivist should know of the page."""


def refusal(settings: ParsingSettings) -> str | None:
    """Why a page that is only a picture cannot be read here; None when it can."""
    if not settings.ocr:
        return SWITCHED_OFF
    if not _models(tuple(settings.languages)):
        return NOT_INSTALLED
    return None


def workers() -> int:
    """How many pages are recognised at once: the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_page(picture: Image.Image, languages: Sequence[str], hint: Hint | None = None) -> Reading:
    """The words of a page that may lie sideways, upside down or askew. Boxes of words are on `picture` as it is, grey or RGB.

    `languages` are those of the instance, the likeliest first. Raises OcrFailed when tesseract fails on the page.
    """
    return _Reader(picture, _models(tuple(languages)), hint).reading()


# --- one page, read until there is no doubt ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Attempt:
    models: str
    posture: Posture
    scale: float
    frame: Frame
    words: tuple[OcrWord, ...]

    @property
    def confidence(self) -> float:
        return statistics.fmean(word.confidence for word in self.words) if self.words else 0.0

    @property
    def certain_letters(self) -> float:
        return sum(len(word.text) * word.confidence for word in self.words if word.confidence >= _CERTAIN)

    @property
    def doubtful(self) -> bool:
        return self.confidence < _DOUBTFUL

    @property
    def uncertain_share(self) -> float:
        return sum(word.confidence < _CERTAIN for word in self.words) / max(1, len(self.words))


class _Reader:
    """The attempts at one page; the best so far is `self._best`."""

    def __init__(self, picture: Image.Image, models: tuple[str, ...], hint: Hint | None) -> None:
        self._coloured = picture if picture.mode == "RGB" else None
        grey = picture.convert("L")
        self._picture = without_specks(grey) if is_specked(grey) else grey
        self._models = models
        self._given = hint
        self._hint = hint or Hint(models[0], 0)
        self._deadline = time.monotonic() + _PAGE_TIMEOUT_S
        self._tried: set[tuple[int, str, int, float]] = set()
        self._best: _Attempt | None = None

    def reading(self) -> Reading:
        began = time.monotonic()
        posture = posture_of(self._picture)
        if posture.blank:
            return Reading((), 0.0, None)
        turns = self._hint.turns if self._hint.turns % 2 == posture.turns else posture.turns
        posture = replace(posture, turns=turns)
        best = self._try(self._hint.models if self._given else self._sounded(posture), posture)
        now = time.monotonic()
        self._deadline = min(self._deadline, now + max(_DOUBT_TIMEOUT_S, _DOUBT_READINGS * (now - began)))
        best = self._enlarged(best)
        if best.doubtful:
            best = self._in_other_ways(best)
        best = self._without_stamps(best)
        best = self._with_figures(self._in_both_scripts(self._in_its_language(best)))
        words = tuple(word for word in best.words if word.confidence >= _LEAST_CONFIDENCE)
        if not words:
            return Reading((), 0.0, None)
        confidence = statistics.fmean(word.confidence for word in words) / 100
        note = _UNREAD if self._has_unread_part(best) else ""
        if note or any(_INDIC_FIGURE.search(word.text) for word in words):
            confidence = min(confidence, _UNSURE)
        lines = tuple(_line(row, best) for row in rows(words))
        return Reading(lines, round(confidence, 3), Hint(best.models, best.posture.turns), note)

    def _without_stamps(self, best: _Attempt) -> _Attempt:
        """A page with coloured ink in the midst of its lines is read again without, but for the words that were read."""
        if self._coloured is None or not best.words or not self._has_unread_part(best, least_cells=1):
            return best
        return self._of_another_picture(without_ink(self._coloured, _boxes(best)), best)

    def _of_another_picture(self, picture: Image.Image, best: _Attempt) -> _Attempt:
        """The better of `best` and the reading of this picture of the same page, which is then the one that is worked on."""
        before, self._picture = self._picture, picture
        again = self._try(best.models, best.posture, best.scale)
        if again is best:
            self._picture = before
        return again

    def _has_unread_part(self, best: _Attempt, least_cells: int = LEAST_CELLS) -> bool:
        height = statistics.median(word.height for word in best.words)
        return unread_part(best.frame.picture, _upright_boxes(best), height, least_cells=least_cells)

    def _sounded(self, posture: Posture) -> str:
        """The model that some lines of the page call for: a tenth of the cost of finding out by a whole reading."""
        if len(self._models) < 2 or self._picture.height < _LEAST_SOUNDED:
            return self._models[0]
        frame = turned(self._picture, posture)
        top, bottom = densest_band(frame.picture, _SOUNDED_SHARE)
        strip = replace(frame, picture=frame.picture.crop((0, top, frame.picture.width, bottom)))
        first, other = self._models[0], self._of_other_script(self._models[0])
        attempt = self._heard(strip, first, posture)
        if attempt.words and not attempt.doubtful:
            return self._model_of_language(attempt)
        if other is None:
            return first
        if len(attempt.words) >= _FEW_WORDS and attempt.confidence < _FOREIGN:
            return other
        second = self._heard(strip, other, posture)
        if second.words and not second.doubtful:
            return self._model_of_language(second)
        return other if second.certain_letters > attempt.certain_letters else first

    def _heard(self, strip: Frame, models: str, posture: Posture) -> _Attempt:
        return _Attempt(models, posture, 1.0, strip, self._strip_words(strip, models))

    def _strip_words(self, strip: Frame, models: str) -> tuple[OcrWord, ...]:
        try:
            return tesseract.words(strip.picture, models, max(1.0, self._deadline - time.monotonic()))
        except OcrFailed:
            return ()

    def _try(self, models: str, posture: Posture, scale: float = 1.0) -> _Attempt:
        """The better of this reading and the best before it. A reading that was made before is not made again."""
        key = (id(self._picture), models, posture.turns % 4, scale)
        remaining = self._deadline - time.monotonic()
        if self._best is not None and (key in self._tried or remaining <= 0):
            return self._best
        self._tried.add(key)
        frame = turned(self._picture, posture, scale=scale)
        try:
            attempt = _Attempt(
                models, posture, scale, frame, tesseract.words(frame.picture, models, max(1.0, remaining))
            )
        except OcrFailed:
            if self._best is None:
                raise
            return self._best
        if self._best is None or attempt.certain_letters > self._best.certain_letters:
            self._best = attempt
        return self._best

    def _enlarged(self, best: _Attempt) -> _Attempt:
        """Small print, as of a page scanned at 110 dpi, is read again from a larger picture."""
        pixels = self._picture.width * self._picture.height
        if best.scale > 1 or pixels == 0:
            return best
        height = statistics.median(word.height for word in best.words) if best.words else _SMALL_LATIN_WORD - 1
        if height >= _SMALL_WORD.get(best.models, _SMALL_LATIN_WORD):
            return best
        scale = min(_GOOD_WORD / max(height, 1.0), _MOST_ENLARGED, (_MOST_PIXELS / pixels) ** 0.5)
        return self._try(best.models, best.posture, round(scale, 2)) if scale > 1.2 else best

    def _in_other_ways(self, best: _Attempt) -> _Attempt:
        """Another direction or script: first what tesseract makes of the page, else one after the other."""
        for models, turns in self._alternatives(best):
            best = self._try(models, replace(best.posture, turns=turns % 4), best.scale)
            best = self._enlarged(best)
            if not best.doubtful:
                break
        return best

    def _alternatives(self, best: _Attempt) -> Iterator[tuple[str, int]]:
        turns = best.posture.turns
        other = self._of_other_script(best.models)
        if other is not None and not self._given:
            yield other, turns
        seen = tesseract.orientation(best.frame.picture, max(1.0, self._deadline - time.monotonic()))
        if seen is not None:
            quarter_turns, arabic = seen
            right = best.models if arabic == (best.models == _ARABIC) or other is None else other
            yield right, turns + quarter_turns
        yield best.models, turns + 2
        if other is not None:
            yield other, turns
            yield other, turns + 2

    def _in_its_language(self, best: _Attempt) -> _Attempt:
        """English that was read with the French model is read with the English one, which knows its words."""
        if len(best.words) < 2 * _FEW_WORDS or best.doubtful:
            return best
        return self._try(self._model_of_language(best), best.posture, best.scale)

    def _model_of_language(self, attempt: _Attempt) -> str:
        latin = [model for model in self._models if model != _ARABIC]
        if attempt.models not in latin or len(latin) < 2 or len(attempt.words) < _FEW_WORDS:
            return attempt.models
        text = " ".join(word.text for word in attempt.words)
        among = [_LANGUAGES[model] for model in latin]
        return _MODELS[detect_language(text, among=among, default=_LANGUAGES[attempt.models])]

    def _in_both_scripts(self, best: _Attempt) -> _Attempt:
        """A page in two scripts has many uncertain words in one of them."""
        other = self._of_other_script(best.models)
        if other is None or len(best.words) < _FEW_WORDS or best.uncertain_share < _MANY_UNCERTAIN:
            return best
        return self._try(f"{best.models}+{other}", best.posture, best.scale)

    def _with_figures(self, best: _Attempt) -> _Attempt:
        """What an Arabic model read as figures is read again by a Latin one."""
        latin = next((model for model in reversed(self._models) if model != _ARABIC), None)
        remaining = self._deadline - time.monotonic()
        if _ARABIC not in best.models or latin is None or remaining <= 0:
            return best
        try:
            words = read_again(
                best.frame.picture, best.words, lambda sheet: tesseract.words(sheet, latin, remaining, layout=6)
            )
        except OcrFailed:
            return best
        return replace(best, words=words)

    def _of_other_script(self, models: str) -> str | None:
        if "+" in models:
            return None
        return next((model for model in self._models if (model == _ARABIC) != (models == _ARABIC)), None)


def _models(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the installed tesseract models for `languages`, in that order; empty without tesseract."""
    return tuple(_MODELS[name] for name in languages if _MODELS.get(name) in tesseract.installed().models)


def _boxes(attempt: _Attempt) -> list[Box]:
    """Where the certain words are on the page as shown."""
    certain = (word for word in attempt.words if word.confidence >= _CERTAIN)
    return [attempt.frame.shown(word.left, word.top, word.right, word.bottom) for word in certain]


def _upright_boxes(attempt: _Attempt) -> list[Box]:
    """Where the certain words are on the picture that was read."""
    width, height = attempt.frame.picture.size
    return [
        Box(word.left / width, word.top / height, word.right / width, word.bottom / height)
        for word in attempt.words
        if word.confidence >= _CERTAIN
    ]


# --- from words to lines -------------------------------------------------------------------------------------------


def _line(row: Row, attempt: _Attempt) -> Line:
    """Boxes of words are on the page as shown; where the line itself lies is told as if the page were upright."""
    text, placed = "", []
    for number, cell in enumerate(row.cells):
        text += TABLE_CELL if number else ""
        top, bottom = min(word.top for word in cell), max(word.bottom for word in cell)
        for place, word in enumerate(cell):
            text += " " if place else ""
            box = attempt.frame.shown(word.left, top, word.right, bottom)
            placed.append((len(text), len(text) + len(word.text), box))
            text += word.text
    words = [word for cell in row.cells for word in cell]
    width, height = attempt.frame.picture.size
    left, right = min(word.left for word in words) / width, max(word.right for word in words) / width
    top, bottom = min(word.top for word in words) / height, max(word.bottom for word in words) / height
    whole = Box(max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom))
    size = row.size / attempt.scale / attempt.frame.shown_height
    return Line(text, tuple(placed), whole, whole.bottom, size, cells=len(row.cells), new_paragraph=row.new_paragraph)
