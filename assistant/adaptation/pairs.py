"""What an encoder learns from: questions made of a corpus's own words, each with the passage that it belongs to.

    the end of the heading path          → the text of the passage, without title and headings
    a sentence, or some of its words     → the passage without that sentence
    a gold question                      → the passages that an archivist says answer it

Documents are divided, not passages: what one part of a document says is often in another part as well. Three shares never
meet: TRAINING makes pairs, CHOOSING chooses the weights of fusion, JUDGING tells whether the model is better.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assistant.access import Label
from assistant.language import sentence_spans
from assistant.types import Span

_SENTENCES_OF_ONE = 5
"""Sentences of a passage that become questions, at most; chosen by chance."""
_ASKED_OF_ONE = 3
"""Sentences of a held-out passage that ask in the trial."""
_FEWEST_WORDS, _MOST_WORDS = 5, 50
"""Of a sentence that becomes a question: a shorter one says too little, a longer one is a table or a list."""
_FRAGMENT_SHARE = 0.7
"""Share of questions that are some words of the sentence in their order, as somebody would ask who does not know the text."""
_FRAGMENT_WORDS = (4, 9)
_BESIDE = 250
"""Characters before and after a sentence that its pair holds: what is near belongs together, and short texts train faster."""
_FEWEST_LEFT = 40
"""Characters that must be left of a passage when its sentence is taken out."""


class Share(StrEnum):
    """What a document is used for."""

    TRAINING = "training"
    CHOOSING = "choosing"
    JUDGING = "judging"


@dataclass(frozen=True, slots=True)
class CorpusPassage:
    """A passage as training sees it."""

    id: str
    document_id: str
    title: str
    headings: tuple[str, ...]
    text: str
    language: str
    label: Label

    def embedded(self, text: str) -> str:
        """What the encoder would read if this passage said `text`."""
        return "\n".join((self.title, *self.headings, text))


@dataclass(frozen=True, slots=True)
class GoldPair:
    """A question of an archivist, with the ids of the passages that answer it, all of one document."""

    question: str
    language: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and the text that it belongs to."""

    question: str
    passage: str
    document_id: str


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question made of a sentence: `remaining` is its passage's text without it."""

    question: str
    passage: CorpusPassage
    remaining: str


def division(documents: Iterable[str], *, seed: int) -> dict[str, Share]:
    """What each of these documents is used for: 70 % train, 12 % choose, 18 % judge, to the nearest document.

    By chance, and the same for the same documents and seed. Counted out and not drawn for each by itself: of 21 documents one
    division in sixty would have left none to judge by.

    >>> from collections import Counter
    >>> sorted(Counter(division("abcdefghijklmnopqrstu", seed=1).values()).items())
    [(<Share.CHOOSING: 'choosing'>, 2), (<Share.JUDGING: 'judging'>, 4), (<Share.TRAINING: 'training'>, 15)]
    """
    ordered = sorted(set(documents), key=lambda name: hashlib.sha256(f"{seed}\n{name}".encode()).digest())
    trained, chosen = round(0.70 * len(ordered)), round(0.82 * len(ordered))
    training = dict.fromkeys(ordered[:trained], Share.TRAINING)
    return (
        training
        | dict.fromkeys(ordered[trained:chosen], Share.CHOOSING)
        | dict.fromkeys(ordered[chosen:], Share.JUDGING)
    )


def training_pairs(passages: Sequence[CorpusPassage], gold: Iterable[GoldPair], *, seed: int) -> tuple[Pair, ...]:
    """Every pair of the documents of the share TRAINING, in an order of chance; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    shares = division((p.document_id for p in passages), seed=seed)
    ours = {p.id: p for p in passages if shares[p.document_id] is Share.TRAINING}
    pairs = [pair for passage in ours.values() for pair in _pairs_of(passage, chance)]
    for asked in gold:
        pairs += [
            Pair(asked.question, ours[key].embedded(ours[key].text), ours[key].document_id)
            for key in asked.passages
            if key in ours
        ]
    chance.shuffle(pairs)
    return tuple(pairs)


def own_questions(passages: Iterable[CorpusPassage], *, seed: int) -> tuple[OwnQuestion, ...]:
    """At most `_ASKED_OF_ONE` questions of each passage, each a few words of a sentence; in the order of the passages."""
    found = []
    for passage in passages:
        chance = random.Random(f"{seed}\n{passage.id}")  # noqa: S311 - a sample, not a secret
        spans = _usable(passage)
        for span in chance.sample(spans, min(len(spans), _ASKED_OF_ONE)):
            question = _fragment(passage.text[span.start : span.end], chance)
            found.append(OwnQuestion(question, passage, _without(passage.text, span)))
    return tuple(found)


def shuffled(pairs: Sequence[Pair], *, seed: int) -> tuple[Pair, ...]:
    """The same questions with the passages of others: nothing can be learned from them. To check the trial with."""
    others = list(pairs)
    random.Random(seed).shuffle(others)  # noqa: S311 - a sample, not a secret
    return tuple(
        Pair(pair.question, other.passage, other.document_id) for pair, other in zip(pairs, others, strict=True)
    )


def by_id(passages: Iterable[CorpusPassage]) -> Mapping[str, CorpusPassage]:
    """The passages by their id."""
    return {passage.id: passage for passage in passages}


def _pairs_of(passage: CorpusPassage, chance: random.Random) -> Iterable[Pair]:
    path = [part for part in (passage.title, *passage.headings[-2:]) if part.strip()]
    if path:
        yield Pair(" ".join(path), passage.text, passage.document_id)
    spans = _usable(passage)
    for span in chance.sample(spans, min(len(spans), _SENTENCES_OF_ONE)):
        sentence = passage.text[span.start : span.end]
        question = _fragment(sentence, chance) if chance.random() < _FRAGMENT_SHARE else sentence
        yield Pair(question, passage.embedded(_beside(passage.text, span)), passage.document_id)


def _usable(passage: CorpusPassage) -> list[Span]:
    """The sentences that can be asked, where enough is left of the passage without them."""
    spans = sentence_spans(passage.text, passage.language)
    return [
        span
        for span in spans
        if _FEWEST_WORDS <= len(passage.text[span.start : span.end].split()) <= _MOST_WORDS
        and len(_without(passage.text, span)) >= _FEWEST_LEFT
    ]


def _fragment(sentence: str, chance: random.Random) -> str:
    """Some words of a sentence, in their order; all of them when it is short."""
    words = sentence.split()
    size = min(len(words), chance.randint(*_FRAGMENT_WORDS))
    return " ".join(words[place] for place in sorted(chance.sample(range(len(words)), size)))


def _beside(text: str, span: Span) -> str:
    """What stands around a sentence, without it."""
    start = max(0, span.start - _BESIDE)
    near = text[start : span.end + _BESIDE]
    return _without(near, Span(span.start - start, span.end - start))


def _without(text: str, span: Span) -> str:
    return f"{text[: span.start].rstrip()} {text[span.end :].lstrip()}".strip()
