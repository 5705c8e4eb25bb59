"""Laws in the XML of their publishers: Akoma Ntoso (OASIS LegalDocML) and DILA's LEGI and JORF.

Articles become headings with their numbers, under the titles of parts and chapters; the period in which a text is in force is
written under its heading in words, as the publishers' own sites do. Elements that are not known keep their text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.headings import structural_level
from assistant.types import BlockKind
from ingest.pieces import HEADING_CHARS, Piece, one_line, paragraph, table

_ARTICLE_LEVEL = 6
_LEGI_ROOTS = ("ARTICLE", "TEXTE_VERSION", "TEXTELR")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Law:
    """A legal text: what its publisher says about it, and its pieces in reading order."""

    pieces: tuple[Piece, ...]
    title: str | None = None
    date: str | None = None
    """ISO 8601 date of signature, or of the work."""
    author: str | None = None
    document_type: str | None = None


def law_from(root: Any) -> Law | None:
    """The legal text below `root`; None when it is in neither of the formats, or empty."""
    name = _name(root)
    law = None
    if name == "akomaNtoso":
        law = _akoma_ntoso(root)
    elif name == "SECTION_TA" or (name in _LEGI_ROOTS and root.find("META") is not None):
        law = _legi(root)
    return law if law is not None and law.pieces else None


# --- Akoma Ntoso -------------------------------------------------------------------------------------------------

_UPPER = {
    "book": 1,
    "tome": 1,
    "part": 1,
    "title": 2,
    "chapter": 3,
    "subchapter": 4,
    "section": 5,
    "subsection": 5,
    "division": 4,
}
"""Containers above the article, with the level of their headings; an element that is not known lies under them."""
_LOWER = frozenset(
    {"paragraph", "subparagraph", "point", "item", "indent", "alinea", "list", "clause", "subclause", "level"}
)
_AKN_KINDS = {
    "act": "law",
    "bill": "law",
    "judgment": "judgment",
    "statement": "note",
    "debate": "minutes",
    "debateReport": "minutes",
}
_NOTE = "authorialNote"
_ARTICLE_WORDS = {"ar": "المادة", "ara": "المادة"}


def _akoma_ntoso(root: Any) -> Law:
    document = next((child for child in root if isinstance(child.tag, str)), root)
    work, expression = document.find(".//{*}FRBRWork"), document.find(".//{*}FRBRExpression")
    language = _attribute(expression, "FRBRlanguage", "language")
    title = (
        _text(document.find(".//{*}docTitle"))
        or _attribute(work, "FRBRalias", "value")
        or _text(document.find(".//{*}longTitle"))
    )
    pieces = tuple(_akn_pieces(document, _ARTICLE_WORDS.get(language, "Article")))
    date = _attribute(document.find(".//{*}preface"), "docDate", "date") or _attribute(work, "FRBRdate", "date")
    author = _attribute(work, "FRBRauthor", "href").lstrip("#")
    shown = next((e.get("showAs") for e in document.iterfind(".//{*}references/*") if e.get("eId") == author), None)
    return Law(pieces, title or None, _day(date), shown, _AKN_KINDS.get(_name(document)))


def _akn_pieces(element: Any, article: str) -> Iterator[Piece]:
    name = _name(element)
    if name == "meta" or not isinstance(element.tag, str):
        return
    if name == _NOTE:
        yield from _note(element)
        return
    if name == "table":
        yield table([[_text(cell) for cell in row] for row in element.iterfind(".//{*}tr")])
        yield from _notes(element)
        return
    if name == "article" or name in _UPPER:
        yield from _akn_heading(element, name, article)
    elif name in _LOWER:
        yield from _numbered(element, article)
        return
    elif _has_words(element):
        yield paragraph(_text(element))
        yield from _notes(element)
        return
    for child in element:
        if not (name == "article" or name in _UPPER) or _name(child) not in ("num", "heading", "subheading"):
            yield from _akn_pieces(child, article)


def _akn_heading(element: Any, name: str, article: str) -> Iterator[Piece]:
    number, heading, below = (_text(element.find(f"{{*}}{child}")) for child in ("num", "heading", "subheading"))
    if name == "article" and number and not re.search(r"[^\W\d_]{3}", number):
        number = f"{article} {number}"
    text = " – ".join(filter(None, (number, heading, below)))
    if text and len(text) <= HEADING_CHARS:
        level = _ARTICLE_LEVEL if name == "article" else _UPPER[name]
        yield Piece(text, BlockKind.HEADING, structural_level(text) or level)
    elif text:
        yield paragraph(text)
    for child in element.iterfind("*"):
        if _name(child) in ("num", "heading", "subheading"):
            yield from _notes(child)


def _notes(element: Any) -> Iterator[Piece]:
    """The footnotes inside an element, each a paragraph of its own behind it."""
    for note in element.iterfind(f".//{{*}}{_NOTE}"):
        yield from _note(note)


def _note(note: Any) -> Iterator[Piece]:
    words = _text(note) if _has_words(note) else " ".join(filter(None, map(_text, note)))
    if words:
        yield paragraph(" ".join(filter(None, ((note.get("marker") or "").strip(), words))))


def _numbered(element: Any, article: str) -> Iterator[Piece]:
    """A numbered element below the article: its number stands before the first of its text."""
    number = _text(element.find("{*}num"))
    for child in element:
        if _name(child) == "num":
            continue
        for piece in _akn_pieces(child, article):
            yield Piece(f"{number} {piece.text}", BlockKind.LIST_ITEM) if number else piece
            number = ""
    if number:
        yield paragraph(number)
    for child in element.iterfind("{*}num"):
        yield from _notes(child)


# --- LEGI and JORF -----------------------------------------------------------------------------------------------

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_STATES = {
    "VIGUEUR": "En vigueur", "VIGUEUR_DIFF": "En vigueur différée", "ABROGE": "Abrogé", "ABROGE_DIFF": "Abrogation différée",
    "MODIFIE": "Version modifiée", "PERIME": "Périmé", "ANNULE": "Annulé", "TRANSFERE": "Transféré", "DISJOINT": "Disjoint",
}  # fmt: skip
_LEGI_KINDS = {
    "LOI": "law", "LOI_ORGANIQUE": "law", "LOI_CONSTIT": "law", "CODE": "law", "CONSTITUTION": "law", "ORDONNANCE": "decree",
    "DECRET": "decree", "DECRET_LOI": "decree", "ARRETE": "order", "CIRCULAIRE": "circular", "DELIBERATION": "deliberation",
}  # fmt: skip
_NO_END = ("2999-01-01", "2222-22-22")
_CONTENTS = ("VISAS", "BLOC_TEXTUEL", "SIGNATAIRES", "TP", "NOTA", "ABRO", "RECT", "SM", "STRUCTURE_TA", "STRUCT")


def _legi(root: Any) -> Law:
    context = root.find(".//CONTEXTE/TEXTE")
    nature = (context.get("nature") if context is not None else None) or root.findtext(".//META_COMMUN/NATURE") or ""
    full = one_line(
        root.findtext(".//TITREFULL") or root.findtext(".//CONTEXTE//TITRE_TXT") or root.findtext(".//TITRE") or ""
    )
    number = one_line(root.findtext(".//META_ARTICLE/NUM") or "")
    article = f"Article {number}" if number else ""
    signed = root.findtext(".//DATE_TEXTE") or (context.get("date_signature") if context is not None else None)
    office = (
        root.findtext(".//AUTORITE")
        or root.findtext(".//MINISTERE")
        or (context.get("ministere") if context is not None else "")
    )
    pieces = (*_legi_headings(root, full, article), *_legi_contents(root))
    title = ", ".join(filter(None, (article, full)))
    starts = _day(root.findtext(".//DATE_DEBUT"))
    return Law(
        pieces, title or None, _day(signed) or starts, one_line(office or "") or None, _LEGI_KINDS.get(nature.upper())
    )


def _legi_headings(root: Any, full: str, article: str) -> Iterator[Piece]:
    if full:
        yield _heading(full, 1)
    for level, part in enumerate(root.iterfind(".//CONTEXTE//TITRE_TM"), start=2):
        if text := _text(part):
            yield _heading(text, min(level, _ARTICLE_LEVEL - 1))
    section = _text(root.find("TITRE_TA"))
    if section:
        yield _heading(section, 5)
    if article:
        yield _heading(article, _ARTICLE_LEVEL)
    period = _period(root)
    if period:
        yield Piece(period, BlockKind.PARAGRAPH)


def _heading(text: str, level: int) -> Piece:
    return Piece(text, BlockKind.HEADING, level) if len(text) <= HEADING_CHARS else paragraph(text)


def _period(root: Any) -> str:
    """Since when, or from when to when, the text holds, in words; an end in the year 2999 is how LEGI says that there is none."""
    state = (root.findtext(".//META_SPEC//ETAT") or "").strip()
    start, end = (one_line(root.findtext(f".//META_SPEC//{name}") or "") for name in ("DATE_DEBUT", "DATE_FIN"))
    words = _STATES.get(state, state.replace("_", " ").capitalize())
    if not words or _day(start) is None:
        return words
    period = f"depuis le {_words(start)}" if _day(end) is None else f"du {_words(start)} au {_words(end)}"
    return f"{words} {period}" if state.startswith("VIGUEUR") else f"En vigueur {period} ({words.lower()})"


def _words(day: str) -> str:
    year, month, number = (int(part) for part in day.split("-"))
    return f"{'1er' if number == 1 else number} {_MONTHS[month - 1]} {year}"


def _legi_contents(root: Any) -> Iterator[Piece]:
    for child in root:
        if _name(child) in _CONTENTS:
            yield from _web_pieces(child)


def _web_pieces(element: Any) -> Iterator[Piece]:
    """What HTML there is in an element: a table stays one, every line and paragraph is a piece."""
    lines: list[str] = [""]
    for part in _flow(element):
        if isinstance(part, str):
            lines[-1] += part
        elif _name(part) == "table":
            yield from _paragraphs(lines)
            lines = [""]
            yield table([[_text(cell) for cell in row] for row in part.iter("tr")])
        else:
            lines.append("")
    yield from _paragraphs(lines)


_INLINE = frozenset(
    {"a", "b", "i", "u", "em", "strong", "font", "span", "sup", "sub", "small", "LIEN", "LIEN_ART", "abbr"}
)


def _flow(element: Any) -> Iterator[Any]:
    """The text in reading order, with each table, and each element that begins or ends a line, between."""
    if _name(element) == "table":
        yield element
        return
    breaks = _name(element) not in _INLINE
    if breaks:
        yield element
    yield element.text or ""
    for child in element:
        yield from _flow(child)
        yield child.tail or ""
    if breaks:
        yield element


def _paragraphs(lines: list[str]) -> Iterator[Piece]:
    for line in map(one_line, lines):
        if line:
            yield paragraph(line)


# --- shared ------------------------------------------------------------------------------------------------------


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _has_words(element: Any) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _text(element: Any) -> str:
    """The element's words on one line, without those of the footnotes inside it."""
    return one_line("".join(_texts(element))) if element is not None else ""


def _texts(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and _name(child) != _NOTE:
            yield from _texts(child)
        yield child.tail or ""


def _attribute(element: Any, child: str, name: str) -> str:
    found = element.find(f".//{{*}}{child}") if element is not None else None
    return (found.get(name) or "").strip() if found is not None else ""


def _day(text: str | None) -> str | None:
    match = _ISO_DATE.match((text or "").strip())
    return match[0] if match and "1500" <= match[0] < "2900" and match[0] not in _NO_END else None
