"""What a process tree tried to reach, as the kernel saw it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import needed

_CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(")
_V4 = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)')
_V6 = re.compile(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"')
_RESOLVER_SOCKET = re.compile(r'sun_path="[^"]*(?:systemd/resolve|nss-resolve|io\.systemd\.Resolve|dnsmasq|avahi)')


def trace_command(output: Path) -> list[str]:
    """The prefix that records every network call of a command and its children into `output`."""
    strace = needed("strace", "strace")
    return [strace, "-f", "-qq", "-s", "256", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(output)]


def loopback_only() -> list[str]:
    """The prefix that runs a command in a network namespace where nothing but loopback exists."""
    unshare = needed("unshare", "util-linux")
    needed("ip", "iproute2")
    probe = subprocess.run([unshare, "-n", "true"], capture_output=True, check=False)
    flags = ["-n"] if probe.returncode == 0 else ["-rn"]
    return [unshare, *flags, "--", shutil.which("sh") or "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def outside_attempts(trace: Path) -> list[str]:
    """The lines of a trace that look a name up or reach outside loopback; empty when nothing tried to leave."""
    return [line.strip() for line in trace.read_text(encoding="utf-8", errors="replace").splitlines() if _leaves(line)]


def _leaves(line: str) -> bool:
    if not _CALL.search(line):
        return False
    if _RESOLVER_SOCKET.search(line):
        return True
    for pattern, prefix in ((_V4, ("127.",)), (_V6, ("::1", "::ffff:127."))):
        for port, address in pattern.findall(line):
            # A port of 53 is a name look-up wherever it goes; port 0 is glibc sorting addresses, and sends nothing.
            if port == "53" or not (address.startswith(prefix) or address in ("0.0.0.0", "::")):
                return True
    return False
