"""Names of files as people read them, wherever they come from: archives of any age, folders with any bytes in their names.

A name here is for reading and for telling documents apart. None is ever used to open a file.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import PurePath

from assistant.errors import DocumentRejected
from ingest.invisible import without_invisible
from ingest.parsing import RejectionCategory

_ENCODINGS = ("cp850", "cp437", "cp1252", "cp1256", "cp720")
"""What old programs wrote names in, the likeliest first: DOS and Windows of French and Arabic offices."""
_FRENCH = frozenset("àâæçéèêëîïôœùûüÿÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ")
_TYPOGRAPHY = frozenset("°’“”«»–—…€ ")
_ARABIC = re.compile("[\u0621-\u064a]")
_MIXED = re.compile("[A-Za-zÀ-ÿ][\u0621-\u064a]|[\u0621-\u064a][A-Za-zÀ-ÿ]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_LONGEST = 255


def name_encoding(raw: bytes) -> str:
    """The encoding in which names that are not UTF-8 make most sense as French or Arabic; the likeliest one on a tie.

    >>> name_encoding("Arrêté n° 5.pdf".encode("cp1252")), name_encoding("قرار رقم".encode("cp1256"))
    ('cp1252', 'cp1256')
    """
    return max(_ENCODINGS, key=lambda encoding: _sense(raw.decode(encoding, "replace")))


def _sense(text: str) -> int:
    points = -3 * len(_MIXED.findall(text))
    for character in text:
        if character > "\x7f":
            points += 2 if character in _FRENCH or _ARABIC.match(character) else 1 if character in _TYPOGRAPHY else -2
    return points


def readable_name(name: str) -> str:
    """One part of a path in characters that are safe to show: one line, no bidi controls, no bytes that are no text."""
    name = _CONTROL.sub(" ", without_invisible(_as_text(name))[0])
    name = " ".join(name.split()).replace("/", "_").replace("\\", "_")[:_LONGEST]
    return f"_{name}" if _DEVICE.match(name) else name or "unnamed"


def readable_path(path: PurePath) -> str:
    """A path whose parts are readable; a part that had to be changed for it carries a mark of what it really is.

    So two files whose names look alike stay two.
    """
    return str(type(path)(*(part if part == path.anchor else _marked(part) for part in path.parts)))


def readable_source(source: str) -> str:
    """The source that an archivist's program sent, in characters that are safe to keep and show; parts without fault stay.

    >>> readable_source("lot/note\\u202etxt.exe"), readable_source("2024/Arrêté n° 5.pdf")
    ('lot/notetxt~cdb524.exe', '2024/Arrêté n° 5.pdf')
    """
    return "/".join(_marked(part) if _is_odd(part) else part for part in source.split("/"))


def _is_odd(part: str) -> bool:
    return len(part) > _LONGEST or bool(_CONTROL.search(part)) or without_invisible(part)[0] != part


def path_inside(name: str) -> str:
    """The path of an archive's member, with forward slashes. Raises DocumentRejected when it leads out of the archive."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if "\0" in name or name[:1] in ("/", "\\") or ".." in parts or _DRIVE.match(name):
        reason = (
            "the archive names a path that leads out of it, so nothing of it was taken; unpack it and hand in its files"
        )
        raise DocumentRejected(RejectionCategory.UNSAFE_ARCHIVE, reason)
    return "/".join(map(readable_name, parts)) or "unnamed"


def _marked(part: str) -> str:
    readable = readable_name(part)
    if readable == part:
        return part
    mark = hashlib.sha256(os.fsencode(part)).hexdigest()[:6]
    stem, dot, suffix = readable.rpartition(".")
    return f"{stem.rstrip()}~{mark}.{suffix}" if stem and dot else f"{readable}~{mark}"


def _as_text(name: str) -> str:
    """A name as the system gives it, with the bytes in it that are not UTF-8 read in the encoding they make sense in."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "surrogateescape")
        return raw.decode(name_encoding(raw), "replace").replace("\ufffd", "_")
    return name
