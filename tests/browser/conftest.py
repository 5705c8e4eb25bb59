"""Headless Chromium, signed in to the real instance that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.instances import RunningInstance

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Visitor:
    """A signed-in reader's browser page, with what it asked for and complained about."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Notes each request and connection to another address, and each error of the page, from now on."""
        self.page.set_default_timeout(15_000)
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("websocket", lambda websocket: self._note(websocket.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, address: str) -> None:
        own = (self.url, self.url.replace("http", "ws", 1), "data:", "blob:")
        if not address.startswith(own):
            self.outside.append(address)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def ask(self, question: str) -> None:
        """Asks, and waits until the answer is complete."""
        self.page.fill("#question", question)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".turn:last-of-type :is(.answer-tools, .abstention, .problem)")


@pytest.fixture(scope="package")
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
def visit(browser: Browser, service: RunningInstance) -> Iterator[Callable[..., Visitor]]:
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
        visitor.listen()
        visitor.page.goto(service.enter_url)
        visitor.page.wait_for_selector("h1")
        return visitor

    yield open_page
    for context in contexts:
        context.close()
