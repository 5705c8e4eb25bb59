"""OCR through the page path against bare tesseract: the same pictures, processor time of both."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
from PIL import Image

from assistant.language import detect_language
from assistant.types import TextOrigin
from ingest import ocr, tesseract
from ingest.layout import PageLines
from ingest.parsing import ParsingSettings
from ingest.scans import read_pages
from tests.benchmarks.figures import Figures

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
PAGES, ROUNDS = 8, 1
SOURCES = {
    "fra": "fr/guide-agent-2024.pdf",
    "ara": "ar/dalil-khadamat-sukkan-2024.pdf",
    "eng": "en/residents-handbook-2024.pdf",
}


def ocr_figures() -> Figures:
    """Pages per minute and core of both, and the share of the true words that each finds; ours knows no language beforehand."""
    if shutil.which("tesseract") is None:
        return {"OCR: tesseract is not installed": {}}
    rows = {}
    detect_language("Le premier appel charge le modèle des langues, comme le fait une pouponnière avant de lire.")
    for model, name in SOURCES.items():
        pictures, truth = _pages(DEMO / name)
        bare, ours = 0.0, 0.0
        for _ in range(ROUNDS):  # by turns, so that a busy machine slows both
            seconds, bare_words = _bare(pictures, model)
            bare += seconds
            seconds, our_words = _ours(pictures)
            ours += seconds
        count = len(pictures) * ROUNDS
        rows[f"{model}, bare tesseract"] = {"pages/min": 60 * count / bare, "recall": _recall(bare_words, truth)}
        rows[f"{model}, page path"] = {
            "pages/min": 60 * count / ours,
            "recall": _recall(our_words, truth),
            "of bare": bare / ours,
        }
    return {f"OCR per core, documents of up to {PAGES} pages at 300 dpi": rows}


class _Pictures:
    """A source whose pages are all scans."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def read(self, index: int) -> tuple[PageLines, bool]:
        return PageLines(index + 1, 595.0, 842.0, (), TextOrigin.NONE, 0.0), True

    def picture(self, index: int) -> Image.Image:
        with Image.open(self._files[index]) as image:
            return image.convert("L")


def _pages(file: Path) -> tuple[list[Path], Counter[str]]:
    folder = Path(tempfile.mkdtemp())
    document, truth, files = pypdfium2.PdfDocument(file), Counter[str](), []
    for index in range(min(PAGES, len(document))):
        truth.update(document[index].get_textpage().get_text_bounded().split())
        files.append(folder / f"{index}.png")
        document[index].render(scale=300 / 72, grayscale=True).to_pil().save(files[-1], compress_level=1)
    return files, truth


def _bare(files: list[Path], model: str) -> tuple[float, Counter[str]]:
    """As many at once as in the page path: neighbours on a core slow each other down."""
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}

    def table(file: Path) -> str:
        command = ["tesseract", str(file), "stdout", "-l", model, "--psm", "3", "tsv"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    began = _processor_s()
    with ThreadPoolExecutor(ocr.workers()) as pool:
        tables = list(pool.map(table, files))
    seconds = _processor_s() - began
    rows = [row for one in tables for row in one.splitlines() if row.startswith("5\t")]
    return seconds, Counter(row.split("\t")[-1].strip() for row in rows)


def _ours(files: list[Path]) -> tuple[float, Counter[str]]:
    began, words = _processor_s(), Counter[str]()
    pages, _ = read_pages(_Pictures(files), ParsingSettings())
    words.update(word for page in pages for line in page.lines for word in line.text.split())
    tesseract.close()  # the time of its processes counts once they are gone; each document has its own
    return _processor_s() - began, words


def _processor_s() -> float:
    """Processor time of this process and of all that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _recall(words: Counter[str], truth: Counter[str]) -> float:
    return sum((words & truth).values()) / sum(truth.values())
