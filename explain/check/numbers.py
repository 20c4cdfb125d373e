"""A number as written -> whether it is the number of a fact. Rounding is allowed only where it hides nothing."""

from __future__ import annotations

import math
import re
from typing import Final

_PLAIN: Final = re.compile(r"\d+(?:\.\d+)?")
_FEW: Final = 10.0
"""Below it a value keeps one decimal at least: 9.6 is not 10."""


def is_rounded(written: str, value: float) -> bool:
    """Return whether a number is a value correctly rounded to its own decimals."""
    if not _PLAIN.fullmatch(written):
        return False
    decimals = len(written.partition(".")[2])
    shown = float(written)
    if math.isclose(shown, value, rel_tol=1e-9, abs_tol=1e-12):
        return True
    return (decimals > 0 or abs(value) >= _FEW) and shown == round(value, decimals) and (shown != 0.0 or value == 0.0)


def is_percent(written: str, probability: float, bound: str = "") -> bool:
    """Return whether a percentage is a probability in whole per cent or finer; `bound` is "under", "over" or empty.

    "under 1" and "over 99" are right where the whole number would be a false 0 or 100.
    """
    if bound:
        edge = {"under": ("1", probability < 0.01), "over": ("99", probability > 0.99)}[bound]
        return written == edge[0] and edge[1] and 0.0 < probability < 1.0
    if not _PLAIN.fullmatch(written):
        return False
    decimals, shown = len(written.partition(".")[2]), float(written)
    false_end = (shown == 0.0 and probability > 0.0) or (shown == 100.0 and probability < 1.0)
    return shown == round(100.0 * probability, decimals) and not false_end


def is_points(written: str, points: float) -> bool:
    """Return whether a number of points is the size of a change of probability; a change is never "0 points"."""
    if not _PLAIN.fullmatch(written):
        return False
    decimals = len(written.partition(".")[2])
    size = abs(100.0 * points)
    whole = max(1.0, round(size, decimals)) if decimals == 0 else round(size, decimals)
    return float(written) == whole
