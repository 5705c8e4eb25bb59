"""Bytes of unknown encoding as text: UTF-8, UTF-16, and the 8-bit sets that French and Arabic offices used before."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]+)", re.IGNORECASE)
_ARABIC = re.compile("[\u0621-\u064a]")
_LOOK_AT = 4096


def decoded(content: bytes) -> str:
    """`content` as text. Never fails: as a last resort bytes are read as Latin-1, which knows them all."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    wide = utf16_without_mark(content)
    if wide is not None:
        return content.decode(wide, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(content)


def utf16_without_mark(content: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` when the zero bytes lie as they do in Latin text of that encoding; else None."""
    head = content[:_LOOK_AT]
    low, high = head[1::2].count(0), head[::2].count(0)
    if low + high < len(head) // 4 or min(low, high) > (low + high) // 20:
        return None
    return "utf-16-le" if low > high else "utf-16-be"


def _legacy(content: bytes) -> str:
    """8-bit text: what a page says of itself, else Windows Arabic when its letters come out Arabic, else Windows Western."""
    declared = _DECLARED.search(content[:_LOOK_AT])
    encodings = [declared[1].decode("ascii")] if declared and declared[1].lower() not in (b"utf-8", b"utf8") else []
    high = sum(byte >= 0x80 for byte in content)
    arabic = len(_ARABIC.findall(content.decode("cp1256", "replace")))
    encodings += ["cp1256"] if arabic > 0.6 * high else []
    for encoding in (*encodings, "cp1252", "latin-1"):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("latin-1")
