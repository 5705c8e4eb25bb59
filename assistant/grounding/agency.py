"""Who does what: whether a clause of a claim and one of the passage with the same verb have the same subject.

There is no grammar in here, only what the first words of a clause tell: an article and what follows it up to an auxiliary, an
article or a preposition in French and English, a verb and the word after it in Arabic. Clauses that begin otherwise tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.grounding.folding import words
from assistant.grounding.matching import Comparison, Fit
from assistant.grounding.reading import Reading, Token

_DETERMINERS = words("""
    le la les l un une ce cet cette ces son sa ses leur leurs tout toute tous toutes chaque aucun aucune the a an its their his
    her this that these those any each every all no some seul seule seuls seules only both
""")
_OPENINGS = words(
    "et mais ou puis toutefois cependant and but or also however ainsi si if when lorsque lorsqu quand que qu that"
)
_OF = words("de du des d of")
_PREPOSITIONS = words("""
    a au aux en dans sur sous avec sans chez entre vers depuis pendant durant apres avant lors selon hors pour contre jusqu par to
    for in on at by from with without under within during after before between about into outside until per as than
""")
_BE = words("be is are was were been being est sont etait etaient etre ete soit soient sera seront fut furent")
_AUXILIARIES = _BE | words("""
    a ont avait ne n se s peut peuvent pourra doit doivent devra must may can could shall should will would has have had do does
    not
""")
_PRONOUNS = words(
    "il elle ils elles on qui ce celui celle ceux y it they he she who which you we i there c j nous vous"
)
_ARABIC_SKIPPED = words(
    "لا ولا فلا لم ولم فلم لن ولن قد وقد فقد ان كما و ف اذا واذا فاذا فيه فيها به بها له لها عليه عليها عنه عنها"
)
_NOT_PREFIXED = ("بلد", "لجن", "باب", "بنا", "بطا", "لغ")


@dataclass(frozen=True, slots=True)
class Core:
    """The words of a clause's subject and its verb, by position; whether a form of "to be" stands before the verb."""

    subject: tuple[int, ...]
    verb: int
    passive: bool


def agency(comparison: Comparison, fit: Fit) -> dict[str, float]:
    """How many clauses of a piece have a verb of the passage with another subject (found elsewhere, or not at all)."""
    signs = {"subject_other": 0.0, "subject_new": 0.0, "voice": 0.0}
    passage = comparison.passages[fit.passage]
    theirs = [core for core in _cores(passage) if passage.tokens[core.verb].sentence in fit.sentences]
    for core in _cores(comparison.claim, fit.first, fit.last):
        if not comparison.same_word(fit, core.verb):
            continue
        same_verb = [other for other in theirs if other.verb in fit.pairs[core.verb]] or _carried(
            comparison, fit, core, theirs
        )
        alike = [other for other in same_verb if other.passive == core.passive]
        agreeing = [other for other in same_verb if _agree(fit, core, other)]
        if agreeing and not alike and comparison.claim.language != "ar":
            signs["voice"] += 1.0
        elif (alike and not agreeing) or any(_received(passage, fit, core, other) for other in same_verb):
            known = any(comparison.somewhere(word) for word in core.subject)
            signs["subject_other" if known else "subject_new"] += 1.0
    return signs


def _carried(comparison: Comparison, fit: Fit, core: Core, theirs: Sequence[Core]) -> list[Core]:
    """The cores of a person or body that a later verb of their sentence shares: "le chef accueille l'agent et désigne …"."""
    claim, passage = comparison.claim, comparison.passages[fit.passage]
    if core.passive or claim.language == "ar" or not claim.tokens[core.subject[0]].role:
        return []
    found = []
    for place in fit.pairs[core.verb]:
        before = [
            other
            for other in theirs
            if other.verb < place and passage.tokens[other.verb].sentence == passage.tokens[place].sentence
        ]
        if before and not before[-1].passive and passage.tokens[before[-1].subject[0]].role:
            found.append(before[-1])
    return found


def _agree(fit: Fit, core: Core, other: Core) -> bool:
    """True when the subjects are one, or may be: the first word of the claim's decides where the passage has it at all."""
    words = core.subject[:1] if fit.pairs.get(core.subject[0]) else core.subject
    return any(place in other.subject for word in words for place in fit.pairs.get(word, ()))


def _received(passage: Reading, fit: Fit, core: Core, other: Core) -> bool:
    """True for a subject that the passage says something is done to: "signalée au gestionnaire" for "le gestionnaire signale"."""
    if not other.passive or core.passive:
        return False
    clause = passage.tokens[other.verb].clause
    for place in fit.pairs.get(core.subject[0], ()):
        before = [token.word for token in passage.tokens[max(0, place - 2) : place]]
        if (
            passage.tokens[place].clause == clause
            and place > other.verb
            and {"a", "au", "aux", "to"}.intersection(before)
        ):
            return True
    return False


def _cores(reading: Reading, first: int = 0, last: int | None = None) -> Iterator[Core]:
    clause: list[int] = []
    for place in range(first, len(reading.tokens) if last is None else last):
        if clause and reading.tokens[clause[-1]].clause != reading.tokens[place].clause:
            yield from _core(reading, clause)
            clause = []
        clause.append(place)
    yield from _core(reading, clause)


def _core(reading: Reading, clause: Sequence[int]) -> Iterator[Core]:
    core = _arabic_core(reading, clause) if reading.language == "ar" else _latin_core(reading, clause)
    if core:
        yield core


def _latin_core(reading: Reading, clause: Sequence[int]) -> Core | None:
    """Subject and verb where a clause begins with an article or a noun; None where it does not."""
    nouns: list[int] = []
    free: list[int] = []
    belongs = False
    auxiliaries: set[str] = set()
    for place in clause:
        token = reading.tokens[place]
        word = token.word
        if word in _OPENINGS and not nouns:
            continue
        if nouns and word in _AUXILIARIES and not (word == "a" and reading.language == "en"):
            auxiliaries.add(word)
        elif _ends_subject(token, opened=bool(nouns) and (not belongs or bool(free))):
            break
        elif word in _OF:
            belongs = True
        elif token.weight > 0:
            if auxiliaries:
                return Core(tuple(nouns), place, bool(auxiliaries & _BE))
            if nouns and not belongs:
                free.append(place)
            nouns.append(place)
            belongs = False
    return Core(tuple(place for place in nouns if place < free[-1]), free[-1], passive=False) if free else None


def _ends_subject(token: Token, *, opened: bool) -> bool:
    word = token.word
    if word in _DETERMINERS:
        return opened
    return word in _PRONOUNS or token.figure >= 0 or word in _PREPOSITIONS


def _arabic_core(reading: Reading, clause: Sequence[int]) -> Core | None:
    """Subject and verb where a clause begins with a verb and no preposition follows it; None where it does not."""
    rest = [place for place in clause if reading.tokens[place].word not in _ARABIC_SKIPPED]
    if len(rest) < 2:
        return None
    verb, noun = (reading.tokens[place] for place in rest[:2])
    bare = verb.word[1:] if verb.word[0] in "وف" and len(verb.word) > 4 else verb.word
    if bare.removeprefix("س")[:1] not in ("ي", "ت") or verb.weight == 0 or noun.weight == 0 or noun.figure >= 0:
        return None
    adverb = noun.word.endswith("ا") and not noun.word.startswith("ال")
    if adverb or (noun.word[0] in "بل" and not noun.word.startswith(_NOT_PREFIXED)):
        return None
    owner = rest[2:3] if rest[2:] and reading.tokens[rest[2]].word.startswith("ال") else []
    return Core((rest[1], *owner), rest[0], passive=False)
