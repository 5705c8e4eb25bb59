"""Which sentences of two texts are the same, which were changed, and in which words.

    same words    the longest common sequences of equal sentences (Ratcliff and Obershelp, as in `difflib`)
    changed       between those, pairs of likely sentences in the same order; neighbours join where a sentence was cut in two
    moved         what is left on both sides and is the same, or nearly, wherever it stands now

What a text's making changes is no change: white space, line ends and hyphens, capitals, punctuation, Arabic marks, how a
number is grouped; and, where OCR read one side, a letter read wrongly in a word that stands nowhere else. A digit always counts.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from math import log

from assistant.language import search_form

_HYPHEN = r"[-‐\u00ad]"
_LETTER = r"[^\W\d_]"
_MARKS = "\u00ad\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f"
_WORD = rf"{_LETTER}(?:[\w{_MARKS}]|{_HYPHEN}(?:[ \t]*\r?\n[ \t]*)?(?={_LETTER}))*"
_DIGIT = "[0-9٠-٩۰-۹]"
_NUMBER = (
    rf"{_DIGIT}{{1,3}}(?:[ \u00a0\u202f.,'٬]{_DIGIT}{{3}})+(?!{_DIGIT})(?:[.,٫]{_DIGIT}+)?|{_DIGIT}+(?:[.,٫]{_DIGIT}+)*"
)
_TOKEN = re.compile(rf"{_NUMBER}|{_WORD}|[%€$£§°‰٪]")
_GROUPED = re.compile(r"(\d{1,3}(?:[ .,']\d{3})+)([.,]\d{1,2})?")
_SYMBOLS = {"euro": "€", "euros": "€", "٪": "%"}
_SLIP_LETTERS = 4
"""A shorter word is never taken for another one read wrongly."""
_LETTERS_A_SLIP = 6
"""One letter in so many may differ."""
_NUMBER_WEIGHT = 0.3
"""What a number counts when it is judged whether two sentences are versions of one: the number is what changes."""
ALIKE = 0.45
"""From this likeness on, two sentences between the same neighbours are versions of one."""
_ALONE = 0.2
"""The same, where nothing else stands between those neighbours on either side."""
_MOVED = 0.75
_MOVED_WORDS = 4
_CANDIDATES = 6
_ALL_PAIRS = 2500
_COMMON = 20
"""A sentence or word that stands in more places than this is no landmark."""
_STEM = 6
_SHORT = 6
_LETTERS_ALIKE = 0.8
_BELONGING = 0.6
"""The share of a neighbour's words that must be lacking beside it for the neighbour to be part of the same sentence."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign of a text, in the form that is compared."""

    form: str
    start: int
    """0-based, as is `end`, in code points of the document's text."""
    end: int
    in_capitals: bool = False

    @property
    def is_number(self) -> bool:
        """True when it holds a digit."""
        return any(character.isdigit() for character in self.form)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence to be aligned."""

    tokens: tuple[Token, ...]
    by_ocr: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for sentences that say the same."""
        return tuple(token.form for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Mark:
    """Words that are others on the other side, or are not there: 0-based, end exclusive, in the document's text."""

    start: int
    end: int
    is_number: bool
    """True when a number is among them."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Sentences that belong together: positions in the old and in the new text, ascending and next to each other.

    Both sides filled and no marks: the same. One side empty: added or removed.
    """

    old: tuple[int, ...]
    new: tuple[int, ...]
    old_marks: tuple[Mark, ...] = ()
    new_marks: tuple[Mark, ...] = ()
    moved: bool = False
    """True where it stands in another order among the others now."""

    @property
    def is_same(self) -> bool:
        """True when nothing but its place can be different."""
        return bool(self.old and self.new) and not self.old_marks and not self.new_marks


def tokens(text: str, offset: int = 0) -> tuple[Token, ...]:
    """The tokens of a text in order; `offset` is where the text begins in its document.

    >>> [token.form for token in tokens("L’indem-\\nnité est de 1 500,50 euros (art. L. 2123-1).")]
    ['l', 'indemnité', 'est', 'de', '1500.50', '€', 'art', 'l', '2123', '1']
    """
    return tuple(
        Token(_form(word), offset + match.start(), offset + match.end(), len(word) > 1 and word.isupper())
        for match in _TOKEN.finditer(text)
        if (word := match.group())
    )


def aligned(old: Sequence[Line], new: Sequence[Line]) -> tuple[Matched, ...]:
    """Every sentence of both texts in exactly one `Matched`, in the order of the new text.

    What was removed stands behind what it followed in the old one.
    """
    return _Alignment(old, new).matched()


Pair = tuple[tuple[int, ...], tuple[int, ...]]


class _Alignment:
    def __init__(self, old: Sequence[Line], new: Sequence[Line]) -> None:
        self._old, self._new = old, new
        self._old_stems, self._new_stems = ([_stems(line) for line in lines] for lines in (old, new))
        self._words = tuple(frozenset(token.form for line in lines for token in line.tokens) for lines in (old, new))
        standing = Counter(stem for stems in (*self._old_stems, *self._new_stems) for stem in stems)
        total = len(old) + len(new)
        self._weights = {
            stem: log(1 + total / count) * (_NUMBER_WEIGHT if stem[0].isdigit() else 1)
            for stem, count in standing.items()
        }

    def matched(self) -> tuple[Matched, ...]:
        """See `aligned`."""
        pairs = list(self._in_order())
        found = [self._compared(pair, moved=False) for pair in pairs]
        found += self._moved(pairs)
        old_left, new_left = self._left(found)
        found += [Matched((position,), ()) for position in old_left] + [
            Matched((), (position,)) for position in new_left
        ]
        return _ordered(found)

    def _in_order(self) -> Iterator[Pair]:
        """What is in both texts in the same order, whether changed or not."""
        old_at = new_at = 0
        for old_start, new_start, length in self._equal_runs():
            yield from self._likely(range(old_at, old_start), range(new_at, new_start))
            yield from (((old_start + n,), (new_start + n,)) for n in range(length))
            old_at, new_at = old_start + length, new_start + length

    def _equal_runs(self) -> list[tuple[int, int, int]]:
        """(old position, new position, length) of equal sentences, ascending; the last has length 0 and stands at the ends."""
        old, new = [line.key for line in self._old], [line.key for line in self._new]
        common = {key for keys in (old, new) for key, count in Counter(keys).items() if count > _COMMON}
        old_marked = [key if key not in common else ("old", str(n)) for n, key in enumerate(old)]
        new_marked = [key if key not in common else ("new", str(n)) for n, key in enumerate(new)]
        runs = SequenceMatcher(None, old_marked, new_marked, autojunk=False).get_matching_blocks()
        grown: list[tuple[int, int, int]] = []
        old_at = new_at = 0
        for run, following in zip(runs, [*runs[1:], None], strict=True):
            start = 0
            while (
                run.a - start > old_at and run.b - start > new_at and old[run.a - start - 1] == new[run.b - start - 1]
            ):
                start += 1
            end = run.size
            limits = (following.a, following.b) if following else (len(old), len(new))
            while run.a + end < limits[0] and run.b + end < limits[1] and old[run.a + end] == new[run.b + end]:
                end += 1
            grown.append((run.a - start, run.b - start, start + end))
            old_at, new_at = run.a + end, run.b + end
        return grown

    def _likely(self, old: Sequence[int], new: Sequence[int]) -> Iterator[Pair]:
        """Pairs of likely sentences in the same order, with the neighbours that make them more likely."""
        least = _ALONE if len(old) == len(new) == 1 else ALIKE
        candidates = [entry for entry in self._candidates(old, new) if entry[2] >= least]
        chain = _heaviest_chain(candidates)
        free_old = set(old) - {i for i, _ in chain}
        free_new = set(new) - {j for _, j in chain}
        for i, j in [*chain, *self._alone(chain, old, new)]:
            free_old.discard(i)
            free_new.discard(j)
            yield self._grown(i, j, free_old, free_new)

    def _alone(
        self, chain: Sequence[tuple[int, int]], old: Sequence[int], new: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """Pairs of sentences that stand alone between the same neighbours on both sides, and have something in common."""
        before = (old[0] - 1, new[0] - 1) if old and new else (0, 0)
        for i, j in [*chain, (old[-1] + 1, new[-1] + 1)] if old and new else ():
            one, other = range(before[0] + 1, i), range(before[1] + 1, j)
            if len(one) == len(other) == 1 and self._likeness(one, other) >= _ALONE:
                yield one[0], other[0]
            before = (i, j)

    def _grown(self, i: int, j: int, free_old: set[int], free_new: set[int]) -> Pair:
        """The pair, with free neighbours on either side as long as they say what the other side says as well."""
        olds: tuple[int, ...] = (i,)
        news: tuple[int, ...] = (j,)
        while True:
            wider = [
                (olds, tuple(sorted((*news, position))), position)
                for position in (news[0] - 1, news[-1] + 1)
                if position in free_new and self._belongs(self._new_stems[position], olds, news, self._new_stems)
            ] + [
                (tuple(sorted((*olds, position))), news, position)
                for position in (olds[0] - 1, olds[-1] + 1)
                if position in free_old and self._belongs(self._old_stems[position], olds, news, self._old_stems)
            ]
            if not wider:
                return olds, news
            grown = max(wider, key=lambda entry: self._likeness(entry[0], entry[1]))
            (free_old if len(grown[0]) > len(olds) else free_new).discard(grown[2])
            olds, news = grown[:2]

    def _belongs(
        self, neighbour: Counter[str], olds: Iterable[int], news: Iterable[int], side: Sequence[Counter[str]]
    ) -> bool:
        """True when most of what the neighbour says is said on the other side and lacks on its own."""
        old, new = self._said(olds, self._old_stems), self._said(news, self._new_stems)
        lacking = old - new if side is self._new_stems else new - old
        whole = self._weight(neighbour)
        return whole > 0 and self._weight(neighbour & lacking) >= _BELONGING * whole

    def _candidates(self, old: Sequence[int], new: Sequence[int]) -> list[tuple[int, int, float]]:
        """(old position, new position, likeness) of what can be versions of one sentence."""
        if len(old) * len(new) <= _ALL_PAIRS:
            return [(i, j, self._likeness((i,), (j,))) for i in old for j in new]
        holding: dict[str, list[int]] = defaultdict(list)
        for j in new:
            for stem in self._new_stems[j]:
                holding[stem].append(j)
        found = []
        for i in old:
            shared: Counter[int] = Counter()
            for stem in self._old_stems[i]:
                if len(holding.get(stem, ())) <= _COMMON:
                    for j in holding.get(stem, ()):
                        shared[j] += 1
            found += [(i, j, self._likeness((i,), (j,))) for j, _ in shared.most_common(_CANDIDATES)]
        return found

    def _likeness(self, olds: Sequence[int], news: Sequence[int]) -> float:
        """From 0 to 1: the share of words that both have, rare ones counting more (Dice's coefficient, weighted)."""
        first, second = self._said(olds, self._old_stems), self._said(news, self._new_stems)
        each = self._weight(first) + self._weight(second)
        likeness = 2 * self._weight(first & second) / each if each else 0.0
        return max(likeness, self._likeness_of_letters(olds, news)) if likeness < ALIKE else likeness

    def _likeness_of_letters(self, olds: Sequence[int], news: Sequence[int]) -> float:
        """The same for short lines that OCR read: half of their words can be read wrongly; 0 for any other."""
        lines = [self._old[i] for i in olds] + [self._new[j] for j in news]
        if not any(line.by_ocr for line in lines) or any(len(line.tokens) > _SHORT for line in lines):
            return 0.0
        one, other = (
            " ".join(token.form for line in side for token in line.tokens)
            for side in (lines[: len(olds)], lines[len(olds) :])
        )
        ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
        return ratio if ratio >= _LETTERS_ALIKE else 0.0

    def _weight(self, stems: Counter[str]) -> float:
        return sum(self._weights[stem] * count for stem, count in stems.items())

    @staticmethod
    def _said(positions: Iterable[int], stems: Sequence[Counter[str]]) -> Counter[str]:
        said: Counter[str] = Counter()
        for position in positions:
            said += stems[position]
        return said

    def _left(self, found: Iterable[Matched]) -> tuple[list[int], list[int]]:
        """Positions on either side that are in none of `found`."""
        old, new = set(range(len(self._old))), set(range(len(self._new)))
        for match in found:
            old -= set(match.old)
            new -= set(match.new)
        return sorted(old), sorted(new)

    def _moved(self, pairs: Iterable[Pair]) -> list[Matched]:
        """What is left on both sides and stands, or nearly, in another place."""
        old_left, new_left = self._left(Matched(*pair) for pair in pairs)
        old = [i for i in old_left if len(self._old[i].tokens) >= _MOVED_WORDS]
        new = [j for j in new_left if len(self._new[j].tokens) >= _MOVED_WORDS]
        found: list[Matched] = []
        for i, j, likeness in sorted(self._candidates(old, new), key=lambda entry: (-entry[2], entry[0], entry[1])):
            if likeness >= _MOVED and i in old_left and j in new_left:
                old_left.remove(i)
                new_left.remove(j)
                found.append(self._compared(((i,), (j,)), moved=True))
        # A heading is too short to be known again by itself; the same words beside the same neighbour are.
        beside = {
            place
            for match in found
            for place in ((match.old[0] - 1, match.new[0] - 1), (match.old[-1] + 1, match.new[-1] + 1))
        }
        for i, j in sorted(beside):
            if i in old_left and j in new_left and self._old[i].key == self._new[j].key:
                old_left.remove(i)
                new_left.remove(j)
                found.append(self._compared(((i,), (j,)), moved=True))
        return found

    def _compared(self, pair: Pair, *, moved: bool) -> Matched:
        olds, news = pair
        if tuple(self._old[i].key for i in olds) == tuple(self._new[j].key for j in news):
            return Matched(olds, news, moved=moved)
        old = [token for i in olds for token in self._old[i].tokens]
        new = [token for j in news for token in self._new[j].tokens]
        by_ocr = (any(self._old[i].by_ocr for i in olds), any(self._new[j].by_ocr for j in news))
        old_marks, new_marks = self._marks(old, new, by_ocr)
        return Matched(olds, news, old_marks, new_marks, moved)

    def _marks(
        self, old: Sequence[Token], new: Sequence[Token], by_ocr: tuple[bool, bool]
    ) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
        matcher = SequenceMatcher(None, [t.form for t in old], [t.form for t in new], autojunk=False)
        old_marks, new_marks = [], []
        for kind, i1, i2, j1, j2 in matcher.get_opcodes():
            if kind == "equal":
                continue
            first, second = old[i1:i2], new[j1:j2]
            if "".join(t.form for t in first) == "".join(t.form for t in second):
                continue  # words run together, or apart
            while first and second and self._read_alike(first[0], second[0], by_ocr):
                first, second = first[1:], second[1:]
            while first and second and self._read_alike(first[-1], second[-1], by_ocr):
                first, second = first[:-1], second[:-1]
            old_marks += [_mark(first)] if first else []
            new_marks += [_mark(second)] if second else []
        return tuple(old_marks), tuple(new_marks)

    def _read_alike(self, old: Token, new: Token, by_ocr: tuple[bool, bool]) -> bool:
        """True when two words differ by what capitals or OCR do to words."""
        one, other = old.form, new.form
        if (old.in_capitals or new.in_capitals or any(by_ocr)) and _bare(one) == _bare(other):
            return True
        if not any(by_ocr) or old.is_number or new.is_number or min(len(one), len(other)) < _SLIP_LETTERS:
            return False
        unknown = (by_ocr[0] and one not in self._words[1]) or (by_ocr[1] and other not in self._words[0])
        return unknown and _distance(one, other) <= max(1, len(one) // _LETTERS_A_SLIP)


def _heaviest_chain(candidates: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """The pairs that ascend on both sides and weigh most together."""
    ends: list[tuple[int, float, int]] = []  # (new position, weight so far, entry), all three ascending
    entries: list[tuple[int, int, int]] = []  # (old position, new position, entry before it)
    by_old: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for i, j, weight in candidates:
        by_old[i].append((j, weight))
    for i in sorted(by_old):
        reached = []
        for j, weight in by_old[i]:
            at = bisect_right(ends, j - 1, key=lambda end: end[0])
            before = ends[at - 1] if at else (-1, 0.0, -1)
            entries.append((i, j, before[2]))
            reached.append((j, before[1] + weight, len(entries) - 1))
        for end in reached:
            _keep_if_heavier(ends, end)
    chain, entry = [], ends[-1][2] if ends else -1
    while entry >= 0:
        i, j, entry = entries[entry]
        chain.append((i, j))
    return chain[::-1]


def _keep_if_heavier(ends: list[tuple[int, float, int]], end: tuple[int, float, int]) -> None:
    """Put `end` among `ends`, unless one that ends no later weighs as much; take out what it outweighs."""
    at = bisect_right(ends, end[0], key=lambda other: other[0])
    if at and ends[at - 1][1] >= end[1]:
        return
    left = at - 1 if at and ends[at - 1][0] == end[0] else at
    right = at
    while right < len(ends) and ends[right][1] <= end[1]:
        right += 1
    ends[left:right] = [end]


def _ordered(found: Sequence[Matched]) -> tuple[Matched, ...]:
    """In the order of the new text; what was removed behind what it followed in the old one."""
    stays = sorted((match.old[-1], match.new[-1]) for match in found if match.old and match.new and not match.moved)

    def place(match: Matched) -> tuple[int, int, int]:
        if match.new:
            return match.new[0], 0, 0
        at = bisect_right(stays, match.old[0], key=lambda pair: pair[0])
        return stays[at - 1][1] if at else -1, 1, match.old[0]

    return tuple(sorted(found, key=place))


@lru_cache(maxsize=20_000)
def _form(word: str) -> str:
    """What of a token counts."""
    plain = search_form(word, "").casefold()
    if plain[0].isdigit():
        grouped = _GROUPED.fullmatch(plain)
        whole = re.sub(r"[ .,']", "", grouped[1]) + (grouped[2] or "") if grouped else plain
        return whole.replace(",", ".")
    return _SYMBOLS.get(word, _SYMBOLS.get(plain, re.sub(rf"{_HYPHEN}\s*", "", plain)))


def _stems(line: Line) -> Counter[str]:
    return Counter(token.form if token.is_number else token.form[:_STEM] for token in line.tokens)


def _mark(changed: Sequence[Token]) -> Mark:
    return Mark(changed[0].start, changed[-1].end, any(token.is_number for token in changed))


def _bare(form: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", form) if not unicodedata.combining(c))


def _distance(one: str, other: str) -> int:
    """Letters to put in, take out or change to make one of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row[0] = row[0], i
        for j, wanted in enumerate(other, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != wanted))
    return row[-1]
