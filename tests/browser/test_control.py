"""The archivists' oversight as they meet it: retention, holds, receipts, integrity, watched folders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_archivists import handed_in, readers, settled, visiting  # noqa: F401 - readers is a fixture
from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser

TABS = ("retention", "holds", "receipts", "consistency", "folders", "gold")
DUE, HELD, KEPT = "Marché du phare", "Marché du quai", "Marché de la digue"
LONG_MS = 60_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance that keeps public contracts for ten years and watches one folder that is there and one that is not."""
    folder = tmp_path_factory.mktemp("control")
    watched = folder / "depot"
    watched.mkdir()
    (watched / "depot.txt").write_text("Mention de diffusion : PUBLIC\n\nUne note déposée dans le dossier du port.\n")
    rules = f'watch = ["{watched}", "{folder / "absent"}"]\nwatch_every_s = 1\n'
    rules += '[[ingest.retention]]\ncollection = "Marchés"\nkeep_years = 10\n'
    with running_instance(instance_file(folder, extra=f"[ingest]\n{rules}")) as instance:
        yield instance


@pytest.fixture
def api(service: RunningInstance) -> Iterator[httpx.Client]:
    """The service's interface, with two contracts that are due, one of them held, and one that is not due."""
    headers = {"Authorization": f"Bearer {service.token}"}
    fresh = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60, limits=fresh
    ) as client:
        for title, date in ((DUE, "1996-05-31"), (HELD, "1997-05-31"), (KEPT, "2026-01-31")):
            text = f"{title} : le marché est attribué à la société Zibeline.\n".encode()
            document_id = handed_in(client, f"{title}.txt", text)["document_id"]
            client.patch(f"/documents/{document_id}", json={"title": title, "collection": "Marchés", "date": date})
            settled(client, document_id)
        client.put(f"/documents/{id_of(client, HELD)}/hold", json={"reason": "Affaire 24-117"})
        yield client
        for status in client.get("/documents").json()["documents"]:
            if status["collection"] == "Marchés":
                client.delete(f"/documents/{status['document_id']}/hold")
                client.delete(f"/documents/{status['document_id']}")


def id_of(api: httpx.Client, title: str) -> str:
    documents = api.get("/documents").json()["documents"]
    found: str = next(status["document_id"] for status in documents if status["title"] == title)
    return found


def purge_of(api: httpx.Client, receipt_id: str) -> str:
    """The record that what this erasure left was purged, which follows in the background."""
    deadline = time.monotonic() + LONG_MS / 1000
    while not (purges := api.get("/receipts", params={"q": receipt_id}).json()["purges"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    found: str = purges[receipt_id]["receipt_id"]
    return found


def control(visit: Callable[..., Any], tab: str = "retention", language: str = "fr", **look: Any) -> Page:
    page: Page = visit(language, **look).page
    page.locator(".nav-link").nth(2).click()
    page.wait_for_url("**/control")
    page.click(f"#tab-{tab}")
    return page


def test_dry_run_shows_what_is_due_by_which_rule_and_what_is_held(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = control(visit)
    expect(page.locator("h1")).to_have_text("Conservation et contrôle")
    expect(page.locator(".lines li").first).to_have_text(
        "Fonds «\u00a0Marchés\u00a0»\u00a0: à conserver 10\u00a0ans à compter de la date du document"
    )
    rows = page.locator(".register tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text=DUE)).to_contain_text("31 mai 2006")
    expect(rows.filter(has_text=HELD)).to_contain_text("Gel juridique")
    expect(rows.filter(has_text=HELD).locator("input")).to_have_count(0)
    page.get_by_role("button", name=f"Ouvrir {DUE}").click()
    page.wait_for_selector(".dossier-facts")
    expect(page.locator("h1")).to_have_text(DUE)
    page.locator(".nav-link").nth(2).click()
    expect(page.locator("#tab-retention")).to_have_attribute("aria-selected", "true")


def test_nothing_is_erased_before_the_list_was_read_and_then_only_what_was_ticked(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    due, held = id_of(api, DUE), id_of(api, HELD)
    page = control(visit)
    page.wait_for_selector(".tick")
    page.locator(".tick").uncheck()
    expect(page.locator("#apply-retention")).to_have_attribute("aria-disabled", "true")
    page.locator(".tick").check()
    page.click("#apply-retention")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(DUE)
    expect(dialog).not_to_contain_text(HELD)
    page.click("#erase-due")
    assert not page.evaluate("document.querySelector('#list-read').validity.valid")
    assert api.get(f"/documents/{due}").status_code == 200
    page.check("#list-read")
    page.click("#erase-due")
    line = page.locator(".erased-lines li")
    expect(line).to_contain_text(DUE, timeout=LONG_MS)
    with page.expect_download() as download:
        line.get_by_role("link").click()
    receipt = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert receipt["document_id"] == due
    assert api.post("/receipts/verify", json=receipt).json()["valid"]
    assert [api.get(f"/documents/{each}").status_code for each in (due, held, id_of(api, KEPT))] == [404, 200, 200]
    expect(page.locator(".register tbody tr")).to_have_count(1)


def test_document_held_after_the_list_was_read_is_not_erased_and_is_named(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    page = control(visit)
    page.wait_for_selector(".tick")
    page.click("#apply-retention")
    api.put(f"/documents/{id_of(api, DUE)}/hold", json={"reason": "arrivé à l'instant"})
    page.check("#list-read")
    page.click("#erase-due")
    expect(page.locator(".run")).to_contain_text(f"entre-temps\u00a0: {DUE}", timeout=LONG_MS)
    assert api.get(f"/documents/{id_of(api, DUE)}").status_code == 200


def test_holds_say_who_and_why_and_are_lifted_and_set_here(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = control(visit, "holds")
    row = page.locator(".register tbody tr")
    expect(row).to_have_count(1)
    for part in (HELD, "Affaire 24-117", "local"):
        expect(row).to_contain_text(part)
    page.get_by_role("button", name=f"Lever le gel de {HELD}").click()
    expect(page.get_by_role("dialog")).to_contain_text("Affaire 24-117")
    expect(page.get_by_role("dialog").get_by_role("button", name="Annuler")).to_be_focused()
    assert api.get("/documents/holds").json()["holds"]
    page.click("#release-now")
    expect(page.locator(".control h2").first).to_have_text("Aucun document n’est gelé.")
    assert api.get("/documents/holds").json()["holds"] == []
    page.fill("#hold-search", "zibeline-nothing")
    expect(page.locator(".hold-results")).to_contain_text("Aucun document ne correspond")
    page.fill("#hold-search", "marché")
    expect(page.locator(".hold-found li")).to_have_count(3)
    page.get_by_role("checkbox", name=KEPT).check()
    page.get_by_role("checkbox", name=DUE).check()
    page.fill("#holds-reason", "Contentieux 9")
    page.keyboard.press("Enter")
    expect(row).to_have_count(2)
    expect(page.locator("#holds-reason")).to_have_value("")
    held = api.get("/documents/holds").json()["holds"]
    assert {(hold["title"], hold["reason"], hold["by"]) for hold in held} == {
        (KEPT, "Contentieux 9", "local"), (DUE, "Contentieux 9", "local"),
    }  # fmt: skip


def test_receipts_are_listed_found_downloaded_and_checked(
    visit: Callable[..., Any], api: httpx.Client, tmp_path: Path
) -> None:
    erased = api.delete(f"/documents/{id_of(api, KEPT)}").json()
    page = control(visit, "receipts")
    page.fill("#receipt-search", erased["receipt_id"])
    row = page.locator(".register tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("local")
    with page.expect_download() as download:
        row.get_by_role("link").first.click()
    content = Path(download.value.path()).read_bytes()
    genuine, forged = tmp_path / "genuine.json", tmp_path / "forged.json"
    genuine.write_bytes(content)
    forged.write_bytes(content.replace(b'"passages":1', b'"passages":2'))
    page.set_input_files("#receipt-file", genuine)
    expect(page.locator(".verdict.good")).to_contain_text("authentique et inchangé")
    expect(page.locator(".verdict.good")).to_contain_text(erased["document_id"])
    page.set_input_files("#receipt-file", forged)
    expect(page.locator(".verdict.bad")).to_contain_text("n’est pas un récépissé authentique")
    expect(page.locator(".verdict.bad")).not_to_contain_text(erased["document_id"])
    purge = purge_of(api, erased["receipt_id"])
    page.click("#tab-holds")
    page.click("#tab-receipts")
    expect(row.get_by_role("link")).to_have_count(2)
    with page.expect_download() as record:
        row.get_by_role("link").last.click()
    assert json.loads(Path(record.value.path()).read_text(encoding="utf-8"))["receipt_id"] == purge
    page.set_input_files("#receipt-file", record.value.path())
    expect(page.locator(".verdict.good")).to_contain_text("les traces de recherche")
    with page.expect_download() as key:
        page.get_by_role("link", name="Clé publique").click()
    assert Path(key.value.path()).read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    page.fill("#receipt-search", "zibeline")
    expect(page.locator(".nothing")).to_have_text("Aucun récépissé ne correspond.")


def test_check_reports_what_it_finds_and_waits_for_who_left(
    visit: Callable[..., Any], api: httpx.Client, service: RunningInstance
) -> None:
    page = control(visit, "consistency")
    page.click("#check-only")
    page.click("#tab-folders")
    page.wait_for_selector(".register")
    page.click("#tab-consistency")
    expect(page.locator(".verdict.good")).to_contain_text("Tout concorde", timeout=LONG_MS)
    expect(page.locator(".check-result .facts")).to_contain_text("Inscrits au registre")
    page.reload()
    expect(page.locator(".verdict.good")).to_contain_text("par local", timeout=LONG_MS)
    version = api.get(f"/documents/{id_of(api, KEPT)}").json()["version"]
    original = next(file for file in service.home.rglob(version) if file.is_file())
    sound = original.read_bytes()
    original.chmod(0o600)
    original.write_bytes(sound + b"x")
    try:
        page.click("#check-mend")
        expect(page.locator(".verdict.bad")).to_contain_text("À traiter", timeout=LONG_MS)
        row = page.locator(".register tbody tr")
        expect(row).to_contain_text("Un fichier d’origine a été modifié")
        row.get_by_role("button").click()
        expect(page.locator("h1")).to_have_text(KEPT)
    finally:
        original.write_bytes(sound)


def test_watched_folders_are_shown_with_what_was_last_seen(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = control(visit, "folders")
    rows = page.locator(".register tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("depot")
    expect(rows.first).to_contain_text("En ordre", timeout=LONG_MS)
    expect(rows.last).to_contain_text("Introuvable ou inaccessible")


def test_tabs_are_walked_with_the_keyboard_in_the_direction_of_reading(
    visit: Callable[..., Any], api: httpx.Client
) -> None:
    page = control(visit, language="ar")
    page.focus("#tab-retention")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-holds")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#tab-gold")).to_be_focused()
    first, last = page.locator("#tab-retention").bounding_box(), page.locator("#tab-gold").bounding_box()
    assert first["x"] > last["x"]


@pytest.mark.parametrize(("language", "width"), [("fr", 320), ("ar", 390), ("en", 768)])
def test_no_width_scrolls_sideways(visit: Callable[..., Any], api: httpx.Client, language: str, width: int) -> None:
    page = control(visit, language=language, width=width, height=800)
    api.delete(f"/documents/{id_of(api, KEPT)}")
    for tab in TABS:
        page.click(f"#tab-{tab}")
        page.wait_for_selector(".register, #check-only, #run-gold")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), tab


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast(visit: Callable[..., Any], api: httpx.Client, dark: bool) -> None:
    page = control(visit, dark=dark)
    for tab in TABS:
        page.click(f"#tab-{tab}")
        page.mouse.move(0, 0)
        page.wait_for_selector(".register, .nothing, #check-only, #run-gold")
        assert page.evaluate(WEAK_TEXTS) == [], tab


def test_nothing_is_refused_and_nothing_asked_of_another_origin(visit: Callable[..., Any], api: httpx.Client) -> None:
    visitor = visit("fr")
    visitor.page.locator(".nav-link").nth(2).click()
    for tab in TABS:
        visitor.page.click(f"#tab-{tab}")
        visitor.page.wait_for_load_state("networkidle")
    assert (visitor.outside, visitor.complaints) == ([], [])


def test_reader_without_the_role_finds_no_way_there(browser: Browser, readers: str) -> None:  # noqa: F811
    page, asked = visiting(browser, readers, "reader")
    expect(page.locator(".nav-link")).to_have_count(3)
    page.goto(f"{readers}/control")
    page.wait_for_selector("h1")
    expect(page.locator(".control")).to_have_count(0)
    assert not [url for url in asked if "/v1/receipts" in url or url.endswith(("/holds", "/retention", "/watched"))]
    page.context.close()
