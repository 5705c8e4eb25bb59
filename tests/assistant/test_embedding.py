from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.embedding import (
    PACKAGED_DENSE_WEIGHTS,
    HashEmbedder,
    LazyEmbedder,
    ModelFolder,
    SentenceTransformerEmbedder,
    batch_size,
)
from assistant.errors import ConfigurationError
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.precedence import in_background, work_in_background
from assistant.token_counts import TokenCounts
from tests.encoders import minilm_folder


def lazy(folder: Path, **weights: float) -> LazyEmbedder:
    return LazyEmbedder(folder, dense_weights=weights, threads=1)


FOLDERS = {"word pieces": ModelFolder(minilm_folder()), "sentence pieces": ModelFolder(packaged_encoder_folder())}
COUNTS = {name: TokenCounts(folder.tokenizer, prompt=folder.passage_prompt) for name, folder in FOLDERS.items()}
WORDS = st.sampled_from(
    [
        "L’été",
        "n°",
        "2123-1,",
        "الموظف",
        "[MASK]",
        "<mask>",
        "▁",
        "a\x85b",
        "a\x1cb",
        "ﬁn",
        "中文字",
        "é" * 120,
        "한국어",
        "\n",
    ]
)


def whole_count(name: str, text: str) -> int:
    folder = FOLDERS[name]
    return len(folder.tokenizer.encode(folder.passage_prompt + text).ids)


@pytest.mark.parametrize("name", FOLDERS)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=20).map(" ".join)))
@example(text="")
@example(text=" ")
@example(text="délai \n")
@example(text="a\x85b \x1c c\u00a0d\u2028e\tf\r\n\x0b\x0c g\u200bh [CLS][SEP] [ MASK ] <s>")
def test_count_by_words_is_the_tokenizers_own(name: str, text: str) -> None:
    assert COUNTS[name].of(text) == whole_count(name, text)


@pytest.mark.parametrize("name", FOLDERS)
def test_text_of_known_words_is_counted_without_the_tokenizer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = TokenCounts(FOLDERS[name].tokenizer, prompt=FOLDERS[name].passage_prompt)
    counts.of("le maire signe l'arrêté du préfet")
    monkeypatch.setattr(counts, "_tokenizer", None)
    assert counts.of("le préfet signe l'arrêté du maire") == whole_count(name, "le préfet signe l'arrêté du maire")


@pytest.mark.parametrize("name", FOLDERS)
def test_counts_stay_right_when_words_make_room(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.token_counts._WORDS_KEPT", 3)
    counts = TokenCounts(FOLDERS[name].tokenizer, prompt=FOLDERS[name].passage_prompt)
    for text in ("le maire signe", "le maire ratifie", "le préfet signe", "le maire signe l'arrêté"):
        assert counts.of(text) == whole_count(name, text)


def test_tokenizer_that_does_not_cut_at_white_space_counts_whole_texts() -> None:
    from tokenizers import Tokenizer, models

    whole = Tokenizer(models.WordPiece({"[UNK]": 0, "un": 1, "un mot": 2}, unk_token="[UNK]"))
    assert TokenCounts(whole).of("un mot") == 1


def test_lazy_embedder_answers_from_the_folder_without_loading_torch() -> None:
    code = (
        "import sys\n"
        "from assistant.embedding import LazyEmbedder\nfrom tests.encoders import minilm_folder\n"
        "e = LazyEmbedder(minilm_folder(), dense_weights={}, threads=1)\n"
        "print(e.dimension, e.max_tokens, e.fits('un mot'), e.count_tokens('un mot'), e.embed_passages([]).shape)\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "384 256 True 5 (0, 384)\n"), done.stderr


def test_fingerprint_changes_with_the_weights(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm_folder(), folder)
    assert ModelFolder(folder).fingerprint == ModelFolder(minilm_folder()).fingerprint
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-8, 2)
        weights.write(b"\0\1\2\3\4\5\6\7")
    assert ModelFolder(folder).fingerprint != ModelFolder(minilm_folder()).fingerprint


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json"])
def test_folder_without_a_model_is_named(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm_folder(), folder, ignore=shutil.ignore_patterns(missing, "*.safetensors"))
    with pytest.raises(ConfigurationError, match="not a model folder"):
        lazy(folder)


def test_folder_without_weights_is_named_when_it_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm_folder(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ConfigurationError, match="does not load"):
        lazy(folder).embed_query("bonjour")


def test_given_dense_weights_go_before_the_encoders_own() -> None:
    embedder = lazy(packaged_encoder_folder(), fr=0.65)
    assert embedder.dense_weight("fr") == 0.65
    assert embedder.dense_weight("ar") == PACKAGED_DENSE_WEIGHTS["ar"]


def test_unknown_encoder_is_trusted_by_half(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm_folder(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    assert lazy(folder).dense_weight("ar") == 0.5


def test_texts_that_share_words_are_nearer_for_the_hash_embedder() -> None:
    embedder = HashEmbedder()
    query = embedder.embed_query("congé annuel")
    near, far = embedder.embed_passages(["Le congé annuel est accordé", "Le budget primitif"])
    assert near @ query > far @ query


def test_batches_keep_to_their_tokens_and_never_end_the_work_on_a_long_text() -> None:
    assert batch_size([10, 10, 30], 60) == 2
    assert batch_size([300, 300], 256) == 1
    assert batch_size([10] * 7, 10_000) == 7


def test_questions_and_passages_are_given_the_prompts_that_the_model_wants() -> None:
    embedder = SentenceTransformerEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1)
    asked, written = embedder.embed_query("congé annuel"), embedder.embed_passages(["congé annuel"])[0]
    assert asked @ embedder._encoded(["query: congé annuel"], bf16=embedder._bf16)[0] > 0.9999
    assert written @ embedder._encoded(["passage: congé annuel"], bf16=embedder._bf16)[0] > 0.9999
    assert asked @ written < 0.99


def test_vectors_stand_in_the_order_of_their_texts_whatever_their_lengths() -> None:
    texts = ["Le maire signe. " * (1 + 17 * number % 40) for number in range(30)] + ["", "مدة الإجازة " * 30]
    embedder = SentenceTransformerEmbedder(minilm_folder(), dense_weights={}, threads=1)
    rows = embedder.embed_passages(texts)
    alone = np.stack([embedder.embed_passages([text])[0] for text in texts])
    assert (rows * alone).sum(axis=1).min() > 0.999


def test_question_does_not_wait_for_what_is_embedded_in_the_background() -> None:
    embedder = SentenceTransformerEmbedder(minilm_folder(), dense_weights={}, threads=1)
    release, found = threading.Event(), []

    def ingest() -> None:
        work_in_background()
        found.append(embedder.embed_passages(["Le maire signe l'arrêté."]))

    embedder._background._thread.submit(release.wait)  # a batch that takes its time
    thread = threading.Thread(target=ingest)
    thread.start()
    embedder.embed_query("Qui signe l'arrêté ?")
    thread.join(1)
    assert found == [], "ingestion took the lane of the questions"
    release.set()
    thread.join(60)
    assert np.array_equal(found[0], embedder.embed_passages(["Le maire signe l'arrêté."]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each thread a priority of its own")
def test_background_thread_gives_way_to_the_others() -> None:
    nice: list[int] = []

    def work() -> None:
        work_in_background()
        nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert nice == [max(10, before)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    assert not in_background()


def test_a_model_folder_saved_by_the_present_library_tells_its_shape(tmp_path: Path) -> None:
    from tests.tiny_models import tiny_model

    made = ModelFolder(tiny_model(tmp_path / "model"))
    assert (made.dimension, made.max_tokens) == (32, 96)
