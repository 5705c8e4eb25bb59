"""What an erasure receipt says, and whether it is genuine.

Promise: checking needs the receipt and the instance's public key, nothing else, on any machine; and a changed byte is found. A
receipt names nothing that was erased: no title, file name or source; a document is its id and the SHA-256 of its versions.

A record is signed with Ed25519 (RFC 8032) over its canonical form: JSON in UTF-8, keys sorted, no white space, without the
field `signature`. A receipt's file is the canonical form with that field. The fingerprint of a key is the SHA-256 of its DER form
(SubjectPublicKeyInfo), as `openssl pkey -pubin -outform DER | sha256sum` gives it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ERASURE = "assistant/erasure-receipt/1"
PURGE = "assistant/purge-record/1"


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """That a document was erased: what, when, by whom and from where. `wire.plain` of it is the signed JSON."""

    format: str
    number: int
    """1-based, without gaps over all records of the instance."""
    previous: str
    """SHA-256 of the canonical form of the record before this one, signature included; zeros for the first."""
    receipt_id: str
    requested_at: str
    erased_at: str
    """Both UTC, ISO 8601."""
    erased_by: str
    """Id of the principal."""
    document_id: str
    versions: tuple[str, ...]
    """SHA-256 of each version that was handed in."""
    passages: int
    pages: int
    texts: int
    """Versions whose text was archived."""
    originals: tuple[str, ...]
    """SHA-256 of each original that was removed."""
    originals_kept: tuple[str, ...]
    """SHA-256 of each original that stays because another document has the same bytes."""
    keys: int
    """Keys destroyed, one for each store that held words under one."""
    stores: tuple[str, ...]
    attachments_erased: tuple[str, ...]
    attachments_left: tuple[str, ...]
    """Ids of documents that came attached to this one; each one erased has a receipt of its own."""
    erased_at_once: tuple[str, ...]
    unreadable_by_key_destruction: tuple[str, ...]
    purged_later: tuple[str, ...]
    """What is taken out of the files in the background; a purge record says when it was done."""
    not_covered: tuple[str, ...]
    key_fingerprint: str
    signature: str
    """128 hex digits."""


@dataclass(frozen=True, slots=True)
class PurgeRecord:
    """That what some erasures left in the index's storage is out of its files. `wire.plain` of it is the signed JSON."""

    format: str
    number: int
    previous: str
    receipt_id: str
    """Of this record itself."""
    purged_at: str
    """UTC, ISO 8601."""
    covers: tuple[str, ...]
    """Ids of the receipts of those erasures."""
    purged: tuple[str, ...]
    key_fingerprint: str
    signature: str


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """What checking a receipt found; `reason` is a sentence a person understands."""

    valid: bool
    reason: str


def canonical(fields: Mapping[str, object]) -> bytes:
    """The bytes that are signed, or with `signature` among the fields, the bytes that are kept.

    >>> canonical({"b": ["é"], "a": 1}).decode()
    '{"a":1,"b":["é"]}'
    """
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def check_file(content: bytes, public_key: bytes) -> ReceiptCheck:
    """Whether a receipt's file is, byte for byte, what the holder of this key (PEM) signed.

    Raises ConfigurationError when the key itself cannot be used.
    """
    key = _loaded(public_key)
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return ReceiptCheck(False, "this is not a receipt: it is not JSON")
    if not isinstance(fields, dict):
        return ReceiptCheck(False, "this is not a receipt: it is not a JSON object")
    try:
        exact = canonical(fields) == content
    except (ValueError, RecursionError):
        exact = False
    return _checked(fields, key) if exact else ReceiptCheck(False, "it was changed: these are not the bytes as written")


def check_fields(fields: Mapping[str, object], public_key: bytes) -> ReceiptCheck:
    """Like `check_file`, for a receipt that came as JSON, in which white space and order do not count."""
    return _checked(fields, _loaded(public_key))


def fingerprint(public_key: bytes) -> str:
    """The fingerprint of a public key in PEM, 64 hex digits. Raises ConfigurationError when it is none."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = _loaded(public_key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _loaded(public_key: bytes) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("this is not a public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError("this public key is not an Ed25519 key; receipts are signed with no other")
    return key


def _checked(fields: Mapping[str, object], key: Ed25519PublicKey) -> ReceiptCheck:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if fields.get("format") not in (ERASURE, PURGE):
        return ReceiptCheck(False, "this is not a receipt that this program knows")
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if fields.get("key_fingerprint") != hashlib.sha256(der).hexdigest():
        return ReceiptCheck(False, "it names another key than the one it was checked with, or was changed")
    signature = fields.get("signature")
    signed = {name: value for name, value in fields.items() if name != "signature"}
    try:
        raw = bytes.fromhex(signature) if isinstance(signature, str) else b""
        if raw.hex() != signature:
            return ReceiptCheck(False, "its signature is not one")
        key.verify(raw, canonical(signed))
    except (InvalidSignature, ValueError, RecursionError):
        return ReceiptCheck(False, "it was changed after it was signed, or was never signed with this key")
    return ReceiptCheck(True, "it is genuine: signed with this key and unchanged")
