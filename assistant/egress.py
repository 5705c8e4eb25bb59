"""Nothing leaves: opt-outs for everything that calls home, and a guard on every connect from Python.

This is the second line of defence; the first is the network the machine stands in. The guard is an audit hook
(PEP 578), so it sees every Python-level connect and name look-up in the process, including those of libraries that
replace `socket`. Native code is invisible to it: for native code there are the opt-outs, and the test that runs the
whole path under `strace` (`tests/system/test_nothing_leaves.py`).

Only this module and `config` read the environment.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import EgressBlocked

_NOWHERE = str(Path(tempfile.gettempdir()) / "assistant-no-downloads")

OPT_OUTS: dict[str, str] = {
    "ORT_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "TIKTOKEN_CACHE_DIR": _NOWHERE,
    "NLTK_DATA": _NOWHERE,
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "QDRANT__TELEMETRY_DISABLED": "true",
    "QDRANT__SERVICE__ENABLE_SNAPSHOT_URL_RECOVERY": "false",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    "STREAMLIT_BROWSER_SERVER_ADDRESS": "127.0.0.1",
    "STREAMLIT_SERVER_HEADLESS": "true",
    "OTEL_SDK_DISABLED": "true",
    "DBOS__CLOUD": "false",
    "TOKENIZERS_PARALLELISM": "false",
    # Not an opt-out, but to be set as early: oneDNN, inside torch, keeps 1 MiB for each of 1,024 shapes of batches; with 64 the
    # service stays below 1.2 GB with 10,000 passages, and answers as fast.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}
"""What every process starts with. Each line silences one library that would otherwise call out or download."""

_HANDED_DOWN = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|PYTHONPATH|CUDA_\w+|NVIDIA_\w+|ROCR_\w+|HIP_\w+|NCCL_\w+"
)
"""What a server of another project may learn from our environment. All others read settings from it, their address included."""

_TO_AN_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getnameinfo")
"""Audit events whose last argument is an address; to ask for the name of one is a packet to a name server, too."""
_BY_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
"""Audit events whose first argument is a host."""

_BY_HOST = (socket.AF_INET, socket.AF_INET6)
"""Families whose addresses name a host. Of the others only AF_UNIX stays on this machine for certain: AF_VSOCK reaches the host
of a virtual machine, AF_PACKET the wire, AF_TIPC and AF_RDS a cluster."""
_UNSAID = -1
"""The family of a socket made from an open file, which says itself what it is."""

_guarded_hosts: set[str] | None = None
_resolved = threading.local()


def apply_opt_outs() -> None:
    """Set every opt-out, overriding what the environment says. Call before any heavy import."""
    os.environ.update(OPT_OUTS)


def missing_opt_outs() -> tuple[str, ...]:
    """Names of the opt-outs that are not in force in this process; empty when all is well."""
    return tuple(name for name, value in OPT_OUTS.items() if os.environ.get(name) != value)


def environment_for_server(**settings: str) -> dict[str, str]:
    """The environment to start another project's server in: a little of ours, every opt-out, and `settings`."""
    handed_down = {name: value for name, value in os.environ.items() if _HANDED_DOWN.fullmatch(name)}
    return handed_down | OPT_OUTS | settings


@contextmanager
def tokenizer_files(folder: Path) -> Iterator[None]:
    """For the length of the block tiktoken reads its files from `folder`, where they must be, and not from nowhere."""
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses; False for any other name, which would need a look-up."""
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.split("%", 1)[0]).is_loopback
    except ValueError:
        return False


def guard(allowed_hosts: Iterable[str] = ()) -> None:
    """From now on, refuse every connect and look-up that is neither loopback nor in `allowed_hosts`, and other kinds of socket.

    The hook cannot be removed for the life of the process; a second call adds hosts.
    """
    global _guarded_hosts  # noqa: PLW0603 - an audit hook is process-wide by nature, and so is its list
    if _guarded_hosts is None:
        _guarded_hosts = set(allowed_hosts)
        sys.addaudithook(_refuse_outside)
    else:
        _guarded_hosts.update(allowed_hosts)


def permitted(host: str, allowed_hosts: Iterable[str]) -> bool:
    """True when `host` is this machine or one of `allowed_hosts`, written as there."""
    return is_loopback(host) or host in allowed_hosts


@contextmanager
def connection_to(host: str, address: str) -> Iterator[None]:
    """For this block, this thread may connect to `address`, which is what the look-up of the allowed name `host` gave.

    Without it the guard would refuse the address of every host that the operator listed by name. Raises EgressBlocked when
    `host` itself is not allowed.
    """
    if _guarded_hosts is not None and not permitted(host, _guarded_hosts):
        raise EgressBlocked(f"a connection to {host!r} was refused; if it is your own server, add it to egress.allow")
    _resolved.address = address
    try:
        yield
    finally:
        _resolved.address = None


def guarded() -> bool:
    """True once `guard` is in force in this process."""
    return _guarded_hosts is not None


def _refuse_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.__new__":
        _require_family(arguments[1], _UNSAID)
        return
    if event in _TO_AN_ADDRESS:
        address = arguments[-1]
        if len(arguments) > 1:
            family = getattr(arguments[0], "family", None)
            _require_family(family)
            if family == socket.AF_UNIX:
                return
        host = address[0] if isinstance(address, tuple) and address else None
    elif event in _BY_NAME:
        host = arguments[0]
    else:
        return
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if (
        not isinstance(host, str)
        or permitted(host, _guarded_hosts or ())
        or host == getattr(_resolved, "address", None)
    ):
        return
    raise EgressBlocked(
        f"a connection to {host!r} was refused; if it is one of your own servers, add it to egress.allow in the instance file"
    )


def _require_family(family: object, *more: int) -> None:
    if family not in (socket.AF_UNIX, *_BY_HOST, *more):
        raise EgressBlocked(f"a socket of family {family} was refused; only local ones and those of IP are allowed")
