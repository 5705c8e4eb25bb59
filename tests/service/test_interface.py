"""What a program that speaks to the interface by its description may rely on, whatever it sends."""

from __future__ import annotations

import json

import pytest

from assistant.service.bodies import MOST_BODY_BYTES
from tests.service.conftest import World

HALF = '"\\ud83d"'
"""Half of an emoji, as a program leaves it that cuts a text at so many UTF-16 units."""


def send(world: World, method: str, path: str, body: bytes, token: str = "strong"):  # type: ignore[no-untyped-def]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "accept": "application/json"}
    return world.client.request(method, path, content=body, headers=headers)


def begun(world: World, token: str = "strong") -> str:
    return str(world.post("/v1/conversations", token, json={}).json()["id"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/answers", f'{{"question": {HALF}}}'),
        ("POST", "/v1/chat/completions", f'{{"messages": [{{"role": "user", "content": {HALF}}}]}}'),
        ("POST", "/v1/conversations", f'{{"title": {HALF}}}'),
        ("PATCH", "/v1/conversations/{id}", f'{{"title": {HALF}}}'),
        ("PATCH", "/v1/conversations/{id}", f'{{"scope": {{"collections": [{HALF}]}}}}'),
        ("POST", "/v1/conversations/{id}/turns", f'{{"question": {HALF}}}'),
        ("POST", "/v1/conversations/{id}/summaries", f'{{"document_id": {HALF}}}'),
        ("POST", "/v1/conversations/{id}/comparisons", f'{{"document_id": {HALF}}}'),
        ("GET", '/v1/search?q=x&scope={"collections":["\\ud83d"]}', ""),
    ],
)
def test_half_a_character_is_refused_and_nothing_is_kept_of_it(world: World, method: str, path: str, body: str) -> None:
    conversation = begun(world)
    reply = send(world, method, path.format(id=conversation) if "{id}" in path else path, body.encode())
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "invalid_request"), reply.text
    assert world.get("/v1/conversations", "strong").status_code == 200
    assert world.get(f"/v1/conversations/{conversation}", "strong").json()["title"] == ""


def test_bytes_of_half_a_character_are_refused_too(world: World) -> None:
    assert send(world, "POST", "/v1/conversations", b'{"title": "\xed\xa0\xbd"}').status_code == 422


def test_whole_characters_beyond_the_basic_plane_are_kept(world: World) -> None:
    reply = send(world, "POST", "/v1/conversations", b'{"title": "\\ud83d\\ude00 d\xc3\xa9lai"}')
    assert (reply.status_code, reply.json()["title"]) == (201, "😀 délai")


def test_body_beyond_any_use_is_not_read(world: World) -> None:
    reply = send(world, "POST", "/v1/answers", b'{"question": "' + b"a" * MOST_BODY_BYTES + b'"}')
    assert (reply.status_code, reply.json()["error"]["type"]) == (413, "too_large")


def test_number_beyond_any_count_names_no_turn(world: World) -> None:
    for method in ("PUT", "DELETE"):
        path = f"/v1/conversations/{begun(world)}/turns/{10**30}/feedback"
        assert send(world, method, path, b'{"rating": "up"}').status_code == 422


def test_every_route_describes_the_failure_that_it_gives(world: World) -> None:
    description = world.client.get("/v1/openapi.json").json()
    open_to_all = {"/v1/health", "/v1/docs"}
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for status in ("4XX", "5XX"):
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Failure"}, path
            assert "422" not in operation["responses"], path
            assert bool(operation.get("security")) is (path not in open_to_all), path
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_methods_that_are_not_there_name_those_that_are(world: World) -> None:
    reply = world.client.put("/v1/answers", headers={"authorization": "Bearer strong"})
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert reply.json()["error"]["type"] == "method_not_allowed"


def test_head_is_answered_as_get_is_without_its_body(world: World) -> None:
    reply = world.client.head("/v1/health")
    assert (reply.status_code, reply.content) == (200, b"")
    assert world.client.head("/v1/instance").status_code == 401


def test_who_is_not_signed_in_is_told_how(world: World) -> None:
    assert world.get("/v1/instance", None).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_body_of_another_kind_is_told_what_to_be(world: World, kind: str) -> None:
    headers = {"authorization": "Bearer strong", **({"content-type": kind} if kind else {})}
    body = json.dumps({"question": "Quel est le délai ?"}).encode()
    reply = world.client.post("/v1/answers", content=body, headers=headers)
    assert reply.status_code == 422
    assert "application/json" in reply.json()["error"]["message"]
