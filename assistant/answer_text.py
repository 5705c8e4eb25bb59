"""How the sentences of an answer are written one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.types import Sentence, Verdict

_LINE = re.compile(r"(?:- |\d{1,2}[.)] )|.* \| ")
"""An item of a list or a row of a table, as a model writes them."""


def answer_text(sentences: Iterable[Sentence]) -> str:
    """The sentences with their markers; items of a composed list and rows of a table on lines of their own."""
    text = ""
    for sentence in sentences:
        written = sentence.text + "".join(f" [{marker}]" for marker in sentence.markers)
        text += f"{separator(sentence)}{written}" if text else written
    return text


def separator(sentence: Sentence) -> str:
    """What stands before a sentence that is not the first: a line break before an item or a row that a model composed."""
    return "\n" if sentence.verdict is not Verdict.QUOTED and _LINE.match(sentence.text) else " "
