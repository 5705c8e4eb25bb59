"""More connections than a process may have open files: everybody gets an answer, and it goes on when they have left."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.instances import running_instance
from tests.worlds import instance_file

pytestmark = pytest.mark.system

_OPEN_FILES = 400


def test_crowd_of_half_sent_uploads_keeps_nobody_waiting(tmp_path: Path) -> None:
    limit = ["bash", "-c", f'ulimit -n {_OPEN_FILES}; exec "$@"', "-"]
    with running_instance(instance_file(tmp_path), prefix=limit) as instance, ExitStack() as crowd:
        address = ("127.0.0.1", httpx.URL(instance.url).port or 0)
        head = f"POST /v1/documents HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {instance.token}\r\n"
        head += "content-type: multipart/form-data; boundary=b\r\ncontent-length: 90000\r\n\r\n--b\r\n"
        for _ in range(_OPEN_FILES):
            crowd.enter_context(socket.create_connection(address, timeout=30)).sendall(head.encode())
        assert httpx.get(f"{instance.url}/v1/health", timeout=30).status_code in (200, 503)
        crowd.close()
        with httpx.Client(transport=httpx.HTTPTransport(retries=3), timeout=30) as client:
            while client.get(f"{instance.url}/v1/health").status_code == 503:
                assert instance.process.poll() is None
    assert "Too many open files" not in (tmp_path / "service.log").read_text("utf-8")


def test_service_asks_for_as_many_open_files_as_it_may_have(tmp_path: Path) -> None:
    limit = ["bash", "-c", 'ulimit -S -n 300; exec "$@"', "-"]
    with running_instance(instance_file(tmp_path), prefix=limit) as instance:
        limits = Path(f"/proc/{instance.process.pid}/limits").read_text("ascii")
    most = int(subprocess.run(["bash", "-c", "ulimit -H -n"], capture_output=True, text=True, check=True).stdout)
    soft = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3]
    assert int(soft) == min(most, 65_536)
