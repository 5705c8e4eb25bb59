"""A sheet as Markdown (CommonMark with footnotes).

Whatever a text holds, it stays text: all punctuation that could mean something is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.export.sheet import Sheet, SheetTurn

_MEANS_SOMETHING = re.compile(r"""([\\`*_{}\[\]()<>#+!|~&$^=@"-])""")
_LIST_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(:|\.)")


def markdown(sheet: Sheet) -> str:
    """The whole file; the label is its first and its last line."""
    lines = [f"**{escaped(sheet.label)}**", f"# {escaped(sheet.title)}", escaped(sheet.date)]
    for turn in sheet.turns:
        lines += _turn(turn)
    lines += [f"[^{note.number}]: {escaped(note.source)} – {escaped(note.quote)}" for note in sheet.footnotes]
    return "\n\n".join([*lines, f"**{escaped(sheet.label)}**"]) + "\n"


def _turn(turn: SheetTurn) -> Iterator[str]:
    yield f"## {escaped(turn.question)}"
    if turn.searched:
        yield f"*{escaped(turn.searched)}*"
    for paragraph in turn.paragraphs:
        yield " ".join(escaped(each.text) + "".join(f"[^{number}]" for number in each.footnotes) for each in paragraph)
    for remark in turn.remarks:
        yield f"> {escaped(remark)}"
    if turn.notice:
        yield f"*{escaped(turn.notice)}*"


def escaped(text: str) -> str:
    """The text so that Markdown shows exactly it: no link, image, HTML, heading, list or rule.

    >>> escaped("![x](http://h.example) <b> 1. #")
    '\\\\!\\\\[x\\\\]\\\\(http\\\\://h.example\\\\) \\\\<b\\\\> 1. \\\\#'
    """
    text = _ADDRESS.sub(r"\1\\\2", _MEANS_SOMETHING.sub(r"\\\1", text))
    return _LIST_NUMBER.sub(r"\1\\\2", text)
