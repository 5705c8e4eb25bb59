"""Whether a sentence stands on the passages it cites: word for word (`check_quotation`), or in other words (`Verifier`).

Nothing in here is a model of language: words, figures and the words that deny, permit and limit are compared one by one, so
that a refusal has a reason that a person can check. Pure: no clock, no network, no files but its own word lists.
"""

from __future__ import annotations

from assistant.grounding.quotation import check_quotation
from assistant.grounding.verifier import Entailment, Support, Verifier

__all__ = ["Entailment", "Support", "Verifier", "check_quotation"]
