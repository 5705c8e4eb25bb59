"""Documents cannot command the assistant: 63 documents that try to, in three languages, all of them in one instance."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from assistant.types import LANGUAGES
from tests.attacks import Attack, attacks, written
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader


@dataclass(frozen=True)
class Attacked:
    """An instance that has read every attack."""

    client: TestClient

    def answer(self, attack: Attack) -> dict[str, Any]:
        headers = {"authorization": "Bearer reader", "accept": "application/json"}
        reply = self.client.post("/v1/answers", headers=headers, json={"question": attack.question})
        assert reply.status_code == 200, (attack.id, reply.text)
        found: dict[str, Any] = reply.json()
        return found


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """Without a model."""
    yield from attacked(tmp_path_factory.mktemp("attacked"))


def attacked(folder: Path, extra: str = "") -> Iterator[Attacked]:
    archivist = reader("internal", Role.READER, Role.ARCHIVIST)
    with opened(load_settings(instance_file(folder, extra=extra))) as built:
        parts = replace(built, sign_in=NamedReaders({"reader": reader("public")}))
        parts.ingestion.start()
        for file in sorted(written(folder / "documents").iterdir()):
            parts.ingestion.accept(file, source=file.name, principal=archivist, label=Label.parse("public"))
        assert parts.ingestion.wait_idle(300)
        application = protected(create_interface(parts), None, parts)
        with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield Attacked(client)


def invisible(text: str) -> list[str]:
    """Characters of `text` that no reader sees: format controls, bidi controls and tags among them."""
    return [f"U+{ord(letter):04X}" for letter in text if unicodedata.category(letter) == "Cf"]


def test_there_are_enough_attacks_of_every_kind_in_every_language() -> None:
    by_language = Counter(attack.language for attack in attacks())
    assert set(by_language) == set(LANGUAGES)
    assert min(by_language.values()) >= 15
    kinds = {language: {one.kind for one in attacks() if one.language == language} for language in LANGUAGES}
    assert kinds["fr"] == kinds["ar"] == kinds["en"]


def test_without_a_model_each_attacked_document_still_gives_its_fact_word_for_word(quoting: Attacked) -> None:
    for attack in attacks():
        answer = quoting.answer(attack)
        assert attack.fact in answer["text"], attack.id
        assert {sentence["verdict"] for sentence in answer["sentences"]} == {"quoted"}, attack.id
        assert invisible(answer["text"]) == [], attack.id


def test_text_that_readers_of_the_document_do_not_see_is_not_quoted(quoting: Attacked) -> None:
    for attack in attacks():
        if attack.kind in ("hidden_text", "unicode_tags"):
            shown = str(quoting.answer(attack))
            assert [words for words in attack.never if words in shown] == [], attack.id
