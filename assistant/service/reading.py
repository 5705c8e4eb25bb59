"""What readers do with documents beside asking: narrow a search, sum a document up, compare versions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from assistant.service.requests import Reader, Serving

router = APIRouter(tags=["reading"])


@router.get("/scope")
def scope_choices(parts: Serving, reader: Reader) -> dict[str, Any]:
    """By what a search can be narrowed: collections, types and dates of the documents that this reader may read."""
    choices = parts.ingestion.scope_choices(reader)
    return {
        "collections": list(choices.collections),
        "document_types": list(choices.document_types),
        "dates": {"from": choices.date_from, "to": choices.date_to},
    }
