"""Which parts of a message are its text and which are files that it carries: each part is one of them, at any depth.

The standard library's `iter_attachments` looks at one level only. A signed message, one that a list or a gateway wrapped, or
one written by Apple Mail keeps its files a level deeper, and a scanner's message is nothing but its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

_TEXTS = ("text/plain", "text/html")
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_SIGNATURE_NAMES = ("smime.p7s", "signature.asc")
_SCAN_BYTES = 50_000
"""A picture inside a page that has fewer bytes is a logo; a larger one may be a scan that somebody pasted in."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that has no parts."""

    part: Any
    another_form: bool
    """It stands beside another form of the same text, as a page beside its plain text."""
    in_page: bool
    """It belongs to a page, as a picture in it does."""

    def is_text(self) -> bool:
        """True for what a mail program shows as the message itself."""
        return self.part.get_content_type() in _TEXTS and not _named(self.part) and not _is_attachment(self.part)

    def is_file(self) -> bool:
        """True for what the message carries; no signature, nor its text in another form, nor a small picture in its page."""
        if self.is_signature():
            return False
        if _is_attachment(self.part):
            return True
        if self.is_text() or (self.another_form and self._is_form()):
            return False
        return not (self.in_page and self.part.get_content_maintype() == "image" and self._is_small())

    def is_signature(self) -> bool:
        """True for the proof of who sent the message; it has no words. A message wrapped in its signature is none."""
        return self.part.get_content_type() in _SIGNATURES or file_name(self.part).lower() in _SIGNATURE_NAMES

    def _is_form(self) -> bool:
        return self.part.get_content_maintype() == "text" and not _named(self.part)

    def _is_small(self) -> bool:
        return len(self.part.get_payload(decode=True) or b"") < _SCAN_BYTES


def leaves(message: EmailMessage) -> tuple[Leaf, ...]:
    """Every part of the message that has none itself, in order; a message inside it is one."""
    return tuple(_leaves(message, another_form=False, in_page=False))


def further_texts(found: tuple[Leaf, ...], body: tuple[Any, ...]) -> Iterator[Any]:
    """Texts that stand behind the body, such as what was written below a file, or the lines a list adds at the end."""
    for leaf in found:
        if leaf.is_text() and not leaf.another_form and not any(leaf.part is part for part in body):
            yield leaf.part


def _leaves(part: Any, *, another_form: bool, in_page: bool) -> Iterator[Leaf]:
    inside = part.get_payload()
    if part.get_content_maintype() != "multipart" or not isinstance(inside, list):
        yield Leaf(part, another_form, in_page)
        return
    kind = part.get_content_subtype()
    for child in inside:
        yield from _leaves(
            child, another_form=another_form or kind == "alternative", in_page=in_page or kind == "related"
        )


def _named(part: Any) -> bool:
    return bool(file_name(part))


def file_name(part: Any) -> str:
    """The name that the message gives the part; empty when it gives none."""
    try:
        return str(part.get_filename() or "")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""  # the header is malformed in a way the standard library cannot take


def _is_attachment(part: Any) -> bool:
    try:
        return bool(part.get_content_disposition() == "attachment")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return False
