"""Which server runs a model on this machine, and its command line.

With a GPU, for safetensors: vLLM, from an environment of its own, which it needs since it pins other versions of torch and
transformers. For a GGUF file a server of llama.cpp, where there is one. Else, for both, `transformers_server`, which comes with
the assistant; for a GGUF file it wants `requirements/demo-model.lock`. Every one of them listens on loopback alone, is told to
keep to local files, and gets no more of our environment than it needs: these servers take settings from theirs, `HOST` for one.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from assistant import egress
from assistant.errors import ConfigurationError
from assistant.modelfiles.forms import ModelKind, adapter_rank
from assistant.modelfiles.store import LanguageModel

LOOPBACK = "127.0.0.1"
_GPU_FILES = ("/dev/nvidia0", "/dev/kfd")
_LLAMA_PYTHON = ("llama_cpp", "sse_starlette", "starlette_context", "pydantic_settings")
_TRANSFORMERS = ("transformers", "openai")
_MOST_TOKENS_ON_CPU = 8192
_VLLM_AT_ONCE = 16


class ServerKind(StrEnum):
    """The servers that are known."""

    VLLM = "vllm"
    LLAMA_SERVER = "llama-server"
    LLAMA_PYTHON = "llama-cpp-python"
    TRANSFORMERS = "transformers"


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to serve models with."""

    gpu: bool
    vllm_python: Path | None
    """The interpreter of vLLM's own environment."""
    llama_server: Path | None
    llama_python: bool
    transformers: bool
    gguf: bool
    """Whether a GGUF file can be converted."""
    cores: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for. 0 leaves a number to the server."""

    port: int
    context_tokens: int = 0
    threads: int = 0
    server: ServerKind | None = None
    adapters: tuple[LanguageModel, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """How to start a server. `model` is the name that a request must give, `health` the address that answers once it is up."""

    kind: ServerKind
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    port: int
    model: str
    context_tokens: int
    concurrency: int
    """Requests to send it at the same time; a further one would only wait there."""
    health: str

    @property
    def url(self) -> str:
        """The base address of its OpenAI-compatible interface."""
        return f"http://{LOOPBACK}:{self.port}/v1"


def this_machine(vllm_python: Path | None = None) -> Machine:
    """What this machine has. Raises ConfigurationError when `vllm_python` is given and is no program."""
    if vllm_python is not None and not os.access(vllm_python, os.X_OK):
        raise ConfigurationError(
            f"{vllm_python}: no program; name the python of the environment in which vLLM is installed"
        )
    llama_server = shutil.which("llama-server")
    return Machine(
        gpu=shutil.which("nvidia-smi") is not None or any(Path(file).exists() for file in _GPU_FILES),
        vllm_python=vllm_python or _vllm_in_path(),
        llama_server=Path(llama_server) if llama_server else None,
        llama_python=all(find_spec(name) for name in _LLAMA_PYTHON),
        transformers=all(find_spec(name) for name in _TRANSFORMERS),
        gguf=find_spec("gguf") is not None,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def server_kind(model: LanguageModel, machine: Machine, asked: ServerKind | None = None) -> ServerKind:
    """The server to use. Raises ConfigurationError when the one asked for, or every one, is not to be had for this model."""
    if model.kind is ModelKind.ADAPTER:
        raise ConfigurationError(f"{model.name} is an adapter; serve its base model with `--adapter {model.name}`")
    has = {
        ServerKind.VLLM: machine.vllm_python is not None and machine.gpu and model.kind is ModelKind.SAFETENSORS,
        ServerKind.LLAMA_SERVER: machine.llama_server is not None and model.kind is ModelKind.GGUF,
        ServerKind.LLAMA_PYTHON: machine.llama_python and model.kind is ModelKind.GGUF,
        ServerKind.TRANSFORMERS: machine.transformers and (machine.gguf or model.kind is ModelKind.SAFETENSORS),
    }
    if asked is not None and not has[asked]:
        raise ConfigurationError(f"{model.name} cannot be served with {asked}: {_NEEDS[asked]}")
    for kind, is_there in has.items():
        if is_there and asked in (None, kind):
            return kind
    raise ConfigurationError(
        f"there is no server for {model.name} on this machine: install requirements/demo-model.lock, llama.cpp's llama-server"
        " (for GGUF), or vLLM in an environment of its own (with a GPU; --vllm-python); see docs/models.md"
    )


def planned(kind: ServerKind, model: LanguageModel, machine: Machine, wanted: Wanted, *, cache: Path) -> ServerPlan:
    """The command line for a model whose files have been verified. `cache` is a folder that the server may write to."""
    if wanted.adapters and kind is not ServerKind.VLLM:
        raise ConfigurationError(f"adapters are served by vLLM only, and this would be {kind}")
    context = wanted.context_tokens or _context(kind, model)
    make = {
        ServerKind.VLLM: _vllm,
        ServerKind.LLAMA_SERVER: _llama_server,
        ServerKind.LLAMA_PYTHON: _llama_python,
        ServerKind.TRANSFORMERS: _transformers,
    }[kind]
    command = make(model, machine, wanted, context)
    threads = str(wanted.threads or machine.cores)
    settings = {"HF_HOME": str(cache), "HF_HUB_CACHE": str(cache), "OMP_NUM_THREADS": threads, "HOST": LOOPBACK}
    # PASSIVE: threads that wait for each other do not burn the time of those they wait for.
    settings |= {"PORT": str(wanted.port), "PYTHONSAFEPATH": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    environment = egress.environment_for_server(**settings)
    if kind is ServerKind.VLLM:
        environment.pop("PYTHONPATH", None)  # it would put our packages into its environment
        del environment["OMP_NUM_THREADS"]
    health = f"http://{LOOPBACK}:{wanted.port}{'/v1/models' if kind is ServerKind.LLAMA_PYTHON else '/health'}"
    at_once = _VLLM_AT_ONCE if kind is ServerKind.VLLM else 1
    folder = model.folder.parent
    return ServerPlan(kind, tuple(command), environment, folder, wanted.port, model.name, context, at_once, health)


_NEEDS = {
    ServerKind.VLLM: "it needs safetensors, a GPU, and vLLM in an environment of its own, named with --vllm-python",
    ServerKind.LLAMA_SERVER: "it needs a GGUF file, and llama-server in PATH",
    ServerKind.LLAMA_PYTHON: "it needs a GGUF file, and the package llama-cpp-python[server]",
    ServerKind.TRANSFORMERS: "for a GGUF file it needs the packages of requirements/demo-model.lock",
}


def _context(kind: ServerKind, model: LanguageModel) -> int:
    """Tokens to serve. On a processor a long context costs minutes before the first word; vLLM knows what its GPU holds."""
    if kind is ServerKind.VLLM:
        return model.context_tokens
    return min(model.context_tokens or _MOST_TOKENS_ON_CPU, _MOST_TOKENS_ON_CPU)


def _vllm_in_path() -> Path | None:
    """The interpreter beside the `vllm` command, if that is in PATH."""
    command = shutil.which("vllm")
    python = Path(command).resolve().with_name("python") if command else None
    return python if python is not None and python.exists() else None


def _vllm(model: LanguageModel, machine: Machine, wanted: Wanted, _context: int) -> Sequence[str]:
    """As in configs/deploy/assistant-vllm.service, which says why each flag is there."""
    command = [str(machine.vllm_python), "-m", "vllm.entrypoints.cli.main", "serve"]
    command += [str(model.folder), "--served-model-name", model.name]
    command += ["--host", LOOPBACK, "--port", str(wanted.port), "--enable-prefix-caching"]
    command += [
        "--load-format",
        "safetensors",
        "--no-trust-remote-code",
        "--structured-outputs-config.backend",
        "xgrammar",
    ]
    command += ["--disable-uvicorn-access-log", "--no-enable-log-requests", "--disable-fastapi-docs"]
    if wanted.context_tokens:
        command += ["--max-model-len", str(wanted.context_tokens)]
    if wanted.adapters:
        rank = max(adapter_rank(adapter.folder) for adapter in wanted.adapters)
        command += ["--enable-lora", "--max-loras", str(len(wanted.adapters)), "--max-lora-rank", str(rank)]
        command += ["--lora-modules"]
        command += [f"{adapter.name}={adapter.folder}" for adapter in wanted.adapters]
    return command


def _llama_server(model: LanguageModel, machine: Machine, wanted: Wanted, context: int) -> Sequence[str]:
    command = [str(machine.llama_server), "--model", str(model.gguf), "--alias", model.name, "--offline"]
    command += ["--host", LOOPBACK, "--port", str(wanted.port), "--ctx-size", str(context), "--parallel", "1"]
    # --no-slots: it would show every reader's prompt to whoever asks on this machine. --cors-origins: by default any page that is
    # open in a browser on this machine may use the model and read what it says.
    command += ["--threads", str(wanted.threads or machine.cores), "--no-webui", "--no-slots", "--jinja"]
    return [*command, "--cors-origins", "localhost", "--no-cors-credentials"]


def _llama_python(model: LanguageModel, machine: Machine, wanted: Wanted, context: int) -> Sequence[str]:
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model.gguf), "--model_alias", model.name]
    command += ["--host", LOOPBACK, "--port", str(wanted.port), "--n_ctx", str(context)]
    threads = str(wanted.threads or machine.cores)
    command += [
        "--n_threads",
        threads,
        "--n_threads_batch",
        threads,
    ]  # the second: while it reads a prompt; all by default
    # By default a new request breaks off the one before it; and the chances of every word of the vocabulary are kept for every
    # token of a prompt: 4 GB where it has 131,072 words and the prompt 8,192 tokens.
    return [*command, "--interrupt_requests", "false", "--logits_all", "false"]


def _transformers(model: LanguageModel, _machine: Machine, wanted: Wanted, context: int) -> Sequence[str]:
    command = [sys.executable, "-m", "assistant.modelfiles.transformers_server", str(model.folder)]
    return [*command, "--name", model.name, "--port", str(wanted.port), "--context", str(context)]
