"""How passages lie on disk: the vectors of a point, how they are compressed, and what is held in memory."""

from __future__ import annotations

from pathlib import Path

import qdrant_edge as edge

from assistant.index.schema import DOCUMENT, LABEL, LANGUAGE, VERSION

DENSE, WORDS = "dense", "bm25"

_SEARCH_THREADS = 2
_MEMORY = edge.Memory.Cold
"""Packed segments are read from files that the system caches, not held in this process: with 10,000 passages 60 MB less after a
restart, at 4.8 instead of 4.4 ms a search (2026-11-23, two busy cores)."""
_SCANNED = 500
"""Readable passages of a segment up to which each one's words are looked at instead of the word index. With 1,000 readable of
100,000 the index takes 2.1 ms of processor time and looking at each 2.9; Edge's own limit is 5,000 (2026-11-23)."""
_ANY_DELETED = 1e-9
_READ_BYTES = 2**20
_SEGMENT = 210_000
"""Passages in one segment at most; those built 50,000 at a time end at 150,000. Packing rewrites a segment as a whole, so
without a limit it would take the longer, and the more memory, the more passages there are."""
_QUANTISED = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, memory=_MEMORY)
"""One byte a dimension; only the graph is walked with it. What it finds is scored again with the whole vectors: without that,
recall@10 in 20,000 passages falls from 0.977 to 0.957 and scores are not those of exact search (2026-11-23)."""
_ACORN_BELOW = 0.8
_CANDIDATES, _CANDIDATES_WITH_ACORN = 768, 384


def approximate(share: float) -> edge.SearchParams:
    """How the graph is walked when such a share of all passages passes the filter.

    Where much is hidden, ACORN walks over neighbours that the filter hides (Patel et al., SIGMOD 2024), which takes longer a
    candidate and needs fewer. Recall@10 in 1,000,000 passages of seven segments: with all readable 0.987 with 512 candidates a
    segment, 0.997 with 768 (30 questions; in 100,000 of one segment 0.989 and 0.995, 180 questions); with half readable 0.997
    with 384 and ACORN, 0.987 with 256, 0.907 with 768 and no ACORN (60 questions; 2026-11-23, `tests.benchmarks scale`).
    """
    return edge.SearchParams(
        hnsw_ef=_CANDIDATES_WITH_ACORN if share < _ACORN_BELOW else _CANDIDATES,
        acorn=edge.AcornSearchParams(enable=True, max_selectivity=_ACORN_BELOW),
        quantization=edge.QuantizationSearchParams(rescore=True, oversampling=2.0),
    )


def opened_shard(folder: Path, dimension: int) -> edge.EdgeShard:
    """The shard in `folder`, made when there is none; one made earlier keeps its own settings."""
    if (folder / "segments").is_dir():
        _read_ahead(folder)
        shard = edge.EdgeShard.load(str(folder))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        shard = edge.EdgeShard.create(str(folder), _configuration(dimension))
    missing = {LABEL, DOCUMENT, VERSION, LANGUAGE} - set(shard.info().payload_schema)
    for name in sorted(missing):
        shard.update(edge.UpdateOperation.create_field_index(name, edge.PayloadSchemaType.Keyword))
    return shard


def _read_ahead(folder: Path) -> None:
    """Have the system cache what the graph is walked with, read in order: 0.4 GB and 0.4 s for 1,000,000 passages.

    Edge lets go of it when it closes and asks for it page by page, with every other thread at a stand: while it opens, which then
    takes 12 s instead of 6, or in the first questions, whose p95 is then 141 instead of 37 ms (2026-11-23).
    """
    for pattern in ("vector_storage-dense/quantized.data", "vector_index-dense/*.bin"):
        for file in folder.glob(f"segments/*/{pattern}"):
            with file.open("rb", buffering=0) as stream:
                while stream.read(_READ_BYTES):
                    pass


def _configuration(dimension: int) -> edge.EdgeConfig:
    # Weights are multiples of 2⁻⁶ below 32, which half precision holds exactly.
    halves = edge.VectorStorageDatatype.Float16
    dense = edge.EdgeVectorParams(dimension, edge.Distance.Dot, memory=_MEMORY, quantization_config=_QUANTISED)
    return edge.EdgeConfig(
        vectors={DENSE: dense},
        sparse_vectors={WORDS: edge.EdgeSparseVectorParams(_SCANNED, datatype=halves, memory=_MEMORY)},
        # Whatever was deleted is purged by the next `optimize`, however little it is; by default a segment keeps it until a fifth
        # of it and a thousand points are gone.
        optimizers=edge.EdgeOptimizersConfig(
            deleted_threshold=_ANY_DELETED,
            vacuum_min_vector_number=1,
            max_segment_size=_SEGMENT * dimension * 4 // 1024 + 1,
        ),
        max_search_threads=_SEARCH_THREADS,
    )
