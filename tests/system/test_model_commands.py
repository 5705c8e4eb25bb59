"""`assistant model …` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.instances import run_assistant
from tests.model_files import gguf_file, safetensors_folder
from tests.worlds import instance_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return instance_file(tmp_path)


def _json(file: Path, *arguments: str) -> dict[str, object]:
    ended = run_assistant(file, "model", *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    content: dict[str, object] = json.loads(ended.stdout)
    return content


def test_model_is_added_listed_verified_and_removed(file: Path, tmp_path: Path) -> None:
    source = safetensors_folder(tmp_path / "usb" / "Small Model")
    added = _json(file, "add", str(source))
    assert added["name"] == "small-model"
    assert _json(file, "list") == {"models": [added]}
    (verified,) = _json(file, "verify", "small-model")["models"]  # type: ignore[misc]
    assert verified.pop("seconds") >= 0
    assert verified == added
    _json(file, "remove", "small-model")
    assert _json(file, "list") == {"models": []}
    assert (source / "model.safetensors").is_file()


def test_changed_model_is_neither_verified_nor_served_and_the_message_names_the_file(
    file: Path, tmp_path: Path
) -> None:
    _json(file, "add", str(gguf_file(tmp_path / "small.gguf")))
    changed = tmp_path / "data" / "language-models" / "small" / "small.gguf"
    changed.chmod(0o600)
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x01")
    for command in (("verify", "small"), ("serve", "small", "--port", "0")):
        ended = run_assistant(file, "model", *command)
        assert ended.returncode == 2
        assert "small.gguf is not what was registered" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_pickle_is_refused_with_what_to_do(file: Path, tmp_path: Path) -> None:
    source = safetensors_folder(tmp_path / "model")
    (source / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    ended = run_assistant(file, "model", "add", str(source))
    assert ended.returncode == 2
    assert "get the model as safetensors or GGUF" in ended.stderr
    assert not (tmp_path / "data" / "language-models" / "model").exists()


def test_server_that_is_not_known_is_refused(file: Path, tmp_path: Path) -> None:
    _json(file, "add", str(gguf_file(tmp_path / "small.gguf")))
    ended = run_assistant(file, "model", "serve", "small", "--server", "ollama")
    assert ended.returncode == 2
    assert "'ollama' is none of vllm" in ended.stderr
