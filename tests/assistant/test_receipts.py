from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assistant.errors import ConfigurationError
from assistant.receipts import ERASURE, PURGE, canonical, check_fields, check_file, fingerprint

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OTHER = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(**changes: object) -> dict[str, object]:
    record = {"format": ERASURE, "number": 1, "erased_by": "é", "key_fingerprint": fingerprint(KEY), **changes}
    return {**record, "signature": PRIVATE.sign(canonical(record)).hex()}


def test_genuine_receipt_is_valid() -> None:
    assert check_file(canonical(signed()), KEY).valid
    assert check_fields(json.loads(json.dumps(signed(), indent=2)), KEY).valid


def test_every_changed_byte_is_found() -> None:
    content = canonical(signed())
    for place in range(len(content)):
        for bit in (1, 32):  # the second one turns capitals into small letters
            changed = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
            assert not check_file(changed, KEY).valid, place
        assert not check_file(content[:place] + b" " + content[place:], KEY).valid, place
        assert not check_file(content[:place] + content[place + 1 :], KEY).valid, place


@pytest.mark.parametrize("content", [b"", b"\n", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"a":NaN}'])
def test_anything_else_is_not_a_receipt(content: bytes) -> None:
    assert not check_file(content, KEY).valid


def test_receipt_of_another_instance_is_not_genuine_here() -> None:
    assert not check_file(canonical(signed()), OTHER).valid
    assert not check_file(canonical(signed(key_fingerprint=fingerprint(OTHER))), OTHER).valid


def test_purge_record_is_checked_like_an_erasure_receipt() -> None:
    assert check_file(canonical(signed(format=PURGE)), KEY).valid


def test_signed_record_of_another_kind_passes_for_no_receipt() -> None:
    found = check_file(canonical(signed(format="assistant/erasure-receipt/2")), KEY)
    assert (found.valid, found.reason) == (False, "this is not a receipt that this program knows")


def test_receipt_that_names_another_key_than_it_was_signed_with_is_refused() -> None:
    found = check_file(canonical(signed(key_fingerprint=fingerprint(OTHER))), KEY)
    assert not found.valid
    assert "names another key" in found.reason


@pytest.mark.parametrize("key", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_key_that_is_none_is_said_to_be_none(key: bytes) -> None:
    with pytest.raises(ConfigurationError, match="public key"):
        check_file(canonical(signed()), key)


def test_key_of_another_kind_is_said_to_be_one() -> None:
    key = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ConfigurationError, match="not an Ed25519 key"):
        check_file(canonical(signed()), key)
