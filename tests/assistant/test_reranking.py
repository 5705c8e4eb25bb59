from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.errors import ConfigurationError
from assistant.reranking import CrossEncoderEntailment, CrossEncoderReranker, KeepOrder
from assistant.testing import passages_of
from tests.encoders import minilm_folder

TEXTS = ["Le congé annuel dure trente jours.", "Le badge perdu est remplacé.", "eau", "La salle est ouverte le lundi."]
QUESTION = "Combien de jours dure le congé ?"
ROUNDING = 0.1
"""Of these models in bfloat16."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights with one output."""
    return made(tmp_path_factory.mktemp("models") / "tiny", outputs=1)


def made(
    folder: Path, *, outputs: int, labels: tuple[str, ...] = (), bias: float = 0.0, steepness: float = 1.0
) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyzéèà.?'"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=128, num_labels=outputs, initializer_range=1.0,
    )  # fmt: skip
    if labels:
        config.id2label = dict(enumerate(labels))
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(steepness)
        model.classifier.bias.fill_(bias)
    model.save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=128).save_pretrained(folder)
    return folder


def test_scores_are_those_of_the_model_for_question_and_passage(folder: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    passages = passages_of("a", TEXTS)
    scores = CrossEncoderReranker(folder, threads=1).scores(QUESTION, "fr", passages)
    assert scores is not None
    model = CrossEncoder(str(folder), device="cpu", local_files_only=True, activation_fn=torch.nn.Identity())
    alone = [float(model.predict([(QUESTION, p.embedded_text())], show_progress_bar=False)[0]) for p in passages]
    assert scores == pytest.approx(alone, abs=ROUNDING)
    assert len({round(score, 1) for score in scores}) > 1


def test_passages_that_are_all_very_good_are_told_apart(tmp_path: Path) -> None:
    sure = CrossEncoderReranker(made(tmp_path / "sure", outputs=1, bias=500.0, steepness=30.0), threads=1)
    scores = sure.scores(QUESTION, "fr", passages_of("a", TEXTS[:3]))
    assert scores is not None
    assert min(scores) > 50  # a probability would be 1 for each
    assert len(set(scores)) == 3


def test_a_model_that_yields_no_numbers_leaves_the_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = CrossEncoderReranker(made(tmp_path / "broken", outputs=1, bias=math.nan), threads=1)
    assert broken.scores(QUESTION, "fr", passages_of("a", TEXTS)) is None
    assert "not a number" in caplog.text
    assert QUESTION not in caplog.text


def test_many_readers_at_once_get_what_one_gets(folder: Path) -> None:
    reranker = CrossEncoderReranker(folder, threads=1)
    passages = passages_of("a", TEXTS)
    alone = reranker.scores(QUESTION, "fr", passages)
    with ThreadPoolExecutor(8) as readers:
        assert all(s == alone for s in readers.map(lambda _: reranker.scores(QUESTION, "fr", passages), range(16)))


def test_a_text_longer_than_the_window_is_cut(folder: Path) -> None:
    reranker = CrossEncoderReranker(folder, threads=1)
    long, longer = passages_of("a", ["le congé annuel " * 40, "le congé annuel " * 400])
    assert reranker.scores(QUESTION, "fr", [long]) == reranker.scores(QUESTION, "fr", [longer])


def test_nothing_found_needs_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert CrossEncoderReranker(tmp_path, threads=1).scores(QUESTION, "fr", []) == []


def test_keeping_the_order_scores_nothing() -> None:
    assert KeepOrder().scores(QUESTION, "fr", passages_of("a", TEXTS)) is None


def test_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"retrieval\.reranker .* is not a model folder"):
        CrossEncoderReranker(tmp_path / "nothing", threads=1)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"retrieval\.reranker .* does not load"):
        CrossEncoderReranker(tmp_path, threads=1).scores(QUESTION, "fr", passages_of("a", TEXTS))


def test_model_of_several_outputs_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has 3 outputs"):
        CrossEncoderReranker(made(tmp_path / "three", outputs=3), threads=1).scores(
            QUESTION, "fr", passages_of("a", TEXTS)
        )


def test_an_encoder_is_refused_before_its_missing_head_is_made_up() -> None:
    with pytest.raises(ConfigurationError, match="no cross-encoder, but BertModel"):
        CrossEncoderReranker(minilm_folder(), threads=1)


def test_choosing_a_reranker_loads_no_torch(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from assistant.reranking import CrossEncoderReranker;"
        f"CrossEncoderReranker(Path({str(folder)!r}), threads=1); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


PREMISE, CLAIM = "Le congé annuel dure trente jours.", "Le congé dure trente jours."


def test_entailment_is_the_probability_of_that_label(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = made(tmp_path / "nli", outputs=3, labels=("contradiction", "Entailment", "neutral"))
    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    alone = model.predict([(PREMISE, CLAIM)], apply_softmax=True, show_progress_bar=False)[0]
    assert CrossEncoderEntailment(folder).entails(PREMISE, CLAIM) == pytest.approx(float(alone[1]), abs=1e-5)


def test_a_model_without_that_label_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "nli", outputs=3)
    with pytest.raises(ConfigurationError, match="entailment"):
        CrossEncoderEntailment(folder).entails(PREMISE, CLAIM)


def test_a_folder_without_a_model_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"grounding\.entailment"):
        CrossEncoderEntailment(tmp_path)
