"""Who may open the file of a document that waits for its label: archivists who may label it, and nobody else."""

from __future__ import annotations

import uuid

import pytest

from tests.service.conftest import World

ABSENT = "00000000-0000-0000-0000-000000000000"
UNMARKED = "Une note sans mention sur les bouées du chenal, numéro {}.\n"
DISAGREEING = "DIFFUSION RESTREINTE\n\nMention de diffusion : PUBLIC\n\nUn texte sur les bouées, numéro {}.\n"


def handed_in(world: World, content: bytes, name: str = "note.txt", **form: str) -> dict[str, str]:
    data = {"sources": f"/in/{uuid.uuid4()}/{name}", **form}
    reply = world.client.post(
        "/v1/documents", headers={"authorization": "Bearer archivist"}, files={"files": (name, content)}, data=data
    )
    assert world.parts.ingestion.wait_idle(60)
    document: dict[str, str] = world.get(
        f"/v1/documents/{reply.json()['documents'][0]['document_id']}", "archivist"
    ).json()
    return document


def test_archivist_opens_what_waits_for_a_label_and_a_reader_hears_that_there_is_none(world: World) -> None:
    content = UNMARKED.format(1).encode()
    document = handed_in(world, content)
    assert document["category"] == "unlabelled"
    path = f"/v1/documents/{document['document_id']}/original"
    opened = world.get(path, "weak-archivist")
    assert (opened.status_code, opened.content) == (200, content)
    assert opened.headers["content-disposition"] == "attachment; filename*=UTF-8''note.txt"
    assert world.get(f"{path}?version={document['version']}", "archivist").content == content
    absent = world.get(f"/v1/documents/{ABSENT}/original", "strong")
    refused = world.get(path, "strong")
    assert (refused.status_code, refused.json()) == (404, absent.json())
    assert world.get(f"{path}?version={'0' * 64}", "archivist").status_code == 404


def test_file_whose_marking_may_be_above_the_clearance_is_not_opened(world: World) -> None:
    document = handed_in(world, DISAGREEING.format(2).encode())
    assert document["category"] == "conflicting_labels"
    path = f"/v1/documents/{document['document_id']}/original"
    assert world.get(path, "archivist").status_code == 200
    absent = world.get(f"/v1/documents/{ABSENT}/original", "weak-archivist")
    refused = world.get(path, "weak-archivist")
    assert (refused.status_code, refused.json()) == (404, absent.json()), "leaked"


@pytest.mark.parametrize("form", [{}, {"label": "public"}])
def test_file_that_was_never_read_through_stays_shut(world: World, form: dict[str, str]) -> None:
    """Nobody knows yet what its marking lines say."""
    document = handed_in(world, b"%PDF-1.7 broken " + str(form).encode(), "abime.pdf", **form)
    assert document["state"] in ("rejected", "quarantined")
    for token in ("archivist", "weak-archivist", "strong"):
        assert world.get(f"/v1/documents/{document['document_id']}/original", token).status_code == 404
