"""PDF -> the text layer of its pages, by pypdf; a picture of text is not read. Only `own_process` calls this."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from fhir_adapter.notes.reading import BEGINNING, MAX_CHARS

if TYPE_CHECKING:
    from pypdf import PageObject

MAX_BYTES: Final = 8 * 2**20
MAX_PAGES: Final = 50
"""More is no note but a file of records; its first pages are read."""
SCAN: Final = "it is a scan: its pages are pictures"


def pdf_text(data: bytes) -> tuple[str, str]:
    """Return the text, an empty line between pages, and what was left out as a clause.

    Raises:
        ValueError: it is encrypted, broken, or has no text layer; the message is a clause for the clinician.
    """
    from pypdf import PdfReader  # noqa: PLC0415  # slow to import, and rarely needed
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(BytesIO(data))
        # Many are encrypted with an empty password, only to forbid changes.
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("it is locked with a password")
        pages = [_page(page) for _, page in zip(range(MAX_PAGES + 1), reader.pages, strict=False)]
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError, OSError):
        raise ValueError("its PDF is broken") from None
    return _joined(pages)


def _page(page: PageObject) -> tuple[str, bool]:
    """Return the text of a page, and whether it is a picture instead."""
    text = page.extract_text().strip()
    return text, not text and "/XObject" in (page.get("/Resources") or {})


def _joined(pages: list[tuple[str, bool]]) -> tuple[str, str]:
    text = "\n\n".join(text for text, _ in pages[:MAX_PAGES] if text)
    scans = sum(picture for _, picture in pages[:MAX_PAGES])
    if not text and scans:
        raise ValueError(SCAN)
    if len(pages) > MAX_PAGES or len(text) > MAX_CHARS:
        return text, BEGINNING
    return text, "some of its pages are pictures" if scans else ""
