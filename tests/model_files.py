"""Model files that are small and whole: they pass every check of a registration, and no server could use them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def safetensors_folder(folder: Path, *, parts: int = 1, context: int = 4096) -> Path:
    """A folder as models with safetensors come in, cut into so many parts."""
    folder.mkdir(parents=True)
    names = (
        [f"model-{n:05}-of-{parts:05}.safetensors" for n in range(1, parts + 1)] if parts > 1 else ["model.safetensors"]
    )
    for number, name in enumerate(names):
        save_file({f"layer.{number}": np.full((4, 4), number, dtype=np.float32)}, folder / name)
    if parts > 1:
        shards = {f"layer.{number}": name for number, name in enumerate(names)}
        _write(folder / "model.safetensors.index.json", {"weight_map": shards})
    about = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": context}
    _write(folder / "config.json", about)
    _write(folder / "tokenizer.json", {})
    _write(folder / "tokenizer_config.json", {"chat_template": "{{ messages }}"})
    return folder


def adapter_folder(folder: Path) -> Path:
    """A folder with a LoRA adapter."""
    folder.mkdir(parents=True)
    save_file({"lora_A": np.zeros((2, 2), dtype=np.float32)}, folder / "adapter_model.safetensors")
    _write(folder / "adapter_config.json", {"peft_type": "LORA", "r": 8})
    return folder


def gguf_file(file: Path, *, chat_template: bool = True, context: int = 2048) -> Path:
    """A GGUF file with one tensor of 16 numbers."""
    fields = [_text("general.architecture", "llama"), _number("llama.context_length", context)]
    fields.append(_texts("tokenizer.ggml.tokens", ["<s>", "مرحبا", "été"]))
    if chat_template:
        fields.append(_text("tokenizer.chat_template", "{{ messages }}"))
    tensor = _string("token_embd.weight") + struct.pack("<IQIQ", 1, 16, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(fields)) + b"".join(fields) + tensor
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(head + bytes(-len(head) % 32) + np.zeros(16, dtype=np.float32).tobytes())
    return file


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _text(key: str, value: str) -> bytes:
    return _string(key) + struct.pack("<I", 8) + _string(value)


def _number(key: str, value: int) -> bytes:
    return _string(key) + struct.pack("<II", 4, value)


def _texts(key: str, values: list[str]) -> bytes:
    return _string(key) + struct.pack("<IIQ", 9, 8, len(values)) + b"".join(_string(value) for value in values)
