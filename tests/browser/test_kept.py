"""What happens to an answer on its way and afterwards: a model that falls out, rights that are lost, summaries that are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_archivists import readers  # noqa: F401 - a fixture
from tests.browser.test_conversations import CHARTER, DELAY, FORMER, QUESTION, SUPPORTED, api, opened  # noqa: F401
from tests.endpoint_server import EndpointServer, answer, broken_after
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def models() -> Iterator[tuple[EndpointServer, EndpointServer]]:
    """A model that falls out after its first sentence, and one that goes on, slowly enough to watch."""
    first = broken_after(f"{SUPPORTED} Le chef de", per_second=40)
    second = answer(f"{SUPPORTED} {DELAY}", per_second=8)
    with EndpointServer(first) as one, EndpointServer(second) as other:
        yield one, other


@pytest.fixture(scope="module")
def service(
    models: tuple[EndpointServer, EndpointServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningInstance]:
    """An instance that keeps all versions, with a charter and two models."""
    folder = tmp_path_factory.mktemp("kept")
    documents = folder / "documents"
    documents.mkdir()
    for name, text in (("charte-2024", CHARTER), ("charte-2021", FORMER)):
        (documents / f"{name}.txt").write_text(text, encoding="utf-8")
        (documents / f"{name}.txt.toml").write_text(f'title = "{name}"\nlabel = "public"\n', encoding="utf-8")
    endpoints = "".join(
        f'[[models.endpoints]]\nname = "essai-{number}"\nurl = "{model.url}"\nmodel = "scripted"\n'
        'clearance = "secret"\ncontext_tokens = 8192\n'
        for number, model in enumerate(models, 1)
    )
    extra = f'[demo]\ndocuments = "{documents}"\n[ingest]\nkeep_versions = "all"\n{endpoints}'
    with running_instance(instance_file(folder, extra=extra)) as instance:
        yield instance


def signed_in(browser: Browser, url: str, name: str) -> Page:
    page = browser.new_context(locale="fr", reduced_motion="reduce").new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{url}/enter?key={name}")
    page.wait_for_selector("#question")
    return page


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn:last-of-type .answer-tools")


def test_page_says_that_a_model_fell_out_and_that_another_began_again(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    models: tuple[EndpointServer, EndpointServer],
) -> None:
    page = visit("fr").page
    page.fill("#question", QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".answer-life .note")).to_contain_text("un autre reprend", timeout=20_000)
    expect(page.locator(".turn .prose")).to_contain_text("trois jours par semaine")
    page.wait_for_selector(".answer-tools")
    expect(page.locator(".answer-life .note")).to_have_count(0)
    expect(page.locator(".answer-end .note").first).to_contain_text("un autre a repris")
    expect(page.locator(".turn .prose")).to_contain_text("trente jours")
    assert page.locator(".turn .prose").inner_text().count("trois jours par semaine") == 1
    assert [len(model.seen) for model in models] == [1, 1]
    (turn,) = opened(page, api)["turns"]
    assert (turn["state"], turn["answer"]["incomplete"], len(turn["answer"]["sentences"])) == ("done", False, 2)


def test_turn_whose_source_is_lost_says_so_and_shows_nothing_of_its_text(
    browser: Browser,
    readers: str,  # noqa: F811
) -> None:
    page = signed_in(browser, readers, "reader")
    ask(page, "Quand le ponton des barques est-il ouvert ?")
    page.locator(".turn .marker").first.click()
    page.get_by_role("button", name="Résumer").click()
    page.wait_for_selector(".turn-summary .answer-tools")
    expect(page.locator(".turn-summary h2")).to_have_text("Résumé de « ponton »")
    expect(page.locator(".turn")).to_have_count(2)
    for turn in page.locator(".turn").all():
        expect(turn).to_contain_text("vingt heures")
    with httpx.Client(base_url=f"{readers}/v1", headers={"authorization": "Bearer archivist"}, trust_env=False) as api:  # noqa: F811
        (document,) = api.get("/documents?q=ponton").json()["documents"]
        reply = api.patch(f"/documents/{document['document_id']}", json={"label": "internal"})
        assert reply.status_code == 200, reply.text
    page.reload()
    page.wait_for_selector("h2.question")
    expect(page.locator(".turn-question .answer-end .note")).to_contain_text("N’est plus affiché")
    expect(page.locator(".turn-summary .answer-end .note")).to_contain_text("N’est plus affiché")
    expect(page.locator(".turn-summary h2")).to_have_text("Résumé de « un document qui n’est plus disponible »")
    expect(page.locator(".marker, .abstention, blockquote, .ai-notice, .turn .export")).to_have_count(0)
    kept = page.evaluate(
        "fetch('./v1/conversations/' + new URLSearchParams(location.search).get('c')).then((r) => r.text())"
    )
    for text in (page.content(), kept):
        for word in ("vingt heures", "huit heures", "avril", "octobre", "ponton.txt"):
            assert word not in text, f"{word} leaked"
    page.context.close()


def test_summary_and_comparison_stay_in_the_conversation_and_can_be_taken_away(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
) -> None:
    reader = visit("fr")
    page = reader.page
    reader.ask(QUESTION)
    page.locator(".marker").first.click()
    page.get_by_role("button", name="Résumer").click()
    page.wait_for_selector(".turn-summary .answer-tools .export", timeout=60_000)
    page.locator(".turn-summary .marker").first.click()
    page.get_by_role("button", name="Comparer des versions").click()
    page.fill("#other-document", "charte-20")
    page.locator(".other-found button").first.click()
    page.wait_for_selector(".turn-changes .answer-tools .export")
    page.reload()
    page.wait_for_selector("h2.question")
    charter = r"«\scharte-20\d\d\s»"
    heads = [re.escape(QUESTION), f"Résumé de {charter}", f"Comparaison de {charter} et de {charter}"]
    expect(page.locator("h2.question")).to_have_text([re.compile(head) for head in heads])
    expect(page.locator(".turn-changes ins", has_text=re.compile("trois|deux"))).to_have_count(1)
    page.locator(".turn-summary .marker").first.click()
    expect(page.locator(".text-page mark")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator(".turn-changes .export").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Texte Markdown").last.click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "Comparaison de" in text
    assert "[^2]" in text
    page.locator(".turn-changes .again").click()
    expect(page.locator(".turn-changes")).to_have_count(1)
    page.wait_for_selector(".turn-changes .answer-tools")
    assert [turn["kind"] for turn in opened(page, api)["turns"]] == ["question", "summary", "changes"]
    assert reader.complaints == []
