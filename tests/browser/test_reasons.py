"""What the page says of documents that hold no text of their own, or none that could be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.test_archivists import SETTLED_MS, api, dossier, handed_in, library, settled  # noqa: F401 - a fixture
from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS

pytestmark = pytest.mark.browser


def test_archive_leads_to_its_files_and_shows_no_error(
    visit: Callable[..., Any],
    service: Any,
    api: httpx.Client,  # noqa: F811
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("quai nord.txt", "Le quai nord est fermé aux voitures le dimanche matin.\n")
    status = handed_in(api, "versement du port.zip", content.getvalue())
    for found in api.get("/documents", params={"q": "versement du port.zip!/"}).json()["documents"]:
        settled(api, found["document_id"])
    visitor = visit("fr")
    page = dossier(visitor.page, service, status["document_id"])
    expect(page.locator(".callout.reading")).to_contain_text("Archive")
    expect(page.locator(".callout.problem, .download")).to_have_count(0)
    page.locator("#inside").press("Enter")
    expect(page.locator(".documents tbody tr")).to_have_count(1)
    expect(page.locator(".documents tbody")).to_contain_text("quai nord")
    assert not visitor.complaints


@pytest.mark.parametrize(
    ("language", "cause", "remedy"),
    [
        ("fr", "C’est une archive RAR", "décompressez-la"),
        ("ar", "هذا أرشيف RAR", "فكّ ضغطه"),
        ("en", "It is a RAR archive", "unpack it"),
    ],
)
def test_document_says_its_own_cause_and_what_to_do_about_that(
    visit: Callable[..., Any],
    service: Any,
    api: httpx.Client,  # noqa: F811
    language: str,
    cause: str,
    remedy: str,
) -> None:
    status = handed_in(api, "vieux-lot.rar", b"Rar!\x1a\x07\x01\x00" + bytes(40))
    page = dossier(visit(language, width=390, dark=True).page, service, status["document_id"])
    expect(page.locator(".trouble")).to_contain_text(cause)
    expect(page.locator(".trouble")).to_contain_text(remedy)
    assert page.evaluate(WEAK_TEXTS) == []


@pytest.mark.parametrize(
    ("language", "refused", "remedy", "taken"),
    [
        (
            "fr",
            "Il manque au manifeste la colonne « file »",
            "Nommez la première colonne « file »",
            "Ce tableau ressemble à un manifeste",
        ),
        ("ar", "ينقص البيان العمود «file»", "سمِّ العمود الأول «file»", "يشبه هذا الجدول بيانًا"),
        (
            "en",
            "The manifest lacks the column “file”",
            "Call the first column “file”",
            "This table looks like a manifest",
        ),
    ],
)
def test_table_that_lacks_a_column_of_a_manifest_says_so_at_once(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    tmp_path: Path,
    language: str,
    refused: str,
    remedy: str,
    taken: str,
) -> None:
    table = f"fichier;titre;mention\nquai.txt;Le quai {language};public\n"
    for name in ("manifest.csv", "lot.csv"):
        (tmp_path / name).write_text(table)
    page = library(visit, language, width=390)
    page.select_option("#upload-label", "public")
    page.set_input_files("#files", [tmp_path / "manifest.csv", tmp_path / "lot.csv"])
    expect(page.locator(".upload")).to_contain_text(refused, timeout=SETTLED_MS)
    expect(page.locator(".upload")).to_contain_text(remedy)
    expect(page.locator(".upload")).not_to_contain_text("lot.csv")
    page.set_input_files("#files", tmp_path / "lot.csv")
    expect(page.locator(".upload")).to_contain_text(taken, timeout=SETTLED_MS)
    assert page.evaluate(WEAK_TEXTS) == []


def test_conflict_of_markings_names_both_and_either_can_be_chosen(
    visit: Callable[..., Any],
    service: Any,
    api: httpx.Client,  # noqa: F811
) -> None:
    text = "Mention de diffusion : SECRET\n\nLes rondes du port ont lieu toutes les deux heures.\n"
    status = handed_in(api, "rondes.txt", text.encode(), label="public")
    page = dossier(visit("fr").page, service, status["document_id"])
    expect(page.locator(".trouble h2")).to_contain_text("« Secret »")
    expect(page.locator(".trouble h2")).to_contain_text("« Public »")
    page.click(".trouble .button")
    expect(page.locator("#edit-label")).to_have_value("")
    page.select_option("#edit-label", "secret")
    page.click("#save-description")
    expect(page.locator(".dossier-facts .state.done")).to_be_visible(timeout=SETTLED_MS)
    assert settled(api, status["document_id"])["label"] == "secret"
    page.click("#tab-story")
    expect(page.locator(".events")).to_contain_text("La mention portée par le document est")
    expect(page.locator(".events .recorded")).to_have_count(0)


def test_typed_description_is_not_lost_without_a_question(
    visit: Callable[..., Any],
    service: Any,
    api: httpx.Client,  # noqa: F811
) -> None:
    status = handed_in(api, "amarrage.txt", "Les amarres du quai sud sont vérifiées en mars.\n".encode())
    page = dossier(visit("fr").page, service, status["document_id"])
    page.click("#tab-describe")
    page.click("#save-description")
    expect(page.locator(".done-note")).to_have_text("Rien n’a été modifié.")
    page.fill("#edit-title", "Amarres du quai sud")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".back-link")
    page.locator(".nav-link").nth(0).click()
    expect(page.locator("#edit-title")).to_have_value("Amarres du quai sud")
    assert len(asked) == 2
    page.click("#save-description")
    expect(page.locator("h1")).to_have_text("Amarres du quai sud", timeout=SETTLED_MS)
    page.click(".back-link")
    expect(page.locator(".documents tbody")).to_contain_text("Amarres du quai sud")
    assert len(asked) == 2
