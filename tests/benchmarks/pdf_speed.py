"""Text PDFs, parsed and split: pages per second of processor time, beside pdfminer.six's layout analysis of the same files.

Both read in this process, one after the other for each file, `ROUNDS` times; what either needs once (imports, language
models) is paid before the first round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.access import Label, Level
from assistant.types import Document
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings
from ingest.splitting import split
from tests.benchmarks.figures import Figures
from tests.shared import shared_data
from tests.worlds import DEMO

ROUNDS = 3
_SETTINGS = ParsingSettings(ocr=False)


def pdf_figures() -> Figures:
    """Pages per processor second of both, on the demo's PDFs, the shared ones, and all of them."""
    groups = {"demo": _text_pdfs(DEMO), "shared": _text_pdfs(shared_data() / "documents")}
    groups["all"] = [file for files in groups.values() for file in files]
    return {"Text PDFs, pages a processor second": {name: _speeds(files) for name, files in groups.items()}}


def _text_pdfs(folder: Path) -> list[Path]:
    """Every PDF below `folder` whose pages carry text; scans are another matter."""
    files = sorted(file for file in folder.rglob("*.pdf") if "pdf-scan" not in file.parts)
    return [file for file in files if isinstance(parse_here(file, _SETTINGS), Parsed)]


def _speeds(files: Sequence[Path]) -> dict[str, float]:
    pages = sum(_pages_by_pdfminer(file) for file in files)
    ours = _seconds(_passages, files)
    theirs = _seconds(_pages_by_pdfminer, files)
    return {
        "pages": float(pages),
        "parsed and split": ROUNDS * pages / ours,
        "pdfminer.six layout": ROUNDS * pages / theirs,
        "times as many": theirs / ours,
    }


def _seconds(work: Callable[[Path], object], files: Sequence[Path]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        for file in files:
            work(file)
    return time.process_time() - began


def _pages_by_pdfminer(file: Path) -> int:
    from pdfminer.high_level import extract_pages

    return sum(1 for _ in extract_pages(file))


def _passages(file: Path) -> int:
    parsed = parse_here(file, _SETTINGS)
    assert isinstance(parsed, Parsed)
    document = Document(
        file.name, "1", parsed.title or file.name, file.name, file.name, parsed.media_type, parsed.language, parsed.date,
        parsed.text, parsed.pages, parsed.blocks, Label(Level.PUBLIC), parsed.parser,
    )  # fmt: skip
    return len(split(document, fits=lambda _: True))
