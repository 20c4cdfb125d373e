"""RTF -> its text, by striprtf. Its patterns can be made to run for hours: only `own_process` calls this."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 4 * 2**20
"""Larger than plain text: a letterhead with a logo is some 100 kB of hexadecimal digits."""


def rtf_text(data: bytes) -> str:
    """Return the text; tables as lines with a bar between the cells.

    Raises:
        ValueError: this is no RTF, or not to be read; the message is a clause for the clinician.
    """
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415  # slow to import, and rarely needed

    if not data.lstrip().startswith(b"{\\rtf"):
        raise ValueError("it is no RTF")
    try:
        # RTF is ASCII; what lies beyond is written in escapes, or by careless programs in Windows-1252.
        text: str = rtf_to_text(data.decode("cp1252", errors="replace"), errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, IndexError, TypeError, AttributeError, OverflowError):
        # striprtf has no error of its own.
        raise ValueError("its RTF is broken") from None
    return text
