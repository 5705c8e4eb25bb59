"""Uploads that nobody may send, that are too large, that break off."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from assistant.config import load_settings
from assistant.service.application import create_interface
from tests.service.conftest import World
from tests.worlds import instance_file

_MB = 1 << 20
_HEAD = b'--b\r\ncontent-disposition: form-data; name="files"; filename="note.txt"\r\n\r\n'
_TAIL = b"\r\n--b--\r\n"


def replied(sending: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """What `sending` gets, in a thread of its own: a browser of other tests may keep this thread's event loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, sending).result()


class Sent:
    """A body of one file, and how much of it was taken."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes
        self.taken = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        yield _HEAD
        for _ in range(self._megabytes):
            self.taken += 1
            yield b"x" * _MB
        yield _TAIL


@pytest.fixture
def small(world: World, tmp_path: Path) -> Any:
    """The interface of the same instance, with a limit of 2 MB for a file."""
    file = instance_file(tmp_path)
    file.write_text(file.read_text("utf-8").replace("port = 0", "port = 0\nmax_upload_mb = 2"), "utf-8")
    limits = load_settings(file).service
    settings = world.parts.settings.model_copy(update={"service": limits})
    return create_interface(replace(world.parts, settings=settings))


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much was written of each file on its way in."""
    written: list[int] = []

    class Counting(tempfile.SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, content: Any) -> int:
            written[-1] += len(content)
            return super().write(content)

        def __init__(self, *arguments: Any, **more: Any) -> None:
            written.append(0)
            super().__init__(*arguments, **more)

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", Counting)
    return written


def send(app: Any, sent: Sent, token: str) -> httpx.Response:
    headers = {"content-type": "multipart/form-data; boundary=b", "authorization": f"Bearer {token}"}

    async def sending() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post("/v1/documents", headers=headers, content=sent.pieces())

    return replied(sending)


def test_upload_of_somebody_unknown_is_refused_before_its_first_byte(small: Any, spooled: list[int]) -> None:
    sent = Sent(5)
    reply = send(small, sent, "nobody")
    assert (reply.status_code, reply.json()["error"]["type"]) == (401, "sign_in_required")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert (sent.taken, spooled) == (0, [])


def test_file_that_is_too_large_is_not_written_to_its_end(small: Any, spooled: list[int]) -> None:
    sent = Sent(40)
    reply = send(small, sent, "archivist")
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "invalid_request")
    assert "a file is larger than 2 MB" in reply.json()["error"]["message"]
    assert sent.taken == 40, "a sender who is cut off never hears why"
    assert sum(spooled) <= 4 * _MB


def test_many_files_that_are_each_small_enough_are_taken(small: Any) -> None:
    files = [("files", (f"{number}.txt", f"Note {number}. ".encode() * 120_000)) for number in range(4)]
    request = httpx.Request("POST", "http://x", files=files)
    body = request.read()
    headers = {"content-type": request.headers["content-type"], "authorization": "Bearer archivist"}

    async def sending() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://127.0.0.1") as client:
            return await client.post("/v1/documents", headers=headers, content=body)

    reply = replied(sending)
    assert reply.status_code == 202, reply.text
    assert len(reply.json()["documents"]) == 4


def test_sign_in_page_reads_no_upload(small: Any, spooled: list[int]) -> None:
    async def sending() -> httpx.Response:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://127.0.0.1") as client:
            return await client.post("/enter", headers=headers, content=Sent(33).pieces())

    reply = replied(sending)
    assert (reply.status_code, spooled) == (413, [])
