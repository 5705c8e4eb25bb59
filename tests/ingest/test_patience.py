"""Questions go before ingestion."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import HashEmbedder
from assistant.precedence import Precedence
from ingest.patience import PatientEmbedder

TEXTS = tuple(f"le service numéro {number} instruit " + "les demandes " * (number % 7) for number in range(400))


class Recording(HashEmbedder):
    """Remembers the size of each batch."""

    def __init__(self) -> None:
        super().__init__(16)
        self.batches: list[int] = []
        self.tokens: list[int] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(len(texts))
        self.tokens.append(len(texts) * max(map(self.count_tokens, texts)))
        return super().embed_passages(texts)


def test_vectors_are_the_same_and_in_the_same_order_as_without_patience() -> None:
    patient = PatientEmbedder(HashEmbedder(16), Precedence())
    assert np.array_equal(patient.embed_passages(TEXTS), HashEmbedder(16).embed_passages(TEXTS))
    assert patient.embed_passages(()).shape == (0, 16)


def test_batches_are_full_while_nobody_asks_and_small_while_questions_come() -> None:
    questions, encoder = Precedence(), Recording()
    PatientEmbedder(encoder, questions).embed_passages(TEXTS)
    assert 1900 < max(encoder.tokens) <= 2048
    with questions.answering():
        pass
    encoder.batches.clear()
    encoder.tokens.clear()
    PatientEmbedder(encoder, questions).embed_passages(TEXTS)
    assert 700 < max(encoder.tokens) <= 768
    assert sum(encoder.batches) == len(TEXTS)


def test_nothing_is_embedded_while_a_question_is_being_answered() -> None:
    questions, encoder = Precedence(), Recording()
    with questions.answering():
        thread = threading.Thread(target=PatientEmbedder(encoder, questions).embed_passages, args=(TEXTS[:3],))
        thread.start()
        time.sleep(0.2)
        assert encoder.batches == []
    thread.join(timeout=10)
    assert encoder.batches == [3]


def test_question_that_never_ends_slows_ingestion_down_and_does_not_stop_it() -> None:
    questions, encoder = Precedence(), Recording()
    with questions.answering():
        PatientEmbedder(encoder, questions).embed_passages(TEXTS[:4])
    assert encoder.batches == [4]
