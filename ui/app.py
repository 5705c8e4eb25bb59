"""What happens at each run of the page's script: who is here, which view, in which language.

It draws nothing itself. The one component draws the page, and keeps the reader's question, answer and focus while this
runs again.
"""

from __future__ import annotations

import streamlit as st

from ui.client import Standing, visit
from ui.components import page_component
from ui.locale import all_words, language_of_request, patterns, words

VIEWS = ("ask", "library", "control", "about")


def _nothing() -> None:
    """Streamlit wants a callable for each page; the component draws them all."""


def _language() -> str:
    """The language chosen in this session, else the address's, the last visit's or the browser's."""
    chosen = st.session_state.get("language")
    cookie = st.context.cookies.get("assistant_language")
    return language_of_request(chosen, st.query_params.get("lang"), cookie, st.context.locale)


def _follow(pages: dict[str, st.Page]) -> None:
    """Goes to the page whose link was followed."""
    wanted = st.session_state.pop("wanted_view", None)
    if wanted in pages:
        st.switch_page(pages[wanted])


def _remember() -> None:
    """Takes over what the reader did in the component: another language, or a link.

    A run that was stopped before it mounted the component has forgotten its state, and with it what was sent: the component
    keeps what the reader chose and sends a link that was missed again.
    """
    sent = st.session_state.get("page") or {}
    if sent.get("language"):
        st.session_state["language"] = language_of_request(sent["language"])
    if sent.get("view"):
        st.session_state["wanted_view"] = sent["view"]


def main() -> None:
    """One run of the script."""
    pages = {name: st.Page(_nothing, title=name, url_path=name, default=name == "ask") for name in VIEWS}
    current = st.navigation(list(pages.values()), position="hidden")
    _follow(pages)
    language = _language()
    st.set_page_config(page_title=str(words(language)["product"]), layout="wide")
    here = visit(st.secrets["service_url"], st.context.cookies.get(st.secrets["session_cookie"]))
    page_component()(
        key="page",
        data={
            "view": (current.url_path or "ask") if here.standing is Standing.SIGNED_IN else here.standing.value,
            "language": language,
            "words": all_words(),
            "patterns": patterns(),
            "instance": here.instance,
        },
        on_language_change=_remember,
        on_view_change=_remember,
    )
    current.run()
