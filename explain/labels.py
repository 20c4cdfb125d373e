"""Times and foreign names -> the short labels of the page."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

from explain.wording import MONTHS, moment

# Joiners that Persian and Indic scripts are written with.
_KEPT: Final = {"\u200c", "\u200d"}


def clean(text: str) -> str:
    """Return a name on one line without control characters, nor such as turn the direction of what stands beside it."""
    plain = (
        sign if unicodedata.category(sign)[0] not in "CZ" or sign in _KEPT or sign == "\u00a0" else " " for sign in text
    )
    return re.sub(" +", " ", "".join(plain)).strip()


def day(at: datetime) -> str:
    """Return the day of a time: "3 Oct 2026"."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def beside(at: datetime, usual: datetime | None) -> str:
    """Return a time beside the usual one of a table: "07:48" on the same day; whole where year or zone differ."""
    if usual is None or at.utcoffset() != usual.utcoffset() or at.year != usual.year:
        return moment(at)
    return f"{at:%H:%M}" if at.date() == usual.date() else f"{at.day} {MONTHS[at.month - 1]}, {at:%H:%M}"
