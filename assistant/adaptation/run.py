"""One adaptation from the corpus to a model that is kept, or refused."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from assistant.access import join_labels
from assistant.adaptation.material import Material
from assistant.adaptation.models import AdaptedModel, ModelStore
from assistant.adaptation.pairs import Pair, Share, division, own_questions, training_pairs
from assistant.adaptation.training import Progress, Recipe, Trained, train
from assistant.adaptation.trial import FEWEST, Verdict, judge
from assistant.embedding import Embedder, ModelFolder
from assistant.errors import InvalidRequest
from assistant.lexical import Lexicon

_UNFINISHED = ".unfinished-"
_LEFT_BEHIND_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would learn from and be judged by."""

    documents: int
    passages: int
    pairs: int
    gold_questions: int
    judging_questions: int
    """Own ones of documents that are held out."""
    label: str
    """The lowest label that dominates all of it, and so the one of the model."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How a run ended. `model` is None when the result was refused, and nothing of it is kept."""

    plan: Plan
    trained: Trained
    verdict: Verdict
    model: AdaptedModel | None


def plan_of(material: Material, *, seed: int) -> Plan:
    """What there is to learn from."""
    shares = division((p.document_id for p in material.passages), seed=seed)
    held_out = [p for p in material.passages if shares[p.document_id] is Share.JUDGING]
    return Plan(
        documents=len({passage.document_id for passage in material.passages}),
        passages=len(material.passages),
        pairs=len(training_pairs(material.passages, material.gold, seed=seed)),
        gold_questions=len(material.gold),
        judging_questions=len(own_questions(held_out, seed=seed)),
        label=str(join_labels(passage.label for passage in material.passages)),
    )


def adapt(
    material: Material,
    base: Path,
    store: ModelStore,
    lexicon: Lexicon,
    opened: Callable[[Path], Embedder],
    recipe: Recipe,
    *,
    progress: Progress | None = None,
    learned: Callable[[tuple[Pair, ...]], tuple[Pair, ...]] = lambda pairs: pairs,
) -> Adaptation:
    """Train on the material, judge, and keep the model when it is better. `opened` gives the encoder in a folder.

    `learned` may change the pairs before they are learned from; the check of the trial mixes them up. Nothing is left behind when
    it is interrupted or the model is refused. Raises InvalidRequest, before training, when there is too little to learn from or
    to judge by.
    """
    plan = plan_of(material, seed=recipe.seed)
    if plan.judging_questions < FEWEST:
        raise InvalidRequest(
            f"{plan.judging_questions} questions of held-out documents are too few to judge by; {FEWEST} are needed: hand in more"
            " documents"
        )
    pairs = learned(training_pairs(material.passages, material.gold, seed=recipe.seed))
    _clear_up(store)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=store.folder()) as scratch:
        made = Path(scratch) / "model"
        trained = train(base, pairs, made, recipe, progress)
        verdict = judge(material.passages, material.gold, opened(base), opened(made), lexicon, seed=recipe.seed)
        if not verdict.better:
            return Adaptation(plan, trained, verdict, None)
        facts = {
            "base": ModelFolder(base).fingerprint,
            "base_name": base.name,
            **asdict(plan),
            "recipe": asdict(recipe),
            "training": asdict(trained),
            "dense_weights": verdict.dense_weights,
            "why": verdict.why,
            "comparisons": {
                kind: {r: asdict(c) for r, c in found.items()} for kind, found in verdict.comparisons.items()
            },
            "software": {name: version(name) for name in ("torch", "sentence-transformers")},
        }
        return Adaptation(plan, trained, verdict, store.keep(made, facts))


def _clear_up(store: ModelStore) -> None:
    """Remove what a run left that was killed."""
    for folder in store.folder().glob(f"{_UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_S:
            shutil.rmtree(folder, ignore_errors=True)
