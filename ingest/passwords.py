"""Office files under a password: opened with the one that the archivist gave, or asked for in so many words.

Open XML and the old binary formats by `msoffcrypto`; OpenDocument by its own scheme (ODF 1.3 part 2, section 4: a key from the
password by SHA-256 and PBKDF2, each member under AES-256-CBC). The opened copy lies in the child's temporary folder.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ingest.compound import DOC, LOCKED_OFFICE, PPT, XLS
from ingest.markup import safe_parser
from ingest.packages import UNREADABLE, locked
from ingest.parsing import ODG, ODP, ODS, ODT, ParsingSettings, Rejected, RejectionCategory

LOCKABLE_TYPES = frozenset({DOC, LOCKED_OFFICE, ODG, ODP, ODS, ODT, PPT, XLS})
_OPENS_FOR_ALL = "VelvetSweatshop"
"""The password that Excel sets, and tries, when a workbook is protected against changes and not against reading."""
_LOCKED_MARK = "EncryptedSummary\0".encode("utf-16-le")
_MANIFEST_FILE = "META-INF/manifest.xml"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_AES_256 = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
_SHA_256 = "http://www.w3.org/2000/09/xmldsig#sha256"
_MOST_ITERATIONS = 10_000_000


class _WrongPasswordError(Exception):
    """The password that was given does not open the file."""


class _UnknownLockError(Exception):
    """The file is locked in a way that is not read here."""


@contextmanager
def opened(path: Path, media_type: str, settings: ParsingSettings) -> Iterator[Path | Rejected]:
    """The file without its lock while the context lasts: `path` itself when it has none, Rejected when it stays shut."""
    with tempfile.TemporaryDirectory(prefix="opened-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / f"document{path.suffix}"
        try:
            is_package = media_type in (ODG, ODP, ODS, ODT)
            found = (_open_document if is_package else _microsoft)(path, copy, settings.password)
        except _WrongPasswordError:
            found = refused(settings)
        except _UnknownLockError:
            reason = "the file is locked in a way that is not read here; hand in a copy without a password"
            found = Rejected(RejectionCategory.UNSUPPORTED_TYPE, reason)
        yield found


def refused(settings: ParsingSettings) -> Rejected:
    """The rejection of a file that stays shut: a password is needed, or the one that was given is wrong."""
    if settings.password is None:
        return locked()
    reason = "the password does not open the file; give the right one with `retry`"
    return Rejected(RejectionCategory.WRONG_PASSWORD, reason)


def _microsoft(path: Path, copy: Path, password: str | None) -> Path | Rejected:
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

    with path.open("rb") as file:
        try:
            document = msoffcrypto.OfficeFile(file)
            if not document.is_encrypted():
                return path
        except Exception:  # damaged: the reader says so better, and promises nothing narrower
            return path
        for attempt in filter(None, (password, _OPENS_FOR_ALL)):
            try:
                document.load_key(password=attempt, **_checked(document))
                with copy.open("w+b") as target:
                    document.decrypt(target)
                    _unmark(target)
                return copy
            except InvalidKeyError:
                continue
            except (DecryptionError, FileFormatError, ParseError, *UNREADABLE) as error:
                raise _UnknownLockError from error
    raise _WrongPasswordError


def _unmark(file: IO[bytes]) -> None:
    """Rename the stream by which LibreOffice takes an opened presentation for a locked one."""
    file.seek(0)
    content = file.read()
    position = content.find(_LOCKED_MARK)
    if position >= 0:
        file.seek(position)
        file.write(b"X\0")


def _checked(document: Any) -> dict[str, bool]:
    """Open XML checks a password only when it is asked to; the old formats always do."""
    return {"verify_password": True} if document.format == "ooxml" else {}


def _open_document(path: Path, copy: Path, password: str | None) -> Path | Rejected:
    try:
        with zipfile.ZipFile(path) as archive:
            if _MANIFEST_FILE not in archive.namelist() or b"encryption-data" not in archive.read(_MANIFEST_FILE):
                return path
            if password is None:
                raise _WrongPasswordError
            from lxml import etree

            manifest = etree.fromstring(archive.read(_MANIFEST_FILE), safe_parser())
            entries = {e.get(f"{_MANIFEST}full-path"): e for e in manifest.iter(f"{_MANIFEST}file-entry")}
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
                for name in archive.namelist():
                    secret = entries[name].find(f"{_MANIFEST}encryption-data") if name in entries else None
                    if name == _MANIFEST_FILE:
                        continue
                    content = archive.read(name)
                    target.writestr(name, content if secret is None else _decrypted(content, secret, password))
    except UNREADABLE as error:
        raise _UnknownLockError from error
    return copy


def _decrypted(content: bytes, secret: Any, password: str) -> bytes:
    """A member of an OpenDocument package as it was before it was locked."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    algorithm = secret.find(f"{_MANIFEST}algorithm")
    derivation = secret.find(f"{_MANIFEST}key-derivation")
    start = secret.find(f"{_MANIFEST}start-key-generation")
    iterations = int(derivation.get(f"{_MANIFEST}iteration-count"))
    named = (algorithm.get(f"{_MANIFEST}algorithm-name"), start.get(f"{_MANIFEST}start-key-generation-name"))
    if named != (_AES_256, _SHA_256) or iterations > _MOST_ITERATIONS:
        raise _UnknownLockError
    salt = base64.b64decode(derivation.get(f"{_MANIFEST}salt"))
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha256(password.encode()).digest(), salt, iterations, 32)
    vector = base64.b64decode(algorithm.get(f"{_MANIFEST}initialisation-vector"))
    cipher = Cipher(algorithms.AES256(key), modes.CBC(vector)).decryptor()
    packed = cipher.update(content) + cipher.finalize()
    packed = packed[: -packed[-1]] if packed else packed
    if hashlib.sha256(packed[:1024]).digest() != base64.b64decode(secret.get(f"{_MANIFEST}checksum")):
        raise _WrongPasswordError
    return zlib.decompress(packed, -zlib.MAX_WBITS)
