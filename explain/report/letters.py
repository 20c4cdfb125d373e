"""The fonts of the report, and which characters they can set.

FiraGO (SIL Open Font License, from the package `pymupdf-fonts`) is embedded: Latin, Greek, Cyrillic, Georgian. It has
glyphs of Arabic, Hebrew, Devanagari and Thai too, but reportlab neither joins letters nor sets from right to left:
words of such scripts would be misread, and are replaced by a sign that the page explains.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from io import BytesIO
from typing import Final

import pymupdf_fonts  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "mllm-cds-regular"
BOLD: Final = "mllm-cds-bold"
MISSING: Final = "\N{WHITE VERTICAL RECTANGLE}"
MISSING_SENTENCE: Final = f"{MISSING} stands for words in a script that this print cannot set; the page on screen does."
_LEFT_TO_RIGHT: Final = frozenset({"L", "EN", "ES", "ET", "CS", "ON", "WS", "NSM", "BN"})
# Indic scripts, Thai, Lao, Tibetan, Burmese: their letters move and join.
_JOINED: Final = range(0x0900, 0x10A0)


@cache
def register() -> frozenset[int]:
    """Make the fonts known to reportlab and return the code points that both can set."""
    known = []
    for name, font in ((REGULAR, "figo"), (BOLD, "figbo")):
        face = TTFont(name, BytesIO(pymupdf_fonts.myfont(font)))
        pdfmetrics.registerFont(face)
        known.append(frozenset(face.face.charToGlyph))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return known[0] & known[1]


def settable(text: str) -> str:
    """Return text on one line with each run of characters that cannot be set replaced by `MISSING`."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    signs = (sign if _can_be_set(sign) else MISSING for sign in line if unicodedata.category(sign) not in ("Cc", "Cf"))
    return re.sub(f"{MISSING}(?: ?{MISSING})*", MISSING, "".join(signs))


def _can_be_set(sign: str) -> bool:
    joined = ord(sign) in _JOINED
    return ord(sign) in register() and unicodedata.bidirectional(sign) in _LEFT_TO_RIGHT and not joined


def marked_up(text: str) -> str:
    """Return text for a Paragraph, which reads a small XML: nothing of it is markup."""
    return html.escape(settable(text), quote=False)
