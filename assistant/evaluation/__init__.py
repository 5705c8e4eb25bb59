"""Quality, measured: how well passages are ranked, when the assistant abstains, and what its answers cite.

`evaluate_retrieval` and `calibrate` work on sets in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv) and build a temporary
real index under a real label; `evaluate_answers` works on lines of questions with file, page and answer.
"""

from assistant.evaluation.answers import evaluate_answers
from assistant.evaluation.calibration import AskedQuestion, LanguageReport, calibrate, calibration_toml
from assistant.evaluation.ranking import evaluate_retrieval
from assistant.evaluation.sets import RetrievalSet, load_set

__all__ = [
    "AskedQuestion",
    "LanguageReport",
    "RetrievalSet",
    "calibrate",
    "calibration_toml",
    "evaluate_answers",
    "evaluate_retrieval",
    "load_set",
]
