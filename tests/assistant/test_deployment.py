"""The unit files start what the documentation installs, with options their programs know, on loopback, held back."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer

from assistant.cli import app
from assistant.egress import OPT_OUTS
from assistant.modelfiles.servers import Machine, ServerKind, Wanted, planned
from assistant.modelfiles.store import LanguageModelStore
from tests.conftest import needed
from tests.model_files import adapter_folder, gguf_file, safetensors_folder
from tests.worlds import ROOT

DEPLOY = ROOT / "configs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
VLLM, LLAMA = "/opt/vllm/bin/vllm", "/opt/llama.cpp/bin/llama-server"
ASSISTANT = "/opt/assistant/.venv/bin/assistant"
HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "ProtectProc": "invisible",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "IPAddressDeny": "any",
    "IPAddressAllow": "localhost",
    "LimitCORE": "0",
    "UMask": "0077",
}


def _directives(unit: Path) -> dict[str, list[str]]:
    """Name → values, in order, with lines that go on joined."""
    found: dict[str, list[str]] = defaultdict(list)
    text = unit.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith(("#", "[", ";")):
            name, _, value = line.partition("=")
            found[name].append(value.strip())
    return found


def _commands(unit: Path) -> list[list[str]]:
    found = _directives(unit)
    return [shlex.split(command) for name in ("ExecStartPre", "ExecStart") for command in found[name]]


def _known(name: str) -> set[str]:
    lines = (ROOT / "tests" / "data" / "deploy" / f"{name}-options.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def _options(command: list[str]) -> set[str]:
    return {word.partition(".")[0] for word in command if word.startswith("--")}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_reads_every_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    analyze = needed("systemd-analyze", "systemd")
    for program in (ASSISTANT, VLLM, LLAMA):
        placed = tmp_path / program[1:]
        placed.parent.mkdir(parents=True)
        placed.write_text("#!/bin/sh\n", encoding="ascii")
        placed.chmod(0o755)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    shutil.copy(unit, tmp_path / "etc/systemd/system")
    command = [analyze, f"--root={tmp_path}", "--man=no", "--recursive-errors=no", "verify", unit.name]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr
    # Nothing but our unit is in this root, so what it needs to be started is not.
    wrong = [
        line for line in said.splitlines() if not re.search(r"Failed to create .*/start: Unit \S+ not found", line)
    ]
    assert wrong == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_is_held_back(unit: Path) -> None:
    found = _directives(unit)
    assert {name: found[name][-1] for name in HARDENED if name in found} == HARDENED
    assert found["User"] == ["assistant"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_starts_programs_from_documented_places_only(unit: Path) -> None:
    documentation = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for command in _commands(unit):
        assert command[0] in (ASSISTANT, VLLM, LLAMA)
        assert str(Path(command[0]).parent) in documentation


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_option_is_known_to_its_program(unit: Path) -> None:
    for command in _commands(unit):
        if command[0] == ASSISTANT:
            _parse_ours(command[1:])
        else:
            assert _options(command) <= _known("vllm" if command[0] == VLLM else "llama-server")


def _parse_ours(arguments: list[str]) -> None:
    """Parse as the command line would, without running it. An option or an argument too many is an exception."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context("command", arguments)


def test_option_that_the_command_line_does_not_know_is_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        _parse_ours(["model", "verify", "a", "--fast"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_variable_is_in_the_environment_file(unit: Path) -> None:
    offered = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "models.env").read_text(encoding="utf-8"), re.MULTILINE))
    for command in _commands(unit):
        assert {name for word in command for name in re.findall(r"\$\{?([A-Z_]+)", word)} <= offered


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.stem != "assistant"], ids=lambda unit: unit.stem)
def test_model_server_is_verified_on_loopback_and_sees_models_only(unit: Path) -> None:
    found = _directives(unit)
    before, start = _commands(unit)
    assert before[1:3] == ["model", "verify"]
    assert start[start.index("--host") + 1] == "127.0.0.1"
    assert found["TemporaryFileSystem"] == ["/var/lib/assistant:ro"]
    assert found["BindReadOnlyPaths"] == ["/var/lib/assistant/language-models"]


def test_vllm_keeps_its_statistics_prompts_and_caches_to_itself() -> None:
    unit = DEPLOY / "assistant-vllm.service"
    settings = dict(word.split("=", 1) for value in _directives(unit)["Environment"] for word in value.split())
    for name in ("VLLM_NO_USAGE_STATS", "VLLM_DO_NOT_TRACK", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        assert settings[name] == OPT_OUTS[name] == "1"
    command = _commands(unit)[-1]
    assert {"--enable-prefix-caching", "--no-enable-log-requests", "--disable-uvicorn-access-log"} <= set(command)
    assert {"--no-trust-remote-code", "--disable-fastapi-docs"} <= set(command)
    assert command[command.index("--load-format") + 1] == "safetensors"


@pytest.mark.parametrize("kind", [ServerKind.VLLM, ServerKind.LLAMA_SERVER])
def test_command_lines_of_model_serve_know_their_programs_too(kind: ServerKind, tmp_path: Path) -> None:
    store = LanguageModelStore(tmp_path / "store")
    is_vllm = kind is ServerKind.VLLM
    model = store.add(safetensors_folder(tmp_path / "a") if is_vllm else gguf_file(tmp_path / "a.gguf"))
    adapters = (store.add(adapter_folder(tmp_path / "tax")),) if is_vllm else ()
    machine = Machine(True, Path("python"), Path("llama-server"), True, True, True, 2)
    wanted = Wanted(port=1, context_tokens=4096, threads=2, adapters=adapters)
    command = planned(kind, model, machine, wanted, cache=tmp_path).command
    assert _options(list(command)) <= _known("vllm" if is_vllm else "llama-server")
