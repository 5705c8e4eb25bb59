"""Earlier versions that are kept can be read on the page; a folder's manifest counts when the folder is added there."""

from __future__ import annotations

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
