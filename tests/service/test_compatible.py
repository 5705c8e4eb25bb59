"""The OpenAI-compatible door, used by OpenAI's own client as its handbook says."""

from __future__ import annotations

import re
from typing import Any

import openai
import pytest

from assistant.model_answers import Composer
from assistant.prompting import Prompts
from assistant.service.compatible import MODEL, inert
from tests.scripted_models import ScriptedRouter, WordCheck, says
from tests.service.conftest import OPEN_TEXT, World

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"


@pytest.fixture(scope="module")
def client(world: World) -> openai.OpenAI:
    return openai.OpenAI(
        base_url="http://127.0.0.1/v1", api_key="weak", http_client=world.client, max_retries=0, timeout=60
    )


def said(*texts: str) -> Any:
    """Messages of the user and the assistant in turn, the user first."""
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]


def test_models_are_listed_and_found_by_name(client: openai.OpenAI) -> None:
    assert [each.id for each in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


def test_stream_says_what_the_whole_answer_says_with_its_citations(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model=MODEL, messages=said(QUESTION))
    chunks = list(client.chat.completions.create(model=MODEL, messages=said(QUESTION), stream=True))
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "trente jours" in streamed
    assert streamed == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == whole.choices[0].finish_reason == "stop"
    told: Any = chunks[-1].choices[0].delta
    assert [each["quote"] for each in told.citations] == [
        each["quote"] for each in (whole.choices[0].message.model_extra or {})["citations"]
    ]


SOURCE = "[1] ouvert (ouvert.txt)"


def test_markers_have_their_sources_below_the_text_in_the_language_of_the_answer(client: openai.OpenAI) -> None:
    for question, heading in (
        (QUESTION, "Sources :"),
        ("What is the délai de dépôt de la demande de logement?", "Sources:"),
        ("ما هو délai de dépôt demande de logement؟", "المصادر:"),
    ):
        found = client.chat.completions.create(model=MODEL, messages=said(question))
        content = found.choices[0].message.content or ""
        if "[1]" in content:
            assert f"\n\n{heading}\n{SOURCE}" in content, question
            assert content.count("\n[") == len((found.choices[0].message.model_extra or {})["citations"])


def test_no_sources_stand_below_an_answer_that_cites_nothing(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model=MODEL, messages=said("Merci !"))
    assert "Sources" not in (found.choices[0].message.content or "")


def test_usage_is_estimated_and_never_nothing(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model=MODEL, messages=said(QUESTION))
    usage = found.usage
    assert usage
    assert len(QUESTION.split()) < usage.prompt_tokens <= len(QUESTION.encode()) + 1
    assert usage.completion_tokens > len((found.choices[0].message.content or "").split())
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    options: Any = {"include_usage": True}
    *_, last = client.chat.completions.create(model=MODEL, messages=said(QUESTION), stream=True, stream_options=options)
    assert last.usage == usage


@pytest.mark.parametrize(
    "written",
    [
        "![pixel](https://mal.example/p.png?id=7)",
        "[cliquez ici](https://mal.example/)",
        "<img src=https://mal.example/p.png>",
        "![pixel\\](https://mal.example/p.png)",
        "\n\n[p]: https://mal.example/p.png\n\n![p] et [p]",
        "![p][p]\n\n[p]: https://mal.example/p.png",
        "<https://mal.example/>",
    ],
)
def test_words_of_a_document_become_no_picture_and_no_link_in_a_client(written: str) -> None:
    from markdown_it import MarkdownIt

    for text in (f"Le délai est de trente jours {written} après.", written):
        drawn = MarkdownIt("commonmark", {"html": True}).render(inert(text))
        assert not re.search(r"<(?:img|a)\b", drawn)
        assert inert(text).replace("\\", "") == text.replace("\\", "")


def test_usage_comes_last_where_it_is_asked_for_and_nowhere_else(client: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=said(QUESTION), stream=True, stream_options=options)
    )
    assert [bool(chunk.choices) for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    plain = client.chat.completions.create(model=MODEL, messages=said(QUESTION), stream=True)
    assert all(chunk.choices and chunk.usage is None for chunk in plain)


def test_follow_up_is_searched_with_the_words_of_the_question_before(client: openai.OpenAI) -> None:
    messages = said(QUESTION, "Trente jours. [1]", "Merci !", "De rien.", "Et pour un garage ?")
    found: Any = client.chat.completions.create(model=MODEL, messages=messages)
    assert found.searched == "Quel est le délai de dépôt de la demande de logement pour un garage ?"
    assert found.searched in found.choices[0].message.content
    alone: Any = client.chat.completions.create(model=MODEL, messages=said(QUESTION))
    assert alone.searched == QUESTION
    assert "Recherche effectuée" not in alone.choices[0].message.content


def test_words_of_messages_that_are_not_the_users_are_not_searched(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "system", "content": "Parle de zyzomys."}, *said(QUESTION, "zyzomys", "Et en mai ?")]
    found: Any = client.chat.completions.create(model=MODEL, messages=messages)
    assert "zyzomys" not in found.searched


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"n": 0},
        {"response_format": {"type": "json_object"}},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"model": "gpt-4"},
        {"messages": []},
    ],
)
def test_what_cannot_be_given_is_refused_in_words(client: openai.OpenAI, more: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": said(QUESTION), **more}
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.chat.completions.create(**asked)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["type"] == "invalid_request"


@pytest.mark.parametrize(
    "more",
    [
        {"n": 1, "temperature": 0, "stop": ["."], "max_tokens": 1, "seed": 3, "user": "x"},
        {"response_format": {"type": "text"}, "stream_options": None, "stream": None},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"},
    ],
)
def test_parameters_that_steer_a_model_change_nothing(client: openai.OpenAI, more: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": said(QUESTION), "extra_body": more}
    assert "trente jours" in client.chat.completions.create(**asked).choices[0].message.content


def test_withheld_sentences_are_told_of(world: World, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    router = ScriptedRouter(*says(f"{OPEN_TEXT.strip()} [1]\nLe préfet donne son accord sous 45 jours [1].\n"))
    monkeypatch.setattr(world.parts.assistant, "_composer", Composer(router, WordCheck(), Prompts.load()))
    found: Any = client.chat.completions.create(model=MODEL, messages=said(QUESTION))
    assert found.withheld == 1
    assert found.choices[0].message.content.endswith("Phrases retenues faute d’appui dans les documents : 1")
    assert "préfet" not in found.choices[0].message.content


def test_wrong_key_is_told_as_such(world: World) -> None:
    stranger = openai.OpenAI(base_url="http://127.0.0.1/v1", api_key="x", http_client=world.client, max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model=MODEL, messages=said(QUESTION))
