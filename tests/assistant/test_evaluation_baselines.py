"""The named baselines, on sets small enough to rank by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding import HashEmbedder
from assistant.evaluation.baselines import baseline_rankings, word_ranker
from assistant.evaluation.llamaindex_default import default_index, retriever_of
from assistant.evaluation.sets import READER, VERSION, RetrievalSet
from assistant.types import Passage, Span, passage_id
from tests.system.tracing import outside_attempts, trace_command
from tests.worlds import ROOT, child_environment

EMBEDDER = HashEmbedder()


def a_set(language: str, documents: dict[str, str], queries: dict[str, str], title: str = "") -> RetrievalSet:
    """Every query's relevant document is called like it, with d for q."""
    passages = tuple(
        Passage(
            id=passage_id(name, VERSION, Span(0, len(text))),
            document_id=name,
            version=VERSION,
            title=title,
            file_name=name,
            span=Span(0, len(text)),
            text=text,
            page_numbers=(),
            headings=(),
            label=READER.clearance,
            language=language,
        )
        for name, text in documents.items()
    )
    relevant = {key: {key.replace("q", "d"): 1} for key in queries}
    return RetrievalSet(language, language, passages, queries, relevant, dict.fromkeys(queries, language))


def test_words_are_matched_by_their_stems_in_each_language() -> None:
    for language, texts, question in (
        ("fr", {"d1": "Les congés annuels des agents", "d2": "La cantine ferme à midi"}, "congé annuel de l'agent"),
        ("en", {"d1": "Permitted travels of agents", "d2": "The canteen closes at noon"}, "agent travelling permit"),
        ("ar", {"d1": "إجازات الموظفين السنوية", "d2": "يغلق المطعم ظهرا"}, "إجازة الموظف"),
    ):
        assert word_ranker(a_set(language, texts, {"q1": question}))(question) == ["d1"], language


def test_words_of_a_mixed_set_are_matched_in_the_language_of_each() -> None:
    one = a_set("fr", {"d1": "Les congés annuels", "d2": "La cantine"}, {"q1": "congé annuel"})
    other = a_set("ar", {"d3": "إجازات الموظفين السنوية", "d4": "يغلق المطعم ظهرا"}, {"q3": "إجازة الموظف"})
    both = replace(
        one,
        passages=(*one.passages, *other.passages),
        queries={**one.queries, **other.queries},
        relevant={**one.relevant, **other.relevant},
        languages={**one.languages, **other.languages},
    )
    rank = word_ranker(both)
    assert [list(rank(question)) for question in both.queries.values()] == [["d1"], ["d3"]]


@pytest.mark.parametrize(
    ("language", "stop_words"), [("fr", "dans les pour"), ("en", "the of and"), ("ar", "في على من")]
)
def test_a_question_of_stop_words_alone_finds_nothing(language: str, stop_words: str) -> None:
    documents = {"d1": f"{stop_words} 2024", "d2": f"{stop_words} 2025"}
    rank = word_ranker(a_set(language, documents, {"q1": stop_words}))
    assert list(rank(stop_words)) == []
    assert list(rank("2025")) == ["d2"]


def test_bm25_scores_are_those_of_the_formula() -> None:
    """d1 holds the word twice in four, d2 once in four: with k1 1.5 and b 0.75 the first must lead; a longer text loses."""
    documents = {
        "d1": "badge badge parking salle",
        "d2": "badge parking salle piscine",
        "d3": "badge parking salle piscine budget cantine",
    }
    assert list(word_ranker(a_set("fr", documents, {"q1": "badge"}))("badge")) == ["d1", "d2", "d3"]


def test_dense_is_plain_cosine_and_fusion_gives_both_rankings_the_same_weight() -> None:
    documents = {
        f"d{n}": text for n, text in enumerate(("badge perdu", "badge parking", "parking municipal", "piscine"))
    }
    collection = a_set("fr", documents, {"q1": "parking badge"})
    vectors = EMBEDDER.embed_passages([passage.embedded_text() for passage in collection.passages])
    rankings = baseline_rankings(collection, EMBEDDER, vectors)
    cosines = vectors @ EMBEDDER.embed_query("parking badge")
    assert rankings["dense"].documents["q1"] == tuple(f"d{n}" for n in np.argsort(-cosines))
    assert rankings["rrf"].documents["q1"][0] == "d1"
    assert set(rankings) == {"bm25s", "dense", "rrf", "llamaindex"}
    for ranking in rankings.values():
        assert all(milliseconds > 0 for milliseconds in ranking.milliseconds)


def test_llamaindex_ranks_as_its_own_retriever_does_and_counts_a_document_once() -> None:
    long = " ".join(f"La phrase numéro {n} parle du parking municipal." for n in range(400))
    documents = {"d1": long, "d2": "Le badge est perdu.", "d3": "Le parking coûte cher.", "d4": "La piscine ouvre."}
    queries = {"q1": "Combien coûte le parking ?", "q2": "Où est le badge perdu ?", "q3": "phrase numéro 7"}
    collection = a_set("fr", documents, queries, title="Guide")
    index = default_index(collection, EMBEDDER)
    assert len(index.docstore.docs) > len(documents)  # the long one was cut
    vectors = EMBEDDER.embed_passages([passage.embedded_text() for passage in collection.passages])
    ranking = baseline_rankings(collection, EMBEDDER, vectors)["llamaindex"]
    rank = retriever_of(index)
    for query_id, question in queries.items():
        assert ranking.documents[query_id] == rank(question)
        assert sorted(ranking.documents[query_id]) == sorted(documents)


def test_endless_title_does_not_stop_the_llamaindex_baseline() -> None:
    collection = a_set("fr", {"d1": "Le badge est perdu."}, {"q1": "badge"}, title="règlement intérieur " * 1000)
    assert retriever_of(default_index(collection, EMBEDDER))("badge") == ("d1",)


@pytest.mark.system
def test_no_baseline_reaches_for_the_network(tmp_path: Path) -> None:
    """In a process of its own that the kernel watches, where a look-up or connect is an error and no home is there."""
    code = (
        "from assistant import egress; egress.apply_opt_outs(); egress.guard()\n"
        "from tests.assistant.test_evaluation_baselines import *\n"
        "collection = a_set('ar', {'d1': 'إجازات الموظفين'}, {'q1': 'الموظفين'})\n"
        "found = baseline_rankings(collection, EMBEDDER, EMBEDDER.embed_passages(['إجازات الموظفين']))\n"
        "assert all(ranking.documents['q1'] == ('d1',) for ranking in found.values()), found\n"
        "import llama_index.core\n"
        "assert llama_index.core.Settings._llm is None and llama_index.core.Settings._embed_model is None\n"
        "print('done')\n"
    )
    environment = child_environment(HOME="/nonexistent", PYTHONPATH=str(ROOT))
    command = [*trace_command(tmp_path / "trace"), sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr[-2000:]
    assert outside_attempts(tmp_path / "trace") == []


def test_importing_the_evaluation_loads_neither_llamaindex_nor_bm25s() -> None:
    code = (
        "import sys, assistant, assistant.cli, assistant.evaluation\n"
        "print([name for name in ('llama_index', 'bm25s', 'nltk', 'tiktoken', 'torch') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=child_environment(), capture_output=True, text=True
    )
    assert run.stdout == "[]\n", run.stderr[-2000:]


def test_tokenizer_files_come_from_the_folder_for_the_length_of_the_block(tmp_path: Path) -> None:
    import os

    from assistant import egress

    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    with egress.tokenizer_files(tmp_path):
        assert os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)
    assert os.environ.get("TIKTOKEN_CACHE_DIR") == before
