"""How the signs against a claim are weighed against each other."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from assistant.grounding.findings import Findings
from assistant.grounding.folding import words

_ANCHORS = 2.0
"""The weight of words found as they are, and of figures, below which likeness of meaning alone carries little."""
_ADDED_UP = words("""
    anchors name_elsewhere
    missing missing_noun missing_copied elsewhere context role name rival_role rival_name replaced replaced_noun
    replaced_elsewhere replaced_copied displaced inserted inserted_noun figures other_subject
    inserted_elsewhere loose subject_other subject_new voice
""")
_REASONS = {
    sign: reason
    for reason, signs_of_it in {
        "negation": "denied denied_mine denied_its parity opposed opposed_denied",
        "modality": "may_for_must must_for_may may_added must_added may_dropped must_dropped",
        "condition": "exception_turned dropped_strong dropped_weak condition_added only_added only_dropped only_denied "
        "always_added always_dropped",
        "subject": "subject_other subject_new voice role rival_role elsewhere displaced displaced_role "
        "replaced_elsewhere context",
        "name": "rival_name name name_elsewhere",
        "duration": "rate_added rival_unit",
        "number": "misplaced attached",
    }.items()
    for sign in signs_of_it.split()
}


def signs(pieces: Sequence[Findings]) -> dict[str, float]:
    """The signs of a whole claim: counts added up over its pieces, of all others the worst."""
    names = pieces[0].signs
    whole = {name: (sum if name in _ADDED_UP else max)(piece.signs[name] for piece in pieces) for name in names}
    whole["unanchored"] = max(0.0, _ANCHORS - whole.pop("anchors"))
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
    return odds, "" if odds >= 0 else _reason(shares, pieces)


def _reason(shares: dict[str, float], pieces: Sequence[Findings]) -> str:
    """The reason of the sign that weighs most; persons and names that are not found go before words that are not."""
    worst = min(shares, key=lambda name: shares[name])
    if worst not in _REASONS:
        for sign, reason in (("role", "subject"), ("name", "name")):
            if any(piece.signs[sign] for piece in pieces):
                return reason
    return _REASONS.get(worst, "uncovered")
