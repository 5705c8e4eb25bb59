"""What the installed packages offer to `assistant`, which imports none of them."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from assistant.errors import ConfigurationError


def part(name: str) -> Any:
    """What is offered under this name in the group `assistant.parts`.

    There are `ingestion`, `commands`, `uploads`, `pages` and `confinement`. Raises ConfigurationError when nobody offers it.
    """
    for entry in entry_points(group="assistant.parts", name=name):
        return entry.load()
    raise ConfigurationError(f"no installed package offers {name!r}; install the project with `make install`")
