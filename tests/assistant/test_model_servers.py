"""Which server a model gets on which machine, and what every command line has in common."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import egress
from assistant.errors import ConfigurationError, ServiceUnavailable
from assistant.modelfiles import running
from assistant.modelfiles.forms import ModelKind
from assistant.modelfiles.servers import Machine, ServerKind, ServerPlan, Wanted, planned, server_kind
from assistant.modelfiles.store import LanguageModel, LanguageModelStore
from tests.model_files import adapter_folder, gguf_file, safetensors_folder
from tests.worlds import ROOT

EVERYTHING = Machine(
    gpu=True,
    vllm_python=Path("/opt/vllm/bin/python"),
    llama_server=Path("/usr/bin/llama-server"),
    llama_python=True,
    transformers=True,
    gguf=True,
    cores=4,
)
NO_GPU = replace(EVERYTHING, gpu=False, llama_server=None)
BARE = Machine(False, None, None, False, False, False, 2)


@pytest.fixture
def models(tmp_path: Path) -> dict[ModelKind, LanguageModel]:
    store = LanguageModelStore(tmp_path / "store")
    sources = (
        safetensors_folder(tmp_path / "large"),
        gguf_file(tmp_path / "small.gguf"),
        adapter_folder(tmp_path / "tax"),
    )
    return {model.kind: model for model in map(store.add, sources)}


@pytest.mark.parametrize(
    ("machine", "kind", "server"),
    [
        (EVERYTHING, ModelKind.SAFETENSORS, ServerKind.VLLM),
        (EVERYTHING, ModelKind.GGUF, ServerKind.LLAMA_SERVER),
        (NO_GPU, ModelKind.SAFETENSORS, ServerKind.TRANSFORMERS),
        (NO_GPU, ModelKind.GGUF, ServerKind.LLAMA_PYTHON),
    ],
)
def test_machine_and_form_decide_on_the_server(
    models: dict[ModelKind, LanguageModel], machine: Machine, kind: ModelKind, server: ServerKind
) -> None:
    assert server_kind(models[kind], machine) is server


def test_server_that_was_asked_for_is_taken_or_refused_but_never_replaced(
    models: dict[ModelKind, LanguageModel],
) -> None:
    assert server_kind(models[ModelKind.GGUF], EVERYTHING, ServerKind.TRANSFORMERS) is ServerKind.TRANSFORMERS
    with pytest.raises(ConfigurationError, match="needs safetensors, a GPU"):
        server_kind(models[ModelKind.SAFETENSORS], NO_GPU, ServerKind.VLLM)


def test_machine_without_any_server_says_what_to_install(models: dict[ModelKind, LanguageModel]) -> None:
    with pytest.raises(ConfigurationError, match=r"requirements/demo-model\.lock"):
        server_kind(models[ModelKind.GGUF], BARE)


def test_adapter_is_not_served_alone(models: dict[ModelKind, LanguageModel]) -> None:
    with pytest.raises(ConfigurationError, match="--adapter tax"):
        server_kind(models[ModelKind.ADAPTER], EVERYTHING)


def _plan(kind: ServerKind, models: dict[ModelKind, LanguageModel]) -> ServerPlan:
    form = ModelKind.GGUF if kind in (ServerKind.LLAMA_SERVER, ServerKind.LLAMA_PYTHON) else ModelKind.SAFETENSORS
    return planned(kind, models[form], EVERYTHING, Wanted(port=8511), cache=models[form].folder.parent / "cache")


@pytest.mark.parametrize("kind", ServerKind)
def test_every_server_listens_on_loopback_and_is_told_to_stay_there(
    models: dict[ModelKind, LanguageModel], kind: ServerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "HOST": "0.0.0.0",
        "LLAMA_ARG_HOST": "0.0.0.0",
        "HF_TOKEN": "secret",
        "CONFIG_FILE": "x",
    }.items():
        monkeypatch.setenv(name, value)
    plan = _plan(kind, models)
    if kind is not ServerKind.TRANSFORMERS:  # which is ours, and knows no other address
        assert plan.command[plan.command.index("--host") + 1] == "127.0.0.1"
    assert plan.command[plan.command.index("--port") + 1] == "8511"
    assert plan.url == "http://127.0.0.1:8511/v1"
    assert egress.OPT_OUTS.items() <= plan.environment.items()
    assert plan.environment["HOST"] == "127.0.0.1"
    assert not {"LLAMA_ARG_HOST", "HF_TOKEN", "CONFIG_FILE"} & set(plan.environment)


def test_vllm_gets_nothing_of_our_packages_and_every_adapter(
    models: dict[ModelKind, LanguageModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    adapter = models[ModelKind.ADAPTER]
    wanted = Wanted(port=1, adapters=(adapter,))
    plan = planned(ServerKind.VLLM, models[ModelKind.SAFETENSORS], EVERYTHING, wanted, cache=adapter.folder)
    assert "PYTHONPATH" not in plan.environment
    assert plan.command[0] == "/opt/vllm/bin/python"
    assert plan.command[-2:] == ("--lora-modules", f"tax={adapter.folder}")


def test_adapters_are_refused_where_they_would_be_ignored(models: dict[ModelKind, LanguageModel]) -> None:
    with pytest.raises(ConfigurationError, match="vLLM only"):
        planned(
            ServerKind.TRANSFORMERS,
            models[ModelKind.SAFETENSORS],
            NO_GPU,
            Wanted(port=1, adapters=(models[ModelKind.ADAPTER],)),
            cache=Path(),
        )


def test_threads_that_an_operator_gives_are_all_that_llama_cpp_takes(models: dict[ModelKind, LanguageModel]) -> None:
    wanted = Wanted(port=1, threads=3)
    plan = planned(ServerKind.LLAMA_PYTHON, models[ModelKind.GGUF], EVERYTHING, wanted, cache=Path())
    assert [plan.command[plan.command.index(option) + 1] for option in ("--n_threads", "--n_threads_batch")] == [
        "3",
        "3",
    ]


def _python(code: str, folder: Path, port: int = 0) -> ServerPlan:
    """A program in the place of a server."""
    address = f"http://127.0.0.1:{port}/health"
    command = (sys.executable, "-c", code)
    return ServerPlan(ServerKind.TRANSFORMERS, command, dict(os.environ), folder, port, "test", 2048, 1, address)


_SERVES = "import sys, http.server as h; print('up', flush=True); h.test(h.SimpleHTTPRequestHandler, port={}, bind='127.0.0.1')"


def test_server_that_fails_at_its_start_is_reported_with_what_it_said(tmp_path: Path) -> None:
    plan = _python("import sys; print('no such weights'); sys.exit(3)", tmp_path, running.free_port())
    with (
        pytest.raises(ServiceUnavailable, match="no such weights"),
        running.running(plan, tmp_path / "log", timeout_s=30),
    ):
        pass


def test_port_that_is_taken_is_reported_before_anything_starts(tmp_path: Path) -> None:
    port = running.free_port()
    (tmp_path / "health").write_text("", encoding="utf-8")
    plan = _python(_SERVES.format(port), tmp_path, port)
    with (
        running.running(plan, tmp_path / "log", timeout_s=30),
        pytest.raises(ConfigurationError, match="is taken"),
        running.running(plan, tmp_path / "second", timeout_s=30),
    ):
        pass


def test_what_the_server_started_ends_with_it(tmp_path: Path) -> None:
    port = running.free_port()
    (tmp_path / "health").write_text("", encoding="utf-8")
    grandchild = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True);"
    with running.running(_python(grandchild + _SERVES.format(port), tmp_path, port), tmp_path / "log", timeout_s=30):
        pid = int((tmp_path / "log").read_text(encoding="utf-8").split()[0])
        assert _runs(pid)
    _wait_until_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_server_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from assistant.modelfiles.running import attached\n"
        f"child = attached(('sleep', '600'), environment={{'PATH': {os.environ['PATH']!r}}}, folder=pathlib.Path('.'),"
        " output=sys.stderr.buffer)\n"
        "time.sleep(0.5); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert _runs(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=10)
    _wait_until_gone(pid)


def _runs(pid: int) -> bool:
    """False for one that has ended and that nobody has asked about, too."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.05)
