"""Reasons and warnings as the command line says them: in the language of whoever reads."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from assistant import reasons
from assistant.types import LANGUAGES

Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        envvar=["LC_ALL", "LC_MESSAGES", "LANG"],
        show_envvar=False,
        help="Language of reasons and warnings: fr, ar or en; default: that of the terminal (LANG)",
    ),
]


def reasons_of(document: dict[str, Any], language: str | None) -> str:
    """Why a document stands where it stands, what to do where that is not plain, and its warnings.

    In English, and in a language that we do not speak, as they were recorded: that says the most.
    """
    recorded, warnings = str(document["reason"]), document.get("warnings", ())
    code = (language or "").lower()[:2]
    if code not in LANGUAGES or code == "en":
        return "; ".join(filter(None, (recorded, *warnings)))
    said = reasons.reason(recorded, str(document.get("category", "")), code) if recorded else ""
    told = (said, reasons.advice(recorded, code), *(reasons.remark(each, code) for each in warnings))
    return " ".join(filter(None, told))


def fault_of(recorded: str, language: str | None) -> str:
    """What is wrong with a file that was not taken, in the language of whoever reads, with what was recorded beneath."""
    code = (language or "").lower()[:2]
    if code not in LANGUAGES or code == "en":
        return recorded
    said = reasons.reason(recorded, "", code)
    return recorded if said == recorded else f"{said} {reasons.advice(recorded, code)}".strip() + f"\n{recorded}"
