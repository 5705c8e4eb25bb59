"""Outlook messages for the tests: a small writer of compound files ([MS-CFB]) and of the properties of [MS-OXMSG]."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

_FREE, _END, _FAT_SECTOR, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
Storage = dict[str, "bytes | Storage"]


def compound_file(path: Path, root: Storage) -> Path:
    """Write streams (bytes) and storages (dictionaries) as a compound file; every stream is padded beyond the mini stream."""
    entries: list[list[object]] = []
    sectors: list[bytes] = []
    chains: list[tuple[int, int]] = []

    def stored(content: bytes) -> int:
        padded = content + b"\0" * (-len(content) % 512)
        start = len(sectors)
        sectors.extend(padded[at : at + 512] for at in range(0, len(padded), 512))
        chains.append((start, len(padded) // 512))
        return start

    def add(name: str, what: bytes | Storage, kind: int) -> int:
        number = len(entries)
        entry: list[object] = [name, kind, _NONE, _NONE, _NONE, _END, 0]
        entries.append(entry)
        if isinstance(what, bytes):
            entry[5], entry[6] = stored(what.ljust(4096, b"\0")), max(4096, len(what))
            return number
        children = [add(child, inside, 2 if isinstance(inside, bytes) else 1) for child, inside in what.items()]
        for left, right in pairwise(children):
            entries[left][3] = right  # each the right sibling of the one before: a list is a tree
        entry[4] = children[0] if children else _NONE
        return number

    add("Root Entry", root, 5)
    rows = b"".join(_row(*entry) for entry in entries)  # type: ignore[arg-type]  # names, kinds and links in their order
    directory = stored(rows.ljust(-(-len(rows) // 512) * 512, b"\0"))
    needed = -(-(len(sectors) + 1) * 4 // 512) + 1
    table = [_FREE] * (needed * 128)
    for start, length in chains:
        for at in range(start, start + length):
            table[at] = at + 1 if at < start + length - 1 else _END
    places = list(range(len(sectors), len(sectors) + needed))
    for place in places:
        table[place] = _FAT_SECTOR
    fat = struct.pack(f"<{len(table)}I", *table)
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0, needed, directory, 0,
        4096, _END, 0, _END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *(places + [_FREE] * (109 - needed)))
    path.write_bytes(header + b"".join(sectors) + fat)
    return path


def _row(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, left, right, child, b"", 0, 0, 0, start, size
    )


def message(
    texts: dict[int, str], *, page: bytes = b"", attachments: list[tuple[str, bytes]] | None = None,
    inner: Storage | None = None, embedded: bool = False,
) -> Storage:  # fmt: skip
    """The storage of a message; `texts` by property number (0x0037 subject, 0x1000 body, …)."""
    storage: Storage = {}
    rows = []
    for number, text in texts.items():
        content = text.encode("utf-16-le")
        storage[f"__substg1.0_{number:04X}001F"] = content
        rows.append(struct.pack("<HHIII", 0x001F, number, 6, len(content) + 2, 0))
    if page:
        storage["__substg1.0_10130102"] = page
        rows.append(struct.pack("<HHIII", 0x0102, 0x1013, 6, len(page), 0))
    sent = 133_600_000_000_000_000  # 100 ns since 1601: 2024-05-12
    rows.append(struct.pack("<HHIQ", 0x0040, 0x0039, 6, sent))
    count = len(attachments or []) + (inner is not None)
    head = struct.pack("<8x4I", 0, count, 0, count) + (b"" if embedded else b"\0" * 8)
    storage["__properties_version1.0"] = head + b"".join(rows)
    for number, (name, content) in enumerate(attachments or []):
        encoded = name.encode("utf-16-le")
        storage[f"__attach_version1.0_#{number:08X}"] = {
            "__substg1.0_3707001F": encoded,
            "__substg1.0_37010102": content,
            "__properties_version1.0": b"\0" * 8
            + struct.pack("<HHIII", 0x001F, 0x3707, 6, len(encoded) + 2, 0)
            + struct.pack("<HHIII", 0x0102, 0x3701, 6, len(content), 0),
        }
    if inner is not None:
        storage[f"__attach_version1.0_#{count - 1:08X}"] = {
            "__substg1.0_3701000D": inner,
            "__properties_version1.0": b"\0" * 8,
        }
    return storage


def packed(
    texts: dict[int, str], *, files: list[tuple[str, bytes]] | None = None, inner: bytes = b"", code_page: int = 1252
) -> bytes:
    """A `winmail.dat` ([MS-OXTNEF]); `texts` by property number, in eight bits of the code page where that has their letters."""
    properties = [_property(number, *_encoded(text, code_page)) for number, text in texts.items()]
    properties.append(struct.pack("<HHQ", 0x0040, 0x0039, 133_600_000_000_000_000))
    named = struct.pack("<HH16sII", 0x001F, 0x8001, b"", 1, 6) + "nom".encode("utf-16-le") + b"\0\0"
    properties.append(named + _sized("valeur".encode("utf-16-le")))
    stream = struct.pack("<4sH", b"\x78\x9f\x3e\x22", 1) + _attribute(1, 0x00069007, struct.pack("<II", code_page, 0))
    stream += _attribute(1, 0x00069003, struct.pack("<I", len(properties)) + b"".join(properties))
    for name, content in files or []:
        long_name = _property(0x3707, 0x001F, name.encode("utf-16-le") + b"\0\0")
        stream += _attribute(2, 0x00069002, b"\0" * 14)
        stream += _attribute(2, 0x00018010, b"COURT~1.DAT\0") + _attribute(2, 0x0006800F, content)
        stream += _attribute(2, 0x00069005, struct.pack("<I", 1) + long_name)
    if inner:
        carried = _property(0x3701, 0x000D, b"\x07\x03\x02".ljust(16, b"\0") + inner)
        stream += _attribute(2, 0x00069002, b"\0" * 14) + _attribute(2, 0x00069005, struct.pack("<I", 1) + carried)
    return stream


def _encoded(text: str, code_page: int) -> tuple[int, bytes]:
    try:
        return 0x001E, text.encode(f"cp{code_page}") + b"\0"
    except UnicodeEncodeError:
        return 0x001F, text.encode("utf-16-le") + b"\0\0"


def _property(number: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, number) + _sized(value)


def _sized(value: bytes) -> bytes:
    return struct.pack("<II", 1, len(value)) + value + b"\0" * (-len(value) % 4)


def _attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)
