"""What a GGUF file says of itself, read without any library and without reading its weights.

Layout: docs/gguf.md of ggml, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assistant.errors import ConfigurationError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MOST_KEYS, _MOST_TENSORS, _LONGEST, _MOST_ITEMS = 10_000, 1_000_000, 16 << 20, 10_000_000
"""No real file comes near; a damaged one may claim anything."""

Value = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class GgufHead:
    """The metadata of a GGUF file. An array's value is None: only that it is there counts."""

    metadata: Mapping[str, Value]
    tensors: int

    @property
    def architecture(self) -> str:
        """What llama.cpp calls the kind of model; empty when the file does not say."""
        return str(self.metadata.get("general.architecture") or "")

    @property
    def context_tokens(self) -> int:
        """Tokens of its own tokenizer that the model was made for; 0 when the file does not say."""
        return int(self.metadata.get(f"{self.architecture}.context_length") or 0)


def read_head(file: Path) -> GgufHead:
    """The metadata of a file. Raises ConfigurationError when it is not a whole GGUF file of a version that is known."""
    try:
        with file.open("rb") as stream:
            return _head(stream, file.stat().st_size)
    except (struct.error, ValueError, UnicodeDecodeError, MemoryError) as error:
        raise ConfigurationError(f"{file}: not a whole GGUF file ({error}); get it again from its source") from error


def _head(stream: BinaryIO, size: int) -> GgufHead:
    if stream.read(4) != _MAGIC:
        raise ValueError("it does not begin with GGUF")
    version, tensors, keys = _number(stream, "<I"), _number(stream, "<Q"), _number(stream, "<Q")
    if version not in _VERSIONS:
        raise ValueError(f"version {version} is not one of {_VERSIONS}")
    if keys > _MOST_KEYS or tensors > _MOST_TENSORS:
        raise ValueError("its counts are out of range")
    metadata: dict[str, Value] = {}
    for _ in range(int(keys)):
        key = _string(stream)
        metadata[key] = _value(stream, int(_number(stream, "<I")))
    furthest = max((_tensor_offset(stream) for _ in range(int(tensors))), default=0)
    alignment = max(int(metadata.get("general.alignment") or 32), 1)
    if -(-stream.tell() // alignment) * alignment + furthest >= size:
        raise ValueError("it ends before its weights do")
    return GgufHead(metadata, int(tensors))


def _tensor_offset(stream: BinaryIO) -> int:
    """Where a tensor begins, counted from the end of the head."""
    _string(stream)
    dimensions = int(_number(stream, "<I"))
    if dimensions > 8:
        raise ValueError("a tensor has too many dimensions")
    _exactly(stream, 8 * dimensions + 4)
    return int(_number(stream, "<Q"))


def _value(stream: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _string(stream)
    if kind != _ARRAY:
        return _number(stream, _NUMBERS.get(kind, ""))
    of, count = int(_number(stream, "<I")), int(_number(stream, "<Q"))
    if count > _MOST_ITEMS or of == _ARRAY:
        raise ValueError("an array is out of range")
    if of == _STRING:
        for _ in range(count):
            _string(stream)
    else:
        _exactly(stream, count * struct.calcsize(_NUMBERS.get(of, "")))
    return None


def _number(stream: BinaryIO, form: str) -> int | float | bool:
    if not form:
        raise ValueError("a value is of a kind that is not known")
    number: int | float | bool = struct.unpack(form, _exactly(stream, struct.calcsize(form)))[0]
    return number


def _string(stream: BinaryIO) -> str:
    length = int(_number(stream, "<Q"))
    if length > _LONGEST:
        raise ValueError("a text is out of range")
    return _exactly(stream, length).decode("utf-8", "replace")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    read = stream.read(size)
    if len(read) != size:
        raise ValueError("it ends in the middle of its head")
    return read
