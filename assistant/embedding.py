"""Texts to vectors: the `Embedder` protocol and its implementations.

`SentenceTransformerEmbedder` runs a model from a local folder, never from a name; `LazyEmbedder` is the same one, loaded at
its first use; `HashEmbedder` is small, deterministic and good enough to test with. Vectors are float32 rows of unit length.

The one module, with `reranking`, that imports `sentence_transformers` and torch: inside constructors.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ConfigurationError
from assistant.packaged_encoder import is_packaged_encoder
from assistant.precedence import in_background, work_in_background
from assistant.token_counts import TokenCounts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

PACKAGED_DENSE_WEIGHTS = {"fr": 0.4, "ar": 0.4, "en": 0.8}
"""Of multilingual-e5-small, by language of the question, chosen on one half of the questions of fr-piaf, ar-xquad and en-medquad.
nDCG@10 on the other half of both rankings fused is 0.865, 0.969 and 0.630, of words alone 0.835, 0.957 and 0.517, of vectors
0.756, 0.927 and 0.628; weights 0.1 lower or higher cost 0.001 to 0.004 (2026-11-23)."""
LEAST_DENSE_WEIGHT = 0.05
"""Below it an encoder is of no use in a language: words are matched, and the encoder's window limits no passage."""
DEFAULT_DENSE_WEIGHT = 0.5
ADAPTATION_MANIFEST = "adaptation.json"
"""In the folder of an adapted model: among other things its own dense weights, which nothing else overrides."""
BATCH_TOKENS = 2048
"""Of a batch, padding included. By processor time 1,024 to 4,096 differ by some 3 %; what is smaller lets a question in sooner
(2026-11-24, `python -m tests.benchmarks embedding`)."""
_PASSAGE_PROMPTS = ("document", "passage")
_SAMPLE_BYTES = 4 << 20
_BF16_CHECK = ("Le maire signe l'arrêté.", "The council met on Monday.", "مدة الإجازة السنوية للموظف", "42")
_BF16_COSINE = 0.9999


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names weights and settings: vectors of two encoders compare only when their fingerprints are equal."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of this encoder's own tokenizer that it reads, special ones included; the rest is dropped."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension) float32, rows of unit length, in the order of `texts`; (0, dimension) for none."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """(dimension,) float32 of unit length."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special ones included."""
        ...

    def fits(self, text: str) -> bool:
        """True when the encoder reads all of `text`."""
        ...

    def dense_weight(self, language: str) -> float:
        """How far this encoder is trusted in a language, from 0 (words alone) to 1 (vectors alone)."""
        ...


def batch_size(lengths: Sequence[int], most_tokens: int) -> int:
    """How many of these texts, shortest first, make one batch of at most `most_tokens`, padding included; at least 1.

    >>> batch_size([100, 100, 120, 200], 400)
    3
    """
    size = 1
    while size < len(lengths) and lengths[size] * (size + 1) <= most_tokens:
        size += 1
    return size


class ModelFolder:
    """What a model folder in the layout of sentence-transformers says about itself, without loading torch.

    Raises ConfigurationError when it is not such a folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / "config.json").is_file() or not (folder / "tokenizer.json").is_file():
            raise ConfigurationError(
                f"embedding.path {str(folder)!r} is not a model folder (config.json and tokenizer.json are expected in it)"
            )

    @cached_property
    def dimension(self) -> int:
        """Length of the vectors: of the last dense layer, else of the pooling, else of the hidden layers."""
        for pattern, keys in (
            ("*_Dense/config.json", ("out_features",)),
            ("*_Pooling/config.json", ("embedding_dimension", "word_embedding_dimension")),
        ):
            for file in sorted(self._folder.glob(pattern), reverse=True):
                found = self._json(file)
                for key in keys:
                    if key in found:
                        return int(found[key])
        return int(self._json(self._folder / "config.json")["hidden_size"])

    @cached_property
    def max_tokens(self) -> int:
        """Tokens the encoder reads. Since sentence-transformers 5 the tokenizer's own file says it."""
        positions = int(self._json(self._folder / "config.json")["max_position_embeddings"])
        for name, key in (
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
        ):
            file = self._folder / name
            found = self._json(file).get(key) if file.is_file() else None
            if found:
                return min(int(found), positions)
        return positions

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over name, size, and first and last 4 MiB of every configuration and weight file."""
        digest = hashlib.sha256()
        for file in sorted(self._folder.rglob("*")):
            if file.suffix in {".json", ".safetensors", ".bin", ".txt", ".model"} and file.is_file():
                digest.update(f"{file.relative_to(self._folder)}\n{file.stat().st_size}\n".encode())
                digest.update(_sample(file))
        return digest.hexdigest()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's own tokenizer, neither cutting nor padding."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def share(self, loaded: Tokenizer) -> None:
        """Keep one vocabulary in memory: that of `loaded`, this model's own tokenizer, or of the one that is here already."""
        if "tokenizer" in self.__dict__:
            loaded.model = self.tokenizer.model
        else:
            self.__dict__["tokenizer"] = _same_vocabulary(loaded)

    @cached_property
    def query_prompt(self) -> str:
        """What the model wants to read before a question, such as "query: "; "" where it wants nothing."""
        return self._prompts.get("query", "")

    @cached_property
    def passage_prompt(self) -> str:
        """What the model wants to read before a passage."""
        return next((self._prompts[name] for name in _PASSAGE_PROMPTS if name in self._prompts), "")

    @cached_property
    def _prompts(self) -> dict[str, str]:
        file = self._folder / "config_sentence_transformers.json"
        return (self._json(file).get("prompts") or {}) if file.is_file() else {}

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a passage, its prompt and special ones included."""
        return self._counts.of(text)

    @cached_property
    def _counts(self) -> TokenCounts:
        return TokenCounts(self.tokenizer, prompt=self.passage_prompt)

    def _json(self, file: Path) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{file}: cannot be read as JSON; restore the model folder") from error
        return content


class SentenceTransformerEmbedder:
    """A sentence-transformers model from a local folder, on the CPU.

    `dense_weights` by language of the question override the encoder's own (`PACKAGED_DENSE_WEIGHTS` for the packaged
    one, 0.5 for any other). `threads` caps torch for the whole process. Where the CPU has AVX512-BF16, passages run in
    bfloat16, provided a check at start finds cosine 0.9999 against float32. `described` is the folder as it is known already.
    """

    def __init__(
        self,
        folder: Path,
        *,
        dense_weights: Mapping[str, float],
        threads: int,
        described: ModelFolder | None = None,
    ) -> None:
        self._folder = described or ModelFolder(folder)
        self._weights = _weights(folder, dense_weights)
        self.dimension = self._folder.dimension
        self.fingerprint = self._folder.fingerprint
        self.max_tokens = self._folder.max_tokens
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(str(folder.resolve()), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ConfigurationError(
                f"embedding.path {str(folder)!r} does not load; restore the model folder"
            ) from error
        self._folder.share(_backend(self._model))
        self._questions = _Lane(self._model)
        self._background = _Lane(_twin(self._model), begin=work_in_background)
        self._bf16 = bool(torch.cpu._is_avx512_bf16_supported()) and self._bf16_is_close()

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`. Batches hold texts of about as many tokens each, so that short texts are not padded to long ones.

        Letters would not do: an Arabic text has several times the tokens of an English one of its length here.
        """
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        lengths = [min(self.count_tokens(text), self.max_tokens) for text in texts]
        left = sorted(range(len(texts)), key=lengths.__getitem__)
        while left:
            size = batch_size([lengths[number] for number in left], BATCH_TOKENS)
            batch, left = left[:size], left[size:]
            rows[batch] = self._encoded(
                [self._folder.passage_prompt + texts[number] for number in batch], bf16=self._bf16
            )
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder`."""
        vector: NDArray[np.float32] = self._encoded([self._folder.query_prompt + text], bf16=self._bf16)[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """See `Embedder`."""
        return self._folder.count_tokens(text)

    def fits(self, text: str) -> bool:
        """See `Embedder`."""
        return self.count_tokens(text) <= self.max_tokens

    def dense_weight(self, language: str) -> float:
        """See `Embedder`."""
        return self._weights.get(language, DEFAULT_DENSE_WEIGHT)

    def _encoded(self, texts: Sequence[str], *, bf16: bool) -> NDArray[np.float32]:
        """Unit rows for at most a batch of texts."""
        lane = self._background if in_background() else self._questions
        return lane.encoded(texts, bf16=bf16)

    def _bf16_is_close(self) -> bool:
        exact, fast = self._encoded(_BF16_CHECK, bf16=False), self._encoded(_BF16_CHECK, bf16=True)
        return bool((exact * fast).sum(axis=1).min() >= _BF16_COSINE)


class _Lane:
    """One thread that encodes: the tokenizer is not safe for several, and torch keeps working memory for each.

    Ingestion has a lane beside that of the questions, which then wait for none of its batches.
    """

    def __init__(self, model: SentenceTransformer, begin: Callable[[], None] | None = None) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder", initializer=begin)

    def encoded(self, texts: Sequence[str], *, bf16: bool) -> NDArray[np.float32]:
        """Unit rows for at most a batch of texts."""
        return self._thread.submit(self._encode_here, texts, bf16).result()

    def _encode_here(self, texts: Sequence[str], bf16: bool) -> NDArray[np.float32]:
        import torch

        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            rows = self._model.encode(
                list(texts), batch_size=len(texts), show_progress_bar=False, convert_to_numpy=True
            )
        return _unit_rows(np.asarray(rows, dtype=np.float32))


def _twin(model: SentenceTransformer) -> SentenceTransformer:
    """The same weights and vocabulary, not copied, with a tokenizer of its own."""
    kept: dict[int, object] = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    kept[id(_backend(model))] = _same_vocabulary(_backend(model))
    return copy.deepcopy(model, kept)


def _backend(model: SentenceTransformer) -> Tokenizer:
    tokenizer: Tokenizer = model.tokenizer.backend_tokenizer
    return tokenizer


def _same_vocabulary(of: Tokenizer) -> Tokenizer:
    """A tokenizer with settings of its own. 136,000 pieces take some 0.1 GB of memory; both read the same ones."""
    from tokenizers import Tokenizer

    made = Tokenizer(of.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        if getattr(of, part) is not None:
            setattr(made, part, getattr(of, part))
    made.add_special_tokens([token for _, token in sorted(of.get_added_tokens_decoder().items())])
    return made


class LazyEmbedder:
    """A `SentenceTransformerEmbedder` that loads torch at the first text it embeds; the rest it answers from the folder."""

    def __init__(self, folder: Path, *, dense_weights: Mapping[str, float], threads: int) -> None:
        self._path = folder
        self._folder = ModelFolder(folder)
        self._given_weights = dict(dense_weights)
        self._weights = _weights(folder, dense_weights)
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: SentenceTransformerEmbedder | None = None
        self.dimension = self._folder.dimension
        self.fingerprint = self._folder.fingerprint
        self.max_tokens = self._folder.max_tokens

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`."""
        return self._encoder().embed_passages(texts) if texts else np.zeros((0, self.dimension), dtype=np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder`."""
        return self._encoder().embed_query(text)

    def count_tokens(self, text: str) -> int:
        """See `Embedder`."""
        return self._folder.count_tokens(text)

    def fits(self, text: str) -> bool:
        """See `Embedder`."""
        return self.count_tokens(text) <= self.max_tokens

    def dense_weight(self, language: str) -> float:
        """See `Embedder`."""
        return self._weights.get(language, DEFAULT_DENSE_WEIGHT)

    def _encoder(self) -> SentenceTransformerEmbedder:
        with self._lock:
            if self._loaded is None:
                self._loaded = SentenceTransformerEmbedder(
                    self._path,
                    dense_weights=self._given_weights,
                    threads=self._threads,
                    described=self._folder,
                )
            return self._loaded


class HashEmbedder:
    """Each word is a fixed random direction and a text the sum of its words: texts that share words are near.

    Deterministic on every machine, no model, no torch. Words of three letters or fewer do not count; a text without
    any other word gets the direction of its whole self.
    """

    def __init__(self, dimension: int = 64, *, dense_weights: Mapping[str, float] | None = None) -> None:
        self.dimension = dimension
        self.fingerprint = f"hash-{dimension}"
        self.max_tokens = 256
        self._weights = dict(dense_weights or {})

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder`."""
        words = [word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3] or [text]
        directions = np.stack([self._direction(word) for word in words])
        vector: NDArray[np.float32] = _unit_rows(directions.sum(axis=0, keepdims=True))[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """Words separated by white space."""
        return len(text.split())

    def fits(self, text: str) -> bool:
        """See `Embedder`."""
        return self.count_tokens(text) <= self.max_tokens

    def dense_weight(self, language: str) -> float:
        """See `Embedder`."""
        return self._weights.get(language, DEFAULT_DENSE_WEIGHT)

    def _direction(self, word: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)


def _weights(folder: Path, given: Mapping[str, float]) -> dict[str, float]:
    manifest = folder / ADAPTATION_MANIFEST
    own = json.loads(manifest.read_text(encoding="utf-8"))["dense_weights"] if manifest.is_file() else {}
    return {**(PACKAGED_DENSE_WEIGHTS if is_packaged_encoder(folder) else {}), **given, **own}


def _sample(file: Path) -> bytes:
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
        stream.seek(max(0, size - _SAMPLE_BYTES))
        return head + stream.read(_SAMPLE_BYTES)


def _unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
