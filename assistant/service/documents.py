"""Documents: hand in, list, look at, remove. Every reading checks the reader's clearance in the archive or the ledger."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi import Path as PathNumber
from fastapi.responses import FileResponse

from assistant.access import Label
from assistant.errors import ConfigurationError, InvalidRequest, NotFound
from assistant.ingestion import DocumentFilter
from assistant.language import direction
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain
from assistant.types import DocumentState, Span

router = APIRouter(prefix="/documents", tags=["documents"])

_ISO_DATE = r"^\d{4}(-\d{2}(-\d{2})?)?$"
_LARGEST = 2**63 - 1
"""What a database can count to."""
PageNumber = Annotated[int, PathNumber(le=_LARGEST)]
_NO_STORE = {"cache-control": "no-store"}
_MOST_MANIFEST_BYTES = 64 << 20
_PARAGRAPH = re.compile(r"\n\s*\n")


@router.post("", status_code=202)
def hand_in(
    parts: Serving,
    reader: Reader,
    files: Annotated[list[UploadFile], File(description="The documents")],
    sources: Annotated[list[str] | None, Form(description="Where each comes from, in the order of files")] = None,
    sidecars: Annotated[list[UploadFile] | None, File(description="TOML sidecars; file name = source + .toml")] = None,
    label: Annotated[str | None, Form(description="Label for all of them, such as internal/health")] = None,
) -> dict[str, Any]:
    """Hand in documents (archivists). When this returns, their bytes are on disk; `state` says how far each one is."""
    names = sources or [file.filename or "unnamed" for file in files]
    if len(names) != len(files):
        raise InvalidRequest(
            f"{len(files)} files came with {len(names)} sources; send one source for each file, or none"
        )
    given = _given_label(label)
    beside = _by_name(sidecars)
    limit = parts.settings.service.max_upload_mb * 1024 * 1024
    statuses = []
    for source, file in zip(names, files, strict=True):
        if (file.size or 0) > limit:
            raise InvalidRequest(f"{source}: larger than {limit // 2**20} MB; raise service.max_upload_mb to accept it")
        with tempfile.NamedTemporaryFile(dir=parts.settings.home, prefix=".incoming-") as incoming:
            while piece := file.file.read(1 << 20):
                incoming.write(piece)
            incoming.flush()
            statuses.append(
                parts.ingestion.accept(
                    Path(incoming.name),
                    source=source,
                    principal=reader,
                    label=given,
                    sidecar=beside.get(f"{source}.toml".replace("%22", '"')),
                )
            )
    return {"documents": plain(statuses), "counts": plain(parts.ingestion.counts(reader))}


@router.post("/manifest")
def read_manifest(
    parts: Serving,
    reader: Reader,
    manifest: Annotated[UploadFile, File(description="A CSV table with a column `file`, paths below its own folder")],
    sidecars: Annotated[list[UploadFile] | None, File(description="TOML sidecars; file name = path + .toml")] = None,
) -> dict[str, Any]:
    """What a manifest says of each file it names, as the sidecar to hand it in with (archivists); nothing is handed in.

    `files` is null when the table is no manifest, and then a document like any other.
    """
    beside = {name.removesuffix(".toml"): content for name, content in _by_name(sidecars).items()}
    name = _real_name(manifest.filename) or "manifest.csv"
    content = manifest.file.read(_MOST_MANIFEST_BYTES + 1)
    return {"files": parts.ingestion.described(content, reader, name=name, sidecars=beside)}


@router.get("")
def list_documents(
    parts: Serving,
    reader: Reader,
    state: DocumentState | None = None,
    q: Annotated[str, Query(max_length=500)] = "",
    category: str | None = None,
    media_type: str | None = None,
    label: str | None = None,
    language: str | None = None,
    date_from: Annotated[str | None, Query(pattern=_ISO_DATE)] = None,
    date_to: Annotated[str | None, Query(pattern=_ISO_DATE)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
) -> dict[str, Any]:
    """The documents this reader may know of, newest first; every word of `q` stands in title, file name, source or reason.

    `total` is how many fit, over all pages of the listing; `counts` is over all documents, whatever is asked for.
    """
    wanted = DocumentFilter(state, q, category, media_type, label, language, date_from, date_to)
    found = parts.ingestion.find(wanted, reader, limit=limit, offset=offset)
    counts = parts.ingestion.counts(reader)
    return {"documents": plain(found.documents), "counts": plain(counts), "total": found.total}


@router.get("/{document_id}")
def one_document(document_id: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Where one document stands."""
    status: dict[str, Any] = plain(parts.ingestion.document(document_id, reader))
    return status


@router.delete("/{document_id}")
def remove_document(document_id: str, parts: Serving, reader: Reader, with_attachments: bool = False) -> dict[str, Any]:
    """Erase a document from answers, archive and ledger (archivists); the signed receipt. Attachments stay unless asked for."""
    receipt: dict[str, Any] = plain(parts.ingestion.remove(document_id, reader, with_attachments=with_attachments))
    return receipt


@router.get("/{document_id}/text")
def text(
    document_id: str,
    parts: Serving,
    reader: Reader,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int | None, Query(ge=0)] = None,
    context: Annotated[int, Query(ge=0, le=20_000)] = 400,
    version: str | None = None,
) -> dict[str, Any]:
    """A piece of the stored text with what stands around it, widened to whole paragraphs."""
    document = parts.archive.document(document_id, reader, version=version)
    last = len(document.text) if end is None else end
    if not start <= last <= len(document.text):
        raise InvalidRequest(f"{start}:{last} does not lie in the text, which has {len(document.text)} characters")
    return {
        "document_id": document.id,
        "version": document.version,
        "title": document.title,
        "file_name": document.file_name,
        "language": document.language,
        "direction": direction(document.language),
        "before": document.text[_paragraph_start(document.text, start, context) : start],
        "quote": document.text[start:last],
        "after": document.text[last : _paragraph_end(document.text, last, context)],
    }


@router.get("/{document_id}/pages/{number}")
def page(
    document_id: str, number: PageNumber, parts: Serving, reader: Reader, version: str | None = None
) -> dict[str, Any]:
    """One page (1-based): its text, and each word with its box."""
    document = parts.archive.document(document_id, reader, version=version)
    stored = parts.archive.page(document_id, number, reader, version=document.version)
    return {
        "number": number,
        "pages": len(document.pages),
        "width": stored.width,
        "height": stored.height,
        "origin": stored.origin.value,
        "confidence": stored.confidence,
        "span": plain(stored.span),
        "text": document.text[stored.span.start : stored.span.end],
        "words": [{"start": w.span.start, "end": w.span.end, "box": plain(w.box)} for w in stored.words],
    }


@router.get("/{document_id}/pages/{number}/image", response_class=Response)
def page_image(
    document_id: str,
    number: PageNumber,
    parts: Serving,
    reader: Reader,
    width: Annotated[int, Query(ge=100, le=3000)] = 1200,
    version: str | None = None,
    start: Annotated[int | None, Query(ge=0)] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """PNG of a page (1-based); with `start` and `end`, the words of that span are marked."""
    highlight = Span(start, end) if start is not None and end is not None and start <= end else None
    image = parts.archive.page_image(document_id, number, reader, version=version, width=width, highlight=highlight)
    return Response(image, media_type="image/png", headers=_NO_STORE)


@router.get("/{document_id}/original", response_class=FileResponse)
def original(document_id: str, parts: Serving, reader: Reader, version: str | None = None) -> FileResponse:
    """The bytes that were handed in, as a download; never shown in place. Archivists also get those that wait for a label."""
    try:
        path, document = parts.archive.original(document_id, reader, version=version)
        file_name = document.file_name
    except NotFound:
        path, file_name = parts.ingestion.undecided_original(document_id, reader, version=version)
    disposition = f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
    headers = {**_NO_STORE, "content-disposition": disposition}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


def _by_name(sidecars: list[UploadFile] | None) -> dict[str, bytes]:
    return {_real_name(sidecar.filename): sidecar.file.read(1 << 20) for sidecar in sidecars or []}


def _real_name(filename: str | None) -> str:
    """A form writes a quotation mark in a file's name as %22 (WHATWG HTML, multipart/form-data)."""
    return (filename or "").replace("%22", '"')


def _given_label(label: str | None) -> Label | None:
    if not label:
        return None
    try:
        return Label.parse(label)
    except ConfigurationError as error:
        raise InvalidRequest(str(error)) from error


def _paragraph_start(text: str, position: int, context: int) -> int:
    """Where the paragraph that holds `position - context` begins, at most four times `context` away."""
    if context == 0:
        return position
    earliest = max(0, position - 4 * context)
    breaks = [match.end() for match in _PARAGRAPH.finditer(text, earliest, max(0, position - context))]
    return breaks[-1] if breaks else (0 if position <= 4 * context else position - context)


def _paragraph_end(text: str, position: int, context: int) -> int:
    if context == 0:
        return position
    found = _PARAGRAPH.search(text, min(len(text), position + context), min(len(text), position + 4 * context))
    return found.start() if found else min(len(text), position + 2 * context)
