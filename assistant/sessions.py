"""From what a request carries to a Principal, or no further.

The seam is the `SignIn` protocol. The embedded default has one local principal: whoever holds the key that was made at
first start and that only the owner of the data folder can read. Single sign-on comes behind the same protocol.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Protocol

from itsdangerous import BadData, URLSafeTimedSerializer

from assistant.access import Label, Principal, Role
from assistant.errors import ConfigurationError, SignInRequired

COOKIE = "assistant_session"
"""What the name of a session's cookie begins with."""


class SignIn(Protocol):
    """Turns credentials into sessions, and sessions into principals."""

    def session(self, credential: str) -> str:
        """A signed session token for a valid credential. Raises SignInRequired."""
        ...

    def principal(self, token: str) -> Principal:
        """The reader behind a session token or a credential, checked on every request. Raises SignInRequired."""
        ...

    @property
    def session_seconds(self) -> int:
        """How long a session lasts."""
        ...


def cookie_name(home: Path) -> str:
    """The name of the session's cookie of the instance in this data folder.

    Browsers send the cookies of a host to all its ports: under one name, two instances on one machine would sign each other's
    readers out, and be handed each other's sessions.
    """
    return f"{COOKIE}_{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]}"


class LocalKeySignIn:
    """One principal with all roles, known by a key in the data folder."""

    def __init__(self, folder: Path, *, clearance: Label, session_hours: float) -> None:
        self._key = local_key(folder)
        self._serializer = URLSafeTimedSerializer(_secret(folder / "session.key"), salt="assistant session")
        self._principal = Principal("local", frozenset(Role), clearance)
        self.session_seconds = int(session_hours * 3600)

    def session(self, credential: str) -> str:
        """See `SignIn.session`."""
        if not self._is_key(credential):
            raise SignInRequired("this key is not valid; open the address that `assistant up` printed")
        token = self._serializer.dumps(self._principal.id)
        return token if isinstance(token, str) else token.decode()

    def principal(self, token: str) -> Principal:
        """See `SignIn.principal`."""
        if self._is_key(token):
            return self._principal
        try:
            subject = self._serializer.loads(token, max_age=self.session_seconds)
        except (BadData, UnicodeError) as error:
            raise SignInRequired("the session has ended or is not valid; sign in again") from error
        if subject != self._principal.id:
            raise SignInRequired("the session belongs to nobody known here; sign in again")
        return self._principal

    def _is_key(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(errors="replace"), self._key.encode())


def local_key(folder: Path) -> str:
    """The local principal's key, made at the first call; the file is readable by its owner alone."""
    return _secret(folder / "local.key")


def _secret(file: Path) -> str:
    """The secret in `file`; a new one of 256 bits when there is none yet. Raises ConfigurationError for an unusable file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = file.read_text(encoding="ascii").strip()
        if len(secret) < 32:
            raise ConfigurationError(f"{file}: the key is too short; remove the file to have a new one made") from None
        return secret
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written ({error.strerror}); check the folder's rights") from error
    secret = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as target:
        target.write(secret)
        target.flush()
        os.fsync(target.fileno())
    return secret
