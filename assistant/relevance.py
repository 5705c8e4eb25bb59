"""How well a sentence answers a question, and how far evidence can be trusted to hold the answer.

Both look at the question's content words, each weighed by its rarity among the passages this reader may see, and at what kind of
answer the question asks for: "how many" wants a number, "when" a date. Languages are treated alike; only the cue words differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.answer_kinds import AnswerKind, answer_kind, counts_otherwise, lacks_kind, shows_kind, values, years
from assistant.articles import asked_articles, asked_texts, asks_for_text, names_itself, opened_articles
from assistant.designations import speaks_of_another
from assistant.language import TABLE_CELL, sentence_spans
from assistant.lexical import Lexicon
from assistant.questions import addresses_assistant
from assistant.tables import heads_table, in_range
from assistant.types import Evidence, Passage
from assistant.units import references
from assistant.wanted import Wanted

FEATURES = (
    "sentence",
    "passage",
    "rarest_missing",
    "names_missing",
    "kind_missing",
    "kind_elsewhere",
    "counts_otherwise",
    "years_missing",
    "numbers_missing",
    "word_margin",
    "cosine",
    "question_terms",
)
"""What support is computed from; each is between 0 and 1."""

NO_SUPPORT = dict.fromkeys(FEATURES, 0.0) | {"rarest_missing": 1.0, "kind_missing": 1.0, "kind_elsewhere": 1.0}
"""The features of a question for which nothing was found."""

_CONTEXT_SHARE = 0.5
"""What a question's word counts when it stands beside the sentence (title, headings, the sentence before) and not in it."""
_KIND_FOUND, _KIND_MISSING = 1.25, 0.8
_UNDER_HEADING = 0.75
"""A sentence without a word of the question may answer it where title and headings above it hold this much of it."""
_QUESTION_SHARE = 0.6
"""A sentence that asks seldom answers."""
_OTHER_LANGUAGE_SHARE = 0.6
"""What a sentence in another language than the question counts: what the two share are names and chance likenesses."""
_ROW_NAME = re.compile(r"\b(?:[A-Z]|\d{1,2})\b(?!['’])")
_NAMED_ROW = 1.5
_NAMED_ARTICLE = 2.0
"""What a sentence counts that begins the article whose text is asked for, where articles have no headings. Of a question for a
sum or a period the answer may stand in another article that refers to this one."""
_OPENING_CHARS = 100
_HEADER_SHARE = 0.3
"""What the header row of a table counts: it comes with the rows that answer."""
_FITS_AS_WELL = 0.85
_HARDLY = 0.4
_LOOSE_DIVISIONS = ("annex:", "chap:")
"""Parts of a text that are not always named where they begin."""
_LEAST_OF_A_GIVEN_SUBJECT = 0.3


_GIVEN_SUBJECT = re.compile(r"\(([^()]+)\)\W*$")
_LAYOUT = re.compile(r"[\s\-\u00ad\u2010]+")


class SentenceRelevance:
    """Scores sentences against a question."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def score(self, evidence: Evidence, sentences: Sequence[str], language: str) -> list[float]:
        """How well each sentence answers `evidence.question`, in their order; 0 is not at all, good ones come near 1.

        The rarity-weighted share of the question's words that the sentence holds (half for those beside it in its
        passage), more where the sentence shows the kind of thing asked for. The encoder has found the passage and has no say
        here: its likeness as a share of the score finds 1.4 more of a hundred answers and makes 5 more citations of a hundred
        wrong; scaled from the least alike of eight it changes little and takes longer (tuning questions, 2026-11-23).
        """
        if not sentences:
            return []
        wanted = Wanted(evidence.question, language, evidence.term_weights, self._lexicon)
        known = _known_lines(evidence.question, _matches(evidence, wanted), wanted)
        return [
            _score(evidence.question, known.get(_letters(text)) or _Line(text, wanted.held(text), {}), wanted)
            for text in sentences
        ]


def _score(question: str, line: _Line, wanted: Wanted) -> float:
    """How well a line answers, from its words and the kind of thing it shows."""
    if line.is_asked_article is not None and asks_for_text(question):
        return float(line.is_asked_article)
    own = _union([line.own, line.header]) if line.header and in_range(question, line.text) else line.own
    if not own and wanted.coverage(line.beside) < _UNDER_HEADING:
        return 0.0
    if wanted.designations and speaks_of_another(line.text, wanted.designations):
        return 0.0
    together = {term: max(own.get(term, 0.0), _CONTEXT_SHARE * share) for term, share in line.beside.items()}
    score = wanted.coverage({**own, **together})
    kind = answer_kind(question)
    if kind is not AnswerKind.ANY:
        score *= _KIND_FOUND if shows_kind(line.text, kind, question) else _KIND_MISSING
    elif wanted.articles and not wanted.articles.isdisjoint(references(line.text[:_OPENING_CHARS])):
        score *= _NAMED_ARTICLE
    if line.is_header:
        score *= _HEADER_SHARE
    asks_back = line.text.rstrip().endswith(("?", "؟"))
    return score * _row_share(question, line.text) * (_QUESTION_SHARE if asks_back else 1.0) * line.share


def _row_share(question: str, sentence: str) -> float:
    """More for the table row that the question names, less for the others.

    By its letter or number ("tranche D", "level 3"), or by a range that has a figure of the question in it ("De 6 à 8,99 m").
    """
    if TABLE_CELL not in sentence:
        return 1.0
    fits = in_range(question, sentence)
    if fits is None:
        first = sentence.split(TABLE_CELL, 1)[0].strip()
        named = set(_ROW_NAME.findall(question))
        if not named or not _ROW_NAME.fullmatch(first):
            return 1.0
        fits = first in named
    return _NAMED_ROW if fits else 1 / _NAMED_ROW


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence, list item or table row among what stands around it."""

    text: str
    own: Mapping[int, float]
    """What it holds of the question; with the names of its article, where that is asked for."""
    beside: Mapping[int, float]
    """What title, headings and the sentence before it hold: of a table row not the row before it but the table's header, of a
    list item the sentence that opens the list."""
    share: float = 1.0
    """What it counts for the language it is in."""
    header: Mapping[int, float] = field(default_factory=dict)
    """What the header of its table holds, which is quoted with it; of a row alone."""
    is_header: bool = False
    """Of a table: it says what the columns are, and answers nothing."""
    is_asked_article: bool | None = None
    """Whether it is in the article that the question names; None where it names none, or none was found."""


@dataclass(frozen=True, slots=True)
class _Match:
    """What one passage holds of the question."""

    above: dict[int, float]
    """In title and headings."""
    is_named: bool
    """True when the question names the very article that its headings are those of: all its sentences are then about it."""
    share: float
    """What its sentences count for the language they are in."""
    around: str
    """The passage with its title, headings and date."""
    sentences: tuple[tuple[str, dict[int, float]], ...]

    name: str
    """Title and file name of its document."""
    headings: tuple[str, ...]
    document_id: str
    articles: tuple[frozenset[str], ...]
    """Of each sentence, the articles whose text it is."""

    def lines(self, asked: Sequence[bool] | None = None) -> Iterator[_Line]:
        """The sentences in their order. `asked` says of each whether it is in the article asked for."""
        previous: dict[int, float] = {}
        opening: dict[int, float] | None = None
        in_table = False
        for position, (text, held) in enumerate(self.sentences):
            is_row = TABLE_CELL in text
            is_header = False
            if is_row != in_table:
                opening, in_table = (held if is_row else None), is_row
                following = self.sentences[position + 1][0] if position + 1 < len(self.sentences) else ""
                is_header = is_row and heads_table(text, following, self.headings)
            beside = _union([self.above, previous if opening is None or opening is held else opening])
            header = opening if is_row and opening is not None and opening is not held else {}
            yield _Line(text, held, beside, self.share, header, is_header, asked[position] if asked else None)
            if text.endswith(":"):
                opening = held
            elif opening is not None and not is_row and text.endswith((".", "؟", "?", "!")):
                opening = None
            previous = held

    def whole(self) -> dict[int, float]:
        """In all of it."""
        return _union([self.above, *(held for _, held in self.sentences)])


def support_features(
    evidence: Evidence, lexicon: Lexicon, *, word_scores: Sequence[float], cosines: Sequence[float]
) -> dict[str, float]:
    """`FEATURES` of evidence that has at least one passage.

    They are about the best sentence, as `SentenceRelevance` scores without an encoder, and what stands around it.
    They are `NO_SUPPORT` for a follow-up question about something that the best passage does not speak of, and for one that
    names a thing by a number ("dossier 1067") where the passage has only other numbers of it.
    `word_scores` and `cosines` are the best scores of the word and of the dense route, best first.
    """
    question = evidence.question
    wanted = Wanted(question, evidence.language, evidence.term_weights, lexicon)
    matches = _matches(evidence, wanted)
    best = _best_sentence(question, matches, wanted)
    kind = answer_kind(question)
    whole = best.match.whole()
    if (
        addresses_assistant(question)
        or _misses_its_subject(question, evidence.language, wanted, whole)
        or _misses_its_article(question, matches)
        or speaks_of_another(best.match.around, wanted.designations)
    ):
        return dict(NO_SUPPORT)
    asked_years = years(question)
    asked_numbers = [number for number in values(question) if number not in asked_years]
    return {
        "sentence": wanted.coverage(best.held),
        "passage": wanted.coverage(whole),
        "rarest_missing": wanted.rarest_missing(whole),
        "names_missing": _names_missing(matches, wanted),
        "kind_missing": float(lacks_kind(best.text, kind, question, evidence.language)),
        "kind_elsewhere": _kind_elsewhere(question, kind, matches, wanted),
        "counts_otherwise": float(counts_otherwise(best.text, question)),
        "years_missing": _share_missing(asked_years, years(best.match.around)),
        "numbers_missing": _share_missing(asked_numbers, values(best.match.around)),
        "word_margin": _margin(word_scores),
        "cosine": max(0.0, cosines[0]) if cosines else 0.0,
        "question_terms": min(1.0, len(wanted.weights) / 12),
    }


def _misses_its_subject(question: str, language: str, wanted: Wanted, whole: Mapping[int, float]) -> bool:
    """True when a question that was given a subject in brackets (`rewriting`) finds less than a third of it."""
    given = _GIVEN_SUBJECT.search(question)
    weights = wanted.weights_of(given[1], language) if given else {}
    return sum(weight * whole.get(term, 0.0) for term, weight in weights.items()) < _LEAST_OF_A_GIVEN_SUBJECT * sum(
        weights.values()
    )


def _misses_its_article(question: str, matches: Sequence[_Match]) -> bool:
    """True when the question names an article and nothing that was found is in it or mentions it, in the text that it names."""
    wanted = frozenset(unit for unit in asked_articles(question) if not unit.startswith(_LOOSE_DIVISIONS))
    if not wanted:
        return False
    of_text = _of_asked_text(question, matches)
    if not of_text and not any(asked_texts(question) & references(match.around) for match in matches):
        return True
    found = [match.around for match in matches if match.document_id in of_text or not of_text]
    return not any(wanted & references(around) or wanted & _numbered_sections(around) for around in found)


def _numbered_sections(text: str) -> frozenset[str]:
    """Sections by their number alone: "2. Durée", "2.1 Plafond"."""
    numbers = re.findall(r"(?m)^\s*(\d+(?:\.\d+)*)[.)]?\s+\S", text)
    return frozenset(f"{kind}:{number}" for number in numbers for kind in ("art", "sec"))


def _of_asked_text(question: str, matches: Sequence[_Match]) -> frozenset[str]:
    """Ids of the documents that are the text which the question names by its number; all where it names none."""
    wanted = asked_texts(question)
    return frozenset(
        match.document_id
        for match in matches
        if not wanted
        or any(
            names_itself(text, wanted) for text in (match.name, *match.headings, *(text for text, _ in match.sentences))
        )
    )


def _in_asked_article(question: str, matches: Sequence[_Match], wanted: Wanted) -> list[list[bool]] | None:
    """For each sentence of each match whether it is in the article that the question names; None where it names none or none is.

    Of several documents that have such an article, those that the rest of the question fits best.
    """
    if not wanted.articles:
        return None
    of_text = _of_asked_text(question, matches) or {match.document_id for match in matches}
    fits: dict[str, float] = {}
    for match in matches:
        if match.document_id in of_text and any(wanted.articles & own for own in match.articles):
            fits[match.document_id] = max(fits.get(match.document_id, 0.0), wanted.coverage(match.whole()))
    if not fits:
        return None
    least = _FITS_AS_WELL * max(fits.values())
    return [
        [fits.get(match.document_id, -1.0) >= least and bool(wanted.articles & own) for own in match.articles]
        for match in matches
    ]


@dataclass(frozen=True, slots=True)
class _Best:
    """The sentence that answers best, what it holds of the question, and its passage."""

    text: str
    held: dict[int, float]
    match: _Match


def _best_sentence(question: str, matches: Sequence[_Match], wanted: Wanted) -> _Best:
    best, best_score = _Best("", {}, matches[0]), -1.0
    for rank, (match, lines) in enumerate(zip(matches, _lines(question, matches, wanted), strict=True)):
        for line in lines:
            score = _score(question, line, wanted) * _rank_prior(rank + 1)
            if score > best_score:
                best, best_score = _Best(line.text, _union([line.own, line.header]), match), score
    return best


def _kind_elsewhere(question: str, kind: AnswerKind, matches: Sequence[_Match], wanted: Wanted) -> float:
    """By how much the sentence that holds most of the question outdoes the best that shows what is asked for; 0 to 1."""
    best = showing = 0.0
    for match in matches:
        for text, held in match.sentences:
            coverage = wanted.coverage(_union([held, _scaled(match.above)]))
            best = max(best, coverage)
            if coverage > showing and not lacks_kind(text, kind, question, wanted.language):
                showing = coverage
    return 1 - showing / best if best > 0 else 1.0


def _names_missing(matches: Sequence[_Match], wanted: Wanted) -> float:
    """The share of the proper names of the question that nothing found has: a place, a person or a body of somewhere else."""
    held = _union([match.whole() for match in matches])
    missing = sum(held.get(name, 0.0) < _HARDLY for name in wanted.names)
    return missing / len(wanted.names) if wanted.names else 0.0


def _rank_prior(rank: int) -> float:
    """How far a sentence is believed for the place of its passage, 1-based: a good passage speaks for its sentences."""
    return 1 / (1 + 0.04 * (rank - 1))


def _share_missing(asked: Sequence[str], around: Sequence[str]) -> float:
    """The share of the question's numbers that neither the passage nor its title, headings or date have."""
    return sum(number not in around for number in asked) / len(asked) if asked else 0.0


def _matches(evidence: Evidence, wanted: Wanted) -> list[_Match]:
    return [_match(scored.passage, wanted) for scored in evidence.passages]


def _lines(question: str, matches: Sequence[_Match], wanted: Wanted) -> list[list[_Line]]:
    """The lines of each match."""
    asked = _in_asked_article(question, matches, wanted)
    return [list(match.lines(asked[position] if asked else None)) for position, match in enumerate(matches)]


def _match(passage: Passage, wanted: Wanted) -> _Match:
    texts = [passage.text[span.start : span.end] for span in sentence_spans(passage.text, passage.language)]
    heading = "\n".join((passage.title, *passage.headings))
    around = "\n".join((heading, passage.date or "", passage.text))
    share = 1.0 if passage.language == wanted.language else _OTHER_LANGUAGE_SHARE
    above = wanted.held(heading)
    named = references("\n".join(passage.headings))
    is_named = not wanted.articles.isdisjoint(named)
    innermost = wanted.held(passage.headings[-1]) if passage.headings else {}
    told = (
        above
        if is_named
        else innermost
        if passage.headings and wanted.is_heading_of_thing(passage.headings[-1])
        else {}
    )
    return _Match(
        above,
        is_named,
        share,
        around,
        tuple((text, _union([wanted.held(text), told])) for text in texts),
        f"{passage.title}\n{passage.file_name}",
        passage.headings,
        passage.document_id,
        _articles_of(texts, named if wanted.articles else frozenset()),
    )


def _articles_of(texts: Sequence[str], named: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Of each sentence the articles whose text it is: those that it opens, else the last one before it, at first `named`."""
    current = named
    found = []
    for text in texts:
        opened = opened_articles(text)
        if opened:
            current = frozenset(opened[-1:])
        found.append(frozenset(opened) or current)
    return tuple(found)


def _union(parts: Sequence[Mapping[int, float]]) -> dict[int, float]:
    joined: dict[int, float] = {}
    for part in parts:
        for term, share in part.items():
            joined[term] = max(share, joined.get(term, 0.0))
    return joined


def _scaled(held: Mapping[int, float]) -> dict[int, float]:
    return {term: _CONTEXT_SHARE * share for term, share in held.items()}


def _margin(scores: Sequence[float]) -> float:
    """By how much the best stands out from the rest, as a share of itself."""
    if len(scores) < 2 or scores[0] <= 0:
        return 0.0
    return max(0.0, 1.0 - sum(scores[1:]) / (len(scores) - 1) / scores[0])


def _known_lines(question: str, matches: Sequence[_Match], wanted: Wanted) -> dict[str, _Line]:
    """The lines by their letters; one of several passages as it stands in the best one."""
    lines = _lines(question, matches, wanted)
    return {_letters(line.text): line for of_match in reversed(lines) for line in of_match}


def _letters(sentence: str) -> str:
    """What stays the same of a sentence when it is set in other lines: neither white space nor hyphens."""
    return _LAYOUT.sub("", sentence)
