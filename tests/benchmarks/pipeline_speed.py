"""The whole pipeline (parse, split, embed, index) over real documents, beside pure embedding of the passages that came of it.

The documents are the demo's and the shared ones that carry text; OCR is another matter. Both use the same encoder in this
process, by turns. As many documents are read at once as the shipped instance file says. What a service pays once (loading the
encoder, starting the parser's process) is paid before the clock starts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from assistant.archive import Archive
from assistant.config import load_settings
from assistant.embedding import LazyEmbedder
from assistant.index.edge import EdgePassageIndex
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.types import DocumentState
from ingest.build import EmbeddedIngestion
from ingest.sources import SourceFile, walk
from tests.benchmarks.figures import Figures
from tests.shared import shared_data
from tests.worlds import ARCHIVIST, DEMO, ROOT, instance_file

ROUNDS, THREADS = 2, 2
_READ_BY_OCR = {"pdf-scan", "image", "note-1996-salle-lecture-archives.pdf", "declaration-de-bicyclette.pdf"}
"""Folders and files."""
_WARM_UPS, _LONGEST_S = 4, 900.0


@dataclass(frozen=True, slots=True)
class _Instance:
    ingestion: EmbeddedIngestion
    index: EdgePassageIndex


def pipeline_figures() -> Figures:
    """Seconds of both, by the clock and of the processor, and how much longer the pipeline takes."""
    embedder = LazyEmbedder(packaged_encoder_folder(), dense_weights={}, threads=THREADS)
    embedder.embed_query("bonjour")
    whole, at_once, by_document = (np.full(2, np.inf) for _ in range(3))
    for _ in range(ROUNDS):
        seconds, texts = _pipeline(embedder)
        whole = np.minimum(whole, seconds)
        began = _now()
        for some in texts:
            embedder.embed_passages(some)
        by_document = np.minimum(by_document, _now() - began)
        began = _now()
        embedder.embed_passages([text for some in texts for text in some])
        at_once = np.minimum(at_once, _now() - began)
    count = sum(map(len, texts))
    rows = {
        "whole pipeline": whole,
        "pure embedding, document by document": by_document,
        "pure embedding, all at once": at_once,
    }
    figures = {name: _row(seconds) for name, seconds in rows.items()}
    figures["beyond embedding by document, %"] = _row(100 * (whole / by_document - 1))
    figures["beyond embedding all at once, %"] = _row(100 * (whole / at_once - 1))
    return {f"{len(texts)} documents, {count} passages, on {THREADS} threads": figures}


def _pipeline(embedder: LazyEmbedder) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Seconds from the first file handed in to the last document settled; the texts that were embedded, by document."""
    with tempfile.TemporaryDirectory() as folder, _instance(Path(folder), embedder) as instance:
        warm_ups = [_warm_up(instance, Path(folder) / f"{number}.txt") for number in range(_WARM_UPS)]
        assert instance.ingestion.wait_idle(_LONGEST_S)
        began = _now()
        for file in _files():
            sidecar = file.sidecar.read_bytes() if file.sidecar else None
            instance.ingestion.accept(file.path, source=file.source, principal=ARCHIVIST, sidecar=sidecar)
        assert instance.ingestion.wait_idle(_LONGEST_S)
        seconds = _now() - began
        searchable = (DocumentState.DONE, DocumentState.DONE_WITH_WARNINGS)
        taken_in = [one for one in instance.ingestion.documents(ARCHIVIST) if one.state in searchable]
        texts = [
            [passage.embedded_text() for passage in instance.index.document_passages(one.document_id, ARCHIVIST)]
            for one in taken_in
            if one.document_id not in warm_ups
        ]
    return seconds, texts


def _warm_up(instance: _Instance, file: Path) -> str:
    file.write_text(f"{file.name}: le maire signe l'arrêté. " * 200, encoding="utf-8")
    return instance.ingestion.accept(file, source=file.name, principal=ARCHIVIST).document_id


@contextmanager
def _instance(folder: Path, embedder: LazyEmbedder) -> Iterator[_Instance]:
    workers = load_settings(ROOT / "configs" / "default.toml").ingest.workers
    settings = load_settings(instance_file(folder, extra=f"[ingest]\nworkers = {workers}\n"))
    archive = Archive(settings.home / "archive")
    index = EdgePassageIndex.open(
        settings.home / "index", embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension
    )
    ingestion = EmbeddedIngestion(settings, archive, index, lambda: embedder)
    ingestion.start()
    try:
        yield _Instance(ingestion, index)
    finally:
        ingestion.stop()
        index.close()
        archive.close()


def _files() -> Iterator[SourceFile]:
    for found in walk([DEMO / "documents", shared_data() / "documents"]):
        if not isinstance(found, SourceFile) or found.path.suffix == ".jsonl":
            continue
        if not _READ_BY_OCR & {found.path.name, found.path.parent.name}:
            yield found


def _now() -> NDArray[np.float64]:
    """Seconds by the clock, and processor seconds of this process and all that it started."""
    spent = 0.0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        times = process.cpu_times()
        spent += times.user + times.system
        spent += times.children_user + times.children_system
    return np.array([time.perf_counter(), spent])


def _row(values: NDArray[np.float64]) -> dict[str, float]:
    return {"by the clock": float(values[0]), "of the processor": float(values[1])}
