"""Reading two texts together: the `Reranker` protocol with its implementations, and whether one text follows from another.

`CrossEncoderReranker` and `CrossEncoderEntailment` run a sentence-transformers cross-encoder from a local folder, never from a
name. The one module, with `embedding`, that imports `sentence_transformers` and torch: at the first question.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.errors import ConfigurationError
from assistant.types import Passage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder
_LOG = logging.getLogger(__name__)
_HEADS = ("ForSequenceClassification", "ForCausalLM")
"""How the architectures end that sentence-transformers reads two texts with."""
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

    It reads title, headings and text of a passage, cut where its window ends. `threads` caps torch for the whole process, as the
    encoder does. Where the CPU has AVX512-BF16 it runs in bfloat16. Raises ConfigurationError when `folder` holds none.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        _require_cross_encoder("retrieval.reranker", folder)
        self._folder = folder
        self._threads = threads
        self._model: CrossEncoder | None = None
        # One thread: the tokenizer inside is not safe for several, and torch keeps working memory for each.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reranker")

    def scores(self, question: str, language: str, passages: Sequence[Passage]) -> list[float] | None:  # noqa: ARG002 - a protocol
        """See `Reranker`: the model's own output, not pressed between 0 and 1, where good passages would all come out as 1.

        None, and a warning in the log, when an output is not a number. Raises ConfigurationError when the model does not load or
        has more than one output.
        """
        if not passages:
            return []
        scores = self._thread.submit(self._read, [(question, passage.embedded_text()) for passage in passages]).result()
        if all(map(isfinite, scores)):
            return scores
        _LOG.warning(
            "retrieval.reranker %s gave an output that is not a number; the order was left as it was", self._folder
        )
        return None

    def _read(self, pairs: list[tuple[str, str]]) -> list[float]:
        import torch

        model = self._loaded()
        in_bf16 = bool(torch.cpu._is_avx512_bf16_supported())
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=in_bf16):
            outputs = model.predict(
                pairs, batch_size=_BATCH, activation_fn=torch.nn.Identity(), show_progress_bar=False
            )
        return [float(output) for output in outputs]

    def _loaded(self) -> CrossEncoder:
        if self._model is None:
            import torch

            torch.set_num_threads(self._threads)
            model = _cross_encoder("retrieval.reranker", self._folder)
            if model.num_labels != 1:
                raise ConfigurationError(
                    f"retrieval.reranker {str(self._folder)!r} has {model.num_labels} outputs; a reranker has one"
                )
            heads = [n for n, m in model.named_modules() if type(m) is torch.nn.Linear and m.out_features == 1]
            # In bfloat16 two outputs that differ by less than a hundredth of themselves would be one.
            model.set_keep_in_fp32_modules([*(model.keep_in_fp32_modules or []), *heads])
            self._model = model
        return self._model


class CrossEncoderEntailment:
    """A model of natural language inference from a local folder, on the CPU, loaded at its first claim.

    It implements `assistant.grounding.Entailment`. One of its labels must be named "entailment". Raises ConfigurationError when
    `folder` is not a model folder.
    """

    def __init__(self, folder: Path) -> None:
        _require_cross_encoder("grounding.entailment", folder)
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


def _require_cross_encoder(setting: str, folder: Path) -> None:
    """Refuse what is no model, and an encoder: its missing head would be made up by chance, without a word."""
    file = folder / "config.json"
    if not file.is_file():
        raise ConfigurationError(
            f"{setting} {str(folder)!r} is not a model folder (no config.json in it); correct the instance file"
        )
    try:
        named = json.loads(file.read_text(encoding="utf-8")).get("architectures") or []
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{file}: cannot be read as JSON; restore the model folder") from error
    if named and not any(str(name).endswith(_HEADS) for name in named):
        raise ConfigurationError(
            f"{setting} {str(folder)!r} is no cross-encoder, but {', '.join(map(str, named))}; name a folder that reads two"
            " texts together"
        )


def _cross_encoder(setting: str, folder: Path) -> CrossEncoder:
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    try:
        model: CrossEncoder = CrossEncoder(str(folder.resolve()), device="cpu", local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigurationError(f"{setting} {str(folder)!r} does not load; restore the model folder") from error
    return model
