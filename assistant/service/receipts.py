"""Erasure receipts, and checking the stores against each other. For archivists; whether a receipt is genuine, for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from assistant.errors import NotFound
from assistant.receipts import canonical, check_fields
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(tags=["receipts"])


@router.get("/receipts")
def list_receipts(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The receipts of erased documents, newest first (archivists)."""
    return {"receipts": plain(parts.ingestion.receipts(reader))}


@router.get("/receipts/{receipt_id}", response_class=Response)
def one_receipt(receipt_id: str, parts: Serving, reader: Reader) -> Response:
    """One receipt, byte for byte as its file is (archivists)."""
    for receipt in parts.ingestion.receipts(reader):
        if receipt.receipt_id == receipt_id:
            return Response(canonical(plain(receipt)), media_type="application/json")
    raise NotFound("there is no such receipt")


@router.post("/receipts/verify")
def verify_receipt(
    parts: Serving, reader: Reader, receipt: Annotated[dict[str, Any], Body(description="The receipt")]
) -> dict[str, Any]:
    """Whether a receipt was signed by this instance and is unchanged."""
    del reader  # signed in; nothing of what is stored is shown
    check: dict[str, Any] = plain(check_fields(receipt, parts.ingestion.receipt_key()))
    return check


@router.post("/documents/verify")
def verify_documents(parts: Serving, reader: Reader, mend: bool = True) -> dict[str, Any]:
    """Check ledger, index and archive against each other and every file against its checksum; mend what can be (archivists)."""
    report: dict[str, Any] = plain(parts.ingestion.verify(reader, mend=mend))
    return report
