"""What a heading or list item looks like in words: articles, chapters, numbered sections, in French, Arabic and English."""

from __future__ import annotations

import re

from assistant.types import Block, BlockKind, Span

_NUMBER = r"(?:\d[\d.\-]*(?:er|re|e|ème)?|[IVXLC]+|[A-Z]|premier|première|unique|préliminaire)"
_ARABIC_ORDINAL = (
    r"(?:[\d٠-٩]+|الأولى?|الاولى?|الأول|الاول|الثاني[ةه]?|الثالث[ةه]?|الرابع[ةه]?|الخامس[ةه]?|السادس[ةه]?|السابع[ةه]?|"
    r"الثامن[ةه]?|التاسع[ةه]?|العاشر[ةه]?|الحادي[ةه]? عشرة?|الفريد[ةه]?|التمهيدي)"
)
_TAIL = r"(?:[ \t\u00a0]+(?:bis|ter|quater|مكرر[ةه]?))?[ \t\u00a0]*(?:[.:–—\-]+[ \t\u00a0]*[^\n]{0,150})?[ \t]*"
_WORDS: tuple[tuple[int, str], ...] = (
    (1, r"(?:partie|part|livre|book|الجزء|الكتاب)"),
    (2, r"(?:titre|title|القسم)"),
    (3, r"(?:chapitre|chapter|الباب)"),
    (4, r"(?:section|الفرع|الفصل)"),
    (5, r"(?:sous-section|subsection|annexe|annex|appendix|schedule|الملحق)"),
    (6, r"(?:article|art\.|المادة|مادة|البند)"),
)
_ARTICLE_NUMBER = r"(?:(?:L|R|D|A)\.?[ \t\u00a0]*\*?[ \t\u00a0]*)?" + _NUMBER
_STRUCTURAL = tuple(
    (level, re.compile(rf"\s*{word}[ \t\u00a0]+(?:{_ARTICLE_NUMBER}|{_ARABIC_ORDINAL}){_TAIL}", re.IGNORECASE))
    for level, word in _WORDS
)
_OPENS_ONE = re.compile(
    r"\s*(?=(?-i:[PLBTCSA\u0600-\u06ff]))(?:" + "|".join(word for _, word in _WORDS) + r")[ \t\u00a0]", re.IGNORECASE
)
"""What every structural heading begins with, in capitals at least its first letter; hardly any other line does."""
_SECTION_NUMBER = re.compile(
    r"\s*(\d{1,2}(?:\.\d{1,2}){0,4})\.?[ \t\u00a0]+(?:[–—-][ \t]+)?[A-ZÀ-Þ\u0621-\u064a][^\n]{0,100}"
)
_BULLET = re.compile(
    r"\s*(?:[•▪◦‣●○■□➢✓✔]|[-–—*·][ \t\u00a0]|\(?(?:(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]|\d{1,2}°)[ \t\u00a0]|"
    r"\d{1,2}-[ \t]|[٠-٩]{1,2}[.)\-][ \t])\s*\S"
)


def structural_level(line: str) -> int:
    """1 (part) to 6 (article) for a heading such as "Chapitre II – …" or "المادة 5"; 7 to 11 for "2.1 Title"; else 0.

    The whole line must be the heading: an article whose text goes on behind its number is a paragraph.
    """
    if len(line) <= 200 and _OPENS_ONE.match(line):
        for level, pattern in _STRUCTURAL:
            if pattern.fullmatch(line):
                return 0 if _runs_on(line) else level
    return 0


def section_number_level(line: str) -> int:
    """7 for "2 Title", 8 for "2.1 Title" and so on; 0 for anything else, full sentences included."""
    match = _SECTION_NUMBER.fullmatch(line)
    if match is None or line.rstrip().endswith((".", ";", ",", ":")):
        return 0
    return 7 + match[1].count(".")


def opens_article(line: str) -> bool:
    """True when a line begins an article, chapter or section, whether or not its text runs on."""
    return bool(structural_level(line)) or bool(_RUN_IN.match(line))


def article_number(text: str) -> str:
    """The article's name for a paragraph that begins with it and runs on, as in "Article 4: …"; empty for any other.

    >>> article_number("Art. 5. – Le maire fixe les tarifs."), article_number("المادة 5: يسري هذا القانون.")
    ('Art. 5', 'المادة 5')
    """
    match = _RUN_IN.match(text)
    return " ".join(match[1].split()).rstrip(".-") if match else ""


_RUN_IN = re.compile(
    rf"\s*((?:Article|ARTICLE|Art\.|Section|SECTION|المادة|الفصل)[ \t\u00a0]+(?:{_ARTICLE_NUMBER}|{_ARABIC_ORDINAL})"
    r"(?:[ \t\u00a0]+(?:bis|ter|quater|مكرر[ةه]?))?)(?:[.\-]|[ \t\u00a0]*[.:–—\-])(?=\s)"
)


def bullet(line: str) -> bool:
    """True when a line begins a list item."""
    return bool(_BULLET.match(line))


def _runs_on(line: str) -> bool:
    """True when the rest of the line is a sentence of the article, not its title."""
    return line.rstrip().endswith((".", ";", ",")) and len(line) > 60


def text_blocks(text: str) -> tuple[Block, ...]:
    """Blocks of a text without marks of its own: paragraphs between blank lines, list items, headings on a line of their own."""
    blocks: list[Block] = []
    start = end = -1
    kind = BlockKind.PARAGRAPH
    position = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        level = structural_level(bare)
        if start >= 0 and (not bare or level or bullet(bare)):
            blocks.append(Block(Span(start, end), kind))
            start = -1
        if level:
            left = position + len(line) - len(line.lstrip())
            blocks.append(Block(Span(left, position + len(line.rstrip())), BlockKind.HEADING, level))
        elif bare:
            if start < 0:
                start = position + len(line) - len(line.lstrip())
                kind = BlockKind.LIST_ITEM if bullet(bare) else BlockKind.PARAGRAPH
            end = position + len(line.rstrip())
        position += len(line)
    if start >= 0:
        blocks.append(Block(Span(start, end), kind))
    return tuple(blocks)
