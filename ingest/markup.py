"""Plain XML: the text of its elements. Nothing is fetched, no entity is expanded, and the size and depth are limited."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.types import BlockKind
from ingest.encoding import decoded
from ingest.lawxml import law_from
from ingest.parsing import XML, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import HEADING_CHARS, Piece, composed, first_heading, one_line, paragraph

_HEADINGS = frozenset(
    {"title", "titre", "titre_ta", "titre_txt", "head", "heading", "h1", "h2", "h3", "intitule", "subject", "objet"}
)
"""Local names, in lower case, of elements whose text heads what follows them."""
_MOST_HEADING_LEVEL = 6
_LOOK_AT = 100_000
DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
"""The line in which XML names its encoding, which no longer holds once the text is decoded."""


def safe_parser() -> Any:
    """An XML parser that expands no entity, opens no other file and no connection, and keeps libxml2's own limits."""
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip


def read_xml(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    """The text of an XML file, an element a paragraph; Rejected when it is broken, too large or relies on entities."""
    from lxml import etree

    size = path.stat().st_size
    if size > settings.max_unpacked_bytes:
        return Rejected(
            RejectionCategory.TOO_LARGE, f"an XML file of {size} bytes; at most {settings.max_unpacked_bytes}"
        )
    content = path.read_bytes()
    try:
        root = _root(content)
    except etree.XMLSyntaxError as error:
        if b"<!ENTITY" in content[:_LOOK_AT]:
            return _relies_on_entities()
        where = f"line {error.lineno}" if error.lineno else "its beginning"
        return Rejected(RejectionCategory.DAMAGED, f"the XML is not well formed: see {where}")
    if any(_is_unknown_entity(node) for node in root.iter(etree.Entity)):
        return _relies_on_entities()
    return _law(root, settings) or _plain(root, settings)


def _law(root: Any, settings: ParsingSettings) -> Parsed | Rejected | None:
    law = law_from(root)
    if law is None:
        return None
    result = composed(XML, law.pieces, settings, parser="lxml", title=law.title, date=law.date)
    return (
        result if isinstance(result, Rejected) else replace(result, author=law.author, document_type=law.document_type)
    )


def _plain(root: Any, settings: ParsingSettings) -> Parsed | Rejected:
    pieces = list(_pieces(root, 1))
    return composed(XML, pieces, settings, parser="lxml", title=first_heading(pieces))


def _relies_on_entities() -> Rejected:
    reason = "the XML file defines entities of its own, which are not expanded; hand in a copy with them replaced"
    return Rejected(RejectionCategory.DAMAGED, reason)


def _root(content: bytes) -> Any:
    """The root element; a file that is not in the encoding it declares is read by what its bytes look like."""
    from lxml import etree

    try:
        return etree.fromstring(content, safe_parser())
    except etree.XMLSyntaxError:
        text = decoded(content)
        again = DECLARATION.sub("", text).encode("utf-8", "replace")
        if not text.strip() or again == content:
            raise
        return etree.fromstring(again, safe_parser())


def _is_unknown_entity(node: Any) -> bool:
    return html.unescape(str(node.text)) == str(node.text)


def _pieces(element: Any, depth: int) -> Iterator[Piece]:
    """An element with words of its own is one piece, its children's words included; any other is the sum of its children."""
    if _has_words(element) or not len(element):
        text = one_line("".join(_words(element)))
        if text:
            yield _piece(element, text, depth)
        return
    for child in element:
        yield from _pieces(child, depth + 1)


def _has_words(element: Any) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _words(element: Any) -> Iterator[str]:
    """The text in reading order; two elements that touch are two words."""
    from lxml import etree

    if element.tag is etree.Entity:
        yield html.unescape(element.text)
        return
    yield element.text or ""
    for child in element:
        yield from _words(child)
        yield child.tail or ("" if child.tag is etree.Entity else " ")


def _piece(element: Any, text: str, depth: int) -> Piece:
    name = str(element.tag).rpartition("}")[2].lower()
    if name in _HEADINGS and len(text) <= HEADING_CHARS:
        return Piece(text, BlockKind.HEADING, min(max(1, depth - 1), _MOST_HEADING_LEVEL))
    return paragraph(text)
