"""What is wrong with an instance file, in the operator's words and without its secrets."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SECRET = frozenset({"cache_salt"})
"""Keys whose value no error repeats."""

_REMEDIES = {
    "extra_forbidden": "there is no such key; docs/operators.md and docs/endpoints.md list all",
    "missing": "this key is required; add it",
    "string_type": "write a text, in quotes",
    "path_type": "write a path, in quotes",
    "tuple_type": 'write a list, as in ["…"], or as tables under [[…]]',
    "dict_type": "write a table, as in { fr = 0.5 }",
    "model_type": "write a table, [section] and its keys below",
    "model_attributes_type": "write a table, [section] and its keys below",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_pattern_mismatch": "write letters without accents, digits, '.', '_' and '-', not too many",
    "string_too_short": "write something",
    "too_short": "write at least one",
}
_PERSONAL = re.compile(r"(?<=//).*@|(?<=\?).*", re.DOTALL)
"""Of an address: who signs in and how, and what is asked; there are passwords in both."""


def explained(file: Path, error: ValidationError) -> str:
    """A line for each problem: file, key, value where it is no secret, and what to write instead."""
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "(top level)"
        said = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        lines.append(f"{file}: {key}{_shown(problem)}: {_REMEDIES.get(problem['type'], said)}")
    return "\n".join(lines)


def _shown(problem: ErrorDetails) -> str:
    """The value that is wrong, for the message; nothing where a secret could stand in it.

    That is a table or a list, which has more keys than the one at fault, and what stands under a key that we do not know.
    """
    value = problem["input"]
    is_plain = isinstance(value, str | int | float) and problem["type"] not in ("missing", "extra_forbidden")
    if not is_plain or _SECRET.intersection(problem["loc"]):
        return ""
    return f" {(_PERSONAL.sub('…', value) if isinstance(value, str) else value)!r}"
