"""What every parser promises, run on every document of the demo and on the shared real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.types import LANGUAGES, BlockKind, tiles
from ingest import parsing
from ingest.isolation import parse_here
from ingest.ocr import refusal
from ingest.parsing import Parsed, ParsingSettings, Rejected, RejectionCategory, detect_media_type, parser_for
from tests.shared import shared_data

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
SETTINGS = ParsingSettings()
FILES = sorted(path for path in DEMO.rglob("*") if path.is_file() and path.suffix != ".toml")


def assert_contract(path: Path) -> None:
    result = parse_here(path, SETTINGS)
    if isinstance(result, Rejected):
        assert result.category in set(RejectionCategory)
        assert len(result.message) > 10
        return
    assert any(character.isalnum() for character in result.text), "text without a letter is no success"
    assert result.language in LANGUAGES
    assert result.media_type == detect_media_type(path)
    assert_pages(result)
    assert_blocks(result)
    for attachment in result.attachments:
        assert attachment.file_name == Path(attachment.file_name).name != ""
    again = parse_here(path, SETTINGS)
    assert isinstance(again, Parsed)
    assert replace(again, attachments=()) == replace(result, attachments=()), "reading twice gives two results"
    assert carried(again) == carried(result)


def carried(result: Parsed) -> list[tuple[str, bytes]]:
    return [(attachment.file_name, attachment.path.read_bytes()) for attachment in result.attachments]


def assert_pages(result: Parsed) -> None:
    if not result.pages:
        return
    assert tiles([page.span for page in result.pages], len(result.text))
    assert [page.number for page in result.pages] == list(range(1, len(result.pages) + 1))
    for page in result.pages:
        position = page.span.start
        assert 0 <= page.confidence <= 1
        for word in page.words:
            text = result.text[word.span.start : word.span.end]
            assert text == text.strip() != ""
            assert position <= word.span.start < word.span.end <= page.span.end, (
                "words out of order or outside their page"
            )
            position = word.span.end
            assert 0 <= word.box.left < word.box.right <= 1
            assert 0 <= word.box.top < word.box.bottom <= 1


def assert_blocks(result: Parsed) -> None:
    position = 0
    for block in result.blocks:
        assert position <= block.span.start < block.span.end <= len(result.text)
        assert result.text[block.span.start : block.span.end].strip()
        assert (block.heading_level > 0) == (block.kind is BlockKind.HEADING)
        position = block.span.end


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_demo_document_keeps_the_contract_and_is_read(path: Path) -> None:
    assert_contract(path)
    result = parse_here(path, SETTINGS)
    if isinstance(result, Rejected):
        assert result.category == "needs_ocr"
        assert refusal(SETTINGS) is not None


def test_real_documents_keep_the_contract() -> None:
    for path in sorted((shared_data() / "documents").rglob("*")):
        if path.is_file():
            assert_contract(path)


def test_hostile_files_keep_the_contract() -> None:
    for path in sorted((shared_data() / "hostile").rglob("*")):
        if path.is_file():
            assert_contract(path)


@pytest.mark.parametrize(
    "media_type",
    [
        parsing.PDF, parsing.DOCX, parsing.ODT, parsing.HTML, parsing.TEXT, parsing.MARKDOWN, parsing.EMAIL, parsing.PNG,
        parsing.XLSX, parsing.ODS, parsing.CSV, parsing.PPTX, parsing.RTF, parsing.EPUB, parsing.XML,
    ],
)  # fmt: skip
def test_every_promised_type_has_a_parser_that_says_so(media_type: str) -> None:
    parser = parser_for(media_type)
    assert parser is not None
    assert parser.name
    assert media_type in parser.media_types


def test_other_types_have_none() -> None:
    assert parser_for("application/vnd.rar") is None
