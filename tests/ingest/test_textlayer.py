"""The fast way and the exact way of reading a text layer give the same lines."""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium
import pytest

from assistant.pdfium import open_page
from ingest.layout import Line
from ingest.textlayer import read_layer
from tests.shared import shared_data
from tests.worlds import DEMO

DEMO_FILES = sorted((DEMO / "documents").rglob("*.pdf"))


def assert_same_lines(file: Path) -> None:
    document = pdfium.PdfDocument(file)
    for index in range(len(document)):
        with open_page(document, index) as page:
            fast, exact = read_layer(page).lines, read_layer(page, exact=True).lines
        where = f"{file.name}, page {index + 1}"
        assert [line.text for line in fast] == [line.text for line in exact], where
        assert [_set(line) for line in fast] == [_set(line) for line in exact], where
        for one, other in zip(fast, exact, strict=True):
            sides = ("left", "top", "right", "bottom")
            assert [getattr(one.box, side) for side in sides] == pytest.approx(
                [getattr(other.box, side) for side in sides], abs=0.002
            ), f"{where}: {one.text}"
    document.close()


def _set(line: Line) -> tuple[object, ...]:
    return line.runs, line.bold, line.cells, round(line.size, 4), round(line.baseline, 4)


@pytest.mark.parametrize("file", DEMO_FILES, ids=lambda file: file.stem)
def test_fast_reading_of_the_demo_is_exact(file: Path) -> None:
    assert_same_lines(file)


def test_fast_reading_of_real_documents_is_exact() -> None:
    for file in sorted((shared_data() / "documents").rglob("*.pdf")):
        assert_same_lines(file)
