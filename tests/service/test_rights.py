"""Every route, tried by a reader who may not see the restricted document that would otherwise rank first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.errors import AccessViolation
from assistant.types import TextOrigin
from tests.ingest.archiving import pdf
from tests.service.conftest import World

QUESTION = "Quel est le délai de dépôt de la demande de logement secret zyzomys ?"

ANSWERED = "Quel est le délai de dépôt de la demande de logement ?"

READING_ROUTES = [
    "/v1/documents/{id}",
    "/v1/documents/{id}/text?start=0&end=5",
    "/v1/documents/{id}/pages/1",
    "/v1/documents/{id}/pages/1/image",
    "/v1/documents/{id}/original",
]


@pytest.mark.parametrize("route", READING_ROUTES)
def test_hidden_and_absent_documents_give_the_same_reply(world: World, route: str) -> None:
    hidden = world.get(route.format(id=world.hidden_id), "weak")
    absent = world.get(route.format(id="00000000-0000-0000-0000-000000000000"), "weak")
    assert (hidden.status_code, hidden.json()) == (404, absent.json())


@pytest.mark.parametrize("route", ["/v1/instance", "/v1/search?q=x", "/v1/documents", "/v1/models", *READING_ROUTES])
@pytest.mark.parametrize("token", [None, "stranger"])
def test_no_principal_no_reply(world: World, route: str, token: str | None) -> None:
    assert world.get(route.format(id=world.open_id), token).status_code == 401


@pytest.mark.parametrize("path", ["/v1/answers", "/v1/chat/completions", "/v1/documents"])
def test_no_principal_no_answer(world: World, path: str) -> None:
    body = {"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}]}
    assert world.post(path, None, json=body).status_code == 401


@pytest.mark.parametrize("route", ["hybrid", "dense", "bm25"])
def test_search_leaks_nothing(world: World, route: str) -> None:
    reply = world.get("/v1/search", "weak", params={"q": QUESTION, "route": route})
    assert "zyzomys est" not in reply.text
    assert world.hidden_id not in reply.text
    assert world.hidden_id in world.get("/v1/search", "strong", params={"q": QUESTION, "route": route}).text


def test_answers_leak_nothing(world: World) -> None:
    for path, body in (
        ("/v1/answers", {"question": QUESTION}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
    ):
        weak = world.post(path, "weak", json=body)
        assert weak.status_code == 200
        assert world.hidden_id not in weak.text
        assert "zyzomys est" not in weak.text
        assert world.hidden_id in world.post(path, "strong", json=body).text


def test_counts_and_lists_leak_nothing(world: World) -> None:
    listing = world.get("/v1/documents", "weak").json()
    assert [d["document_id"] for d in listing["documents"]] == [world.open_id]
    assert sum(listing["counts"].values()) == 1
    instance = world.get("/v1/instance", "weak").json()
    assert (instance["documents"], instance["passages"]) == (
        1,
        world.parts.index.count(*_version(world, world.open_id)),
    )


def test_only_archivists_hand_in_and_remove(world: World) -> None:
    file = {"files": ("a.txt", b"texte", "text/plain")}
    assert world.post("/v1/documents", "strong", files=file).status_code == 403
    reply = world.client.delete(f"/v1/documents/{world.open_id}", headers={"authorization": "Bearer strong"})
    assert reply.status_code == 403


def test_archivist_cannot_remove_what_is_above_their_clearance(world: World) -> None:
    headers = {"authorization": "Bearer weak-archivist"}
    assert world.client.delete(f"/v1/documents/{world.hidden_id}", headers=headers).status_code == 404
    assert world.get(f"/v1/documents/{world.hidden_id}", "strong").status_code == 200


def test_archivist_cannot_label_above_their_clearance(world: World) -> None:
    reply = world.post(
        "/v1/documents", "weak-archivist", files={"files": ("b.txt", b"texte")}, data={"label": "secret"}
    )
    assert reply.status_code == 403


def test_completion_carries_the_citations_of_the_answer(world: World) -> None:
    question = "Quel est le délai de dépôt de la demande de logement ?"
    answer = world.post("/v1/answers", "weak", json={"question": question}).json()
    body = {"messages": [{"role": "user", "content": question}]}
    message = world.post("/v1/chat/completions", "weak", json=body).json()["choices"][0]["message"]
    assert answer["citations"]
    assert message["content"] == f"{answer['text']}\n\nSources :\n[1] ouvert (ouvert.txt)"
    assert message["citations"] == answer["citations"]


def test_answers_from_a_doubtful_scan_say_so_on_every_route(world: World, tmp_path: Path) -> None:
    archivist = world.parts.sign_in.principal("archivist")
    file = tmp_path / "tarif.pdf"
    pdf(file, ["Le tarif de la carte tamanoir est de douze euros par an."])
    status = world.parts.ingestion.accept(
        file, source="/in/tarif.pdf", principal=archivist, label=Label.parse("public")
    )
    assert world.parts.ingestion.wait_idle(60)
    stored = world.parts.archive.stored_document(status.document_id, status.version)
    assert stored is not None
    scanned = replace(stored.pages[0], origin=TextOrigin.OCR, confidence=0.62)
    world.parts.archive.put(replace(stored, pages=(scanned,)))
    question = "Quel est le tarif de la carte tamanoir ?"
    note = "lue par OCR avec une confiance de 62 %"
    try:
        answer = world.post("/v1/answers", "weak", json={"question": question}).json()
        assert (answer["citations"][0]["origin"], answer["citations"][0]["confidence"]) == ("ocr", 0.62)
        assert note in answer["notes"][0]
        body = {"messages": [{"role": "user", "content": question}]}
        message = world.post("/v1/chat/completions", "weak", json=body).json()["choices"][0]["message"]
        assert note in message["content"]
        assert note in world.post("/v1/chat/completions", "weak", json={**body, "stream": True}).text
    finally:
        world.parts.ingestion.remove(status.document_id, archivist)


@pytest.mark.parametrize("token", ["weak", "strong"])
def test_every_reader_is_told_of_the_one_model_there_is(world: World, token: str) -> None:
    listed = world.get("/v1/models", token)
    assert listed.status_code == 200
    assert [(model["id"], model["object"]) for model in listed.json()["data"]] == [("sovereign-assistant", "model")]


def test_streamed_completion_ends_properly_with_the_same_citations(world: World) -> None:
    question = "Quel est le délai de dépôt de la demande de logement ?"
    body = {"stream": True, "messages": [{"role": "user", "content": question}]}
    lines = [line for line in world.post("/v1/chat/completions", "weak", json=body).text.splitlines() if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: "))["choices"][0] for line in lines[:-1]]
    answer = world.post("/v1/answers", "weak", json={"question": question}).json()
    written = "".join(chunk["delta"].get("content", "") for chunk in chunks)
    assert written == f"{answer['text']}\n\nSources :\n[1] ouvert (ouvert.txt)"
    assert chunks[-1]["finish_reason"] == "stop"
    assert chunks[-1]["delta"]["citations"] == answer["citations"]


def test_event_stream_is_evidence_sentences_answer(world: World) -> None:
    headers = {"authorization": "Bearer weak"}
    reply = world.client.post("/v1/answers", json={"question": "Quel est le délai de dépôt ?"}, headers=headers)
    names = [line.removeprefix("event: ") for line in reply.text.splitlines() if line.startswith("event: ")]
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert names[0] == "evidence"
    assert names[-1] == "answer"
    assert set(names[1:-1]) <= {"sentence"}


def _version(world: World, document_id: str) -> tuple[str, str]:
    status = world.parts.ingestion.document(document_id, world.parts.sign_in.principal("archivist"))
    return document_id, status.version


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/answers", {"question": ANSWERED}),
        ("/v1/chat/completions", {"stream": True, "messages": [{"role": "user", "content": ANSWERED}]}),
    ],
)
def test_passage_that_escaped_in_the_middle_of_an_answer_is_an_alarm_and_not_told(
    world: World, path: str, body: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def escaped(*_: object, **__: object) -> None:
        raise AccessViolation("passage 1234 reached a reader who may not read it")

    monkeypatch.setattr(world.parts.assistant, "_quotations", escaped)
    reply = world.client.post(path, json=body, headers={"authorization": "Bearer weak"})
    assert "error" in reply.text
    assert "1234" not in reply.text, "leaked"
    assert any(record.levelname == "CRITICAL" and "1234" in record.message for record in caplog.records)
