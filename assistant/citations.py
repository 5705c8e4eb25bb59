"""A span of a stored document as something that a reader can open."""

from __future__ import annotations

from assistant.types import Box, Citation, Document, Span, TextOrigin, Verdict


def citation_of(
    document: Document,
    span: Span,
    *,
    marker: int,
    passage_id: str,
    headings: tuple[str, ...],
    boxes: tuple[tuple[int, Box], ...],
    verdict: Verdict = Verdict.QUOTED,
    language: str = "",
) -> Citation:
    """The citation of `span`; `marker` is its number, 1-based, `boxes` where its lines stand on their pages.

    `language` is that of its words, where it may be another than the document's.
    """
    pages = [page for page in document.pages if page.span.overlaps(span)]
    weakest = min(pages, key=lambda page: page.confidence, default=None)
    return Citation(
        marker=marker,
        passage_id=passage_id,
        document_id=document.id,
        version=document.version,
        title=document.title,
        file_name=document.file_name,
        page_number=pages[0].number if pages else None,
        span=span,
        quote=document.text[span.start : span.end],
        boxes=boxes,
        verdict=verdict,
        headings=headings,
        date=document.date,
        label=str(document.label),
        origin=weakest.origin if weakest else TextOrigin.TEXT_LAYER,
        confidence=weakest.confidence if weakest else 1.0,
        language=language or document.language,
    )
