"""Prints the figures of the parts named on the command line, or of all: `python -m tests.benchmarks index retrieval`.

`--documents N` says how many documents the part `archive` takes in, `--passages N` how many passages the part `scale`
indexes, and `--folder F` where.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.archive_load import DOCUMENTS, archive_figures
from tests.benchmarks.embedding_speed import embedding_figures
from tests.benchmarks.figures import Figures, machine
from tests.benchmarks.filtered_recall import filtered_figures
from tests.benchmarks.followups import followup_figures
from tests.benchmarks.index_speed import index_figures
from tests.benchmarks.model_overhead import models_figures
from tests.benchmarks.model_service import model_service_figures
from tests.benchmarks.ocr_speed import ocr_figures
from tests.benchmarks.pdf_speed import pdf_figures
from tests.benchmarks.pipeline_speed import pipeline_figures
from tests.benchmarks.retrieval_quality import retrieval_figures
from tests.benchmarks.scale import PASSAGES, scale_figures
from tests.benchmarks.summary_quality import summary_figures
from tests.benchmarks.whole_path import service_figures, start_figures

PARTS: dict[str, Callable[[], Figures]] = {
    "start": start_figures,
    "index": index_figures,
    "pdf": pdf_figures,
    "embedding": embedding_figures,
    "pipeline": pipeline_figures,
    "service": service_figures,
    "retrieval": retrieval_figures,
    "ocr": ocr_figures,
    "filtered": filtered_figures,
    "followups": followup_figures,
    "models": models_figures,
    "composed": model_service_figures,
    "summaries": summary_figures,
    "archive": archive_figures,
    "scale": scale_figures,
}


def main(arguments: list[str]) -> int:
    """Run the parts, print a table for each; 2 when a name is unknown."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="for archive (default: %(default)s)")
    parser.add_argument("--passages", type=int, default=PASSAGES, help="for scale (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, help="for scale: build the index there and keep it, or measure one that is there"
    )
    wanted = parser.parse_args(arguments)
    unknown = [name for name in wanted.parts if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    parts = PARTS | {
        "archive": lambda: archive_figures(wanted.documents),
        "scale": lambda: scale_figures(wanted.passages, wanted.folder),
    }
    console = Console()
    console.print(f"{machine()}, Python {platform.python_version()}")
    for name in wanted.parts or parts:
        for title, rows in parts[name]().items():
            console.print(_table(title, rows))
    return 0


def _table(title: str, rows: dict[str, dict[str, float]]) -> Table:
    table = Table(title=title, box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("")
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    for name in names:
        table.add_column(name, justify="right")
    for row, values in rows.items():
        table.add_row(row, *(f"{values[name]:.3f}" if name in values else "" for name in names))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
