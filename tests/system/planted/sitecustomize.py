"""A planted call home, for `test_nothing_leaves`: what the trace must turn red on. Runs before any of our code."""

import ctypes
import os
import socket
import struct

_OUTSIDE = ("192.0.2.77", 443)  # TEST-NET-1, RFC 5737: nobody is there

if os.environ.get("PLANTED") == "python":
    try:
        socket.create_connection(_OUTSIDE, timeout=1).close()
    except OSError:
        pass
elif os.environ.get("PLANTED") == "name":
    try:
        socket.getaddrinfo("telemetry.example.org", 443)
    except OSError:
        pass
elif os.environ.get("PLANTED") == "native":
    libc = ctypes.CDLL(None)
    descriptor = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", _OUTSIDE[1]) + socket.inet_aton(_OUTSIDE[0])
    libc.connect(descriptor, address.ljust(16, b"\0"), 16)
    os.close(descriptor)
