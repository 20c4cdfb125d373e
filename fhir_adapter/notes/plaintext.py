"""Bytes of plain text, Markdown or HTML -> the text of a note. Knows nothing of FHIR."""

from __future__ import annotations

import re
from typing import Final

from fhir_adapter.media_types import media_type
from fhir_adapter.notes.charset import decode
from fhir_adapter.notes.markup import strip_markup

MAX_BYTES: Final = 2**20
PLAIN: Final = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


def to_text(data: bytes, content_type: str) -> str:
    """Return the readable text: lines stripped, at most one blank line in a row, no markup, no control characters.

    Raises:
        ValueError: the bytes are not text in the named character set, or too many; the message holds none of them.
    """
    if len(data) > MAX_BYTES:
        raise ValueError("it is too long")
    text = decode(data, content_type)
    return tidy(text if media_type(content_type) in PLAIN else strip_markup(text))


def tidy(text: str) -> str:
    """Return text with plain blanks, no control characters, no blanks at line ends and few empty lines."""
    lines = [_CONTROL.sub("", line.replace("\t", " ").replace("\xa0", " ")).rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
