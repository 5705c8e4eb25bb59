"""Where the tests find the real public documents and retrieval sets, which are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data() -> Path:
    """The folder of shared development data; skips when it is absent, fails when it is absent under CI=true."""
    if _BESIDE.is_dir():
        return _BESIDE
    if os.environ.get("CI") == "true":
        pytest.fail(f"{_BESIDE} is missing; CI must have the shared data beside the clone")
    pytest.skip("the shared development data is not beside this clone")
