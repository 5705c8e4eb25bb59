"""Conversations as readers meet them: composed answers that are checked, follow-ups, stopping, what is kept, what can be done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS
from tests.endpoint_scripts import Script
from tests.endpoint_server import FAULTS, Body, EndpointServer, answer, last_user_message
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser

CHARTER = """Charte du télétravail de Montclair

Article 1. Un agent à temps plein peut télétravailler trois jours par semaine au plus.
Article 2. La demande est adressée par écrit au chef de service, qui répond dans un délai de trente jours.
Article 3. Un apprenti peut télétravailler un jour par semaine avec l'accord de son maître d'apprentissage.
"""
FORMER = CHARTER.replace("trois jours", "deux jours").replace("trente jours", "vingt jours")
SUPPORTED = "Un agent à temps plein peut télétravailler trois jours par semaine au plus [1]."
DELAY = "Le chef de service répond à la demande dans un délai de trente jours [1]."
INVENTED = "Le préfet doit aussi donner son accord au bout de 45 jours [1]."
HOSTILE = (
    "![plan](http://198.51.100.7/a.png) <img src=x onerror=alert(1)> [suite](javascript:alert(1)) "
    "<script>document.title='taken'</script> "
)
QUESTION = "Combien de jours par semaine un agent à temps plein peut-il télétravailler ?"
FOLLOW_UP = "Et un apprenti ?"
SLOW = "Combien de jours un agent peut-il télétravailler, dit lentement ?"


def written(body: Body) -> Script:
    """What the model writes: a supported sentence and an invented one; slowly, or with an attack, when the question says so."""
    asked = last_user_message(body)
    if "lentement" in asked:
        return answer(f"{SUPPORTED} {' '.join([DELAY] * 40)}", per_second=25)
    if "attaque" in asked:
        return answer(f"{HOSTILE}{SUPPORTED} {HOSTILE}")
    return answer(f"{SUPPORTED} {INVENTED} {DELAY}")


@pytest.fixture(scope="module")
def model() -> Iterator[EndpointServer]:
    with EndpointServer(written) as server:
        yield server


@pytest.fixture(scope="module")
def service(model: EndpointServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance with two charters and one model that answers one reader at a time."""
    folder = tmp_path_factory.mktemp("conversing")
    documents = folder / "documents"
    documents.mkdir()
    (documents / "charte-2024.txt").write_text(CHARTER, encoding="utf-8")
    (documents / "charte-2021.txt").write_text(FORMER, encoding="utf-8")
    (documents / "charte-2024.txt.toml").write_text('title = "Charte 2024"\nlabel = "public"\n', encoding="utf-8")
    (documents / "charte-2021.txt.toml").write_text('title = "Charte 2021"\nlabel = "public"\n', encoding="utf-8")
    endpoint = f'[[models.endpoints]]\nname = "essai"\nurl = "{model.url}"\nmodel = "scripted"\nconcurrency = 1\n'
    endpoint += 'languages = ["fr", "ar", "en"]\ncontext_tokens = 8192\nclearance = "secret"\n'
    with running_instance(instance_file(folder, extra=f'[demo]\ndocuments = "{documents}"\n{endpoint}')) as instance:
        yield instance


@pytest.fixture
def api(service: RunningInstance) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {service.token}"}
    with httpx.Client(base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60) as client:
        yield client


def opened(page: Page, api: httpx.Client) -> dict[str, Any]:
    """The conversation that the page's address names, as the service keeps it."""
    found = re.search(r"[?&]c=([\w-]+)", page.url)
    assert found, page.url
    kept: dict[str, Any] = api.get(f"/conversations/{found[1]}").json()
    return kept


def test_composed_answer_flows_with_its_markers_and_says_what_was_held_back(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    reader = visit("fr")
    reader.ask(QUESTION)
    turn = reader.page.locator(".turn")
    expect(turn.locator(".prose .marker").first).to_have_text("[1]")
    expect(turn.locator(".prose")).to_contain_text("trois jours par semaine")
    assert "45 jours" not in turn.inner_text()
    expect(turn.locator(".withheld")).to_contain_text("1 phrase")
    expect(turn.locator(".ai-notice")).to_contain_text("intelligence artificielle")
    assert len(opened(reader.page, api)["turns"]) == 1
    turn.locator(".marker").first.click()
    expect(reader.page.locator(".text-page mark")).to_contain_text("trois jours par semaine")
    assert reader.page.evaluate(WEAK_TEXTS) == []
    assert reader.outside == []
    assert reader.complaints == []


def test_what_a_model_writes_never_becomes_more_than_text(visit: Callable[..., Any]) -> None:
    reader = visit("fr", width=360, height=740, dark=True)
    reader.ask("attaque : combien de jours un agent à temps plein peut-il télétravailler ?")
    turn = reader.page.locator(".turn")
    expect(turn.locator(".marker").first).to_be_visible()
    assert turn.locator("img, script, iframe, a[href^='javascript'], .prose a").count() == 0
    assert reader.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert reader.page.evaluate(WEAK_TEXTS) == []
    assert reader.page.title() != "taken"
    assert reader.outside == []


def test_follow_up_shows_what_was_searched_and_survives_reload_and_editing(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    reader = visit("fr")
    page = reader.page
    reader.ask(QUESTION)
    reader.ask(FOLLOW_UP)
    expect(page.locator("#question")).to_be_focused()
    searched = opened(page, api)["turns"][1]["searched"]
    assert searched != FOLLOW_UP
    expect(page.locator(".turn:last-of-type .searched bdi")).to_have_text(searched)
    page.reload()
    page.wait_for_selector("h2.question")
    expect(page.locator("h2.question")).to_have_text([QUESTION, FOLLOW_UP])
    page.locator(".turn:last-of-type .searched button").click()
    expect(page.locator(".turn-editor textarea")).to_have_value(searched)
    page.keyboard.press("Escape")
    page.locator(".turn .edit").first.press("Enter")
    expect(page.locator(".turn-editor textarea")).to_be_focused()
    page.locator(".turn-editor textarea").fill("Combien de jours par semaine peut-on télétravailler ?")
    page.keyboard.press("Enter")
    expect(page.locator("h2.question")).to_have_text(["Combien de jours par semaine peut-on télétravailler ?"])
    page.wait_for_selector(".answer-tools")
    assert [turn["number"] for turn in opened(page, api)["turns"]] == [1]


def test_edit_in_one_window_drops_nothing_that_was_asked_in_another(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    here, there = visit("fr"), visit("fr")
    here.ask(QUESTION)
    there.page.goto(here.page.url)
    expect(there.page.locator("h2.question")).to_have_text([QUESTION])
    there.ask(FOLLOW_UP)
    edit_first(here.page, "Qui répond à la demande ?")
    expect(here.page.locator(".callout.problem")).to_contain_text("autre fenêtre")
    assert [turn["question"] for turn in opened(here.page, api)["turns"]] == [QUESTION, FOLLOW_UP]
    here.page.reload()
    expect(here.page.locator("h2.question")).to_have_text([QUESTION, FOLLOW_UP])
    edit_first(here.page, "Qui répond à la demande ?")
    here.page.wait_for_selector(".answer-tools")
    assert [turn["question"] for turn in opened(here.page, api)["turns"]] == ["Qui répond à la demande ?"]


def test_edit_that_failed_replaces_the_same_turn_when_it_is_tried_again(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    page = (reader := visit("fr")).page
    reader.ask(QUESTION)
    page.route("**/turns", lambda route: route.abort())
    edit_first(page, "Qui répond à la demande ?")
    expect(page.locator(".callout.problem")).to_be_visible()
    page.unroute("**/turns")
    page.locator(".callout.problem button").last.click()
    page.wait_for_selector(".answer-tools")
    assert [turn["question"] for turn in opened(page, api)["turns"]] == ["Qui répond à la demande ?"]


def edit_first(page: Page, question: str) -> None:
    page.locator(".turn .edit").first.press("Enter")
    page.locator(".turn-editor textarea").fill(question)
    page.keyboard.press("Enter")


def test_stop_keeps_what_was_shown_and_lets_the_next_in_line_go_on(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    first, second = visit("fr"), visit("fr")
    first.page.fill("#question", SLOW)
    first.page.keyboard.press("Enter")
    expect(first.page.locator(".turn .marker").first).to_be_visible(timeout=15_000)
    second.page.fill("#question", QUESTION)
    second.page.keyboard.press("Enter")
    expect(second.page.locator(".activity-text")).to_contain_text("place dans la file", timeout=15_000)
    first.page.locator(".stop").click()
    expect(first.page.locator(".turn .note").first).to_contain_text("Vous avez arrêté la réponse")
    expect(first.page.locator("#question")).to_be_focused()
    second.page.wait_for_selector(".answer-tools")
    first.page.reload()
    first.page.wait_for_selector(".turn .marker")
    expect(first.page.locator(".turn .note").first).to_contain_text("Vous avez arrêté la réponse")
    assert opened(first.page, api)["turns"][0]["state"] == "stopped"


def test_conversations_are_found_renamed_and_deleted_with_the_keyboard(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    for kept in api.get("/conversations").json()["conversations"]:
        api.delete(f"/conversations/{kept['id']}")
    named = [api.post("/conversations", json={"title": title}).json()["id"] for title in ("Congés", "Télétravail")]
    page = visit("fr").page
    expect(page.locator(".talk a")).to_have_text(["Télétravail", "Congés"])
    page.fill("#talks-search", "congés")
    expect(page.locator(".talk a")).to_have_text(["Congés"])
    page.locator(".talk a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?c={named[0]}")
    page.locator(".talk-acts button").first.press("Enter")
    page.keyboard.type("Congés bonifiés")
    page.keyboard.press("Enter")
    expect(page.locator(".talk-acts button").first).to_be_focused()
    assert api.get(f"/conversations/{named[0]}").json()["title"] == "Congés bonifiés"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog button[autofocus]")).to_be_focused()
    page.locator("#remove-conversation").press("Enter")
    expect(page.locator(".talk")).to_have_count(0)
    assert [kept["id"] for kept in api.get("/conversations").json()["conversations"]] == [named[1]]
    page.wait_for_url(re.compile(r"/$"))


def test_narrow_drawer_holds_the_focus_and_gives_it_back(visit: Callable[..., Any]) -> None:
    page = visit("ar", width=360, height=740).page
    page.locator(".talks-open").click()
    expect(page.locator(".talks-fold")).to_be_focused()
    assert page.evaluate("document.querySelector('.main').inert")
    drawer = page.locator("#talks").bounding_box()
    assert drawer["x"] + drawer["width"] == pytest.approx(360, abs=1), "from the right in Arabic"
    page.keyboard.press("Escape")
    expect(page.locator(".talks-open")).to_be_focused()
    assert not page.evaluate("document.querySelector('.main').inert")


def test_rating_with_a_reason_is_kept_and_the_answer_can_be_taken_away(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    reader = visit("fr")
    reader.ask(QUESTION)
    page = reader.page
    page.locator('.thumbs [data-rating="down"]').press("Enter")
    page.get_by_label("Il manque quelque chose").check()
    page.get_by_label("Précisez si vous le souhaitez").fill("Et les cadres ?")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator('.thumbs [data-rating="down"]')).to_be_focused()
    expect(page.locator(".feedback [role=status]")).to_contain_text("Merci")
    given = opened(page, api)["turns"][0]["feedback"]
    assert (given["rating"], given["reason"], given["comment"]) == ("down", "incomplete", "Et les cadres ?")
    page.locator(".answer-tools .export").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Document Word").press("Enter")
    assert taken.value.suggested_filename.endswith(".docx")
    assert Path(taken.value.path()).read_bytes().startswith(b"PK")
    expect(page.locator(".answer-tools .export")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Texte Markdown").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".answer-tools .export")).to_be_focused()
    expect(page.locator(".answer-tools .menu")).to_be_hidden()


def test_limits_are_kept_with_the_conversation_and_taken_away_by_their_chip(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    reader = visit("fr")
    page = reader.page
    page.locator(".scope-open").click()
    page.fill("#scope-search", "2021")
    page.locator(".scope-found .check").click()
    page.get_by_role("button", name="Appliquer").click()
    expect(page.locator(".scope-name")).to_have_text("Document\u00a0: Charte 2021")
    reader.ask(QUESTION)
    (document,) = opened(page, api)["scope"]["documents"]
    citations = opened(page, api)["turns"][0]["answer"]["citations"]
    assert {citation["document_id"] for citation in citations} == {document}
    page.reload()
    page.wait_for_selector(".scope-name")
    expect(page.locator(".scope-name")).to_have_text("Document\u00a0: Charte 2021")
    page.locator(".scope-chip button").click()
    expect(page.locator(".scope-chip")).to_have_count(0)
    expect(page.locator(".scope-open")).to_be_focused()
    page.wait_for_timeout(300)
    assert opened(page, api)["scope"]["documents"] == []


def test_two_charters_are_compared_change_by_change(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(QUESTION)
    page = reader.page
    page.locator(".marker").first.click()
    page.get_by_role("button", name="Comparer des versions").click()
    page.fill("#other-document", "Charte 20")
    page.locator(".other-found button").first.click()
    expect(page.locator(".turn-changes ins", has_text=re.compile("trois|deux"))).to_have_count(1)
    page.locator(".turn-changes .marker").last.click()
    expect(page.locator(".text-page mark")).to_be_in_viewport()


def test_summary_of_a_document_opens_on_the_words_that_it_sums_up(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(QUESTION)
    page = reader.page
    page.locator(".marker").first.click()
    page.get_by_role("button", name="Résumer").click()
    expect(page.locator(".turn-summary h2")).to_be_focused()
    page.locator(".turn-summary .marker").first.click()
    expect(page.locator(".text-page mark")).to_be_in_viewport()
    expect(page.locator(".turn-summary .answer-tools")).to_be_visible()


def test_where_nothing_is_kept_the_question_stays_in_its_field(visit: Callable[..., Any], api: httpx.Client) -> None:
    before = len(api.get("/conversations").json()["conversations"])
    reader = visit("fr")
    page = reader.page
    missing = {"error": {"type": "not_found", "message": "no conversations are kept"}}
    page.route("**/v1/conversations*", lambda route: route.fulfill(status=404, json=missing))
    page.reload()
    page.wait_for_selector(".examples, .notice")
    reader.ask(QUESTION)
    expect(page.locator("#question")).to_have_value(QUESTION)
    expect(page.locator(".turn .marker").first).to_be_visible()
    expect(page.locator(".talks, .thumbs, .export").first).to_be_hidden()
    assert "c=" not in page.url
    assert len(api.get("/conversations").json()["conversations"]) == before


def test_without_a_model_the_reader_gets_quotations_and_is_told_why(
    visit: Callable[..., Any], model: EndpointServer
) -> None:
    model.script = FAULTS["500"]
    try:
        reader = visit("fr")
        reader.ask(QUESTION)
    finally:
        model.script = written
    expect(reader.page.locator("blockquote").first).to_contain_text("jours par semaine")
    expect(reader.page.locator(".answer-head .note")).to_contain_text("Aucun modèle de langue n’est joignable")
