"""Which sentences of a passage say what a piece of a claim says, and word by word where."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from assistant.grounding.figures import same_figure
from assistant.grounding.folding import words
from assistant.grounding.reading import Reading, Token

_MEANING = re.compile(r"m\d+")
"""The name of a line of synonyms."""
_CUT_MARK = re.compile(r"[,;:،؛()]|\s[-|]\s")
_JOINS = words("""
    et mais tandis alors puis dont qui and but while whereas then which who although though لكن بينما كما التي
    الذي اما
""")
_PREPOSITIONS = {
    "fr": words("""
        pour dans a au aux en de du des d par sur apres avant lors selon hors sans sauf si s avec chez entre depuis jusqu pendant
        quand lorsque lorsqu
    """),
    "en": words("""
        for in on at from under if when to before after with without by within during unless except until between outside of
    """),
    "ar": words("""
        في من عند خلال بعد قبل الي علي عن مع لدي حسب اذا دون الا حتي منذ وفق بشرط ما
    """),
}
_BEGUN_BY_WAW = tuple(
    words("""
    وصل وثيق وثائق وضع وفا وقت وظيف وظائف وزار وزير وسيط والد والي وحد وكال وكيل ورق وسط وسائل وسيل واجب وارد
    واحد وجب ولاد وطن ورث وقع وقف وصف
""")
)
_CONDITIONAL = words("si s quand lorsque lorsqu if when unless before after avant apres اذا بعد قبل علي من")
_OF = words("d de du des of")
_ENOUGH = 1.5
"""The weight that a piece of a claim must have to stand alone."""
_MOST_PIECES = 3
_CANDIDATES, _NEARLY_AS_WELL = 4, 0.5
"""How many sentences are looked at for each piece, and how much less of it than the best the others may cover."""
_CUT_COST = 0.3
_WEAK_CUT_COST = 0.9
"""Of a cut before "in", "for" or "with", or after such an opening: what it cuts off is seldom a statement of its own."""
_SECOND_SENTENCE_COST = 0.6
_BACK_REFERENCE = re.compile(
    r"(?<!\w)(?:il|elle|ils|elles|ce|cette|ces|celui|celle|ceux|celles|y|en|son|sa|ses|leur|leurs|it|they|"
    r"this|these|those|its|their|them|such|he|she|each|both)(?!\w)"
)
_GOES_ON = re.compile(
    r"\W*(?:il|elle|ils|elles|ce|cette|ces|celui-ci|celle-ci|ceux-ci|celles-ci|celui|celle|leur|leurs|son|sa|"
    r"ses|it|they|this|these|those|its|"
    r"their|such|he|she|[وف]?(?:هو|هي|هم|هذا|هذه|ذلك|تلك)|[وف][يت])(?!['’])(?=\s|[ء-ي])"
)
_IN_CONTEXT = 0.6
"""What a word counts that stands in what the sentence refers back to."""


@dataclass(slots=True)
class Fit:
    """A piece `first:last` of the claim's words on one or two sentences of a passage."""

    passage: int
    sentences: tuple[int, ...]
    first: int
    last: int
    pairs: dict[int, list[int]] = field(default_factory=dict)
    """Words of the claim and the words of these sentences that match them, by position."""
    context: set[int] = field(default_factory=set)
    """Words of the claim that stand only in what the sentences refer back to."""
    total: float = 0.0
    found: float = 0.0

    @property
    def score(self) -> float:
        """What is covered, less what a second sentence costs."""
        return self.found - _SECOND_SENTENCE_COST * (len(self.sentences) - 1)


class Comparison:
    """A claim beside its passages: every pair of words that match, found once."""

    def __init__(self, claim: Reading, passages: Sequence[Reading]) -> None:
        self.claim = claim
        self.passages = passages
        self.said = [token for token in range(len(claim.tokens)) if claim.tokens[token].weight > 0]
        self._matches = [self._all_matches(passage) for passage in passages]
        self._best: dict[tuple[int, int], Fit | None] = {}
        self._near: dict[tuple[int, int], list[Fit]] = {}

    def _all_matches(self, passage: Reading) -> dict[int, dict[int, list[int]]]:
        """Claim word → sentence → matching words of it."""
        by_key: defaultdict[str, list[int]] = defaultdict(list)
        for place, token in enumerate(passage.tokens):
            if token.weight > 0 or token.role:
                for key in token.keys:
                    by_key[key].append(place)
        found: dict[int, dict[int, list[int]]] = {}
        for word in self.said:
            token = self.claim.tokens[word]
            places = {place for key in token.keys for place in by_key.get(key, ())}
            if not places and not token.role:
                places = {place for place, other in enumerate(passage.tokens) if _nearly(token, other)}
            sentences: defaultdict[int, list[int]] = defaultdict(list)
            for place in sorted(places):
                sentences[passage.tokens[place].sentence].append(place)
            found[word] = sentences
        return found

    def same_word(self, fit: Fit, word: int) -> bool:
        """True when a word of the claim is matched by itself, in some form, and not by a synonym only."""
        passage, keys = self.passages[fit.passage], self.claim.tokens[word].keys
        shared = {key for place in fit.pairs.get(word, ()) for key in keys & passage.tokens[place].keys}
        return any(not _MEANING.fullmatch(key) for key in shared)

    def somewhere(self, word: int) -> bool:
        """True when a word of the claim is found in any sentence of any passage."""
        return any(matches.get(word) for matches in self._matches)

    def pieces(self) -> list[list[Fit]]:
        """The claim in up to three pieces, each with the sentences that cover it best and those that cover it nearly as well.

        Best first. Empty when no word is found anywhere.
        """
        count = len(self.claim.tokens)
        costs = self._cuts()
        best: tuple[float, list[Fit]] = (0.0, [])
        for number in range(min(_MOST_PIECES, len(costs) + 1)):
            for chosen in combinations(costs, number):
                fits = [self._fit(first, last) for first, last in pairwise((0, *chosen, count))]
                if any(fit is None for fit in fits):
                    continue
                whole = [fit for fit in fits if fit is not None]
                score = sum(fit.score for fit in whole) - sum(costs[cut] for cut in chosen)
                if score > best[0] + 1e-9:
                    best = (score, whole)
        return [self._near[fit.first, fit.last] for fit in best[1]]

    def _cuts(self) -> dict[int, float]:
        """Positions of words before which the claim may be cut, and what each cut costs."""
        tokens, text = self.claim.tokens, self.claim.folded.text
        cuts: dict[int, float] = {}
        prepositions = _PREPOSITIONS.get(self.claim.language, frozenset())
        opened = bool(tokens) and tokens[0].word in prepositions
        dated = bool(tokens) and any(token.figure >= 0 for token in tokens[:2])
        opened = opened or dated
        adverbial = opened and tokens[0].word not in _CONDITIONAL
        for place in range(1, len(tokens)):
            word = tokens[place].word
            marked = bool(_CUT_MARK.search(text[tokens[place - 1].end : tokens[place].start]))
            arabic_and = word[0] == "و" and len(word) > 2 and not word.startswith(_BEGUN_BY_WAW)
            joined = word in _JOINS or (arabic_and and (marked or len(word) > 3))
            if not (marked or joined) or tokens[place].figure >= 0 or self._lists_names(place):
                continue
            if joined and not arabic_and and place + 1 < len(tokens) and tokens[place + 1].word in _OF:
                continue
            if marked and adverbial:
                adverbial = opened = False  # "Pour le mariage d'un enfant," is no statement of its own
                continue
            weak = not joined and (opened or word in prepositions)
            cuts[place] = _WEAK_CUT_COST if weak else _CUT_COST
            opened = opened and not marked
        return dict(list(cuts.items())[:8])

    def _lists_names(self, place: int) -> bool:
        """True where "and" stands between two names: "French and English"."""
        tokens = self.claim.tokens
        after = next((token for token in tokens[place : place + 3] if token.weight > 0), None)
        return after is not None and after.name and tokens[place - 1].name

    def _fit(self, first: int, last: int) -> Fit | None:
        if (first, last) not in self._best:
            self._best[first, last] = self._best_fit(first, last)
        return self._best[first, last]

    def _best_fit(self, first: int, last: int) -> Fit | None:
        words = [word for word in self.said if first <= word < last]
        total = sum(self.claim.tokens[word].weight for word in words)
        whole = (first, last) == (0, len(self.claim.tokens))
        figures = len({self.claim.tokens[word].figure for word in range(first, last)} - {-1})
        if not whole and (total + figures < _ENOUGH or len(words) + figures < 2):
            return None
        found = sorted(self._fits(first, last, words), key=lambda fit: -fit.score)
        for fit in found:
            fit.total = total
        self._near[first, last] = [fit for fit in found[:_CANDIDATES] if fit.score >= found[0].score - _NEARLY_AS_WELL]
        return found[0] if found else None

    def _fits(self, first: int, last: int, words: Sequence[int]) -> Iterator[Fit]:
        figures = {self.claim.tokens[word].figure for word in range(first, last)} - {-1}
        for number, passage in enumerate(self.passages):
            matches = self._matches[number]
            held = self._figures_held(passage, figures)
            count = len(passage.sentences)
            for sentence in range(count):
                for sentences in ((sentence,), (sentence, sentence + 1)):
                    if sentences[-1] >= count or not self._linked(passage, sentences):
                        continue
                    fit = self._on(number, sentences, first, last, words, matches)
                    fit.found += 1.5 * len(held.get(sentence, set()).union(held.get(sentences[-1], ())))
                    yield fit

    def _figures_held(self, passage: Reading, figures: set[int]) -> dict[int, set[int]]:
        held: defaultdict[int, set[int]] = defaultdict(set)
        for figure in figures:
            for other in passage.figures:
                if same_figure(self.claim.figures[figure], other):
                    held[passage.sentence_of(other.start)].add(figure)
        return held

    def _on(
        self,
        number: int,
        sentences: tuple[int, ...],
        first: int,
        last: int,
        words: Sequence[int],
        matches: dict[int, dict[int, list[int]]],
    ) -> Fit:
        fit = Fit(number, sentences, first, last)
        context = self._context(self.passages[number], sentences)
        for word in words:
            weight = self.claim.tokens[word].weight
            places = [place for sentence in sentences for place in matches[word].get(sentence, ())]
            if places:
                fit.pairs[word] = places
                fit.found += weight
            elif any(sentence in matches[word] for sentence in context) or self._just_before(word, sentences, matches):
                fit.context.add(word)
                fit.found += weight * _IN_CONTEXT
        return fit

    def _just_before(self, word: int, sentences: tuple[int, ...], matches: dict[int, dict[int, list[int]]]) -> bool:
        """True for a word, no name of anybody, that stands in one of the two sentences before."""
        token = self.claim.tokens[word]
        return not (token.role or token.name) and any(sentences[0] - step in matches[word] for step in (1, 2))

    def linked_context(self, fit: Fit) -> set[int]:
        """Of the words of a piece that stand in the context, those in sentences that a pronoun or a heading refers to."""
        context = self._context(self.passages[fit.passage], fit.sentences)
        matches = self._matches[fit.passage]
        return {word for word in fit.context if any(sentence in matches[word] for sentence in context)}

    def context_text(self, fit: Fit) -> str:
        """The folded text of what the sentences of a piece refer back to."""
        passage = self.passages[fit.passage]
        return " ".join(
            passage.folded.text[slice(*passage.sentences[sentence])]
            for sentence in self._context(passage, fit.sentences)
        )

    def _linked(self, passage: Reading, sentences: tuple[int, ...]) -> bool:
        """True for one sentence, and for two of which the second goes on with the first."""
        if len(sentences) == 1:
            return True
        first, second = (passage.folded.text[slice(*passage.sentences[sentence])] for sentence in sentences)
        return first.rstrip().endswith(":") or bool(_GOES_ON.match(second))

    def _context(self, passage: Reading, sentences: tuple[int, ...]) -> tuple[int, ...]:
        """Sentences that these refer back to: the one before when a pronoun says so, headings, the line that opens a list."""
        first = sentences[0]
        start, end = passage.sentences[first]
        found = []
        before = range(first - 1, -1, -1)
        if passage.language == "ar" or _BACK_REFERENCE.search(passage.folded.text[start:end]):
            found += [sentence for sentence in before if sentence >= first - 2]
        for sentence in before:
            text = passage.folded.text[slice(*passage.sentences[sentence])]
            if text.rstrip()[-1] in ":|" or (text.rstrip()[-1] not in ".!?؟;؛" and len(text) < 120):
                found.append(sentence)
        return tuple(found)


def _nearly(token: Token, other: Token) -> bool:
    """True for two long words of one beginning: déclaration, déclarant."""
    if other.role or other.weight == 0 or token.word[0] != other.word[0] or not token.word.isascii():
        return False
    shared = 0
    for one, two in zip(token.word, other.word, strict=False):
        if one != two:
            break
        shared += 1
    return shared >= 6 and max(len(token.word), len(other.word)) - shared <= 5
