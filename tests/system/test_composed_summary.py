"""A summary that a served model composes: a real instance and its real check, with a scripted server over HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from tests.endpoint_server import MODEL, Body, EndpointServer, Script, answer
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader

TEXT = """Article 1 – Télétravail

Le nombre de jours de télétravail est de trois par semaine pour un agent à temps plein.

Article 2 – Réponse

Le chef de service répond par écrit dans un délai de quinze jours à compter du dépôt.
"""


def _said(body: Body) -> Script:
    """What is true of the first section, and of the second what is not."""
    asked = str(body)
    if "temps plein" in asked:
        return answer("Pour un agent à temps plein, le nombre de jours de télétravail est de trois par semaine [1].")
    return answer("Le chef de service répond par écrit dans un délai de soixante jours [1].")


@pytest.mark.system
def test_served_model_sums_up_and_what_does_not_hold_is_quoted(tmp_path: Path) -> None:
    with EndpointServer(_said) as server:
        endpoint = (
            f'[[models.endpoints]]\nname = "one"\nurl = "{server.url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        )
        settings = load_settings(instance_file(tmp_path, extra=f"{endpoint}context_tokens = 8192\n"))
        with opened(settings) as built:
            readers = {"weak": reader("public"), "archivist": reader("restricted", Role.READER, Role.ARCHIVIST)}
            parts = replace(built, sign_in=NamedReaders(readers))
            parts.ingestion.start()
            (tmp_path / "regle.txt").write_text(TEXT, encoding="utf-8")
            status = parts.ingestion.accept(
                tmp_path / "regle.txt",
                source="/in/regle.txt",
                principal=readers["archivist"],
                label=Label.parse("public"),
            )
            assert parts.ingestion.wait_idle(120)
            client = TestClient(protected(create_interface(parts), None, parts), base_url="http://127.0.0.1")
            headers = {"authorization": "Bearer weak", "accept": "application/json"}
            summary = client.get(f"/v1/documents/{status.document_id}/summary", headers=headers).json()
    first, second = summary["sentences"]
    assert (first["verdict"], second["verdict"]) == ("supported", "quoted")
    assert "trois par semaine" in first["text"]
    assert "quinze jours" in second["text"]
    assert "soixante" not in str(summary)
    assert (summary["model"], summary["withheld"], summary["fallback"]) == (MODEL, 1, "")
