"""Conversations over HTTP: whose they are, what their events say, and what stays of an answer that its reader left."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.access import Label
from assistant.audit import AuditLog
from assistant.service.serving import serving
from assistant.types import AnswerEvent, SentenceReady
from tests.scripted_models import ScriptedRouter, says
from tests.service.conftest import World
from tests.service.test_archivists import ABSENT, call

QUESTION = "Quel est le délai de dépôt de la demande de logement ?"
NEVER = "Quel est le prix du gruyère à Tombouctou ?"


@pytest.fixture
def conversation(world: World) -> Iterator[str]:
    """A conversation of `strong`, with one answered question, for as long as the test."""
    made = call(world, "POST", "/v1/conversations", "strong")[1]["id"]
    ask(world, made, "strong", QUESTION)
    yield made
    call(world, "DELETE", f"/v1/conversations/{made}", "strong")


def ask(world: World, conversation: str, token: str, question: str, **more: object) -> dict[str, Any]:
    """The finished turn."""
    reply = world.post(f"/v1/conversations/{conversation}/turns", token, json={"question": question, **more})
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def shown(world: World, conversation: str, token: str = "strong") -> dict[str, Any]:
    status, told = call(world, "GET", f"/v1/conversations/{conversation}", token)
    assert status == 200
    return dict(told)


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    events = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def test_another_readers_conversation_is_not_there_on_any_route(world: World, conversation: str) -> None:
    routes: tuple[tuple[str, str, object], ...] = (
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("POST", "/turns", {"question": QUESTION}),
        ("POST", "/turns", {"question": QUESTION, "replaces": 1}),
        ("POST", "/summaries", {"document_id": world.open_id}),
        ("POST", "/comparisons", {"document_id": world.open_id}),
        ("PUT", "/turns/1/feedback", {"rating": "up"}),
        ("DELETE", "/turns/1/feedback", None),
        ("GET", "/export?format=md", None),
        ("GET", "/export?format=docx&turn=1", None),
    )
    for method, path, body in routes:
        on_theirs = call(world, method, f"/v1/conversations/{conversation}{path}", "weak", body)
        assert on_theirs[0] == 404, (method, path)
        assert on_theirs == call(world, method, f"/v1/conversations/{ABSENT}{path}", "weak", body)
    for q in ("", "?q=zyzomys", "?q=délai"):
        assert call(world, "GET", f"/v1/conversations{q}", "weak") == (200, {"conversations": []})
    assert len(shown(world, conversation)["turns"]) == 1


def test_nobody_without_session_gets_anything(world: World, conversation: str) -> None:
    for path in ("/v1/conversations", f"/v1/conversations/{conversation}"):
        assert world.get(path, None).status_code == 401
    assert world.post(f"/v1/conversations/{conversation}/turns", None, json={"question": QUESTION}).status_code == 401


def test_stream_begins_with_the_turn_and_goes_on_as_an_answer(world: World, conversation: str) -> None:
    headers = {"authorization": "Bearer strong"}
    reply = world.client.post(
        f"/v1/conversations/{conversation}/turns", headers=headers, json={"question": "Et en 2023 ?"}
    )
    events = events_of(reply.text)
    assert events[0] == (
        "turn",
        {
            "conversation_id": conversation,
            "number": 2,
            "searched": "Quel est le délai de dépôt de la demande de logement en 2023 ?",
            "asked_at": shown(world, conversation)["turns"][1]["asked_at"],
            "scope": {"collections": [], "date_from": None, "date_to": None, "document_types": [], "documents": []},
        },
    )
    assert [name for name, _ in events[1:]] == ["evidence", *["sentence"] * (len(events) - 3), "answer"]
    kept = shown(world, conversation)["turns"][1]
    assert (kept["question"], kept["searched"], kept["state"]) == ("Et en 2023 ?", events[0][1]["searched"], "done")
    assert kept["answer"] == events[-1][1]


def test_conversation_shows_what_was_answered_and_its_title_can_be_changed(world: World, conversation: str) -> None:
    told = shown(world, conversation)
    (turn,) = told["turns"]
    assert (turn["number"], turn["question"], turn["searched"], turn["hidden"]) == (1, QUESTION, QUESTION, 0)
    assert "trente jours" in turn["answer"]["text"]
    assert turn["answer"]["citations"][0]["quote"]
    path = f"/v1/conversations/{conversation}"
    scope = {
        "collections": ["Logement"],
        "date_from": "2023-01-01",
        "date_to": None,
        "document_types": [],
        "documents": [],
    }
    changed = call(world, "PATCH", path, "strong", {"title": "Logement", "scope": scope})[1]
    assert (changed["title"], changed["scope"]) == ("Logement", scope)
    assert call(world, "PATCH", path, "strong", {"scope": {"date_from": "hier"}})[0] == 422
    listed = call(world, "GET", "/v1/conversations?q=LOGEMENT trente", "strong")[1]["conversations"]
    assert [(found["id"], found["title"], found["turns"]) for found in listed] == [(conversation, "Logement", 1)]


def test_label_that_rises_hides_sentences_in_conversation_and_search(world: World, tmp_path: Path) -> None:
    from tests.service.conftest import _hand_in

    text = "La redevance wombat est de douze euros par an pour chaque ménage de la commune.\n"
    document = _hand_in(world.parts, tmp_path, "redevance.txt", text, "public")
    assert world.parts.ingestion.wait_idle(120)
    made = call(world, "POST", "/v1/conversations", "weak")[1]["id"]
    turn = ask(world, made, "weak", "Quelle est la redevance wombat par an pour chaque ménage ?")
    assert "douze euros" in turn["answer"]["text"]
    assert len(call(world, "GET", "/v1/conversations?q=douze", "weak")[1]["conversations"]) == 1
    archivist = world.parts.sign_in.principal("archivist")
    from assistant.ingestion import MetadataEdit

    exported = world.get(f"/v1/conversations/{made}/export?format=md", "weak")
    assert "douze euros" in exported.text
    world.parts.ingestion.edit(document, archivist, MetadataEdit(label="restricted/tax"))
    assert "douze" not in world.get(f"/v1/conversations/{made}/export?format=md", "weak").text, "leaked"
    (again,) = shown(world, made, "weak")["turns"]
    assert again["hidden"] >= 1
    assert "douze" not in str(again), "leaked"
    assert call(world, "GET", "/v1/conversations?q=douze", "weak")[1]["conversations"] == []
    assert world.parts.ingestion.wait_idle(120)
    world.parts.ingestion.remove(document, archivist)
    (erased,) = shown(world, made, "weak")["turns"]
    assert (erased["hidden"], erased["answer"]["citations"]) == (again["hidden"], [])
    assert "douze" not in str(list(world.parts.conversations._turns(made))), "left in the store"
    call(world, "DELETE", f"/v1/conversations/{made}", "weak")


def test_refused_question_is_a_status_and_drops_nothing(world: World, conversation: str) -> None:
    path = f"/v1/conversations/{conversation}/turns"
    for body in ({"question": "  "}, {"question": "x" * 2001}, {"question": QUESTION, "replaces": 7}):
        status, told = call(world, "POST", path, "strong", {**body, "replaces": body.get("replaces", 1)})
        assert status == 422, told
    assert [turn["question"] for turn in shown(world, conversation)["turns"]] == [QUESTION]


def test_edited_question_takes_the_place_of_the_former_and_is_not_rewritten_by_it(
    world: World, conversation: str
) -> None:
    ask(world, conversation, "strong", "Et pour les étudiants ?")
    turn = ask(world, conversation, "strong", "Et pour les retraités ?", replaces=1)
    assert (turn["number"], turn["searched"]) == (1, "Et pour les retraités ?")
    assert len(shown(world, conversation)["turns"]) == 1


def test_words_of_a_refusal_are_no_subject_to_ask_on_about(world: World, conversation: str) -> None:
    refused = ask(world, conversation, "strong", "Quelle est la température de fusion du tungstène ?", replaces=1)
    assert refused["answer"]["outcome"] == "no_evidence"
    turn = ask(world, conversation, "strong", "Comment consulter les documents ?")
    assert turn["searched"] == "Comment consulter les documents ?"


def test_question_of_another_window_is_not_dropped_by_an_edit_in_this_one(world: World, conversation: str) -> None:
    here = shown(world, conversation)
    ask(world, conversation, "strong", "Et pour un garage ?")
    for path, body in (
        ("turns", {"question": NEVER}),
        ("summaries", {"document_id": world.open_id}),
        ("comparisons", {"document_id": world.open_id}),
    ):
        more = {**body, "replaces": 1, "as_of": here["changed_at"]}
        status, told = call(world, "POST", f"/v1/conversations/{conversation}/{path}", "strong", more)
        assert (status, told["error"]["type"]) == (409, "changed_elsewhere")
    now = shown(world, conversation)
    assert len(now["turns"]) == 2
    assert now["changed_at"] == now["turns"][-1]["asked_at"]
    assert ask(world, conversation, "strong", NEVER, replaces=1, as_of=now["changed_at"])["number"] == 1


def test_remark_is_told_so_and_the_next_question_goes_on_from_the_one_before_it(
    world: World, conversation: str
) -> None:
    for said in ("Merci !", "Es-tu sûr ?", "👍", "?"):
        turn = ask(world, conversation, "strong", said)
        assert (turn["answer"]["outcome"], turn["answer"]["citations"], turn["searched"]) == ("declined", [], said)
    followed = ask(world, conversation, "strong", "Et pour un garage ?")["searched"]
    assert followed == "Quel est le délai de dépôt de la demande de logement pour un garage ?"


def test_question_that_is_only_spaced_otherwise_is_not_told_to_be_rewritten(world: World, conversation: str) -> None:
    spaced = "Quel est le délai\nde dépôt  de la demande de logement ?"
    assert ask(world, conversation, "strong", spaced)["searched"] == spaced


def test_feedback_is_kept_with_the_turn_and_taken_back(world: World, conversation: str) -> None:
    path = f"/v1/conversations/{conversation}/turns/1/feedback"
    turn = call(world, "PUT", path, "strong", {"rating": "down", "reason": "incomplete", "comment": " il manque "})[1]
    given = {name: turn["feedback"][name] for name in ("rating", "reason", "comment")}
    assert given == {"rating": "down", "reason": "incomplete", "comment": "il manque"}
    assert "clearance" not in turn["feedback"]
    assert call(world, "PUT", path, "strong", {"rating": "maybe"})[0] == 422
    assert call(world, "PUT", path.replace("/1/", "/4/"), "strong", {"rating": "up"})[0] == 404
    assert call(world, "DELETE", path, "strong")[1]["feedback"] is None


def test_export_is_a_file_of_the_turn_that_is_asked_for(world: World, conversation: str) -> None:
    ask(world, conversation, "strong", NEVER)
    path = f"/v1/conversations/{conversation}/export"
    whole, one = (world.get(f"{path}?format=md{more}", "strong") for more in ("", "&turn=2"))
    assert whole.headers["content-type"] == "text/markdown; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="conversation-[\d-]+\.md"', whole.headers["content-disposition"])
    assert "Restreint / tax" in whole.text
    assert "trente jours" in whole.text
    assert "trente jours" not in one.text
    assert "aucun passage" in one.text
    assert world.get(f"{path}?format=docx", "strong").content.startswith(b"PK")
    assert world.get(f"{path}?format=md&turn=9", "strong").status_code == 404
    assert world.get(f"{path}?format=exe", "strong").status_code == 422


@pytest.mark.parametrize("reason", ["wrong", "incomplete", "not_found", "citation", "other"])
def test_answer_that_was_good_is_not_said_to_be_wrong(world: World, conversation: str, reason: str) -> None:
    path = f"/v1/conversations/{conversation}/turns/1/feedback"
    status, told = call(world, "PUT", path, "strong", {"rating": "up", "reason": reason})
    assert (status, told["error"]["type"]) == (422, "invalid_request")
    assert "`reason`" in told["error"]["message"]
    assert shown(world, conversation)["turns"][0]["feedback"] is None
    assert call(world, "PUT", path, "strong", {"rating": "down", "reason": reason})[0] == 200


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Congés \u202egpj.exe", "Congés gpj.exe"),
        ("a\x1b\x07b\x00c\u2066d", "abcd"),
        ("\u200f\u200eرخصة\u061c الأبوة", "رخصة الأبوة"),
        ("tag\U000e0041\ufeff et\u2028suite\r\nfin", "tag et suite fin"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
    ],
)
def test_title_of_a_conversation_is_one_line_of_visible_characters(world: World, written: str, kept: str) -> None:
    made = call(world, "POST", "/v1/conversations", "strong", {"title": written})[1]
    assert made["title"] == kept
    path = f"/v1/conversations/{made['id']}"
    assert call(world, "PATCH", path, "strong", {"title": f"{written}2"})[1]["title"] == f"{kept}2"
    call(world, "DELETE", path, "strong")
    asked = call(world, "POST", "/v1/conversations", "strong", {})[1]["id"]
    ask(world, asked, "strong", written)
    assert shown(world, asked)["title"] == kept
    call(world, "DELETE", f"/v1/conversations/{asked}", "strong")


def test_liked_answer_can_become_a_gold_question_of_an_archivist_who_may_read_it(
    world: World, conversation: str
) -> None:
    path = f"/v1/conversations/{conversation}/turns/1/feedback"
    call(world, "PUT", path, "strong", {"rating": "up", "comment": "bien"})
    status, told = call(world, "GET", "/v1/gold/feedback", "archivist")
    assert status == 200
    (given,) = told["feedback"]
    assert (given["question"], given["rating"], given["comment"]) == (QUESTION, "up", "bien")
    assert "reader" not in str(given)
    kept = call(world, "POST", "/v1/gold", "archivist", given["gold"])
    assert (kept[0], kept[1]["words"]) == (201, given["cited"][0]["words"].strip())
    call(world, "DELETE", f"/v1/gold/{kept[1]['id']}", "archivist")
    assert call(world, "GET", "/v1/gold/feedback", "weak-archivist") == (200, {"feedback": []})
    assert call(world, "GET", "/v1/gold/feedback", "strong")[0] == 403
    call(world, "DELETE", f"/v1/conversations/{conversation}", "strong")
    assert call(world, "GET", "/v1/gold/feedback", "archivist") == (200, {"feedback": []})


def test_summary_in_a_conversation_is_kept_exported_and_replaced(world: World, conversation: str) -> None:
    headers = {"authorization": "Bearer strong"}
    path = f"/v1/conversations/{conversation}/summaries"
    body = {"document_id": world.open_id, "sentences": 3}
    events = events_of(world.client.post(path, headers=headers, json=body).text)
    assert [name for name, _ in events] == ["turn", "evidence", *["sentence"] * (len(events) - 3), "answer"]
    kept = shown(world, conversation)["turns"][1]
    assert (kept["number"], kept["kind"], kept["question"], kept["answer"]) == (2, "summary", "", events[-1][1])
    (named,) = kept["documents"]
    assert (named["document_id"], named["title"]) == (world.open_id, "ouvert")
    exported = world.get(f"/v1/conversations/{conversation}/export?format=md&turn=2", "strong").text
    assert "## Résumé de « ouvert »" in exported
    assert "[^1]" in exported
    again = world.post(path, "strong", json={**body, "replaces": 2})
    assert again.status_code == 200
    assert again.json()["documents"] == kept["documents"]
    assert [turn["number"] for turn in shown(world, conversation)["turns"]] == [1, 2]


def test_comparison_in_a_conversation_is_kept_and_exported_with_both_sides(world: World, conversation: str) -> None:
    path = f"/v1/conversations/{conversation}/comparisons"
    status, told = call(world, "POST", path, "strong", {"document_id": world.open_id, "other": world.hidden_id})
    assert (status, told["kind"], told["number"]) == (200, "changes", 2)
    assert "zyzomys" in str(told["comparison"]["changes"])
    assert shown(world, conversation)["turns"][1] == told
    exported = world.get(f"/v1/conversations/{conversation}/export?format=md", "strong").text
    assert "zyzomys" in exported
    assert exported.startswith("**Niveau de diffusion : Restreint / tax**")
    lowered = replace(world.parts.sign_in.principal("strong"), clearance=Label.parse("public"))
    again = world.parts.conversations.one(conversation, lowered).turns[1]
    assert (again.comparison, again.hidden) == (None, len(told["comparison"]["changes"]))


def test_document_that_may_not_be_read_leaves_nothing_in_the_conversation(world: World) -> None:
    made = call(world, "POST", "/v1/conversations", "weak")[1]["id"]
    for path, body in (
        ("summaries", {"document_id": world.hidden_id}),
        ("comparisons", {"document_id": world.hidden_id}),
        ("comparisons", {"document_id": world.open_id, "other": world.hidden_id}),
    ):
        reply = call(world, "POST", f"/v1/conversations/{made}/{path}", "weak", body)
        absent = {name: ABSENT if value == world.hidden_id else value for name, value in body.items()}
        assert reply[0] == 404
        assert reply == call(world, "POST", f"/v1/conversations/{made}/{path}", "weak", absent)
    assert shown(world, made, "weak")["turns"] == []
    call(world, "DELETE", f"/v1/conversations/{made}", "weak")


def test_conversation_without_a_title_tells_what_it_began_with(world: World) -> None:
    made = call(world, "POST", "/v1/conversations", "strong")[1]["id"]
    call(world, "POST", f"/v1/conversations/{made}/comparisons", "strong", {"document_id": world.open_id})
    (listed,) = call(world, "GET", "/v1/conversations?q=ouvert", "strong")[1]["conversations"]
    assert (listed["id"], listed["title"], listed["first"]["kind"]) == (made, "", "changes")
    assert [each["title"] for each in listed["first"]["documents"]] == ["ouvert"]
    call(world, "DELETE", f"/v1/conversations/{made}", "strong")


def test_every_turn_is_in_the_audit_record(world: World, conversation: str) -> None:
    audit: AuditLog = world.parts.audit
    before = audit.verify().entries
    ask(world, conversation, "strong", QUESTION)
    assert audit.verify().entries == before + 2


def pausing(real: Callable[..., Generator[AnswerEvent, None, None]]) -> Callable[..., Iterator[AnswerEvent]]:
    """`Assistant.stream` that says nothing after the first sentence until its reader has left."""

    def stream(*arguments: Any, stopped: Callable[[], bool], **more: Any) -> Iterator[AnswerEvent]:
        for event in real(*arguments, stopped=stopped, **more):
            yield event
            if isinstance(event, SentenceReady):
                _until(stopped)

    return stream


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_reader_who_leaves_keeps_what_was_released_as_a_stopped_turn(
    world: World, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.parts.assistant, "stream", pausing(world.parts.assistant.stream))
    path, headers = f"/v1/conversations/{conversation}/turns", {"authorization": "Bearer strong"}
    with (
        serving(world.parts, port=0, with_page=False, announced=False) as running,
        httpx.Client(base_url=running.url, headers=headers, timeout=30) as client,
    ):
        with client.stream("POST", path, json={"question": QUESTION}) as reply:
            names = (line.removeprefix("event: ") for line in reply.iter_lines() if line.startswith("event: "))
            assert [next(names), next(names), next(names)] == ["turn", "evidence", "sentence"]
        _until(lambda: shown(world, conversation)["turns"][-1]["answer"] is not None)
    turn = shown(world, conversation)["turns"][-1]
    assert (turn["number"], turn["state"]) == (2, "stopped")
    assert turn["answer"]["sentences"]
    assert turn["answer"]["incomplete"] is True
    assert "trente jours" in turn["answer"]["text"]


def test_reader_with_another_clearance_of_the_same_name_sees_less(world: World, conversation: str) -> None:
    strong = world.parts.sign_in.principal("strong")
    lowered = replace(strong, clearance=Label.parse("public"))
    full, less = (world.parts.conversations.one(conversation, each).turns[0] for each in (strong, lowered))
    assert full.answer is not None
    assert full.hidden == 0
    hidden = [c for c in full.answer.citations if c.document_id == world.hidden_id]
    assert hidden, "the world must have something to hide"
    assert less.hidden == len(hidden)
    assert "zyzomys" not in str(less), "leaked"


def test_words_that_a_question_took_from_hidden_documents_give_their_label_to_the_answer(
    world: World, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/conversations/{conversation}"
    call(world, "PATCH", path, "strong", {"scope": {"documents": [world.open_id]}})
    by_rules = ask(world, conversation, "strong", "Et pour le dépôt ?")
    assert (by_rules["answer"]["label"], by_rules["searched"] != by_rules["question"]) == ("public", True)
    made = "Quel est le délai de dépôt de la demande de logement zyzomys ?"
    monkeypatch.setattr(world.parts.followups, "_router", ScriptedRouter(*says(made)))
    by_model = ask(world, conversation, "strong", "Et pour le dépôt ?")
    assert by_model["searched"] == made
    assert {each["label"] for each in by_model["answer"]["citations"]} == {"public"}
    assert by_model["answer"]["label"] == "restricted/tax", "leaked under a lower label"
    monkeypatch.undo()
    strong = {"authorization": "Bearer strong"}
    streamed = world.client.post(f"{path}/turns", headers=strong, json={"question": "Et pour les recours ?"})
    first, *_, (_, last) = events_of(streamed.text)
    assert "zyzomys" in first[1]["searched"]
    assert last["label"] == "restricted/tax", "leaked under a lower label, and to the models of that label"
    exported = world.get(f"{path}/export?format=md&turn=3", "strong").text
    assert "zyzomys" in exported
    assert "tax" in exported.splitlines()[0], "exported under a lower label"
