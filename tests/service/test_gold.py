"""Gold questions over HTTP: who may know of them, what they must say, and that they go with their document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.conftest import HIDDEN_TEXT, OPEN_TEXT, World
from tests.service.test_archivists import ABSENT, call

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"
WORDS = "trente jours"


@pytest.fixture
def kept(world: World) -> Iterator[dict[str, Any]]:
    """A gold question on the hidden document, for as long as the test."""
    body = {"question": QUESTION, "document_id": world.hidden_id, "words": WORDS}
    status, question = call(world, "POST", "/v1/gold", "archivist", body)
    assert status == 201
    yield question
    call(world, "DELETE", f"/v1/gold/{question['id']}", "archivist")


def test_readers_may_neither_see_nor_keep_nor_remove(world: World, kept: dict[str, Any]) -> None:
    body = {"question": QUESTION, "document_id": world.open_id, "words": WORDS}
    for method, path, sent in (
        ("GET", "/v1/gold", None),
        ("GET", "/v1/gold/answers", None),
        ("GET", "/v1/gold/retrieval", None),
        ("POST", "/v1/gold", body),
        ("DELETE", f"/v1/gold/{kept['id']}", None),
        ("DELETE", f"/v1/gold/{ABSENT}", None),
    ):
        for token in ("weak", "strong"):
            assert call(world, method, path, token, sent)[0] == 403, (method, path)


def test_archivist_without_clearance_hears_nothing_of_the_question_or_of_its_document(
    world: World, kept: dict[str, Any]
) -> None:
    assert call(world, "GET", "/v1/gold", "weak-archivist") == (200, {"questions": []})
    assert call(world, "GET", "/v1/gold/answers", "weak-archivist") == (200, {"lines": []})
    told = call(world, "GET", "/v1/gold/retrieval", "weak-archivist")[1]
    assert "zyzomys" not in str(told), "leaked"
    assert (told["queries"], told["qrels"], len(told["corpus"])) == ([], [], 1)
    on_hidden = call(world, "DELETE", f"/v1/gold/{kept['id']}", "weak-archivist")
    assert on_hidden == call(world, "DELETE", "/v1/gold/000000000000", "weak-archivist")
    body = {"question": QUESTION, "words": WORDS}
    hidden = call(world, "POST", "/v1/gold", "weak-archivist", {**body, "document_id": world.hidden_id})
    assert hidden == call(world, "POST", "/v1/gold", "weak-archivist", {**body, "document_id": ABSENT})
    assert hidden[0] == 404


def test_question_that_nothing_answers_is_seen_by_those_cleared_for_as_much_as_its_author(world: World) -> None:
    body = {"question": "Où se trouve le coffre secret ?"}
    key = call(world, "POST", "/v1/gold", "archivist", body)[1]["id"]
    assert call(world, "GET", "/v1/gold/answers", "archivist")[1]["lines"] == [
        {"id": key, **body, "lang": "fr", "label": "unanswerable"}
    ]
    assert call(world, "GET", "/v1/gold", "weak-archivist")[1]["questions"] == []
    assert call(world, "DELETE", f"/v1/gold/{key}", "archivist")[0] == 200


def test_question_comes_in_the_layouts_of_both_evaluations(world: World, kept: dict[str, Any]) -> None:
    assert kept["file_name"] == "cache.txt"
    (line,) = call(world, "GET", "/v1/gold/answers", "archivist")[1]["lines"]
    assert line == {
        "id": kept["id"], "question": QUESTION, "lang": "fr", "file": "cache.txt", "document_id": world.hidden_id,
        "page": None, "answer_span": WORDS,
    }  # fmt: skip
    told = call(world, "GET", "/v1/gold/retrieval", "archivist")[1]
    texts = {passage["_id"]: passage["text"] for passage in told["corpus"]}
    assert len(texts) == 2
    assert told["queries"] == [{"_id": kept["id"], "text": QUESTION, "lang": "fr"}]
    assert ["zyzomys" in texts[row["corpus"]] for row in told["qrels"]] == [True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": "  "}, "between 1 and 2000"),
        ({"words": "quarante jours"}, "do not stand in the document"),
        ({"page": 3}, "has no pages"),
        ({"words": None}, "give both document_id and words"),
        ({"document_id": None}, "give both document_id and words"),
        ({"language": "de"}, "language"),
    ],
)
def test_what_cannot_be_measured_is_refused_without_repeating_it(
    world: World, change: dict[str, Any], message: str
) -> None:
    body = {"question": QUESTION, "document_id": world.open_id, "words": WORDS, **change}
    status, reply = call(world, "POST", "/v1/gold", "archivist", body)
    assert status == 422
    assert message in reply["error"]["message"]
    assert "quarante" not in str(reply)
    assert OPEN_TEXT.strip() not in str(reply)


def test_questions_go_with_their_document(world: World) -> None:
    files = {"files": ("or.txt", (HIDDEN_TEXT.replace("zyzomys", "quokka") * 2).encode(), "text/plain")}
    headers = {"authorization": "Bearer archivist"}
    data = {"label": "public", "sources": "/in/or.txt"}
    handed = world.client.post("/v1/documents", headers=headers, files=files, data=data).json()["documents"][0]
    assert world.parts.ingestion.wait_idle(120)
    body = {"question": "Quoi ?", "document_id": handed["document_id"], "words": "secret quokka"}
    assert call(world, "POST", "/v1/gold", "archivist", body)[0] == 201
    status, receipt = call(world, "DELETE", f"/v1/documents/{handed['document_id']}", "archivist")
    assert (status, "gold questions" in receipt["stores"]) == (200, True)
    assert call(world, "GET", "/v1/gold", "archivist")[1]["questions"] == []
    for file in world.parts.settings.home.glob("gold.db*"):
        assert b"quokka" not in file.read_bytes(), file.name
