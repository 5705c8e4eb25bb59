"""Hyphens at the ends of a PDF's lines: those that break a word, and those that belong to one.

pdfium gives the same sign for both and no line end, and the layout cannot tell "conser-vation" from "demi-journée". The words of
the rest of the document can.
"""

from __future__ import annotations

import re

BREAK = "\xad"
"""A soft hyphen, which search leaves out, so that it finds the whole word."""
_COMPOUND = "-"
_WORD = re.compile(r"[^\W\d_]+")
_BROKEN = re.compile(rf"([^\W\d_]+){BREAK}([^\W\d_]+)")
_FIRST = frozenset(
    _WORD.findall("""
        au avant après arrière ci celui celle ceux celles contre demi demie deux trois quatre cinq six sept huit neuf dix vingt
        trente quarante cinquante soixante quatrevingt entre ex grand grande haut mi micro moyen non peut petit petite quasi
        rendez sous vice
        back co cross eighty far fifty forty four full half high in long low mid multi ninety on one pre post re self seven
        seventy short sixty ten thirty twenty two up well year
    """)
)
"""Words that compounds begin with."""


def with_compounds(text: str) -> str:
    """`text`, of the same length, with a plain hyphen for each break that belongs to its word and a soft one for the others.

    A break belongs to its word when a capital follows it, when the parts stand with a hyphen elsewhere, or when one of them is a
    word of the document; not when the document has the word without a hyphen.

    >>> with_compounds("La conser\\xadvation dure une demi\\xadjournée au Quai\\xadNord.")
    'La conser\\xadvation dure une demi-journée au Quai-Nord.'
    """
    if BREAK not in text:
        return text
    folded = text.casefold()
    words = frozenset(_WORD.findall(_BROKEN.sub(" ", folded))) | _FIRST

    def sign(match: re.Match[str]) -> str:
        left, right = match.groups()
        one, other = left.casefold(), right.casefold()
        if one + other in words:
            return left + BREAK + right
        belongs = right[0].isupper() or f"{one}-{other}" in folded or one in words or other in words
        return left + (_COMPOUND if belongs else BREAK) + right

    return _BROKEN.sub(sign, text)
