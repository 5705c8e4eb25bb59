"""Connections that clients keep."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

from assistant.build import opened
from assistant.config import load_settings
from assistant.service.serving import serving
from tests.worlds import instance_file

LONGER_THAN_CLIENTS_KEEP_S = 6.0


def test_idle_connection_is_not_closed_while_a_client_may_still_use_it(tmp_path: Path) -> None:
    settings = load_settings(instance_file(tmp_path))
    with opened(settings) as parts, serving(parts, port=0, with_page=False, announced=False) as running:
        address = urlsplit(running.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        connection.connect()
        own_port = connection.sock.getsockname()[1]
        for wait_s in (LONGER_THAN_CLIENTS_KEEP_S, 0.0):
            connection.request("GET", "/v1/health")
            response = connection.getresponse()
            assert (response.status, response.read()[:1]) == (200, b"{")
            assert connection.sock is not None, "the service closed it"
            assert connection.sock.getsockname()[1] == own_port
            time.sleep(wait_s)
        connection.close()
