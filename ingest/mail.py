"""E-mail: head, body and attachments, by the standard library."""

from __future__ import annotations

import email
import email.policy
import email.utils
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from assistant.types import BlockKind
from ingest.encoding import decoded
from ingest.headings import text_blocks
from ingest.parsing import EMAIL, Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import Piece, composed

WebPieces = Callable[[str], tuple[list[Piece], int]]


def read_mail(content: bytes, settings: ParsingSettings, *, web_pieces: WebPieces) -> Parsed | Rejected:
    """A message and its attachments; `web_pieces` reads a body that is a web page."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:200].count(0) > 20:
        content = decoded(content).encode("utf-8")
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        return Rejected(RejectionCategory.DAMAGED, "the file is not an e-mail that can be read")
    attachments = tuple(_attachments(message))
    subject = _header(message, "Subject")
    pieces = _body(message, web_pieces)
    if not pieces and attachments and subject:
        pieces = [Piece(subject, BlockKind.PARAGRAPH)]
    head = "\n".join(f"{name}: {_header(message, name)}" for name in ("From", "To", "Date", "Subject") if message[name])
    if pieces and head:
        pieces.insert(0, Piece(head, None))
    return composed(
        EMAIL, pieces, settings, parser="unstructured", title=subject, date=_date(message), attachments=attachments
    )


def _body(message: EmailMessage, web_pieces: WebPieces) -> list[Piece]:
    part = message.get_body(preferencelist=("html", "plain"))
    if part is None:
        return []
    text = _content(part)
    if part.get_content_type() == "text/html":
        return web_pieces(text)[0] if text.strip() else []
    text = text.replace("\r\n", "\n").strip()
    return [Piece(text[b.span.start : b.span.end], b.kind, b.heading_level) for b in text_blocks(text)]


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


def _date(message: EmailMessage) -> str | None:
    try:
        return email.utils.parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return None
