from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import units as patterns
from assistant.units import references, units


@pytest.mark.parametrize(
    ("one", "other", "unit"),
    [
        ("l'article L. 2123-1", "L2123-1", "ref:l2123-1"),
        ("art. L.2123-1", "l. 2123‑1", "ref:l2123-1"),
        ("articles R*. 123-4 et suivants", "R123-4", "ref:r123-4"),
        ("loi n° 2019-1479", "LOI nº\u00a02019-1479", "no:2019-1479"),
        ("loi no 2019-1479", "la 2019-1479", "no:2019-1479"),
        ("règlement (UE) 2016/679", "Regulation (EU) 2016/679", "no:2016-679"),
        ("القانون رقم ١٢.٩٠", "قانون رقم 12.90", "no:12-90"),
        ("المادة ٥", "article 5", "art:5"),
        ("بالمادة 5", "Art. 5", "art:5"),
        ("الفصل الأول", "article premier", "art:1"),
        ("section 4.2", "§ 4.2", "sec:4.2"),
        ("formulaire EC-02", "ec-02", "ref:ec-02"),
        ("24 décembre 2019", "24/12/2019", "date:2019-12-24"),
        ("December 24, 2019", "٢٤ ديسمبر ٢٠١٩", "date:2019-12-24"),
        ("24 décembre 2019", "en décembre 2019", "month:2019-12"),
        ("1 500 €", "1500 euros", "eur:1500"),
        ("1\u202f500,00 €", "1.500 EUR", "eur:1500"),
        ("50 %", "50 pour cent", "pct:50"),
        ("100 000 habitants", "100,000 people", "num:100000"),
    ],
)
def test_two_ways_to_write_it_are_one_unit(one: str, other: str, unit: str) -> None:
    assert unit in units(one)
    assert unit in units(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("L. 2123-1", "L. 2123-10"), ("L. 2123-1", "L. 2123-2"), ("article 5", "article 15"), ("1 500 €", "1 500 $")],
)
def test_what_only_looks_alike_shares_no_unit(one: str, other: str) -> None:
    assert not units(one) & units(other)


def test_only_what_names_a_text_is_a_reference() -> None:
    assert references("l'article 5 du décret n° 2019-3 du 24/12/2019, 1 500 €") == {"art:5", "no:2019-3"}


@pytest.mark.parametrize("text", ["", "Le congé annuel", "en 2003", "200 agents", "الإجازة السنوية"])
def test_plain_words_and_years_are_no_units(text: str) -> None:
    assert units(text) == frozenset()


@given(st.text(alphabet="0123456789.,-/ LRn°€%'", max_size=200))
def test_any_typography_is_read_without_an_error_and_alike_twice(text: str) -> None:
    assert units(text) == units(text)


def test_a_long_row_of_digits_takes_no_longer_than_its_length_allows() -> None:
    began = time.process_time()
    units("1 234 " * 5_000 + "1-2" * 5_000 + "1.2." * 5_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", ["aprıl 2000", "APRİL 2000", "April 2000"])
def test_month_in_turkish_letters_is_that_month(text: str) -> None:
    assert units(text) == {"month:2000-04"}


FRAGMENTS = [
    "art. ", "Articles", "ſection 4", "SECTION", "§ 4", "chap.", "premier", "Annexe ", "ومادة ٥", "للمادة", "الفصل", "قسم 2",
    "الباب الأول", "بالملحق", "5", "2123-1", "n° ", "Nos. 12", "numéro", "رقم ١٢", "1 500 €", "14,2 %", "٢٤ ديسمبر ٢٠١٩",
    "1er décembre 2019", "فاتح يناير 2010", "الفاتح من مارس 2011", "March 3rd, 2004", "2019-02-03", "3/4/2020", "غشت 2003",
    "AprİL 2000", "août ", "1999", " ", "\n", "-", "l'", "_", "/", "é",
]  # fmt: skip


@pytest.mark.parametrize("name", ["_DIVISION", "_NUMBER_SIGN", "_COMPOUND", "_QUANTITY", "_DATE", "_MONTH_AND_YEAR"])
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=9).map("".join))
def test_what_a_match_can_begin_with_leaves_no_match_behind(name: str, text: str) -> None:
    pattern = getattr(patterns, name)
    slow = re.compile(re.sub(r"^\(\?=\[[^]]*\]\)|^\(\?=\\d\)", "", pattern.pattern), pattern.flags)
    assert slow.pattern != pattern.pattern
    assert [match.span() for match in pattern.finditer(text)] == [match.span() for match in slow.finditer(text)]
