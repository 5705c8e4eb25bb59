"""What an archive carries goes through the whole of ingestion, each file under the label that is known of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.types import DocumentStatus
from tests.worlds import ARCHIVIST, child_environment, instance_file

MAIL = (
    "From: a@montclair.example\nTo: b@montclair.example\nSubject: Note\nDate: Fri, 3 May 2024 10:00:00 +0200\n"
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/plain\n\n'
    "Marking: SECRET\n\nVoici la note.\n--x\nContent-Type: text/plain\n"
    'Content-Disposition: attachment; filename="note.txt"\n\nLa note jointe au message.\n--x--\n'
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("carried")
    with opened(load_settings(instance_file(folder, unmarked="quarantine"))) as built:
        built.ingestion.start()
        yield built


def handed_in(parts: Parts, file: Path, label: str | None = None) -> dict[str, DocumentStatus]:
    """The states of an archive and its files, by the end of their sources."""
    given = Label.parse(label) if label else None
    parts.ingestion.accept(file, source=str(file), principal=ARCHIVIST, label=given)
    assert parts.ingestion.wait_idle(120)
    statuses = parts.ingestion.documents(ARCHIVIST)
    return {s.source.removeprefix(str(file)): s for s in statuses if s.source.startswith(str(file))}


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_label_of_an_archive_holds_for_all_of_its_files(parts: Parts, tmp_path: Path) -> None:
    files = {"a.txt": "Un premier texte.", "lot/b.txt": "Marking: SECRET\n\nUn texte marqué."}
    found = handed_in(parts, zipped(tmp_path / "lot.zip", files), "internal/health")
    assert {name: (status.state.value, status.label) for name, status in found.items()} == {
        "": ("done", "internal/health"),
        "!/a.txt": ("done", "internal/health"),
        "!/lot/b.txt": ("quarantined", ""),
    }
    assert found[""].reason == "an archive of 2 files; each is listed as a document of its own"
    assert found[""].passages == 0
    assert found["!/lot/b.txt"].category == "conflicting_labels"


def test_without_a_label_each_file_decides_for_itself(parts: Parts, tmp_path: Path) -> None:
    files = {
        "libre.txt": "Un texte sans aucune mention.", "marque.txt": "Marking: SECRET\n\nUn texte confidentiel.",
        "voisin.txt": "Un texte avec un voisin.", "voisin.txt.toml": 'label = "internal"\ntitle = "Le voisin"',
        "message.eml": MAIL,
    }  # fmt: skip
    found = handed_in(parts, zipped(tmp_path / "melange.zip", files))
    assert {name: (status.state.value, status.label) for name, status in found.items()} == {
        "": ("done", ""),
        "!/libre.txt": ("quarantined", ""),
        "!/marque.txt": ("done", "secret"),
        "!/voisin.txt": ("done", "internal"),
        "!/message.eml": ("done", "secret"),
        "!/message.eml!/note.txt": ("done", "secret"),
    }
    assert found["!/voisin.txt"].title == "Le voisin"
    assert found["!/libre.txt"].category == "unlabelled"


def test_unsafe_archive_is_rejected_and_nothing_of_it_is_known(parts: Parts, tmp_path: Path) -> None:
    found = handed_in(parts, zipped(tmp_path / "slip.zip", {"bon.txt": "Un bon texte.", "../x.txt": "x"}), "internal")
    assert {name: (status.state.value, status.category) for name, status in found.items()} == {
        "": ("rejected", "unsafe_archive")
    }


def run(*arguments: str, home: Path, status: int = 0) -> str:
    command = [sys.executable, "-m", "assistant.cli", *arguments, "--instance", str(home / "instance.toml")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=home, env=child_environment())
    assert result.returncode == status, result.stderr + result.stdout
    return result.stdout


def test_commands_hand_in_a_manifest_and_watch_a_folder(tmp_path: Path) -> None:
    instance_file(tmp_path, unmarked="quarantine")
    lot = tmp_path / "lot"
    lot.mkdir()
    odd = lot / os.fsdecode(b'l\xe9 "gras"\n.txt')
    odd.write_text("Un texte au nom étrange.")
    (lot / "a.txt").write_text("Un premier texte.")
    (lot / "lot.csv").write_text("file,title,label\na.txt,Premier,internal\nz.txt,,\n")
    listed = json.loads(run("ingest", "add", str(lot / "lot.csv"), "--json", home=tmp_path, status=1))
    assert {(d["title"], d["state"], d["label"]) for d in listed["documents"] if d["label"]} == {
        ("Premier", "done", "internal")
    }
    assert {d["reason"].split(";")[0] for d in listed["documents"] if not d["label"]} == {
        "is named in lot.csv and is not there", "is not named in lot.csv",
    }  # fmt: skip
    odd.with_name(odd.name + ".toml").write_text('label = "internal"\ntitle = "Étrange"')
    (lot / "lot.csv").unlink()
    watched = run("ingest", "watch", str(lot), "--every", "0.1", "--looks", "3", home=tmp_path)
    assert watched.count("handed in ") == 2
    status = json.loads(run("ingest", "status", "--json", home=tmp_path))
    assert {(d["title"], d["label"]) for d in status["documents"]} == {("Premier", "internal"), ("Étrange", "internal")}


def test_file_over_the_upload_limit_is_listed_and_the_others_are_handed_in(tmp_path: Path) -> None:
    instance_file(tmp_path)
    file = tmp_path / "instance.toml"
    file.write_text(file.read_text("utf-8").replace("[service]\n", "[service]\nmax_upload_mb = 1\n"), "utf-8")
    lot = tmp_path / "lot"
    lot.mkdir()
    for name in ("a.txt", "c.txt"):
        (lot / name).write_text(f"Un texte du dossier {name}.")
    (lot / "b.bin").write_bytes(bytes(2**20 + 1))
    listed = json.loads(run("ingest", "add", str(lot), "--json", home=tmp_path, status=1))["documents"]
    assert {d["file_name"]: (d["state"], d["category"]) for d in listed} == {
        "a.txt": ("done", ""), "b.bin": ("rejected", "too_large"), "c.txt": ("done", ""),
    }  # fmt: skip
    assert "larger than 1 MB" in next(d["reason"] for d in listed if d["file_name"] == "b.bin")
