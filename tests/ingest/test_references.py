"""Legal references are looked for where one can begin; what is found is what a search of every place finds."""

from __future__ import annotations

from collections.abc import Iterable
from re import Match

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import references
from ingest.references import legal_references

REFERENCES = (
    "loi n° 2016-1321 du 7 octobre 2016",
    "ordonnance n° 2014-1330",
    "décret n° 2012-3",
    "décret-loi n° 2011-87",
    "arrêté préfectoral du 3 mai 2021",
    "circulaire n° 2024-03",
    "délibération n° 24-12",
    "décision n° 5",
    "instruction n° 7",
    "articles L. 121-3 et L. 12 du code du travail",
    "art. 12 du code civil",
    "article 4 du règlement (UE) n° 2016/679",
    "directive d'exécution (UE) 2016/680",
    "decision (EU) 2016/680",
    "regulation (EU) 2016/679",
    "directive 95/46/CE",
    "32016R0679",
    "المادة 5 من القانون رقم 12.3",
    "قرار وزاري رقم ٤",
    "مرسوم بقانون رقم 11",
    "ظهير شريف رقم 1-2",
    "منشور رقم 9",
    "أمر رقم 66-156",
    "تعميم رقم 2024/05",
    "الفصل 6 من الدستور",
    "section 3(2) of the Public Records Act 1958",
    "Public Records Act 1958",
    "S.I. 2019/5",
    "SI No. 2019/6",
)
NOISE = (
    "article",
    " L. 12",
    "loi",
    "Le",
    " ",
    "\n",
    " du ",
    " of the ",
    "Act 1990",
    "s",
    "ſ",
    "ı",
    "İ",
    "é",
    "ال",
    "رقم",
    "5",
)


def starts(matches: Iterable[Match[str]]) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in matches]


@given(
    st.lists(
        st.sampled_from(NOISE) | st.sampled_from(REFERENCES) | st.sampled_from(REFERENCES).map(str.upper), max_size=9
    ).map("".join)
)
def test_every_place_is_as_good_as_searched(text: str) -> None:
    assert starts(references._in_any_case(text)) == starts(references._ANY_CASE.finditer(text))
    assert starts(references._as_written(text)) == starts(references._AS_WRITTEN.finditer(text))


@pytest.mark.parametrize("reference", REFERENCES)
def test_each_kind_of_reference_is_found(reference: str) -> None:
    assert legal_references(f"vu {reference}, il est décidé") == (reference,)


def test_shorter_form_of_a_reference_is_left_out() -> None:
    text = "loi n° 2016-1321 du 7 octobre 2016, puis loi n° 2016-1321, puis loi n° 2016-13"
    assert legal_references(text) == ("loi n° 2016-1321 du 7 octobre 2016", "loi n° 2016-13")
