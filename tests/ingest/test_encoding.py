"""Real French and Arabic text in every encoding that offices used, read back letter by letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.encoding import decoded
from tests.ingest.reading import blocks, parsed, written
from tests.shared import shared_data

WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
FRENCH = ("latin-1", "iso8859-15", "cp1252", "mac_roman", "cp850")
ARABIC = ("cp1256", "iso8859-6", "cp720")


def real_texts(language: str) -> list[str]:
    corpus = shared_data() / "retrieval" / {"fr": "fr-piaf", "ar": "ar-xquad"}[language] / "corpus.jsonl"
    with corpus.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line, _ in zip(lines, range(60), strict=False)]


@pytest.mark.parametrize(
    ("language", "encoding"), [("fr", name) for name in WIDE + FRENCH] + [("ar", name) for name in WIDE + ARABIC]
)
def test_real_text_is_read_in_every_encoding(language: str, encoding: str) -> None:
    for text in real_texts(language):
        content = text.encode(encoding, "ignore")
        assert decoded(content) == content.decode(encoding).lstrip("\ufeff")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Où est l'œuvre ? Le prix est de 5 €.", "iso8859-15"),
        ("ÉTAT CIVIL\nDÉLAIS D'INSTRUCTION", "cp1252"),
        ("Le maire, « à l’unanimité », décide :", "mac_roman"),
        ("المادة الأولى: تحدد أوقات العمل", "iso8859-6"),
        ("المادة الأولى: تحدد أوقات العمل", "utf-16-le"),
    ],
)
def test_short_text_file_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    assert parsed(written(tmp_path / "a.txt", text.encode(encoding))).text == text


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1256", "macintosh", "iso-8859-6", "utf-16"])
def test_declared_encoding_of_a_page_wins_where_the_bytes_agree(tmp_path: Path, declared: str) -> None:
    words = "قرار الجماعة" if declared in ("windows-1256", "iso-8859-6") else "Décision n° 5"
    page = f'<html><head><meta charset="{declared}"></head><body><p>{words}</p></body></html>'
    assert blocks(parsed(written(tmp_path / "a.html", page.encode(declared)))) == [("paragraph", words)]


def test_page_that_lies_about_its_encoding_is_read_by_its_bytes(tmp_path: Path) -> None:
    page = '<html><head><meta charset="iso-8859-1"></head><body><p>Décision de l’été</p></body></html>'
    assert blocks(parsed(written(tmp_path / "a.html", page.encode()))) == [("paragraph", "Décision de l’été")]


def test_table_of_a_mac_is_read(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.csv", "Élève;Délai\nZoé;trois années\n".encode("mac_roman")))
    assert blocks(result) == [("table", "Élève | Délai\nZoé | trois années")]


def test_binary_bytes_never_raise() -> None:
    for content in (b"\xff", b"\x81\x8d\x8f", bytes(range(256)), b"\xff\xfe\x00", b"\x00\x00\xfe\xff\x00", b"\x00"):
        assert isinstance(decoded(content), str)


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_one_wrong_byte_costs_one_letter_and_not_the_whole_text(language: str) -> None:
    for text in (text.lstrip("\ufeff") for text in real_texts(language)):
        content = f"{text}\n{text} ".encode()
        assert decoded(content + b"\xd9") == f"{text}\n{text} \ufffd"


def test_lines_of_another_encoding_are_read_in_theirs() -> None:
    text = "Le préfet décide : l’été à Nîmes « reste gratuit ».\n" * 3
    assert decoded(text.encode() + "Reçu le 3 août à l'hôtel.\n".encode("cp1252") + text.encode()) == (
        f"{text}Reçu le 3 août à l'hôtel.\n{text}"
    )


def test_letters_that_are_lost_in_the_file_are_reported(tmp_path: Path) -> None:
    content = "Le préfet décide : l’été à Nîmes « reste gratuit » d".encode() + b"\xc3"
    assert parsed(written(tmp_path / "a.txt", content)).warnings == ("1 damaged character could not be read",)
