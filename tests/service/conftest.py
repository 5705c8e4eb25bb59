"""A real instance in this process, with two documents and readers of different clearance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.access import Principal, Role
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.errors import SignInRequired
from assistant.service.application import create_interface, protected
from tests.worlds import instance_file, reader

OPEN_TEXT = "Le délai de dépôt de la demande de logement est de trente jours à compter de la notification.\n"
HIDDEN_TEXT = "Le délai de dépôt de la demande de logement secret zyzomys est de trente jours exactement.\n"


class NamedReaders:
    """A sign-in for tests: the token is the reader's name."""

    session_seconds = 60

    def __init__(self, readers: dict[str, Principal]) -> None:
        self._readers = readers

    def session(self, credential: str) -> str:
        self.principal(credential)
        return credential

    def principal(self, token: str) -> Principal:
        if token not in self._readers:
            raise SignInRequired("nobody of that name")
        return self._readers[token]


@dataclass(frozen=True)
class World:
    parts: Parts
    client: TestClient
    open_id: str
    hidden_id: str

    def get(self, path: str, token: str | None, **arguments: object):  # type: ignore[no-untyped-def]
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self.client.get(path, headers=headers, **arguments)  # type: ignore[arg-type]

    def post(self, path: str, token: str | None, **arguments: object):  # type: ignore[no-untyped-def]
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"} if token else {}
        return self.client.post(path, headers=headers, **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two documents that say nearly the same, one public and one restricted; readers `weak`, `strong`, `archivist`."""
    folder = tmp_path_factory.mktemp("service")
    readers = {
        "weak": reader("public"),
        "strong": reader("restricted/tax"),
        "archivist": reader("restricted/tax", Role.READER, Role.ARCHIVIST),
        "weak-archivist": reader("internal", Role.READER, Role.ARCHIVIST),
    }
    with opened(load_settings(instance_file(folder, unmarked="quarantine"))) as built:
        parts = replace(built, sign_in=NamedReaders(readers))
        parts.ingestion.start()
        ids = [_hand_in(parts, folder, *document) for document in (
            ("ouvert.txt", OPEN_TEXT, "public"), ("cache.txt", HIDDEN_TEXT, "restricted/tax"),
        )]  # fmt: skip
        assert parts.ingestion.wait_idle(120)
        application = protected(create_interface(parts), None, parts)
        with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield World(parts, client, *ids)


def _hand_in(parts: Parts, folder: Path, name: str, text: str, label: str) -> str:
    from assistant.access import Label

    file = folder / name
    file.write_text(text * 3, encoding="utf-8")
    archivist = parts.sign_in.principal("archivist")
    status = parts.ingestion.accept(file, source=f"/in/{name}", principal=archivist, label=Label.parse(label))
    return status.document_id
