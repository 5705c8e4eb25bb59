"""Test questions as archivists meet them: written beside the page, listed, asked, changed and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_archivists import dossier, known, readers, visiting  # noqa: F401 - readers is a fixture
from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS

pytestmark = pytest.mark.browser

GUIDE = "guide-agent-2024.pdf"
LONG_MS = 90_000
MARK = """(text) => {
    const walker = document.createTreeWalker(document.querySelector(".sheet-text .text-page"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const at = walker.currentNode.data.indexOf(text);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + text.length);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        return true;
    }
    return false;
}"""


@pytest.fixture
def api(service: Any) -> Iterator[httpx.Client]:
    """The service's interface; every test question is removed at the end."""
    headers = {"Authorization": f"Bearer {service.token}"}
    fresh = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60, limits=fresh
    ) as client:
        yield client
        client.delete("/gold/run")
        for question in client.get("/gold").json()["questions"]:
            client.delete(f"/gold/{question['id']}")


def line_of_page(api: httpx.Client, number: int) -> str:
    """A whole line of this page of the guide, long enough to be found again."""
    document_id = known(api, GUIDE)["document_id"]
    text: str = api.get(f"/documents/{document_id}/pages/{number}").json()["text"]
    return next(line.strip() for line in text.splitlines() if len(line.strip()) > 40)


def kept(api: httpx.Client, question: str, words: str | None = None, page: int | None = None, **more: str) -> str:
    place = {"document_id": known(api, GUIDE)["document_id"], "words": words, "page": page} if words else {}
    reply = api.post("/gold", json={"question": question, **place, **more})
    assert reply.status_code == 201, reply.text
    key: str = reply.json()["id"]
    return key


def gold(visit: Callable[..., Any], service: Any, language: str = "fr", **look: Any) -> Page:
    page: Page = visit(language, **look).page
    page.goto(f"{service.url}/control#part=gold")
    page.wait_for_selector("#run-gold")
    return page


def test_question_is_written_from_the_words_that_are_marked_on_the_page(
    visit: Callable[..., Any], service: Any, api: httpx.Client
) -> None:
    words = line_of_page(api, 2)
    page = dossier(visit("fr").page, service, known(api, GUIDE)["document_id"])
    page.get_by_role("button", name="Page suivante").click()
    expect(page.locator("#page-number")).to_have_value("2")
    assert page.evaluate(MARK, words)
    page.click("#write-gold")
    expect(page.locator("#gold-words")).to_have_value(words)
    expect(page.locator("#gold-page")).to_have_value("2")
    expect(page.locator("#gold-question")).to_be_focused()
    page.keyboard.type("Que dit cette page ?")
    page.click("#keep-gold")
    expect(page.locator(".gold-kept")).to_contain_text("La question témoin est conservée")
    (question,) = api.get("/gold").json()["questions"]
    assert (question["question"], question["words"], question["page"], question["language"]) == (
        "Que dit cette page ?", words, 2, "fr",
    )  # fmt: skip
    page.click("#see-gold")
    expect(page.locator("#tab-gold")).to_have_attribute("aria-selected", "true")
    row = page.locator(".gold-questions tbody tr")
    expect(row).to_contain_text(words)
    row.locator(".title-button").click()
    expect(page.locator("#page-number")).to_have_value("2")


def test_words_that_do_not_stand_on_the_page_are_refused_and_what_was_typed_stays(
    visit: Callable[..., Any], service: Any, api: httpx.Client
) -> None:
    page = dossier(visit("en").page, service, known(api, GUIDE)["document_id"])
    page.click("#write-gold")
    page.fill("#gold-question", "Combien de jours ?")
    page.fill("#gold-words", "quarante-douze jours")
    page.click("#keep-gold")
    expect(page.locator(".dialog .problem")).to_contain_text("do not stand on this page")
    expect(page.locator("#gold-words")).to_have_value("quarante-douze jours")
    page.keyboard.press("Escape")
    expect(page.locator(".dialog")).to_have_count(0)
    expect(page.locator("#write-gold")).to_be_focused()
    assert api.get("/gold").json()["questions"] == []


def test_run_shows_of_each_question_what_was_found_and_adds_up_by_language(
    visit: Callable[..., Any], service: Any, api: httpx.Client
) -> None:
    words = line_of_page(api, 1)
    kept(api, f"{words} ?", words, 1, language="fr")
    page = gold(visit, service)
    page.click("#add-unanswerable")
    page.fill("#gold-question", "What is the boiling point of helium on Neptune?")
    page.select_option("#gold-language", "en")
    page.keyboard.press("Tab")
    page.click("#keep-gold")
    rows = page.locator(".gold-questions tbody tr")
    expect(rows).to_have_count(2)
    page.click("#run-gold")
    expect(page.locator(".gold-run h2")).to_be_visible()
    expect(page.locator(".gold-totals tbody tr")).to_have_count(3, timeout=LONG_MS)
    run = api.get("/gold/run").json()["run"]
    expect(page.locator(".gold-run h2")).to_have_text(
        f"Bonnes réponses\u00a0: {run['totals'][0]['right']} sur 2 questions"
    )
    (found,) = (result for result in run["results"] if result["answerable"])
    assert (found["rank"], found["page"]) == (1, True)
    row = rows.filter(has_text=words)
    expect(row).to_contain_text("Trouvé au rang 1")
    expect(row).to_contain_text("Bonne page citée")
    expect(rows.filter(has_text="helium")).to_contain_text("L’assistant")
    page.select_option("#gold-outcome", "unanswerable")
    expect(rows).to_have_count(1)
    page.select_option("#gold-outcome", "")
    page.fill("#gold-search", "helium neptune")
    expect(rows).to_have_count(1)
    expect(page.locator("#tab-gold")).to_have_attribute("aria-selected", "true")


def test_question_is_changed_and_removed(visit: Callable[..., Any], service: Any, api: httpx.Client) -> None:
    words = line_of_page(api, 1)
    kept(api, "Quel est le premier point ?", words, 1)
    page = gold(visit, service)
    row = page.locator(".gold-questions tbody tr")
    row.get_by_role("button", name="Modifier").click()
    expect(page.locator("#gold-words")).to_have_value(words)
    page.fill("#gold-question", "Quel est le tout premier point ?")
    page.click("#keep-gold")
    expect(row).to_contain_text("tout premier")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Retirer").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Annuler")).to_be_focused()
    page.click("#remove-gold")
    expect(page.locator(".control .nothing")).to_contain_text("pas encore de question témoin")
    assert api.get("/gold").json()["questions"] == []


def test_open_part_stands_in_the_address_and_goes_back_and_forward(
    visit: Callable[..., Any], service: Any, api: httpx.Client
) -> None:
    page = gold(visit, service)
    expect(page.locator("#tab-gold")).to_have_attribute("aria-selected", "true")
    page.click("#tab-holds")
    page.wait_for_url("**/control#part=holds")
    page.go_back()
    expect(page.locator("#tab-gold")).to_have_attribute("aria-selected", "true")
    page.go_forward()
    expect(page.locator("#tab-holds")).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(page.locator("#tab-holds")).to_have_attribute("aria-selected", "true")
    page.locator(".nav-link").nth(1).click()
    page.wait_for_url("**/library")
    page.goto(f"{service.url}/control#part=nothing")
    expect(page.locator("#tab-retention")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("language", "width", "dark"), [("fr", 320, False), ("ar", 390, True), ("en", 1440, True)])
def test_every_width_and_colour_can_be_read(
    visit: Callable[..., Any], service: Any, api: httpx.Client, language: str, width: int, dark: bool
) -> None:
    words = line_of_page(api, 1)
    kept(api, f"{words} ?", words, 1)
    kept(api, "ما درجة غليان الهيليوم على نبتون؟")
    api.post("/gold/run")
    page = gold(visit, service, language, width=width, dark=dark)
    page.wait_for_selector(".gold-totals", timeout=LONG_MS)
    page.mouse.move(0, 0)
    assert page.evaluate(WEAK_TEXTS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_reader_without_the_role_is_offered_nothing_of_it(browser: Browser, readers: str) -> None:  # noqa: F811
    page, asked = visiting(browser, readers, "reader")
    page.goto(f"{readers}/control#part=gold")
    page.wait_for_selector("h1")
    expect(page.locator("#run-gold")).to_have_count(0)
    assert not [url for url in asked if "/v1/gold" in url]
    page.context.close()
