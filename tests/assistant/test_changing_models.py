"""From one encoder's index to another's while documents come and go and questions are asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.access import Role
from assistant.adaptation.models import BASE, ModelStore
from assistant.adaptation.rebuilding import ChangingIndex
from assistant.build import opened
from assistant.config import load_settings
from assistant.embedding import HashEmbedder, ModelFolder
from assistant.errors import ConfigurationError, NotFound
from assistant.index.edge import EdgePassageIndex
from assistant.packaged_encoder import packaged_encoder_folder
from tests.worlds import ARCHIVIST, document, instance_file, passage_of, reader

OLD, NEW = HashEmbedder(64), HashEmbedder(32)


class Interrupting(HashEmbedder):
    """Lets something happen just after a document's passages were read, before its copy is written."""

    def __init__(self, then: object) -> None:
        super().__init__(32)
        self.then = then

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = super().embed_passages(texts)
        then, self.then = self.then, None
        if callable(then) and texts:
            then()
        return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ChangingIndex]:
    made = ChangingIndex(edge(tmp_path / "old", OLD))
    yield made
    made.close()


def edge(folder: Path, embedder: HashEmbedder) -> EdgePassageIndex:
    return EdgePassageIndex.open(folder, embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension)


def hand_in(index: ChangingIndex, name: str, text: str, version: str = "v1", embedder: HashEmbedder = OLD) -> str:
    of = document(text, name=name, version=version)
    with index.steady():
        index.replace(of.id, of.version, [passage_of(of)], embedder.embed_passages([passage_of(of).embedded_text()]))
    return of.id


def texts(index: ChangingIndex | EdgePassageIndex) -> set[str]:
    return {passage.text for document_id in index.held() for passage in index.stored_passages(document_id)}


def changed(index: ChangingIndex, copy: EdgePassageIndex, embedder: HashEmbedder) -> None:
    assert index.fill(copy, embedder)
    index.drop(index.change_to(copy, embedder, settled=lambda: None))


def test_every_passage_goes_over_with_its_label_and_the_other_encoders_vector(
    index: ChangingIndex, folder: Path
) -> None:
    ids = [hand_in(index, f"{n}.txt", f"Texte numéro {n}.") for n in range(3)]
    before = [index.stored_passages(document_id) for document_id in ids]
    changed(index, edge(folder / "new", NEW), NEW)
    assert [index.stored_passages(document_id) for document_id in ids] == before
    vectors = index.vectors(ids[1])
    ((text, vector),) = vectors.items()
    np.testing.assert_allclose(vector, NEW.embed_query(text), atol=1e-6)


def test_what_changes_while_the_copy_is_made_is_in_it(index: ChangingIndex, folder: Path) -> None:
    hand_in(index, "a.txt", "Ancien texte.")
    gone = hand_in(index, "b.txt", "Texte retiré.")

    def meanwhile() -> None:
        hand_in(index, "a.txt", "Nouveau texte.", version="v2")
        hand_in(index, "c.txt", "Texte ajouté.")
        index.remove(gone)

    copy = edge(folder / "new", NEW)
    changed(index, copy, Interrupting(meanwhile))
    assert texts(copy) == {"Nouveau texte.", "Texte ajouté."}


def test_an_erased_document_does_not_come_back_with_the_copy(index: ChangingIndex, folder: Path) -> None:
    doomed = hand_in(index, "a.txt", "Texte à effacer.")
    copy = edge(folder / "new", NEW)
    changed(index, copy, Interrupting(lambda: index.erase(doomed)))
    assert texts(index) == set()
    assert not index.readable(doomed)


def test_an_erased_document_leaves_the_former_index_too(index: ChangingIndex, folder: Path) -> None:
    doomed = hand_in(index, "a.txt", "Texte à effacer.")
    copy = edge(folder / "new", NEW)
    index.fill(copy, NEW)
    former = index.change_to(copy, NEW, settled=lambda: None)
    index.erase(doomed)
    assert not former.readable(doomed)
    assert former.held() == {}


def test_a_publication_in_hand_ends_before_the_change(index: ChangingIndex, folder: Path) -> None:
    hand_in(index, "a.txt", "Texte.")
    copy = edge(folder / "new", NEW)
    index.fill(copy, NEW)
    with index.steady():
        change = threading.Thread(target=index.change_to, args=(copy, NEW), kwargs={"settled": lambda: None})
        change.start()
        time.sleep(0.1)
        assert index.live is not copy
        of = document("Texte tardif.", name="b.txt")
        index.replace(of.id, of.version, [passage_of(of)], OLD.embed_passages(["vecteur de l'ancien modèle"]))
    change.join()
    assert index.live is copy
    assert texts(copy) == {"Texte.", "Texte tardif."}


def test_a_stopped_copy_changes_nothing(index: ChangingIndex, folder: Path) -> None:
    hand_in(index, "a.txt", "Texte.")
    live = index.live
    copy = edge(folder / "new", NEW)
    assert not index.fill(copy, NEW, stopped=lambda: True)
    index.drop(copy)
    assert index.live is live


def adapted_model(store: ModelStore, scratch: Path) -> str:
    """The packaged model with its last layer a little changed, kept as if it had been adapted."""
    import shutil

    from safetensors.numpy import load_file, save_file

    made = scratch / "made"
    shutil.copytree(packaged_encoder_folder(), made)
    weights = load_file(made / "model.safetensors")
    name = next(key for key in sorted(weights) if key.endswith("output.dense.weight"))
    weights[name] = weights[name] + np.float32(0.01)
    save_file(weights, made / "model.safetensors", metadata={"format": "pt"})
    facts = {
        "base": ModelFolder(packaged_encoder_folder()).fingerprint,
        "label": "internal",
        "dense_weights": {"fr": 0.4, "ar": 0.0, "en": 0.7},
        "comparisons": {},
    }
    return store.keep(made, facts).name


def test_an_instance_answers_while_its_model_changes_and_keeps_it_when_it_starts_again(tmp_path: Path) -> None:
    settings = load_settings(instance_file(tmp_path))
    question = "Quel est le délai de recours ?"
    with opened(settings) as parts:
        parts.ingestion.start()
        for number in range(4):
            file = tmp_path / f"{number}.txt"
            file.write_text(f"Le délai de recours numéro {number} est de {number + 2} mois.\n" * 3, encoding="utf-8")
            parts.ingestion.accept(file, source=file.name, principal=ARCHIVIST)
        assert parts.ingestion.wait_idle(120)
        principal = reader("secret", Role.READER)
        name = adapted_model(parts.models, tmp_path)
        before = parts.retriever.search(question, principal, 4)
        parts.model.change_to(name)
        while parts.model.state().changing_to:
            found = parts.retriever.search(question, principal, 4)
            assert {hit.passage.id for hit in found} == {hit.passage.id for hit in before}
        assert parts.model.state().in_use == name, parts.model.state()
        assert parts.embedder.dense_weight("fr") == 0.4
        after = parts.retriever.search(question, principal, 4, "dense")
        assert {hit.passage.id for hit in after} == {hit.passage.id for hit in before}
    assert list((settings.home / "index").iterdir()) == [settings.home / "index" / name], "the former index is gone"
    with opened(settings) as parts:
        assert parts.model.state().in_use == name
        assert parts.retriever.search(question, principal, 4, "dense") == after
        with pytest.raises(ConfigurationError, match="in use"):
            parts.models.remove(name)
        parts.model.change_to(BASE)
        while parts.model.state().changing_to:
            time.sleep(0.05)
        assert parts.retriever.search(question, principal, 4) == before
        with pytest.raises(NotFound):
            parts.model.change_to("adapted-never")
    assert not (settings.home / "index" / name).exists()
