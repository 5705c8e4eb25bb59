"""What surrounds the component: the first document, the files, and who is visiting."""

from __future__ import annotations

import re
import socket

import pytest

from ui.client import Standing, visit
from ui.components import ASSETS
from ui.mount import STYLES, first_document


@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
def test_first_document_declares_language_and_direction(language: str, direction: str) -> None:
    assert f'<html lang="{language}" dir="{direction}">' in first_document(language)


def test_first_document_has_no_inline_script_and_nothing_from_outside() -> None:
    page = first_document("fr")
    assert not re.search(r"<script>|<script [^>]*>[^<]", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "<title>Streamlit" not in page
    assert "noscript" not in page


def test_first_document_still_loads_the_bundle_and_our_styles() -> None:
    page = first_document("fr")
    assert re.search(r'<script type="module"[^>]* src="\./static/js/', page)
    assert '<div id="root">' in page
    for name in STYLES:
        assert f"./page/{name}.css" in page
        assert (ASSETS / f"{name}.css").is_file()


def test_visitor_without_cookie_is_signed_out() -> None:
    assert visit("http://127.0.0.1:9", None).standing is Standing.SIGNED_OUT


def test_service_that_is_away_is_unavailable_and_no_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        found = visit(f"http://127.0.0.1:{taken.getsockname()[1]}", "token")
    assert found.standing is Standing.UNAVAILABLE
    assert found.instance is None
