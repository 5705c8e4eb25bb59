import subprocess
import sys

import pytest

from assistant.egress import OPT_OUTS, is_loopback
from tests.worlds import child_environment

PROBE = """
from assistant import egress
egress.apply_opt_outs(); egress.guard({allowed!r})
import socket
{action}
"""


def run(action: str, *allowed: str) -> subprocess.CompletedProcess[str]:
    """The guard cannot be removed from a process, so each probe has a process of its own."""
    code = PROBE.format(allowed=list(allowed), action=action)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=child_environment()
    )


@pytest.mark.parametrize(
    "action",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((b'192.0.2.1', 9))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((bytearray(b'192.0.2.1'), 9))",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.gethostbyname_ex('example.org')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.getfqdn('example.org')",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).connect((2, 1234))",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_DGRAM).sendto(b'x', (1, 1234))",
        "socket.socket(socket.AF_QIPCRTR, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_TIPC, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "import os, _socket; _socket.socket(40, 1)",
    ],
)
def test_outside_address_is_refused(action: str) -> None:
    finished = run(action)
    assert finished.returncode != 0
    assert "EgressBlocked" in finished.stderr


def test_loopback_is_not_refused() -> None:
    finished = run(
        "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()[:2]); print('connected')"
    )
    assert finished.stdout == "connected\n", finished.stderr


def test_local_socket_is_not_refused() -> None:
    finished = run(
        "a, b = socket.socketpair(); a.sendall(b'x'); import tempfile; place = tempfile.mkdtemp() + '/s'\n"
        "server = socket.socket(socket.AF_UNIX); server.bind(place); server.listen()\n"
        "socket.socket(socket.AF_UNIX).connect(place); socket.socket(fileno=b.detach()).recv(1); print('connected')"
    )
    assert finished.stdout == "connected\n", finished.stderr


def test_open_socket_of_another_family_is_refused() -> None:
    """One that was there before the guard, or came in as a file."""
    finished = run("egress._refuse_outside('socket.connect', (type('S', (), {'family': 40})(), (2, 1234)))")
    assert "EgressBlocked" in finished.stderr


def test_listed_host_is_not_refused() -> None:
    finished = run(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.7', 9)); print('ok')", "192.0.2.7"
    )
    assert "EgressBlocked" not in finished.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "example.org", "0.0.0.0", "127.0.0.1.example.org", "localhost.example.org"]
)
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_importing_assistant_is_light() -> None:
    code = "import sys, assistant; assert not {'torch', 'transformers', 'streamlit', 'unstructured'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_command_line_starts_without_torch() -> None:
    code = "import sys, assistant.cli; assert not {'torch', 'transformers', 'streamlit', 'unstructured'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=child_environment())


def test_the_design_s_opt_outs_are_all_there() -> None:
    assert {"ORT_DISABLE_TELEMETRY", "HF_HUB_OFFLINE", "SCARF_NO_ANALYTICS", "STREAMLIT_SERVER_ADDRESS"} <= set(
        OPT_OUTS
    )
