"""The page for those who do not see it, or see it otherwise: names, states and languages as assistive technology is told them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_page import QUESTIONS

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 800}


def test_empty_question_is_announced_as_invalid_until_something_is_typed(visit: Callable[..., Any]) -> None:
    page = visit("fr").page
    page.locator(".question-form [type=submit]").click()
    expect(page.locator("#question")).to_have_attribute("aria-invalid", "true")
    page.locator("#question").press_sequentially("a")
    expect(page.locator("#question")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("width", "names"), [(320, ("FR Français", "ع العربية", "EN English")), (1440, ("Français", "العربية", "English"))]
)
def test_name_of_a_language_begins_with_what_is_seen_of_it(
    visit: Callable[..., Any], width: int, names: tuple[str, ...]
) -> None:
    languages = visit("fr", width=width).page.get_by_role("group", name="Langue")
    for name in names:
        expect(languages.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_panels_over_the_page_are_dialogs_on_elements_that_may_be_dialogs(visit: Callable[..., Any]) -> None:
    reader = visit("fr", **NARROW)
    reader.ask(QUESTIONS["fr"])
    expect(reader.page.get_by_role("region", name="Conversations")).to_be_visible()
    reader.page.locator(".talks-open").click()
    expect(reader.page.get_by_role("dialog", name="Conversations")).to_be_visible()
    reader.page.keyboard.press("Escape")
    reader.page.locator(".marker").first.click()
    expect(reader.page.locator("#source[role=dialog]")).to_be_visible()
    assert reader.page.locator("#source, #talks").evaluate_all("nodes => nodes.map(node => node.localName)") == [
        "div",
        "div",
    ]
