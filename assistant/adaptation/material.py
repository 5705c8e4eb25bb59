"""What an instance can train on: passages that a principal may read, and the gold questions about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.access import Label, Principal
from assistant.adaptation.pairs import CorpusPassage, GoldPair
from assistant.errors import NotFound
from assistant.evaluation.gold import GoldQuestion, relevant_passages
from assistant.index import PassageIndex
from assistant.types import Passage


@dataclass(frozen=True, slots=True)
class Material:
    """Passages and gold questions."""

    passages: tuple[CorpusPassage, ...]
    gold: tuple[GoldPair, ...]

    @classmethod
    def from_plain(cls, body: Mapping[str, Any]) -> Material:
        """From JSON, as the service sends it."""
        passages = (
            CorpusPassage(**{**line, "headings": tuple(line["headings"]), "label": Label.parse(line["label"])})
            for line in body["passages"]
        )
        gold = (GoldPair(line["question"], line["language"], tuple(line["passages"])) for line in body["gold"])
        return cls(tuple(passages), tuple(gold))


def material(
    index: PassageIndex, gold: Iterable[GoldQuestion], principal: Principal, *, most: int, up_to: Label | None = None
) -> Material:
    """Whole documents, by chance but always the same ones, until they have `most` passages; with their gold questions.

    `up_to`: of what the principal may read, only what a reader with this clearance may read too; None: all of it. What is left
    out has no part in which documents are chosen.
    """
    passages: dict[str, tuple[Passage, ...]] = {}
    taken = 0
    for document_id in sorted(index.held(), key=lambda name: hashlib.sha256(name.encode()).digest()):
        if taken >= most:
            break
        try:
            found = index.document_passages(document_id, principal)
        except NotFound:
            continue
        if up_to is not None and not all(up_to.dominates(passage.label) for passage in found):
            continue
        passages[document_id] = found
        taken += len(passages[document_id])
    asked = []
    for question in gold:
        relevant = relevant_passages(question, passages.get(question.document_id or "", ()))
        if relevant:
            asked.append(GoldPair(question.question, question.language, tuple(found.id for found in relevant)))
    return Material(tuple(_seen(passage) for found in passages.values() for passage in found), tuple(asked))


def _seen(passage: Passage) -> CorpusPassage:
    headings, label = passage.headings, passage.label
    return CorpusPassage(
        passage.id, passage.document_id, passage.title, headings, passage.text, passage.language, label
    )
