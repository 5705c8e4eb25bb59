"""Every reply of the interface is the same for a reader, whatever else the instance holds: two real instances, side by side.

Both have the same documents for everybody; one has others beside them, handed in between: a newer version of a rule under the
same name that abolishes it, contradicting figures, the same words again and again, dates and kinds that no readable document has.
What is compared is what goes over the wire, ids of answers and times left out. `test_unseen_changes_nothing` does so for the
index, with random corpora.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from tests.service.conftest import NamedReaders
from tests.worlds import ARCHIVIST, instance_file, reader

SEEN = (
    ("conges.txt", "public", "Circulaire n° 2021-07 du 12 mars 2021\n\nLe congé annuel est de vingt-sept jours ouvrables. La"
     " demande est déposée auprès du chef de service trente jours avant le départ."),
    ("prime.txt", "public", "Note du 3 mai 2022\n\nLa prime exceptionnelle des agents titulaires est de 400 euros. Elle est"
     " versée en juin."),
    ("leave.txt", "public", "Maternity leave lasts sixteen weeks. The request is sent to the personnel office."),
    ("ijaza.txt", "public", "مدة الإجازة السنوية ثلاثون يوما. تقدم الطلبات إلى مكتب الموارد البشرية قبل شهر من تاريخ المغادرة."),
)  # fmt: skip
UNSEEN = (
    ("sous/conges.txt", "restricted/tax", "Circulaire n° 2024-03 du 2 avril 2024\n\nLe congé annuel est de trente jours."
     " Cette circulaire abroge la circulaire n° 2021-07 du 12 mars 2021. La demande est déposée soixante jours avant."),
    ("budget.txt", "secret", "Arrêté du 1er janvier 2025\n\nLa prime exceptionnelle zyzomys est de 900 euros. Prime"
     " prime prime congé congé."),
    ("weeks.txt", "internal", "Maternity leave lasts forty weeks for zyzomys staff. Maternity leave, maternity leave."),
    ("sirri.txt", "restricted/tax", "مدة الإجازة السنوية أربعون يوما للموظف زيزوميس. الإجازة الإجازة السنوية."),
)  # fmt: skip
QUESTIONS = (
    "Combien de jours de congé annuel ?",
    "Quel est le montant de la prime exceptionnelle ?",
    "Que dit la circulaire n° 2024-03 ?",
    "How long is maternity leave?",
    "كم مدة الإجازة السنوية؟",
    "zyzomys",
    "prmie exceptionelle",
)
LISTS = (
    "instance", "scope", "documents", "documents?q=conges", "documents?q=zyzomys", "documents?label=secret",
    "documents?date_from=2024-01-01", "documents/retention", "documents/holds", "documents/watched", "gold", "gold/answers",
    "gold/retrieval", "gold/feedback", "receipts", "conversations", "models", "adapted-models", "adapted-models/material",
)  # fmt: skip
"""`documents/verify` is not among them: it says to an archivist that there are documents above the clearance, and no more."""
READERS = {
    "reader": reader("public"),
    "everything": reader("public", *Role),
    "archivist": replace(ARCHIVIST, id="archivist-of-all"),
}
_CHANCE = re.compile(r"_at$|^timings_ms$|^id$|^created$|^conversation_id$|^turn_id$|^answer_id$")


@dataclass(frozen=True)
class Twin:
    client: TestClient
    ids: dict[str, str]

    def asked(self, method: str, path: str, token: str, **arguments: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        reply = self.client.request(method, f"/v1/{path}", headers=headers, **arguments)
        return reply.status_code, _without_chance(reply.json())


def _without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_chance(inner) for key, inner in value.items() if not _CHANCE.search(key)}
    return [_without_chance(inner) for inner in value] if isinstance(value, list) else value


def _filled(folder: Path, documents: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    with opened(load_settings(instance_file(folder, unmarked="quarantine"))) as parts:
        parts.ingestion.start()
        ids = {}
        for number, (name, label, text) in enumerate(documents):
            file = folder / str(number) / Path(name).name
            file.parent.mkdir()
            file.write_text(text, encoding="utf-8")
            taken = parts.ingestion.accept(
                file, source=f"/in/{name}", principal=READERS["archivist"], label=Label.parse(label)
            )
            ids[name] = taken.document_id
        assert parts.ingestion.wait_idle(300)
    return ids


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    """An instance with what the readers may see, and one with everything."""
    everything = [document for pair in zip(UNSEEN, SEEN, strict=True) for document in pair]
    with ExitStack() as stack:
        twins = []
        for name, documents in (("seen", SEEN), ("everything", everything)):
            folder = tmp_path_factory.mktemp(name)
            ids = _filled(folder, documents)
            parts = replace(
                stack.enter_context(opened(load_settings(folder / "instance.toml"))), sign_in=NamedReaders(READERS)
            )
            application = protected(create_interface(parts), None, parts)
            client = TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False)
            twins.append(Twin(stack.enter_context(client), ids))
        yield twins[0], twins[1]


@pytest.mark.parametrize("token", ["reader", "everything"])
def test_lists_counts_and_facets_are_the_same(twins: tuple[Twin, Twin], token: str) -> None:
    for path in LISTS:
        seen, everything = (twin.asked("GET", path, token) for twin in twins)
        assert everything == seen, f"leaked in: {path}"
        assert "zyzomys" not in str(everything), f"leaked in: {path}"


@pytest.mark.parametrize("question", QUESTIONS)
def test_rankings_and_answers_are_the_same(twins: tuple[Twin, Twin], question: str) -> None:
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "search", {"params": {"q": question, "k": 20, "route": route}}) for route in ("hybrid", "dense", "bm25")
    ]
    for scope in ({}, {"date_from": "2024-01-01"}, {"document_types": ["order"]}):
        requests.append(("POST", "answers", {"json": {"question": question, "scope": scope}}))
    spoken = {"model": "assistant", "messages": [{"role": "user", "content": question}]}
    requests.append(("POST", "chat/completions", {"json": spoken}))
    for method, path, arguments in requests:
        seen, everything = (twin.asked(method, path, "reader", **arguments) for twin in twins)
        assert everything == seen, f"leaked in: {path} {arguments}"


def test_conversations_are_the_same(twins: tuple[Twin, Twin]) -> None:
    told = []
    for twin in twins:
        headers = {"authorization": "Bearer reader", "accept": "application/json"}
        key = twin.client.post("/v1/conversations", headers=headers, json={}).json()["id"]
        turns = [
            twin.asked("POST", f"conversations/{key}/turns", "reader", json={"question": question})
            for question in (QUESTIONS[0], "Et la demande ?", "Et en 2024 ?")
        ]
        lists = [twin.asked("GET", path, "reader") for path in (f"conversations/{key}", "conversations?q=congé")]
        told.append((turns, lists))
    assert told[1] == told[0], "leaked"


def test_an_unseen_document_is_told_of_like_one_that_is_not_there(twins: tuple[Twin, Twin]) -> None:
    everything = twins[1]
    absent = "00000000-0000-5000-8000-000000000000"
    gold = {"question": "?", "words": "congé", "page": None}
    tails = ("", "/text?start=0&end=9", "/pages/1", "/original", "/versions", "/history")
    reading = [("GET", f"documents/{{}}{tail}") for tail in tails]
    for name, _, _ in UNSEEN:
        for method, path in (*reading, ("POST", "documents/{}/retry"), ("DELETE", "documents/{}"), ("POST", "gold")):
            replies = []
            for key in (everything.ids[name], absent):
                given = {"json": {**gold, "document_id": key}} if path == "gold" else {}
                status, body = everything.asked(method, path.format(key), "everything", **given)
                replies.append((status, str(body).replace(key, "ID")))
            assert replies[0] == replies[1], f"leaked in: {method} {path}"
            assert replies[0][0] >= 400
