"""From a registered model to a server that answers: verify, convert where the server needs it, start."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from assistant import egress
from assistant.errors import ConfigurationError, NotFound
from assistant.modelfiles.forms import ModelKind
from assistant.modelfiles.running import RunningServer, attached, end, free_port, running
from assistant.modelfiles.servers import Machine, ServerKind, Wanted, planned, server_kind
from assistant.modelfiles.store import LanguageModel, LanguageModelStore

_START_S = 1800.0
"""A large model takes minutes to load; a server that fails ends by itself long before."""
_CONVERSION_S = 1800.0

Tell = Callable[[str], None]


@contextmanager
def served(
    store: LanguageModelStore,
    name: str,
    machine: Machine,
    wanted: Wanted,
    *,
    tell: Tell,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[RunningServer]:
    """A server of this model, answering, for the length of the block; port 0 takes a free one.

    Every file of the model and of its adapters is verified first. Raises NotFound, ConfigurationError, and ServiceUnavailable
    when the server does not start.
    """
    kind = server_kind(store.model(name), machine, wanted.server)
    model = verified(store, name, tell)
    for adapter in wanted.adapters:
        if verified(store, adapter.name, tell).kind is not ModelKind.ADAPTER:
            raise ConfigurationError(f"{adapter.name} is not an adapter")
    if kind is ServerKind.TRANSFORMERS and model.kind is ModelKind.GGUF:
        model = converted(store, model, tell)
    wanted = replace(wanted, port=wanted.port or free_port())
    plan = planned(kind, model, machine, wanted, cache=store.folder / "cache")
    (store.folder / "cache").mkdir(exist_ok=True)
    tell(f"starting {kind} for {name} …")
    with running(plan, store.folder / f"{name}.log", timeout_s=_START_S, stopped=stopped) as server:
        tell(f"{name} answers at {plan.url} after {server.started_s:.0f} s")
        yield server


def verified(store: LanguageModelStore, name: str, tell: Tell) -> LanguageModel:
    """The model, once every byte of it has been read and is what was registered."""
    result = store.verify(name)
    size = result.model.size_bytes
    rate = size / max(result.seconds, 1e-3) / 1e6
    tell(f"{name}: {size / 1e6:,.0f} MB verified in {result.seconds:.1f} s ({rate:,.0f} MB/s)")
    return result.model


def converted(store: LanguageModelStore, model: LanguageModel, tell: Tell) -> LanguageModel:
    """The safetensors made from a GGUF model: those there are, verified, or new ones. Raises ConfigurationError when it fails."""
    there = store.converted
    try:
        if there.model(model.name).made_from == model.checksum:
            return verified(there, model.name, tell)
    except NotFound:
        pass
    else:
        there.remove(model.name)
    tell(f"{model.name}: converting to safetensors, once …")
    began = time.monotonic()
    making = there.folder / "making" / model.name
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        _convert(model, making, store.folder / f"{model.name}.log")
        kept = there.add(making, name=model.name, linked=True, made_from=model.checksum)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    tell(f"{model.name}: converted in {time.monotonic() - began:.0f} s, {kept.size_bytes / 1e6:,.0f} MB")
    return kept


def _convert(model: LanguageModel, folder: Path, log: Path) -> None:
    command = (sys.executable, "-m", "assistant.modelfiles.conversion", str(model.gguf), str(folder))
    with log.open("wb") as output:
        process = attached(command, environment=egress.environment_for_server(), folder=folder, output=output)
        try:
            process.wait(timeout=_CONVERSION_S)
        finally:
            end(process)
    if process.returncode != 0:
        raise ConfigurationError(f"{model.name} could not be converted to safetensors; {log} says why")
