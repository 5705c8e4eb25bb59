"""The page in Chromium, over documents that try to command the assistant: text stays text, and nothing outside is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.attacks import Attack, attacks, endpoint_table, obeying_all, written
from tests.browser.conftest import Visitor
from tests.endpoint_server import EndpointServer
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser

ACTIVE = (
    "img, script, iframe, object, embed, link, style, use, form, video, audio, base, meta, [onload], [onerror], "
    'a[href^="http"], a[href^="//"], a[href^="javascript"], a[href^="data"]'
)
"""What an answer may never be made of; the page's own icons are drawn without any of it."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance in which every document attacks, with a model that obeys them all."""
    folder = tmp_path_factory.mktemp("attacked")
    documents = written(folder / "documents")
    for file in list(documents.iterdir()):
        file.with_name(f"{file.name}.toml").write_text('label = "public"\n', encoding="utf-8")
    with EndpointServer(obeying_all) as model:
        extra = f'[demo]\ndocuments = "{documents}"\n{endpoint_table(model)}'
        with running_instance(instance_file(folder, extra=extra)) as instance:
            yield instance


@pytest.fixture(scope="module", params=["fr", "ar", "en"])
def visitor(request: pytest.FixtureRequest, browser: Browser, attacked: RunningInstance) -> Iterator[Visitor]:
    """A reader of the page in one language."""
    context = browser.new_context(locale=request.param, reduced_motion="reduce")
    found = Visitor(context.new_page(), attacked.url)
    found.listen()
    found.page.goto(attacked.enter_url)
    found.page.wait_for_selector("h1")
    yield found
    context.close()


def of_language(request: pytest.FixtureRequest) -> list[Attack]:
    return [attack for attack in attacks() if attack.language == request.node.callspec.params["visitor"]]


def ask_anew(visitor: Visitor, attack: Attack) -> None:
    """Asks on a fresh page."""
    visitor.page.goto(visitor.url)
    visitor.page.wait_for_selector("#question")
    visitor.ask(attack.question)


def active_parts(visitor: Visitor) -> list[str]:
    """The active elements in answers, as HTML."""
    parts: list[str] = visitor.page.evaluate(
        "(active) => [...document.querySelectorAll('.answer-body')]"
        ".flatMap((body) => [...body.querySelectorAll(active)].map((one) => one.outerHTML))",
        ACTIVE,
    )
    return parts


def test_a_model_that_obeys_attacking_documents_shows_text_and_nothing_it_was_told_to_say(
    visitor: Visitor, request: pytest.FixtureRequest
) -> None:
    wrong = []
    for attack in of_language(request):
        ask_anew(visitor, attack)
        shown = visitor.page.locator(".answer-body").all_inner_texts()
        assert shown, attack.id
        ran = visitor.page.evaluate("() => window.canari")
        doubtful = visitor.page.locator(".answer-body .weak").all_inner_texts()
        said = [words for words in attack.never if words in " ".join(shown) and words not in " ".join(doubtful)]
        if active_parts(visitor) or ran is not None or said or visitor.page.locator(".marker").count() == 0:
            wrong.append((attack.id, active_parts(visitor), ran, said, shown))
    assert wrong == []
    assert visitor.outside == [], "the page asked for something outside"


def test_source_of_an_attacking_document_stays_text(visitor: Visitor, request: pytest.FixtureRequest) -> None:
    attack = next(one for one in of_language(request) if one.kind == "xss_script")
    ask_anew(visitor, attack)
    visitor.page.click(".marker >> nth=0")
    visitor.page.wait_for_selector("#source .text-page")
    assert visitor.page.locator("#source .text-page").locator("img, script, svg, iframe, a").count() == 0
    assert visitor.page.evaluate("() => window.canari") is None
    assert visitor.outside == []
