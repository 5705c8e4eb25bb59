"""Requests that no page sends: numbers beyond any count, half characters, names that mislead."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from reportlab.pdfgen import canvas

from tests.service.conftest import World

HUGE = 10**30


def headers(token: str = "archivist") -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": "application/json", "content-type": "application/json"}


def hand_in(world: World, *files: tuple[str, bytes], token: str = "archivist") -> Any:
    parts = [("files", ("file", content, "application/octet-stream")) for _, content in files]
    data = {"label": "public", "sources": [source for source, _ in files]}
    authorization = {"authorization": f"Bearer {token}", "accept": "application/json"}
    return world.client.post("/v1/documents", headers=authorization, files=parts, data=data)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"?offset={HUGE}", 422),
        (f"?offset={2**63}", 422),
        (f"?offset={2**63 - 1}", 200),
        (f"/{{id}}/pages/{HUGE}", 422),
        (f"/{{id}}/pages/{HUGE}/image", 422),
        ("?q=" + "%20".join(f"a{number}" for number in range(60)), 422),
        ("?q=" + "%20".join(["a"] * 200), 200),
        ("/{id}/original?version=../../ledger.db", 404),
        ("/%00", 404),
    ],
)
def test_odd_numbers_and_words_are_the_askers_fault(world: World, path: str, status: int) -> None:
    reply = world.client.get("/v1/documents" + path.format(id=world.open_id), headers=headers())
    assert reply.status_code == status, reply.text


def test_text_that_cannot_be_written_down_changes_nothing(world: World) -> None:
    paper = io.BytesIO()
    sheet = canvas.Canvas(paper)
    sheet.drawString(72, 700, "Le service est ouvert de huit heures a midi.")
    sheet.save()
    found = hand_in(world, ("/in/horaires.pdf", paper.getvalue()), ("/in/illisible.pdf", b"%PDF-1.4 broken")).json()
    readable, broken = (document["document_id"] for document in found["documents"])
    assert world.parts.ingestion.wait_idle(120)
    before = world.client.get(f"/v1/documents/{readable}", headers=headers()).json()
    for method, path, body in (
        ("PUT", f"{readable}/pages/1/text", {"text": "Ouvert \ud800 toujours."}),
        ("PUT", f"{readable}/pages/1/text", {"text": "Ouvert \0 toujours."}),
        ("PUT", f"{readable}/hold", {"reason": "\ud800"}),
        ("PUT", f"{readable}/hold", {"reason": "\u200b"}),
        ("PATCH", readable, {"title": "\u202e"}),
        ("POST", f"{broken}/retry", {"password": "\ud800"}),
    ):
        reply = world.client.request(method, f"/v1/documents/{path}", headers=headers(), content=json.dumps(body))
        assert reply.status_code == 422, (path, reply.text)
    assert world.client.get(f"/v1/documents/{readable}", headers=headers()).json() == before
    assert world.client.get(f"/v1/documents/{broken}", headers=headers()).json()["state"] == "rejected"


def test_sources_are_kept_in_characters_that_can_be_shown(world: World) -> None:
    for number, (source, kept) in enumerate(
        (
            ("lot/a\nb.txt", "lot/a b~"),
            ("lot/a\0b.txt", "lot/a b~"),
            ("lot/\u202etxt.exe", "lot/txt~"),
            ("lot/" + "x" * 3000, "lot/xxx"),
            ("lot/été 2.txt", "lot/été 2.txt"),
        )
    ):
        reply = hand_in(world, (source, f"Un texte assez long, numéro {number}.".encode()))
        (document,) = reply.json()["documents"]
        assert document["source"].startswith(kept), (source, document["source"])
        assert document["file_name"] == document["source"].removeprefix("lot/")
        assert len(document["file_name"]) < 300
    for source in ("", " ", "x/" * 5000):
        assert hand_in(world, (source, b"Un texte assez long.")).status_code == 422
    assert world.parts.ingestion.wait_idle(120)
