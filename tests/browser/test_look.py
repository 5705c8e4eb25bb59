"""What a demanding reader looks for: nothing cut off or garbled on a phone, words marked in place, a way on from a dead end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_archivists import SETTLED_MS, handed_in
from tests.browser.test_page import QUESTIONS, answer_of, api, first_paged, open_source  # noqa: F401
from tests.instances import RunningInstance

pytestmark = pytest.mark.browser

COMPARED_MS = 30_000
FORMER, PRESENT = "circulaire-2021-07-teletravail.pdf", "circulaire-2024-03-teletravail.pdf"
ALIKE = "Combien de jours par semaine un agent à temps plein peut-il télétravailler"


@pytest.fixture
def phone(browser: Browser, service: RunningInstance) -> Iterator[Callable[[str], Page]]:
    """Opens the page on a narrow phone that is touched: `phone("ar")`."""
    contexts = []

    def open_page(language: str) -> Page:
        size = {"width": 390, "height": 844}
        context = browser.new_context(locale=language, viewport=size, has_touch=True, is_mobile=True)
        contexts.append(context)
        page: Page = context.new_page()
        page.goto(service.enter_url)
        page.wait_for_selector("h1")
        return page

    yield open_page
    for context in contexts:
        context.close()


def compared(api: httpx.Client) -> str:  # noqa: F811
    """A conversation that keeps what changed from one circular to the next."""
    ids = {status["file_name"]: status["document_id"] for status in api.get("/documents").json()["documents"]}
    conversation: str = api.post("/conversations", json={}).json()["id"]
    body = {"document_id": ids[FORMER], "other": ids[PRESENT]}
    assert api.post(f"/conversations/{conversation}/comparisons", json=body).json()["comparison"]["changes"]
    return conversation


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("width", [320, 390])
def test_no_entry_of_the_navigation_is_cut_off(visit: Callable[..., Any], language: str, width: int) -> None:
    page = visit(language, width=width, height=800).page
    links = page.locator(".nav-link")
    expect(links).to_have_count(4)
    for link in links.all():
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] < 60, "an entry is broken into two lines"


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_export_menu_opens_inside_the_screen(visit: Callable[..., Any], language: str) -> None:
    reader = visit(language, width=390, height=844)
    reader.ask(QUESTIONS[language])
    reader.page.locator(".answer-tools .export").last.click()
    box = reader.page.locator(".menu:not([hidden])").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert reader.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_marker_never_stands_alone_on_a_line(visit: Callable[..., Any], language: str) -> None:
    reader = visit(language, width=390, height=844)
    reader.ask(QUESTIONS[language])
    expect(reader.page.locator("blockquote .marker")).not_to_have_count(0)
    for width in range(320, 420, 4):
        reader.page.set_viewport_size({"width": width, "height": 844})
        assert reader.page.evaluate(_ALONE) == [], width


_ALONE = """() => [...document.querySelectorAll('blockquote')].filter((block) => {
    const text = document.createTreeWalker(block.querySelector('.words'), NodeFilter.SHOW_TEXT);
    let last = text.nextNode();
    while (text.nextNode()) last = text.currentNode;
    const range = document.createRange();
    range.setStart(last, last.length - 1);
    range.setEnd(last, last.length);
    return block.querySelector('.marker').getBoundingClientRect().top > range.getBoundingClientRect().bottom;
}).map((block) => block.textContent)"""


def test_conversations_that_begin_alike_are_told_apart(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(f"{ALIKE} depuis mai 2024 ?")
    name = reader.page.locator(".talk.current .talk-name")
    expect(name).to_contain_text("télétravailler")
    lines = name.evaluate("node => node.clientHeight / parseFloat(getComputedStyle(node).lineHeight)")
    assert round(lines) == 2, "one line shows too little of a question"


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_everything_in_the_list_of_conversations_is_large_enough_for_a_finger(
    phone: Callable[[str], Page], language: str
) -> None:
    page = phone(language)
    page.fill("#question", QUESTIONS[language])
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer-tools")
    page.locator(".talks-open").click()
    expect(page.locator(".talk.current")).to_be_visible()
    boxes = "nodes.map((node) => node.getBoundingClientRect())"
    smaller = f"nodes => {boxes}.map((box) => Math.min(box.width, box.height))"
    assert min(page.locator(".talks :is(button, a)").evaluate_all(smaller)) >= 35
    assert min(page.locator(".talk-acts button").evaluate_all(smaller)) >= 44


def test_page_read_as_text_marks_the_quoted_words_where_they_stand(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
) -> None:
    reader = visit("fr")
    reader.ask(QUESTIONS["fr"])
    citation = first_paged(answer_of(api, QUESTIONS["fr"]))
    open_source(reader.page, citation["marker"])
    reader.page.get_by_role("button", name="Lire la page en texte").click()
    mark = reader.page.locator(".text-page mark")
    expect(mark.first).to_be_in_viewport()
    assert "".join(mark.evaluate_all("nodes => nodes.map(node => node.textContent)")) == citation["quote"]
    around = mark.first.evaluate("node => node.parentElement.previousElementSibling?.textContent ?? ''")
    assert around, "the words stand in the page's text, not above it"
    reader.page.get_by_role("button", name="Page suivante").click()
    expect(reader.page.locator(".page-number")).to_contain_text(str(citation["page_number"] + 1))
    expect(mark).to_have_count(0)


def test_session_that_is_over_leads_to_signing_in_and_the_question_is_still_there(
    visit: Callable[..., Any], service: RunningInstance
) -> None:
    page = visit("fr").page
    context = page.context
    expect(page.locator(".talks-new")).to_be_visible()
    context.clear_cookies()
    page.fill("#question", QUESTIONS["fr"])
    page.keyboard.press("Enter")
    way = page.locator(".turn .problem a")
    expect(way).to_have_text("Se connecter")
    with context.expect_page() as opened:
        way.click()
    opened.value.fill("#key", service.token)
    opened.value.keyboard.press("Enter")
    opened.value.wait_for_selector("#question")
    page.locator(".turn .problem button").click()
    page.wait_for_selector(".answer-tools")
    expect(page.locator("h2.question")).to_have_text(QUESTIONS["fr"])


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_comparison_shown_again_marks_what_was_added_and_removed(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    service: RunningInstance,
    language: str,
) -> None:
    page = visit(language).page
    page.goto(f"{service.url}/?c={compared(api)}")
    page.wait_for_selector(".turn-changes .changes", timeout=COMPARED_MS)
    changes = page.locator(".change")
    expect(changes).not_to_have_count(0)
    for kind in ("added", "removed", "changed"):
        expect(page.locator(f".change-{kind}")).not_to_have_count(0)
    for change in changes.all():
        kind = str(change.get_attribute("class"))
        assert change.locator("ins.whole").count() == int("change-added" in kind)
        assert change.locator("del.whole").count() == int("change-removed" in kind)
        if "change-changed" in kind:
            assert change.locator("ins, del").count()


def test_arabic_page_keeps_french_titles_and_arabic_dates_in_order(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    service: RunningInstance,
) -> None:
    page = visit("ar").page
    page.goto(f"{service.url}/?c={compared(api)}")
    title = page.locator("h2.question")
    expect(title).to_contain_text("\u2068Circulaire n° 2021-07 du 6 septembre 2021 relative au télétravail\u2069")
    first = page.locator(".compared > span").first
    expect(first.locator("bdi")).to_have_text("Circulaire n° 2021-07 du 6 septembre 2021 relative au télétravail")
    expect(first).to_contain_text("(6 سبتمبر 2021)")


@pytest.mark.parametrize(
    ("language", "day", "shown"),
    [
        ("fr", "2024-01-01", "1er janvier 2024"),
        ("fr", "2024-01-11", "11 janvier 2024"),
        ("ar", "2024-01-01", "1 يناير 2024"),
        ("en", "2024-01-01", "1 January 2024"),
    ],
)
def test_dates_are_written_as_the_language_writes_them(
    visit: Callable[..., Any], language: str, day: str, shown: str
) -> None:
    words = f"import('/page/words.js').then(({{ Words }}) => new Words('{language}', {{}}).date('{day}'))"
    assert visit(language).page.evaluate(words) == shown


def test_list_without_a_match_offers_to_take_the_conditions_away(visit: Callable[..., Any]) -> None:
    page = visit("fr").page
    page.locator(".nav-link").nth(1).click()
    page.wait_for_selector(".documents")
    page.fill("#filter", "zzzz")
    page.get_by_role("button", name="Effacer les critères").last.click()
    expect(page.locator(".documents tbody tr").first).to_be_visible()
    expect(page.locator("#filter")).to_have_value("")


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_tab_of_the_oversight_is_in_sight_on_a_phone(phone: Callable[[str], Page], language: str) -> None:
    page = phone(language)
    page.locator(".nav-link").nth(2).click()
    page.wait_for_selector(".tabs")
    expect(page.locator(".tab")).to_have_count(6)
    for tab in page.locator(".tab").all():
        box = tab.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_quoted_lines_fill_the_width_of_a_phone_and_are_seen_from_end_to_end(
    phone: Callable[[str], Page],
    api: httpx.Client,  # noqa: F811
    language: str,
) -> None:
    page = phone(language)
    page.fill("#question", QUESTIONS[language])
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer-tools")
    citation = first_paged(answer_of(api, QUESTIONS[language]))
    open_source(page, citation["marker"])
    shares = page.locator(".boxes .highlight").evaluate_all(
        "nodes => nodes.map((node) => [node.getBoundingClientRect().left, node.getBoundingClientRect().right])"
    )
    left, right = min(share[0] for share in shares), max(share[1] for share in shares)
    assert left >= 0
    assert right <= 390
    widest = max(box["right"] for _, box in citation["boxes"]) - min(box["left"] for _, box in citation["boxes"])
    assert right - left > widest * 390, "a page drawn as wide as the phone is too small to read"


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_quotations_are_read_aloud_in_their_own_language(visit: Callable[..., Any], language: str) -> None:
    reader = visit("en" if language == "fr" else "fr")
    reader.ask(QUESTIONS[language])
    quotations = reader.page.locator("blockquote")
    expect(quotations).not_to_have_count(0)
    for quotation in quotations.all():
        assert quotation.get_attribute("lang") == language


def test_documents_that_were_set_aside_are_read_again_all_at_once(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
) -> None:
    files = {f"abime-{number}.pdf": f"%PDF-1.7 broken {number}".encode() for number in range(3)}
    ids = [handed_in(api, name, content)["document_id"] for name, content in files.items()]
    before = len(api.get(f"/documents/{ids[0]}/history").json()["events"])
    try:
        page = visit("fr").page
        page.locator(".nav-link").nth(1).click()
        page.locator(".chip.rejected").click()
        page.fill("#filter", "abime-")
        page.get_by_role("button", name="Relancer la lecture\u00a0: 3\u00a0documents").click()
        expect(page.locator(".retries")).to_contain_text("Remis en lecture : 3 documents.", timeout=SETTLED_MS)
        assert all(len(api.get(f"/documents/{each}/history").json()["events"]) > before for each in ids)
        page.locator(".chip.done").click()
        expect(page.locator(".retries")).to_be_empty()
    finally:
        for each in ids:
            api.delete(f"/documents/{each}")


def test_long_list_of_conversations_does_not_make_the_page_longer(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
) -> None:
    for number in range(30):
        made = api.post("/conversations", json={}).json()["id"]
        api.patch(f"/conversations/{made}", json={"title": f"Une conversation parmi d'autres, numéro {number}"})
    page = visit("fr", width=1400, height=900).page
    expect(page.locator(".talk").nth(29)).to_be_attached()
    heights = [page.locator(part).bounding_box()["height"] for part in (".talks", ".main")]
    assert heights[0] <= heights[1]
    page.set_viewport_size({"width": 1400, "height": 1100})
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
