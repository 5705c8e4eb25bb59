"""Changes and summaries over HTTP, under the reader's rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.service.application import create_interface, protected
from tests.service.conftest import NamedReaders
from tests.worlds import instance_file, reader

OLD = "Article 1 – Congés\n\nLe congé annuel dure vingt jours. La demande est faite par écrit au chef de service.\n"
NEW = "Article 1 – Congés\n\nLe congé annuel dure trente jours. La demande est faite par écrit au chef de service.\n"
HIDDEN = (
    "Article 1 – Congés\n\nLe congé annuel dure quarante jours zyzomys. La demande est faite par écrit au préfet.\n"
)


@dataclass(frozen=True)
class Reading:
    client: TestClient
    rule: str
    old_version: str
    new_version: str
    hidden: str
    single: str
    dated: str

    def get(self, path: str, token: str, **arguments: object):  # type: ignore[no-untyped-def]
        headers = {"authorization": f"Bearer {token}"}
        return self.client.get(f"/v1/documents/{path}", headers=headers, **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    folder = tmp_path_factory.mktemp("reading")
    readers = {
        "weak": reader("public"),
        "archivist": reader("restricted", Role.READER, Role.ARCHIVIST),
        "weak-archivist": reader("public", Role.READER, Role.ARCHIVIST),
    }
    settings = load_settings(instance_file(folder, unmarked="quarantine", extra='[ingest]\nkeep_versions = "all"\n'))
    with opened(settings) as built:
        parts = replace(built, sign_in=NamedReaders(readers))
        parts.ingestion.start()
        rule, old = _hand_in(parts, folder, "regle.txt", OLD, "public")
        _, new = _hand_in(parts, folder, "regle.txt", NEW, "public")
        hidden, _ = _hand_in(parts, folder, "cache.txt", HIDDEN, "restricted")
        single, _ = _hand_in(parts, folder, "seul.txt", OLD.replace("vingt", "dix"), "public")
        dated, _ = _hand_in(parts, folder, "date.txt", f"Circulaire du 3 mai 2019\n\n{OLD}", "public")
        with TestClient(protected(create_interface(parts), None, parts), base_url="http://127.0.0.1") as client:
            yield Reading(client, rule, old, new, hidden, single, dated)


def _hand_in(parts: Parts, folder: Path, name: str, text: str, label: str) -> tuple[str, str]:
    (folder / name).write_text(text, encoding="utf-8")
    archivist = parts.sign_in.principal("archivist")
    status = parts.ingestion.accept(folder / name, source=f"/in/{name}", principal=archivist, label=Label.parse(label))
    assert parts.ingestion.wait_idle(120)
    return status.document_id, status.version


def test_archivist_sees_what_a_new_version_changed(reading: Reading) -> None:
    for path in ("", f"?from={reading.old_version}&to={reading.new_version}"):
        reply = reading.get(f"{reading.rule}/changes{path}", "archivist")
        assert reply.status_code == 200, reply.text
        body = reply.json()
        assert (body["from"]["version"], body["to"]["version"]) == (reading.old_version, reading.new_version)
        (change,) = body["changes"]
        assert (change["kind"], change["heading"]) == ("changed", "Article 1 – Congés")
        assert change["before"]["text"] == "Le congé annuel dure vingt jours."
        assert change["after"]["citation"]["quote"] == "Le congé annuel dure trente jours."
        assert change["after"]["changed"] == [{"start": 21, "end": 27, "is_number": True}]


def test_reader_without_the_archivists_role_compares_no_former_version(reading: Reading) -> None:
    body = reading.get(f"{reading.rule}/changes", "weak").json()
    alone = reading.get(f"{reading.single}/changes", "weak").json()
    assert (body["from"], body["changes"], body["unchanged"]) == (None, [], 3)
    assert body.keys() == alone.keys()
    assert "vingt" not in str(body)
    reply = reading.get(f"{reading.rule}/changes?from={reading.old_version}", "weak")
    assert reply.status_code == 404
    assert reply.json() == reading.get(f"{reading.rule}/changes?from=nowhere", "weak").json()


def test_hidden_document_is_compared_with_nothing(reading: Reading) -> None:
    for token in ("weak", "weak-archivist"):
        for path in (f"{reading.rule}/changes?other={reading.hidden}", f"{reading.hidden}/changes"):
            reply = reading.get(path, token)
            assert reply.status_code == 404
            assert reply.json() == reading.get("nowhere/changes", token).json()
    reply = reading.get(f"{reading.rule}/changes?other={reading.hidden}", "archivist")
    assert "zyzomys" in reply.text


def test_versions_are_those_that_the_reader_may_read(reading: Reading) -> None:
    def versions(token: str, document_id: str) -> list[str]:
        answer = reading.get(f"{document_id}/versions", token)
        told = answer.json().get("versions", [])
        return [each["version"] for each in told] if answer.status_code == 200 else [str(answer.status_code)]

    assert versions("archivist", reading.rule) == [reading.old_version, reading.new_version]
    assert versions("weak", reading.rule) == [reading.new_version]
    assert versions("weak", reading.single) == versions("archivist", reading.single) != ["404"]
    assert versions("weak-archivist", reading.hidden) == versions("weak", "no-such-document") == ["404"]


def test_reader_sees_when_a_version_was_handed_in_and_what_date_it_bears(reading: Reading) -> None:
    (told,) = reading.get(f"{reading.dated}/versions", "weak").json()["versions"]
    assert told["date"] == "2019-05-03"
    handed_in = datetime.fromisoformat(told["received_at"])
    assert abs(datetime.now(UTC) - handed_in) < timedelta(hours=1)
    first, second = reading.get(f"{reading.rule}/versions", "archivist").json()["versions"]
    assert first["received_at"] < second["received_at"]
    assert (first["date"], second["date"]) == (None, None)


def test_nobody_compares_without_signing_in(reading: Reading) -> None:
    assert reading.client.get(f"/v1/documents/{reading.rule}/changes").status_code == 401


def test_summary_comes_as_the_events_of_an_answer(reading: Reading) -> None:
    reply = reading.get(f"{reading.rule}/summary?sentences=3", "weak")
    assert reply.headers["content-type"].startswith("text/event-stream")
    names = [line.removeprefix("event: ") for line in reply.text.splitlines() if line.startswith("event: ")]
    assert names == ["evidence", "sentence", "sentence", "answer"]
    accept = {"authorization": "Bearer weak", "accept": "application/json"}
    answer = reading.client.get(f"/v1/documents/{reading.rule}/summary", headers=accept).json()
    assert [sentence["text"] for sentence in answer["sentences"]] == [
        "Le congé annuel dure trente jours.",
        "La demande est faite par écrit au chef de service.",
    ]
    assert answer["citations"][0]["version"] == reading.new_version


def test_summary_of_a_hidden_document_is_that_of_none(reading: Reading) -> None:
    for token in ("weak", "weak-archivist"):
        reply = reading.get(f"{reading.hidden}/summary", token)
        assert reply.status_code == 404
        assert reply.json() == reading.get("nowhere/summary", token).json()
    assert "zyzomys" in reading.get(f"{reading.hidden}/summary", "archivist").text


def test_impossible_summary_is_refused(reading: Reading) -> None:
    for wanted in ("sentences=2", "sentences=41", "language=de"):
        assert reading.get(f"{reading.rule}/summary?{wanted}", "weak").status_code == 422
