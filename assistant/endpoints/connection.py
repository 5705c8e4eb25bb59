"""One HTTP request to an endpoint, every wait of it under a watch. No proxy, no redirect, no retry, no second use.

httpx's own timeouts bound each read, so a server that sends a comment now and then keeps them from ever ending. Here each
wait of the socket is cut in slices, and between two of them the watch is asked.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx

from assistant import egress
from assistant.endpoints.exchange import EndpointFailure, Fault
from assistant.endpoints.watching import Watch
from assistant.errors import ConfigurationError, EgressBlocked

_SENT = (b"host", b"content-type", b"content-length", b"accept")
"""Headers that go out. The rest of what client libraries add (their version, the platform, what variables name) stays here."""
_LONGEST_RETRY_AFTER_S = 60.0
_ENDPOINT_AT_FAULT = frozenset({401, 403, 404, 405, 407, 421})


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates of the system, or those of `ca_file` alone. Raises ConfigurationError when it holds none."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{ca_file}: cannot be read as certificates (PEM); correct ca_file") from error


class WatchedTransport(httpx.BaseTransport):
    """What an `httpx.Client` sends through. Made for one request; `close` ends its connection wherever it stands.

    Raises EndpointFailure for everything that the server or the network does, Stopped when the reader has gone.
    """

    def __init__(self, watch: Watch, *, key: str = "", certificates: ssl.SSLContext | None = None) -> None:
        self._watch = watch
        self._key = key
        self._pool = httpcore.ConnectionPool(
            ssl_context=certificates,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=_WatchedBackend(watch),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`. The response has status 200 and is not compressed, or EndpointFailure is raised."""
        self._watch.begun()
        headers = [(name, value) for name, value in request.headers.raw if name.lower() in _SENT]
        headers += [(b"accept-encoding", b"identity"), (b"connection", b"close")]
        if self._key:
            headers.append((b"authorization", b"Bearer " + self._key.encode()))
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        try:
            response = self._pool.handle_request(
                httpcore.Request(request.method, target, headers=headers, content=request.read())
            )
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise _failure(error) from error
        except EgressBlocked as error:
            raise EndpointFailure(Fault.NOT_PERMITTED, str(error)) from error
        _check_head(response)
        assert isinstance(response.stream, Iterable)
        return httpx.Response(200, headers=response.headers, stream=_Body(response.stream))

    def close(self) -> None:
        """End the connection."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise _failure(error) from error

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


def _failure(error: Exception) -> EndpointFailure:
    match error:
        case httpcore.ConnectError():
            return EndpointFailure(Fault.REFUSED, str(error))
        case httpcore.ConnectTimeout():
            return EndpointFailure(Fault.UNREACHABLE)
        case httpcore.LocalProtocolError():
            return EndpointFailure(Fault.BROKEN_STREAM, "not HTTP")
    return EndpointFailure(Fault.CUT_OFF, type(error).__name__)


def _check_head(response: httpcore.Response) -> None:
    """Raise EndpointFailure unless the status is 200 and the body is not compressed. Nothing of the body is repeated."""
    headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    status = response.status
    if status == 200:
        if headers.get(b"content-encoding", "identity").lower() != "identity":
            raise EndpointFailure(Fault.NOT_A_STREAM, "compressed, which was not asked for")
        return
    detail = f"status {status}"
    if status == 429:
        raise EndpointFailure(Fault.BUSY, detail, retry_after_s=_retry_after_s(headers.get(b"retry-after", "")))
    if status in _ENDPOINT_AT_FAULT or 300 <= status < 400:
        raise EndpointFailure(Fault.NOT_PERMITTED, detail)
    raise EndpointFailure(Fault.REJECTED if 400 <= status < 500 else Fault.SERVER_ERROR, detail)


def _retry_after_s(value: str) -> float | None:
    """Seconds, at most a minute. A date is not taken: its clock may be wrong (RFC 9110, 10.2.3 has both)."""
    return min(float(value), _LONGEST_RETRY_AFTER_S) if value.isascii() and value.isdigit() else None


class _WatchedBackend(httpcore.NetworkBackend):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._direct = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the watch says how long
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port, self._watch):
            try:
                with egress.connection_to(host, address):
                    stream = self._connected(address, port, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
                continue
            self._watch.connected()
            return _WatchedStream(stream, self._watch)
        raise last

    def _connected(
        self, address: str, port: int, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        """A connection cannot be waited for in slices, so a reader who stops waits for `connect_s` at most."""
        wait_s = self._watch.connect_s()
        return self._direct.connect_tcp(address, port, wait_s, local_address, socket_options)


class _WatchedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the watch says how long
        while True:
            try:
                data = self._stream.read(max_bytes, self._watch.wait_s())
            except httpcore.ReadTimeout:
                continue
            self._watch.received(len(data))
            return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        view = memoryview(buffer)
        while view:
            self._watch.wait_s()
            self._stream.write(bytes(view[:65_536]), self._watch.limits.between_tokens_s)
            view = view[65_536:]

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._watch.limits.connect_s)
        return _WatchedStream(stream, self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _addresses(host: str, port: int, watch: Watch) -> list[str]:
    """What the name stands for. A look-up cannot be ended, so a thread of its own does it and is left behind when it is late."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    found: list[str] = []
    errors: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(
                dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            )
        except (OSError, UnicodeError, EgressBlocked) as error:
            errors.append(error)

    thread = threading.Thread(target=look_up, name="endpoint-lookup", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(watch.wait_s())
    if errors and isinstance(errors[0], EgressBlocked):
        raise errors[0]
    return found
