from __future__ import annotations

import pytest

from tests.service.conftest import World

PATHS = ["/v1/health", "/v1/openapi.json", "/v1/docs", "/enter", "/v1/absent", "/v1/documents", "/absent"]


@pytest.mark.parametrize("path", PATHS)
def test_security_headers_are_on_every_response(world: World, path: str) -> None:
    headers = world.client.get(path).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert "https:" not in policy
    assert "*" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_unknown_host_name_is_refused(world: World) -> None:
    assert world.client.get("/v1/health", headers={"host": "evil.example"}).status_code == 403


def test_unsafe_request_from_another_origin_is_refused(world: World) -> None:
    headers = {"origin": "http://evil.example", "authorization": "Bearer strong"}
    assert world.client.post("/v1/answers", json={"question": "x"}, headers=headers).status_code == 403
    headers["origin"] = "http://127.0.0.1"
    assert world.client.post("/v1/answers", json={"question": "délai ?"}, headers=headers).status_code == 200


def test_sign_in_sets_a_cookie_that_scripts_cannot_read(world: World) -> None:
    reply = world.client.get("/enter", params={"key": "weak"}, follow_redirects=False)
    cookie = reply.headers["set-cookie"].lower()
    assert reply.status_code == 303
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    world.client.cookies.clear()


def test_wrong_key_is_refused_in_three_languages(world: World) -> None:
    reply = world.client.get("/enter", params={"key": "wrong"})
    assert reply.status_code == 401
    for words in ("n’est pas valable", "غير صالح", "not valid"):
        assert words in reply.text


def test_reference_names_every_route_and_loads_nothing(world: World) -> None:
    page = world.client.get("/v1/docs").text
    for path in world.client.get("/v1/openapi.json").json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "/v1/answers", {"question": ""}, 422),
        ("post", "/v1/answers", {"question": "x" * 5000}, 422),
        ("post", "/v1/answers", {"question": "x", "language": "de"}, 422),
        ("post", "/v1/answers", {}, 422),
        ("post", "/v1/chat/completions", {"messages": []}, 422),
        ("post", "/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": "x"}]}, 422),
        ("get", "/v1/search?q=", None, 422),
        ("get", "/v1/search?q=x&k=100000", None, 422),
    ],
)
def test_bad_request_is_a_clear_error(world: World, method: str, path: str, body: object, status: int) -> None:
    headers = {"authorization": "Bearer strong"}
    reply = world.client.request(method, path, json=body, headers=headers)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize("token", ["weak", None])
def test_nothing_that_the_interface_tells_is_kept_by_browser_or_proxy(world: World, token: str | None) -> None:
    document = f"/v1/documents/{world.open_id}"
    reading = ("", "/text", "/original", "/versions", "/changes", "/pages/1", "/summary", "/history", "/pages/1/image")
    others = ("/v1/instance", "/v1/documents", "/v1/scope", "/v1/conversations", "/v1/search?q=délai", "/v1/gold")
    for path in (*(f"{document}{end}" for end in reading), *others):
        assert world.get(path, token).headers["cache-control"] == "no-store", path
