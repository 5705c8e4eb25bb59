"""The archivists' routes: each is tried by a reader, and by an archivist without clearance for the document."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.conftest import OPEN_TEXT, World

ABSENT = "00000000-0000-0000-0000-000000000000"
ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/documents/{id}/retry", {"password": "sésame"}),
    ("PATCH", "/v1/documents/{id}", {"title": "autre"}),
    ("PUT", "/v1/documents/{id}/pages/1/text", {"text": "autre"}),
    ("GET", "/v1/documents/{id}/history", None),
    ("PUT", "/v1/documents/{id}/hold", {"reason": "procès"}),
    ("DELETE", "/v1/documents/{id}/hold", None),
    ("GET", "/v1/documents/progress", None),
    ("GET", "/v1/documents/retention", None),
    ("POST", "/v1/documents/retention", None),
    ("POST", "/v1/documents/retention", {"document_ids": []}),
    ("GET", "/v1/documents/holds", None),
    ("GET", "/v1/documents/watched", None),
]


def call(world: World, method: str, path: str, token: str, body: object = None) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"}
    reply = world.client.request(method, path, headers=headers, json=body)
    return reply.status_code, reply.json() if reply.content else None


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_readers_may_do_nothing_whether_it_exists_or_not(world: World, method: str, path: str, body: object) -> None:
    on_hidden = call(world, method, path.format(id=world.hidden_id), "weak", body)
    assert on_hidden[0] == 403
    assert on_hidden == call(world, method, path.format(id=ABSENT), "weak", body)
    assert on_hidden == call(world, method, path.format(id=world.hidden_id), "strong", body)


@pytest.mark.parametrize(("method", "path", "body"), [route for route in ROUTES if "{id}" in route[1]])
def test_archivist_without_clearance_hears_what_is_said_of_an_absent_document(
    world: World, method: str, path: str, body: object
) -> None:
    on_hidden = call(world, method, path.format(id=world.hidden_id), "weak-archivist", body)
    assert on_hidden[0] == 404
    assert on_hidden == call(world, method, path.format(id=ABSENT), "weak-archivist", body)


def test_lists_name_nothing_above_the_clearance(world: World) -> None:
    assert call(world, "PUT", f"/v1/documents/{world.hidden_id}/hold", "archivist", {"reason": "procès"})[0] == 200
    assert world.hidden_id in str(call(world, "GET", "/v1/documents/holds", "archivist"))
    for path in (
        "/v1/documents/holds",
        "/v1/documents/watched",
        "/v1/documents/progress",
        "/v1/documents/retention",
        "/v1/documents?q=cache&limit=5",
    ):
        status, body = call(world, "GET", path, "weak-archivist")
        assert status == 200
        assert world.hidden_id not in str(body)
        assert body.get("total", 0) == 0
    call(world, "DELETE", f"/v1/documents/{world.hidden_id}/hold", "archivist")


def test_life_of_a_document_over_http(world: World) -> None:
    files = {"files": ("vie.txt", f"{OPEN_TEXT} tamanoir".encode(), "text/plain")}
    headers = {"authorization": "Bearer archivist"}
    data = {"label": "public", "sources": "/in/vie.txt"}
    handed = world.client.post("/v1/documents", headers=headers, files=files, data=data).json()["documents"][0]
    path = f"/v1/documents/{handed['document_id']}"
    assert world.parts.ingestion.wait_idle(60)
    again = world.client.post("/v1/documents", headers=headers, files=files, data=data).json()["documents"][0]
    assert (again["state"], again["reason"]) == ("done", "")
    assert "already here since" in again["notice"]

    status, edited = call(world, "PATCH", path, "archivist", {"title": "Une vie", "collection": "Essais"})
    assert (status, edited["title"], edited["collection"]) == (200, "Une vie", "Essais")
    assert world.parts.ingestion.wait_idle(60)
    assert call(world, "GET", path, "weak")[1]["title"] == "Une vie"

    assert call(world, "PUT", f"{path}/hold", "archivist", {"reason": "procès"})[1]["hold"] == "procès"
    status, body = call(world, "DELETE", path, "archivist")
    assert (status, body["error"]["type"]) == (409, "conflict")
    assert call(world, "DELETE", f"{path}/hold", "archivist")[1]["hold"] == ""

    status, body = call(world, "GET", f"{path}/history", "archivist")
    assert [version["newest"] for version in body["versions"]] == [True]
    assert body["events"][0]["state"] == "received"
    assert any("edited by" in event["reason"] for event in body["events"])
    assert call(world, "POST", f"{path}/retry", "archivist")[0] == 409
    listed = call(world, "GET", "/v1/documents?q=Une%20vie&state=done&label=public&limit=1", "weak")[1]
    assert ([d["title"] for d in listed["documents"]], listed["total"]) == (["Une vie"], 1)
    call(world, "DELETE", path, "archivist")


@pytest.mark.parametrize("query", ["limit=0", "limit=5000", "offset=-1", "date_from=hier", "state=lost"])
def test_listing_refuses_what_it_does_not_know(world: World, query: str) -> None:
    assert call(world, "GET", f"/v1/documents?{query}", "archivist")[0] == 422


def test_a_refused_request_does_not_repeat_the_password(world: World) -> None:
    for body in ({"password": "mot-de-passe " * 200}, {"password": ["mot-de-passe"]}):
        status, reply = call(world, "POST", f"/v1/documents/{world.open_id}/retry", "archivist", body)
        assert status == 422
        assert "mot-de-passe" not in str(reply)


def test_manifest_is_read_with_the_sidecars_beside_it(world: World) -> None:
    def read(content: str, *, name: str = "archivist", sidecars: dict[str, str] | None = None) -> tuple[int, Any]:
        files = [("manifest", ("lot/manifest.csv", content.encode()))]
        files += [("sidecars", (path, text.encode())) for path, text in (sidecars or {}).items()]
        headers = {"authorization": f"Bearer {name}"}
        reply = world.client.post("/v1/documents/manifest", headers=headers, files=files)
        return reply.status_code, reply.json()

    table = "file;title;collection\n1999/a.txt;Lettre A;Port\nb.txt;Lettre B;\nc.txt;;\n"
    status, told = read(table, sidecars={"b.txt.toml": 'title = "La lettre B"\nauthor = "Le maire"\n'})
    assert (status, list(told["files"])) == (200, ["1999/a.txt", "b.txt", "c.txt"])
    assert 'title = "Lettre A"' in told["files"]["1999/a.txt"]
    assert 'collection = "Port"' in told["files"]["1999/a.txt"]
    assert 'title = "La lettre B"' in told["files"]["b.txt"]
    assert 'author = "Le maire"' in told["files"]["b.txt"]
    assert told["files"]["c.txt"] == ""
    status, fault = read("file;titel\na.txt;A\n")
    assert (status, "'titel'" in fault["error"]["message"]) == (422, True)
    assert read("année;ville\n1999;Brest\n") == (200, {"files": None})
    assert read(table, sidecars={"b.txt.toml": "title = 12"})[0] == 422
    assert read(table, name="weak")[0] == 403
