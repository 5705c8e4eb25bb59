"""Receipts and verification over HTTP, on an instance of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import opened
from assistant.config import load_settings
from assistant.receipts import check_file
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
    assert (weak.status_code, weak.json()) == (200, {"receipts": [], "total": 0, "purges": {}})
    hidden = http.get(f"/v1/receipts/{receipts[0]['receipt_id']}", headers=as_("weak-archivist"))
    assert (hidden.status_code, hidden.json()) == (404, http.get("/v1/receipts/x", headers=as_("archivist")).json())


def test_verification_is_for_archivists_who_may_know_of_everything(client: tuple[TestClient, list[str]]) -> None:
    http, _ = client
    codes = {name: http.post("/v1/documents/verify", headers=as_(name)).status_code for name in READERS}
    assert codes == {"clerk": 403, "archivist": 202, "weak-archivist": 403}
    codes = {name: http.get("/v1/documents/verify", headers=as_(name)).status_code for name in READERS}
    assert codes == {"clerk": 403, "archivist": 200, "weak-archivist": 403}
    assert http.get("/v1/receipts", headers=as_("clerk")).status_code == 403
    routes = [("GET", "receipts"), ("GET", "receipts/public-key"), ("POST", "receipts/verify"),
              ("POST", "receipts/verify/file"), ("POST", "documents/verify"), ("GET", "documents/verify")]  # fmt: skip
    for method, path in routes:
        assert http.request(method, f"/v1/{path}").status_code == 401


def test_receipts_file_is_checked_byte_for_byte(client: tuple[TestClient, list[str]]) -> None:
    http, (first, _) = client
    http.delete(f"/v1/documents/{first}", headers=as_("archivist"))
    (receipt,) = http.get("/v1/receipts", headers=as_("archivist")).json()["receipts"]
    content = http.get(f"/v1/receipts/{receipt['receipt_id']}", headers=as_("archivist")).content

    def checked(file: bytes, name: str = "clerk") -> httpx.Response:
        return http.post("/v1/receipts/verify/file", headers=as_(name), files={"file": ("r.json", file)})

    genuine = checked(content)
    assert (genuine.json()["valid"], genuine.json()["receipt"]["document_id"]) == (True, first)
    for forged in (content + b"\n", content.replace(b'"pages":0', b'"pages":1'), b"", b"\xff", b"[]", content[:-9]):
        reply = checked(forged)
        assert (reply.status_code, reply.json()["valid"], reply.json()["receipt"]) == (200, False, None)
    assert checked(b" " * (1 << 20) + content).status_code == 422
    key = http.get("/v1/receipts/public-key", headers=as_("clerk"))
    assert check_file(content, key.content).valid


def test_receipts_are_found_by_what_names_them_and_listed_in_parts(client: tuple[TestClient, list[str]]) -> None:
    http, (first, _) = client
    http.delete(f"/v1/documents/{first}", headers=as_("archivist"))

    def listed(name: str, **query: object) -> tuple[int, int]:
        reply = http.get("/v1/receipts", headers=as_(name), params=query).json()
        return len(reply["receipts"]), reply["total"]

    (receipt,) = http.get("/v1/receipts", headers=as_("archivist")).json()["receipts"]
    for sought in (first.upper(), receipt["versions"][0][:12], receipt["erased_at"][:10], "reader-restricted"):
        assert listed("archivist", q=sought) == (1, 1)
        assert listed("weak-archivist", q=sought) == (0, 0)
    assert listed("archivist", q="zyzomys") == (0, 0)
    assert listed("archivist", offset=1, limit=1) == (0, 1)
    assert http.get("/v1/receipts?limit=0", headers=as_("archivist")).status_code == 422


def test_purge_record_is_for_who_may_know_of_every_erasure_it_covers(client: tuple[TestClient, list[str]]) -> None:
    http, (first, _) = client
    http.delete(f"/v1/documents/{first}", headers=as_("archivist"))
    deadline = time.monotonic() + 60
    while not (listing := http.get("/v1/receipts", headers=as_("archivist")).json())["purges"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (receipt,) = listing["receipts"]
    record = listing["purges"][receipt["receipt_id"]]
    reply = http.get(f"/v1/receipts/{record['receipt_id']}", headers=as_("archivist"))
    assert (reply.json()["covers"], reply.json()["purged_at"]) == ([receipt["receipt_id"]], record["purged_at"])
    checked = http.post("/v1/receipts/verify/file", headers=as_("clerk"), files={"file": ("r.json", reply.content)})
    assert checked.json()["valid"]
    assert http.get("/v1/receipts", headers=as_("weak-archivist")).json()["purges"] == {}
    assert http.get(f"/v1/receipts/{record['receipt_id']}", headers=as_("weak-archivist")).status_code == 404
