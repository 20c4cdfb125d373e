"""Bytes of a note and their media type -> plain text. Knows nothing of FHIR."""

from __future__ import annotations

import codecs
import re
from typing import Final

from fhir_adapter.notes.markup import strip_markup

MAX_BYTES: Final = 2**20
MAX_CHARS: Final = 100_000
"""Far more than any model reads; a longer text is cut here."""

_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})
"""Codecs of Python that no document is written in, some of them slow by design."""
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._:\-]+)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_text(content_type: str) -> bool:
    """Whether `to_text` can read this type."""
    return media_type(content_type) in ("text/plain", "text/html", "application/xhtml+xml")


def to_text(data: bytes, content_type: str) -> str:
    """Return the readable text: lines stripped, at most one blank line in a row, no markup, no control characters.

    Raises:
        ValueError: the bytes are not text in the named character set, or too many; the message holds none of them.
    """
    if len(data) > MAX_BYTES:
        raise ValueError("it is too long")
    text = _decode(data, content_type)
    return _tidy(text if media_type(content_type) == "text/plain" else strip_markup(text))


def _decode(data: bytes, content_type: str) -> str:
    named = _CHARSET.search(content_type)
    try:
        return data.decode(_codec(named[1]) if named else "utf-8-sig")
    except LookupError:
        raise ValueError("its character set is not known") from None
    except UnicodeError:
        if named:
            raise ValueError("it is not in the character set it names") from None
    # Nothing was named and it is not UTF-8: the old Western default, in which every byte but five means something.
    return data.decode("cp1252", errors="replace")


def _codec(charset: str) -> str:
    """Return Python's name of a character set.

    Raises:
        LookupError: there is none that a document may be written in.
    """
    name = codecs.lookup(charset).name
    if name.replace("_", "-") in _NO_CHARSETS:
        raise LookupError("not for documents")
    return "utf-8-sig" if name == "utf-8" else name


def _tidy(text: str) -> str:
    lines = [_CONTROL.sub("", line.replace("\t", " ").replace("\xa0", " ")).rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
