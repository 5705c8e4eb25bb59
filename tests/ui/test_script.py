"""The script that Streamlit executes, and what it must not do in child processes."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import config

from ui.app import _remember
from ui.mount import SCRIPT, page_application, page_routes


def test_child_process_that_finds_the_script_as_main_runs_nothing_of_it() -> None:
    # multiprocessing's spawn gives the parent's main file this name in the child.
    code = (
        f"import runpy, sys; runpy.run_path({str(SCRIPT)!r}, run_name='__mp_main__'); print('streamlit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_script_is_one_file_that_streamlit_can_run() -> None:
    assert "__main__" in SCRIPT.read_text(encoding="utf-8")
    assert runpy.run_path(str(SCRIPT), run_name="elsewhere")["__doc__"]


def test_link_that_comes_after_the_component_was_forgotten_is_no_error() -> None:
    _remember()


@pytest.mark.parametrize(
    ("address", "status", "leads_to"),
    [
        ("/documents", 303, "/"),
        ("/bibliotheque", 303, "/"),
        ("/library", 200, None),
        ("/page/base.css", 200, None),
        ("/_stcore", 404, None),
    ],
)
def test_address_that_is_none_leads_to_the_start(address: str, status: int, leads_to: str | None) -> None:
    reader = TestClient(Starlette(routes=page_routes()), follow_redirects=False)
    answer = reader.get(address)
    assert (answer.status_code, answer.headers.get("location")) == (status, leads_to)


def test_page_that_broke_down_offers_no_way_outside(tmp_path: Path) -> None:
    page_application("http://127.0.0.1:1", tmp_path)
    assert config.get_option("client.showErrorLinks") is False
    assert config.get_option("client.showErrorDetails") == "none"
