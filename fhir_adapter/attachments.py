"""Attachment -> its bytes from base64, and whether they are what was put there (R4 Attachment). Fetches nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from fhir_adapter.shape import Resource, as_text

CHANGED: Final = "it was changed or cut on the way"
"""What a clinician is told of bytes that are not."""
_HEX_SHA1: Final = 40
_LONGEST_SIZE: Final = 19
"""Digits of the largest integer64."""


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64Binary, which may hold line breaks.

    Raises:
        ValueError: it is broken; the message is for the clinician and quotes nothing.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        # A non-ASCII character raises a ValueError that quotes the text.
        raise ValueError("its base64 is broken") from None


def is_whole(content: bytes, attachment: Resource) -> bool:
    """Say whether bytes have the size and the hash that are stated; what is not stated, or in no known form, passes.

    `size` is a number in R4 and a numeral in R5 (integer64). `hash` is the SHA-1 in base64; some servers write SHA-256,
    or as XDS does the hexadecimal digits.
    """
    size = _size_of(attachment)
    if size is not None and size != len(content):
        return False
    return _fits(content, as_text(attachment.get("hash")))


def _size_of(attachment: Resource) -> int | None:
    size = attachment.get("size")
    if isinstance(size, str):
        return int(size) if size.isdecimal() and len(size) <= _LONGEST_SIZE else None
    return size if isinstance(size, int) else None


def _fits(content: bytes, stated: str) -> bool:
    sha1 = hashlib.sha1(content, usedforsecurity=False)
    if len(stated) == _HEX_SHA1:
        return stated.lower() == sha1.hexdigest()
    try:
        digest = base64.b64decode(stated, validate=True)
    except (binascii.Error, ValueError):
        return True
    known = {one.digest_size: one.digest() for one in (sha1, hashlib.sha256(content))}
    if len(digest) == _HEX_SHA1:
        return digest.lower() == sha1.hexdigest().encode()
    return digest == known.get(len(digest), digest)
