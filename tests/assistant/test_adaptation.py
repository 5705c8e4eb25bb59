"""Pairs, training and trial, with a tiny encoder that has everything to learn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.adaptation.material import Material
from assistant.adaptation.models import ModelStore
from assistant.adaptation.pairs import (
    CorpusPassage,
    GoldPair,
    Pair,
    Share,
    division,
    own_questions,
    shuffled,
    training_pairs,
)
from assistant.adaptation.run import Adaptation, adapt, plan_of
from assistant.adaptation.training import Recipe, train
from assistant.adaptation.trial import Comparison, _decision
from assistant.embedding import LazyEmbedder, ModelFolder
from assistant.errors import ConfigurationError, InvalidRequest, NotFound
from assistant.evaluation.significance import Difference
from assistant.lexical import Lexicon
from tests.tiny_models import corpus, tiny_model

RECIPE = Recipe(seconds=60, threads=1, seed=1, most_steps=60, passes=100, tokens=64, learning_rate=3e-3)
MATERIAL = Material(corpus(100), ())
SHARES = division((passage.document_id for passage in MATERIAL.passages), seed=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


def opened(folder: Path) -> LazyEmbedder:
    return LazyEmbedder(folder, dense_weights={}, threads=1)


@pytest.fixture(scope="module")
def adapted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Adaptation, ModelStore]:
    store = ModelStore(tmp_path_factory.mktemp("home"))
    return adapt(MATERIAL, base, store, Lexicon(("fr",)), opened, RECIPE), store


def test_no_document_is_both_learned_from_and_judged_by() -> None:
    pairs = training_pairs(MATERIAL.passages, (), seed=1)
    assert {SHARES[pair.document_id] for pair in pairs} == {Share.TRAINING}
    shares = [SHARES[passage.document_id] for passage in MATERIAL.passages]
    assert min(shares.count(share) for share in Share) > 10


def test_a_question_is_not_part_of_the_passage_that_answers_it() -> None:
    for asked in own_questions(MATERIAL.passages, seed=1):
        assert asked.question not in asked.remaining
        assert len(asked.remaining) < len(asked.passage.text)


def test_gold_questions_train_only_where_their_document_does() -> None:
    gold = [GoldPair(f"question {p.id}", "fr", (p.id,)) for p in MATERIAL.passages]
    learned = {pair.question for pair in training_pairs(MATERIAL.passages, gold, seed=1)}
    for asked, passage in zip(gold, MATERIAL.passages, strict=True):
        assert (asked.question in learned) == (SHARES[passage.document_id] is Share.TRAINING)


def test_title_and_headings_ask_for_the_text_without_them() -> None:
    passage = CorpusPassage("p", "d1", "Règlement", ("Congés", "Durée"), "Trente jours.", "fr", Label.parse("public"))
    assert training_pairs([passage], (), seed=1) == (
        Pair("Règlement Congés Durée", "Trente jours.", passage.document_id),
    )


def test_a_model_that_learned_is_kept_with_what_it_was_made_of(adapted: tuple[Adaptation, ModelStore]) -> None:
    ended, store = adapted
    assert ended.verdict.better, ended.verdict
    assert ended.trained.last_loss < ended.trained.first_loss
    dense = ended.verdict.comparisons["own"]["dense"]
    assert dense.gain.significant
    assert dense.after > dense.before
    assert ended.model is not None
    assert store.all() == (ended.model,)
    assert ended.model.label == "internal"
    assert ended.model.manifest["pairs"] == plan_of(MATERIAL, seed=1).pairs
    assert opened(ended.model.folder).dense_weight("fr") == ended.verdict.dense_weights["fr"]
    store.require_intact(ended.model)


def test_a_model_taught_with_mixed_up_pairs_is_refused(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    ended = adapt(
        MATERIAL, base, store, Lexicon(("fr",)), opened, RECIPE, learned=lambda pairs: shuffled(pairs, seed=3)
    )
    assert not ended.verdict.better, ended.verdict
    assert ended.model is None
    assert list(store.folder().iterdir()) == []


def test_training_keeps_to_its_time(base: Path, tmp_path: Path) -> None:
    pairs = training_pairs(MATERIAL.passages, (), seed=1)
    trained = train(base, pairs, tmp_path / "made", replace(RECIPE, seconds=1.0, most_steps=100_000))
    assert trained.seconds < 5
    assert ModelFolder(tmp_path / "made").fingerprint != ModelFolder(base).fingerprint
    assert ModelFolder(tmp_path / "made").max_tokens == ModelFolder(base).max_tokens


def test_the_same_seed_gives_the_same_model(base: Path, tmp_path: Path) -> None:
    pairs = training_pairs(MATERIAL.passages, (), seed=1)
    for name in ("one", "two"):
        train(base, pairs, tmp_path / name, replace(RECIPE, most_steps=3))
    assert ModelFolder(tmp_path / "one").fingerprint == ModelFolder(tmp_path / "two").fingerprint


def test_an_interrupted_run_leaves_nothing(base: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)

    def interrupted(share: float, _loss: float) -> None:
        if share > 0.1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(MATERIAL, base, store, Lexicon(("fr",)), opened, RECIPE, progress=interrupted)
    assert list(store.folder().iterdir()) == []


def test_too_small_a_corpus_is_refused_before_training(base: Path, tmp_path: Path) -> None:
    few = Material(MATERIAL.passages[:4], ())
    with pytest.raises(InvalidRequest, match="too few"):
        adapt(few, base, ModelStore(tmp_path), Lexicon(("fr",)), opened, RECIPE)


def test_every_division_of_a_small_department_leaves_documents_to_judge_by() -> None:
    for seed in range(200):
        counts = Counter(division((f"d{n}" for n in range(8)), seed=seed).values())
        assert counts == {Share.TRAINING: 6, Share.CHOOSING: 1, Share.JUDGING: 1}


def test_nobody_trains_for_a_trial_that_cannot_be_held(base: Path, tmp_path: Path) -> None:
    """One long document: 32 pairs and more to learn, and none left to judge by."""
    one = Material(tuple(replace(passage, document_id="all") for passage in MATERIAL.passages), ())
    assert plan_of(one, seed=1).pairs > RECIPE.batch
    with pytest.raises(InvalidRequest, match="0 questions of held-out documents are too few to judge by"):
        adapt(
            one,
            base,
            ModelStore(tmp_path),
            Lexicon(("fr",)),
            opened,
            RECIPE,
            progress=lambda *_: pytest.fail("trained"),
        )


def test_gold_questions_alone_which_are_not_tested_do_not_make_a_model_better() -> None:
    gain = Difference(30, 0.001, -0.1, 0.1, 0.9)
    better, why = _decision({"gold": dict.fromkeys(("dense", "hybrid"), Comparison(30, 0.5, 0.501, gain))})
    assert (better, "fewer than 20 own held-out questions" in why) == (False, True)


def test_a_model_with_a_damaged_manifest_can_be_deleted_and_nothing_else_can(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    damaged = store.folder() / "adapted-2026-11-23-0123456789ab"
    damaged.mkdir()
    (damaged / "adaptation.json").write_text("{", encoding="utf-8")
    for name in ("../models", ".", "adapted-*", "adapted-2026-11-23"):
        with pytest.raises(NotFound):
            store.remove(name)
    assert store.all() == ()
    store.remove(damaged.name)
    assert not damaged.exists()


def test_a_model_whose_files_were_changed_is_named(adapted: tuple[Adaptation, ModelStore], tmp_path: Path) -> None:
    ended, _ = adapted
    assert ended.model is not None
    store = ModelStore(tmp_path)
    import shutil

    copied = store.folder() / ended.model.name
    shutil.copytree(ended.model.folder, copied)
    weights = next(copied.rglob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigurationError, match="safetensors"):
        store.require_intact(store.model(ended.model.name))
    with pytest.raises(NotFound):
        store.model("adapted-never")
