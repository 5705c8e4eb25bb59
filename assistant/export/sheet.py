"""What an exported file says, before it is Markdown or Word: paragraphs, footnotes, and the words around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.access import Label, join_labels
from assistant.changes import Compared, Comparison
from assistant.conversations import Turn, TurnKind, TurnState
from assistant.dates import written_date
from assistant.export.words import WORDS
from assistant.types import Citation, Sentence, Span, Verdict

Format = Literal["md", "docx", "pdf"]
FORMATS: Mapping[str, str] = {
    "md": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}

_VERSION_CHARS = 8
"""Of a version's name, a checksum: enough to tell a document's versions apart."""
_RIGHT_TO_LEFT_MARK = "\u200f"
_ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d3\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
# Controls, bidi overrides, zero-width space, tags, surrogates and non-characters: none of them is text.
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
    "|[\U000e0000-\U000e007f]"
)
_SPACE = re.compile("[^\\S\u00a0\u202f]+")  # no-break spaces stay


def clean(text: str) -> str:
    """The text on one line, without characters that are no text.

    >>> clean("un\\x00 délai\\u202e de\\n trente")
    'un délai de trente'
    """
    return _SPACE.sub(" ", _NO_TEXT.sub("", text)).strip()


_Place = tuple[str, str, Span]
"""(document id, version, span): where a quote stands."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to hand out."""

    name: str
    media_type: str
    content: bytes


def runs_rtl(text: str, *, otherwise: bool) -> bool:
    """Whether a text runs from right to left: more Arabic than Latin letters; `otherwise` where there are neither.

    >>> runs_rtl("المادة L. 12", otherwise=False), runs_rtl("12", otherwise=True)
    (True, True)
    """
    arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
    return arabic > latin if arabic or latin else otherwise


@dataclass(frozen=True, slots=True)
class Footnote:
    """A source, numbered through the whole sheet."""

    number: int
    """1-based."""
    quote: str
    source: str
    """Title, page, date and label, in the sheet's language."""


@dataclass(frozen=True, slots=True)
class SheetSentence:
    """A sentence and the footnotes it has."""

    text: str
    footnotes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SheetTurn:
    """A question and its answer."""

    question: str
    searched: str
    """In words; empty when the question was searched as it stands."""
    notice: str
    paragraphs: tuple[tuple[SheetSentence, ...], ...]
    remarks: tuple[str, ...]
    """What is said after the answer: notes on the sources, what is missing."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that an exported file says. Every text in it is clean, on one line."""

    title: str
    language: str
    label: str
    """In words."""
    date: str
    """In words."""
    day: str
    """ISO 8601."""
    turns: tuple[SheetTurn, ...]
    footnotes: tuple[Footnote, ...] = ()

    @property
    def words(self) -> Mapping[str, str]:
        """What stands around the text, in the sheet's language."""
        return WORDS[self.language]

    @property
    def needs_arabic(self) -> bool:
        """True when there is an Arabic letter anywhere in it."""
        return bool(_ARABIC.search(repr(self)))

    def file(self, format_: Format, content: bytes) -> ExportedFile:
        """The finished file. Its name says nothing of what is in it."""
        return ExportedFile(f"conversation-{self.day}.{format_}", FORMATS[format_], content)


def sheet_of(title: str, turns: Sequence[Turn], *, day: str) -> Sheet:
    """The sheet of these turns, as their reader may see them; `day` is the ISO date of the export."""
    languages = [language for turn in turns if (language := _language(turn))]
    language = languages[0] if languages else "fr"
    words = WORDS[language]
    labels = join_labels(Label.parse(label) for turn in turns for label in _labels(turn))
    footnotes: dict[_Place, Footnote] = {}
    several = _in_several_versions(turns)
    told = [_turn(turn, language, footnotes, several) for turn in turns]
    return Sheet(
        title=clean(title) or (told[0].question if told else words["title"]),
        language=language,
        label=words["label"].format(label=_label(str(labels), words)),
        date=words["exported"].format(date=written_date(day, language)),
        day=day,
        turns=tuple(told),
        footnotes=tuple(footnotes.values()),
    )


def _language(turn: Turn) -> str | None:
    if turn.comparison:
        return turn.comparison.after.language
    return turn.answer.language if turn.answer else None


def _labels(turn: Turn) -> Iterator[str]:
    if turn.answer:
        yield turn.answer.label
    if turn.comparison:
        yield from (text.label for text in (turn.comparison.before, turn.comparison.after) if text)


def _in_several_versions(turns: Sequence[Turn]) -> frozenset[str]:
    """The ids of documents of which these turns name more than one version: each is then named with its version."""
    versions: dict[str, set[str]] = {}
    for turn in turns:
        for document_id, version in turn.sources():
            versions.setdefault(document_id, set()).add(version)
    return frozenset(document_id for document_id, named in versions.items() if len(named) > 1)


def _turn(turn: Turn, language: str, footnotes: dict[_Place, Footnote], several: frozenset[str]) -> SheetTurn:
    """The turn; its sources go into `footnotes` in the order in which they are first named, each place once.

    Documents in `several` versions have theirs named.
    """
    words = WORDS[language]
    numbers: dict[int, int] = {}

    def noted(citation: Citation) -> int:
        place = (citation.document_id, citation.version, citation.span)
        version = citation.version if citation.document_id in several else ""
        return footnotes.setdefault(place, _footnote(len(footnotes) + 1, citation, version, words, language)).number

    own = WORDS[_language(turn) or language]  # what is said of an answer is for whoever reads that answer
    if turn.comparison:
        paragraphs = tuple(_changes(turn.comparison, words, language, noted))
    else:
        paragraphs = tuple(filter(None, _said(turn, own, numbers, noted)))
    searched = own["searched"].format(question=clean(turn.searched)) if turn.searched != turn.question else ""
    cited = any(sentence.footnotes for paragraph in paragraphs for sentence in paragraph)
    return SheetTurn(
        _asked(turn, words),
        searched,
        _notice(turn, own) if cited else "",
        paragraphs,
        tuple(_remarks(turn, own, numbers)),
    )


def _asked(turn: Turn, words: Mapping[str, str]) -> str:
    """The question; for a summary and a comparison, what they are of."""
    if turn.kind is TurnKind.QUESTION:
        return clean(turn.question)
    titles = [clean(each.title) or words["gone"] for each in turn.read] or [words["gone"]]
    if turn.kind is TurnKind.SUMMARY:
        return words["summary_of"].format(title=titles[0])
    if len({each.document_id for each in turn.read}) > 1:
        return words["comparison_of"].format(one=titles[0], other=titles[-1])
    return words["changes_of"].format(title=titles[0])


def _said(
    turn: Turn, words: Mapping[str, str], numbers: dict[int, int], noted: Callable[[Citation], int]
) -> Iterator[tuple[SheetSentence, ...]]:
    """The paragraphs of an answer, leads in one of their own; `numbers` learns which footnote each marker has."""
    answer = turn.answer
    if answer is None:
        return
    cited = {citation.marker: citation for citation in answer.citations}

    def told(sentence: Sentence) -> SheetSentence:
        for marker in sentence.markers:
            if marker in cited and marker not in numbers:
                numbers[marker] = noted(cited[marker])
        own = tuple(numbers[marker] for marker in sentence.markers if marker in numbers)
        return SheetSentence(clean(sentence.text), own)

    if not answer.sentences and answer.text:
        yield (SheetSentence(clean(answer.text), ()),)
    if answer.leads:
        yield (SheetSentence(words["leads"], ()),)
    yield tuple(map(told, answer.sentences or answer.leads))


def _changes(
    comparison: Comparison, words: Mapping[str, str], language: str, noted: Callable[[Citation], int]
) -> Iterator[tuple[SheetSentence, ...]]:
    """For each change a line that says what kind it is and where it stands, and one for each side."""
    before, after = comparison.before, comparison.after
    if before and before.document_id == after.document_id:
        named = (_version(text, language) for text in (before, after))
        yield (SheetSentence(words["versions"].format(before=next(named), after=next(named)), ()),)
    if not comparison.changes:
        yield (SheetSentence(words["unchanged" if comparison.before else "one_version"], ()),)
    for number, change in enumerate(comparison.changes, start=1):
        says = [words[change.kind], *([words["moved"]] if change.moved else []), clean(change.heading)]
        yield (SheetSentence(f"{number}. {' · '.join(filter(None, says))}", ()),)
        for name, side in (("before", change.before), ("after", change.after)):
            if side:
                yield (SheetSentence(words[name].format(text=clean(side.text)), (noted(side.citation),)),)


def _version(text: Compared, language: str) -> str:
    date = f" ({written_date(text.date, language)})" if text.date else ""
    return f"{text.version[:_VERSION_CHARS]}{date}"


def _notice(turn: Turn, words: Mapping[str, str]) -> str:
    answer = turn.answer
    if turn.comparison:
        return words["compared"]
    # A model that repeats its sources word for word has written the answer all the same. A stopped turn names none.
    if answer is None or (
        answer.model in ("", "quotes") and all(each.verdict is Verdict.QUOTED for each in answer.sentences)
    ):
        return words["quoted"]
    return words["composed"].format(model=clean(answer.model) or "…")


def _remarks(turn: Turn, words: Mapping[str, str], numbers: Mapping[int, int]) -> list[str]:
    remarks = [_renumbered(clean(note), numbers) for note in (turn.answer.notes if turn.answer else ())]
    if turn.state is TurnState.STOPPED:
        remarks.append(words["stopped"])
    elif turn.state is TurnState.FAILED:
        remarks.append(words["failed"])
    if turn.answer is None and turn.kind is not TurnKind.CHANGES:
        remarks.append(words["none"])
    elif turn.answer and turn.answer.withheld:
        remarks.append(words["withheld"].format(count=turn.answer.withheld))
    if turn.comparison and turn.comparison.left_out:
        remarks.append(words["left_out"].format(count=turn.comparison.left_out))
    if turn.hidden:
        hidden = "hidden_changes" if turn.kind is TurnKind.CHANGES else "hidden"
        remarks.append(words[hidden].format(count=turn.hidden))
    return remarks


def _renumbered(note: str, numbers: Mapping[int, int]) -> str:
    """The note with the numbers of the footnotes in the place of the answer's own markers."""
    return re.sub(r"\[(\d+)\]", lambda m: f"[{numbers.get(int(m.group(1)), m.group(1))}]", note)


def _footnote(number: int, citation: Citation, version: str, words: Mapping[str, str], language: str) -> Footnote:
    parts = [clean(citation.title) or clean(citation.file_name)]
    if version:
        parts.append(words["version"].format(version=version[:_VERSION_CHARS]))
    if citation.page_number is not None:
        parts.append(words["page"].format(page=citation.page_number))
    parts.append(written_date(citation.date, language) if citation.date else words["undated"])
    parts.append(_label(citation.label, words))
    # After a title in Latin letters the mark keeps the number that follows out of the title's left-to-right run.
    comma = f"{_RIGHT_TO_LEFT_MARK}، " if language == "ar" else ", "
    return Footnote(number, words["quote"].format(quote=clean(citation.quote)), comma.join(parts))


def _label(label: str, words: Mapping[str, str]) -> str:
    """The label in words; compartments stay as they are written."""
    level, _, compartments = label.partition("/")
    named = words.get(level, level)
    return f"{named} / {compartments}" if compartments else named
