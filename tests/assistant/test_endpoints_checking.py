"""The check of a stream and the cleaning of its text, for every way of cutting the bytes."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.endpoints.checking import StreamCheck
from assistant.endpoints.cleaning import Cleaner
from assistant.endpoints.exchange import Ended, EndpointFailure, Limits
from assistant.endpoints.tokens import estimated_tokens
from assistant.endpoints.watching import Watch
from tests.endpoint_server import DONE, FAULTS, MODEL, Send, chunk, tokens_of

TEXT = "Le délai est de dix jours ouvrés [1]. يجب تقديم الطلب في أجل 10 أيام. Déjà vu 😀."


def check() -> StreamCheck:
    return StreamCheck(frozenset({MODEL}), Watch(Limits(), lambda: False))


def stream(*tokens: str) -> bytes:
    return b"".join(chunk(token) for token in tokens) + chunk(finish="stop") + DONE


def fed(data: bytes, cuts: list[int]) -> tuple[str, Ended]:
    one, text = check(), ""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(places):
        text += one.feed(data[start:end])
    return text, one.ended()


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_text_does_not_depend_on_where_the_network_cuts(cuts: list[int]) -> None:
    data = stream(*tokens_of(TEXT))
    assert fed(data, cuts) == (TEXT, Ended(complete=True, reason="stop"))


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_characters_and_line_ends_may_be_cut_in_two(cuts: list[int]) -> None:
    content = json.dumps({"choices": [{"delta": {"content": TEXT}}]}, ensure_ascii=False).encode()
    data = b": hello\r\n\r\nevent: message\r\nid: 7\r\ndata: " + content + b"\r\n\r\n" + chunk(finish="stop") + DONE
    assert fed(data, cuts) == (TEXT, Ended(complete=True, reason="stop"))


@given(st.binary(max_size=300), st.integers(min_value=0, max_value=40))
def test_no_bytes_raise_anything_but_a_failure(noise: bytes, after: int) -> None:
    tokens = tokens_of(TEXT)
    one = check()
    try:
        one.feed(b"".join(chunk(token) for token in tokens[:after]) + noise + b"\n\n")
        one.ended()
    except EndpointFailure:
        pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["choices", "delta", "content", "model", "finish_reason", "error", "tool_calls"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_raises_anything_but_a_failure(content: object) -> None:
    one = check()
    try:
        one.feed(b"data: " + json.dumps(content).encode() + b"\n\n")
        one.ended()
    except EndpointFailure:
        pass


def test_several_data_lines_are_one_event() -> None:
    data = b'data: {"choices":\ndata: [{"delta": {"content": "dix"}}]}\n\n' + chunk(finish="stop") + DONE
    assert fed(data, [])[0] == "dix"


def test_reasoning_is_not_part_of_the_answer() -> None:
    data = chunk(delta={"reasoning_content": "Je pense."}) + chunk(delta={"reasoning": "Encore."}) + stream("Dix.")
    assert fed(data, [])[0] == "Dix."


def test_last_text_may_come_with_the_finish_reason() -> None:
    data = chunk("dix ") + chunk("jours.", finish="stop") + DONE
    assert fed(data, []) == ("dix jours.", Ended(complete=True, reason="stop"))


def test_usage_without_choices_is_no_fault() -> None:
    usage = b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n'
    assert fed(chunk("Dix.") + chunk(finish="stop") + usage + DONE, [])[1].complete


@pytest.mark.parametrize(
    "text", ["ha ha ho ho", "11223344556677", "| 1 | 1 | 2 | 2 |", "très très très très très", "- - - - -"]
)
def test_a_text_may_repeat_itself(text: str) -> None:
    tokens = list(text) if text.isdigit() else tokens_of(text)
    assert fed(stream(*tokens), [])[0] == text


def test_stream_that_is_sent_twice_is_told_by_its_fifth_word() -> None:
    one = check()
    words = [step.data for step in FAULTS["duplicate chunks"].steps if isinstance(step, Send)]
    for data in words[:7]:
        one.feed(data)
    with pytest.raises(EndpointFailure, match="repeated"):
        one.feed(words[7])


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a\0b\x07c"], "abc"),
        (["a\x1b[31mb\x1b[0m"], "ab"),
        (["a\x1b", "[3", "1mb"], "ab"),
        (["a\x1b]0;title", "\x07b"], "ab"),
        (["a\x1b]8;;http://x\x1b", "\\b"], "ab"),
        (["a\x9b2Jb"], "ab"),
        (["a\u202eb\u2066c\u2069\u200fd"], "abcd"),
        (["a\u200bb\ufeffc\u2060d\u00ade"], "abcde"),
        (["a\U000e0041\U000e007fb"], "ab"),
        (["a\ud83d", "\ude00b"], "ab"),
        (["a\r", "\nb\rc\u2028d"], "a\nb\nc\nd"),
        (["می\u200cخواهم", " 👨\u200d👩"], "می\u200cخواهم 👨\u200d👩"),
        (["col\tcol\n"], "col\tcol\n"),
        (["fin\x1b"], "fin"),
    ],
)
def test_what_deceives_is_gone_also_when_it_is_cut_in_two(pieces: list[str], text: str) -> None:
    cleaner = Cleaner()
    assert "".join(cleaner.cleaned(piece) for piece in pieces) == text


@given(st.lists(st.text(alphabet="ab\x1b[]m;3\x07\x9b\\\r\n\u202e"), max_size=8))
def test_nothing_that_is_unwanted_gets_through_however_it_is_cut(pieces: list[str]) -> None:
    cleaner = Cleaner()
    text = "".join(cleaner.cleaned(piece) for piece in pieces)
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")


@pytest.mark.parametrize("text", ["", "a", "Le délai est de dix jours.", "يجب تقديم الطلب", "😀", "a" * 5000])
def test_estimate_of_tokens_is_positive_and_never_beyond_a_token_a_byte(text: str) -> None:
    assert 1 <= estimated_tokens(text) <= len(text.encode()) + 1
