"""The script that Streamlit executes, and what it must not do in child processes."""

from __future__ import annotations

import runpy
import subprocess
import sys

from ui.mount import SCRIPT


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
