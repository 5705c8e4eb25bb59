"""Erasure receipts, and checking the stores against each other. For archivists; whether a receipt is genuine, for everybody."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, File, Query, Response, UploadFile

from assistant.errors import InvalidRequest, NotFound
from assistant.receipts import ErasureReceipt, PurgeRecord, canonical, check_fields, check_file
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(tags=["receipts"])

_MOST_BYTES = 1 << 20
"""No receipt is so large: one of a document with 10,000 attachments has some 400,000 bytes."""


@router.get("/receipts")
def list_receipts(
    parts: Serving,
    reader: Reader,
    q: Annotated[str, Query(max_length=200, description="In ids, checksums, day or name of who erased")] = "",
    limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """The receipts of erased documents, newest first (archivists); `total` is how many fit.

    `purges` names, by the receipts listed, the record that says when the traces of that erasure were purged.
    """
    found = [receipt for receipt in parts.ingestion.receipts(reader) if _names(receipt, q.strip().lower())]
    page = found[offset:] if limit is None else found[offset : offset + limit]
    listed = {receipt.receipt_id for receipt in page}
    purges = {
        receipt_id: {"receipt_id": record.receipt_id, "purged_at": record.purged_at}
        for record in parts.ingestion.purges(reader)
        for receipt_id in listed.intersection(record.covers)
    }
    return {"receipts": plain(page), "total": len(found), "purges": purges}


@router.get("/receipts/public-key", response_class=Response)
def public_key(parts: Serving, reader: Reader) -> Response:
    """The key with which anybody can check receipts on any machine, in PEM."""
    del reader  # signed in; the key is no secret
    return Response(parts.ingestion.receipt_key(), media_type="application/x-pem-file")


@router.get("/receipts/{receipt_id}", response_class=Response)
def one_receipt(receipt_id: str, parts: Serving, reader: Reader) -> Response:
    """One receipt or purge record, byte for byte as its file is (archivists)."""
    records: list[ErasureReceipt | PurgeRecord] = [*parts.ingestion.receipts(reader), *parts.ingestion.purges(reader)]
    for receipt in records:
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


@router.post("/receipts/verify/file")
def verify_receipt_file(
    parts: Serving, reader: Reader, file: Annotated[UploadFile, File(description="The receipt's file")]
) -> dict[str, Any]:
    """Whether a receipt's file is, byte for byte, what this instance signed; if so, what it says."""
    del reader  # signed in; nothing of what is stored is shown
    content = file.file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InvalidRequest("this is not a receipt: it is larger than any receipt is")
    check = check_file(content, parts.ingestion.receipt_key())
    return {**plain(check), "receipt": json.loads(content) if check.valid else None}


@router.post("/documents/verify", status_code=202)
def start_verification(parts: Serving, reader: Reader, mend: bool = True) -> dict[str, Any]:
    """Begin to check ledger, index and archive against each other and every file against its checksum (archivists).

    What can be mended is. It goes on in the background; 409 while another check does.
    """
    return {"verification": plain(parts.ingestion.start_verification(reader, mend=mend))}


@router.get("/documents/verify")
def verification(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The check that goes on, else the last one, with its report; null when there was none (archivists)."""
    return {"verification": plain(parts.ingestion.verification(reader))}


def _names(receipt: ErasureReceipt, sought: str) -> bool:
    """True when `sought` stands in what names a receipt and what was erased."""
    named = (receipt.receipt_id, receipt.document_id, receipt.erased_at, receipt.erased_by, *receipt.versions)
    return any(sought in name.lower() for name in named)
