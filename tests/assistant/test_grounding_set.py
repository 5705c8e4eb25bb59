"""The form of `configs/demo/grounding`: what a script can check of sentences that were written by hand."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from assistant.evaluation.grounding import KINDS, SUPPORTED_KINDS
from assistant.language import readable_form
from assistant.types import LANGUAGES
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings
from tests.shared import shared_data
from tests.worlds import DEMO

HALVES = ("tuning", "held-out")
SETS = (*HALVES, "held-out-2")
DEMO_FILES = {file.name: file for file in (DEMO / "documents").rglob("*") if file.suffix != ".toml"}


@cache
def half(name: str) -> tuple[dict[str, Any], ...]:
    lines = (DEMO / "grounding" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def everything() -> list[dict[str, Any]]:
    return [line for name in SETS for line in half(name)]


@cache
def text_of(file: Path) -> str:
    parsed = parse_here(file, ParsingSettings())
    assert isinstance(parsed, Parsed), file.name
    return parsed.text


def test_every_language_and_kind_is_in_both_halves_and_half_is_supported() -> None:
    for name in HALVES:
        for language in LANGUAGES:
            lines = [line for line in half(name) if line["lang"] == language]
            kinds = Counter(line["kind"] for line in lines)
            assert set(kinds) == set(KINDS), (name, language)
            assert min(kinds.values()) >= 5, (name, language, kinds)
            assert len(lines) >= 120, (name, language)
            supported = sum(line["supported"] for line in lines)
            assert abs(supported - len(lines) / 2) <= 2, (name, language, supported)


def test_second_held_out_set_has_every_language_and_the_kinds_that_are_hard_to_tell() -> None:
    for language in LANGUAGES:
        lines = [line for line in half("held-out-2") if line["lang"] == language]
        kinds = Counter(line["kind"] for line in lines)
        assert len(lines) >= 40, (language, len(lines))
        assert min(kinds[kind] for kind in ("paraphrase", "merged", "subject", "negation", "mixed")) >= 3, (
            language,
            kinds,
        )
        assert 0.4 <= sum(line["supported"] for line in lines) / len(lines) <= 0.6, language


def test_ids_and_claims_are_unique_and_labels_follow_kinds() -> None:
    assert max(Counter(line["id"] for line in everything()).values()) == 1
    assert max(Counter(line["claim"] for line in everything()).values()) == 1
    wrong = [line["id"] for line in everything() if line["supported"] != (line["kind"] in SUPPORTED_KINDS)]
    assert wrong == []


def test_quotes_stand_in_their_passages_and_nothing_unsupported_does() -> None:
    for line in everything():
        stands = any(readable_form(line["claim"]) in readable_form(passage) for passage in line["passages"])
        if line["kind"] == "quote" or not line["supported"]:
            assert stands == (line["kind"] == "quote"), line["id"]


def test_the_sets_share_no_document_and_no_passage() -> None:
    for key in ("documents", "passages"):
        for one, other in combinations(SETS, 2):
            parts, others = ({part for line in half(name) for part in line[key]} for name in (one, other))
            assert not parts & others, (one, other, key)


@pytest.mark.parametrize("name", SETS)
def test_passages_of_demo_documents_are_their_text(name: str) -> None:
    for line in half(name):
        files = [DEMO_FILES[file] for file in line["documents"] if file in DEMO_FILES]
        if len(files) == len(line["documents"]):
            for passage in line["passages"]:
                assert any(passage in text_of(file) for file in files), line["id"]


def test_passages_of_public_documents_are_their_text() -> None:
    public = {file.name: file for file in (shared_data() / "documents").rglob("*") if file.is_file()}
    lines = [
        line for line in everything() if line["documents"][0] not in DEMO_FILES and "/" not in line["documents"][0]
    ]
    assert lines
    for line in lines:
        for passage in line["passages"]:
            assert any(passage in text_of(public[file]) for file in line["documents"]), line["id"]


def test_passages_of_retrieval_sets_are_their_text() -> None:
    lines = [line for line in everything() if "/" in line["documents"][0]]
    assert lines
    for name in sorted({line["documents"][0].partition("/")[0] for line in lines}):
        corpus = (shared_data() / "retrieval" / name / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
        texts = {f"{name}/{row['_id']}": row["text"] for row in map(json.loads, corpus)}
        for line in lines:
            if line["documents"][0] in texts:
                assert line["passages"] == [texts[line["documents"][0]]], line["id"]
        assert all(
            document in texts for line in lines for document in line["documents"] if document.startswith(f"{name}/")
        )
