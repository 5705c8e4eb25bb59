"""The encoder learns which passage belongs to which question: contrastive training in one plain loop.

In a batch every question has its own passage and the passages of the others as wrong answers, and each passage likewise
(multiple negatives ranking, Henderson and others, arXiv 1705.00652, section 4, in both directions; scale 20). No trainer
of a library is used, so nothing reports to anybody, nothing is downloaded and no checkpoint is left behind.

Beside `embedding` and `reranking` the one module that imports torch and sentence_transformers, inside its functions.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.adaptation.pairs import Pair
from assistant.errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SCALE = 20.0
"""What a cosine is multiplied with before the softmax; 20 is the default of sentence-transformers' loss of that name."""
_WARM_UP = 0.1
_WEIGHT_SUFFIXES = {".safetensors", ".bin"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an encoder is trained."""

    seconds: float
    """The loop ends after so long, whatever is left."""
    threads: int
    seed: int
    most_steps: int = 100_000
    passes: int = 3
    """How often a pair is seen at most."""
    batch: int = 32
    tokens: int = 96
    """Tokens of a passage that are read while training: a step then takes 1.8 s of one core, with 192 it takes 4.3 s (2026-11-23,
    MiniLM in bfloat16). The result reads as many as its base."""
    learning_rate: float = 1e-4


@dataclass(frozen=True, slots=True)
class Trained:
    """What training did."""

    steps: int
    seconds: float
    first_loss: float
    """Mean over the first tenth of the steps."""
    last_loss: float
    device: str
    bf16: bool


Progress = Callable[[float, float], None]
"""Told after each step: the share that is done, 0 to 1, and the loss of the step."""


def train(base: Path, pairs: Sequence[Pair], into: Path, recipe: Recipe, progress: Progress | None = None) -> Trained:
    """Write a model folder like `base`, with weights trained on `pairs`, to `into`, which must not exist.

    Raises InvalidRequest when there are fewer pairs than a batch, ConfigurationError when `base` does not load. When it is
    interrupted, `into` is not there.
    """
    if len(pairs) < recipe.batch:
        raise InvalidRequest(f"{len(pairs)} pairs are too few to train on; {recipe.batch} are needed at least")
    import torch

    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    model, bf16 = _loaded(base, recipe)
    trained = _learn(model, pairs, recipe, progress or (lambda _share, _loss: None), bf16=bf16)
    _write(model, base, into)
    return trained


def _loaded(base: Path, recipe: Recipe) -> tuple[SentenceTransformer, bool]:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = SentenceTransformer(str(base.resolve()), device=device, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigurationError(f"{base} does not load as a model folder; restore it") from error
    model.max_seq_length = min(recipe.tokens, model.max_seq_length or recipe.tokens)
    on_cpu = device == "cpu"
    return model, torch.cpu._is_avx512_bf16_supported() if on_cpu else torch.cuda.is_bf16_supported()


def _learn(
    model: SentenceTransformer, pairs: Sequence[Pair], recipe: Recipe, progress: Progress, *, bf16: bool
) -> Trained:
    import torch

    steps = min(recipe.most_steps, max(1, recipe.passes * len(pairs) // recipe.batch))
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    losses: list[float] = []
    batches = _batches(pairs, recipe.batch)
    began = time.monotonic()
    model.train()
    done = 0.0
    while done < 1:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(done / _WARM_UP + 0.02, 1 - done)
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=bf16):
            loss = _loss(model, next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        done = max(len(losses) / steps, (time.monotonic() - began) / recipe.seconds)
        progress(min(done, 1.0), losses[-1])
    model.eval()
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    return Trained(len(losses), time.monotonic() - began, first, last, model.device.type, bf16)


def _loss(model: SentenceTransformer, batch: Sequence[Pair]) -> Any:
    import torch

    questions, passages = (
        torch.nn.functional.normalize(_vectors(model, texts), dim=1)
        for texts in ([pair.question for pair in batch], [pair.passage for pair in batch])
    )
    scores = (questions @ passages.T).float() * SCALE
    right = torch.arange(len(batch), device=scores.device)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(scores, right) + cross_entropy(scores.T, right)) / 2


def _vectors(model: SentenceTransformer, texts: list[str]) -> Any:
    features = {
        name: tensor.to(model.device) for name, tensor in model.preprocess(texts).items() if hasattr(tensor, "to")
    }
    return model(features)["sentence_embedding"].float()


def _batches(pairs: Sequence[Pair], size: int) -> Iterator[list[Pair]]:
    """Batches without end, in the order of the pairs, each document at most once in a batch while there are others.

    Passages of one document answer each other's questions, so that they would be wrong answers that are right.
    """
    waiting: list[Pair] = []
    place = 0
    while True:
        batch: list[Pair] = []
        documents: set[str] = set()
        passed_over: list[Pair] = []
        looked_at = 0
        while len(batch) < size:
            if waiting:
                pair = waiting.pop(0)
            else:
                pair = pairs[place % len(pairs)]
                place += 1
            looked_at += 1
            if pair.document_id in documents and looked_at <= 8 * size:
                passed_over.append(pair)
            else:
                documents.add(pair.document_id)
                batch.append(pair)
        waiting = passed_over + waiting
        yield batch


def _write(model: SentenceTransformer, base: Path, into: Path) -> None:
    """Everything of `base` but its weights, and the weights of `model`, appear as `into` at once."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=into.parent) as scratch:
        saved, made = Path(scratch) / "saved", Path(scratch) / "made"
        model.to("cpu").save(str(saved), create_model_card=False)
        shutil.copytree(base, made, ignore=lambda _, names: [n for n in names if Path(n).suffix in _WEIGHT_SUFFIXES])
        for weights in saved.rglob("*.safetensors"):
            target = made / weights.relative_to(saved)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(weights, target)
        for file in made.rglob("*"):
            if file.is_file():
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
        made.rename(into)
