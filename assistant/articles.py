"""The article that a question names, and which sentences are its words.

"Que dit l'article 5 du décret n° 2021-442 ?" is answered by the text of that article in that decree, not by what mentions it. An
article begins where a heading or a sentence opens it ("Art. 5. –", "المادة 5 تعتبر …") and ends where the next one does.
"""

from __future__ import annotations

import re

from assistant.headings import article_number
from assistant.units import references

_ASKS_FOR_TEXT = re.compile(
    r"\b(?:que|qu['’]est-ce que|qu['’]) ?(?:dit|disent|prévoit|prévoient|stipule|dispose|énonce|contient|précise)\b|"
    r"\bquel(?:le)? est (?:le (?:contenu|texte|libellé)|la teneur)\b|"
    r"\bwhat (?:does|do|is in|is said in|are the (?:terms|words) of)\b.*?(?:\b(?:say|says|provide|state|contain|lay down)\b|\?)|"
    r"(?:ماذا|علام|على ماذا|عما?) ?[تي](?:قول|نص|حتوي|تضمن)|ما (?:هو )?(?:نص|مضمون|محتوى|فحوى)\b|ماذا (?:جاء|ورد) في",
    re.IGNORECASE,
)
_RUNS_ON = re.compile(
    r"(?:^|(?<=[.:؛;\-–—)]\s)|(?<=[.:؛;\-–—)])|(?<=\n))(?:"
    r"(?P<name>(?:Article|ARTICLE|Art\.|Section|SECTION)\s?\d+)(?=\s?[.:–—-]\s)|"
    r"(?P<arabic>(?:المادة|الفصل)\s?\d+)(?!\s*(?:من|أعلاه|أدناه|المذكور|المشار|السابق|الموالي|و\s?\d|أو|إلى)\b)(?=\s*[:.–—-]?\s+\S))"
)
"""An article that begins inside a line: "… منه. المادة 5 تعتبر …". One that is only mentioned has another word behind it."""
_NUMBER = re.compile(r"\d+(?:\s?[-/.]\s?\d+)+|\d{3,}")
_MENTIONS = re.compile(
    r"^\W*(?:vu|considérant|having regard)\b|\bبناء على|\babrog|\brepeal|\bيلغي|\bmodifi|\bamend", re.IGNORECASE
)


def asked_articles(question: str) -> frozenset[str]:
    """Articles, sections and the like that the question names, as `units` writes them; a law's own number is none.

    >>> asked_articles("Que dit l'article 5 de la loi n° 4-89 ?") == asked_articles("ماذا تنص عليه المادة 5؟") == {"art:5"}
    True
    """
    return frozenset(unit for unit in references(question) if not unit.startswith("no:"))


def asked_texts(question: str) -> frozenset[str]:
    """The numbers of the texts that the question names: "la loi n° 4-89", "القانون رقم 4.89"."""
    return frozenset(unit for unit in references(question) if unit.startswith("no:"))


def asks_for_text(question: str) -> bool:
    """True when the question wants the words of the article it names rather than something in them.

    >>> asks_for_text("Que dit l'article 5 ?"), asks_for_text("Quelle amende prévoit l'article 5 ?")
    (True, False)
    """
    return bool(asked_articles(question)) and bool(_ASKS_FOR_TEXT.search(question))


def opened_articles(sentence: str) -> tuple[str, ...]:
    """The articles that begin in this sentence, in order; articles that it only mentions are none.

    >>> opened_articles("Article 5. – Le maire décide."), opened_articles("Au sens de l'article 5, le maire décide.")
    (('art:5',), ())
    """
    first = article_number(sentence)
    names = [first] if first else []
    names += [match["name"] or match["arabic"] for match in _RUNS_ON.finditer(sentence)]
    return tuple(dict.fromkeys(unit for name in names for unit in sorted(asked_articles(name))))


def names_itself(text: str, wanted: frozenset[str]) -> bool:
    """True when a title, file name or sentence has one of these numbers as that of the text it belongs to.

    A sentence that cites, amends or repeals another text does not.

    >>> wanted = frozenset({"no:4-89"})
    >>> names_itself("loi-4-89-routes", wanted), names_itself("Vu la loi n° 4-89", wanted)
    (True, False)
    """
    if _MENTIONS.search(text):
        return False
    found = {"no:" + "-".join(re.findall(r"\d+", match)) for match in _NUMBER.findall(text)}
    return not wanted.isdisjoint(found | references(text))
