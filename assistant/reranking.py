"""Reading two texts together: the `Reranker` protocol with its implementations, and whether one text follows from another.

`CrossEncoderReranker` and `CrossEncoderEntailment` run a sentence-transformers cross-encoder from a local folder, never from a
name. The one module, with `embedding`, that imports `sentence_transformers` and torch: at the first question.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.errors import ConfigurationError
from assistant.types import Passage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder
_BATCH = 8
"""Pairs read at once; more save nothing on two cores and hold up memory."""


class Reranker(Protocol):
    """Says how well each of a few passages answers a question."""

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:
        """A number for each passage, the better the higher, in their order; None to leave the order as it is.

        Passages that the reader may not see never come here.
        """
        ...


class KeepOrder:
    """Leaves every ranking as it is."""

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:  # noqa: ARG002 - a protocol
        """See `Reranker`."""
        return None


class CrossEncoderReranker:
    """A cross-encoder with one output from a local folder, on the CPU, loaded at its first question.

    It reads title, headings and text of a passage, cut where its window ends. Raises ConfigurationError when `folder` is not a
    model folder.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise ConfigurationError(f"retrieval.reranker {str(folder)!r} is not a model folder (no config.json in it)")
        self._folder = folder
        self._lock = threading.Lock()
        self._model: CrossEncoder | None = None

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:  # noqa: ARG002 - a protocol
        """See `Reranker`. Raises ConfigurationError when the model does not load or has more than one output."""
        if not passages:
            return []
        with self._lock:  # the tokenizer inside is not safe for several threads
            pairs = [(question, passage.embedded_text()) for passage in passages]
            return [float(score) for score in self._loaded().predict(pairs, batch_size=_BATCH, show_progress_bar=False)]

    def _loaded(self) -> CrossEncoder:
        if self._model is None:
            model = _cross_encoder("retrieval.reranker", self._folder)
            if model.num_labels != 1:
                raise ConfigurationError(
                    f"retrieval.reranker {str(self._folder)!r} has {model.num_labels} outputs; a reranker has one"
                )
            self._model = model
        return self._model


class CrossEncoderEntailment:
    """A model of natural language inference from a local folder, on the CPU, loaded at its first claim.

    It implements `assistant.grounding.Entailment`. One of its labels must be named "entailment". Raises ConfigurationError when
    `folder` is not a model folder.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise ConfigurationError(
                f"grounding.entailment {str(folder)!r} is not a model folder (no config.json in it)"
            )
        self._folder = folder
        self._lock = threading.Lock()
        self._model: CrossEncoder | None = None
        self._label = 0

    def entails(self, premise: str, claim: str) -> float:
        """The probability, from 0 to 1, that `claim` follows from `premise`.

        Raises ConfigurationError when the model does not load or no label of it is named "entailment".
        """
        with self._lock:  # the tokenizer inside is not safe for several threads
            model = self._loaded()
            rows = model.predict([(premise, claim)], apply_softmax=True, show_progress_bar=False)
            return float(rows[0][self._label])

    def _loaded(self) -> CrossEncoder:
        if self._model is None:
            model = _cross_encoder("grounding.entailment", self._folder)
            labels = (model.model.config.id2label if model.model else None) or {}
            names = {str(name).lower(): int(place) for place, name in labels.items()}
            if "entailment" not in names or model.num_labels < 2:
                raise ConfigurationError(
                    f"grounding.entailment {str(self._folder)!r} has no output named entailment, but {', '.join(sorted(names))}"
                )
            self._label, self._model = names["entailment"], model
        return self._model


def _cross_encoder(setting: str, folder: Path) -> CrossEncoder:
    from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(str(folder.resolve()), device="cpu", local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigurationError(f"{setting} {str(folder)!r} does not load; restore the model folder") from error
    return model
