"""What a model may look like on disk before it is registered, and what it says of itself.

Three forms: a folder with safetensors, configuration and tokenizer; a GGUF file, alone or in a folder; a folder with a LoRA
adapter. Weights in Python's pickle format can run anything when they are read, so such a folder is refused as a whole. Code
that a model brings along is refused too: no server that is started from here runs it.
"""

from __future__ import annotations

import json
import re
import stat
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from assistant.errors import ConfigurationError
from assistant.modelfiles.gguf import read_head

_PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".msgpack"})
_CODE = frozenset({".py", ".pyc", ".so", ".sh", ".dll"})
_KEPT = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja", ".gguf", ".md", ""})
_LONGEST_HEADER = 100 << 20
"""Of a safetensors file: the limit of its own library."""
_MOST_FILES = 5_000
_LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` of vLLM 0.33 takes."""


class ModelKind(StrEnum):
    """The form of a model on disk."""

    SAFETENSORS = "safetensors"
    GGUF = "gguf"
    ADAPTER = "adapter"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that can be registered: the files to take, by their names below `folder`."""

    kind: ModelKind
    folder: Path
    files: tuple[str, ...]
    architecture: str
    context_tokens: int
    """0 when the model does not say."""


def found_model(source: Path) -> FoundModel:
    """What lies at `source`, a folder or a GGUF file. Nothing but its files' heads is read.

    Raises ConfigurationError that names the file at fault.
    """
    if source.is_symlink() or not source.exists():
        raise ConfigurationError(f"{source}: there is no such file or folder, or it is a link; name the place itself")
    if source.is_file():
        if source.suffix != ".gguf":
            raise ConfigurationError(f"{source}: not a GGUF file; name a .gguf file or the model's folder")
        return _gguf(source.parent, (source.name,), source.name)
    files = _regular_files(source)
    for name in files:
        _refuse(source, name)
    kept = tuple(name for name in files if Path(name).suffix in _KEPT)
    ggufs = [name for name in kept if name.endswith(".gguf")]
    if len(ggufs) > 1:
        raise ConfigurationError(
            f"{source}: {len(ggufs)} GGUF files; name the one to take (merge the parts of a split one)"
        )
    if ggufs:
        return _gguf(source, kept, ggufs[0])
    if "adapter_config.json" in kept:
        return _adapter(source, kept)
    return _safetensors(source, kept)


def adapter_rank(folder: Path) -> int:
    """The size that vLLM must reserve for a LoRA adapter: its rank, rounded up to one that vLLM knows."""
    rank = _object(folder / "adapter_config.json").get("r")
    for known in _LORA_RANKS:
        if isinstance(rank, int) and rank <= known:
            return known
    raise ConfigurationError(f"{folder / 'adapter_config.json'}: r {rank!r} is no rank up to {_LORA_RANKS[-1]}")


def model_name_of(source: Path) -> str:
    """A name made from that of a file or folder, as `store` accepts it.

    >>> model_name_of(Path("Mistral Small (2026).Q4_K.gguf"))
    'mistral-small-2026-.q4_k'
    """
    stem = source.stem if source.suffix == ".gguf" else source.name
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).lstrip("._-")[:64]


def _regular_files(folder: Path) -> tuple[str, ...]:
    """Names of every file below, hidden ones left out. A link that leads out, a pipe or a device is an error."""
    root = folder.resolve()
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise ConfigurationError(
                f"{path}: a link that leads out of the model's folder; copy the model with its contents (`cp -rL`)"
            )
        mode = path.stat().st_mode if path.exists() else 0
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"{path}: not an ordinary file; a model folder holds files only")
        found.append(name.as_posix())
        if len(found) > _MOST_FILES:
            raise ConfigurationError(f"{folder}: more than {_MOST_FILES} files; this is not a model folder")
    return tuple(found)


def _refuse(folder: Path, name: str) -> None:
    suffix = Path(name).suffix.lower()
    if suffix in _PICKLES:
        raise ConfigurationError(
            f"{folder / name}: weights in a format that can run programs when they are read; get the model as safetensors"
            " or GGUF, or remove this file if it holds safetensors as well"
        )
    if suffix in _CODE:
        raise ConfigurationError(
            f"{folder / name}: program code; a model's own code is never run. Remove the file, or choose a model that needs none"
        )


def _gguf(folder: Path, files: tuple[str, ...], name: str) -> FoundModel:
    head = read_head(folder / name)
    if "tokenizer.ggml.tokens" not in head.metadata:
        raise ConfigurationError(f"{folder / name}: no tokenizer in the file; get one that has it")
    if "tokenizer.chat_template" not in head.metadata:
        raise ConfigurationError(f"{folder / name}: no chat template in the file; get the model's instruct version")
    return FoundModel(ModelKind.GGUF, folder, files, head.architecture, head.context_tokens)


def _safetensors(folder: Path, files: tuple[str, ...]) -> FoundModel:
    for needed, instead in (
        (("config.json",), "the model's configuration"),
        (("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json"), "its tokenizer"),
    ):
        if not set(needed) & set(files):
            raise ConfigurationError(
                f"{folder}: {needed[0]} is missing, {instead}; get the whole folder from its source"
            )
    weights = [name for name in files if name.endswith(".safetensors")]
    if not weights:
        raise ConfigurationError(f"{folder}: no .safetensors and no .gguf file; there are no weights to serve")
    for name in weights:
        _require_whole(folder / name)
    _require_all_shards(folder, files)
    configuration = _object(folder / "config.json")
    architectures = configuration.get("architectures")
    if not isinstance(architectures, list) or not architectures or not isinstance(architectures[0], str):
        raise ConfigurationError(
            f"{folder / 'config.json'}: architectures is missing; this is not a model's configuration"
        )
    if not _has_chat_template(folder, files):
        raise ConfigurationError(f"{folder}: no chat template; get the model's instruct version")
    return FoundModel(ModelKind.SAFETENSORS, folder, files, architectures[0], _context(configuration))


def _adapter(folder: Path, files: tuple[str, ...]) -> FoundModel:
    if "adapter_model.safetensors" not in files:
        raise ConfigurationError(f"{folder}: adapter_model.safetensors is missing beside adapter_config.json")
    _require_whole(folder / "adapter_model.safetensors")
    configuration = _object(folder / "adapter_config.json")
    if configuration.get("peft_type") != "LORA":
        raise ConfigurationError(
            f"{folder / 'adapter_config.json'}: peft_type is not LORA; only LoRA adapters are served"
        )
    adapter_rank(folder)
    return FoundModel(ModelKind.ADAPTER, folder, files, "lora", 0)


def _require_whole(file: Path) -> None:
    """Raises ConfigurationError unless a safetensors file is as long as its head says."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = struct.unpack("<Q", stream.read(8))[0]
            if length > min(size - 8, _LONGEST_HEADER):
                raise ValueError("its head is longer than the file")
            tensors = json.loads(stream.read(length))
        ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"]
        if 8 + length + max(ends, default=0) != size:
            raise ValueError("its length is not what its head says")
    except (struct.error, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ConfigurationError(
            f"{file}: not a whole safetensors file ({error}); get it again from its source"
        ) from error


def _require_all_shards(folder: Path, files: tuple[str, ...]) -> None:
    index = "model.safetensors.index.json"
    if index not in files:
        return
    shards = _object(folder / index).get("weight_map")
    if not isinstance(shards, dict):
        raise ConfigurationError(f"{folder / index}: no weight_map; get the file again from its source")
    missing = sorted(set(shards.values()) - set(files))
    if missing:
        raise ConfigurationError(
            f"{folder}: {missing[0]} is missing ({len(missing)} of {len(set(shards.values()))} parts)"
        )


def _has_chat_template(folder: Path, files: tuple[str, ...]) -> bool:
    if {"chat_template.jinja", "chat_template.json", "tekken.json"} & set(files):
        return True
    return "tokenizer_config.json" in files and "chat_template" in _object(folder / "tokenizer_config.json")


def _context(configuration: dict[str, Any]) -> int:
    inner = configuration.get("text_config")
    for part in (configuration, inner if isinstance(inner, dict) else {}):
        value = part.get("max_position_embeddings")
        if isinstance(value, int):
            return value
    return 0


def _object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: cannot be read as JSON; get it again from its source") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: not a JSON object; get it again from its source")
    return content
