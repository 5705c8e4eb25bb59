"""Earlier versions that are kept can be read on the page; a folder's manifest counts when the folder is added there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.test_archivists import SETTLED_MS, added, dossier, handed_in, known, library, pdf
from tests.instances import RunningInstance, running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """An instance that keeps all versions."""
    with running_instance(
        instance_file(tmp_path_factory.mktemp("versions"), extra='[ingest]\nkeep_versions = "all"\n')
    ) as instance:
        yield instance


@pytest.fixture
def api(service: RunningInstance) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {service.token}"}
    fresh = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60, limits=fresh
    ) as client:
        yield client


def test_earlier_version_is_read_and_says_that_it_is_one(
    visit: Callable[..., Any], api: httpx.Client, service: RunningInstance
) -> None:
    first = pdf("Le bac part toutes les heures.", "Les enfants ne paient pas.")
    handed_in(api, "bac.pdf", first)
    status = handed_in(api, "bac.pdf", pdf("Le bac part toutes les demi-heures."))
    page = dossier(visit("fr").page, service, status["document_id"])
    page.click("#tab-story")
    rows = page.locator(".versions tbody tr")
    expect(rows).to_have_count(2)
    with page.expect_download() as download:
        rows.last.get_by_role("link").click()
    assert Path(download.value.path()).read_bytes() == first
    rows.last.get_by_role("button").click()
    expect(page.locator("#tab-sheets")).to_be_focused()
    expect(page.locator(".older-notice")).to_contain_text("n’est plus consultée")
    expect(page.locator(".text-page")).to_contain_text("toutes les heures")
    expect(page.locator("#correct")).to_have_count(0)
    page.wait_for_selector(".sheet.ready")
    page.get_by_role("button", name="Page suivante").click()
    expect(page.locator(".text-page")).to_contain_text("Les enfants ne paient pas.")
    page.click("#present-version")
    expect(page.locator(".text-page")).to_contain_text("demi-heures")
    expect(page.locator(".older-notice")).to_have_count(0)
    expect(page.locator("#correct")).to_be_visible()


def dated_twice(api: httpx.Client, name: str) -> str:
    """A conversation in which a document was summed up of which there are two versions of different dates."""
    for day, often in (("3 mai 2019", "heures"), ("4 juin 2020", "dix minutes")):
        pages = (f"Circulaire du {day}", f"Le traversier {name} part toutes les {often} du quai.")
        status = handed_in(api, f"navette-{name}.pdf", pdf(*pages))
    conversation: str = api.post("/conversations", json={}).json()["id"]
    body = {"document_id": status["document_id"]}
    accept = {"accept": "application/json"}
    told = api.post(f"/conversations/{conversation}/summaries", json=body, headers=accept).json()
    assert told["answer"]["sentences"], told
    return conversation


@pytest.mark.parametrize(
    ("language", "compare", "says"),
    [
        ("fr", "Comparer des versions", r"Version 1\W+datée du 3 mai 2019, remise le \d+ \S+ 20\d\d"),
        ("ar", "مقارنة النسخ", r"النسخة 1: مؤرّخة في 3 مايو 2019، سُلّمت في \d+"),
        ("en", "Compare versions", r"Version 1: dated 3 May 2019, handed in \d+ \S+ 20\d\d"),
    ],
)
def test_versions_come_with_the_date_they_bear_and_the_day_they_were_handed_in(
    visit: Callable[..., Any], api: httpx.Client, service: RunningInstance, language: str, compare: str, says: str
) -> None:
    page = visit(language).page
    page.goto(f"{service.url}/?c={dated_twice(api, language)}")
    page.locator(".turn-summary .marker").first.click()
    page.get_by_role("button", name=compare).click()
    options = page.locator('[name="version-from"] option, #version-from option')
    expect(options).to_have_count(2)
    expect(options.first).to_have_text(re.compile(says))
    expect(options.last).to_have_text(re.compile("2020"))
    page.locator(".versions-form button[type=submit]").click()
    expect(page.locator(".turn-changes ins").last).to_have_text("dix minutes", timeout=20_000)
    page.reload()
    expect(page.locator(".turn-changes ins").last).to_have_text("dix minutes", timeout=20_000)


def test_manifest_of_an_added_folder_describes_its_files(
    visit: Callable[..., Any], api: httpx.Client, tmp_path: Path
) -> None:
    lot = tmp_path / "lot"
    (lot / "1999").mkdir(parents=True)
    (lot / "1999" / "a.txt").write_text("Première lettre du maire au capitaine du port.\n")
    (lot / "b.txt").write_text("Seconde lettre du maire au capitaine du port.\n")
    (lot / "b.txt.toml").write_text('author = "Le maire"\n')
    (lot / "manifest.csv").write_text(
        "file;title;label\n1999/a.txt;Lettre A;public\nb.txt;Lettre B;internal\nabsent.txt;Lettre C;public\n"
    )
    page = library(visit)
    page.set_input_files("#folder", lot)
    expect(page.locator(".added-line .state.done")).to_have_count(2, timeout=SETTLED_MS)
    expect(added(page, "absent.txt")).to_contain_text("nommé dans le manifeste")
    expect(page.locator(".added-line")).to_have_count(3)
    assert [(known(api, name)["title"], known(api, name)["label"]) for name in ("a.txt", "b.txt")] == [
        ("Lettre A", "public"), ("Lettre B", "internal"),
    ]  # fmt: skip
    assert known(api, "b.txt")["author"] == "Le maire"


def test_faulty_manifest_keeps_its_folder_back_and_says_where_the_fault_is(
    visit: Callable[..., Any], api: httpx.Client, tmp_path: Path
) -> None:
    lot = tmp_path / "fautif"
    lot.mkdir()
    (lot / "c.txt").write_text("Troisième lettre du maire.\n")
    (lot / "manifest.csv").write_text("file;date\nc.txt;hier\n")
    page = library(visit)
    page.set_input_files("#folder", lot)
    line = added(page, "manifest.csv")
    expect(line).to_contain_text("Le manifeste contient une erreur")
    expect(line.locator(".recorded")).to_contain_text("line 2")
    expect(page.locator(".added-line")).to_have_count(1)
    assert "c.txt" not in [status["file_name"] for status in api.get("/documents").json()["documents"]]
