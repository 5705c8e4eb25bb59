"""When the index is packed."""

from __future__ import annotations

from ingest.upkeep import Upkeep


class CountedIndex:
    """Counts how often it is packed."""

    def __init__(self) -> None:
        self.packed = 0

    def optimize(self) -> bool:
        self.packed += 1
        return True

    def flush(self) -> None:
        pass


def test_index_is_packed_while_documents_keep_coming_once_many_passages_have_changed() -> None:
    index = CountedIndex()
    upkeep = Upkeep(index, idle_s=lambda: 0.0)  # type: ignore[arg-type]
    for document in range(1, 10_001):
        upkeep.changed(1)  # never quiet: the last change is always a moment ago
        upkeep.pack_if_due()
        assert index.packed == document // 4_000
