"""A real small HTTP server that speaks the OpenAI protocol by script, and every way a model server can fail.

    with EndpointServer(answer("Deux jours [1].", per_second=30)) as server:
        ...                                  # server.url ends in /v1
    with EndpointServer(lambda body: answer(last_user_message(body))) as server: ...
    with EndpointServer(FAULTS["stall"]) as server: ...

A `Script` is what goes over the wire after the request: bytes, pauses, silence. The server runs in a thread of its own and
records each request, and when its client went away. `python -m tests.endpoint_server --port 9000 --per-second 30` runs one by
hand; `--fault stall` one that fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.endpoint_scripts import (
    BEGINNING,
    DONE,
    FAULTS,
    MODEL,
    Body,
    Hang,
    Repeat,
    Script,
    Send,
    Step,
    Wait,
    answer,
    broken_after,
    chunk,
    event,
    last_user_message,
    tokens_of,
)

__all__ = [
    "BEGINNING",
    "DONE",
    "FAULTS",
    "MODEL",
    "Abilities",
    "Body",
    "EndpointServer",
    "Hang",
    "Repeat",
    "Script",
    "Seen",
    "Send",
    "Step",
    "Wait",
    "answer",
    "broken_after",
    "chunk",
    "event",
    "last_user_message",
    "refused_url",
    "tokens_of",
    "unreachable_url",
]

_JSON = "application/json"


@dataclass
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Body
    began: float = field(default_factory=time.monotonic)
    served: bool = False
    """The whole script went out."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when the client has closed its connection, before the end of the script or after it."""


@dataclass(frozen=True)
class Abilities:
    """What the server offers beside completions. `tokenizer`: '' | 'vllm' | 'llama.cpp' | 'llama-cpp-python'."""

    max_model_len: int | None = None
    n_ctx: int | None = None
    tokenizer: str = ""
    obeys_schema: bool = False
    models: tuple[str, ...] = (MODEL,)
    health_status: int = 200


class EndpointServer:
    """The server, from `with` to its end. `script` may be changed while it runs; a callable gets the request's body."""

    def __init__(
        self,
        script: Script | Callable[[Body], Script],
        abilities: Abilities | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script
        self.abilities = abilities or Abilities()
        self.seen: list[Seen] = []
        """Requests for completions that stream, in order of arrival."""
        self.others: list[Seen] = []
        """Every other request: health, capabilities, tokenizer."""
        self.most_streaming = 0
        """So many streams at once there have been."""
        self.host = host
        self.tls = tls
        self.port = port
        self._open: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="endpoint-server", daemon=True)

    @property
    def url(self) -> str:
        """The base address, as an instance file names it."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/v1"

    @property
    def streaming(self) -> int:
        """How many streams are being served now."""
        return sum(1 for one in self.seen if not one.served and not one.gone.is_set())

    def __enter__(self) -> EndpointServer:
        self._thread.start()
        assert self._ready.wait(10), "the endpoint server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Stop at once: open streams are cut, and from now on connections are refused."""
        if self._thread.is_alive() and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accepted, self.host, self.port, backlog=256, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._one_request(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = await _read_request(reader)
        if seen.method == "POST" and seen.path.endswith("/chat/completions") and seen.body.get("stream"):
            self.seen.append(seen)
            self.most_streaming = max(self.most_streaming, self.streaming)
            script = self.script(seen.body) if callable(self.script) else self.script
        else:
            self.others.append(seen)
            script = self._beside(seen)
        watching = asyncio.ensure_future(_watch(reader, seen))
        playing = asyncio.ensure_future(_play(script, writer))
        try:
            await asyncio.wait((watching, playing), return_when=asyncio.FIRST_COMPLETED)
            seen.served = playing.done() and not playing.cancelled() and playing.exception() is None
            if seen.served and not script.cut:
                await asyncio.wait((watching,), timeout=5)
            if script.cut or (playing.done() and not seen.served):  # nobody is there to write to
                seen.gone.set()
        finally:
            for task in (watching, playing):
                task.cancel()
            await asyncio.gather(watching, playing, return_exceptions=True)

    def _beside(self, seen: Seen) -> Script:
        """Health, capabilities, tokenizer, and completions that do not stream."""
        abilities = self.abilities
        if seen.path.endswith("/models"):
            return _json(_models(abilities), status=abilities.health_status)
        if seen.path.endswith("/props") and abilities.n_ctx:
            return _json({"default_generation_settings": {"n_ctx": abilities.n_ctx}})
        if seen.path.endswith("/chat/completions"):
            schema = seen.body.get("response_format") if abilities.obeys_schema else None
            text = json.dumps(_instance(schema["json_schema"]["schema"])) if schema else "Bonjour."
            message = {"role": "assistant", "content": text}
            return _json({"model": MODEL, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        counted = _tokenized(seen, abilities)
        return _json(counted) if counted is not None else _json({"detail": "Not Found"}, status=404)


async def _read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, json.loads(content) if content else {})


async def _watch(reader: asyncio.StreamReader, seen: Seen) -> None:
    """Until the client goes away."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    seen.gone.set()


async def _play(script: Script, writer: asyncio.StreamWriter) -> None:
    began = asyncio.get_running_loop().time()
    if not script.silent:
        writer.write(_head(script))
        await writer.drain()
    for step in script.steps:
        await _step(step, writer, began)
    if not script.cut:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _step(step: Step, writer: asyncio.StreamWriter, began: float) -> None:
    match step:
        case Send(data):
            writer.write(_framed(data))
            await writer.drain()
        case Wait(until_s):
            await asyncio.sleep(began + until_s - asyncio.get_running_loop().time())
        case Repeat(data, every_s, max_bytes):
            for _ in range(max_bytes // len(data)):
                writer.write(_framed(data))
                await writer.drain()
                await asyncio.sleep(every_s)
        case Hang():
            await asyncio.sleep(3600)


def _head(script: Script) -> bytes:
    fields = [
        ("Content-Type", script.content_type),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        *script.headers,
    ]
    lines = [f"HTTP/1.1 {script.status} Scripted", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _json(content: object, *, status: int = 200) -> Script:
    return Script((Send(json.dumps(content).encode()),), status=status, content_type=_JSON)


def _models(abilities: Abilities) -> Body:
    extra = {"max_model_len": abilities.max_model_len} if abilities.max_model_len else {}
    return {"object": "list", "data": [{"id": name, "object": "model", **extra} for name in abilities.models]}


def _tokenized(seen: Seen, abilities: Abilities) -> Body | None:
    """A token a word, as the tokenizer route of that server says it."""
    match (abilities.tokenizer, seen.path):
        case ("vllm", "/tokenize"):
            count = len(seen.body["prompt"].split())
            return {"count": count, "max_model_len": abilities.max_model_len or 0, "tokens": list(range(count))}
        case ("llama.cpp", "/tokenize"):
            return {"tokens": list(range(len(seen.body["content"].split())))}
        case ("llama-cpp-python", "/extras/tokenize/count"):
            return {"count": len(seen.body["input"].split())}
    return None


def _instance(schema: Body) -> object:
    """The simplest thing that this JSON schema allows, for the few words of schemas that the probe uses."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: _instance(part) for name, part in schema.get("properties", {}).items()}
    return {"string": "", "array": [], "integer": 0, "number": 0, "boolean": False}.get(schema.get("type", ""))


def refused_url() -> str:
    """The address of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@contextmanager
def unreachable_url() -> Iterator[str]:
    """The address of a port where a connection never comes about: its queue is full, so packets are dropped."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        try:
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(full.getsockname())
                waiting.append(one)
            time.sleep(0.05)
            yield f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        finally:
            for one in waiting:
                one.close()


def main() -> None:
    """Serve until interrupted. Without `--text` the answer is the last message of the user."""
    parser = argparse.ArgumentParser(prog="python -m tests.endpoint_server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--per-second", type=float, default=30.0)
    parser.add_argument("--first-after", type=float, default=0.0)
    parser.add_argument("--text")
    parser.add_argument("--fault", choices=sorted(FAULTS))
    wanted = parser.parse_args()

    def script(body: Body) -> Script:
        text = wanted.text or last_user_message(body)
        return answer(text, per_second=wanted.per_second, first_after_s=wanted.first_after)

    with EndpointServer(FAULTS[wanted.fault] if wanted.fault else script, port=wanted.port) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
