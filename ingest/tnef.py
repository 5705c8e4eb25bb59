"""What Outlook packs into `winmail.dat` (TNEF) as the e-mail it was, so that one reader reads all mail.

A message that Exchange sends to another kind of server often has all its files in one such part. The format: MS-OXTNEF; the
numbers of properties: MS-OXPROPS.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import NamedTuple

from ingest.outlook import FILE, LONG_NAME, MOST_DEPTH, SHORT_NAME, attach_file, message_with

SIGNATURE = b"\x78\x9f\x3e\x22"
_HEAD = 6
"""Bytes before the first attribute: the signature and a key that means nothing."""
_CODE_PAGE, _MESSAGE_PROPERTIES, _SUBJECT, _BODY = 0x9007, 0x9003, 0x8004, 0x800C
_NEXT_FILE, _FILE_TITLE, _FILE_CONTENT, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_SUBJECT_PROPERTY, _BODY_PROPERTY = 0x0037, 0x1000
_FIXED_BYTES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
"""Type of a property → bytes of a value with what fills it up to four."""
_EIGHT_BIT, _WIDE, _BINARY, _OBJECT, _TIME = 0x1E, 0x1F, 0x102, 0x0D, 0x40
_SIZED = (_EIGHT_BIT, _WIDE, _BINARY, _OBJECT)
_SEVERAL = 0x1000
_NAMED_FROM = 0x8000
_INTERFACE = 16
"""Bytes before an object's content that say what kind of object it is."""
_YEAR_1601 = datetime(1601, 1, 1, tzinfo=UTC)


class Properties:
    """Properties of a message or a file, by number; read as those of an Outlook message are."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[int, bytes]] = {}
        self._encoding = "cp1252"

    def take(self, values: Iterator[tuple[int, int, bytes]], encoding: str) -> None:
        """Add (number, type, value) of each. What is said twice, in the old way and the new, keeps its longer value."""
        self._encoding = encoding
        for number, kind, value in values:
            if len(value) >= len(self._values.get(number, (0, b""))[1]):
                self._values[number] = (kind, value)

    def str_prop_value(self, number: int) -> str | None:
        kind, value = self._values.get(number, (0, b""))
        if kind == _WIDE:
            return value.decode("utf-16-le", "replace").rstrip("\0")
        return value.decode(self._encoding, "replace").rstrip("\0") if kind == _EIGHT_BIT else None

    def binary_prop_value(self, number: int) -> bytes | None:
        kind, value = self._values.get(number, (0, b""))
        if kind == _OBJECT:
            return value[_INTERFACE:]
        return value if kind == _BINARY else None

    def date_prop_value(self, number: int) -> datetime | None:
        kind, value = self._values.get(number, (0, b""))
        return _YEAR_1601 + timedelta(microseconds=int.from_bytes(value[:8], "little") // 10) if kind == _TIME else None


class _Attribute(NamedTuple):
    number: int
    value: bytes


def packed_mail(content: bytes, *, depth: int = 0) -> EmailMessage:
    """The message that these bytes of a `winmail.dat` hold. Raises ValueError for a file that is cut off or is no such file."""
    if not content.startswith(SIGNATURE):
        raise ValueError("no TNEF signature")
    encoding = "cp1252"
    head, files = Properties(), list[Properties]()
    for number, value in _attributes(content):
        owner = files[-1] if files else head
        if number == _CODE_PAGE:
            encoding = _code_page(value)
        elif number == _NEXT_FILE:
            files.append(Properties())
        elif number in (_MESSAGE_PROPERTIES, _FILE_PROPERTIES):
            (head if number == _MESSAGE_PROPERTIES else owner).take(_properties(value), encoding)
        elif number in _AS_PROPERTY:
            (owner if number in (_FILE_TITLE, _FILE_CONTENT) else head).take(
                iter([(*_AS_PROPERTY[number], value)]), encoding
            )
    message = message_with(head)
    for one in files:
        _attach(message, one, depth)
    return message


_AS_PROPERTY = {
    _SUBJECT: (_SUBJECT_PROPERTY, _EIGHT_BIT),
    _BODY: (_BODY_PROPERTY, _EIGHT_BIT),
    _FILE_TITLE: (SHORT_NAME, _EIGHT_BIT),
    _FILE_CONTENT: (FILE, _BINARY),
}
"""Attributes that say what a property says too: its number and type."""


def _attach(message: EmailMessage, properties: Properties, depth: int) -> None:
    content = properties.binary_prop_value(FILE) or b""
    if content.startswith(SIGNATURE) and depth < MOST_DEPTH:
        message.add_attachment(packed_mail(content, depth=depth + 1))
        return
    name = properties.str_prop_value(LONG_NAME) or properties.str_prop_value(SHORT_NAME) or ""
    attach_file(message, content, name)


def _attributes(content: bytes) -> Iterator[_Attribute]:
    """What the stream is made of: level, number, type, length, value and a sum of its bytes, one after the other."""
    position = _HEAD
    while content[position : position + 16].strip(b"\0\r\n "):
        _, number, _, length = _unpacked("<BHHI", content, position)
        start = position + 9
        if start + length > len(content):
            raise ValueError("cut off in an attribute")
        yield _Attribute(number, content[start : start + length])
        position = start + length + 2


def _properties(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(number, type, value) of a list of properties (MS-OXTNEF, section 2.1.3.4); of several values the first."""
    (count,) = _unpacked("<I", content, 0)
    position = 4
    for _ in range(count):
        kind, number = _unpacked("<HH", content, position)
        position += 4
        if number >= _NAMED_FROM:
            position = _after_name(content, position)
        values, position = _values(content, position, kind)
        if values:
            yield number, kind & ~_SEVERAL, values[0]


def _after_name(content: bytes, position: int) -> int:
    _, by_text, size = _unpacked("<16sII", content, position)
    return position + 24 + (_filled(size) if by_text else 0)


def _values(content: bytes, position: int, kind: int) -> tuple[list[bytes], int]:
    sized, several = kind & ~_SEVERAL in _SIZED, bool(kind & _SEVERAL)
    count = 1
    if sized or several:
        (count,) = _unpacked("<I", content, position)
        position += 4
    values = []
    for _ in range(count):
        size = _FIXED_BYTES.get(kind & ~_SEVERAL, 0)
        if sized:
            (size,) = _unpacked("<I", content, position)
            position += 4
        elif not size:
            raise ValueError("a property of no known type")
        if position + size > len(content):
            raise ValueError("cut off in a property")
        values.append(content[position : position + size])
        position += _filled(size)
    return values, position


def _filled(size: int) -> int:
    return size + -size % 4


def _unpacked(form: str, content: bytes, position: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, content, position)
    except struct.error as error:
        raise ValueError("cut off") from error


def _code_page(value: bytes) -> str:
    name = f"cp{int.from_bytes(value[:4], 'little')}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
