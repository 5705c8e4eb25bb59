"""The LlamaIndex retriever: the example of its page, and what a reader without clearance gets through it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.schema import MetadataMode

from assistant.access import Principal
from assistant.build import Parts, opened
from assistant.client import ServiceClient
from assistant.config import load_settings
from assistant.llamaindex import AssistantRetriever, ServiceRetriever
from assistant.service.serving import serving
from assistant.sessions import local_key
from tests.service.conftest import HIDDEN_TEXT, OPEN_TEXT
from tests.worlds import ARCHIVIST, RESTRICTED_TAX, ROOT, child_environment, document, instance_file, passage_of, reader

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "llamaindex.md").read_text(encoding="utf-8"), re.S)


def filled(folder: Path) -> Path:
    """The file of an instance that holds one public document and one restricted one that answers as well."""
    file = instance_file(folder)
    with opened(load_settings(file)) as parts:
        for name, text, label in (("ouvert.txt", OPEN_TEXT, "public"), ("cache.txt", HIDDEN_TEXT, "restricted/tax")):
            of = document(text, name=name, label=reader(label).clearance, pages=1)
            passage = passage_of(of)
            vectors = parts.embedder.embed_passages([passage.embedded_text()])
            parts.index.replace(of.id, of.version, [passage], vectors)
    return file


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("llamaindex"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with opened(load_settings(filled(tmp_path_factory.mktemp("llamaindex-parts")))) as opened_parts:
        yield opened_parts


def run_example(code: str, instance: Path) -> str:
    environment = child_environment(ASSISTANT_INSTANCE=str(instance), PYTHONPATH=str(ROOT))
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def test_example_of_a_process_of_its_own_runs_as_printed(instance: Path) -> None:
    assert re.fullmatch(r"\d\.\d{4}  ouvert, page 1, public\n", run_example(EXAMPLES[0], instance))


def test_example_beside_a_service_runs_as_printed(instance: Path) -> None:
    with opened(load_settings(instance)) as parts, serving(parts, port=0, with_page=False, announced=True):
        assert re.fullmatch(r"\d\.\d{4}  ouvert\.txt\n", run_example(EXAMPLES[1], instance))


def test_example_with_a_language_model_runs_as_printed_and_asks_nobody(instance: Path) -> None:
    assert run_example(EXAMPLES[2], instance) == "1 passages\n"
    assert len(EXAMPLES) == 3


def test_reader_without_clearance_gets_nothing_more_and_not_another_score(parts: Parts) -> None:
    """The hidden neighbour says nearly the same; it is first for whoever may read it."""
    strong, weak = reader("restricted/tax"), reader("public")
    question = "délai demande logement secret zyzomys"
    seen = AssistantRetriever(parts.retriever, strong).retrieve(question)
    assert [found.node.metadata["label"] for found in seen] == ["restricted/tax", "public"]
    leaked = AssistantRetriever(parts.retriever, weak).retrieve(question)
    assert [found.node.metadata["document_id"] for found in leaked] == ["document-ouvert.txt"], "leaked"
    assert asyncio.run(AssistantRetriever(parts.retriever, weak).aretrieve(question)) == leaked

    parts.index.remove("document-cache.txt")
    try:
        assert AssistantRetriever(parts.retriever, weak).retrieve(question) == leaked
    finally:
        passage = passage_of(document(HIDDEN_TEXT, name="cache.txt", label=RESTRICTED_TAX, pages=1))
        vectors = parts.embedder.embed_passages([passage.embedded_text()])
        parts.index.replace(passage.document_id, passage.version, [passage], vectors)


@pytest.mark.parametrize("nobody", [None, "archivist", object()])
def test_no_retriever_without_a_reader(parts: Parts, nobody: Principal) -> None:
    with pytest.raises(TypeError, match="a principal is required"):
        AssistantRetriever(parts.retriever, nobody)
    with pytest.raises(TypeError, match="principal"):
        AssistantRetriever(parts.retriever)  # type: ignore[call-arg]  # what must not work
    with pytest.raises(TypeError, match="a client is required"):
        ServiceRetriever(nobody)  # type: ignore[arg-type]  # what must not work


def test_node_says_where_it_stands_and_keeps_label_and_ids_out_of_texts(parts: Parts) -> None:
    node = AssistantRetriever(parts.retriever, ARCHIVIST, k=1).retrieve("secret zyzomys")[0].node
    assert node.get_content(MetadataMode.NONE) == HIDDEN_TEXT
    assert node.ref_doc_id == "document-cache.txt"
    metadata = node.metadata
    assert (metadata["page"], metadata["page_numbers"], metadata["file_name"]) == (1, [1], "cache.txt")
    assert (metadata["start"], metadata["end"]) == (0, len(HIDDEN_TEXT))
    for mode in (MetadataMode.EMBED, MetadataMode.LLM):
        text = node.get_content(mode)
        assert "title: cache" in text
        for kept_out in ("restricted", "document-cache", "version", "start"):
            assert kept_out not in text, mode


def test_abstaining_retriever_is_silent_where_the_assistant_would_be(parts: Parts) -> None:
    beside = "Combien coûte une carte de pêche en rivière ?"
    principal = reader("public")
    assert not parts.retriever.sufficient(parts.retriever.evidence(beside, None, principal, k=12))
    assert AssistantRetriever(parts.retriever, principal, abstaining=True).retrieve(beside) == []
    assert len(AssistantRetriever(parts.retriever, principal, abstaining=True).retrieve(QUESTION)) == 1


def test_a_question_without_words_finds_nothing(parts: Parts) -> None:
    assert AssistantRetriever(parts.retriever, reader("public")).retrieve(" \n") == []


def test_service_gives_the_same_nodes(parts: Parts) -> None:
    with (
        serving(parts, port=0, with_page=False, announced=False) as own,
        ServiceClient(own.url, token=local_key(parts.settings.home / "keys")) as client,
    ):
        principal = parts.sign_in.principal(local_key(parts.settings.home / "keys"))
        assert ServiceRetriever(client).retrieve(QUESTION) == AssistantRetriever(parts.retriever, principal).retrieve(
            QUESTION
        )
