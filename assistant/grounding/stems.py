"""Light stems: forms of one word, and where it is safe the verb and its noun, come out alike.

They take folded words (`assistant.grounding.folding`). A light stemmer of ours, since an answer's words are compared with those
of one sentence and not of a library: two words that only look alike do less harm than a verb that misses its noun.
"""

from __future__ import annotations

import re
from functools import lru_cache

_FRENCH_SUFFIXES = """
    issements issement ations ation itions ition utions ution ements ement emment amment ments ment ateurs
    ateur atrices atrice antes ante ants ant ables able ibles ible eurs eur euses euse aires aire ences ence ances
    ance ites ite iques ique     ives ive ifs if ages age eraient erait erions eront erons eras erai era erez
    iraient irait iront irons irai ira issaient     issait issant issent issons isse issez aient ait ions ions iez
    assent ees ee es er ez ent ons e s is it ir i irent erent     a ure ures oire oires elles elle els el aux al
    ales ale eux iere ieres ier iers ien iens ienne iennes sions sion
"""
_ENGLISH_SUFFIXES = """
    izations ization ations ation itions ition ments ment nesses ness ingly edly ances ance ences ence ables able
    ibles ible ators ator ities ity ively ive ings ing ies ied ers er ors or ed es s e ly ally ical al ions ion y
    als
"""
_FRENCH, _ENGLISH = (
    tuple(sorted(suffixes.split(), key=len, reverse=True)) for suffixes in (_FRENCH_SUFFIXES, _ENGLISH_SUFFIXES)
)
_ARABIC_PREFIX = re.compile(r"^(?:[وف](?=[ء-ي]{3}))?(?:بال|كال|فال|لل|ال|[بلك](?=[ء-ي]{3}))?(?=[ء-ي]{2})")
_ARABIC_SUFFIX = re.compile(r"(?<=[ء-ي]{3})(?:هما|كما|تهم|تها|هم|هن|ها|كم|نا|ات|ان|ين|ون|يه|تي|وا|تا|ه|ي|ا)$")
_ARABIC_VERB = re.compile(r"^(?:ست|سي|[يتن])(?=[ء-ي]{3})")
_DOUBLED = re.compile(r"([b-df-hj-np-tv-z])\1$")


@lru_cache(50_000)
def stem(word: str, language: str) -> str:
    """The stem of one folded word; a number and a short word stay as they are.

    >>> stem("versements", "fr") == stem("verse", "fr"), stem("المديريات", "ar") == stem("مديريه", "ar")
    (True, True)
    """
    if not word.isalpha():
        return word
    if "\u0600" <= word[0] <= "\u06ff":
        return _arabic(word)
    return _latin(word, _ENGLISH if language == "en" else _FRENCH)


@lru_cache(50_000)
def root(word: str) -> str:
    """The consonants of an Arabic word without those that forms of the verb add; the word's stem when fewer than three are left.

    >>> root("تقديم") == root("يقدم") == root("مقدم")
    True
    """
    bare = _ARABIC_VERB.sub("", _arabic(word))
    bare = re.sub(r"^(?:است|مست|ان|ات|ا|م|ت)(?=[ء-ي]{3})", "", bare)
    kept = bare[0] + re.sub("[اويئؤء]", "", bare[1:]) if bare else bare
    kept = re.sub(r"(?<=^[ء-ي]{2})ت(?=[ء-ي])", "", kept) if len(kept) > 3 else kept
    return kept[:4] if len(kept) >= 3 else _arabic(word)


def skeleton(word: str) -> str:
    """The consonants of an Arabic word that begins with what only looks like a particle: فواتير."""
    bare = word[:-1] if word.endswith(("ه", "ي")) else word
    return bare[0] + re.sub("[اويئؤء]", "", bare[1:]) if bare else bare


def _arabic(word: str) -> str:
    bare = _ARABIC_PREFIX.sub("", word)
    bare = _ARABIC_SUFFIX.sub("", bare)
    return bare[:-1] if len(bare) > 3 and bare.endswith(("ه", "ي")) else bare


def _latin(word: str, suffixes: tuple[str, ...]) -> str:
    if len(word) <= 3:
        return word
    bare = word
    for _ in range(2):
        least = 3 if len(bare) < 7 else 4
        cut = next((suffix for suffix in suffixes if bare.endswith(suffix) and len(bare) - len(suffix) >= least), "")
        if not cut:
            break
        bare = bare[: len(bare) - len(cut)]
        if cut not in ("s", "x"):
            break
    return _DOUBLED.sub(r"\1", bare)
