"""Outlook messages (MSG) as the e-mail they were, so that one reader reads all mail. The one module that imports `oxmsg`."""

from __future__ import annotations

import email.policy
import email.utils
import struct
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from ingest.encoding import decoded
from ingest.pieces import one_line

_AS_UNICODE = email.policy.default.clone(utf8=True)
_OF_FILE, _OF_EMBEDDED, _OF_ATTACHMENT = 32, 24, 8
"""Bytes before the first property, by the kind of storage (MS-OXMSG, section 2.4.1)."""
_EMBEDDED_MESSAGE = "__substg1.0_3701000D"
MOST_DEPTH = 20
"""Of messages in messages."""
_MOST_RTF = 50_000_000
_SUBJECT, _HEADERS, _BODY, _HTML, _RTF = 0x0037, 0x007D, 0x1000, 0x1013, 0x1009
_SENT, _DELIVERED = 0x0039, 0x0E06
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP, _DISPLAY_TO, _DISPLAY_CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
FILE, LONG_NAME, SHORT_NAME = 0x3701, 0x3707, 0x3704
"""Properties of a file that a message carries: its content and its names."""


def mail_of(path: Path) -> EmailMessage:
    """The message at `path`. Raises what a damaged file makes its readers raise."""
    import olefile
    from oxmsg.storage import Storage

    with olefile.OleFileIO(path) as compound:
        storage = Storage.from_ole(compound)
    return _message(storage, _OF_FILE, 0)


def _message(storage: Any, offset: int, depth: int) -> EmailMessage:
    from oxmsg.properties import Properties

    message = message_with(Properties(storage, properties_header_offset=offset))
    for attached in storage.iter_attachment_storages() if depth < MOST_DEPTH else ():
        _attach(message, attached, depth)
    return message


def message_with(properties: Any) -> EmailMessage:
    """The head and the body that a message's properties (MS-OXPROPS) say, without its files."""
    message = EmailMessage(policy=_AS_UNICODE)
    sent = properties.date_prop_value(_SENT) or properties.date_prop_value(_DELIVERED)
    for name, value in (
        ("From", _sender(properties)),
        ("To", properties.str_prop_value(_DISPLAY_TO)),
        ("Cc", properties.str_prop_value(_DISPLAY_CC)),
        ("Date", email.utils.format_datetime(sent) if sent else ""),
        ("Subject", properties.str_prop_value(_SUBJECT)),
    ):
        line = one_line(value or "").rstrip("\x00")
        if line:
            message[name] = line
    _set_body(message, properties)
    return message


def _sender(properties: Any) -> str:
    name = (properties.str_prop_value(_SENDER_NAME) or "").strip()
    address = properties.str_prop_value(_SENDER_SMTP) or properties.str_prop_value(_SENDER_ADDRESS) or ""
    if "@" not in address:  # an address of Exchange's own, which says nothing to a reader
        return name
    return email.utils.formataddr((name, address), "utf-8") if name.isascii() else f'"{name}" <{address}>'


def _set_body(message: EmailMessage, properties: Any) -> None:
    plain = properties.str_prop_value(_BODY) or ""
    page = decoded(properties.binary_prop_value(_HTML) or b"") or properties.str_prop_value(_HTML) or ""
    if not plain.strip() and not page.strip():
        packed = properties.binary_prop_value(_RTF)
        plain = _rtf_text(unpacked_rtf(packed)) if packed else ""
    if plain.strip():
        message.set_content(plain, cte="base64")
    if page.strip():
        add = message.add_alternative if plain.strip() else message.set_content
        add(page, subtype="html", cte="base64")


def _rtf_text(content: bytes) -> str:
    from ingest.richtext import read_rtf

    return "\n\n".join(piece.text for piece in read_rtf(content).pieces)


def _attach(message: EmailMessage, storage: Any, depth: int) -> None:
    from oxmsg.properties import Properties

    inside = next((one for one in storage.storages if one.name == _EMBEDDED_MESSAGE), None)
    if inside is not None:
        message.add_attachment(_message(inside, _OF_EMBEDDED, depth + 1))
        return
    properties = Properties(storage, properties_header_offset=_OF_ATTACHMENT)
    name = properties.str_prop_value(LONG_NAME) or properties.str_prop_value(SHORT_NAME) or ""
    attach_file(message, properties.binary_prop_value(FILE) or b"", name)


def attach_file(message: EmailMessage, content: bytes, name: str) -> None:
    """Let the message carry this file, unless it is nothing at all."""
    if content or name:
        message.add_attachment(content, "application", "octet-stream", filename=one_line(name) or "attachment")


_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_RING = 4096


def unpacked_rtf(packed: bytes) -> bytes:
    """The RTF body of a message as it was before Outlook packed it (MS-OXRTFCP, section 3.1.3)."""
    if len(packed) < 16:
        return b""
    _, _, kind = struct.unpack("<III", packed[:12])
    if kind == 0x414C454D:  # "MELA": not packed
        return packed[16:]
    ring = bytearray(_DICTIONARY.ljust(_RING, b"\0"))
    write = len(_DICTIONARY)
    found = bytearray()
    position = 16
    while position < len(packed) and len(found) < _MOST_RTF:
        control, position = packed[position], position + 1
        for bit in range(8):
            if control >> bit & 1:
                if position + 2 > len(packed):
                    return bytes(found)
                token = packed[position] << 8 | packed[position + 1]
                position += 2
                read, length = token >> 4, (token & 15) + 2
                if read == write:
                    return bytes(found)
                for step in range(length):
                    byte = ring[(read + step) % _RING]
                    found.append(byte)
                    ring[write] = byte
                    write = (write + 1) % _RING
            elif position < len(packed):
                found.append(packed[position])
                ring[write] = packed[position]
                write, position = (write + 1) % _RING, position + 1
    return bytes(found)
