"""Receipts and verification over HTTP, on an instance of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader

READERS = {
    "clerk": reader("restricted/tax"),
    "archivist": reader("restricted/tax", Role.READER, Role.ARCHIVIST),
    "weak-archivist": reader("internal", Role.READER, Role.ARCHIVIST),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, list[str]]]:
    """Two restricted documents; the first is erased by the test that comes to it first."""
    folder: Path = tmp_path_factory.mktemp("receipts")
    with opened(load_settings(instance_file(folder))) as built:
        parts = replace(built, sign_in=NamedReaders(READERS))
        parts.ingestion.start()
        ids = []
        for name in ("a", "b"):
            (folder / name).write_text(f"Le délai {name} est de trente jours.", encoding="utf-8")
            label = Label.parse("restricted/tax")
            archivist = READERS["archivist"]
            status = parts.ingestion.accept(folder / name, source=f"/in/{name}.txt", principal=archivist, label=label)
            ids.append(status.document_id)
        assert parts.ingestion.wait_idle(120)
        with TestClient(protected(create_interface(parts), None, parts), base_url="http://127.0.0.1") as http:
            yield http, ids


def as_(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}"}


def test_erasing_answers_with_a_receipt_that_can_be_checked(client: tuple[TestClient, list[str]]) -> None:
    http, (first, _) = client
    refused = [http.delete(f"/v1/documents/{first}", headers=as_(name)).status_code for name in READERS]
    assert refused == [403, 200, 404], "clerk, archivist, and then there is none for anybody"
    receipts = http.get("/v1/receipts", headers=as_("archivist")).json()["receipts"]
    assert [receipt["document_id"] for receipt in receipts] == [first]
    one = http.get(f"/v1/receipts/{receipts[0]['receipt_id']}", headers=as_("archivist"))
    assert one.json() == receipts[0]
    assert http.post("/v1/receipts/verify", headers=as_("clerk"), json=one.json()).json()["valid"]
    changed = one.json() | {"passages": 99}
    assert not http.post("/v1/receipts/verify", headers=as_("clerk"), json=changed).json()["valid"]
    weak = http.get("/v1/receipts", headers=as_("weak-archivist"))
    assert (weak.status_code, weak.json()) == (200, {"receipts": []})
    hidden = http.get(f"/v1/receipts/{receipts[0]['receipt_id']}", headers=as_("weak-archivist"))
    assert (hidden.status_code, hidden.json()) == (404, http.get("/v1/receipts/x", headers=as_("archivist")).json())


def test_verification_is_for_archivists_who_may_know_of_everything(client: tuple[TestClient, list[str]]) -> None:
    http, _ = client
    codes = {name: http.post("/v1/documents/verify", headers=as_(name)).status_code for name in READERS}
    assert codes == {"clerk": 403, "archivist": 200, "weak-archivist": 403}
    assert http.get("/v1/receipts", headers=as_("clerk")).status_code == 403
    for method, path in (("GET", "/v1/receipts"), ("POST", "/v1/receipts/verify"), ("POST", "/v1/documents/verify")):
        assert http.request(method, path).status_code == 401
