"""What the command line says of a document's reasons, and in which language."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.cli import app
from ingest.telling import reasons_of
from tests.worlds import instance_file

RAR = {"reason": "a RAR archive is not read yet; unpack it and hand in its files", "category": "unsupported_type"}


@pytest.mark.parametrize("language", ["fr", "fr_FR.UTF-8", "FR"])
def test_reason_is_said_with_what_to_do_in_the_language_of_the_terminal(language: str) -> None:
    said = "C’est une archive RAR, qui n’est pas lue. Décompressez-la et remettez les fichiers qu’elle contient."
    assert reasons_of(RAR, language) == said


@pytest.mark.parametrize("language", ["en_GB.UTF-8", "C.UTF-8", "de_DE", "", None])
def test_reason_is_given_as_recorded_where_no_language_of_ours_is_asked_for(language: str | None) -> None:
    assert reasons_of(RAR, language) == RAR["reason"]


def test_warning_is_said_in_arabic_and_what_has_no_words_as_it_was_recorded() -> None:
    document = {"reason": "", "warnings": ["page 3: OCR found no words", "something new"]}
    assert reasons_of(document, "ar") == "الصفحة 3: لم يُتعرّف فيها على أي كلمة. something new"


def test_status_in_french_tells_a_password_from_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "vide.pdf").write_bytes(b"")
    (tmp_path / "son.mp3").write_bytes(b"ID3" + bytes(400))
    named = ["--instance", str(instance_file(tmp_path))]
    add = ["add", str(tmp_path / "vide.pdf"), str(tmp_path / "son.mp3"), *named]
    shown = CliRunner().invoke(app, [*add, "--language", "fr"]).stdout
    assert "Le fichier est vide." in shown
    assert "C’est un enregistrement sonore, qui n’est pas lu. Remettez sa transcription." in shown.replace(
        "; Re", " Re"
    )
    shown = (
        CliRunner().invoke(app, ["status", *named], env={"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ar_MA.UTF-8"}).stdout
    )
    assert "الملف فارغ." in shown
