"""What an answer rests on and was badly read is said under it, in its language, whatever language the page is in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS
from tests.browser.test_page import ANSWERS, SCANNED
from tests.conftest import needed
from tests.instances import RunningInstance, running_instance
from tests.worlds import DEMO, instance_file

pytestmark = pytest.mark.browser

NOTE = "note-1996-salle-lecture-archives.pdf"
SAYS = {"fr": "a été lue par OCR avec une confiance de", "ar": "قُرئ المصدر", "en": "was read by OCR with"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance to which every page that OCR read is doubtful; it holds one scan."""
    needed("tesseract", "tesseract-ocr")
    folder = tmp_path_factory.mktemp("doubtful")
    documents = folder / "documents"
    documents.mkdir()
    for name in (NOTE, f"{NOTE}.toml"):
        shutil.copy(DEMO / "documents" / "fr" / name, documents)
    with running_instance(
        instance_file(folder, extra=f'[ingest]\nocr_confidence = 1.0\n[demo]\ndocuments = "{documents}"\n')
    ) as instance:
        yield instance


def answer_in(visitor: Any, language: str) -> None:
    """Asks about the scan, for an answer in this language."""

    def speak(route: Route) -> None:
        route.continue_(post_data=json.dumps({**route.request.post_data_json, "language": language}))

    visitor.page.route(ANSWERS, speak)
    visitor.ask(SCANNED)


@pytest.mark.parametrize(
    ("page_language", "language", "direction", "dark"),
    [("fr", "fr", "ltr", False), ("ar", "ar", "rtl", True), ("ar", "fr", "ltr", False), ("en", "ar", "rtl", True)],
)
def test_answer_that_rests_on_a_badly_read_page_says_so_in_its_language(
    visit: Callable[..., Any], page_language: str, language: str, direction: str, dark: bool
) -> None:
    visitor = visit(page_language, dark=dark)
    answer_in(visitor, language)
    note = visitor.page.locator(".source-note").first
    expect(note).to_be_visible()
    expect(note).to_contain_text(SAYS[language])
    expect(note).to_have_attribute("lang", language)
    assert note.evaluate("node => getComputedStyle(node).direction") == direction
    assert visitor.page.evaluate(WEAK_TEXTS) == []


def test_copied_answer_carries_its_notes(visit: Callable[..., Any]) -> None:
    visitor = visit("fr")
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer_in(visitor, "fr")
    visitor.page.locator(".copy").click()
    expect(visitor.page.locator(".copy")).to_contain_text("Copié")
    assert SAYS["fr"] in visitor.page.evaluate("navigator.clipboard.readText()")
