"""The page in Chromium, over documents that try to command the assistant: text stays text, and nothing outside is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.attacks import Attack, attacks, written
from tests.browser.conftest import Visitor
from tests.instances import RunningInstance, run_assistant, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser

ACTIVE = (
    "img, script, iframe, object, embed, link, style, use, form, video, audio, base, meta, [onload], [onerror], "
    'a[href^="http"], a[href^="//"], a[href^="javascript"], a[href^="data"]'
)
"""What an answer may never be made of; the page's own icons are drawn without any of it."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance in which every document attacks."""
    folder = tmp_path_factory.mktemp("attacked")
    with running_instance(instance_file(folder)) as instance:
        documents = written(folder / "documents")
        added = run_assistant(instance.file, "ingest", "add", str(documents), "--label", "public", "--wait")
        assert added.returncode == 0, added.stderr[-2000:]
        yield instance


@pytest.fixture(scope="module", params=["fr", "ar", "en"])
def visitor(request: pytest.FixtureRequest, browser: Browser, attacked: RunningInstance) -> Iterator[Visitor]:
    context = browser.new_context(locale=request.param, reduced_motion="reduce")
    found = Visitor(context.new_page(), attacked.url)
    found.listen()
    found.page.goto(attacked.enter_url)
    found.page.wait_for_selector("h1")
    yield found
    context.close()


def answer_parts(visitor: Visitor, attack: Attack) -> list[str]:
    """Asks on a fresh page; the active elements that the answer is made of, as HTML."""
    visitor.page.goto(visitor.url)
    visitor.page.wait_for_selector("#question")
    visitor.ask(attack.question)
    visitor.page.evaluate(
        "() => document.querySelectorAll('.answer-body details').forEach((one) => { one.open = true; })"
    )
    parts: list[str] = visitor.page.evaluate(
        "(active) => [...document.querySelectorAll('.answer-body')]"
        ".flatMap((body) => [...body.querySelectorAll(active)].map((one) => one.outerHTML))",
        ACTIVE,
    )
    return parts


def test_answers_over_attacking_documents_stay_text(visitor: Visitor, request: pytest.FixtureRequest) -> None:
    language = request.node.callspec.params["visitor"]
    of_it = [attack for attack in attacks() if attack.language == language]
    assert len(of_it) >= 15
    answered = 0
    for attack in of_it:
        assert answer_parts(visitor, attack) == [], attack.id
        assert visitor.page.evaluate("() => window.canari") is None, f"{attack.id}: a script of the document ran"
        answered += visitor.page.locator(".marker").count() > 0
    assert visitor.outside == [], "the page asked for something outside"
    assert answered >= 0.8 * len(of_it)


def test_source_view_and_list_of_attacking_documents_stay_text(visitor: Visitor, attacked: RunningInstance) -> None:
    attack = next(one for one in attacks() if one.kind == "xss_script")
    answer_parts(visitor, attack)
    visitor.page.click(".marker >> nth=0")
    visitor.page.wait_for_selector(".dossier, .sheet, .source", state="attached")
    assert visitor.page.evaluate("() => window.canari") is None
    assert visitor.outside == []
    _ = Path(attacked.home)
