"""Quality, measured: how well passages are ranked, when the assistant abstains, and what its answers cite.

`measure_retrieval`, `evaluate_retrieval` and `calibrate` work on sets in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv)
and build a temporary real index under a real label; `measure_answers` works on lines of questions with file, page and answer.
"""

from assistant.evaluation.answers import answer_figures, evaluate_answers, measure_answers
from assistant.evaluation.calibration import LanguageReport, calibrate, calibration_toml
from assistant.evaluation.ranking import Configuration, evaluate_retrieval, measure_retrieval
from assistant.evaluation.sets import RetrievalSet, load_set, set_hash

__all__ = [
    "Configuration",
    "LanguageReport",
    "RetrievalSet",
    "answer_figures",
    "calibrate",
    "calibration_toml",
    "evaluate_answers",
    "evaluate_retrieval",
    "load_set",
    "measure_answers",
    "measure_retrieval",
    "set_hash",
]
