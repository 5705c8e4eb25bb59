"""Which models may be registered, and that none is served whose files are not what was registered."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import ConfigurationError, NotFound
from assistant.modelfiles.forms import ModelKind, found_model
from assistant.modelfiles.gguf import read_head
from assistant.modelfiles.store import LanguageModel, LanguageModelStore
from tests.model_files import adapter_folder, gguf_file, safetensors_folder


@pytest.fixture
def store(tmp_path: Path) -> LanguageModelStore:
    return LanguageModelStore.of(tmp_path / "data")


def test_folder_with_safetensors_is_registered_with_the_checksum_of_every_file(
    store: LanguageModelStore, tmp_path: Path
) -> None:
    source = safetensors_folder(tmp_path / "Mistral Small 2026", parts=2)
    model = store.add(source)
    assert (model.name, model.kind, model.architecture) == (
        "mistral-small-2026",
        ModelKind.SAFETENSORS,
        "LlamaForCausalLM",
    )
    assert model.context_tokens == 4096
    assert set(model.files) == {path.name for path in source.iterdir()}
    assert store.all() == (model,) == (store.verify(model.name).model,)


def test_gguf_file_says_what_it_is_itself(store: LanguageModelStore, tmp_path: Path) -> None:
    model = store.add(gguf_file(tmp_path / "Small.Q4_1.gguf", context=8192), name="small")
    assert (model.kind, model.architecture, model.context_tokens) == (ModelKind.GGUF, "llama", 8192)
    assert model.gguf == store.folder / "small" / "Small.Q4_1.gguf"


def test_adapter_is_registered_as_one(store: LanguageModelStore, tmp_path: Path) -> None:
    assert store.add(adapter_folder(tmp_path / "tax")).kind is ModelKind.ADAPTER


def test_registered_model_does_not_follow_changes_of_its_source(store: LanguageModelStore, tmp_path: Path) -> None:
    source = safetensors_folder(tmp_path / "model")
    store.add(source)
    (source / "config.json").write_text("{}", encoding="utf-8")
    store.verify("model")


def test_linked_model_shares_its_files_and_is_refused_once_the_source_changes(
    store: LanguageModelStore, tmp_path: Path
) -> None:
    source = safetensors_folder(tmp_path / "model")
    model = store.add(source, linked=True)
    assert (model.folder / "model.safetensors").stat().st_ino == (source / "model.safetensors").stat().st_ino
    (source / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"config\.json is not what was registered"):
        store.verify("model")


def _changed_in_place(model: LanguageModel) -> None:
    """The same size and the same dates: only who reads the file sees it."""
    file = model.folder / "model.safetensors"
    before = file.stat()
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _removed(model: LanguageModel) -> None:
    (model.folder / "model.safetensors").unlink()


def _added(model: LanguageModel) -> None:
    (model.folder / "modeling.py").write_text("", encoding="utf-8")


def _replaced_by_a_link(model: LanguageModel) -> None:
    shutil.copy(model.folder / "model.safetensors", model.folder.parent / "elsewhere")
    _removed(model)
    (model.folder / "model.safetensors").symlink_to("../elsewhere")


def _folder_replaced_by_a_link(model: LanguageModel) -> None:
    model.folder.rename(model.folder.with_name("elsewhere"))
    model.folder.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_changed_in_place, "is not what was registered"),
        (_removed, "is missing"),
        (_added, "was added"),
        (_replaced_by_a_link, "is not what was registered"),
        (_folder_replaced_by_a_link, "is a link"),
    ],
)
def test_model_whose_files_changed_is_not_verified(
    store: LanguageModelStore, tmp_path: Path, change: Callable[[LanguageModel], None], said: str
) -> None:
    model = store.add(safetensors_folder(tmp_path / "model"))
    store.verify("model")
    change(model)
    with pytest.raises(ConfigurationError, match=said):
        store.verify("model")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.PTH", "sub/state.pkl", "model.ckpt"])
def test_weights_that_could_run_programs_are_refused(tmp_path: Path, name: str) -> None:
    folder = safetensors_folder(tmp_path / "model")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigurationError, match="can run programs"):
        found_model(folder)


def test_code_that_a_model_brings_along_is_refused(tmp_path: Path) -> None:
    folder = safetensors_folder(tmp_path / "model")
    (folder / "modeling_own.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="never run"):
        found_model(folder)


def test_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = safetensors_folder(tmp_path / "model")
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (folder / "extra.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(ConfigurationError, match="leads out"):
        found_model(folder)


def test_pipe_in_the_folder_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    folder = safetensors_folder(tmp_path / "model")
    os.mkfifo(folder / "vocab.json")
    with pytest.raises(ConfigurationError, match="not an ordinary file"):
        found_model(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("config.json", r"config\.json is missing"),
        ("tokenizer.json", "its tokenizer"),
        ("tokenizer_config.json", "no chat template"),
        ("model-00002-of-00003.safetensors", "1 of 3 parts"),
    ],
)
def test_folder_that_lacks_a_file_is_refused(tmp_path: Path, name: str, said: str) -> None:
    folder = safetensors_folder(tmp_path / "model", parts=3)
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=said):
        found_model(folder)


def test_folder_without_weights_is_refused(tmp_path: Path) -> None:
    folder = safetensors_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigurationError, match="no weights"):
        found_model(folder)


@pytest.mark.parametrize("kept", [0, 7, 40, -1])
def test_safetensors_cut_short_are_refused(tmp_path: Path, kept: int) -> None:
    folder = safetensors_folder(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(ConfigurationError, match="not a whole safetensors file"):
        found_model(folder)


def test_gguf_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gguf_file(tmp_path / "whole.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for kept in range(len(whole) - 16 * 4):
        cut.write_bytes(whole[:kept])
        with pytest.raises(ConfigurationError, match="not a whole GGUF file"):
            read_head(cut)


def test_gguf_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no chat template"):
        found_model(gguf_file(tmp_path / "base.gguf", chat_template=False))


@pytest.mark.parametrize(
    "name", ["../other", "a/b", "Base", "base", "a@main", "x.json", "converted", "making", "cache", "-x"]
)
def test_name_that_would_lead_elsewhere_is_refused(store: LanguageModelStore, tmp_path: Path, name: str) -> None:
    source = safetensors_folder(tmp_path / "model")
    with pytest.raises(ConfigurationError, match="cannot be a model's name"):
        store.add(source, name=name)
    with pytest.raises(NotFound):
        store.model(name)


def test_second_model_of_a_name_is_refused_and_the_first_stays(store: LanguageModelStore, tmp_path: Path) -> None:
    source = safetensors_folder(tmp_path / "model")
    first = store.add(source)
    with pytest.raises(ConfigurationError, match="already"):
        store.add(safetensors_folder(tmp_path / "other"), name="model")
    assert store.verify("model").model == first


def test_registration_that_was_cut_short_is_no_model_and_does_not_stand_in_the_way(
    store: LanguageModelStore, tmp_path: Path
) -> None:
    source = safetensors_folder(tmp_path / "model")
    (store.folder / "model").mkdir(parents=True)
    (store.folder / "model" / "half.safetensors").write_bytes(b"half")
    assert store.all() == ()
    store.add(source)
    store.verify("model")


def test_manifest_that_names_a_file_outside_is_refused(store: LanguageModelStore, tmp_path: Path) -> None:
    store.add(safetensors_folder(tmp_path / "model"))
    file = store.folder / "model.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["files"] = {"../../keys/local": "0" * 64}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no usable manifest"):
        store.verify("model")


def test_removed_model_leaves_its_source_and_nothing_else(store: LanguageModelStore, tmp_path: Path) -> None:
    source = safetensors_folder(tmp_path / "model")
    store.add(source, linked=True)
    store.converted.add(source, name="model", made_from="another")
    store.remove("model")
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    assert (source / "model.safetensors").is_file()
