import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding import check_quotation
from assistant.language import readable_form
from assistant.types import Draft, Span, Verdict
from tests.worlds import document, passage_of

TEXT = "Article 5. Le délai est de trente jours à comp-\nter de la récep-\ntion. Toutefois, il est de dix jours en urgence."


def draft(text: str, start: int, end: int) -> Draft:
    return Draft(text, passage_of(document(TEXT)), Span(start, end))


def test_exact_words_at_their_place_are_quoted() -> None:
    start, end = TEXT.index("Le délai"), TEXT.index(" Toutefois")
    claimed = draft("Le délai est de trente jours à compter de la réception.", start, end)
    assert check_quotation(claimed, document(TEXT)) is Verdict.QUOTED


@pytest.mark.parametrize(
    "changed",
    [
        "Le délai est de quarante jours à compter de la réception.",
        "Le délai n'est pas de trente jours à compter de la réception.",
        "Le délai est de trente jours.",
        "",
    ],
)
def test_changed_words_are_not_quoted(changed: str) -> None:
    start, end = TEXT.index("Le délai"), TEXT.index(" Toutefois")
    assert check_quotation(draft(changed, start, end), document(TEXT)) is Verdict.UNSUPPORTED


def test_right_words_at_the_wrong_place_are_not_quoted() -> None:
    assert check_quotation(draft("Le délai", 0, 8), document(TEXT)) is Verdict.UNSUPPORTED


def test_span_outside_the_passage_is_not_quoted() -> None:
    stored = document(TEXT)
    outside = Draft("Article 5.", passage_of(stored, 11, 60), Span(0, 10))
    assert check_quotation(outside, stored) is Verdict.UNSUPPORTED


def test_text_that_changed_since_the_search_is_not_quoted() -> None:
    proposed = Draft("Article 5.", passage_of(document(TEXT)), Span(0, 10))
    assert check_quotation(proposed, document(TEXT.replace("dix", "six"))) is Verdict.UNSUPPORTED
    assert check_quotation(proposed, document(TEXT, version="v2")) is Verdict.UNSUPPORTED


@given(st.text(min_size=1, max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_every_slice_shown_as_it_stands_is_quoted(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    stored = document(text)
    proposed = Draft(readable_form(text[start:end]), passage_of(stored), Span(start, end))
    expected = Verdict.QUOTED if text[start:end].strip() else Verdict.UNSUPPORTED
    assert check_quotation(proposed, stored) is expected
