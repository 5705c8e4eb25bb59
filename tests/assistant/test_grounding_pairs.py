"""Pairs of a claim and its source that turn on one decision of the check, in French, Arabic and English."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.caution import Cautious
from assistant.grounding import Verifier
from assistant.types import Verdict

VERIFIER = Verifier()
SHOWN = {Verdict.QUOTED, Verdict.SUPPORTED}


def verdict(claim: str, language: str, passage: str) -> Verdict:
    return VERIFIER.check(claim, language, [passage]).verdict


def shown(claim: str, language: str, passage: str) -> bool:
    return verdict(claim, language, passage) in SHOWN


# --- whatever is said --------------------------------------------------------------------------------------------

CROSSED = {
    "fr": "Les deux parties signent le bail. Le maire répond sous 10 jours, sauf recours. Elle ne paie rien : 5 € l'heure",
    "en": "Both parties sign the two leases. The mayor answers within 10 days, unless an appeal is made. It costs nothing: €5",
    "ar": "يوقع الطرفان الاثنان العقد الثاني. تسلم اللجنة الخمس 10 وثائق، ولا",
}


def test_arabic_number_after_a_subject_can_be_checked() -> None:
    assert not shown("يوقع الطرفان الاثنان العقد.", "ar", "يوقع المكري والمكتري الوصل.")


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_words_in_any_order_are_judged_without_an_error(language: str, data: st.DataObject) -> None:
    words = st.sampled_from(CROSSED[language].split())
    claim, passage = (" ".join(data.draw(st.lists(words, min_size=1, max_size=12))) for _ in range(2))
    assert Cautious(VERIFIER).check(claim, language, [passage]).verdict in Verdict
