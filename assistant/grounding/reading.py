"""A text read for comparison: its sentences and clauses, the words that say something, its figures, what is denied in it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.grounding.figures import Figure, figures
from assistant.grounding.folding import Folded, folded, words
from assistant.grounding.stems import root, skeleton, stem
from assistant.grounding.vocabulary import Vocabulary, vocabulary
from assistant.language import sentence_spans

_KEPT = 192
"""Texts kept as they were read: those of the answers in hand. One of 1,500 characters takes some 200 kB."""
_TOKEN = re.compile(r"[^\W_]+")
_SEMICOLON = re.compile(r"[;؛]\s*(?=\S)")
"""What stands on its two sides is two statements."""
_BEFORE_NOUN = words("""
    le la les l un une du des de d au aux ce cette ces son sa ses leur leurs en par sur dans sous the a an of in
    by at on from with its their his her this that any each في من علي عن الي عند لدي كل اي بعض هذا هذه ذلك بين
    خلال
""")
_ARABIC_ARTICLE = re.compile(r"[وفبك]{0,2}(?:ال|لل)[ء-ي]{2}")
_ARABIC_PREPOSITION = re.compile(r"[بل][ء-ي]{4}")
_NAMED_AFTER = words("""
    سيد سيده استاذ استاذه دكتور دكتوره مقبره مكتبه ساحه شارع مدينه حي سوق مدرسه مركز دار جمعيه وزاره مديريه
    بلديه جماعه ولايه مستشفي ميناء طريق قاعه مبني رصيف لجنه مجلس مصلحه لغه باللغه
""")
"""An Arabic word after one of these names whose or which it is; the script has no capitals to tell."""
_LETTERED = words("""
    categorie categories category bande bandes band bands classe class type zone groupe group niveau level
    lettre tranche annexe annex option et and ou or الفئه فئه الصنف صنف
""")
"""After these a single capital is a name and no word."""
_CLAUSE_END = re.compile(
    r"[;:،؛,()]+(?!\d)|\s-\s|\s\|\s|"
    r"(?<!\w)(?:mais|toutefois|lorsqu(?:e|')|sauf|si|s'il|car|tandis|alors que|dont|qui|but|except|unless|if|when|while|who|"
    r"which|because|الا|لكن|اذا|ما لم|غير ان|بشرط|الذي|التي|الذين|بينما|عندما)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word at `start:end` of the folded text, and the keys by which it is found to mean what another one means."""

    word: str
    start: int
    end: int
    sentence: int
    clause: int
    keys: frozenset[str]
    sides: frozenset[tuple[int, bool]]
    weight: float
    """0 for words that count for nothing, up to 2 for names, persons and bodies."""
    role: str
    name: bool
    """A proper name, by its capital."""
    noun: bool
    """Most likely a noun, by the article or preposition before it."""
    figure: int
    """Its figure's position among the figures, -1 for none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is compared. Bounds of sentences and clauses are in the folded text, in order."""

    folded: Folded
    language: str
    tokens: tuple[Token, ...]
    figures: tuple[Figure, ...]
    sentences: tuple[tuple[int, int], ...]
    clauses: tuple[tuple[int, int], ...]

    def sentence_of(self, place: int) -> int:
        """The sentence in which a place of the folded text lies; the last before it when it lies between two."""
        return _position(self.sentences, place)

    def clause_of(self, place: int) -> int:
        """The clause in which a place of the folded text lies; the last before it when it lies between two."""
        return _position(self.clauses, place)


def _position(bounds: Sequence[tuple[int, int]], place: int) -> int:
    return max(0, bisect_right(bounds, (place, 1 << 60)) - 1)


@lru_cache(_KEPT)
def read(text: str, language: str) -> Reading:
    """`text` read in its language."""
    form = folded(text)
    words = vocabulary(language)
    sentences = tuple(_sentences(text, form, language))
    clauses = tuple(_clauses(form.text, sentences))
    found = figures(form.text)
    tokens = _tokens(form, words, sentences, clauses, found)
    return Reading(form, language, tuple(tokens), found, sentences, clauses)


def _sentences(text: str, form: Folded, language: str) -> Iterator[tuple[int, int]]:
    for span in sentence_spans(text, language):
        start, end = bisect_left(form.origins, span.start), bisect_left(form.origins, span.end)
        while start < end:
            match = _SEMICOLON.search(form.text, start, end)
            cut = match.end() if match else end
            yield start, cut
            start = cut


def _clauses(text: str, sentences: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in sentences:
        left = start
        for match in _CLAUSE_END.finditer(text, start, end):
            cut = match.start() if match.group()[0].isalpha() else match.end()
            if text[left:cut].strip():
                yield left, cut
                left = cut
        if left < end:
            yield left, end


def _tokens(
    form: Folded,
    words: Vocabulary,
    sentences: Sequence[tuple[int, int]],
    clauses: Sequence[tuple[int, int]],
    found: Sequence[Figure],
) -> list[Token]:
    matches = list(_TOKEN.finditer(form.text))
    stems = [stem(match.group(), words.language) for match in matches]
    phrases = _phrase_keys(stems, words)
    starts = [figure.start for figure in found]
    tokens = []
    for place, match in enumerate(matches):
        word = match.group()
        sentence = _position(sentences, match.start())
        at = bisect_right(starts, match.end() - 1) - 1
        figure = at if at >= 0 and match.start() < found[at].end else -1
        meanings, sides = phrases[place]
        role = words.role(word)
        name = _is_name(form, match, sentences[sentence][0] if sentences else 0)
        keys = _keys(word, stems[place], role, meanings)
        weight = _weight(word, stems[place], words, counted=figure >= 0)
        if len(word) == 1 and form.cased[match.start()].isupper() and place and matches[place - 1].group() in _LETTERED:
            weight, name = 1.0, True
        before = matches[place - 1].group() if place else ""
        noun = _is_noun(word, before)
        name = name or (word[0] > "z" and weight == 1 and _without_and(before).removeprefix("ال") in _NAMED_AFTER)
        if weight and (role or name):
            weight = 2.0
        tokens.append(
            Token(
                word,
                match.start(),
                match.end(),
                sentence,
                _position(clauses, match.start()),
                keys,
                frozenset(sides),
                weight,
                role,
                name,
                noun,
                figure,
            )
        )
    return tokens


def _is_noun(word: str, before: str) -> bool:
    if "\u0600" <= word[0] <= "\u06ff":
        return bool(_ARABIC_ARTICLE.match(word)) or before in _BEFORE_NOUN or bool(_ARABIC_PREPOSITION.match(word))
    return before in _BEFORE_NOUN


def _keys(word: str, its_stem: str, role: str, meanings: set[str]) -> frozenset[str]:
    if role:
        return frozenset({"=" + role})
    keys = {its_stem, *meanings}
    if "\u0600" <= word[0] <= "\u06ff":
        for start in range(3 if len(word) > 5 else 2 if len(word) > 4 else 1):
            if start == 0 or word[start - 1] in "وفبلك":
                keys.add("~" + root(word[start:]))
            else:
                break
        if word[0] in "وفبلك" and len(word) > 3:
            keys.add("~" + skeleton(word))
        bare = word.removeprefix("و").removeprefix("ال") if len(word) > 4 else word
        if len(bare) > 3:
            keys.add("~" + skeleton(bare))
        if len(word) == 3 and word[0] in "يت":
            keys.add("~" + word[1:])
        if len(word) == 3 and word[-1] == "ه":
            keys.add("~" + word[:2])
    return frozenset(keys)


def _weight(word: str, its_stem: str, words: Vocabulary, *, counted: bool) -> float:
    if counted or word in words.stop or len(word) == 1 or word.isdigit():
        return 0.0
    if words.language == "ar" and (_without_and(word) in words.stop):
        return 0.0
    return 0.25 if its_stem in words.light else 1.0


def _without_and(word: str) -> str:
    return word[1:] if len(word) > 2 and word[0] in "وف" else word


def _is_name(form: Folded, match: re.Match[str], sentence_start: int) -> bool:
    """True for a capital in the middle of a sentence; headings and words after a colon or bullet are no proof."""
    word = form.cased[match.start() : match.end()]
    if not word[0].isupper() or len(word) < 2:
        return False
    before = form.cased[sentence_start : match.start()].rstrip(" '\"([-")
    return bool(before) and before[-1] not in ".:;!?•|\n" and not (word.isupper() and before.isupper())


def _phrase_keys(stems: Sequence[str], words: Vocabulary) -> list[tuple[set[str], set[tuple[int, bool]]]]:
    found: list[tuple[set[str], set[tuple[int, bool]]]] = [(set(), set()) for _ in stems]
    for start in range(len(stems)):
        for length in range(1, min(words.longest, len(stems) - start) + 1):
            phrase = tuple(stems[start : start + length])
            meanings, sides = words.meanings.get(phrase), words.sides.get(phrase)
            for place in range(start, start + length):
                if meanings:
                    found[place][0].update(meanings)
                if sides:
                    found[place][1].update(sides)
    return found
