"""What a parser's process hands over about places is checked like everything else from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.types import CharacterRun, Page, Span
from ingest.parsing import PDF, Parsed
from ingest.transfer import read_result, write_result


def parsed(*piece: CharacterRun) -> Parsed:
    page = Page(1, Span(0, 8), 595, 842, runs=(piece,))
    return Parsed(None, "fr", None, PDF, "Bonjour\n", (page,), (), "test")


def test_runs_come_back_as_they_were(tmp_path: Path) -> None:
    written = parsed((0, 3, 5), (3, 7, 20))
    write_result(written, tmp_path / "result.json")
    assert read_result(tmp_path / "result.json") == written


@pytest.mark.parametrize("piece", [[], [(0, 9, 0)], [(3, 3, 0)], [(0, 3, -1)], [(0, 3, 0), (4, 7, 3)], [(5, 2, 0)]])
def test_runs_that_fit_no_page_are_refused(tmp_path: Path, piece: list[CharacterRun]) -> None:
    write_result(parsed(*piece), tmp_path / "result.json")
    with pytest.raises(ValueError, match="run lies outside"):
        read_result(tmp_path / "result.json")
