"""The page as its readers meet it: asking in three languages, opening the quoted words, without a mouse, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

QUESTIONS = {
    "fr": "Combien de jours par semaine un agent à temps plein peut-il télétravailler depuis mai 2024 ?",
    "ar": "ما العرض الأدنى للممر المتروك لسيارات الإسعاف داخل السوق؟",
    "en": "How far from the coast must ashes be scattered?",
}
WITHOUT_PAGES = "Combien de devis faut-il pour un achat de 12 000 € hors taxes ?"
SCANNED = "Combien d'articles un lecteur pouvait-il demander par jour aux archives selon la note de 1996 ?"
ANSWERS = re.compile(r"/v1/(answers|conversations/[^/]+/turns)$")
"""Where questions go: alone, or in a conversation."""
NO_DOCUMENT_ANSWERS = "Qui a gagné la coupe du monde en 1998 ?"
NOT_SURELY_ANSWERED = "Peut-on téléphoner en conduisant un camion ?"
"""The rules of procedure do answer it; with other words, so the assistant keeps silent. Another is needed once it does not."""
TITLES = {"fr": "Interrogez vos documents", "ar": "اسأل وثائقك", "en": "Ask your documents"}

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the page."""

_TOLERANCE = 0.004
"""About one pixel on a page 300 pixels wide: rounding of percentages by the browser."""


@pytest.fixture
def api(service: Any) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {service.token}"}
    with httpx.Client(base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60) as client:
        yield client


def answer_of(api: httpx.Client, question: str) -> dict[str, Any]:
    body = {"question": question, "language": None}
    reply: dict[str, Any] = api.post("/answers", json=body, headers={"Accept": "application/json"}).json()
    return reply


def first_paged(answer: dict[str, Any]) -> dict[str, Any]:
    """The first citation of a format that has pages."""
    return next(citation for citation in answer["citations"] if citation["page_number"])


def open_source(page: Page, marker: int) -> None:
    page.click(f'.marker[data-marker="{marker}"] >> nth=0')
    page.wait_for_selector(".sheet.ready")


def drawn_boxes(page: Page) -> list[Box]:
    """Where the highlights lie on the page image, measured in the browser."""
    boxes = page.evaluate("""() => {
        const sheet = document.querySelector('.page-image').getBoundingClientRect();
        return [...document.querySelectorAll('.boxes .highlight')].map((node) => {
            const box = node.getBoundingClientRect();
            return [(box.left - sheet.left) / sheet.width, (box.top - sheet.top) / sheet.height,
                    (box.right - sheet.left) / sheet.width, (box.bottom - sheet.top) / sheet.height];
        });
    }""")
    return [tuple(box) for box in boxes]


def quoted_words(api: httpx.Client, citation: dict[str, Any]) -> list[Box]:
    """The boxes of exactly the words that the citation quotes on its first page."""
    path = f"/documents/{citation['document_id']}/pages/{citation['page_number']}"
    words = api.get(path, params={"version": citation["version"]}).json()["words"]
    start, end = citation["span"]["start"], citation["span"]["end"]
    return [
        (word["box"]["left"], word["box"]["top"], word["box"]["right"], word["box"]["bottom"])
        for word in words
        if word["start"] < end and start < word["end"]
    ]


def covers(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0] + _TOLERANCE
        and outer[1] <= inner[1] + _TOLERANCE
        and outer[2] >= inner[2] - _TOLERANCE
        and outer[3] >= inner[3] - _TOLERANCE
    )


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_question_in_each_language_is_answered_with_markers(visit: Callable[..., Any], language: str) -> None:
    reader = visit(language)
    expect(reader.page.locator("h1")).to_have_text(TITLES[language])
    reader.ask(QUESTIONS[language])
    markers = reader.page.locator(".marker").all_inner_texts()
    assert markers
    assert all(re.fullmatch(r"\[\d+\]", text) for text in markers)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_marker_opens_the_page_with_exactly_the_quoted_words(
    visit: Callable[..., Any], api: httpx.Client, language: str
) -> None:
    reader = visit(language)
    reader.ask(QUESTIONS[language])
    citation = first_paged(answer_of(api, QUESTIONS[language]))
    open_source(reader.page, citation["marker"])
    drawn, words = drawn_boxes(reader.page), quoted_words(api, citation)
    assert words
    for word in words:
        assert any(covers(box, word) for box in drawn), "a quoted word is not highlighted"
    for box in drawn:
        inside = [word for word in words if covers(box, word)]
        assert inside, "a highlight holds no quoted word"
        assert abs(box[0] - min(word[0] for word in inside)) < _TOLERANCE
        assert abs(box[2] - max(word[2] for word in inside)) < _TOLERANCE


def test_highlight_is_scrolled_into_view_and_follows_the_zoom(visit: Callable[..., Any], api: httpx.Client) -> None:
    reader = visit("fr", height=600)
    reader.ask(QUESTIONS["fr"])
    citation = first_paged(answer_of(api, QUESTIONS["fr"]))
    open_source(reader.page, citation["marker"])
    expect(reader.page.locator(".highlight").first).to_be_in_viewport()
    before = drawn_boxes(reader.page)
    reader.page.get_by_role("button", name="Agrandir").click()
    expect(reader.page.locator(".highlight").first).to_be_in_viewport()
    assert drawn_boxes(reader.page) == [pytest.approx(box, abs=_TOLERANCE) for box in before]


def test_whole_way_works_with_the_keyboard_alone(visit: Callable[..., Any]) -> None:
    page = visit("fr").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(QUESTIONS["fr"])
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer-tools")
    expect(page.locator("#question")).to_be_focused()
    marker = page.locator(".marker").last
    for _ in range(12):  # back over what can be done with the answer
        page.keyboard.press("Shift+Tab")
        if marker.evaluate("node => node === document.activeElement"):
            break
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#source-title")).to_be_focused()
    expect(marker).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    expect(marker).to_be_focused()


def test_arabic_is_mirrored(visit: Callable[..., Any]) -> None:
    reader = visit("ar")
    page = reader.page
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    brand, switch = page.locator(".brand").bounding_box(), page.locator(".languages").bounding_box()
    assert brand["x"] > switch["x"]
    reader.ask(QUESTIONS["ar"])
    page.locator(".marker").first.click()
    panel, answer = page.locator("#source").bounding_box(), page.locator(".main").bounding_box()
    assert panel["x"] < answer["x"]


def test_switching_the_language_keeps_answer_and_source(visit: Callable[..., Any], api: httpx.Client) -> None:
    reader = visit("fr")
    reader.ask(QUESTIONS["fr"])
    open_source(reader.page, first_paged(answer_of(api, QUESTIONS["fr"]))["marker"])
    quoted = reader.page.locator("blockquote").all_inner_texts()
    reader.page.click('[data-language="ar"]')
    expect(reader.page.locator("html")).to_have_attribute("dir", "rtl")
    reader.page.wait_for_selector(".sheet.ready")
    assert reader.page.locator("blockquote").all_inner_texts() == quoted
    expect(reader.page.locator("h2.question")).to_have_text(QUESTIONS["fr"])
    reader.page.reload()
    expect(reader.page.locator("h1")).to_have_text(TITLES["ar"])


def test_format_without_pages_shows_the_quoted_words_in_their_context(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    reader = visit("fr")
    reader.ask(WITHOUT_PAGES)
    citation = next(found for found in answer_of(api, WITHOUT_PAGES)["citations"] if not found["page_number"])
    reader.page.click(f'.marker[data-marker="{citation["marker"]}"] >> nth=0')
    expect(reader.page.locator(".text-page mark")).to_be_in_viewport()
    assert reader.page.locator(".text-page mark").evaluate("node => node.textContent") == citation["quote"]


def test_scanned_page_says_that_it_was_read_by_machine(visit: Callable[..., Any], api: httpx.Client) -> None:
    citations = answer_of(api, SCANNED)["citations"]
    scanned = [citation for citation in citations if citation["origin"] == "ocr"]
    if not scanned:
        pytest.skip("this instance reads no scans")
    reader = visit("fr")
    reader.ask(SCANNED)
    open_source(reader.page, scanned[0]["marker"])
    expect(reader.page.locator(".source-message")).to_contain_text("numérisée")


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("width", [320, 390, 768, 1920])
def test_no_width_scrolls_sideways(visit: Callable[..., Any], width: int, language: str) -> None:
    reader = visit(language, width=width, height=800)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert reader.page.evaluate(fits)
    reader.ask(QUESTIONS[language])
    assert reader.page.evaluate(fits)
    reader.page.locator(".marker").first.click()
    reader.page.wait_for_selector(".sheet.ready, .text-page")
    assert reader.page.evaluate(fits)
    reader.page.locator(".source .close").click()
    reader.page.locator(".nav-link").nth(1).click()
    reader.page.wait_for_selector(".documents")
    assert reader.page.evaluate(fits)


def test_narrow_source_covers_the_page_and_holds_the_focus(visit: Callable[..., Any]) -> None:
    reader = visit("fr", width=390, height=844)
    reader.ask(QUESTIONS["fr"])
    reader.page.locator(".marker").first.click()
    expect(reader.page.get_by_role("dialog")).to_be_visible()
    assert reader.page.evaluate("document.querySelector('.main').inert")
    reader.page.keyboard.press("Escape")
    assert not reader.page.evaluate("document.querySelector('.main').inert")


def test_abstention_is_calm_and_says_what_to_try(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(NO_DOCUMENT_ANSWERS)
    expect(reader.page.locator(".abstention h3")).to_have_text("Les documents ne répondent pas à cette question")
    expect(reader.page.locator(".problem")).to_have_count(0)
    expect(reader.page.locator(".marker")).to_have_count(0)


def test_silence_leads_to_the_nearest_passages_which_open_on_their_words(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(NOT_SURELY_ANSWERED)
    page = reader.page
    expect(page.locator(".abstention h3")).to_have_text("Aucune réponse sûre dans les documents")
    expect(page.locator(".leads blockquote").first).to_contain_text(
        "interdit au volant des véhicules de plus de 3,5 tonnes"
    )
    open_source(page, 1)
    assert drawn_boxes(page)
    expect(page.locator(".leads .marker[aria-expanded=true]")).to_have_count(1)
    page.reload()
    expect(page.locator(".leads blockquote").first).to_be_visible()


@pytest.mark.parametrize(
    ("asked", "question", "announced", "written", "words"),
    [
        ("fr", "Les chiens sont-ils admis sur les plages en été ?", "d’autres langues", "en", "Dogs are not allowed"),
        ("ar", "كم يوما تحتفظ المطاعم بعينات الأطباق؟", "بلغات أخرى", "fr", "plats témoins sont conservés cinq jours"),
        (
            "en",
            "How many days do the canteens keep sample dishes?",
            "other languages",
            "fr",
            "plats témoins sont conservés",
        ),
    ],
)
def test_silence_leads_to_the_answer_in_another_language_which_opens_on_its_words(
    visit: Callable[..., Any], asked: str, question: str, announced: str, written: str, words: str
) -> None:
    reader = visit(asked)
    reader.ask(question)
    page = reader.page
    expect(page.locator(".leads .abroad")).to_contain_text(announced)
    lead = page.locator(".leads .abroad ~ .quotation", has_text=words)
    expect(lead.locator("blockquote")).to_have_attribute("lang", written)
    lead.locator(".marker").first.click()
    page.wait_for_selector(".sheet.ready")
    assert drawn_boxes(page)


def test_library_lists_every_document_and_filters(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = visit("fr").page
    page.locator(".nav-link").nth(1).click()
    page.wait_for_selector(".documents")
    page.wait_for_url("**/library")
    known = api.get("/documents").json()["documents"]
    expect(page.locator(".documents tbody tr")).to_have_count(len(known))
    page.fill("#filter", known[0]["file_name"])
    expect(page.locator(".documents tbody tr")).to_have_count(
        sum(known[0]["file_name"].lower() in status["file_name"].lower() for status in known)
    )
    page.go_back()
    expect(page.locator("h1")).to_have_text(TITLES["fr"])


def test_page_says_that_it_quotes_and_what_it_cannot_do(visit: Callable[..., Any]) -> None:
    page = visit("fr").page
    expect(page.locator(".notice")).to_contain_text("Aucun modèle de langue n’est configuré")
    page.locator(".notice a").click()
    expect(page.locator("h1")).to_have_text("Ce que fait cet assistant, et ce qu’il ne fait pas")


def test_sign_of_life_comes_at_once(visit: Callable[..., Any]) -> None:
    page = visit("fr").page
    page.route(ANSWERS, lambda route: None)  # never answered: what shows is the page's own
    page.fill("#question", QUESTIONS["fr"])
    milliseconds = page.evaluate("""async () => {
        const begin = performance.now();
        document.querySelector('.question-form').requestSubmit();
        while (!document.querySelector('.skeleton')) await new Promise(requestAnimationFrame);
        return performance.now() - begin;
    }""")
    assert milliseconds < 100
    expect(page.locator(".activity-text")).to_contain_text("documents")


def test_nothing_is_asked_of_another_origin_and_nothing_is_refused(visit: Callable[..., Any]) -> None:
    reader = visit("fr")
    reader.ask(QUESTIONS["fr"])
    reader.page.locator(".marker").first.click()
    reader.page.wait_for_selector(".sheet.ready, .text-page")
    for view in (1, 2):
        reader.page.locator(".nav-link").nth(view).click()
        reader.page.wait_for_load_state("networkidle")
    assert reader.outside == []
    assert reader.complaints == []


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast(visit: Callable[..., Any], dark: bool) -> None:
    reader = visit("fr", dark=dark)
    reader.ask(QUESTIONS["fr"])
    weak = reader.page.evaluate(_WEAK_TEXTS)
    assert weak == []


_WEAK_TEXTS = """() => {
    // Relative luminance and contrast as in WCAG 2.2, section 1.4.3.
    const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const weak = [];
    let looked = 0;
    for (const node of document.querySelectorAll('.assistant *')) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
        const box = node.getBoundingClientRect();
        if (!own || box.width < 2 || node.closest('.unseen, .skip, [aria-hidden], [aria-disabled]')) continue;
        looked += 1;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) weak.push([node.className || node.tagName, node.textContent.slice(0, 30), ratio.toFixed(2)]);
    }
    return looked ? weak : [['no text was there to look at']];
}"""
