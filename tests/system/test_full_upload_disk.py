"""The disk is full while a document is uploaded: the archivist is told so, and the service goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import ROOT, child_environment, instance_file

pytestmark = pytest.mark.system

_UPLOAD = """
import json, subprocess, sys, tempfile
from pathlib import Path
from starlette.testclient import TestClient
from assistant.build import opened
from assistant.config import load_settings
from assistant.service.application import create_interface
from assistant.sessions import local_key

file = Path(sys.argv[1])
home, temporary = file.parent / "data", file.parent / "temporary"
for folder in (home, temporary):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=True)
tempfile.tempdir = str(temporary)

def fill(folder):
    try:
        with (folder / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(1 << 12)):
                pass
    except OSError:
        pass

with opened(load_settings(file)) as parts:
    headers = {"authorization": "Bearer " + local_key(home / "keys"), "accept": "application/json"}
    with TestClient(create_interface(parts), base_url="http://127.0.0.1", headers=headers) as client:
        for folder in (home, temporary):
            fill(folder)
            reply = client.post("/v1/documents", files={"files": ("note.txt", b"Le maire signe. " * 200_000)})
            print(json.dumps([reply.status_code, reply.json()]))
            (folder / "filler").unlink()
        reply = client.post("/v1/documents", files={"files": ("note.txt", b"Le maire signe. " * 200_000)})
        print(json.dumps([reply.status_code, reply.json()]))
"""


def test_upload_on_a_full_disk_is_refused_in_plain_words_and_taken_when_there_is_room(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disks of this test; run it as root to see it")
    file = instance_file(tmp_path, extra="[ingest]\nleast_free_mb = 1\n")
    finished = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", _UPLOAD, str(file)],
        cwd=ROOT, env=child_environment(OMP_NUM_THREADS="1"), capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    *refused, taken = map(json.loads, finished.stdout.splitlines())
    for status, reply in refused:
        assert (status, reply["error"]["type"]) == (503, "service_unavailable"), reply
        assert "No space left on device" in reply["error"]["message"]
        assert "check its disks" in reply["error"]["message"]
    assert (taken[0], taken[1]["documents"][0]["state"]) == (202, "received")
