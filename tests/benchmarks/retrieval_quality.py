"""Ranking quality and whole search times on the shared retrieval sets, with the packaged encoder."""

from __future__ import annotations

from assistant.embedding import SentenceTransformerEmbedder
from assistant.evaluation import evaluate_retrieval, load_set
from assistant.lexical import Lexicon
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.types import LANGUAGES
from tests.benchmarks.figures import Figures
from tests.shared import shared_data


def retrieval_figures() -> Figures:
    """One table for each set."""
    embedder = SentenceTransformerEmbedder(packaged_encoder_folder(), dense_weights={}, threads=2)
    lexicon = Lexicon(LANGUAGES)
    folders = sorted((shared_data() / "retrieval").iterdir())
    return {folder.name: evaluate_retrieval(load_set(folder), embedder, lexicon) for folder in folders}
