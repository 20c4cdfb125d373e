"""Shares -> figures with Wilson's interval: not of width 0 where everything was found, as a bootstrap's would be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from inference.figures import Figure

Z95: Final = 1.959964
"""Normal quantile of a two-sided 95 % interval."""


def share_figure(name: str, flags: Iterable[float], independent: int) -> Figure:
    """Return the mean of flags (0..1); `n` counts them, the interval is for `independent` patients or files."""
    values = np.asarray(list(flags), np.float64)
    share = float(values.mean())
    low, high = wilson(share, independent)
    return Figure(name, share, "1", len(values), low, high)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share among `count` observations (Wilson 1927)."""
    spread = Z95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(Z95**2 * share * (1 - share) / count + spread**2 / 4) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)
