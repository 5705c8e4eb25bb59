"""The page as one ASGI application that the service mounts under its own address.

Streamlit's own first document is replaced by ours: it names the language, carries no inline script (the content
security policy refuses it) and shows the page's colours before Streamlit has loaded. Everything else that the browser
fetches is either Streamlit's bundle or a file of `ui/components`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import streamlit
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from streamlit import config

from assistant.sessions import cookie_name
from ui.components import ASSETS
from ui.locale import language_of_request

SCRIPT = Path(__file__).with_name("script.py")
PATHS = ("/", "/library", "/control", "/about")
STYLES = ("base", "frame", "ask", "turn", "talks", "source", "library", "upload", "dossier", "control", "gold")

_OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.allowedOrigins": [],
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.showSidebarNavigation": False,
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,
    "ui.hideTopBar": True,
}


def page_application(service_url: str, home: Path) -> streamlit.App:
    """The page, ready to be mounted at `/`; it asks the service at `service_url` who the reader is.

    Streamlit looks for secrets only below `home`, the instance's own folder, and never in the user's.
    """
    for option, setting in _OPTIONS.items():
        config.set_option(option, setting)
    config.set_option("secrets.files", [str(home / "page" / "secrets.toml")])
    return streamlit.App(
        SCRIPT, secrets={"service_url": service_url, "session_cookie": cookie_name(home)}, routes=page_routes()
    )


def page_routes() -> list[Route | Mount]:
    """What is answered before Streamlit is asked: the views, our own files, and addresses that are none."""
    documents = [Route(path, _first_document, methods=["GET"]) for path in PATHS]
    assets = Mount("/page", app=_Assets(directory=ASSETS))
    register_url_convertor("word", _Word())
    return [*documents, assets, Route("/{address:word}", _to_the_start, methods=["GET"])]


class _Word(StringConvertor):
    """An address of one word, as somebody types or remembers it; Streamlit's own have dots, underscores or folders."""

    regex = "[A-Za-z][A-Za-z-]*"


class _Assets(StaticFiles):
    """The page's own files. Browsers ask again each time, so that a new release never meets old files."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the status that says why not."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _to_the_start(_request: Request) -> Response:
    """Streamlit would answer an address that is none with the page, and the page without its styles."""
    return RedirectResponse("/", status_code=303)


async def _first_document(request: Request) -> Response:
    """What the browser receives first: Streamlit's loader inside our own head."""
    language = language_of_request(
        request.query_params.get("lang"),
        request.cookies.get("assistant_language"),
        request.headers.get("accept-language"),
    )
    return HTMLResponse(first_document(language), headers={"Cache-Control": "no-store"})


def first_document(language: str) -> str:
    """Streamlit's `index.html` in `language`, without its inline script, its font, its title and its agent link."""
    page = Path(streamlit.__file__).with_name("static").joinpath("index.html").read_text(encoding="utf-8")
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    page = re.sub(r'<link[^>]*rel="(?:preload|service-desc|shortcut icon)"[^>]*/?>', "", page, flags=re.DOTALL)
    page = re.sub(r"<noscript>.*?</noscript>", "", page, flags=re.DOTALL)
    direction = "rtl" if language == "ar" else "ltr"
    page = page.replace('<html lang="en">', f'<html lang="{language}" dir="{direction}">')
    page = page.replace("<title>Streamlit</title>", f"<title>Assistant</title>{_head()}")
    return page.replace('<div id="root"></div>', '<div id="root"><div class="loading" aria-hidden="true"></div></div>')


def _head() -> str:
    """Our icon and styles, and the script that applies a chosen theme before the first paint."""
    styles = "".join(f'<link rel="stylesheet" href="./page/{name}.css">' for name in STYLES)
    return (
        '<link rel="icon" type="image/svg+xml" href="./page/mark.svg">'
        f'<meta name="color-scheme" content="light dark">{styles}<script src="./page/early.js"></script>'
    )
