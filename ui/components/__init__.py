"""The one component that draws the page, registered with its files.

Its JavaScript is served as files from our own address. Streamlit would turn JavaScript given as a string into a
`blob:` script, which the content security policy refuses. Files need a manifest; Streamlit looks for one in installed
packages only by guesswork, so we hand it over ourselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.runtime import Runtime

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

ASSETS = Path(__file__).with_name("assets")

_PACKAGE = "assistant"
_COMPONENT = "page"


def page_component() -> ComponentRenderer:
    """The component, ready to be mounted in a script run. Registering it again changes nothing."""
    registry = Runtime.instance().bidi_component_registry
    name = f"{_PACKAGE}.{_COMPONENT}"
    if registry.get_component_asset_root(name) is None:
        manifest = ComponentManifest(_PACKAGE, "1", [ComponentConfig(_COMPONENT, asset_dir=ASSETS.name)])
        registry.register_from_manifest(manifest, ASSETS.parent)
    return st.components.v2.component(name, js="page.js", isolate_styles=False)
