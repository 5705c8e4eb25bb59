"""What a nursery loads before its first document is complete, and fit to be forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ingest import isolation
from ingest.isolation import parse_here, parse_isolated
from ingest.parsing import Parsed, ParsingSettings
from ingest.preloading import make_documents

PRELOADED = """
import sys
from pathlib import Path
from ingest import isolation
isolation._preload()
before = set(sys.modules)
result = isolation.parse_here(Path(sys.argv[1]), isolation.ParsingSettings(ocr=False))
print(type(result).__name__, *sorted(set(sys.modules) - before))
"""


def test_documents_of_our_own_are_read_by_their_parsers(tmp_path: Path) -> None:
    results = {file.name: parse_here(file, ParsingSettings(ocr=False)) for file in make_documents(tmp_path)}
    assert len(results) == 14
    assert {name: result for name, result in results.items() if not isinstance(result, Parsed)} == {}


def test_nothing_is_left_to_import_for_a_document_of_a_frequent_kind(tmp_path: Path) -> None:
    for file in make_documents(tmp_path):
        if file.suffix in (".pdf", ".docx", ".html"):
            command = [sys.executable, "-c", PRELOADED, str(file)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert output.split() == ["Parsed"], file.name


def test_nursery_has_one_thread_so_that_it_may_fork(tmp_path: Path) -> None:
    isolation.close()
    (tmp_path / "a.txt").write_text("Un texte.")
    with parse_isolated(tmp_path / "a.txt", file_name="a.txt", settings=ParsingSettings()) as result:
        assert isinstance(result, Parsed)
    try:
        nursery = isolation._idle[-1]._process.pid
        assert len(list(Path(f"/proc/{nursery}/task").iterdir())) == 1
    finally:
        isolation.close()
