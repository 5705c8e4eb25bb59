"""Bytes of unknown encoding as text: Unicode with and without a mark, and the 8-bit sets that French and Arabic offices used.

What a page or a mail says of its own encoding wins where the bytes agree; where nothing is said, the set in which the letters
make French or Arabic words does.
"""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"(?:charset\s*=\s*|<\?xml[^>]{0,100}encoding\s*=\s*)[\"']?\s*([A-Za-z0-9_\-]+)", re.IGNORECASE)
_LOOK_AT = 4096
_SAMPLE = 200_000
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BIT = ("cp1252", "cp1256", "iso8859-15", "mac_roman", "iso8859-6", "cp850", "cp720")
"""In the order in which they win a tie: where Windows Western and Windows Arabic agree, a text is French."""
_LATIN_1 = frozenset({"iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii", "iso8859-1"})
"""What declares itself so is read as Windows-1252, as browsers do: the two differ only where Latin-1 has no letters."""
_HIGH_BYTES = frozenset({*range(0x07), 0x20, 0x21, 0x22, 0xFB, 0xFE})
"""Upper bytes of UTF-16 in French and Arabic text: Latin to Arabic, punctuation and symbols, ligatures, the mark."""

_ACCENTED = "àâäçéèêëîïôöùûüÿœæñáíóú"
_LIKELY = re.compile(
    rf"(?<=[A-Za-z])[{_ACCENTED}]|[{_ACCENTED}](?=[A-Za-z])|(?<![a-zà-ÿ])[ÀÂÇÉÈÊËÎÏÔÙÛŒ](?![^\W\d_]?[ÀÂÇÉÈÊËÎÏÔÙÛŒ]{{2}})|"
    rf"(?<=\s)[àù](?=\s)|(?<=\w)’(?=\w)|«(?=[\s\w])|(?<=[\s\w.!?])»|\u00a0(?=[:;!?»%€\d])|(?<=[\d«])\u00a0|"
    rf"[°€–—…•“”‘§²،؛؟]|[\u0621-\u063a\u0641-\u064a](?![A-Za-z{_ACCENTED}])"
)
_COMMON = re.compile(r"\bال|(?<=[وبلفك])ال|\b(?:في|من|على|إلى)\b")
_STRAY_BYTE = re.compile(r"[\udc80-\udcff]")
_MOSTLY = 4
"""A text with so many times more letters of UTF-8 than bytes that are none is UTF-8."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_WRONG = re.compile(
    r"[\x80-\x9f\ufffd]|(?<=[a-z])[À-ÞŽŠŸ™¤½¼¾¸ˆ˜ƒ](?=[a-z])|(?<=[\u0621-\u064a])[À-ÿŽ](?=[\u0621-\u064a])|[A-Za-z][\u0621-\u064a]"
)


def decoded(content: bytes) -> str:
    """`content` as text. Never fails: bytes that fit no encoding come out as replacement characters."""
    wide = wide_encoding(content)
    if wide is not None:
        return content.decode(wide, "replace").lstrip("\ufeff")
    try:
        return content.decode("utf-8").lstrip("\ufeff")
    except UnicodeDecodeError:
        return _damaged_utf_8(content) or _eight_bit(content)


def wide_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or because the bytes lie as they do in Latin or Arabic text of that encoding; else None."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    head = content[: min(_LOOK_AT, len(content) // 4 * 4)] or content
    if 0 not in head:
        return None
    lanes = [head[start::4] for start in range(4)]
    empty = [not any(lane) for lane in lanes]
    if len(head) >= 4 and empty[2] and empty[3] and not empty[0]:
        return "utf-32-le"
    if len(head) >= 4 and empty[0] and empty[1] and not empty[3]:
        return "utf-32-be"
    even, odd = head[::2], head[1::2]
    if _is_upper(odd) and not _is_upper(even):
        return "utf-16-le"
    return "utf-16-be" if _is_upper(even) and not _is_upper(odd) else None


def _is_upper(lane: bytes) -> bool:
    """True when these bytes are the upper halves of French or Arabic characters."""
    return sum(byte in _HIGH_BYTES for byte in lane) > 0.9 * len(lane)


def _damaged_utf_8(content: bytes) -> str | None:
    """Text that is UTF-8 but for a few bytes, as one that was cut off or put together of several; None when it is not.

    A line whose every letter beyond ASCII is wrong was written in another encoding; elsewhere a wrong byte is a replacement
    character. Bytes of 8-bit text hardly ever make a letter of UTF-8.
    """
    text = content.decode("utf-8", "surrogateescape")
    wrong = len(_STRAY_BYTE.findall(text))
    if len(_NOT_ASCII.findall(text)) - wrong < _MOSTLY * wrong:
        return None
    return "".join(map(_mended, text.splitlines(keepends=True))).lstrip("\ufeff")


def _mended(line: str) -> str:
    wrong = _STRAY_BYTE.findall(line)
    if not wrong:
        return line
    content = line.encode("utf-8", "surrogateescape")
    if len(wrong) == len(_NOT_ASCII.findall(line)):
        return _eight_bit(content)
    return content.decode("utf-8", "replace")


def _eight_bit(content: bytes) -> str:
    declared = _declared(content)
    if declared is not None:
        return declared
    sample = content[:_SAMPLE]
    best = max(_EIGHT_BIT, key=lambda encoding: _likelihood(sample.decode(encoding, "replace")))
    return content.decode(best, "replace")


def _declared(content: bytes) -> str | None:
    """The text in the encoding that the page names, when it decodes without a control character; else None."""
    match = _DECLARED.search(content[:_LOOK_AT])
    name = match[1].decode("ascii").lower() if match else ""
    if not name or name in ("utf-8", "utf8") or name.startswith(("utf-16", "utf-32")):
        return None
    try:
        text = content.decode("cp1252" if name in _LATIN_1 else name)
    except (LookupError, ValueError):
        return None
    return None if re.search(r"[\x80-\x9f]", text) else text


def _likelihood(text: str) -> int:
    """How much the letters beyond ASCII look like words of French or Arabic."""
    letters = len(_NOT_ASCII.findall(text))
    good, common, wrong = (len(pattern.findall(text)) for pattern in (_LIKELY, _COMMON, _WRONG))
    return 2 * good + 2 * common - letters - 4 * wrong
