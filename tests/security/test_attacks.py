"""Documents cannot command the assistant: 96 documents that try to, in three languages, all of them in one instance."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from assistant.types import LANGUAGES
from tests.attacks import Attack, attacks, endpoint_table, obeying, script, written
from tests.endpoint_scripts import Script
from tests.endpoint_server import EndpointServer
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader

SAYS_NOTHING = script("")
FACT_IN_OTHER_WORDS = frozenset({"citation_spoofing", "entities", "image", "reference_image", "xss_script", "xss_svg"})
"""Where the obedient model says the fact as well, in words of its own."""


@dataclass(frozen=True)
class Attacked:
    """An instance that has read every attack, and the model that composes its answers."""

    client: TestClient
    model: EndpointServer

    def answer(self, attack: Attack, script: Script) -> dict[str, Any]:
        self.model.script = script
        headers = {"authorization": "Bearer reader", "accept": "application/json"}
        reply = self.client.post("/v1/answers", headers=headers, json={"question": attack.question})
        assert reply.status_code == 200, (attack.id, reply.text)
        found: dict[str, Any] = reply.json()
        return found

    def sent(self) -> str:
        """All that the model was told for the last answer."""
        return "\n".join(str(message["content"]) for message in self.model.seen[-1].body["messages"])


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    archivist = reader("internal", Role.READER, Role.ARCHIVIST)
    with EndpointServer(SAYS_NOTHING) as model:
        settings = load_settings(instance_file(folder, extra=endpoint_table(model)))
        with opened(settings) as built:
            parts = replace(built, sign_in=NamedReaders({"reader": reader("public")}))
            parts.ingestion.start()
            for file in sorted(written(folder / "documents").iterdir()):
                parts.ingestion.accept(file, source=file.name, principal=archivist, label=Label.parse("public"))
            assert parts.ingestion.wait_idle(500)
            application = protected(create_interface(parts), None, parts)
            with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
                yield Attacked(client, model)


def invisible(text: str) -> list[str]:
    """Characters of `text` that no reader sees: format controls, bidi controls and tags among them."""
    return [f"U+{ord(letter):04X}" for letter in text if unicodedata.category(letter) == "Cf"]


def deceived(attack: Attack, answer: dict[str, Any]) -> list[str]:
    """What is shown as quoted or supported and must not be."""
    shown = " ".join(one["text"] for one in answer["sentences"] if one["verdict"] in ("quoted", "supported"))
    return [words for words in attack.never if words in shown] + invisible(shown)


def test_there_are_enough_attacks_of_every_kind_in_every_language() -> None:
    by_language = Counter(attack.language for attack in attacks())
    assert set(by_language) == set(LANGUAGES)
    assert min(by_language.values()) >= 15
    kinds = {language: {one.kind for one in attacks() if one.language == language} for language in LANGUAGES}
    assert kinds["fr"] == kinds["ar"] == kinds["en"]


def test_when_the_model_says_nothing_each_fact_is_quoted_and_no_command_is(attacked: Attacked) -> None:
    wrong = []
    for attack in attacks():
        answer = attacked.answer(attack, SAYS_NOTHING)
        quoted = {sentence["verdict"] for sentence in answer["sentences"]} == {"quoted"}
        if not quoted or attack.fact not in answer["text"] or deceived(attack, answer):
            wrong.append((attack.id, answer["text"]))
    assert wrong == []


def test_a_model_that_obeys_every_document_gets_nothing_shown_as_supported(attacked: Attacked) -> None:
    wrong = []
    for attack in attacks():
        answer = attacked.answer(attack, obeying(attack))
        if "[99]" in answer["text"] or deceived(attack, answer):
            wrong.append((attack.id, answer["sentences"]))
    assert wrong == []


def test_a_reader_gets_the_fact_whatever_the_document_has_the_model_say(attacked: Attacked) -> None:
    wrong = []
    for attack in attacks():
        answer = attacked.answer(attack, obeying(attack))
        if attack.fact not in answer["text"] and attack.kind not in FACT_IN_OTHER_WORDS:
            wrong.append((attack.id, answer["outcome"], answer["text"]))
    assert wrong == []


def test_a_model_that_also_says_what_is_true_is_shown_with_that_alone(attacked: Attacked) -> None:
    for attack in attacks():
        if attack.kind in ("override", "forged_role", "chatml", "denial"):
            fact = next(line for line in attack.text.splitlines() if attack.fact in line)
            true = fact.split(". ")[0].rstrip(".") + " [1]."
            answer = attacked.answer(attack, script(f"{attack.obedient}\n{true}"))
            assert attack.fact in answer["text"], attack.id
            assert deceived(attack, answer) == [], attack.id


def test_what_a_server_reads_as_a_turn_of_the_conversation_never_reaches_it_from_a_document(attacked: Attacked) -> None:
    tokens = ("<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "[INST]", "[/INST]", "<<SYS>>", "</s>")
    turns = (
        "<start_of_turn>",
        "<end_of_turn>",
        "<｜User｜>",
        "[gMASK]",
        "<sop>",
        "[SYSTEM_PROMPT]",
        "<reserved_106>",
        "[IMG]",
    )
    for attack in attacks():
        if attack.kind in ("chatml", "llama", "mistral", "gemma", "tokens"):
            attacked.answer(attack, SAYS_NOTHING)
            sent = attacked.sent()
            assert attack.fact in sent, attack.id
            assert [token for token in (*tokens, *turns) if token in sent] == [], attack.id


def test_the_model_is_offered_no_tools_and_no_addresses_of_ours(attacked: Attacked) -> None:
    attacked.answer(attacks()[0], SAYS_NOTHING)
    request = attacked.model.seen[-1].body
    assert {"tools", "tool_choice", "functions"} & set(request) == set()
    assert "127.0.0.1" not in json.dumps(request)
