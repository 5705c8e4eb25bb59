"""How passages lie on disk: the vectors of a point, how they are compressed, and what is held in memory."""

from __future__ import annotations

from pathlib import Path

import qdrant_edge as edge

from assistant.index.schema import DOCUMENT, LABEL, VERSION

DENSE, WORDS = "dense", "bm25"

_SEARCH_THREADS = 2
_MEMORY = edge.Memory.Cold
"""Packed segments are read from files that the system caches, not held in this process: with 10,000 passages 60 MB less after a
restart, at 4.8 instead of 4.4 ms a search (2026-11-23, two busy cores)."""
_ANY_DELETED = 1e-9
_AT_ONCE = 1 << 20
_SEGMENT = 210_000
"""Passages in one segment at most. Packing rewrites a segment as a whole, so without a limit it would take the longer, and the
more memory, the more passages there are."""
_QUANTISED = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, memory=edge.Memory.Cached)
"""One byte a dimension; only the graph is walked with it. What it finds is scored again with the whole vectors: without that,
recall@10 in 20,000 passages falls from 0.977 to 0.957 and scores are not those of exact search (2026-11-23)."""
APPROXIMATE = edge.SearchParams(
    hnsw_ef=512,
    acorn=edge.AcornSearchParams(enable=True, max_selectivity=0.8),
    quantization=edge.QuantizationSearchParams(rescore=True, oversampling=2.0),
)
"""ACORN walks over neighbours that the filter hides (Patel et al., SIGMOD 2024). Recall@10 in 20,000 passages for 60 questions of
the retrieval sets, all passages readable and half of them: with 256 and Edge's own limit of 0.4 for ACORN 0.977 and 0.962, with
512 0.993 and 0.970, with 512 and ACORN at one half 0.992 for half of them, in 2.0 instead of 0.9 ms. Where questions lie near
passages of one topic, 256 found all in 100,000 (2026-11-23, `python -m tests.benchmarks scale` and `filtered`)."""


def opened_shard(folder: Path, dimension: int) -> edge.EdgeShard:
    """The shard in `folder`, made when there is none; one made earlier keeps its own settings."""
    if (folder / "segments").is_dir():
        _read_ahead(folder)
        shard = edge.EdgeShard.load(str(folder))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        shard = edge.EdgeShard.create(str(folder), _configuration(dimension))
    missing = {LABEL, DOCUMENT, VERSION} - set(shard.info().payload_schema)
    for name in sorted(missing):
        shard.update(edge.UpdateOperation.create_field_index(name, edge.PayloadSchemaType.Keyword))
    return shard


def _read_ahead(folder: Path) -> None:
    """Bring into the system's cache what Edge fetches at loading page by page, with every thread of this process at a stand.

    9 MB, those of 24,000 passages, took it 3.6 s on a busy disk; read in a row they take 0.01 s (2026-11-23).
    """
    for file in folder.glob("segments/*/vector_storage-*/quantized.data"):
        with file.open("rb", buffering=0) as stream:
            while stream.read(_AT_ONCE):
                pass


def _configuration(dimension: int) -> edge.EdgeConfig:
    # Weights are multiples of 2⁻⁶ below 32, which half precision holds exactly.
    halves = edge.VectorStorageDatatype.Float16
    dense = edge.EdgeVectorParams(dimension, edge.Distance.Dot, memory=_MEMORY, quantization_config=_QUANTISED)
    return edge.EdgeConfig(
        vectors={DENSE: dense},
        sparse_vectors={WORDS: edge.EdgeSparseVectorParams(datatype=halves, memory=_MEMORY)},
        # Whatever was deleted is purged by the next `optimize`, however little it is; by default a segment keeps it until a fifth
        # of it and a thousand points are gone.
        optimizers=edge.EdgeOptimizersConfig(
            deleted_threshold=_ANY_DELETED,
            vacuum_min_vector_number=1,
            max_segment_size=_SEGMENT * dimension * 4 // 1024 + 1,
        ),
        max_search_threads=_SEARCH_THREADS,
    )
