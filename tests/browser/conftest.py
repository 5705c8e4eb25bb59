"""Headless Chromium, and a running service to look at.

`ASSISTANT_TEST_URL` and `ASSISTANT_TEST_TOKEN` name a service that runs already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Service:
    """A running instance with the demo documents."""

    url: str
    token: str

    @property
    def enter_url(self) -> str:
        return f"{self.url}/enter?key={quote(self.token)}"


@dataclass
class Visitor:
    """A signed-in reader's browser page, with what it asked for and complained about."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Asks, and waits until the answer is complete."""
        self.page.fill("#question", question)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".answer-tools, .abstention, .problem")


@pytest.fixture(scope="session")
def service() -> Service:
    url, token = os.environ.get("ASSISTANT_TEST_URL"), os.environ.get("ASSISTANT_TEST_TOKEN")
    if not (url and token):
        pytest.skip("set ASSISTANT_TEST_URL and ASSISTANT_TEST_TOKEN")
    return Service(url, token)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        message = f"{CHROMIUM} is missing; install the Debian package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Callable[..., Visitor]]:
    """Opens the page as a signed-in reader: `visit("ar", width=390, dark=True)`."""
    contexts = []

    def open_page(language: str = "fr", *, width: int = 1440, height: int = 900, dark: bool = False) -> Visitor:
        context = browser.new_context(
            locale=language,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        visitor = Visitor(context.new_page(), service.url)
        own = (service.url, service.url.replace("http", "ws", 1), "data:", "blob:")
        note = lambda address: None if address.startswith(own) else visitor.outside.append(address)  # noqa: E731
        visitor.page.set_default_timeout(15_000)
        visitor.page.on("request", lambda request: note(request.url))
        visitor.page.on("websocket", lambda websocket: note(websocket.url))
        visitor.page.on(
            "console", lambda message: visitor.complaints.append(message.text) if message.type == "error" else None
        )
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.goto(service.enter_url)
        visitor.page.wait_for_selector("h1")
        return visitor

    yield open_page
    for context in contexts:
        context.close()
