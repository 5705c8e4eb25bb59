"""The scripted server itself: what it promises to the tests that use it."""

import socket
import time

import httpx
import pytest

from tests.endpoint_server import EndpointServer, answer, broken_after, last_user_message, refused_url, unreachable_url

ASKED = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "Combien de jours ?"}]}


def lines(url: str) -> list[tuple[float, str]]:
    """Each data line with the second at which it came."""
    began = time.monotonic()
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("POST", f"{url}/chat/completions", json=ASKED) as response,
    ):
        return [(time.monotonic() - began, line) for line in response.iter_lines() if line]


def test_tokens_come_at_the_pace_of_the_script() -> None:
    with EndpointServer(answer("un deux trois quatre", per_second=20)) as server:
        came = lines(server.url)
    times = [at for at, line in came if '"content": "' in line and '""' not in line]
    assert len(times) == 4
    assert times[-1] >= 3 / 20
    assert came[-1][1] == "data: [DONE]"


def test_a_script_may_depend_on_the_request() -> None:
    with EndpointServer(lambda body: answer(last_user_message(body))) as server:
        assert "jours" in "".join(line for _, line in lines(server.url))
        assert server.seen[0].body["model"] == "scripted"


def test_server_sees_the_client_go_in_the_middle() -> None:
    with EndpointServer(answer("un deux trois " * 100, per_second=20)) as server:
        with (
            httpx.Client(trust_env=False) as client,
            client.stream("POST", f"{server.url}/chat/completions", json=ASKED) as response,
        ):
            pieces = response.iter_bytes()  # dropped at once, it would close the connection
            next(pieces)
            assert server.streaming == 1
        assert server.seen[0].gone.wait(10)
        assert not server.seen[0].served
        assert server.streaming == 0


def test_a_cut_stream_ends_without_the_end_of_its_body() -> None:
    with EndpointServer(broken_after("un deux")) as server, pytest.raises(httpx.RemoteProtocolError):
        lines(server.url)


def test_killed_server_refuses_connections() -> None:
    with EndpointServer(answer("un")) as server:
        server.kill()
        with pytest.raises(httpx.ConnectError):
            lines(server.url)
    with pytest.raises(httpx.ConnectError):
        lines(refused_url())


def test_nobody_gets_through_to_the_unreachable_address() -> None:
    with unreachable_url() as url, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), timeout=0.3)
