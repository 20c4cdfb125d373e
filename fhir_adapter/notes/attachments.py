"""Attachment -> its bytes and content type, checked against the size and hash that it states (R4 Attachment)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from fhir_adapter.deadline import Deadline
from fhir_adapter.notes.forms import LARGEST, UNKNOWN
from fhir_adapter.notes.plaintext import media_type
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_text

_CHANGED: Final = "it was changed or cut on the way"
_HEX_SHA1: Final = 40


async def load(attachment: Resource, client: FhirClient | None, deadline: Deadline) -> tuple[bytes, str]:
    """Return the bytes of an attachment, `data` or else what `url` points to, and their content type.

    Raises:
        ValueError: nothing readable is there, or not what was put there; the message is for the clinician.
        FhirError: fetching it failed; see `FhirClient.fetch_binary`.
    """
    stated, data = as_text(attachment.get("contentType")), as_text(attachment.get("data"))
    if data:
        content = decode_base64(data)
    elif as_text(attachment.get("url")) and client is not None:
        content, served = await client.fetch_binary(as_text(attachment.get("url")), deadline)
        stated = _content_type(stated, served)
    else:
        raise ValueError("it has no content")
    if not is_whole(content, attachment):
        raise ValueError(_CHANGED)
    return content, stated


def _content_type(stated: str, served: str) -> str:
    """Return the better of two content types.

    Raises:
        ValueError: they contradict each other. A log-in page in place of the note would be read as the note.
    """
    if media_type(stated) in UNKNOWN:
        return served
    if media_type(served) not in (media_type(stated), *UNKNOWN):
        raise ValueError("the server sent another kind of content than the reference names")
    # The server knows the character set, the reference often does not.
    return served if media_type(served) == media_type(stated) and "charset" in served.lower() else stated


def decode_base64(data: str) -> bytes:
    """Return the bytes of a base64Binary, which may hold line breaks.

    Raises:
        ValueError: it is too long or broken; the message quotes nothing.
    """
    if len(data) > 2 * LARGEST:
        raise ValueError("it is too long")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        # A non-ASCII character raises a ValueError that quotes the text.
        raise ValueError("its base64 is broken") from None


def is_whole(content: bytes, attachment: Resource) -> bool:
    """Say whether bytes have the size and the hash that are stated; what is not stated, or in no known form, passes.

    `size` is a number in R4 and a numeral in R5 (integer64). `hash` is the SHA-1 in base64; some servers write SHA-256,
    or as XDS does the hexadecimal digits.
    """
    size = attachment.get("size")
    stated = size if isinstance(size, int) else int(size) if isinstance(size, str) and size.isdecimal() else None
    if stated is not None and stated != len(content):
        return False
    return _fits(content, as_text(attachment.get("hash")))


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
