"""What an archivist can do about what was set aside: look at it before labelling it; no password where none opens it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.test_archivists import api, dossier, handed_in  # noqa: F401 - api is a fixture

pytestmark = pytest.mark.browser

CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>'
)
PROTECTION = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
    '<enc:EncryptedData><enc:CipherData><enc:CipherReference URI="a.xhtml"/></enc:CipherData></enc:EncryptedData></encryption>'
)


def protected_book() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("META-INF/encryption.xml", PROTECTION)
        book.writestr("a.opf", PACKAGE)
        book.writestr("a.xhtml", "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>Livre</p></body></html>")
    return target.getvalue()


def test_document_without_a_decided_label_can_be_looked_at(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    service: Any,
) -> None:
    content = "DIFFUSION RESTREINTE\n\nMention de diffusion : PUBLIC\n\nLes bouées du port.\n".encode()
    status = handed_in(api, "bouées.txt", content)
    page = dossier(visit("fr").page, service, status["document_id"])
    expect(page.locator(".trouble h2")).to_contain_text("plusieurs mentions")
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger l’original").click()
    assert Path(download.value.path()).read_bytes() == content


def test_book_that_no_password_opens_asks_for_none(
    visit: Callable[..., Any],
    api: httpx.Client,  # noqa: F811
    service: Any,
) -> None:
    status = handed_in(api, "livre.epub", protected_book())
    page = dossier(visit("fr").page, service, status["document_id"])
    expect(page.locator(".trouble h2")).to_have_text("Ce livre numérique est protégé contre la copie.")
    expect(page.locator("#retry")).to_be_visible()
    expect(page.locator("#password")).to_have_count(0)
