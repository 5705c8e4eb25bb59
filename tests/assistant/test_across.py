from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.across import _SENTENCES, Bridges, Likeness, found_across, measured_across
from assistant.embedding import HashEmbedder, LazyEmbedder
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.types import Evidence
from tests.encoders import minilm_folder


class Polyglot(HashEmbedder):
    """Knows the French and English sentences to be the same."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        french = dict(zip(_SENTENCES["en"], _SENTENCES["fr"], strict=True))
        return super().embed_passages([french.get(text, text) for text in texts])


def test_encoder_of_words_alone_reaches_no_other_language() -> None:
    bridges = Bridges(HashEmbedder(), ("fr", "ar", "en"))
    assert bridges.out_of_reach("fr") == ("ar", "en")
    assert bridges.out_of_reach("ar") == ("fr", "en")


def test_encoder_that_knows_translations_reaches_them() -> None:
    bridges = Bridges(Polyglot(), ("fr", "ar", "en"))
    assert bridges.out_of_reach("fr") == ("ar",)
    assert bridges.out_of_reach("en") == ("ar",)
    assert Bridges(Polyglot(), ("fr", "en")).out_of_reach("fr") == ()


def test_languages_within_reach_are_those_that_are_not_out_of_it() -> None:
    bridges = Bridges(Polyglot(), ("fr", "ar", "en"))
    assert (bridges.within_reach("fr"), bridges.within_reach("ar")) == (("en",), ())


def test_sentence_that_means_the_question_is_likest_in_every_language() -> None:
    embedder = LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1)
    for asked in _SENTENCES:
        for written in _SENTENCES:
            scores = Likeness(embedder).score(Evidence(_SENTENCES[asked][2], asked, ()), _SENTENCES[written], written)
            assert scores.index(max(scores)) == 2, (asked, written)
            assert all(0 <= score <= 1 for score in scores)


def test_encoder_of_one_language_is_measured_to_be_so() -> None:
    bridges = Bridges(LazyEmbedder(minilm_folder(), dense_weights={}, threads=1), ("fr", "ar", "en"))
    assert bridges.out_of_reach("ar") == ("fr", "en")


def test_packaged_encoder_reaches_every_language() -> None:
    bridges = Bridges(LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1), ("fr", "ar", "en"))
    assert [bridges.out_of_reach(language) for language in ("fr", "ar", "en")] == [(), (), ()]


def test_what_is_known_of_the_packaged_encoder_is_what_it_does() -> None:
    embedder = LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=1)
    known = found_across(embedder)
    for pair, share in measured_across(embedder).items():
        assert known[pair] == pytest.approx(share, abs=0.1), pair
