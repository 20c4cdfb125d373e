"""Body of a multipart/related answer -> its first part (RFC 2387, DICOM PS3.18 section 8.6). No network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BOUNDARY: Final = re.compile(r"""boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_KIND: Final = re.compile(r"^content-type:\s*([^;\s]+)", re.IGNORECASE | re.MULTILINE)
_SYNTAX: Final = re.compile(r'^content-type:.*transfer-syntax="?([0-9.]{1,64})', re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """The content of one part, its media type and the transfer syntax its Content-Type names; both may be empty."""

    content: bytes
    media_type: str = ""
    transfer_syntax: str = ""


def first_part(body: bytes, content_type: str) -> Part:
    """Return the first part.

    Raises:
        ValueError: there is no boundary, no part, or the part is cut off.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("the multipart answer names no boundary")
    mark = b"--" + (found[1] or found[2]).encode("latin-1", errors="replace")
    start = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    if start < 2 and not body.startswith(mark):
        raise ValueError("the multipart answer has no part")
    headers_at = body.find(b"\r\n", start + len(mark))
    content_at = body.find(b"\r\n\r\n", headers_at)
    end = body.find(b"\r\n" + mark, content_at + 2)
    if headers_at < 0 or content_at < 0 or end < 0:
        raise ValueError("the multipart answer is cut off")
    headers = body[headers_at:content_at].decode("latin-1")
    kind, syntax = _KIND.search(headers), _SYNTAX.search(headers)
    return Part(body[content_at + 4 : end], kind[1].lower() if kind else "", syntax[1] if syntax else "")
