"""Tokens that are handed on together: nothing is lost, and no sentence is said later than it was known to be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.composing import SentenceReader
from assistant.endpoints.client import _Tokens
from tests.endpoint_server import tokens_of

TEXTS = {
    "fr": "Le délai est de 30 jours [1]. La demande est adressée au maire, par écrit [2]. L'art. L. 12 ne s'applique pas [1].",
    "ar": "الأجل ثلاثون يوما من تاريخ التبليغ [1]. يقدم الطلب كتابة إلى رئيس المصلحة المعنية [2]. ولا يرفض إلا بقرار معلل [1].",
    "en": "The fee is €2.10 a day, paid in advance [1]. Requests are made in writing to the mayor [2]. No fee is due in May [1].",
}


@given(st.lists(st.text("ab é.\n[]1", max_size=30), max_size=60))
def test_nothing_is_lost_added_or_put_in_another_order(tokens: list[str]) -> None:
    joined = _Tokens()
    handed = [joined.handed_on(token) for token in tokens]
    assert "".join(handed) + joined.held == "".join(tokens)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("size", [0, 1, 3])
def test_each_sentence_is_said_with_the_token_that_makes_it_sure(language: str, size: int) -> None:
    text = TEXTS[language]
    tokens = [text[at : at + size] for at in range(0, len(text), size)] if size else tokens_of(text)
    plain, joined, reader, other, pieces = [], _Tokens(), SentenceReader(language), SentenceReader(language), 0
    for number, token in enumerate(tokens):
        plain += [(number, said.text) for said in reader.feed(token)]
    late = []
    for number, token in enumerate(tokens):
        if handed := joined.handed_on(token):
            pieces += 1
            late += [(number, said.text) for said in other.feed(handed)]
    assert late == plain
    assert len(plain) == 2, "the last one is said when the stream ends"
    assert other.feed(joined.held) == []
    assert [said.text for said in other.finish(complete=True)] == [said.text for said in reader.finish(complete=True)]
    assert pieces < len(tokens) * (0.75 if size else 0.9)
