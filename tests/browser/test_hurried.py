"""A reader who is faster than the page's script: nothing is lost, and the page gets where it was sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PATIENTLY_MS = 20_000


@pytest.mark.parametrize("pause_ms", [100, 200, 300, 500])
def test_link_followed_while_another_is_being_followed_leads_on(visit: Callable[..., Any], pause_ms: int) -> None:
    visitor = visit()
    links = visitor.page.locator(".nav-link")
    links.nth(1).click()
    visitor.page.wait_for_selector(".documents")
    visitor.page.wait_for_timeout(pause_ms)
    links.nth(2).click()
    expect(visitor.page).to_have_url(re.compile("/control"), timeout=PATIENTLY_MS)
    expect(visitor.page.locator(".tab").first).to_be_visible(timeout=PATIENTLY_MS)
    assert not visitor.complaints
