"""Bytes -> characters: the character set a document names, from outside or in itself. Knows no markup."""

from __future__ import annotations

import codecs
import re
from typing import Final

_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})
"""Codecs of Python that no document is written in, some of them slow by design."""
_CHARSET: Final = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
_INSIDE: Final = re.compile(
    rb"<meta\b[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9._:\-]{1,40})"
    rb"|<\?xml\b[^>]{0,200}?encoding\s{0,5}=\s{0,5}[\"']([A-Za-z0-9._\-]{1,40})",
    re.IGNORECASE,
)
_LOOKED_AT: Final = 1024
"""Where HTML must name its character set, if it does (HTML Living Standard, prescan of a byte stream)."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes, content_type: str) -> str:
    """Return the characters of a document.

    Its content type says the character set; else its byte order mark, else its `meta` element or XML declaration; else
    it is UTF-8, or the old Western default (Windows-1252) where it cannot be.

    Raises:
        ValueError: the set that is named is unknown, or the bytes are not in it; the message holds none of them.
    """
    named = _named(data, content_type)
    try:
        return data.decode(_codec(named) if named else "utf-8-sig")
    except LookupError:
        raise ValueError("its character set is not known") from None
    except UnicodeError:
        if named:
            raise ValueError("it is not in the character set it names") from None
    # Every byte but five means something there.
    return data.decode("cp1252", errors="replace")


def _named(data: bytes, content_type: str) -> str:
    outside = _CHARSET.search(content_type)
    if outside is not None:
        return outside[1]
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    inside = None if marked or content_type.startswith("text/plain") else _INSIDE.search(data[:_LOOKED_AT])
    if inside is None:
        return marked
    name = (inside[1] or inside[2]).decode("ascii")
    # Who can read this declaration byte by byte is not reading UTF-16, whatever it says.
    return "" if name.lower().startswith("utf-16") else name


def _codec(charset: str) -> str:
    """Return Python's name of a character set.

    Raises:
        LookupError: there is none that a document may be written in.
    """
    name = codecs.lookup(charset).name
    if name.replace("_", "-") in _NO_CHARSETS:
        raise LookupError("not for documents")
    return "utf-8-sig" if name == "utf-8" else name
