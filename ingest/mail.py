"""Mail: head, body and attachments of a message, pages saved as mail (MHTML), and mailboxes (MBOX), by the standard library.

What Outlook writes in its own way (`ingest.outlook`, `ingest.tnef`) comes here as the message it was.
"""

from __future__ import annotations

import email
import email.policy
import email.utils
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from assistant.headings import text_blocks
from assistant.types import BlockKind
from ingest.compound import MSG
from ingest.encoding import decoded
from ingest.mailparts import Leaf, file_name, further_texts, leaves
from ingest.outlook import mail_of
from ingest.packages import UNREADABLE, damaged
from ingest.parsing import EMAIL, MBOX, MHTML, TNEF, Attachment, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import Piece, composed, first_heading, hidden_text
from ingest.tnef import SIGNATURE, packed_mail
from ingest.transfer import carried

WebPieces = Callable[[str], tuple[list[Piece], int]]
_SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_SAYS_MORE = 3
"""A page with so many times the words of the plain text beside it is the message; the plain text only says so."""
_SEPARATOR = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n)|(?<=\r\n\r\n))From [^\r\n]*\d{4}[^\r\n]*\r?\n(?=[!-9;-~]+:)")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def read_mail(content: bytes, settings: ParsingSettings, *, web_pieces: WebPieces) -> Parsed | Rejected:
    """A message and its attachments; `web_pieces` reads a body that is a web page."""
    message = _parsed(content)
    if message is None:
        return Rejected(RejectionCategory.DAMAGED, "the file is not an e-mail that can be read")
    return _read(message, EMAIL, settings, web_pieces)


def read_outlook(path: Path, settings: ParsingSettings, *, web_pieces: WebPieces) -> Parsed | Rejected:
    """An Outlook message and its attachments."""
    try:
        message = mail_of(path)
    except (*UNREADABLE, AssertionError) as error:
        return damaged("the Outlook message (MSG)", error)
    return _read(message, MSG, settings, web_pieces)


def read_packed_mail(content: bytes, settings: ParsingSettings, *, web_pieces: WebPieces) -> Parsed | Rejected:
    """A message that Outlook packed into a `winmail.dat`, and its attachments."""
    try:
        message = packed_mail(content)
    except UNREADABLE as error:
        return damaged("the message packed by Outlook (winmail.dat)", error)
    return _read(message, TNEF, settings, web_pieces)


def read_mailbox(content: bytes) -> Parsed | Rejected:
    """Each message of a mailbox as a file of its own; the mailbox itself has no text."""
    attachments = tuple(_messages(content))
    if not attachments:
        return Rejected(RejectionCategory.NO_TEXT, "the mailbox holds no message")
    return Parsed(
        title=None, language="", date=None, media_type=MBOX, text="", pages=(), blocks=(), parser="mailbox",
        attachments=attachments, container=True,
    )  # fmt: skip


def read_web_archive(content: bytes, settings: ParsingSettings, *, web_pieces: WebPieces) -> Parsed | Rejected:
    """The page in a web archive (MHTML), frames after it; its pictures and style sheets are no documents."""
    message = _parsed(content)
    parts = [p for p in message.walk() if p.get_content_type() == "text/html"] if message is not None else []
    if message is None or not parts:
        return Rejected(RejectionCategory.DAMAGED, "the web archive holds no page that can be read")
    pieces: list[Piece] = []
    hidden = 0
    for part in parts:
        page = _content(part)
        found, out_of_sight = web_pieces(page) if page.strip() else ([], 0)
        pieces += found
        hidden += out_of_sight
    title = _header(message, "Subject") or first_heading(pieces)
    return composed(MHTML, pieces, settings, parser="unstructured", title=title, warnings=hidden_text(hidden))


def _parsed(content: bytes) -> EmailMessage | None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:200].count(0) > 20:
        content = decoded(content).encode("utf-8")
    message = email.message_from_bytes(content, policy=email.policy.default)
    return message if isinstance(message, EmailMessage) else None


def _read(
    message: EmailMessage, media_type: str, settings: ParsingSettings, web_pieces: WebPieces
) -> Parsed | Rejected:
    parts, packed = _unpacked(leaves(message))
    attachments = tuple(_attachments(parts))
    subject = _header(message, "Subject")
    pieces, hidden = _body(message, parts, web_pieces)
    for inner in packed:
        said, out_of_sight = _body(inner, leaves(inner), web_pieces)
        if _says_more(said, pieces):
            pieces, hidden = said, out_of_sight
    if not pieces and attachments:
        pieces = [Piece(subject or "\n".join(file.file_name for file in attachments), BlockKind.PARAGRAPH)]
    lines = [(name, _header(message, name)) for name in _SHOWN_HEADERS]
    head = "\n".join(f"{name}: {value}" for name, value in lines if value)
    if pieces and head:
        pieces.insert(0, Piece(head, None))
    return composed(
        media_type,
        pieces,
        settings,
        parser="mail",
        title=subject,
        date=_date(message),
        attachments=attachments,
        warnings=(*hidden_text(hidden), *_signatures(parts)),
    )


def _unpacked(parts: tuple[Leaf, ...]) -> tuple[tuple[Leaf, ...], list[EmailMessage]]:
    """The parts, with what a `winmail.dat` carries in its place, and the messages that were packed so.

    A damaged one stays what it is, a file, and is told to be damaged where it is read itself.
    """
    found: list[Leaf] = []
    packed: list[EmailMessage] = []
    for leaf in parts:
        inner = _packed(leaf.part) if leaf.is_file() else None
        if inner is None:
            found.append(leaf)
        else:
            packed.append(inner)
            found += [one for one in leaves(inner) if one.is_file()]
    return tuple(found), packed


def _packed(part: Any) -> EmailMessage | None:
    if not part.get_content_type().endswith("ms-tnef") and not file_name(part).lower().endswith(".dat"):
        return None
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or not content.startswith(SIGNATURE):
        return None
    try:
        return packed_mail(content)
    except UNREADABLE:
        return None


def _signatures(parts: tuple[Leaf, ...]) -> tuple[str, ...]:
    signed = any(part.is_signature() for part in parts)
    return ("the message is signed; its electronic signature was left out and not checked",) if signed else ()


# --- body --------------------------------------------------------------------------------------------------------


def _body(message: EmailMessage, parts: tuple[Leaf, ...], web_pieces: WebPieces) -> tuple[list[Piece], int]:
    """The plain text; the page where there is none, or where the plain text only says that there is a page. Then other texts."""
    plain, page = (message.get_body(preferencelist=(kind,)) for kind in ("plain", "html"))
    pieces = _text_pieces(plain)
    hidden = 0
    on_page, out_of_sight = _page_pieces(page, web_pieces)
    if _says_more(on_page, pieces):
        pieces, hidden = on_page, out_of_sight
    for part in further_texts(parts, (plain, page)):
        if part.get_content_type() == "text/plain":
            pieces += _text_pieces(part)
        else:
            added, out_of_sight = _page_pieces(part, web_pieces)
            pieces, hidden = pieces + added, hidden + out_of_sight
    return pieces, hidden


def _text_pieces(part: Any) -> list[Piece]:
    text = _content(part).replace("\r\n", "\n").strip() if part is not None else ""
    return [Piece(text[b.span.start : b.span.end], b.kind, b.heading_level) for b in text_blocks(text)]


def _page_pieces(part: Any, web_pieces: WebPieces) -> tuple[list[Piece], int]:
    page = _content(part) if part is not None else ""
    return web_pieces(page) if page.strip() else ([], 0)


def _says_more(pieces: list[Piece], than: list[Piece]) -> bool:
    return _words(pieces) > _SAYS_MORE * _words(than)


def _words(pieces: list[Piece]) -> int:
    return sum(len(piece.text.split()) for piece in pieces)


def _content(part: Any) -> str:
    """A part's text; a part that lies about its own encoding is decoded by what its bytes look like."""
    try:
        content = part.get_content(errors="strict")
    except (LookupError, ValueError, AssertionError, KeyError, TypeError):
        content = part.get_payload(decode=True) or b""
    return decoded(content) if isinstance(content, bytes) else str(content)


# --- attachments -------------------------------------------------------------------------------------------------


def _attachments(parts: tuple[Leaf, ...]) -> Iterator[Attachment]:
    for number, part in enumerate((leaf.part for leaf in parts if leaf.is_file()), start=1):
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            inside = inner[0] if isinstance(inner, list) and inner else None
            name = _safe_name(_header(inside, "Subject")) if inside is not None else ""
            content = _bytes_of(inside) if inside is not None else b""
            yield carried(f"{name or f'message-{number}'}.eml", content)
            continue
        name = _safe_name(Path(file_name(part).replace("\\", "/")).name.strip().lstrip("."))
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else _bytes_of(part)  # a delivery report has parts and no bytes
        if content or name:
            yield carried(name or f"attachment-{number}", content)


def _bytes_of(message: Any) -> bytes:
    try:
        return bytes(message.as_bytes())
    except (UnicodeError, LookupError, ValueError, AttributeError, TypeError, IndexError):
        return str(message.as_string()).encode("utf-8", "replace")


def _messages(content: bytes) -> Iterator[Attachment]:
    starts = list(_SEPARATOR.finditer(content))
    for number, match in enumerate(starts, start=1):
        end = starts[number].start() if number < len(starts) else len(content)
        raw = _QUOTED_FROM.sub(rb"\1", content[match.end() : end].rstrip(b"\r\n") + b"\n")
        head = email.message_from_bytes(raw[:100_000], policy=email.policy.default)
        name = _safe_name(_header(head, "Subject"))
        yield replace(carried(f"{number:05d} {name}".strip() + ".eml", raw), own_label=True)


def _safe_name(name: str) -> str:
    return "".join(character for character in name if character.isprintable() and character not in "/\\:").strip()[:150]


# --- headers -----------------------------------------------------------------------------------------------------


def _header(message: Any, name: str) -> str:
    try:
        value = str(message[name] or "")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""  # the header is malformed in a way the standard library cannot take
    if "\ufffd" in value:  # written without an encoding, as old programs do: read as the bytes look
        raw = next((raw for key, raw in message.raw_items() if key.lower() == name.lower()), "")
        value = decoded(str(raw).encode("utf-8", "surrogateescape"))
    return " ".join(value.split())


def _date(message: EmailMessage) -> str | None:
    try:
        return email.utils.parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return None
