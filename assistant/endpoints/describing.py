"""From the instance file to endpoints: labels parsed, keys read from their files."""

from __future__ import annotations

import stat
from pathlib import Path

from assistant import egress
from assistant.access import Label
from assistant.config import EndpointSettings, Settings
from assistant.endpoints.exchange import EndpointDescription, Limits
from assistant.errors import ConfigurationError, EgressBlocked


def endpoints_of(settings: Settings) -> tuple[EndpointDescription, ...]:
    """The endpoints of an instance in order of preference; none: answers are quoted.

    Raises EgressBlocked for a host that is not listed, ConfigurationError when a key file cannot be read, or can be by anybody.
    """
    return tuple(_described(one, settings) for one in settings.models.endpoints)


def _described(one: EndpointSettings, settings: Settings) -> EndpointDescription:
    if not egress.permitted(one.host, settings.egress.allow):
        raise EgressBlocked(
            f"{settings.file}: models.endpoints {one.name!r}: url {one.url!r}: {one.host} is not this machine; if it is one of"
            " your own servers, add it to egress.allow"
        )
    where = f"{settings.file}: models.endpoints {one.name!r}: key_file"
    return EndpointDescription(
        name=one.name,
        url=one.url,
        model=one.model,
        languages=frozenset(one.languages or settings.instance.languages),
        context_tokens=one.context_tokens,
        clearance=Label.parse(one.clearance),
        concurrency=one.concurrency,
        limits=Limits(one.connect_s, one.first_token_s, one.between_tokens_s, one.total_s),
        key=_key(one.key_file, where) if one.key_file else "",
        reported_as=one.reported_as,
        cache_salt=one.cache_salt,
        ca_file=one.ca_file,
    )


def _key(file: Path, where: str) -> str:
    """The key in `file`, a single line."""
    try:
        if stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO:
            raise ConfigurationError(f"{where} {str(file)!r}: everybody on this machine can use it; run chmod o= on it")
        key = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{where} {str(file)!r}: cannot be read ({error.strerror}); correct the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where} {str(file)!r}: is not a key (ASCII, one line)") from error
    if not key or not key.isprintable() or " " in key:
        raise ConfigurationError(f"{where} {str(file)!r}: is not a key (ASCII, one line)")
    return key
