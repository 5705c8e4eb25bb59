"""Figures in three languages: which are one and which are two, whatever their spelling."""

from fractions import Fraction

import pytest

from assistant.grounding.figures import figures, same_figure
from assistant.grounding.folding import folded
from assistant.grounding.measures import rates
from assistant.grounding.numerals import numerals


def agree(claim: str, passage: str) -> bool:
    """Every figure of the claim stands in the passage."""
    mine, its = figures(folded(claim).text), figures(folded(passage).text)
    assert mine, f"no figure found in {claim!r}"
    return all(any(same_figure(figure, other) for other in its) for figure in mine)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("quatre-vingt-dix-sept", 97), ("soixante et onze", 71), ("deux cent cinquante-trois", 253), ("dix-sept", 17),
        ("mille neuf cent quatre-vingt-seize", 1996), ("quatre-vingts", 80), ("vingt et un", 21), ("1 500,50", Fraction(3001, 2)),
        ("one hundred and twenty-five", 125), ("three thousand two hundred", 3200), ("1,000.50", Fraction(2001, 2)),
        ("forty-eight", 48), ("خمسة وعشرون", 25), ("ثلاثة عشر", 13), ("أربع وعشرين", 24), ("مائة وخمسون ألف", 150_000),
        ("ثلاثمائة وخمسة وستون", 365), ("ألفان وخمسمائة", 2500), ("١٬٥٠٠", 1500), ("deux tiers", Fraction(2, 3)),
        ("trois quarts", Fraction(3, 4)), ("الثالثة عشرة", 13),
    ],
)  # fmt: skip
def test_numbers_in_words_and_digits_have_one_value(text: str, value: Fraction) -> None:
    assert [numeral.value for numeral in numerals(folded(text).text)] == [value]


def test_two_numbers_beside_each_other_stay_two() -> None:
    values = [int(numeral.value) for numeral in numerals("entre cinquante et quatre-vingt-dix-neuf, deux a trois")]
    assert values == [50, 99, 2, 3]


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("30 jours", "trente jours"),
        ("30 days", "thirty days"),
        ("٣٠ يوما", "ثلاثين يوما"),
        ("الأيام الخمسة", "خمسة أيام"),
        ("1 000,50 €", "1,000.50 euros"),
        ("25 يورو", "25,00 euros"),
        ("3,5 millions d'euros", "3 500 000 €"),
        ("20 %", "vingt pour cent"),
        ("20 في المائة", "20 %"),
        ("16 h 30", "4.30 p.m."),
        ("الساعة 18:00", "السادسة مساء"),
        ("الثانية والنصف زوالا", "14 h 30"),
        ("midnight, noon", "minuit, midi"),
        ("le 1er mai 2024", "1 May 2024"),
        ("فاتح يوليوز 2023", "1er juillet 2023"),
        ("30 أبريل", "إلى الثلاثين من أبريل"),
        ("3 تموز 2024", "3 July 2024"),
        ("en mai 2024", "le 3 mai 2024"),
        ("2024", "le 3 mai 2024"),
        ("المادة 5", "article 5"),
        ("article premier", "article 1"),
        ("la loi n° 2019-1479", "القانون رقم 2019/1479"),
        ("L. 2123-1", "L2123-1"),
        ("10 m²", "10 square metres"),
        ("jeudi", "Thursday"),
        ("يوم الخميس", "le jeudi"),
        ("a thirtieth", "one thirtieth"),
        ("twenty working days", "vingt jours ouvrés"),
    ],
)
def test_one_figure_in_two_spellings_agrees(claim: str, passage: str) -> None:
    assert agree(claim, passage)


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("30 jours", "30 €"),
        ("30 jours", "un mois"),
        ("30 jours", "30 jours ouvrés"),
        ("jours ouvrés : 20 jours ouvrables", "20 jours ouvrés"),
        ("60 jours", "deux mois"),
        ("soixante jours", "soixante-dix jours"),
        ("خمسة أيام", "خمسة عشر يوما"),
        ("خمسة أيام", "خمسة أسابيع"),
        ("15 €", "15 %"),
        ("150 €", "15,0 €"),
        ("le 1er mai 2024", "le 1er mai 2023"),
        ("le 1er mai", "le 1er mars"),
        ("article 9", "article 10"),
        ("L. 2123-1", "L. 2123-10"),
        ("n° 2023-118", "n° 2023-119"),
        ("9 a.m.", "9 p.m."),
        ("السابعة صباحا", "السابعة مساء"),
        ("lundi", "mardi"),
        ("125 سنتيمترا", "125 سنتيما"),
        ("formulaire RH-31", "formulaire RH-13"),
        ("deux tiers", "trois quarts"),
        ("en mai 2024", "en 2024"),
        ("10 رجب", "10 شعبان"),
    ],
)
def test_two_figures_do_not_agree(claim: str, passage: str) -> None:
    assert not agree(claim, passage)


def test_an_article_counts_nothing() -> None:
    assert figures("une demi-journee, un agent, l'un des deux")[0].value == (2, "")


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("18 € par mois", {"month"}),
        ("une fois chaque annee", {"year"}),
        ("twice a week", {"week"}),
        ("annually", {"year"}),
        ("مره في السنه", {"year"}),
        ("شهريا", {"month"}),
        ("un mois", set()),
    ],
)
def test_a_period_by_which_something_is_counted_is_known(text: str, periods: set[str]) -> None:
    assert rates(text) == periods
