"""How the signs against a claim are weighed against each other."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from assistant.grounding.findings import Findings

_ADDED_UP = frozenset(
    {
        "missing",
        "elsewhere",
        "context",
        "role",
        "name",
        "role_elsewhere",
        "replaced",
        "inserted",
        "replaced_copied",
        "missing_copied",
        "turns",
        "figures",
    }
)
_REASONS = {
    "denied": "negation", "denied_mine": "negation", "denied_its": "negation", "parity": "negation", "opposed": "negation",
    "opposed_denied": "negation", "may_for_must": "modality", "must_for_may": "modality", "may_added": "modality",
    "must_added": "modality", "may_dropped": "modality", "must_dropped": "modality", "dropped_strong": "condition",
    "dropped_weak": "condition", "condition_added": "condition", "only_added": "condition", "only_dropped": "condition",
    "always_added": "condition", "role": "subject", "role_elsewhere": "subject", "elsewhere": "subject", "name": "name",
    "misplaced": "number",
}  # fmt: skip


def signs(pieces: Sequence[Findings]) -> dict[str, float]:
    """The signs of a whole claim: counts added up over its pieces, of all others the worst."""
    names = pieces[0].signs
    whole = {name: (sum if name in _ADDED_UP else max)(piece.signs[name] for piece in pieces) for name in names}
    whole["pieces"] = float(len(pieces) - 1)
    whole["second_sentences"] = float(sum(len(piece.fit.sentences) - 1 for piece in pieces))
    return whole


@cache
def _weights() -> dict[str, float]:
    return {
        name: float(weight)
        for name, weight in tomllib.loads(files(__package__).joinpath("weights.toml").read_text("utf-8"))[
            "weights"
        ].items()
    }


def weighed(pieces: Sequence[Findings]) -> tuple[float, str]:
    """How much speaks for the claim (0 and more: it may be shown as supported), and the reason of what weighs most against it."""
    weights = _weights()
    shares = {name: weights.get(name, 0.0) * value for name, value in signs(pieces).items()}
    odds = weights["intercept"] + sum(shares.values())
    worst = min(shares, key=lambda name: shares[name])
    return odds, "" if odds >= 0 else _REASONS.get(worst, "uncovered")
