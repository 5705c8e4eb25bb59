"""What nobody sees is not in the text; what the writing needs stays."""

from __future__ import annotations

import pytest

from ingest.invisible import Remap, warning, without_invisible


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
