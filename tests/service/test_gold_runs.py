"""Asking the gold questions: what a run tells, whom, and that it stands in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from assistant.precedence import Precedence, work_in_background
from assistant.service.wire import plain
from tests.service.conftest import World
from tests.service.test_archivists import call

HIDDEN_QUESTION = "Quel est le délai de dépôt de la demande de logement secret zyzomys ?"
WORDS = "trente jours"


@pytest.fixture
def asked(world: World) -> Iterator[dict[str, str]]:
    """Three gold questions: one on each document, and one that nothing answers."""
    bodies = {
        "hidden": {"question": HIDDEN_QUESTION, "document_id": world.hidden_id, "words": WORDS},
        "elsewhere": {"question": HIDDEN_QUESTION, "document_id": world.open_id, "words": WORDS},
        "nowhere": {"question": "What is the boiling point of helium?", "language": "en"},
    }
    ids = {}
    for name, body in bodies.items():
        status, kept = call(world, "POST", "/v1/gold", "archivist", body)
        assert status == 201
        ids[name] = kept["id"]
    yield ids
    for key in ids.values():
        call(world, "DELETE", f"/v1/gold/{key}", "archivist")


def finished(world: World, token: str = "archivist") -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while not (run := call(world, "GET", "/v1/gold/run", token)[1]["run"])["finished_at"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found: dict[str, Any] = run
    return found


def test_run_says_of_each_question_what_was_found_and_cited_and_adds_up_by_language(
    world: World, asked: dict[str, str]
) -> None:
    status, begun = call(world, "POST", "/v1/gold/run", "archivist")
    assert (status, begun["run"]["of"]) == (202, 3)
    run = finished(world)
    assert (run["done"], run["stopped"], run["problem"]) == (3, False, "")
    results = {result["id"]: result for result in run["results"]}
    hidden, elsewhere, nowhere = (results[asked[name]] for name in ("hidden", "elsewhere", "nowhere"))
    assert (hidden["rank"], hidden["document"], hidden["words"], hidden["right"]) == (1, True, True, True)
    assert {"document_id": world.hidden_id, "title": "cache", "page": None} in hidden["cited"]
    assert elsewhere["rank"] == 2
    assert elsewhere["right"] == elsewhere["document"]
    assert (nowhere["answerable"], nowhere["right"], nowhere["abstained"]) == (False, True, True)
    total, english, french = run["totals"]
    assert [each["language"] for each in run["totals"]] == ["", "en", "fr"]
    assert (english["unanswerable"], english["abstained_rightly"]) == (1, 1)
    assert (french["answerable"], french["found"], french["words"]) == (2, 2, 2)
    assert total["right"] == english["right"] + french["right"]


def test_run_of_one_question_keeps_what_came_of_the_others_and_a_changed_question_loses_its_result(
    world: World, asked: dict[str, str]
) -> None:
    call(world, "POST", "/v1/gold/run", "archivist")
    finished(world)
    call(world, "POST", "/v1/gold/run", "archivist", {"ids": [asked["nowhere"]]})
    run = finished(world)
    assert (run["of"], run["done"]) == (1, 1)
    assert {result["id"] for result in run["results"]} == set(asked.values())
    body = {"question": HIDDEN_QUESTION, "document_id": world.hidden_id, "words": "secret zyzomys"}
    assert call(world, "PUT", f"/v1/gold/{asked['hidden']}", "archivist", body)[1]["id"] == asked["hidden"]
    left = call(world, "GET", "/v1/gold/run", "archivist")[1]["run"]["results"]
    assert {result["id"] for result in left} == {asked["elsewhere"], asked["nowhere"]}


def test_nobody_else_hears_of_a_run_and_readers_may_not_begin_one(world: World, asked: dict[str, str]) -> None:
    call(world, "POST", "/v1/gold/run", "archivist")
    finished(world)
    assert call(world, "GET", "/v1/gold/run", "weak-archivist") == (200, {"run": None})
    begun = call(world, "POST", "/v1/gold/run", "weak-archivist", {"ids": [asked["hidden"], asked["nowhere"]]})
    assert begun[0] == 422, "it knows of no such question"
    assert call(world, "POST", "/v1/gold/run", "weak-archivist")[1]["run"]["of"] == 1
    assert [result["id"] for result in finished(world, "weak-archivist")["results"]] == [asked["elsewhere"]]
    for method in ("GET", "POST", "DELETE"):
        for token in ("weak", "strong"):
            assert call(world, method, "/v1/gold/run", token)[0] == 403


def test_second_run_waits_for_the_end_of_the_first_and_a_run_can_be_stopped(
    world: World, asked: dict[str, str]
) -> None:
    with world.parts.gold_runs._turn:
        assert call(world, "POST", "/v1/gold/run", "archivist")[0] == 202
        assert call(world, "POST", "/v1/gold/run", "archivist")[0] == 409
        assert call(world, "DELETE", "/v1/gold/run", "archivist")[0] == 200
    run = finished(world)
    assert (run["stopped"], run["done"], run["results"]) == (True, 0, [])


def test_question_is_changed_in_place(world: World, asked: dict[str, str]) -> None:
    body = {"question": "Combien de jours ?", "document_id": world.open_id, "words": "trente jours à compter"}
    changed = call(world, "PUT", f"/v1/gold/{asked['hidden']}", "archivist", body)[1]
    kept = {each["id"]: each for each in call(world, "GET", "/v1/gold", "archivist")[1]["questions"]}
    assert asked["hidden"] not in kept
    assert kept[changed["id"]]["words"] == "trente jours à compter"
    assert call(world, "PUT", f"/v1/gold/{changed['id']}", "archivist", {**body, "words": "onze"})[0] == 422
    assert call(world, "PUT", f"/v1/gold/{asked['hidden']}", "archivist", body)[0] == 404
    assert call(world, "DELETE", f"/v1/gold/{changed['id']}", "archivist")[0] == 200


def test_question_that_is_asked_in_the_background_holds_nothing_up() -> None:
    import threading

    questions = Precedence()
    seen = []

    def run() -> None:
        work_in_background()
        with questions.answering():
            seen.append(questions.asked_within(60))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [False]
    assert not questions.asked_within(60)
    with questions.answering():
        assert questions.asked_within(60)


def test_result_names_no_word_of_a_document(world: World, asked: dict[str, str]) -> None:
    call(world, "POST", "/v1/gold/run", "archivist")
    finished(world)
    run = world.parts.gold_runs.last(world.parts.sign_in.principal("archivist"))
    assert "zyzomys" not in str(plain(run))
