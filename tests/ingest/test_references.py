"""Legal references are looked for where one can begin; what is found is what a search of every place finds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ingest import references
from ingest.references import legal_references

PIECES = (
    "article", "Articles", "ARTICLE", "art.", " L. 121-3", " 12-1", " du ", "code civil", "code du travail", "loi", "LOI", " n° ",
    "2016-1321", "décret", "DÉCRET", "décision", "decision", "(UE) ", "2016/679", "règlement ", "directive ", "arrêté ",
    "ordonnance", "7 octobre 2016", "délibération", "circulaire", "instruction", "regulation", "32016R0679", "المادة", "الفصل", "القانون",
    "قانون", "قرار", "مرسوم", "ظهير", "منشور", "أمر", "تعميم", " رقم ", "٥", "12.3", " من ", "الدستور", "مدونة الأسرة", "section 3",
    "Section 3", " of the ", "Public Records ", "Act ", "2004", "S.I. ", "SI ", "2019/5", " et ", " ", "\n", "s", "ſ", "ı", "İ", "é",
)  # fmt: skip


def starts(matches: object) -> list[tuple[int, str]]:
    assert hasattr(matches, "__iter__")
    return [(match.start(), match[0]) for match in matches if isinstance(match, re.Match)]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_every_place_is_as_good_as_searched(text: str) -> None:
    assert starts(references._in_any_case(text)) == starts(references._ANY_CASE.finditer(text))
    assert starts(references._as_written(text)) == starts(references._AS_WRITTEN.finditer(text))


def test_each_kind_of_reference_is_found() -> None:
    text = (
        "Vu le DÉCRET n° 2012-3 du 4 mai 2012, l'article 12 du code civil, le règlement (UE) 2016/679, 32016R0679, "
        "the Public Records Act 1958, S.I. 2019/5, القانون رقم 12.3 و المادة 5 من الدستور"
    )
    assert len(legal_references(text)) == 8


def test_shorter_form_of_a_reference_is_left_out() -> None:
    text = "loi n° 2016-1321 du 7 octobre 2016, puis loi n° 2016-1321, puis loi n° 2016-13"
    assert legal_references(text) == ("loi n° 2016-1321 du 7 octobre 2016", "loi n° 2016-13")
