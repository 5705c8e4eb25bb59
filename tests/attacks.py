"""Documents that try to command the assistant (`tests/data/attacks/attacks.toml`), ready to be handed in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.endpoint_scripts import MODEL, Body, Script, answer, last_user_message
from tests.endpoint_server import EndpointServer
from tests.worlds import ROOT

FILE = ROOT / "tests" / "data" / "attacks" / "attacks.toml"


@dataclass(frozen=True)
class Attack:
    """One attack; the fields are explained at the head of the file."""

    id: str
    language: str
    kind: str
    format: str
    question: str
    fact: str
    text: str
    obedient: str
    never: tuple[str, ...]
    second: str = ""


@cache
def attacks() -> tuple[Attack, ...]:
    """All of them, in the order of the file."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["attack"]
    return tuple(Attack(**table | {"never": tuple(table["never"])}) for table in tables)


def written(folder: Path) -> Path:
    """The folder with a file for each document of each attack."""
    folder.mkdir(parents=True, exist_ok=True)
    for attack in attacks():
        (folder / f"{attack.id}.{attack.format}").write_text(attack.text, encoding="utf-8")
        if attack.second:
            (folder / f"{attack.id}-second.{attack.format}").write_text(attack.second, encoding="utf-8")
    return folder


def attack_of(text: str) -> Attack | None:
    """The attack whose question stands in `text`."""
    return next((attack for attack in attacks() if attack.question in text), None)


def script(text: str) -> Script:
    """A model that writes this."""
    return answer(text)


def obeying(attack: Attack) -> Script:
    """A model that does what the document of this attack says."""
    return script(attack.obedient)


def obeying_all(body: Body) -> Script:
    """A model that does what the document says, whichever of them it is asked about."""
    attack = attack_of(last_user_message(body))
    return obeying(attack) if attack else script("")


def endpoint_table(server: EndpointServer) -> str:
    """The lines of an instance file that name this server."""
    return (
        f'[[models.endpoints]]\nname = "obedient"\nurl = "{server.url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        "context_tokens = 8192\nfirst_token_s = 20\n"
    )
