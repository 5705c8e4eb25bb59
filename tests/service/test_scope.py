"""A scope over HTTP: what it can name, what it lets through, and that it shows nothing hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.answering import NO_EVIDENCE_IN_SCOPE_TEXT, OUTSIDE_SCOPE_TEXT
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader

QUESTION = "Combien de jours dure le congé de formation ?"
DOCUMENTS = (
    ("rh-2023.txt", "vingt", "public", 'collection = "RH"\ndate = "2023-03-12"\ndocument_type = "circulaire"\n'),
    ("rh-2024.txt", "trente", "public", 'collection = "RH"\ndate = "2024-03-12"\ndocument_type = "note"\n'),
    ("budget.txt", "", "public", 'collection = "Budget"\ndate = "2022-01-01"\n'),
    ("cache.txt", "zyzomys", "restricted", 'collection = "RH"\ndate = "2025-01-01"\ndocument_type = "plan zyzomys"\n'),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("scope")
    readers = {"weak": reader("public"), "archivist": reader("restricted", Role.READER, Role.ARCHIVIST)}
    with opened(load_settings(instance_file(folder, unmarked="quarantine"))) as built:
        parts = replace(built, sign_in=NamedReaders(readers))
        parts.ingestion.start()
        for name, days, label, sidecar in DOCUMENTS:
            _hand_in(parts, folder / name, days, label, sidecar)
        assert parts.ingestion.wait_idle(120)
        with TestClient(protected(create_interface(parts), None, parts), base_url="http://127.0.0.1") as opened_client:
            yield opened_client


def _hand_in(parts: Parts, file: Path, days: str, label: str, sidecar: str) -> None:
    says = f"Le congé de formation dure {days} jours par an." if days else "Les crédits sont ouverts par chapitre."
    file.write_text(f"{says}\nLa demande est adressée au chef de service.\n" * 2, encoding="utf-8")
    archivist = parts.sign_in.principal("archivist")
    parts.ingestion.accept(
        file, source=f"/in/{file.name}", principal=archivist, label=Label.parse(label), sidecar=sidecar.encode()
    )


def _headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def _ask(client: TestClient, scope: object, *, token: str = "weak") -> Any:
    body = {"question": QUESTION, "scope": scope}
    return client.post("/v1/answers", json=body, headers=_headers(token))


def _searched(client: TestClient, scope: object, *, token: str = "weak", route: str = "hybrid") -> set[str]:
    parameters = {"q": QUESTION, "k": 50, "route": route, "scope": json.dumps(scope)}
    reply = client.get("/v1/search", params=parameters, headers=_headers(token))
    assert reply.status_code == 200, reply.text
    return {result["passage"]["file_name"] for result in reply.json()["results"]}


def test_choices_are_of_what_this_reader_may_read(client: TestClient) -> None:
    reply = client.get("/v1/scope", headers=_headers("weak"))
    assert reply.json() == {
        "collections": ["Budget", "RH"],
        "document_types": ["circulaire", "note"],
        "dates": {"from": "2022-01-01", "to": "2024-03-12"},
    }
    assert "zyzomys" in client.get("/v1/scope", headers=_headers("archivist")).text
    assert client.get("/v1/scope").status_code == 401


@pytest.mark.parametrize("route", ["hybrid", "dense", "bm25"])
def test_search_stays_within_the_scope_and_the_readers_rights(client: TestClient, route: str) -> None:
    for scope, found in (
        ({"collections": ["RH"]}, {"rh-2023.txt", "rh-2024.txt"}),
        ({"collections": ["RH"], "date_from": "2024-01-01"}, {"rh-2024.txt"}),
        ({"date_from": "2025-01-01"}, set()),
        ({"document_types": ["plan zyzomys"]}, set()),
    ):
        assert _searched(client, scope, route=route) == found, scope
    assert "cache.txt" in _searched(client, {"date_from": "2025-01-01"}, token="archivist", route=route)


def test_answer_quotes_the_documents_of_the_scope_alone(client: TestClient) -> None:
    for scope, days in (({"date_to": "2023-12-31"}, "vingt"), ({"document_types": ["note"]}, "trente")):
        answer = _ask(client, scope).json()
        assert answer["outcome"] == "answered"
        assert {citation["file_name"] for citation in answer["citations"]} <= {"rh-2023.txt", "rh-2024.txt"}
        assert days in answer["text"]
        assert len({citation["document_id"] for citation in answer["citations"]}) == 1


def test_nothing_found_in_a_scope_says_so_in_the_same_words_whatever_is_hidden_in_it(client: TestClient) -> None:
    for scope in ({"collections": ["Budget"]}, {"document_types": ["plan zyzomys"]}, {"collections": ["no such"]}):
        answer = _ask(client, scope).json()
        assert (answer["outcome"], answer["text"]) == ("no_evidence", NO_EVIDENCE_IN_SCOPE_TEXT["fr"])
        assert answer["notes"][-1] == OUTSIDE_SCOPE_TEXT["fr"]


def test_scope_that_cannot_be_meant_is_refused_with_its_field(client: TestClient) -> None:
    for scope, field in (({"date_from": "soon"}, "date_from"), ({"colour": ["red"]}, "colour")):
        reply = _ask(client, scope)
        assert reply.status_code == 422
        assert field in reply.json()["error"]["message"]
    reply = client.get("/v1/search", params={"q": "x", "scope": "[1]"}, headers=_headers("weak"))
    assert reply.status_code == 422
