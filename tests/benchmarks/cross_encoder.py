"""What a cross-encoder is worth here: one is made of the packaged encoder, set as the reranker, and measured.

    python -m tests.benchmarks.cross_encoder --minutes 20

It learns from the questions of each shared set whose answer stands in one half of its documents, against wrong passages that our
own ranking puts first, and is measured on questions of the other half: nDCG@10 with and without it at several weights, paired
bootstrap, and processor time. `--model FOLDER` measures a cross-encoder of your own instead.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder, LazyEmbedder
from assistant.evaluation.rankings import ranking_scores
from assistant.evaluation.sets import READER, RetrievalSet, indexed, load_set
from assistant.evaluation.significance import differences
from assistant.lexical import Lexicon
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.reranking import CrossEncoderReranker
from assistant.retrieval import Calibration, Retriever
from assistant.types import LANGUAGES, Passage, ScoredPassage
from tests.shared import shared_data

DEPTH = 20
WEIGHTS = (0.2, 0.3, 0.5, 0.7, 1.0)
WRONG = 3
"""Wrong passages beside the right one of a question."""
TOGETHER = 4
"""Questions of one step."""
TOKENS = 192
RATE = 1e-4


@dataclass(frozen=True)
class Ranked:
    """A set and what the search without a reranker found for each of its questions."""

    collection: RetrievalSet
    found: Mapping[str, tuple[ScoredPassage, ...]]

    def learned_from(self) -> list[str]:
        """The questions whose answers all stand in the first half of the documents."""
        return [q for q, documents in self.collection.relevant.items() if all(map(_in_first_half, documents))]

    def measured_on(self, most: int) -> list[str]:
        """Questions of which no answer stands there, always the same ones."""
        others = [q for q, documents in self.collection.relevant.items() if not any(map(_in_first_half, documents))]
        return sorted(others, key=lambda q: hashlib.sha256(q.encode()).digest())[:most]


class Remembering:
    """Gives the scores of a reranker that are already there, whatever their share in the order."""

    def __init__(self, reranker: CrossEncoderReranker) -> None:
        self._reranker = reranker
        self._known: dict[str, list[float] | None] = {}
        self.seconds: list[float] = []

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:
        if question not in self._known:
            began = time.process_time()
            self._known[question] = self._reranker.scores(question, language, passages)
            self.seconds.append(time.process_time() - began)
        return self._known[question]


def main(arguments: list[str]) -> int:
    """Make one unless one is named, and print its figures for each set."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cross_encoder")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path)
    wanted = parser.parse_args(arguments)
    embedder = LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=wanted.threads)
    folders = sorted(path for path in (shared_data() / "retrieval").iterdir() if path.is_dir())
    with tempfile.TemporaryDirectory() as scratch:
        model = wanted.model or Path(scratch) / "model"
        if wanted.model is None:
            _make(
                [_ranked(load_set(folder), embedder) for folder in folders], model, wanted.minutes * 60, wanted.threads
            )
        reranker = Remembering(CrossEncoderReranker(model, threads=wanted.threads))
        for folder in folders:
            _measure(load_set(folder), embedder, reranker, wanted.questions)
    return 0


def _ranked(collection: RetrievalSet, embedder: Embedder) -> Ranked:
    with indexed(collection, embedder) as (index, _):
        retriever = Retriever(index, embedder, Lexicon(LANGUAGES), Calibration({}))
        return Ranked(collection, {q: retriever.search(text, READER, DEPTH) for q, text in collection.queries.items()})


def _measure(collection: RetrievalSet, embedder: Embedder, reranker: Remembering, most: int) -> None:
    asked = Ranked(collection, {}).measured_on(most)
    relevant = {q: collection.relevant[q] for q in asked}
    reranker.seconds.clear()
    scores: dict[float, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    with indexed(collection, embedder) as (index, _):
        reranker.scores("?", collection.language, collection.passages[:1])  # the first call loads the model
        for weight in (0.0, *WEIGHTS):
            retriever = Retriever(
                index, embedder, Lexicon(LANGUAGES), Calibration({}), reranker=reranker if weight else None,
                reranker_depth=DEPTH, reranker_weight=weight,
            )  # fmt: skip
            found = {
                q: tuple(s.passage.document_id for s in retriever.search(collection.queries[q], READER, DEPTH))
                for q in asked
            }
            ndcg = ranking_scores(relevant, found)["ndcg@10"]
            scores[weight] = np.array([ndcg[q] for q in asked])
    print(f"{collection.name}: {len(asked)} questions, nDCG@10 without it {scores[0.0].mean():.3f}")
    for weight in WEIGHTS:
        gain = differences(scores[weight][:, None], scores[0.0][:, None])[0]
        interval = f"{gain.low:+.3f} to {gain.high:+.3f}, p = {gain.p:.4f}"
        print(f"  weight {weight}: {scores[weight].mean():.3f} ({gain.difference:+.3f}, {interval})")
    print(f"  processor time of a question: median {np.median(reranker.seconds[1:]):.2f} s", flush=True)


def _make(sets: Sequence[Ranked], into: Path, seconds: float, threads: int) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(1)
    torch.set_num_threads(threads)
    base = str(packaged_encoder_folder())
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, model_max_length=256)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, local_files_only=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    draws, losses, done, began = _draws(sets), [], 0.0, time.monotonic()
    model.train()
    while done < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(done / 0.1 + 0.02, 1 - done)
        drawn = [next(draws) for _ in range(TOGETHER)]
        questions = [question for question, passages in drawn for _ in passages]
        passages = [passage for _, passages in drawn for passage in passages]
        pairs = tokenizer(
            questions, passages, truncation="only_second", max_length=TOKENS, padding=True, return_tensors="pt"
        )
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
            outputs = model(**pairs).logits.float().view(TOGETHER, 1 + WRONG)
        loss = torch.nn.functional.cross_entropy(outputs, torch.zeros(TOGETHER, dtype=torch.long))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        done = (time.monotonic() - began) / seconds
    last = losses[-max(1, len(losses) // 10) :]
    print(f"{len(losses)} steps, loss {losses[0]:.2f} → {sum(last) / len(last):.2f}", flush=True)
    model.eval()
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)


def _draws(sets: Sequence[Ranked]) -> Iterator[tuple[str, list[str]]]:
    """(question, its right passage before `WRONG` wrong ones that the search puts first), the sets in turn, without end."""
    chance = random.Random(1)
    texts = [{p.document_id: p.embedded_text() for p in ranked.collection.passages} for ranked in sets]
    waiting: list[list[str]] = [[] for _ in sets]
    while True:
        for ranked, text, left in zip(sets, texts, waiting, strict=True):
            left[:] = left or chance.sample(ranked.learned_from(), len(ranked.learned_from()))
            asked = left.pop()
            right = ranked.collection.relevant[asked]
            wrong = [s.passage.embedded_text() for s in ranked.found[asked] if s.passage.document_id not in right]
            if len(wrong) >= WRONG:
                chosen = [text[chance.choice(sorted(right))], *chance.sample(wrong, WRONG)]
                yield ranked.collection.queries[asked], chosen


def _in_first_half(document_id: str) -> bool:
    return hashlib.sha256(document_id.encode()).digest()[0] < 128


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
