"""Every file without pages; DOCX, ODT, HTML and Markdown here, the rest beside. The one module that imports `unstructured`.

`unstructured` downloads an English language model at its first use, whatever the format, and reports its use over the network.
`_made_offline` is the one seam through which it is loaded: the opt-outs are set first, and the model is replaced by a blank,
language-neutral pipeline before anything can ask for it. Plain text, XML, RTF, spreadsheets and slides do not load it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

from assistant import egress
from assistant.headings import structural_level, text_blocks
from assistant.language import detect_language
from assistant.types import BlockKind
from ingest.books import read_epub
from ingest.compound import MSG
from ingest.conversion import CONVERTED_TYPES, converted
from ingest.declared import declared_on_page, front_matter
from ingest.embedded import with_scans
from ingest.encoding import decoded
from ingest.mail import read_mail, read_mailbox, read_outlook, read_packed_mail, read_web_archive
from ingest.markup import read_xml
from ingest.odtext import read_odg, read_odp, read_odt
from ingest.packages import UNREADABLE, damaged, metadata_title, unsafe_package
from ingest.parsing import (
    CSV,
    DOCX,
    EMAIL,
    EPUB,
    HTML,
    MARKDOWN,
    MBOX,
    MHTML,
    ODG,
    ODP,
    ODS,
    ODT,
    PPTX,
    RTF,
    TEXT,
    TNEF,
    XLSX,
    XML,
    Parsed,
    ParsingSettings,
    Rejected,
    detect_media_type,
    unsupported,
)
from ingest.passwords import LOCKABLE_TYPES, opened
from ingest.pieces import (
    Piece,
    composed,
    first_heading,
    hidden_text,
    no_text,
    outside_passages,
    parsed_text,
    plain,
    table,
    with_numbered_headings,
)
from ingest.richtext import read_rtf
from ingest.slides import read_pptx
from ingest.spreadsheets import read_csv, read_ods, read_xlsx
from ingest.webpages import visible_page
from ingest.wordfiles import visible_word_file

_READ_HERE = frozenset(
    {CSV, DOCX, EMAIL, EPUB, HTML, MARKDOWN, MBOX, MHTML, MSG, ODG, ODP, ODS, ODT, PPTX, RTF, TEXT, TNEF, XLSX, XML}
)
OFFICE_TYPES = _READ_HERE | CONVERTED_TYPES | LOCKABLE_TYPES
_PACKAGES = frozenset({DOCX, ODG, ODP, ODT, XLSX, ODS, PPTX, EPUB})
_LONGEST_HEADING = 160
_WIDEST_TABLE = 1000
"""Columns, and rows that one cell may span."""
_NO_DETECTION = [""]
"""Tells `unstructured` not to guess languages itself."""
_ENDS_LIKE_PROSE = re.compile(r"[.;,:!][\"”’»)\s]*$")
_ANCHOR = re.compile(r"^[#¶§]\s+|\s+[#¶]$")
_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class OfficeParser:
    """Reads word-processor files, spreadsheets, presentations, e-books, web pages, plain text and e-mail."""

    name = "unstructured"
    media_types = OFFICE_TYPES

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """Text and structure; Rejected when the file is packed suspiciously, locked, damaged or has no text."""
        media_type = detect_media_type(path)
        if media_type not in LOCKABLE_TYPES:
            return _read(path, media_type, settings)
        with opened(path, media_type, settings) as unlocked:
            if isinstance(unlocked, Rejected):
                return unlocked
            return _read(unlocked, detect_media_type(unlocked), settings)


def _read(path: Path, media_type: str, settings: ParsingSettings) -> Parsed | Rejected:
    if media_type in CONVERTED_TYPES:
        with converted(path, media_type, settings) as rewritten:
            if isinstance(rewritten, Rejected):
                return rewritten
            result = _read(rewritten, detect_media_type(rewritten), settings)
            if isinstance(result, Rejected):
                return result
            return replace(result, media_type=media_type, parser=f"libreoffice+{result.parser}")
    if media_type in _PACKAGES:
        refused = unsafe_package(path, settings)
        if refused is not None:
            return refused
    reader = _READERS.get(media_type)
    result = reader(path, settings) if reader else unsupported(media_type)
    return with_scans(result, path, media_type, settings) if media_type in (*_PACKAGES, RTF) else result


# --- the seam ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _made_offline() -> None:
    """Make `unstructured` unable to download anything. Everything this module takes from it is imported after this call."""
    egress.apply_opt_outs()
    # 60 MB of English words, for a check that nobody here asks for; every process forked from this one would carry them.
    words = ModuleType("unstructured.nlp.english_words")
    words.ENGLISH_WORDS = frozenset()  # type: ignore[attr-defined]  # an attribute of the module that it stands for
    sys.modules[words.__name__] = words
    import spacy
    from unstructured.nlp import tokenize

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer")
    pipeline.max_length = 100_000_000
    # `tokenize` looks this name up at each use; its own version fetches en_core_web_sm from the network.
    tokenize._get_nlp = lambda: pipeline  # type: ignore[assignment]  # the seam: there is no official one


@lru_cache(maxsize=1)
def _made_quick() -> None:
    """Let python-docx compile each path that it looks for once, and not again for each element: half its time.

    A path that cannot be compiled fails as it always did.
    """
    from docx.oxml.ns import nsmap
    from docx.oxml.xmlchemy import BaseOxmlElement
    from lxml import etree

    compiled = lru_cache(maxsize=512)(lambda path: etree.XPath(path, namespaces=nsmap))
    uncompiled = BaseOxmlElement.xpath

    def found(element: Any, path: str) -> Any:
        try:
            search = compiled(path)
        except etree.XPathSyntaxError:
            return uncompiled(element, path)
        return search(element)

    BaseOxmlElement.xpath = found  # type: ignore[method-assign, assignment]  # the seam: it has no other


def preload() -> None:
    """Import what parsing needs, so that processes forked from this one need not (2 to 3 seconds each)."""
    _made_offline()
    import lxml.etree  # noqa: F401
    import openpyxl.worksheet._reader  # noqa: F401
    import pptx  # noqa: F401
    import unstructured.partition.docx
    import unstructured.partition.html
    import unstructured.partition.md  # noqa: F401


def _elements(media_type: str, *, path: Path | None = None, text: str | None = None) -> list[Any]:
    """The file's elements as `unstructured` sees them; `text` for web pages and Markdown, `path` for the rest."""
    _made_offline()
    if media_type == DOCX:
        from unstructured.partition.docx import partition_docx

        _made_quick()
        return list(partition_docx(filename=str(path), languages=_NO_DETECTION))
    if media_type == MARKDOWN:
        from unstructured.partition.md import partition_md

        return list(partition_md(text=text, languages=_NO_DETECTION))
    from unstructured.partition.html import partition_html

    return list(partition_html(text=text, languages=_NO_DETECTION))


# --- formats -----------------------------------------------------------------------------------------------------


def _plain_text(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    text = decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return parsed_text(TEXT, text, text_blocks(text), settings, parser="text", title=None)


def _rich_text(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    try:
        read = read_rtf(path.read_bytes())
    except UNREADABLE as error:
        return damaged("the RTF file", error)
    warnings = []
    if read.hidden:
        warnings.append(f"{read.hidden} characters of hidden or deleted text were left out")
    if read.unclosed:
        warnings.append("the file ends before it is complete; what is there was read")
    pieces = with_numbered_headings(read.pieces)
    title = read.title or first_heading(pieces)
    return composed(RTF, pieces, settings, parser="richtext", title=title, warnings=tuple(warnings))


def _web_page(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    page = decoded(path.read_bytes())
    if not page.strip():
        return no_text()
    pieces, hidden = _web_pieces(page)
    title, said = _HTML_TITLE.search(page), declared_on_page(page)
    heading = (plain(title[1]) if title else "") or first_heading(pieces)
    return composed(
        HTML,
        pieces,
        settings,
        parser="unstructured",
        title=heading,
        date=said.date,
        author=said.author,
        language=said.language,
        warnings=hidden_text(hidden),
    )


def _markdown(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    text = decoded(path.read_bytes())
    if not text.strip():
        return no_text()
    said, lines, body = front_matter(text)
    pieces = _pieces(_elements(MARKDOWN, text=body)) if body.strip() else []
    on_page = declared_on_page(body)
    read = composed(
        MARKDOWN,
        outside_passages(lines) + pieces if pieces else [],
        settings,
        parser="unstructured",
        title=said.title or first_heading(pieces),
        date=said.date or on_page.date,
        author=said.author or on_page.author,
    )
    if isinstance(read, Rejected) or not lines:
        return read
    words = "\n".join(piece.text for piece in pieces)  # the names of fields are English in any document
    fallback = said.language or settings.languages[0]
    return replace(read, language=detect_language(words, among=settings.languages, default=fallback))


def _word_file(path: Path, settings: ParsingSettings) -> Parsed | Rejected:
    try:
        with tempfile.TemporaryDirectory(prefix="visible-") as folder:
            visible = Path(folder) / "document.docx"
            left_out = visible_word_file(path, visible)
            pieces = _pieces(_elements(DOCX, path=visible))
        title = metadata_title(path) or first_heading(pieces)
    except UNREADABLE as error:
        return damaged("the Word file", error)
    return composed(DOCX, pieces, settings, parser="unstructured", title=title, warnings=left_out.warnings())


def _web_pieces(page: str) -> tuple[list[Piece], int]:
    visible = visible_page(page)
    return outside_passages(visible.menus) + _pieces(_elements(HTML, text=visible.markup)), visible.hidden


_READERS: dict[str, Callable[[Path, ParsingSettings], Parsed | Rejected]] = {
    CSV: read_csv,
    DOCX: _word_file,
    EMAIL: lambda path, settings: read_mail(path.read_bytes(), settings, web_pieces=_web_pieces),
    EPUB: lambda path, settings: read_epub(path, settings, web_pieces=_web_pieces),
    HTML: _web_page,
    MARKDOWN: _markdown,
    ODS: read_ods,
    MBOX: lambda path, settings: read_mailbox(path.read_bytes()),  # noqa: ARG005 - a mailbox has no setting
    MHTML: lambda path, settings: read_web_archive(path.read_bytes(), settings, web_pieces=_web_pieces),
    MSG: lambda path, settings: read_outlook(path, settings, web_pieces=_web_pieces),
    ODG: read_odg,
    ODP: read_odp,
    ODT: read_odt,
    PPTX: read_pptx,
    RTF: _rich_text,
    TEXT: _plain_text,
    TNEF: lambda path, settings: read_packed_mail(path.read_bytes(), settings, web_pieces=_web_pieces),
    XLSX: read_xlsx,
    XML: read_xml,
}


# --- elements to text --------------------------------------------------------------------------------------------


def _pieces(elements: Iterable[Any]) -> list[Piece]:
    return with_numbered_headings([_piece(element) for element in elements])


def _piece(element: Any) -> Piece:
    category, depth = type(element).__name__, element.metadata.category_depth
    text = "\n".join(line.rstrip() for line in element.text.strip().splitlines())
    if category in ("Header", "Footer", "PageNumber"):
        return Piece(text, None)
    if category == "Table":
        return Piece(_table_text(element.metadata.text_as_html) or text, BlockKind.TABLE)
    structural = structural_level(text)
    if structural:
        return Piece(text, BlockKind.HEADING, structural)
    headed = (category == "Title" and depth is not None) or (category == "Text" and (depth or 0) >= 1)
    if headed and len(text) <= _LONGEST_HEADING and not _ENDS_LIKE_PROSE.search(text):
        return Piece(_ANCHOR.sub("", text), BlockKind.HEADING, (depth or 0) + 1)
    return Piece(text, BlockKind.LIST_ITEM if category == "ListItem" else BlockKind.PARAGRAPH)


class _Rows(HTMLParser):
    """Cells of an HTML table, row by row; a table inside a cell becomes part of that cell.

    A cell that is merged over several rows stands in each of them, so that a row says all that belongs to it; over several
    columns it stands in the first, and the others keep their places.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._depth = 0
        self._spans: list[tuple[int, int, int, int]] = []

    def merged(self) -> list[list[str]]:
        """The rows as a grid."""
        grid: list[dict[int, str]] = [{} for _ in self.rows]
        for row, cell, height, width in self._spans:
            column = next(n for n in range(_WIDEST_TABLE) if n not in grid[row] or n == _WIDEST_TABLE - 1)
            for below in range(row, min(row + height, len(grid))):
                for place in range(column, min(column + width, _WIDEST_TABLE)):
                    grid[below][place] = self.rows[row][cell] if place == column else ""
        return [[row.get(n, "") for n in range(max(row, default=-1) + 1)] for row in grid]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "table"
        if self._depth > 1:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            given = dict(attrs)
            height, width = _span(given.get("rowspan")), _span(given.get("colspan"))
            self._spans.append((len(self.rows) - 1, len(self.rows[-1]) - 1, height, width))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "table"

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _table_text(markup: str | None) -> str:
    """The table row by row, " | " between cells; empty rows and columns are left out."""
    if not markup:
        return ""
    parser = _Rows()
    parser.feed(markup)
    return table(parser.merged()).text


def _span(given: str | None) -> int:
    return max(1, min(int(given), _WIDEST_TABLE)) if given and given.isascii() and given.isdigit() else 1
