"""A service whose readers come by a proxy under a name of its own, and one that listens beyond its machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from assistant.service.application import create_interface, protected
from tests.service.conftest import World

PUBLIC = "https://assistant.example"


def _client(world: World, **service: object) -> TestClient:
    settings = world.parts.settings
    changed = settings.model_copy(update={"service": settings.service.model_copy(update=service)})
    parts = replace(world.parts, settings=changed)
    return TestClient(
        protected(create_interface(parts), None, parts), base_url="http://127.0.0.1", follow_redirects=False
    )


def test_name_of_the_proxy_is_served_and_others_are_not(world: World) -> None:
    client = _client(world, public_url=PUBLIC)
    for host, status in (("assistant.example", 200), ("127.0.0.1", 200), ("evil.example", 403)):
        assert client.get("/v1/health", headers={"host": host}).status_code == status
    assert _client(world).get("/v1/health", headers={"host": "assistant.example"}).status_code == 403
    listening = _client(world, public_url=PUBLIC, host="0.0.0.0")
    assert listening.get("/v1/health", headers={"host": "evil.example"}).status_code == 403


def test_page_of_the_proxys_name_may_ask_and_other_pages_may_not(world: World) -> None:
    client = _client(world, public_url=PUBLIC)
    for origin, status in (
        (PUBLIC, 200),
        ("https://evil.example", 403),
        ("https://assistant.example.evil.example", 403),
    ):
        headers = {"host": "assistant.example", "origin": origin, "authorization": "Bearer strong"}
        assert client.post("/v1/answers", json={"question": "délai ?"}, headers=headers).status_code == status


def test_session_that_came_by_tls_is_sent_by_tls_only(world: World) -> None:
    client = _client(world, public_url=PUBLIC)
    outside = client.get("/enter", params={"key": "weak"}, headers={"host": "assistant.example"})
    assert "secure" in outside.headers["set-cookie"].lower()
    client.cookies.clear()
    here = client.post("/enter", data={"key": "weak"})
    assert "secure" not in here.headers["set-cookie"].lower()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
def test_service_that_listens_beyond_its_machine_refuses_other_pages_too(world: World, host: str) -> None:
    client = _client(world, host=host)
    headers = {"host": "192.0.2.7:8501", "origin": "http://evil.example", "authorization": "Bearer strong"}
    assert client.post("/v1/answers", json={"question": "délai ?"}, headers=headers).status_code == 403
    headers["origin"] = "http://192.0.2.7:8501"
    assert client.post("/v1/answers", json={"question": "délai ?"}, headers=headers).status_code == 200
