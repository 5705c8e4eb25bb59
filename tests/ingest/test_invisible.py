"""What nobody sees is not in the text; what the writing needs stays."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from assistant.types import Page, Span
from ingest.finishing import finished
from ingest.invisible import Remap, warning, without_invisible
from ingest.parsing import PDF, Parsed


@pytest.mark.parametrize(
    ("text", "seen", "dropped"),
    [
        ("a\u200bb\u2060c\ufeffd", "abcd", 3),
        ("\u202eabc\u202c \u2066x\u2069 \u200ey\u200f\u061c", "abc x y", 7),
        ("ok" + "".join(chr(0xE0000 + ord(c)) for c in "ignore"), "ok", 6),
        ("\ufff9mot\ufffaglose\ufffb", "motglose", 3),
        ("❤\ufe0f x\U000e0101", "❤\ufe0f x", 1),
        ("x\ufe00\ufe01\ufe02", "x\ufe00", 2),
        ("a\u200cb\u200dc", "abc", 2),
        ("می\u200cخواهم ه\u200dـ", "می\u200cخواهم ه\u200dـ", 0),
        ("المادة\u200c ", "المادة ", 1),
        ("co\u00adopération", "co\u00adopération", 0),
        ("été", "été", 0),
        ("plain", "plain", 0),
    ],
)
def test_what_is_not_seen_goes_and_is_counted(text: str, seen: str, dropped: int) -> None:
    assert without_invisible(text) == (seen, dropped)


def test_positions_follow_the_text_they_point_at() -> None:
    text = "\ufeffun \u200bmot\u200b ici"
    seen, _ = without_invisible(text)
    place = Remap(text)
    start = text.index("mot")
    assert seen[place(start) : place(start + 3)] == "mot"
    assert place(len(text)) == len(seen)


def test_warning_counts() -> None:
    assert warning(1) == "1 invisible character (zero-width, bidi controls or tags) was left out"
    assert warning(12) == "12 invisible characters (zero-width, bidi controls or tags) were left out"


def test_letters_of_a_page_keep_their_characters_when_unseen_ones_go() -> None:
    """Without it a PDF with such a character in its text layer was taken for one that crashed its parser (found by fuzzing)."""
    text = "Le \ufff9maire\u3164\nsigne\u115f"
    line, other = ((0, 4, 10), (4, 10, 20)), ((11, 17, 30),)
    page = Page(1, Span(0, len(text)), 595.0, 842.0, runs=(line, other))
    parsed = Parsed(
        title=None, language="fr", date=None, media_type=PDF, text=text, pages=(page,), blocks=(), parser="pdfium"
    )
    kept = finished(parsed, Path("note.pdf"))
    assert isinstance(kept, Parsed)
    assert kept.text == "Le maire\nsigne"
    seen = {
        kept.text[at]: first + at - start
        for piece in kept.pages[0].runs
        for start, end, first in piece
        for at in range(start, end)
    }
    assert (seen["L"], seen["m"], seen["s"], seen["n"]) == (10, 20, 30, 33)
    for piece in kept.pages[0].runs:
        assert all(before[1] == after[0] for before, after in pairwise(piece))
    assert kept.pages[0].runs[-1][-1][1] == len(kept.text) == kept.pages[0].span.end
