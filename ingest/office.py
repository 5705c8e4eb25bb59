"""DOCX, ODT, HTML, TXT, Markdown and e-mail. The one module that imports `unstructured`.

`unstructured` downloads an English language model at its first use, whatever the format, and reports its use over the network.
`_made_offline` is the one seam through which it is loaded: the opt-outs are set first, and the model is replaced by a blank,
language-neutral pipeline before anything can ask for it. Plain text needs no library and does not load it.

The document's text is put together from the elements, so every block's span is right by construction.
"""

from __future__ import annotations

import email
import email.policy
import email.utils
import html
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from assistant import egress
from assistant.language import detect_language
from assistant.types import Block, BlockKind, Span
from ingest.encoding import decoded
from ingest.headings import section_number_level, structural_level, text_blocks
from ingest.parsing import (
    DOCX,
    EMAIL,
    HTML,
    MARKDOWN,
    ODT,
    TEXT,
    Attachment,
    Parsed,
    ParsingSettings,
    Rejected,
    RejectionCategory,
    detect_media_type,
)

OFFICE_TYPES = frozenset({DOCX, ODT, HTML, MARKDOWN, TEXT, EMAIL})
_LONGEST_HEADING = 160
_NO_DETECTION = [""]
"""Tells `unstructured` not to guess languages itself."""
_ENDS_LIKE_PROSE = re.compile(r"[.;,:!][\"”’»)\s]*$")
_ANCHOR = re.compile(r"^[#¶§]\s+|\s+[#¶]$")
_META_DATE = re.compile(
    r"<meta[^>]+(?:name|property)\s*=\s*[\"'](?:date|dc\.date|dcterms\.(?:date|issued|created)|"
    r"article:published_time)[\"'][^>]+content\s*=\s*[\"'](\d{4}-\d{2}-\d{2})",
    re.IGNORECASE,
)
_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MOST_RATIO = 200
"""Unpacked to packed size of an XML member; documents stay far below it, bombs far above."""
_RATIO_COUNTS_FROM = 10_000_000


@dataclass(frozen=True, slots=True)
class _Piece:
    """One element: its text and what it is; `kind` None keeps the text out of the blocks."""

    text: str
    kind: BlockKind | None
    level: int = 0


class OfficeParser:
    """Reads word-processor files, web pages, plain text and e-mail."""

    name = "unstructured"
    media_types = OFFICE_TYPES

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """Text and structure; Rejected when the file is packed suspiciously, locked or has no text."""
        media_type = detect_media_type(path)
        if media_type in (DOCX, ODT):
            refused = _unsafe_archive(path, settings)
            if refused is not None:
                return refused
        if media_type == TEXT:
            return _plain_text(path.read_bytes(), settings)
        if media_type == EMAIL:
            return _mail(path.read_bytes(), settings)
        if media_type in (HTML, MARKDOWN):
            return _web_page(decoded(path.read_bytes()), media_type, settings)
        return _word_file(path, media_type, settings)


# --- the seam ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _made_offline() -> None:
    """Make `unstructured` unable to download anything. Everything this module takes from it is imported after this call."""
    egress.apply_opt_outs()
    import spacy
    from unstructured.nlp import tokenize

    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer")
    pipeline.max_length = 100_000_000
    # `tokenize` looks this name up at each use; its own version fetches en_core_web_sm from the network.
    tokenize._get_nlp = lambda: pipeline  # type: ignore[assignment]  # the seam: there is no official one


def preload() -> None:
    """Import what parsing needs, so that processes forked from this one need not (2 to 3 seconds each)."""
    _made_offline()
    import unstructured.partition.docx
    import unstructured.partition.email
    import unstructured.partition.html
    import unstructured.partition.md
    import unstructured.partition.odt  # noqa: F401


def _elements(media_type: str, *, path: Path | None = None, text: str | None = None) -> list[Any]:
    """The file's elements as `unstructured` sees them; `text` for web pages and Markdown, `path` for the rest."""
    _made_offline()
    if media_type == DOCX:
        from unstructured.partition.docx import partition_docx

        return list(partition_docx(filename=str(path), languages=_NO_DETECTION))
    if media_type == ODT:
        from unstructured.partition.odt import partition_odt

        return list(partition_odt(filename=str(path), languages=_NO_DETECTION))
    if media_type == MARKDOWN:
        from unstructured.partition.md import partition_md

        return list(partition_md(text=text, languages=_NO_DETECTION))
    from unstructured.partition.html import partition_html

    return list(partition_html(text=text, languages=_NO_DETECTION))


# --- formats -----------------------------------------------------------------------------------------------------


def _plain_text(content: bytes, settings: ParsingSettings) -> Parsed | Rejected:
    text = decoded(content).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return _parsed(TEXT, text, text_blocks(text), settings, parser="text", title=None)


def _web_page(page: str, media_type: str, settings: ParsingSettings) -> Parsed | Rejected:
    if not page.strip():
        return _no_text()
    pieces = _pieces(_elements(media_type, text=page))
    title = _HTML_TITLE.search(page) if media_type == HTML else None
    date = _META_DATE.search(page)
    return _composed(
        media_type,
        pieces,
        settings,
        title=_plain(title[1]) if title else None,
        date=date[1] if date else None,
    )


def _word_file(path: Path, media_type: str, settings: ParsingSettings) -> Parsed | Rejected:
    pieces = _pieces(_elements(media_type, path=path))
    return _composed(media_type, pieces, settings, title=_metadata_title(path, media_type))


def _mail(content: bytes, settings: ParsingSettings) -> Parsed | Rejected:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:200].count(0) > 20:
        content = decoded(content).encode("utf-8")
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        return Rejected(RejectionCategory.DAMAGED, "the file is not an e-mail that can be read")
    attachments = tuple(_attachments(message))
    subject = _header(message, "Subject")
    pieces = _mail_body(message)
    if not pieces and attachments and subject:
        pieces = [_Piece(subject, BlockKind.PARAGRAPH)]
    head = "\n".join(f"{name}: {_header(message, name)}" for name in ("From", "To", "Date", "Subject") if message[name])
    if pieces and head:
        pieces.insert(0, _Piece(head, None))
    return _composed(EMAIL, pieces, settings, title=subject, date=_mail_date(message), attachments=attachments)


def _mail_body(message: EmailMessage) -> list[_Piece]:
    part = message.get_body(preferencelist=("html", "plain"))
    if part is None:
        return []
    text = _content(part)
    if part.get_content_type() == "text/html":
        return _pieces(_elements(HTML, text=text)) if text.strip() else []
    text = text.replace("\r\n", "\n").strip()
    return [_Piece(text[b.span.start : b.span.end], b.kind, b.heading_level) for b in text_blocks(text)]


def _content(part: Any) -> str:
    """A part's text; a part that lies about its own encoding is decoded by what its bytes look like."""
    try:
        content = part.get_content()
    except (LookupError, ValueError, AssertionError, KeyError, TypeError):
        content = part.get_payload(decode=True) or b""
    return decoded(content) if isinstance(content, bytes) else str(content)


def _attachments(message: EmailMessage) -> Iterable[Attachment]:
    for number, part in enumerate(message.iter_attachments(), start=1):
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload:
            name = Path((part.get_filename() or "").replace("\\", "/")).name.strip().lstrip(".")
            yield Attachment(_safe_name(name) or f"attachment-{number}", payload)


def _safe_name(name: str) -> str:
    return "".join(character for character in name if character.isprintable() and character not in "/\\:")[:150]


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = message[name]
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""  # the header is malformed in a way the standard library cannot take
    return " ".join(str(value or "").split())


def _mail_date(message: EmailMessage) -> str | None:
    try:
        return email.utils.parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return None


# --- elements to text --------------------------------------------------------------------------------------------


def _pieces(elements: Iterable[Any]) -> list[_Piece]:
    pieces = [piece for piece in map(_piece, elements) if piece.text]
    for index, piece in enumerate(pieces):
        level = section_number_level(piece.text) if piece.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) else 0
        around = pieces[max(0, index - 1) : index] + pieces[index + 1 : index + 2]
        if level and not any(section_number_level(other.text) for other in around):
            pieces[index] = _Piece(piece.text, BlockKind.HEADING, level)
    return pieces


def _piece(element: Any) -> _Piece:
    category, depth = type(element).__name__, element.metadata.category_depth
    text = "\n".join(line.rstrip() for line in element.text.strip().splitlines())
    if category in ("Header", "Footer", "PageNumber"):
        return _Piece(text, None)
    if category == "Table":
        return _Piece(_table_text(element.metadata.text_as_html) or text, BlockKind.TABLE)
    structural = structural_level(text)
    if structural:
        return _Piece(text, BlockKind.HEADING, structural)
    headed = (category == "Title" and depth is not None) or (category == "Text" and (depth or 0) >= 1)
    if headed and len(text) <= _LONGEST_HEADING and not _ENDS_LIKE_PROSE.search(text):
        return _Piece(_ANCHOR.sub("", text), BlockKind.HEADING, (depth or 0) + 1)
    return _Piece(text, BlockKind.LIST_ITEM if category == "ListItem" else BlockKind.PARAGRAPH)


def _composed(
    media_type: str,
    pieces: Sequence[_Piece],
    settings: ParsingSettings,
    *,
    title: str | None,
    date: str | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Parsed | Rejected:
    parts: list[str] = []
    blocks: list[Block] = []
    position = 0
    for piece in pieces:
        if parts:
            parts.append("\n\n")
            position += 2
        parts.append(piece.text)
        if piece.kind is not None:
            blocks.append(Block(Span(position, position + len(piece.text)), piece.kind, piece.level))
        position += len(piece.text)
    first = next((p.text for p in pieces if p.kind is BlockKind.HEADING), None)
    return _parsed(
        media_type,
        "".join(parts),
        tuple(blocks),
        settings,
        parser="unstructured",
        title=title or (_plain(first) if first else None),
        date=date,
        attachments=attachments,
    )


def _parsed(
    media_type: str,
    text: str,
    blocks: tuple[Block, ...],
    settings: ParsingSettings,
    *,
    parser: str,
    title: str | None,
    date: str | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Parsed | Rejected:
    if not any(character.isalnum() for character in text):
        return _no_text()
    language = detect_language(text, among=settings.languages, default=settings.languages[0])
    return Parsed(
        title=title or None,
        language=language,
        date=date,
        media_type=media_type,
        text=text,
        pages=(),
        blocks=blocks,
        parser=parser,
        attachments=attachments,
    )


def _no_text() -> Rejected:
    return Rejected(RejectionCategory.NO_TEXT, "the file opens but holds no text")


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\x00", "").split())[:300]


class _Rows(HTMLParser):
    """Cells of an HTML table, row by row; a table inside a cell becomes part of that cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - given by HTMLParser
        self._depth += tag == "table"
        if self._depth > 1:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "table"

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _table_text(markup: str | None) -> str:
    """The table row by row, " | " between cells; empty cells and rows are left out."""
    if not markup:
        return ""
    parser = _Rows()
    parser.feed(markup)
    rows = [[" ".join(cell.split()) for cell in row] for row in parser.rows]
    return "\n".join(" | ".join(cell for cell in row if cell) for row in rows if any(row))


# --- archives ----------------------------------------------------------------------------------------------------


def _unsafe_archive(path: Path, settings: ParsingSettings) -> Rejected | None:
    """Why this zip must not be unpacked: too large once unpacked, or locked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > settings.max_unpacked_bytes * 10:
                return Rejected(RejectionCategory.TOO_LARGE, "the file unpacks to more than the limit allows")
            for member in members:
                if member.flag_bits & 1:
                    return _locked()
                if member.filename.endswith((".xml", ".rels")) and _is_bomb(member, settings):
                    return Rejected(
                        RejectionCategory.TOO_LARGE, "a part of the file unpacks to far more than text takes"
                    )
            if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in archive.read(
                "META-INF/manifest.xml"
            ):
                return _locked()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        return Rejected(RejectionCategory.DAMAGED, f"the file cannot be unpacked ({type(error).__name__})")
    return None


def _is_bomb(member: zipfile.ZipInfo, settings: ParsingSettings) -> bool:
    if member.file_size > settings.max_unpacked_bytes:
        return True
    return member.file_size > _RATIO_COUNTS_FROM and member.file_size > _MOST_RATIO * max(1, member.compress_size)


def _locked() -> Rejected:
    return Rejected(RejectionCategory.PASSWORD_NEEDED, "the file needs a password; hand in a copy without one")


def _metadata_title(path: Path, media_type: str) -> str | None:
    """The title in the file's own metadata."""
    member, tag = ("docProps/core.xml", "dc:title") if media_type == DOCX else ("meta.xml", "dc:title")
    try:
        with zipfile.ZipFile(path) as archive, io.TextIOWrapper(archive.open(member), "utf-8", "replace") as file:
            match = re.search(rf"<{tag}[^>]*>([^<]*)</{tag}>", file.read(100_000))
    except (KeyError, zipfile.BadZipFile, OSError, EOFError):
        return None
    title = _plain(match[1]) if match else ""
    return title or None
